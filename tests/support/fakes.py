"""Stand-ins for a loaded model; they implement `annotation.detections.Predictor`."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.box_answers import MAX_CHOICES, BoxAnswers
from maskstudio.annotation.detections import Detections, ImageFeatures, Learner
from maskstudio.annotation.device_facts import DeviceFacts
from maskstudio.annotation.segmentation import Box
from maskstudio.annotation.tiling import Sight
from maskstudio.progress import TaskContext
from support.coco_names import COCO

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


@dataclass(frozen=True)
class FakeFeatures:
    """What `FakePredictor.see` gives.

    Attributes:
        size: (height, width) of the image.
        nbytes: what it says it takes.
    """

    size: tuple[int, int]
    nbytes: int = 1000


class FakePredictor:
    """Finds the same discs on every image, and a disc in every box it is asked about.

    Attributes:
        calls: sizes of the images it was given.
        runs: what it says of how it runs.
        asked: the boxes of every `answer`, (n, 4).
        hold: while set, a prediction waits until `release` is set, `let_through` lets it through,
            or it is cancelled.
        started: set once a prediction has begun.
        categories: what it says it knows.
        sight: how it says it looks at images.
        draws_outlines: False to be like Faster R-CNN when asked about boxes.
        detect: makes the detections of an image of a size; may be replaced.
        looks: makes the gist of an image of a size; may be replaced.
    """

    device_name = "CPU, 1 thread"
    why_not_gpu = "a test"
    why_not_learning = "it is a test"
    # No image of a test is larger than what it takes, unless the test wants so.
    sight = Sight(100_000, 200_000, 8)
    batch = 1

    def __init__(self, model_id: str = "fake") -> None:
        self.model_id = model_id
        self.categories: tuple[Category, ...] = (CELL,)
        self.draws_outlines = True
        self.runs = DeviceFacts(self.device_name, "float32", self.why_not_gpu)
        self.calls: list[tuple[int, int]] = []
        self.asked: list[NDArray[np.float64]] = []
        self.hold = threading.Event()
        self.started = threading.Event()
        self.release = threading.Event()
        self.detect: Callable[[tuple[int, int]], Detections] = partial(
            disc_detections, model_id=model_id
        )
        self.looks: Callable[[tuple[int, int]], NDArray[np.float32]] = lambda size: (
            np.array(size, np.float32) / np.float32(np.hypot(*size))
        )
        self._through = threading.Semaphore(0)

    def find_coco(self, *names: str, scores: Sequence[float] = SCORES) -> None:
        """Know COCO's 80 categories, and find a disc of each of these, at the usual places."""
        known = [category.name for category in COCO]
        labels = [known.index(name) for name in names]
        self.categories = COCO
        self.detect = partial(
            disc_detections,
            boxes=BOXES[: len(names)],
            scores=scores[: len(names)],
            model_id=self.model_id,
            labels=labels,
            categories=COCO,
        )

    def let_through(self, count: int = 1) -> None:
        """Let as many held predictions, now or later, come to their end."""
        self._through.release(count)

    def facts(self) -> DeviceFacts:
        return self.runs

    def see(self, image: NDArray[np.uint8], context: TaskContext) -> ImageFeatures:
        size = (image.shape[0], image.shape[1])
        self.calls.append(size)
        self.started.set()
        while self.hold.is_set() and not self.release.is_set():
            if self._through.acquire(timeout=0.01):
                break
            context.raise_if_cancelled()
        return FakeFeatures(size)

    def find(self, features: ImageFeatures, context: TaskContext) -> Detections:
        context.raise_if_cancelled()
        return self.detect(features.size)

    def predict(self, image: NDArray[np.uint8], context: TaskContext) -> Detections:
        return self.find(self.see(image, context), context)

    def predict_many(
        self, images: Sequence[NDArray[np.uint8]], context: TaskContext
    ) -> list[Detections]:
        return [self.predict(image, context) for image in images]

    def answer(
        self, features: ImageFeatures, boxes: NDArray[np.floating], context: TaskContext
    ) -> BoxAnswers:
        context.raise_if_cancelled()
        self.asked.append(np.array(boxes, np.float64))
        return self._disc_answers(features.size, np.asarray(boxes, np.float32))

    def candidates(
        self, features: ImageFeatures, x: float, y: float, context: TaskContext
    ) -> BoxAnswers:
        context.raise_if_cancelled()
        boxes = self.detect(features.size).boxes
        place = np.array([x, y])
        covers = (boxes[:, :2] <= place).all(axis=1) & (place < boxes[:, 2:]).all(axis=1)
        return self._disc_answers(features.size, boxes[covers])

    def gist(self, features: ImageFeatures) -> NDArray[np.float32]:
        return self.looks(features.size)

    def learner(self, names: Sequence[str], folder: Path) -> Learner | None:
        del names, folder
        return None

    def _disc_answers(self, size: tuple[int, int], boxes: NDArray[np.float32]) -> BoxAnswers:
        """Discs of the first categories of what `detect` finds, each half as likely as the last."""
        categories = self.detect(size).categories
        choices = min(MAX_CHOICES, len(categories))
        discs = disc_detections(size, boxes.tolist(), [1.0] * len(boxes)).roi_masks
        assert discs is not None
        return BoxAnswers(
            self.model_id,
            size,
            boxes,
            boxes,
            np.tile(np.arange(choices), (len(boxes), 1)),
            np.tile(0.5 ** np.arange(1, choices + 1, dtype=np.float32), (len(boxes), 1)),
            np.repeat(discs[:, None], choices, axis=1) if self.draws_outlines else None,
            categories,
        )
