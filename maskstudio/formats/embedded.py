"""Images that stand within a file as base64."""

import base64
import binascii
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskstudio.errors import UserError
from maskstudio.formats.damage import DAMAGE

MAX_MASK_PIXELS = 80_000_000
"""Of the largest mask that is decoded: 80 MB. What its header says is asked before."""

MAX_IMAGE_PIXELS = 250_000_000
"""As for image files; see `storage.images`."""


def decoded(text: str) -> bytes:
    """Return what a text in base64 says.

    Raises:
        UserError: it is not base64; the sentence is the end of one about what should be there.
    """
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError) as error:
        raise UserError(f"is not base64 ({error})") from error


def mask_pixels(png: bytes, height: int, width: int) -> NDArray[np.bool_]:
    """Return the pixels of a mask.

    Args:
        png: the file; what is not 0 lies inside.
        height: rows of the image.
        width: columns of the image.

    Returns:
        (h, w), at most one row and one column more than the image has: labelme rounds.

    Raises:
        UserError: it is damaged, no PNG of one channel, or larger than the image.
    """
    try:
        with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
            w, h = image.size
            if h > height + 1 or w > width + 1 or h * w > MAX_MASK_PIXELS:
                raise UserError(f"is a mask of {w} by {h} pixels, its image {width} by {height}")
            pixels = np.asarray(image)
    except DAMAGE as error:
        raise UserError(f"is a mask that cannot be read ({error})") from error
    if pixels.ndim != 2:
        raise UserError("is a mask in colours, where black and white was expected")
    return np.asarray(pixels != 0, np.bool_)


def checked_image(raw: bytes) -> bytes:
    """Return an image file if its header says that it is one and not too large.

    Raises:
        UserError: it is none, or too large.
    """
    try:
        with Image.open(io.BytesIO(raw)) as image:
            w, h = image.size
    except DAMAGE as error:
        raise UserError(f"is no image ({error})") from error
    if w * h > MAX_IMAGE_PIXELS:
        raise UserError(f"is an image of {w} by {h} pixels, too large to be taken")
    return raw
