"""Read images upright, as 8-bit RGB.

Pillow reads the file: it tells a truncated file from a whole one, knows every orientation EXIF can
name, and gives the size without decoding.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import IMAGELENGTH, IMAGEWIDTH, TiffImageFile

from maskstudio.errors import UserError
from maskstudio.storage.quick_jpeg import read_jpeg

MAX_PIXELS = 250_000_000
"""Pixels of the largest image that is read whole: 750 MB as RGB. To look at, larger ones open too;
see `pyramids`."""

SIDEWAYS = (5, 6, 7, 8)
"""EXIF orientations that swap height and width."""

# The bound above is checked before anything is decoded; Pillow's own would only add a warning.
Image.MAX_IMAGE_PIXELS = None

# What Pillow's decoders raise on damaged data.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error)
_ORIENTATION_TAG = 0x0112
_PNG_SIGNATURE_LENGTH = 8
# Of a 16-bit or float image this percentage of the darkest and the brightest pixels may saturate.
_SATURATED_PERCENT = 0.1


def read_size(path: Path) -> tuple[int, int]:
    """Return (height, width) of an image as it stands upright, without decoding it.

    Raises:
        UserError: the file is missing, unreadable or no image.
    """
    with opened(path) as image:
        width, height = stored_size_wh(image)
        return (width, height) if orientation(image) in SIDEWAYS else (height, width)


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read an image upright.

    Returns:
        (height, width, 3) uint8 RGB, read-only. Transparency is laid over white; 16-bit and float
        images are stretched between their darkest and brightest pixels.

    Raises:
        UserError: the file is missing, unreadable, truncated, no image, or too large.
    """
    pixels, blue_first = _read(path)
    if blue_first:
        pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)
    pixels.setflags(write=False)
    return pixels


def read_painted(path: Path) -> NDArray[np.uint8]:
    """Read an image upright, as `read_image` does, in the form it is painted in.

    Returns:
        (height, width, 4) uint8 in the order blue, green, red, unused.

    Raises:
        UserError: see `read_image`.
    """
    pixels, blue_first = _read(path)
    how = cv2.COLOR_BGR2BGRA if blue_first else cv2.COLOR_RGB2BGRA
    return np.asarray(cv2.cvtColor(pixels, how), np.uint8)


def read_half(path: Path) -> NDArray[np.uint8] | None:
    """Read an image at half its size, rounded up, where that takes half the time.

    Returns:
        As `read_painted`; None where nothing is gained.

    Raises:
        UserError: see `read_image`.
    """
    with opened(path) as image:
        upright = orientation(image) in (None, 1)
        half = read_jpeg(image, path, half=True) if upright else None
    return None if half is None else np.asarray(cv2.cvtColor(half, cv2.COLOR_BGR2BGRA), np.uint8)


def _read(path: Path) -> tuple[NDArray[np.uint8], bool]:
    """Return (height, width, 3) uint8, and whether blue comes first."""
    with opened(path) as image:
        width, height = image.size
        if height * width > MAX_PIXELS:
            raise UserError(
                f"{path} has {width} by {height} pixels, more than the {MAX_PIXELS // 1_000_000} "
                "million that can be taken at once; cut it into tiles for that."
            )
        quick = read_jpeg(image, path) if orientation(image) in (None, 1) else None
        if quick is not None:
            return quick, True
        # In place: otherwise an image that stands upright already is copied.
        ImageOps.exif_transpose(image, in_place=True)
        return to_rgb(image), False


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """Open a file as an image, or say in one sentence why that, or reading from it, fails.

    Raises:
        UserError: the file is missing, unreadable, damaged, no image, or does not fit into memory.
    """
    with damage_told(path), _identified(path) as image:
        yield image


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """Turn what reading a damaged image raises into one sentence.

    Raises:
        UserError: the body has found the file missing, unreadable or damaged.
    """
    try:
        yield
    except MemoryError as error:
        raise UserError(f"{path} does not fit into memory; close other programs.") from error
    except FileNotFoundError as error:
        raise UserError(f"{path} is gone; open the folder again.") from error
    except _DAMAGE as error:
        if isinstance(error, OSError) and error.strerror:  # the file system's, not a decoder's
            raise UserError(f"{path} cannot be read: {error.strerror}.") from error
        raise UserError(f"{path} is damaged ({error}); replace the file.") from error


def _identified(path: Path) -> Image.Image:
    try:
        return Image.open(path)
    except UnidentifiedImageError as error:
        what = "is empty" if path.stat().st_size == 0 else "is not an image"
        raise UserError(f"{path} {what}; replace or remove the file.") from error


def stored_size_wh(image: Image.Image) -> tuple[int, int]:
    """Return (width, height) as the file has it; newer Pillows give a TIFF's upright."""
    if isinstance(image, TiffImageFile):
        return int(image.tag_v2[IMAGEWIDTH]), int(image.tag_v2[IMAGELENGTH])
    return image.size


def orientation(image: Image.Image) -> int | None:
    """Return the orientation EXIF names, None where it names none."""
    if isinstance(image, PngImageFile):
        # Its own `getexif` decodes the pixels, because EXIF may stand behind them.
        if "exif" not in image.info and (late := _png_exif(Path(os.fsdecode(image.filename)))):
            image.info["exif"] = late
        exif = Image.Image.getexif(image)
    else:
        exif = image.getexif()
    named: int | None = exif.get(_ORIENTATION_TAG)
    return named


def _png_exif(path: Path) -> bytes | None:
    """Return the EXIF chunk of a PNG, wherever it stands, passing over the pixels."""
    with path.open("rb") as file:
        file.seek(_PNG_SIGNATURE_LENGTH)
        while len(head := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            if kind == b"eXIf":
                return file.read(length)
            if kind == b"fdAT":  # the second frame of an animation; Pillow stops here as well
                return None
            file.seek(length + 4, os.SEEK_CUR)
    return None


def is_deep(image: Image.Image) -> bool:
    """Tell whether the pixels are grey values of more than 8 bits."""
    return image.mode in ("I", "F") or image.mode.startswith("I;")


def to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    """Return the pixels of an image as `read_image` does."""
    if is_deep(image):
        values = np.asarray(image)
        return np.repeat(stretched(values, grey_range(values))[:, :, None], 3, axis=2)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def grey_range(values: NDArray[np.generic]) -> tuple[float, float]:
    """Return the grey values to be shown black and white; (0, 0) where none is finite."""
    numbers = values.astype(np.float32)
    known = numbers[np.isfinite(numbers)]
    if not known.size:
        return 0.0, 0.0
    saturated = (_SATURATED_PERCENT, 100 - _SATURATED_PERCENT)
    low, high = np.percentile(known, saturated, overwrite_input=True)
    return float(low), float(high)


def stretched(values: NDArray[np.generic], shown: tuple[float, float]) -> NDArray[np.uint8]:
    """Map grey values of any type to 0..255.

    Args:
        values: what no number is becomes black.
        shown: the values that become black and white; see `grey_range`.
    """
    low, high = shown
    numbers = values.astype(np.float32)
    np.nan_to_num(numbers, copy=False, nan=low, posinf=high, neginf=low)
    spread = max(high - low, 1e-6)
    return np.asarray(np.clip((numbers - low) / spread * 255, 0, 255), np.uint8)
