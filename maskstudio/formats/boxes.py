"""Boxes as a file has them, and what of them lies within the image."""

import numpy as np
from numpy.typing import ArrayLike

from maskstudio.annotation.segmentation import MAX_COORDINATE, Box

REACHED_OUT = "reached out of the image and was cut at its edge"
NO_AREA = "covers no area within the image"
FAR_AWAY = "has a coordinate more than a million pixels away"


def is_far(numbers: ArrayLike) -> bool:
    """Tell whether one of some finite numbers lies in no image, nor anywhere near one."""
    return bool(np.abs(np.asarray(numbers, np.float64)).max(initial=0) > MAX_COORDINATE)


def box_within(corners: ArrayLike, height: int, width: int) -> tuple[Box | None, tuple[str, ...]]:
    """Return the box around some points, cut to the image.

    Args:
        corners: (n, 2) numbers, n at least 1.
        height: rows of the image.
        width: columns of the image.

    Returns:
        The box, xyxy, None where no area is left; and what was changed or why there is none, each
        the end of a sentence about it.
    """
    points = np.asarray(corners, np.float64)
    ends = np.stack([points.min(axis=0), points.max(axis=0)])
    inside = np.clip(ends, 0, (width, height))
    if not (inside[0] < inside[1]).all():
        return None, (NO_AREA,)
    (x0, y0), (x1, y1) = inside.tolist()
    return (x0, y0, x1, y1), () if np.array_equal(ends, inside) else (REACHED_OUT,)
