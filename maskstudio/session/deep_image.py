"""An image of more than 8 bits a value, held with all of them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskstudio.progress import TaskContext
from maskstudio.session.shown_image import DecodedImage, Piece, PixelBox
from maskstudio.storage.deep_images import DeepPixels
from maskstudio.storage.levels import all_levels
from maskstudio.storage.stored_values import StoredValues


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


def deep_image(pixels: DeepPixels, context: TaskContext) -> DeepImage:
    """Make the levels that an image is painted from.

    Args:
        pixels: the image.
        context: cancels it.

    Raises:
        CancelledError: it is no longer wanted.
    """
    level = pixels.levels
    if level.ndim == 3:
        level = np.asarray(cv2.cvtColor(level, cv2.COLOR_RGB2BGRA), np.uint16)
    return DeepImage(all_levels(level, context), pixels.values)
