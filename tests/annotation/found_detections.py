"""Detections for tests, that fill their boxes."""

from collections.abc import Sequence

import numpy as np

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.detections import Detections, Outlined, outline
from maskstudio.annotation.segmentation import Box
from maskstudio.progress import TaskContext

CELL, DEBRIS = Category(1, "cell"), Category(2, "debris")
BOXES = ((10, 10, 30, 30), (40, 10, 60, 30), (10, 40, 30, 60), (40, 40, 60, 60))


def found(
    boxes: Sequence[Box] = BOXES,
    scores: Sequence[float] = (0.9, 0.7, 0.5, 0.3),
    labels: Sequence[int] = (0, 1, 0, 0),
    *,
    masks: bool = True,
) -> Outlined:
    """Return detections that fill their boxes, traced."""
    number = len(boxes)
    roi_masks = np.full((number, 28, 28), 255, np.uint8) if masks else None
    detections = Detections(
        "m",
        (80, 90),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(labels[:number], np.int64),
        np.array(scores[:number], np.float32),
        roi_masks,
        (CELL, DEBRIS),
    )
    return outline(detections, TaskContext())
