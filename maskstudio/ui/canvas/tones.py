"""From stored pixels to those on the screen, as bright as the person wants to see them."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from maskstudio.later import cv2, np
from maskstudio.session.shown_image import Piece
from maskstudio.storage.stored_values import StoredValues
from maskstudio.ui.canvas.adjustment import Adjustment

if TYPE_CHECKING:
    from numpy.typing import NDArray

# So many values are looked up at each repaint, of 8 bits and of more (OpenCV looks up 8 bits only;
# numpy takes 1.2 ns a value); beyond it a level is mapped as a whole and held, if the result does
# not take more than the last number. Not at the first repaint: the next may be of another image, or
# of another adjustment while a slider is dragged.
_QUICK, _QUICK_DEEP = 8 * 1024 * 1024, 2 * 1024 * 1024
_MOST_HELD_BYTES = 64 * 1024 * 1024
# The unused byte of a pixel of four.
_OPAQUE = bytes([0, 0, 0, 255])
_PIXEL_BYTES = 4


class Tones:
    """Maps pieces of images; what it gives is good until the next piece.

    Attributes:
        adjustment: how bright they are to be.
    """

    def __init__(self) -> None:
        self.adjustment = Adjustment()
        # Taking fresh memory each time would cost more than filling it.
        self._room: NDArray[np.uint8] | None = None
        self._seen: tuple[weakref.ref[NDArray[np.generic]], Adjustment] | None = None
        self._held = False  # the room holds all of what was seen last
        self._deep: tuple[StoredValues, Adjustment, NDArray[np.uint8]] | None = None

    def shown(self, piece: Piece, rows: slice, columns: slice) -> NDArray[np.uint8]:
        """Return a part of a piece as it is shown: (height, width, 4) uint8, as `Piece.pixels`."""
        seen = piece.pixels[rows, columns]
        if piece.values is None and self.adjustment.keeps_tones:
            return np.asarray(seen, np.uint8)
        height, width = piece.pixels.shape[:2]
        quick = seen.size <= (_QUICK if piece.values is None else _QUICK_DEEP)
        too_large = height * width * _PIXEL_BYTES > _MOST_HELD_BYTES
        if quick or too_large or not self._seen_before(piece):
            return self._mapped(seen, piece.values)
        if not self._held:
            self._mapped(piece.pixels, piece.values)
            self._held = True
        return self._room_for(piece.pixels)[rows, columns]

    def _seen_before(self, piece: Piece) -> bool:
        """Tell whether the same was asked for the last time; panning over it will cost nothing."""
        before = self._seen
        self._seen = (weakref.ref(piece.pixels), self.adjustment)
        return before is not None and before[0]() is piece.pixels and before[1] == self.adjustment

    def _mapped(
        self, pixels: NDArray[np.integer[Any]], values: StoredValues | None
    ) -> NDArray[np.uint8]:
        self._held = False
        room = self._room_for(pixels)
        whole = room.view(np.uint32)[..., 0]
        if values is None:
            cv2.LUT(np.asarray(pixels, np.uint8), self.adjustment.table, room)
        elif pixels.ndim == 2:
            # Indices of 16 bits are always within the table; to look costs as much again.
            np.take(_grey(self._deep_table(values)), pixels, out=whole, mode="clip")
            return room
        else:
            np.take(self._deep_table(values), pixels, out=room, mode="clip")
        # Qt copies the unused byte along and takes it for opacity in the end.
        np.bitwise_or(whole, np.frombuffer(_OPAQUE, np.uint32), out=whole)
        return room

    def _room_for(self, pixels: NDArray[np.generic]) -> NDArray[np.uint8]:
        height, width = pixels.shape[:2]
        size = height * width * _PIXEL_BYTES
        if self._room is None or self._room.size < size:
            self._room = np.empty(size, np.uint8)
        return self._room[:size].reshape(height, width, _PIXEL_BYTES)

    def _deep_table(self, values: StoredValues) -> NDArray[np.uint8]:
        known = self._deep
        if known is None or known[0] is not values or known[1] != self.adjustment:
            known = (values, self.adjustment, self.adjustment.deep_table(values))
            self._deep = known
        return known[2]


def _grey(table: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return whole pixels for a table of grey tones."""
    pixels = np.repeat(table[:, None], _PIXEL_BYTES, axis=1)
    pixels[:, -1] = 255
    return pixels.view(np.uint32)[:, 0]
