"""A model whose answers are given beforehand, and images with rectangles to try it on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.box_answers import BoxAnswers
from maskstudio.annotation.detections import Detections, ImageFeatures
from maskstudio.progress import TaskContext
from support.coco_sets import NUCLEUS, Entry, image_entry, mask_entry, write_json
from support.fakes import FakePredictor

CELL = Category(1, "nucleus", "cell")
SIZE = (120, 160)
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Seen:
    """What `Prepared.see` gives: what it will find."""

    detections: Detections
    nbytes: int = 0

    @property
    def size(self) -> tuple[int, int]:
        return self.detections.size


class Prepared(FakePredictor):
    """A predictor whose answers are given beforehand, one an image, in order.

    Asked about boxes it answers with rectangles that fill them, and the categories it knows.

    Attributes:
        prompted: the boxes it was asked about, for each image where it was.
        reach: how much of each box's width its answer fills.
    """

    def __init__(self, *answers: Detections, reach: float = 1.0) -> None:
        super().__init__("prepared")
        self._answers = list(answers)
        self.categories = answers[0].categories
        self.draws_outlines = answers[0].roi_masks is not None
        self.prompted: list[list[list[float]]] = []
        self.reach = reach

    def see(self, image: NDArray[np.uint8], context: TaskContext) -> ImageFeatures:
        context.raise_if_cancelled()
        answer = self._answers.pop(0)
        assert answer.size == image.shape[:2]
        return Seen(answer)

    def find(self, features: ImageFeatures, context: TaskContext) -> Detections:
        context.raise_if_cancelled()
        assert isinstance(features, Seen)
        return features.detections

    def answer(
        self, features: ImageFeatures, boxes: NDArray[np.floating], context: TaskContext
    ) -> BoxAnswers:
        context.raise_if_cancelled()
        self.prompted.append(boxes.tolist())
        asked = np.asarray(boxes, np.float32)
        areas = asked.copy()
        areas[:, 2] = asked[:, 0] + self.reach * (asked[:, 2] - asked[:, 0])
        offered = min(2, len(self.categories))
        shape = (len(boxes), offered)
        return BoxAnswers(
            self.model_id,
            features.size,
            asked,
            areas,
            np.tile(np.arange(offered), (len(boxes), 1)),
            np.full(shape, 0.4, np.float32),
            np.full((*shape, 28, 28), 255, np.uint8),
            self.categories,
        )


def rectangles(
    boxes: Sequence[Box],
    scores: Sequence[float] | None = None,
    labels: Sequence[int] | None = None,
    categories: tuple[Category, ...] = (CELL,),
    *,
    masks: bool = True,
) -> Detections:
    """Return detections whose masks fill their boxes."""
    count = len(boxes)
    return Detections(
        "prepared",
        SIZE,
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(labels or [0] * count, np.int64),
        np.array(scores or [0.9] * count, np.float32),
        np.full((count, 28, 28), 255, np.uint8) if masks else None,
        categories,
    )


def box_mask(box: Box) -> NDArray[np.bool_]:
    mask = np.zeros(SIZE, np.bool_)
    mask[box[1] : box[3], box[0] : box[2]] = True
    return mask


def truth_entries(images: Sequence[Sequence[Box]]) -> tuple[list[Entry], list[Entry]]:
    listed = [image_entry(n + 1, f"{n + 1}.png", *SIZE) for n in range(len(images))]
    pairs = [(n + 1, box) for n, boxes in enumerate(images) for box in boxes]
    entries = [
        mask_entry(m + 1, image_id, box_mask(box)) for m, (image_id, box) in enumerate(pairs)
    ]
    return listed, entries


def write_truth(
    folder: Path, *images: Sequence[Box], categories: Sequence[Entry] = (NUCLEUS,)
) -> Path:
    listed, entries = truth_entries(images)
    for image in listed:
        Image.new("RGB", SIZE[::-1]).save(folder / image["file_name"])
    return write_json(folder / "truth.json", listed, entries, categories)
