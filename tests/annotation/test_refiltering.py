"""Which detections become pre-annotations, whatever a person did, at any filter."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from annotation.found_detections import BOXES, found
from annotation.shapes import rectangle
from maskstudio.annotation.annotation import (
    Annotation,
    ImageRecord,
    ImageStatus,
    Rejection,
)
from maskstudio.annotation.category_map import IGNORED, TO_MAKE
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.detections import Outlined, outline
from maskstudio.annotation.edits import Edit, ImageContent
from maskstudio.annotation.refiltering import Refiltering, chosen, known_outlines
from maskstudio.annotation.segmentation import Box, Segmentation
from maskstudio.progress import TaskContext

TO = np.array([11, 12])
"""The project numbers its categories from 11."""


def content(kept: Sequence[Annotation] = (), rejections: Sequence[Rejection] = ()) -> ImageContent:
    status = ImageStatus(rejections=tuple(rejections))
    return ImageContent(ImageRecord(1, "a.png", 80, 90, status), {a.id: a for a in kept})


def refiltering(outlined: Outlined, here: ImageContent) -> Refiltering:
    """Return what filters these; the best gets the highest id."""
    count = len(outlined.detections)
    return Refiltering(here, outlined.detections, TO, range(99 + count, 99, -1))


def made(edit: Edit) -> tuple[Annotation, ...]:
    new = [c.after for c in edit.annotations if c.after is not None]
    return tuple(sorted(new, key=lambda a: a.stacking))


def shown(
    outlined: Outlined,
    min_score: float = 0.0,
    kept: Sequence[Annotation] = (),
    rejections: Sequence[Rejection] = (),
) -> tuple[Annotation, ...]:
    """Pre-annotations under ids from 100 on, back to front."""
    at = DetectionFilter(min_score)
    return made(refiltering(outlined, content(kept, rejections)).edit(at, outlined.outlines))


def drawn(box: Box, category_id: int = 11) -> Annotation:
    return Annotation(1, category_id, Segmentation.from_rings(rectangle(*box)))


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


def after(here: ImageContent, edit: Edit) -> ImageContent:
    there = dict(here.annotations)
    for change in edit.annotations:
        if change.before is not None:
            del there[change.before.id]
        if change.after is not None:
            there[change.after.id] = change.after
    (status,) = [change.after for change in edit.images] or [here.record.status]
    return ImageContent(replace(here.record, status=status), dict(sorted(there.items())))


FADING = np.tile(np.linspace(255, 0, 28).astype(np.uint8)[:, None], (4, 1, 28))


def at_threshold(threshold: float) -> Outlined:
    """Detections whose lower half fades, outlined at a mask threshold."""
    detections = replace(found().detections, roi_masks=FADING)
    return outline(detections, TaskContext(), threshold)


def test_another_mask_threshold_changes_outlines_and_nothing_else() -> None:
    wide, narrow = at_threshold(0.2), at_threshold(0.9)
    start = after(content(), refiltering(wide, content()).edit(DetectionFilter(0), wide.outlines))
    hidden = replace(start.annotations[103], hidden=True)
    start = replace(start, annotations={**start.annotations, 103: hidden})
    edit = refiltering(narrow, start).edit(DetectionFilter(0), narrow.outlines)
    result = after(start, edit)
    assert result.annotations.keys() == start.annotations.keys()
    assert result.annotations[103].hidden
    for one, other in zip(start.annotations.values(), result.annotations.values(), strict=True):
        assert one.segmentation is not None
        assert other.segmentation is not None
        assert one.segmentation.area > 3 * other.segmentation.area
        assert replace(one, segmentation=None, box_only=(0, 0, 1, 1)) == replace(
            other, segmentation=None, box_only=(0, 0, 1, 1)
        )


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.9])
def test_what_a_person_did_holds_at_any_mask_threshold(threshold: float) -> None:
    before, now = at_threshold(0.9), at_threshold(threshold)
    start = after(
        content(), refiltering(before, content()).edit(DetectionFilter(0), before.outlines)
    )
    deleted = start.annotations[103]
    accepted = replace(start.annotations[102], touched=True)
    rejected = Rejection(deleted.category_id, deleted.box, deleted.score)
    here = content([accepted], [rejected])
    new = made(refiltering(now, here).edit(DetectionFilter(0), now.outlines))
    assert [round(a.score or 0, 1) for a in new] == [0.3, 0.5]


def test_what_stands_on_an_image_need_not_be_traced_again() -> None:
    wide = at_threshold(0.2)
    start = after(content(), refiltering(wide, content()).edit(DetectionFilter(0.4), wide.outlines))
    known = known_outlines(wide.detections, start.annotations.values(), 0.2)
    assert known.outlines == {i: wide.outlines[i] for i in (0, 1, 2)}
    assert not refiltering(wide, start).edit(DetectionFilter(0.4), known.outlines).annotations


def test_what_is_not_traced_yet_is_not_shown_yet() -> None:
    outlined = found()
    here = refiltering(outlined, content())
    assert here.missing(DetectionFilter(0.4), {0: outlined.outlines[0]}) == [1, 2]
    assert len(made(here.edit(DetectionFilter(0.4), {0: outlined.outlines[0]}))) == 1


def test_what_is_ignored_is_never_shown() -> None:
    detections = found().detections
    passes = chosen(detections, DetectionFilter(0), np.array([IGNORED, 12]))
    assert passes.tolist() == [False, True, False, False]


def test_two_of_the_model_s_categories_that_are_one_of_the_project_s_are_doubles() -> None:
    detections = found([(10, 10, 30, 30), (11, 10, 31, 30)]).detections
    apart = chosen(detections, DetectionFilter(0), np.array([11, 12]))
    still_to_make = chosen(detections, DetectionFilter(0), np.array([TO_MAKE, TO_MAKE]))
    together = chosen(detections, DetectionFilter(0), np.array([11, 11]))
    assert apart.tolist() == still_to_make.tolist() == [True, True]
    assert together.tolist() == [True, False]


def test_the_area_is_that_of_the_mask() -> None:
    detections = replace(found().detections, roi_masks=FADING)
    half, most = DetectionFilter(0, min_area=190), DetectionFilter(0, min_area=220)
    assert chosen(detections, half, TO).all()
    assert not chosen(detections, most, TO).any()
    assert chosen(detections, replace(most, mask_threshold=0.2), TO).all()
