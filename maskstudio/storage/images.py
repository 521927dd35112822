"""List the images of a folder and read them upright, as 8-bit RGB.

Pillow reads the file: it tells a truncated file from a whole one, knows every orientation EXIF can
name, and gives the size without decoding.
"""

import os
import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from maskstudio.errors import UserError

SUFFIXES = frozenset(
    (".bmp", ".gif", ".jpeg", ".jpg", ".jp2", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
)
"""Endings (lower case) of the files taken for images."""

MAX_PIXELS = 250_000_000
"""Pixels of the largest image that is read whole: 750 MB as RGB."""

# The bound above is checked before anything is decoded; Pillow's own would only add a warning.
Image.MAX_IMAGE_PIXELS = None

# What Pillow's decoders raise on damaged data.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error)
# EXIF orientations that swap height and width.
_ORIENTATION_TAG, _SIDEWAYS = 0x0112, (5, 6, 7, 8)
# Of a 16-bit or float image this percentage of the darkest and the brightest pixels may saturate.
_SATURATED_PERCENT = 0.1


@dataclass(frozen=True)
class ImageFile:
    """One image file of a folder, before it is opened.

    Attributes:
        path: POSIX, relative to the folder.
        size_bytes: length of the file.
        modified_ns: time of the last change, nanoseconds since 1970.
    """

    path: str
    size_bytes: int
    modified_ns: int


def list_images(folder: Path) -> Iterator[ImageFile]:
    """Walk a folder and its subfolders in natural order; hidden ones are left out.

    Raises:
        UserError: the folder does not exist or cannot be read.
    """
    try:
        yield from _walk(folder, "")
    except NotADirectoryError as error:
        raise UserError(f"{folder} is a file; choose the folder it lies in.") from error
    except FileNotFoundError as error:
        raise UserError(f"{folder} does not exist; choose another folder.") from error
    except OSError as error:
        raise UserError(f"{folder} cannot be read: {error.strerror}.") from error


def natural_key(name: str) -> tuple[str | int, ...]:
    """Order names as people do: `img2` before `img10`, upper and lower case alike."""
    # Splitting puts text at even places and digits at odd ones, so like meets like.
    return tuple(
        int(piece) if n % 2 else piece
        for n, piece in enumerate(re.split(r"(\d+)", name.casefold(), flags=re.ASCII))
    )


def read_size(path: Path) -> tuple[int, int]:
    """Return (height, width) of an image as it stands upright, without decoding it.

    Raises:
        UserError: the file is missing, unreadable or no image.
    """
    with _opened(path) as image:
        return _upright_size(image)


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read an image upright.

    Returns:
        (height, width, 3) uint8 RGB, read-only. Transparency is laid over white; 16-bit and float
        images are stretched between their darkest and brightest pixels.

    Raises:
        UserError: the file is missing, unreadable, truncated, no image, or too large.
    """
    with _opened(path) as image:
        height, width = _upright_size(image)
        if height * width > MAX_PIXELS:
            raise UserError(
                f"{path} has {width} by {height} pixels, more than the {MAX_PIXELS // 1_000_000} "
                "million that can be opened; cut it into tiles first."
            )
        try:
            pixels = _to_rgb(ImageOps.exif_transpose(image))
        except MemoryError as error:
            raise UserError(f"{path} does not fit into memory; close other programs.") from error
        except _DAMAGE as error:
            raise UserError(f"{path} is damaged ({error}); replace the file.") from error
    pixels.setflags(write=False)
    return pixels


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open a file as an image, or say in one sentence why that fails."""
    try:
        image = Image.open(path)
    except FileNotFoundError as error:
        raise UserError(f"{path} is gone; open the folder again.") from error
    except UnidentifiedImageError as error:
        what = "is empty" if path.stat().st_size == 0 else "is not an image"
        raise UserError(f"{path} {what}; replace or remove the file.") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    except _DAMAGE as error:
        raise UserError(f"{path} is damaged ({error}); replace the file.") from error
    with image:
        yield image


def _upright_size(image: Image.Image) -> tuple[int, int]:
    width, height = image.size
    if image.getexif().get(_ORIENTATION_TAG) in _SIDEWAYS:
        return width, height
    return height, width


def _to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        grey = _stretched(np.asarray(image))
        return np.repeat(grey[:, :, None], 3, axis=2)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    return np.array(image.convert("RGB"))


def _stretched(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Map grey values of any type to 0..255."""
    numbers = np.nan_to_num(values.astype(np.float32), posinf=0, neginf=0)
    low, high = np.percentile(numbers, (_SATURATED_PERCENT, 100 - _SATURATED_PERCENT))
    spread = max(float(high - low), 1e-6)
    return np.asarray(np.clip((numbers - low) / spread * 255, 0, 255), np.uint8)


def _walk(folder: Path, prefix: str) -> Iterator[ImageFile]:
    with os.scandir(folder / prefix) as found:
        entries = sorted(found, key=lambda entry: natural_key(entry.name))
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(folder, f"{prefix}{entry.name}/")
        elif PurePath(entry.name).suffix.lower() in SUFFIXES:
            status = entry.stat()
            yield ImageFile(f"{prefix}{entry.name}", status.st_size, status.st_mtime_ns)
