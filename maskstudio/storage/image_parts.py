"""Read parts of a very large image, upright, with as little memory as its format allows.

A TIFF of tiles or strips is read a few of them at a time (`tiff_chunks`). What Pillow can only
decode whole is decoded whole: 4 bytes a pixel in colour, 1 in grey.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.storage.images import (
    SIDEWAYS,
    damage_told,
    grey_range,
    is_deep,
    opened,
    orientation,
    stored_size_wh,
    stretched,
    to_rgb,
)
from maskstudio.storage.levels import level_sizes
from maskstudio.storage.tiff_chunks import TiffChunks
from maskstudio.storage.tiff_overviews import read_overview

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_PARTED_PIXELS = 2**31
"""Pixels of the largest image that is read part by part."""

MAX_SIDE = 2**18
"""Pixels of the longest side: bands go from one edge to the other."""

MAX_WHOLE_PIXELS = 1_000_000_000
"""Pixels of the largest image that is decoded whole to be cut into parts: 4 GB in colour."""

Box = tuple[int, int, int, int]
"""(left, top, right, bottom) in whole pixels, right and bottom beyond the last one."""

# A preview is made this many times smaller, the most a JPEG decoder can do by itself.
_PREVIEW_LEVEL = 3
# Pillow holds the interpreter's lock while it copies: so many rows at a time leave the window live.
_BAND_ROWS = 64
_REDUCIBLE = ("L", "RGB", "RGBA", "CMYK")
# The range of deep grey values is taken from so many parts of the image, spread evenly.
_SAMPLES = 24
_SAMPLE_SIDE = 512
# Pillow keeps pixels in blocks; the C library gives only those above 32 MB back at once.
_BLOCK_BYTES = 64 * 1024 * 1024


class _Stored(Protocol):
    """The pixels as the file has them, before they are turned upright."""

    band_rows: int

    def sample(self) -> Image.Image:
        """Return some part, to see what the pixels are like."""

    def read(
        self, box: Box, as_pixels: Callable[[Image.Image], NDArray[np.generic]]
    ) -> NDArray[np.generic]:
        """Return a part as an array."""


class _Whole:
    """An image in memory."""

    band_rows = _BAND_ROWS

    def __init__(self, image: Image.Image) -> None:
        self._image = image

    def sample(self) -> Image.Image:
        return self._image.crop((0, 0, 1, 1))

    def read(
        self, box: Box, as_pixels: Callable[[Image.Image], NDArray[np.generic]]
    ) -> NDArray[np.generic]:
        return as_pixels(self._image.crop(box))


@dataclass(frozen=True)
class ImageParts:
    """An image to be read part by part.

    Attributes:
        size: (height, width) upright.
        channels: 3 for red, green and blue, 1 for grey.
        band_rows: heights of bands that are best read one after the other.
        tile: side of the file's own tiles if each can be read quickly by itself, else None.
        shown: the values shown black and white where grey values have more than 8 bits.
    """

    size: tuple[int, int]
    channels: int
    band_rows: int
    tile: int | None
    shown: tuple[float, float] | None
    _path: Path
    _stored: _Stored
    _orientation: int

    def read(self, box: Box) -> NDArray[np.uint8]:
        """Return a part, as `read_image` would.

        Args:
            box: the part, upright.

        Returns:
            (height, width, channels) uint8.

        Raises:
            UserError: the file is damaged there, or cannot be read any more.
        """
        with damage_told(self._path):
            stored = _stored_box(box, self.size, self._orientation)
            as_pixels = partial(_pixels, channels=self.channels, shown=self.shown)
            return _upright(self._stored.read(stored, as_pixels), self._orientation)


@contextmanager
def parts(
    path: Path,
    context: TaskContext,
    shown: tuple[float, float] | None = None,
    *,
    may_preview: bool = True,
) -> Iterator[ImageParts]:
    """Open an image to be read part by part.

    Args:
        path: its file.
        context: produces a (height, width, 3) uint8 preview, of the size of one of the levels,
            where there is one before the parts have been read; asks whether to stop.
        shown: the values to be shown black and white, if they are known already.
        may_preview: whether to look for a preview, and to decode whole what has no parts.

    Raises:
        UserError: it cannot be read, or is too large.
        CancelledError: it is no longer wanted.
    """
    with opened(path) as image:
        width, height = stored_size_wh(image)
        turned = orientation(image) or 1
        chunks = TiffChunks.of(image) if isinstance(image, TiffImageFile) else None
        if chunks is not None and turned in SIDEWAYS and not chunks.tiled:
            chunks = None  # every column would need every strip
        if max(width, height) > MAX_SIDE:
            raise UserError(
                f"{path} has {width} by {height} pixels, more than the {MAX_SIDE} on a side "
                "that can be opened; cut it into smaller images."
            )
        if chunks is not None and width * height <= MAX_PARTED_PIXELS:
            if may_preview and turned == 1:
                _produce_overview(context, path, (width, height))
            with chunks:
                yield _of(path, (width, height), turned, chunks, shown)
            return
        if not may_preview or width * height > MAX_WHOLE_PIXELS:
            limit = MAX_WHOLE_PIXELS if chunks is None else MAX_PARTED_PIXELS
            raise UserError(
                f"{path} has {width} by {height} pixels, more than the {limit // 1_000_000} "
                "million that can be opened; cut it into smaller images."
            )
    yield _decoded(path, (width, height), turned, context, shown)


def _of(
    path: Path,
    size_wh: tuple[int, int],
    turned: int,
    stored: _Stored,
    shown: tuple[float, float] | None,
) -> ImageParts:
    width, height = size_wh
    first = stored.sample()
    if is_deep(first) and shown is None:
        shown = _range(stored, size_wh)
    grey = is_deep(first) or (first.mode in ("1", "L") and not first.has_transparency_data)
    tile = stored.tile if isinstance(stored, TiffChunks) and turned == 1 else None
    size = (width, height) if turned in SIDEWAYS else (height, width)
    band_rows = stored.band_rows
    return ImageParts(size, 1 if grey else 3, band_rows, tile, shown, path, stored, turned)


def _decoded(
    path: Path,
    size_wh: tuple[int, int],
    turned: int,
    context: TaskContext,
    shown: tuple[float, float] | None,
) -> ImageParts:
    Image.core.set_block_size(_BLOCK_BYTES)  # type: ignore[attr-defined]
    with damage_told(path):
        least = max(1, size_wh[0] >> _PREVIEW_LEVEL), max(1, size_wh[1] >> _PREVIEW_LEVEL)
        with _open_stoppable(path, context) as image:
            drafted = image.draft(image.mode, least) is not None
            if drafted:
                _produce_preview(context, image, size_wh, turned)
        with _open_stoppable(path, context) as image:
            image.load()
            # A TIFF stands upright once it is loaded.
            turned = turned if not isinstance(image, TiffImageFile) else 1
            if isinstance(image, TiffImageFile):
                size_wh = image.size
            if not drafted and image.mode in _REDUCIBLE:
                _produce_preview(context, image.reduce(2**_PREVIEW_LEVEL), size_wh, turned)
            # Closing the file leaves the pixels.
            return _of(path, size_wh, turned, _Whole(image), shown)


def _produce_overview(context: TaskContext, path: Path, size_wh: tuple[int, int]) -> None:
    levels = tuple((width, height) for height, width in level_sizes(size_wh[::-1]))
    overview = read_overview(path, levels)
    if overview is not None:
        _produce_preview(context, overview, size_wh, 1)


def _produce_preview(
    context: TaskContext, small: Image.Image, size_wh: tuple[int, int], turned: int
) -> None:
    """Hand over an image that was made smaller, if there is a level of its size."""
    width, height = small.size
    if (height, width) in level_sizes(size_wh[::-1]):
        context.produce(_upright(to_rgb(small), turned))


def _range(stored: _Stored, size_wh: tuple[int, int]) -> tuple[float, float]:
    width, height = size_wh
    side = _SAMPLE_SIDE
    rows = np.linspace(0, max(0, height - side), _SAMPLES).astype(int)
    columns = np.linspace(0, max(0, width - side), 5).astype(int)
    values = [
        stored.read((left, top, min(width, left + side), min(height, top + side)), np.asarray)
        for top, left in zip(rows.tolist(), np.resize(columns, _SAMPLES).tolist(), strict=True)
    ]
    return grey_range(np.concatenate([one.ravel() for one in values]))


def _pixels(
    image: Image.Image, channels: int, shown: tuple[float, float] | None
) -> NDArray[np.uint8]:
    if shown is not None:
        return stretched(np.asarray(image), shown)[:, :, None]
    if channels == 1:
        return np.asarray(image.convert("L"))[:, :, None]
    if image.mode == "RGB" and not image.has_transparency_data:
        return np.asarray(image)
    return to_rgb(image)


def _stored_box(box: Box, size: tuple[int, int], turned: int) -> Box:
    """Return where the pixels of an upright box lie in the file."""
    height, width = size
    left, top, right, bottom = box
    if turned in SIDEWAYS:
        left, top, right, bottom, height, width = top, left, bottom, right, width, height
    if turned in (2, 3, 7, 8):
        left, right = width - right, width - left
    if turned in (3, 4, 6, 7):
        top, bottom = height - bottom, height - top
    return left, top, right, bottom


def _upright(pixels: NDArray[np.generic], turned: int) -> NDArray[np.uint8]:
    """Turn stored pixels upright, as the EXIF standard numbers the orientations."""
    if turned in (2, 3, 7, 8):
        pixels = pixels[:, ::-1]
    if turned in (3, 4, 6, 7):
        pixels = pixels[::-1]
    if turned in SIDEWAYS:
        pixels = pixels.swapaxes(0, 1)
    return np.ascontiguousarray(pixels, np.uint8)


class _Stoppable(io.FileIO):
    """A file that cannot be read once the work is cancelled, so that decoding ends too."""

    def __init__(self, path: Path, context: TaskContext) -> None:
        super().__init__(path)
        self._context = context

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        self._context.raise_if_cancelled()
        return super().readinto(buffer)


@contextmanager
def _open_stoppable(path: Path, context: TaskContext) -> Iterator[Image.Image]:
    with io.BufferedReader(_Stoppable(path, context)) as file, Image.open(file) as image:
        yield image
