"""Put parts of a very large image together from its tiles, the ones used last kept in memory."""

import mmap
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from maskstudio.progress import TaskContext
from maskstudio.session.shown_image import Piece, PixelBox, cut, overlap
from maskstudio.storage.pyramids import Pyramid

TILE_BYTES = 16 * 1024 * 1024
"""Memory for the tiles of one image."""

# What is there of a part is given after so long, where tiles take time to decode.
_IMPATIENCE_S = 0.1


class TileReader:
    """Reads from one pyramid; may be used from several threads."""

    def __init__(self, pyramid: Pyramid) -> None:
        self._pyramid = pyramid
        self._lock = threading.Lock()
        # The ones to let go of first come first.
        self._tiles: OrderedDict[tuple[int, int, int], NDArray[np.uint8]] = OrderedDict()

    @property
    def bytes(self) -> int:
        """Memory the tiles take now."""
        with self._lock:
            return sum(tile.nbytes for tile in self._tiles.values())

    def close(self) -> None:
        """Let go of all tiles and of the files."""
        self.clear()
        self._pyramid.close()

    def clear(self) -> None:
        """Let go of all tiles."""
        with self._lock:
            self._tiles.clear()

    def pieces(
        self, level: int, box: PixelBox, before: Piece | None, context: TaskContext
    ) -> Iterator[Piece]:
        """Yield a part of a level as one piece; before that its upper rows, if it takes long.

        Args:
            level: the level.
            box: the part, within the level.
            before: a piece there is already; what lies in both is taken from it.
            context: cancels it.

        Raises:
            UserError: see `Pyramid.read_tile`.
            CancelledError: it is no longer wanted.
        """
        left, top, right, bottom = box
        side = self._pyramid.tile_side(level)
        pixels = _own_memory(bottom - top, right - left)
        there = (0, 0, 0, 0)
        if before is not None and before.level == level:
            there = overlap(box, before.box)
            cut(pixels, box, there)[:] = cut(before.pixels, before.box, there)
        given = time.monotonic()
        for row in range(top // side, -(-bottom // side)):
            for column in range(left // side, -(-right // side)):
                context.raise_if_cancelled()
                x, y = column * side, row * side
                tile_box = (x, y, x + side, y + side)
                seen = overlap(box, tile_box)
                if overlap(seen, there) != seen:
                    tile = self._tile(level, row, column)
                    cut(pixels, box, seen)[:] = cut(tile, tile_box, seen)
            y1 = min(bottom, (row + 1) * side)
            if y1 == bottom or time.monotonic() - given > _IMPATIENCE_S:
                upper = pixels[: y1 - top]
                upper.setflags(write=False)
                yield Piece(level, left, top, upper)
                given = time.monotonic()

    def _tile(self, level: int, row: int, column: int) -> NDArray[np.uint8]:
        key = level, row, column
        with self._lock:
            if key in self._tiles:
                self._tiles.move_to_end(key)
                return self._tiles[key]
        tile = self._pyramid.read_tile(level, row, column)
        with self._lock:
            self._tiles[key] = tile
            held = sum(one.nbytes for one in self._tiles.values())
            while held > TILE_BYTES:
                held -= self._tiles.popitem(last=False)[1].nbytes
        return tile


def _own_memory(height: int, width: int) -> NDArray[np.uint8]:
    """Return room for pixels that goes back to the system as soon as it is let go of.

    What C libraries keep for threads of what was freed would be several times what is in use.
    """
    room = mmap.mmap(-1, height * width * 4)
    return np.frombuffer(room, np.uint8).reshape(height, width, 4)
