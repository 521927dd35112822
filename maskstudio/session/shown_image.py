"""What the canvas, the minimap and the tools know of an image's pixels.

An ordinary image is held whole (`DecodedImage`), one of more than 8 bits a value with all of them
(`DeepImage`); a very large one is read tile by tile (`tiled_image.TiledImage`). Whoever
shows one or reads from one need not know which it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from maskstudio.later import np
from maskstudio.storage.stored_values import StoredValues

if TYPE_CHECKING:
    from numpy.typing import NDArray

PixelBox = tuple[int, int, int, int]
"""(left, top, right, bottom) in whole pixels of a level, right and bottom beyond the last one."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A part of one level of an image.

    Attributes:
        level: 0 is full size; a pixel of level n covers 2**n x 2**n pixels of the image, less where
            the image ends before.
        left: column of the level at which the pixels begin.
        top: row likewise.
        pixels: (height, width, 4) uint8 in the order blue, green, red, unused; read-only. The same
            array is given again until there is something newer.
        values: what the pixels stand for where they are more than 8 bits: then they are uint16, and
            of a grey image (height, width).
    """

    level: int
    left: int
    top: int
    pixels: NDArray[Any]
    values: StoredValues | None = None

    @property
    def box(self) -> PixelBox:
        """The part of the level it shows."""
        height, width = self.pixels.shape[:2]
        return self.left, self.top, self.left + width, self.top + height

    def eight_bits(self, rows: slice, columns: slice) -> NDArray[np.uint8]:
        """Return a part in 8 bits, (height, width, 4); of more the automatic window shows it."""
        seen = self.pixels[rows, columns]
        if self.values is None:
            return np.asarray(seen, np.uint8)
        tones = np.take(self.values.automatic_table, seen)
        return tones if tones.ndim == 3 else np.repeat(tones[:, :, None], 4, axis=2)


def overlap(one: PixelBox, other: PixelBox) -> PixelBox:
    """Return what two boxes share; without width or height where they share nothing."""
    left, top = max(one[0], other[0]), max(one[1], other[1])
    return left, top, max(left, min(one[2], other[2])), max(top, min(one[3], other[3]))


def cut(pixels: NDArray[np.uint8], box: PixelBox, part: PixelBox) -> NDArray[np.uint8]:
    """Return the part of an array that shows `part` of a level, where the array shows `box`."""
    left, top = box[:2]
    return pixels[part[1] - top : part[3] - top, part[0] - left : part[2] - left]


class ShownImage(Protocol):
    """An image ready to be painted."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) at full size."""

    @property
    def bytes(self) -> int:
        """Memory it takes now."""

    @property
    def level_sizes(self) -> tuple[tuple[int, int], ...]:
        """(height, width) of each level, the first at full size, each half the one before."""

    def pieces(self, level: int, box: PixelBox) -> tuple[Piece, ...]:
        """Return what can be painted for a part of a level at once; never waits.

        Args:
            level: the level wanted.
            box: the part, within the level. Pieces may be larger.

        Returns:
            What to paint, each over the one before; together they cover the box. One piece of the
            level wanted when all of it is there; before that coarser ones stand in. Of the last
            level all is there at any time.
        """

    def at_hand(self, level: int, box: PixelBox) -> Piece | None:
        """Return a piece of a level that holds a part of it, if there is one; never waits.

        Unlike `pieces` it does not have read what is missing: only the canvas says what is seen.
        """

    def read(self, level: int, box: PixelBox) -> NDArray[np.uint8]:
        """Return exactly a part of a level; may wait for the disk, so ask on a lane.

        Args:
            level: the level.
            box: the part, within the level.

        Returns:
            (height, width, 4) uint8 in the order blue, green, red, unused; read-only.

        Raises:
            UserError: the file cannot be read any more.
        """


@dataclass(frozen=True, eq=False)
class DecodedImage:
    """An image held whole.

    Attributes:
        levels: see `Piece.pixels`; each level half the size of the one before, rounded up, the
            first at full size.
    """

    levels: tuple[NDArray[Any], ...]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) at full size."""
        return self.level_sizes[0]

    @property
    def bytes(self) -> int:
        """Memory it takes."""
        return sum(level.nbytes for level in self.levels)

    @property
    def level_sizes(self) -> tuple[tuple[int, int], ...]:
        """(height, width) of each level."""
        return tuple((level.shape[0], level.shape[1]) for level in self.levels)

    def pieces(self, level: int, box: PixelBox) -> tuple[Piece, ...]:
        """Return the whole level; see `ShownImage.pieces`."""
        del box
        return (Piece(level, 0, 0, self.levels[level]),)

    def at_hand(self, level: int, box: PixelBox) -> Piece:
        """Return the whole level; see `ShownImage.at_hand`."""
        return self.pieces(level, box)[0]

    def read(self, level: int, box: PixelBox) -> NDArray[np.uint8]:
        """Return a part of a level; see `ShownImage.read`."""
        left, top, right, bottom = box
        return self.levels[level][top:bottom, left:right]


@dataclass(frozen=True, eq=False)
class DeepImage(DecodedImage):
    """An image held whole, as it is stored.

    Attributes:
        levels: (height, width) uint16 grey, or (height, width, 4) uint16 in the order blue, green,
            red, unused; each half the size of the one before, rounded up, the first at full size.
        values: what they stand for.
    """

    values: StoredValues

    def pieces(self, level: int, box: PixelBox) -> tuple[Piece, ...]:
        """Return the whole level, as it is stored; see `ShownImage.pieces`."""
        del box
        return (Piece(level, 0, 0, self.levels[level], self.values),)

    def read(self, level: int, box: PixelBox) -> NDArray[np.uint8]:
        """Return a part of a level as the automatic window shows it; see `ShownImage.read`."""
        left, top, right, bottom = box
        (piece,) = self.pieces(level, box)
        return piece.eight_bits(slice(top, bottom), slice(left, right))

    def value_at(self, column: int, row: int) -> str:
        """Return the value of a pixel, in the image's own units; empty beside the image."""
        height, width = self.size
        if not (0 <= row < height and 0 <= column < width):
            return ""
        levels = np.atleast_1d(self.levels[0][row, column])[2::-1]
        return " ".join(self.values.text(self.values.value(int(level))) for level in levels)
