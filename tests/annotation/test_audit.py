"""Where a model that is sure disagrees with what a person has verified."""

import numpy as np

from maskstudio.annotation.annotation import (
    Annotation,
    Category,
    ImageRecord,
    ImageState,
    ImageStatus,
    Rejection,
)
from maskstudio.annotation.audit import Opinion, audit
from maskstudio.annotation.category_map import IGNORED, TO_MAKE
from maskstudio.annotation.detections import Detections, outline_of
from maskstudio.annotation.edits import ImageContent
from maskstudio.annotation.findings import Finding, FindingKind
from maskstudio.annotation.segmentation import Box, Segmentation
from support.fakes import disc_detections

SIZE = (300, 300)
CATS = (Category(1, "cat"), Category(2, "dog"))
HERE: Box = (20, 20, 120, 120)
THERE: Box = (150, 150, 250, 250)


def found(*boxes: Box, scores: tuple[float, ...] = (), labels: tuple[int, ...] = ()) -> Detections:
    scores, labels = scores or (0.95,) * len(boxes), labels or (0,) * len(boxes)
    return disc_detections(SIZE, boxes, scores, labels=labels, categories=CATS)


def disc(box: Box) -> Segmentation:
    """The outline of a disc that fills a box, as the model would draw it."""
    outline = outline_of(found(box), 0, 0.5)
    assert outline is not None
    return outline


def square(box: Box) -> Segmentation:
    x0, y0, x1, y1 = box
    return Segmentation.from_rings([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])


def content(*annotations: Annotation, status: ImageStatus | None = None) -> ImageContent:
    record = ImageRecord(7, "a.png", *SIZE, status or ImageStatus(ImageState.VERIFIED))
    return ImageContent(record, {a.id: a for a in annotations})


def said(
    detections: Detections, of: ImageContent, goes_to: tuple[int, int] = (1, 2)
) -> list[Finding]:
    names = {1: "cat", 2: "dog"}
    return list(audit(of, Opinion(detections, np.array(goes_to, np.int64), names, 0.5)))


def test_what_both_agree_on_is_not_listed() -> None:
    assert said(found(HERE), content(Annotation(1, 1, disc(HERE)))) == []


def test_something_sure_where_nothing_is_labelled_is_a_likely_miss() -> None:
    (one,) = said(found(HERE, THERE), content(Annotation(1, 1, disc(HERE))))
    assert (one.kind, one.image_id, one.annotation_ids) == (FindingKind.MISSED, 7, ())
    assert one.box == THERE
    assert one.sentence == "The model is 95 % sure of cat here; nothing is labelled."
    assert not one.fixable


def test_what_it_is_not_sure_of_is_not_listed() -> None:
    assert said(found(THERE, scores=(0.7,)), content()) == []


def test_what_a_person_deleted_is_not_offered_again() -> None:
    gone = ImageStatus(ImageState.VERIFIED, (Rejection(1, THERE),))
    assert said(found(THERE), content(status=gone)) == []


def test_a_box_alone_and_a_crowd_stand_for_what_lies_there() -> None:
    assert said(found(THERE), content(Annotation(1, 1, None, THERE))) == []
    crowd = Annotation(1, 2, square((140, 140, 260, 260)), iscrowd=True)
    assert said(found(THERE), content(crowd)) == []


def test_an_outline_that_shares_too_little_with_the_model_s_is_sloppy() -> None:
    wide = square((16, 16, 124, 124))
    (one,) = said(found(HERE), content(Annotation(4, 1, wide)))
    assert (one.kind, one.annotation_ids) == (FindingKind.SLOPPY, (4,))
    assert "shares 5" in one.sentence


def test_a_pixel_more_or_less_around_a_small_object_is_not_sloppy() -> None:
    tiny: Box = (20, 20, 28, 28)
    assert said(found(tiny), content(Annotation(4, 1, square((20, 20, 28, 28))))) == []


def test_another_category_on_the_same_object_is_listed_with_both_names() -> None:
    (one,) = said(found(HERE, labels=(1,)), content(Annotation(4, 1, disc(HERE))))
    assert (one.kind, one.annotation_ids) == (FindingKind.OTHER_CATEGORY, (4,))
    assert one.sentence == "Labelled cat; the model is 95 % sure of dog."


def test_categories_are_compared_as_the_project_has_them() -> None:
    labelled = content(Annotation(4, 2, disc(HERE)))
    assert said(found(HERE), labelled, goes_to=(2, 1)) == []
    for nowhere in (IGNORED, TO_MAKE):
        assert said(found(HERE, THERE), labelled, goes_to=(nowhere, 2)) == []


def test_a_finding_is_known_again_until_what_it_is_about_changes() -> None:
    def key(annotation: Annotation) -> str:
        (one,) = said(found(HERE, labels=(1,)), content(annotation))
        return one.key

    before = Annotation(4, 1, disc(HERE))
    assert key(before) == key(Annotation(4, 1, disc(HERE)))
    assert key(before) != key(Annotation(4, 1, disc((21, 20, 121, 120))))
    first, second = (said(found(box), content())[0].key for box in (HERE, THERE))
    assert first != second


def test_an_outline_that_crosses_itself_can_be_compared() -> None:
    bowtie = Segmentation.from_rings([(20, 20), (120, 120), (120, 20), (20, 120)])
    kinds = {one.kind for one in said(found(HERE), content(Annotation(4, 1, bowtie)))}
    assert kinds <= {FindingKind.SLOPPY, FindingKind.MISSED}
