"""Stand-ins for a loaded model; they implement `annotation.detections.Predictor`."""

import threading
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.detections import Detections
from maskstudio.annotation.segmentation import Box
from maskstudio.progress import TaskContext

CELL = Category(1, "cell", "biology")
BOXES: tuple[Box, ...] = ((10, 10, 30, 30), (40, 10, 60, 30), (10, 40, 30, 60))
SCORES = (0.9, 0.6, 0.3)


def disc_detections(
    size: tuple[int, int],
    boxes: Sequence[Box] = BOXES,
    scores: Sequence[float] = SCORES,
    model_id: str = "fake",
    labels: Sequence[int] | None = None,
    categories: tuple[Category, ...] = (CELL,),
) -> Detections:
    """Return detections of discs that fill their boxes, best score first.

    Args:
        size: (height, width) of the image.
        boxes: xyxy.
        scores: as many.
        model_id: the model they are said to be of.
        labels: positions in `categories`, as many as boxes; the first for all by default.
        categories: the model's categories.
    """
    y, x = np.mgrid[:28, :28]
    distance = np.hypot(x - 13.5, y - 13.5)
    disc = np.clip(255 * (1 / (1 + np.exp(distance - 13))), 0, 255).astype(np.uint8)
    return Detections(
        model_id,
        size,
        np.array(boxes, np.float32).reshape(-1, 4),
        np.zeros(len(boxes), np.int64) if labels is None else np.array(labels, np.int64),
        np.array(scores, np.float32),
        np.repeat(disc[None], len(boxes), axis=0),
        categories,
    )


class FakePredictor:
    """Finds the same discs on every image.

    Attributes:
        calls: sizes of the images it was given.
        hold: while set, a prediction waits until `release` is set, `let_through` lets it through,
            or it is cancelled.
        started: set once a prediction has begun.
        detect: makes the detections of an image of a size; may be replaced.
    """

    device_name = "CPU, 1 thread"
    why_not_gpu = "a test"

    def __init__(self, model_id: str = "fake") -> None:
        self.model_id = model_id
        self.calls: list[tuple[int, int]] = []
        self.hold = threading.Event()
        self.started = threading.Event()
        self.release = threading.Event()
        self.detect: Callable[[tuple[int, int]], Detections] = partial(
            disc_detections, model_id=model_id
        )
        self._through = threading.Semaphore(0)

    def let_through(self, count: int = 1) -> None:
        """Let as many held predictions, now or later, come to their end."""
        self._through.release(count)

    def predict(self, image: NDArray[np.uint8], context: TaskContext) -> Detections:
        size = (image.shape[0], image.shape[1])
        self.calls.append(size)
        self.started.set()
        while self.hold.is_set() and not self.release.is_set():
            if self._through.acquire(timeout=0.01):
                break
            context.raise_if_cancelled()
        return self.detect(size)
