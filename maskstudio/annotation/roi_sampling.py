"""Sample many RoI masks at a time under boxes of any kind, to compare or to unite them."""

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.masks import ROI_MASK_SIZE


def sampled(
    masks: NDArray[np.uint8], boxes: NDArray[np.float64], regions: NDArray[np.float64], points: int
) -> NDArray[np.float32]:
    """Sample RoI masks bilinearly at a grid of points under regions; 0 outside their boxes.

    Args:
        masks: (n, 28, 28).
        boxes: (n, 4) xyxy of the masks.
        regions: (n, 4) xyxy.
        points: a side.

    Returns:
        (n, points, points), 0 to 255.
    """
    across = _weights(boxes[:, 0::2], regions[:, 0::2], points)
    down = _weights(boxes[:, 1::2], regions[:, 1::2], points)
    return down @ masks.astype(np.float32) @ across.swapaxes(1, 2)


def _weights(
    spans: NDArray[np.float64], regions: NDArray[np.float64], points: int
) -> NDArray[np.float32]:
    """Return (n, points, 28) weights of the cells between low and high of n spans."""
    steps = (np.arange(points) + 0.5) / points
    at = regions[:, :1] + (regions[:, 1:] - regions[:, :1]) * steps
    length = np.maximum(spans[:, 1:] - spans[:, :1], 1e-9)
    position = (at - spans[:, :1]) / length * ROI_MASK_SIZE - 0.5
    inside = (at >= spans[:, :1]) & (at < spans[:, 1:])
    position = np.clip(position, 0, ROI_MASK_SIZE - 1)
    near = 1 - np.abs(position[:, :, None] - np.arange(ROI_MASK_SIZE))
    return np.asarray(np.maximum(near, 0) * inside[:, :, None], np.float32)
