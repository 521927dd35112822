"""The levels an image is shown from when it is shown smaller than it is."""

from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from maskstudio.progress import TaskContext

_Value = TypeVar("_Value", bound=np.generic)

SMALLEST_LEVEL = 512
"""Levels are halved until the longer side is at most this: no window shows an image smaller."""


def halved(pixels: NDArray[_Value]) -> NDArray[_Value]:
    """Return an image at half its size, each pixel the mean of the four it covers.

    Where height or width is odd, the last row or column counts twice: so a level can be made from
    strips of the one before, and a pixel of it covers the same part of the image everywhere.

    Args:
        pixels: (height, width) or (height, width, channels), uint8 or uint16.

    Returns:
        Likewise, each side half as long, rounded up.
    """
    height, width = pixels.shape[:2]
    whole: NDArray[Any] = pixels
    if height % 2 or width % 2:
        whole = cv2.copyMakeBorder(whole, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    half = (whole.shape[1] // 2, whole.shape[0] // 2)
    return np.asarray(cv2.resize(whole, half, interpolation=cv2.INTER_AREA), pixels.dtype)


def level_sizes(size: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """Return the (height, width) of every level of an image, the first at full size."""
    sizes = [size]
    while max(sizes[-1]) > SMALLEST_LEVEL:
        sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    return tuple(sizes)


def all_levels(first: NDArray[Any], context: TaskContext) -> tuple[NDArray[Any], ...]:
    """Return an image and its halves, each half the one before, read-only.

    Args:
        first: at full size, (height, width) or (height, width, channels).
        context: cancels it.

    Raises:
        CancelledError: it is no longer wanted.
    """
    levels = [first]
    while max(levels[-1].shape[:2]) > SMALLEST_LEVEL:
        context.raise_if_cancelled()
        levels.append(halved(levels[-1]))
    for level in levels:
        level.setflags(write=False)
    return tuple(levels)
