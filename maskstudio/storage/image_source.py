"""Read an image for a model: whole where it fits into memory, else the parts that are asked for."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.tiling import PixelBox
from maskstudio.later import cv2
from maskstudio.progress import TaskContext
from maskstudio.storage.image_parts import ImageParts, parts
from maskstudio.storage.images import MAX_PIXELS, read_image, read_size
from maskstudio.storage.pyramids import Pyramid, Pyramids

# Rows that a file gives at once are kept while what is asked for lies in them.
_MOST_BAND_BYTES = 256_000_000


class WholeImage:
    """An image that is held in memory; implements `annotation.tile_run.ImageSource`."""

    fits_memory = True

    def __init__(self, size: tuple[int, int], read: Callable[[], NDArray[np.uint8]]) -> None:
        """Hold it once it is needed.

        Args:
            size: (height, width).
            read: gives (height, width, 3) uint8 RGB.
        """
        self.size = size
        self._read = read

    @cached_property
    def _pixels(self) -> NDArray[np.uint8]:
        return self._read()

    def window(self, box: PixelBox) -> NDArray[np.uint8]:
        """Return a part; see `ImageSource.window`."""
        left, top, right, bottom = box
        return np.ascontiguousarray(self._pixels[top:bottom, left:right])

    def reduced(self, side: int, context: TaskContext) -> tuple[NDArray[np.uint8], int]:
        """Return the image as it is."""
        del side, context
        return self._pixels, 1


class _Readable(Protocol):
    """What gives parts of an image quickly, or bands of rows."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""

    def band_of(self, box: PixelBox) -> PixelBox:
        """Return what is best read at once to have a part."""

    def read(self, box: PixelBox) -> NDArray[np.uint8]:
        """Return a part, (height, width, 3) uint8 RGB."""


class PartedImage:
    """An image too large for memory; implements `annotation.tile_run.ImageSource`."""

    fits_memory = False

    def __init__(self, image: _Readable) -> None:
        """Read from what gives parts."""
        self._image = image
        self._band: tuple[PixelBox, NDArray[np.uint8]] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self._image.size

    def window(self, box: PixelBox) -> NDArray[np.uint8]:
        """Return a part; see `ImageSource.window`."""
        left, top, right, bottom = box
        if self._band is None or not _holds(self._band[0], box):
            self._band = None  # two would take twice the memory
            around = self._image.band_of(box)
            self._band = around, self._image.read(around)
        (x0, y0, _, _), pixels = self._band
        return np.ascontiguousarray(pixels[top - y0 : bottom - y0, left - x0 : right - x0])

    def reduced(self, side: int, context: TaskContext) -> tuple[NDArray[np.uint8], int]:
        """Return the whole image smaller; see `ImageSource.reduced`."""
        height, width = self.size
        times = max(1, min(height, width) // side)
        rows, columns = -(-height // times), -(-width // times)
        small = np.empty((rows, columns, 3), np.uint8)
        step = max(1, _MOST_BAND_BYTES // (8 * 3 * width * times))
        for row in range(0, rows, step):
            context.raise_if_cancelled()
            end = min(rows, row + step)
            band = self._image.read((0, row * times, width, min(height, end * times)))
            beyond = (end - row) * times - band.shape[0], columns * times - width
            band = np.pad(band, ((0, beyond[0]), (0, beyond[1]), (0, 0)), mode="edge")
            # A whole number of times smaller, each pixel is the mean of those it stands for.
            small[row:end] = cv2.resize(band, (columns, end - row), interpolation=cv2.INTER_AREA)
        return small, times


class _FromFile:
    """The file's own tiles, strips, or all of it decoded."""

    def __init__(self, image: ImageParts) -> None:
        self._image = image
        self.size = image.size

    def band_of(self, box: PixelBox) -> PixelBox:
        _, top, _, bottom = box
        wide = (0, top, self.size[1], bottom)
        fits = (bottom - top) * self.size[1] * 3 <= _MOST_BAND_BYTES
        # Strips are decoded over the whole width for any part of them.
        return wide if self._image.tile is None and fits else box

    def read(self, box: PixelBox) -> NDArray[np.uint8]:
        pixels = self._image.read(box)
        return pixels if pixels.shape[2] == 3 else np.repeat(pixels, 3, axis=2)


class _FromPyramid:
    """The tiles kept since somebody looked at the image."""

    def __init__(self, pyramid: Pyramid) -> None:
        self._pyramid = pyramid
        self.size = pyramid.size

    def band_of(self, box: PixelBox) -> PixelBox:
        return box

    def read(self, box: PixelBox) -> NDArray[np.uint8]:
        left, top, right, bottom = box
        side = self._pyramid.tile_side(0)
        pixels = np.empty((bottom - top, right - left, 3), np.uint8)
        for row in range(top // side, -(-bottom // side)):
            for column in range(left // side, -(-right // side)):
                tile = self._pyramid.read_tile(0, row, column)[:, :, 2::-1]
                y, x = row * side, column * side
                y0, x0 = max(top, y), max(left, x)
                y1, x1 = min(bottom, y + tile.shape[0]), min(right, x + tile.shape[1])
                seen = tile[y0 - y : y1 - y, x0 - x : x1 - x]
                pixels[y0 - top : y1 - top, x0 - left : x1 - left] = seen
        return pixels


@contextmanager
def open_source(
    path: Path,
    context: TaskContext,
    pyramids: Pyramids | None = None,
    most_pixels: int = MAX_PIXELS,
) -> Iterator[WholeImage | PartedImage]:
    """Open an image for a model.

    Args:
        path: its file.
        context: asked whether to stop.
        pyramids: where tiles of images that were looked at are kept.
        most_pixels: an image of more is read part by part.

    Raises:
        UserError: it cannot be read, or is too large to be opened at all.
        CancelledError: the person asked to stop.
    """
    size = read_size(path)
    if size[0] * size[1] <= most_pixels:
        yield WholeImage(size, lambda: read_image(path))
        return
    kept = pyramids.find(path) if pyramids is not None else None
    if kept is not None:
        with closing(kept):
            yield PartedImage(_FromPyramid(kept))
        return
    with parts(path, _OnlyCancelled(context)) as image:
        yield PartedImage(_FromFile(image))


class _OnlyCancelled(TaskContext):
    """Lets work be stopped; what it says on the way is not for the one who waits for the model."""

    def __init__(self, context: TaskContext) -> None:
        self._context = context

    def raise_if_cancelled(self) -> None:
        self._context.raise_if_cancelled()


def _holds(outer: PixelBox, inner: PixelBox) -> bool:
    return (
        outer[0] <= inner[0]
        and outer[1] <= inner[1]
        and outer[2] >= inner[2]
        and outer[3] >= inner[3]
    )
