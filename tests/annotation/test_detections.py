"""What a model found, and which of it becomes pre-annotations."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from annotation.shapes import rectangle
from maskstudio.annotation.annotation import Annotation, Category, Rejection
from maskstudio.annotation.detections import (
    Detections,
    Outlined,
    box_iou,
    outline,
    pre_annotations,
)
from maskstudio.annotation.segmentation import Box, Segmentation
from maskstudio.errors import CancelledError
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


def shown(
    outlined: Outlined,
    min_score: float = 0.0,
    kept: Sequence[Annotation] = (),
    rejections: Sequence[Rejection] = (),
) -> tuple[Annotation, ...]:
    """Pre-annotations under ids from 100 on; the project numbers its categories from 11."""
    return pre_annotations(
        outlined, min_score, kept, rejections, lambda category: category.id + 10, count(100)
    )


def drawn(box: Box, category_id: int = 11) -> Annotation:
    return Annotation(1, category_id, Segmentation.from_rings(rectangle(*box)))


# Detections


def test_detections_of_different_number_are_refused() -> None:
    whole = found().detections
    with pytest.raises(ValueError, match="differ in number"):
        replace(whole, boxes=whole.boxes[:1])
    with pytest.raises(ValueError, match="differ in number"):
        replace(whole, labels=whole.labels[:1])
    with pytest.raises(ValueError, match="differ in number"):
        replace(whole, scores=whole.scores[:1])
    with pytest.raises(ValueError, match="differ in number"):
        replace(whole, roi_masks=np.zeros((5, 28, 28), np.uint8))


def test_detections_cannot_be_changed() -> None:
    detections = found().detections
    assert len(detections) == 4
    assert detections.box(1) == (40, 10, 60, 30)
    for array in (detections.boxes, detections.labels, detections.scores, detections.roi_masks):
        assert array is not None
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_tracing_stops_when_the_person_asks() -> None:
    class Cancelled(TaskContext):
        def raise_if_cancelled(self) -> None:
            raise CancelledError

    with pytest.raises(CancelledError):
        outline(found().detections, Cancelled())


# Pre-annotations


def test_a_detection_becomes_a_pre_annotation_with_its_model_and_score() -> None:
    annotation = shown(found(BOXES[1:2], [0.7], [1]))[0]
    assert annotation.id == 100
    assert annotation.category_id == 12
    assert annotation.model_id == "m"
    assert annotation.score == np.float32(0.7)
    assert annotation.is_pre_annotation
    assert annotation.segmentation is not None
    assert annotation.box == (40, 10, 60, 30)


def test_the_best_lies_in_front() -> None:
    annotations = shown(found())
    scores = [annotation.score or 0 for annotation in annotations]
    assert scores == pytest.approx([0.3, 0.5, 0.7, 0.9])
    assert [annotation.id for annotation in annotations] == [100, 101, 102, 103]


@pytest.mark.parametrize(
    ("min_score", "number"), [(0.0, 4), (0.3, 4), (0.31, 3), (0.5, 3), (0.9, 1), (0.95, 0)]
)
def test_only_what_reaches_the_score_is_shown(min_score: float, number: int) -> None:
    assert len(shown(found(), min_score)) == number


@pytest.mark.parametrize(
    ("box", "left"),
    [
        ((10, 10, 30, 30), 3),  # the same object
        ((12, 12, 31, 31), 3),  # nearly the same outline
        ((10, 10, 30, 20), 4),  # half of it
        ((31, 31, 39, 39), 4),  # between them
    ],
)
def test_what_a_person_annotated_is_left_out(box: Box, left: int) -> None:
    annotations = shown(found(), kept=[drawn(box)])
    assert len(annotations) == left
    # The category a person gave it does not matter: it is the same object.
    assert len(shown(found(), kept=[drawn(box, category_id=99)])) == left


@pytest.mark.parametrize(
    ("rejection", "left"),
    [
        (Rejection(11, (10, 10, 30, 30)), 3),
        (Rejection(11, (10, 10, 30.5, 30.5)), 3),
        (Rejection(12, (10, 10, 30, 30)), 4),  # rejected as debris, found as a cell
        (Rejection(12, (40, 10, 60, 30)), 3),
        (Rejection(11, (10, 10, 30, 24)), 4),  # another object on the same place
    ],
)
def test_what_a_person_deleted_is_not_offered_again(rejection: Rejection, left: int) -> None:
    assert len(shown(found(), rejections=[rejection])) == left


def test_faster_r_cnn_gives_boxes_alone() -> None:
    annotations = shown(found(masks=False))
    assert [annotation.box_only for annotation in annotations] == list(BOXES[::-1])
    assert all(annotation.segmentation is None for annotation in annotations)


def test_a_detection_without_a_pixel_is_left_out() -> None:
    annotations = shown(found([(10, 10, 30, 30), (50.6, 10, 51.4, 30)]))
    assert [annotation.box for annotation in annotations] == [(10, 10, 30, 30)]


def test_nothing_found_is_nothing_shown() -> None:
    assert shown(found([]), kept=[drawn((0, 0, 9, 9))]) == ()


# Boxes


def corner_boxes() -> st.SearchStrategy[list[Box]]:
    number = st.integers(0, 12).map(float)
    box = st.builds(lambda x, y, w, h: (x, y, x + w, y + h), number, number, number, number)
    return st.lists(box, min_size=1, max_size=5)


def plain_iou(a: Box, b: Box) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    common = width * height if width > 0 and height > 0 else 0.0
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common
    return common / union if union else 0.0


@settings(deadline=None, max_examples=80)
@given(corner_boxes(), corner_boxes())
def test_box_iou_is_what_a_plain_loop_finds(a: list[Box], b: list[Box]) -> None:
    expected = [[plain_iou(x, y) for y in b] for x in a]
    found_iou: NDArray[np.float64] = box_iou(np.array(a), np.array(b))
    assert found_iou.shape == (len(a), len(b))
    assert np.allclose(found_iou, expected)
