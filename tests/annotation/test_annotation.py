"""The values a data set is made of."""

import dataclasses

import pytest

from annotation.shapes import holed_square
from maskstudio.annotation.annotation import (
    PALETTE,
    Annotation,
    Category,
    ImageRecord,
    ImageState,
    ImageStatus,
)


def test_an_annotation_has_either_an_outline_or_a_box() -> None:
    with pytest.raises(ValueError, match="either a segmentation or a box"):
        Annotation(1, 1, None)
    with pytest.raises(ValueError, match="either a segmentation or a box"):
        Annotation(1, 1, holed_square(), (0, 0, 1, 1))


def test_the_box_is_that_of_the_outline_or_the_one_given() -> None:
    assert Annotation(1, 1, holed_square()).box == (2, 2, 22, 22)
    assert Annotation(1, 1, None, (1.5, 2, 3, 4)).box == (1.5, 2, 3, 4)


@pytest.mark.parametrize(
    ("model_id", "touched", "expected"),
    [("m", False, True), ("m", True, False), (None, True, False), (None, False, False)],
)
def test_only_what_a_model_made_and_nobody_touched_is_a_pre_annotation(
    model_id: str | None, touched: bool, expected: bool
) -> None:
    annotation = Annotation(1, 1, holed_square(), model_id=model_id, touched=touched)
    assert annotation.is_pre_annotation is expected


def test_annotations_are_compared_by_what_they_hold() -> None:
    annotation = Annotation(1, 2, holed_square(), score=0.5)
    assert annotation == Annotation(1, 2, holed_square(), score=0.5)
    assert annotation != Annotation(1, 2, holed_square().translated(0, 1e-9), score=0.5)
    with pytest.raises(dataclasses.FrozenInstanceError):
        annotation.id = 3  # type: ignore[misc]


def test_a_category_without_a_colour_takes_the_one_of_its_id() -> None:
    assert Category(3, "cell", colour="#102030").shown_colour == "#102030"
    shown = [Category(n, "cell").shown_colour for n in range(1, len(PALETTE) + 1)]
    assert len(set(shown)) == len(PALETTE)
    assert Category(len(PALETTE) + 1, "cell").shown_colour == shown[0]


def test_an_image_has_the_state_of_its_status() -> None:
    assert ImageRecord(1, "a.png").state == ImageState.NEW
    status = ImageStatus(ImageState.VERIFIED)
    assert ImageRecord(1, "a.png", status=status).state == ImageState.VERIFIED
