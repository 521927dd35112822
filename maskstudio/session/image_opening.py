"""Open the file of an image, on lane FILES: whole if it is small enough, else as tiles."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from maskstudio.progress import TaskContext
from maskstudio.session.shown_image import DecodedImage, DeepImage, ShownImage
from maskstudio.session.tiled_image import read_small_levels
from maskstudio.storage.deep_images import DeepPixels, read_deep
from maskstudio.storage.images import is_deep, opened, read_half, read_painted, read_size
from maskstudio.storage.levels import all_levels
from maskstudio.storage.pyramid_file import as_bgra
from maskstudio.storage.pyramids import Pyramid, Pyramids, StalePyramidError

# A level of a large image that has at most so many pixels is kept in memory.
_SMALL_PIXELS = 2_000_000
# From so many pixels on decoding takes longer than a frame or two.
_SLOW_PIXELS = 4_000_000
# A little longer than a key that is held takes to repeat.
_HAND_S = 0.04
# A deep grey pixel takes half the memory of one in colour; held whole, all its values can be seen.
_DEEP_TIMES = 2


@dataclass(frozen=True, eq=False)
class Tiles:
    """What a large image is shown from.

    Attributes:
        pyramid: its tiles.
        small: the levels kept in memory, by their numbers.
    """

    pyramid: Pyramid
    small: dict[int, NDArray[np.uint8]]


@dataclass(frozen=True, eq=False)
class Preview:
    """What is shown of an image until all of it is there.

    Attributes:
        size: (height, width) of the image.
        pixels: one of its levels, (height, width, 4) uint8 as it is painted.
    """

    size: tuple[int, int]
    pixels: NDArray[np.uint8]


class Opener:
    """Knows which images are large and where their tiles are kept."""

    def __init__(self, pyramids: Pyramids, large_pixels: int) -> None:
        """An image of more than `large_pixels` is opened as tiles, deep grey of twice as many."""
        self._pyramids = pyramids
        self._large_pixels = large_pixels

    def open(
        self, path: Path, context: TaskContext, is_shown: Callable[[], bool], *, hurried: bool
    ) -> ShownImage | Tiles | None:
        """Open an image.

        Args:
            path: its file.
            context: produces a `Preview` of an image that somebody would have to wait for.
            is_shown: whether somebody is waiting for this image now.
            hurried: open no image that takes long and nobody is waiting for.

        Returns:
            None for an image that nobody is waiting for, if it takes long and that is not wanted
            now, or if it is large and its tiles are not there: making them takes much memory.

        Raises:
            UserError: it cannot be read.
            CancelledError: it is no longer wanted.
        """
        size = read_size(path)
        if not self._is_large(path, size):
            slow = size[0] * size[1] >= _SLOW_PIXELS
            if slow and is_shown():
                _show_half(path, size, context)
                # Gone on to the next one, which is not to wait for the rest of this one.
                hurried = not is_shown()
            return None if slow and hurried else decode(path, context)
        found = self._pyramids.find(path)
        if found is not None:
            try:
                return self._tiles(found)
            except StalePyramidError:
                found.close()
        if not is_shown():
            return None
        return self._tiles(self._pyramids.make(path, _Previewing(context, size)))

    def _is_large(self, path: Path, size: tuple[int, int]) -> bool:
        pixels = size[0] * size[1]
        if not self._large_pixels < pixels <= _DEEP_TIMES * self._large_pixels:
            return pixels > self._large_pixels
        with opened(path) as image:
            return not is_deep(image)

    def _tiles(self, pyramid: Pyramid) -> Tiles:
        most = min(_SMALL_PIXELS, self._large_pixels)
        return Tiles(pyramid, read_small_levels(pyramid, most))


def _show_half(path: Path, size: tuple[int, int], context: TaskContext) -> None:
    """Produce an image at half its size, and leave the hand time to go on to the next one.

    Decoding the rest cannot be stopped once it has begun, and would keep the next image waiting.
    """
    half = read_half(path)
    if half is not None:
        context.produce(Preview(size, half))
        time.sleep(_HAND_S)
        context.raise_if_cancelled()


def decode(path: Path, context: TaskContext) -> ShownImage:
    """Read an image and make the levels it is painted from.

    Raises:
        UserError: it cannot be read.
        CancelledError: it is no longer wanted.
    """
    deep = read_deep(path)
    context.raise_if_cancelled()
    if deep is not None:
        return deep_image(deep, context)
    level = read_painted(path)
    context.raise_if_cancelled()
    return DecodedImage(all_levels(level, context))


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


class _Previewing(TaskContext):
    """Hands on what work says, pixels as a `Preview`."""

    def __init__(self, context: TaskContext, size: tuple[int, int]) -> None:
        self._context = context
        self._size = size

    def report(self, done: int, total: int, note: str = "") -> None:
        self._context.report(done, total, note)

    def produce(self, item: object) -> None:
        self._context.produce(Preview(self._size, as_bgra(np.asarray(item, np.uint8))))

    def raise_if_cancelled(self) -> None:
        self._context.raise_if_cancelled()
