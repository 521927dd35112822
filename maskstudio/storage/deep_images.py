"""Read images of more than 8 bits a value with all their values: to look at them.

The model and the exports read 8 bits (`images.read_image`), whatever is shown.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps

from maskstudio.storage.images import MAX_PIXELS, is_deep, opened, orientation
from maskstudio.storage.stored_values import LEVELS, StoredValues, Window

# Of the darkest and the brightest values this share is not waited for: as in `read_image`.
_SATURATED = 0.001


@dataclass(frozen=True, eq=False)
class DeepPixels:
    """An image as it is stored.

    Attributes:
        levels: (height, width) uint16 grey, or (height, width, 3) uint16 RGB.
        values: what they stand for.
    """

    levels: NDArray[np.uint16]
    values: StoredValues


def read_deep(path: Path) -> DeepPixels | None:
    """Read an image upright with all its values; None when 8 bits hold them, or it is too large.

    Of 16-bit images in colour only those that stand upright and are opaque are read so. Float
    images, and whole numbers further apart than 16 bits reach, are taken in 65,536 even steps over
    their finite range; NaN becomes the lowest, infinity the end it lies at.

    Raises:
        UserError: the file is missing, unreadable, truncated or no image.
    """
    with opened(path) as image:
        if image.width * image.height > MAX_PIXELS:
            return None
        if is_deep(image):
            return _from_numbers(np.asarray(ImageOps.exif_transpose(image)))
        if _has_deep_colours(image):
            image.load()  # tells a truncated file from a whole one
            return _deep_colours(path, (image.height, image.width))
    return None


def _has_deep_colours(image: Image.Image) -> bool:
    """Tell whether Pillow is going to make 8 bits of 16, in red, green and blue alike."""
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    if not tiles or image.mode != "RGB" or image.has_transparency_data:
        return False
    how = tiles[0][3]
    stored = how[0] if isinstance(how, tuple) else how
    return str(stored).startswith("RGB;16") and orientation(image) in (None, 1)


def _deep_colours(path: Path, size: tuple[int, int]) -> DeepPixels | None:
    """Read a 16-bit image in colour; Pillow would keep only 8 bits of it."""
    file = np.frombuffer(path.read_bytes(), np.uint8)
    bgr = cv2.imdecode(file, cv2.IMREAD_UNCHANGED)
    if bgr is None or bgr.dtype != np.uint16 or bgr.shape != (*size, 3):
        return None
    levels = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint16)
    return DeepPixels(levels, _stored_values(levels, 0.0, 1.0, whole=True))


def _from_numbers(numbers: NDArray[np.generic]) -> DeepPixels:
    """Take grey values of any type."""
    if numbers.dtype.kind == "u" and numbers.dtype.itemsize == 2:  # of either byte order
        levels = numbers.astype(np.uint16)
        return DeepPixels(levels, _stored_values(levels, 0.0, 1.0, whole=True))
    wide = numbers.astype(np.float64)
    finite = np.isfinite(wide)
    low = float(wide.min(where=finite, initial=np.inf))
    high = float(wide.max(where=finite, initial=-np.inf))
    if low > high:  # not one of them is finite
        low = high = 0.0
    whole = numbers.dtype.kind in "iu" and high - low < LEVELS
    if whole:
        offset, step = (0.0 if low >= 0 and high < LEVELS else low), 1.0
    else:
        offset, step = low, (high - low) / (LEVELS - 1) or 1.0
    np.nan_to_num(wide, copy=False, nan=low, posinf=high, neginf=low)
    wide -= offset
    wide /= step
    levels = np.asarray(np.rint(wide, out=wide), np.uint16)
    return DeepPixels(levels, _stored_values(levels, offset, step, whole=whole))


def _stored_values(
    levels: NDArray[np.uint16], offset: float, step: float, *, whole: bool
) -> StoredValues:
    flat = levels.reshape(levels.shape[0], -1)
    histogram = cv2.calcHist([flat], [0], None, [LEVELS], [0, LEVELS])
    counts = histogram.ravel().cumsum(dtype=np.float64)
    beyond = _SATURATED * levels.size

    def window(left_out: float) -> Window:
        first = int(np.searchsorted(counts, left_out, side="right"))
        last = int(np.searchsorted(counts, levels.size - left_out, side="left"))
        return Window(offset + first * step, offset + last * step)

    return StoredValues(offset, step, whole, window(0.0), window(beyond))
