"""What a model found on one image, and how it becomes pre-annotations.

The model runs once at a low score; what a person sees is filtered from what was kept.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.annotation import Annotation, Category, Rejection
from maskstudio.annotation.masks import trace_roi_mask
from maskstudio.annotation.segmentation import Box, Segmentation
from maskstudio.progress import TaskContext

LOWEST_SCORE = 0.05
"""Score from which detections are kept; torchvision's own bound."""

DEFAULT_SCORE = 0.5
"""Score from which a detection is shown until the person moves the slider."""

# A detection that overlaps a person's annotation this much (box IoU) is of the same object: two
# detections of one model overlap by less than 0.5, which its own suppression sees to.
_SAME_OBJECT_IOU = 0.6
# A detection is the one a person deleted only if it lies nearly where that one lay.
_SAME_DETECTION_IOU = 0.8


@dataclass(frozen=True, eq=False)
class Detections:
    """All a model found on one image, best score first. Arrays are read-only.

    Attributes:
        model_id: the model.
        size: (height, width) of the image.
        boxes: (n, 4) float32 xyxy.
        labels: (n,) int64, 0-based positions in the model's categories.
        scores: (n,) float32, 0 to 1.
        roi_masks: (n, 28, 28) uint8, probability times 255; None for Faster R-CNN.
        categories: the model's categories.
    """

    model_id: str
    size: tuple[int, int]
    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]
    scores: NDArray[np.float32]
    roi_masks: NDArray[np.uint8] | None
    categories: tuple[Category, ...]

    def __post_init__(self) -> None:
        count = len(self.boxes)
        arrays = (self.boxes, self.labels, self.scores, self.roi_masks)
        if any(array is not None and len(array) != count for array in arrays):
            raise ValueError("boxes, labels, scores and RoI masks differ in number")
        for array in arrays:
            if array is not None:
                array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.boxes)

    def box(self, index: int) -> Box:
        """Return one box, xyxy."""
        x0, y0, x1, y1 = (float(v) for v in self.boxes[index])
        return x0, y0, x1, y1


@dataclass(frozen=True, eq=False)
class Outlined:
    """Detections with their outlines traced, so that filtering them costs nothing.

    Attributes:
        detections: what was found.
        segmentations: one for each detection; None where it has no mask or none of its pixels
            reaches the threshold.
    """

    detections: Detections
    segmentations: tuple[Segmentation | None, ...]

    @cached_property
    def boxes(self) -> NDArray[np.float64]:
        """Boxes as annotations made of them have: (n, 4) xyxy, around the outline if there is one.

        The box a model gives is the object's as it guesses; its outline may fill less of it.
        """
        boxes = [
            self.detections.box(index) if outline is None else outline.box
            for index, outline in enumerate(self.segmentations)
        ]
        return np.array(boxes, np.float64).reshape(-1, 4)


class Predictor(Protocol):
    """A loaded model. Only lane MODEL calls it."""

    @property
    def model_id(self) -> str:
        """The name annotations made by it carry."""

    @property
    def device_name(self) -> str:
        """Where it runs, for a person."""

    @property
    def why_not_gpu(self) -> str:
        """Why it does not run on a GPU; empty when it does."""

    def predict(self, image: NDArray[np.uint8], context: TaskContext) -> Detections:
        """Find the instances of an image.

        Args:
            image: (height, width, 3) uint8 RGB.
            context: asked often whether to stop.

        Raises:
            CancelledError: the person asked to stop.
            UserError: the image or the device does not allow it.
        """


def outline(detections: Detections, context: TaskContext) -> Outlined:
    """Trace every detection's outline.

    Raises:
        CancelledError: the person asked to stop.
    """
    if detections.roi_masks is None:
        return Outlined(detections, (None,) * len(detections))
    segmentations = []
    for index, roi_mask in enumerate(detections.roi_masks):
        context.raise_if_cancelled()
        traced = trace_roi_mask(roi_mask, detections.box(index), detections.size)
        if traced is not None:
            # What storing it needs is worked out here, not while the window waits.
            traced.prepare()
        segmentations.append(traced)
    return Outlined(detections, tuple(segmentations))


def pre_annotations(
    found: Outlined,
    min_score: float,
    kept: Sequence[Annotation],
    rejections: Sequence[Rejection],
    category_id: Callable[[Category], int],
    ids: Iterable[int],
) -> tuple[Annotation, ...]:
    """Turn detections into pre-annotations, leaving room for a person's work.

    A detection of an object that a person already annotated is left out, and so is one that a
    person deleted before.

    Args:
        found: what the model found.
        min_score: lowest score to show.
        kept: the person's annotations on this image.
        rejections: what a person deleted from it.
        category_id: the project's category for one of the model's.
        ids: ids for the new annotations; as many are drawn as are needed.

    Returns:
        New annotations, best score last, so that the best lies in front.
    """
    detections = found.detections
    chosen = detections.scores >= min_score
    chosen &= _overlap(found.boxes, [a.box for a in kept]) < _SAME_OBJECT_IOU
    supply = iter(ids)
    annotations = []
    for index in np.flatnonzero(chosen)[::-1]:
        category = category_id(detections.categories[detections.labels[index]])
        rejected = [r.box for r in rejections if r.category_id == category]
        if _overlap(found.boxes[index : index + 1], rejected)[0] >= _SAME_DETECTION_IOU:
            continue
        segmentation = found.segmentations[index]
        if segmentation is None and detections.roi_masks is not None:
            continue
        annotations.append(
            Annotation(
                next(supply),
                category,
                segmentation,
                None if segmentation is not None else detections.box(int(index)),
                detections.model_id,
                float(detections.scores[index]),
                touched=False,
            )
        )
    return tuple(annotations)


def box_iou(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the intersection over union of boxes (n, 4) with boxes (m, 4): (n, m), 0 to 1."""
    a = np.asarray(a, np.float64)[:, None]
    b = np.asarray(b, np.float64)[None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    common = np.prod(np.maximum(sides, 0), axis=-1)
    areas = np.prod(a[..., 2:] - a[..., :2], axis=-1) + np.prod(b[..., 2:] - b[..., :2], axis=-1)
    union = np.maximum(areas - common, np.finfo(np.float64).tiny)
    return np.asarray(common / union)


def _overlap(boxes: NDArray[np.float64], others: Sequence[Box]) -> NDArray[np.float64]:
    """Largest IoU of each box (n, 4) with any of the others: (n,); 0 where there are none."""
    if not others:
        return np.zeros(len(boxes))
    return np.asarray(box_iou(boxes, np.array(others)).max(axis=1))
