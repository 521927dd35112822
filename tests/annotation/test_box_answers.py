"""Boxes are cut to the image or refused; an answer is read and outlined by its index."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.shapes import boxes, places
from maskstudio.annotation.annotation import Category
from maskstudio.annotation.box_answers import BoxAnswers, cut_to_image
from maskstudio.annotation.segmentation import Box
from maskstudio.errors import UserError

CATEGORIES = (Category(1, "cell"), Category(2, "debris"), Category(3, "bubble"))
corners = st.tuples(places(-60, 90), places(-60, 90), places(-60, 90), places(-60, 90))


@given(st.lists(st.one_of(boxes(), corners), max_size=4))
def test_what_is_cut_lies_in_the_image_and_in_the_box_or_is_refused(given_boxes: list[Box]) -> None:
    drawn = np.array(given_boxes, np.float64).reshape(-1, 4)
    sides = np.minimum(drawn[:, 2:], (40, 30)) - np.maximum(drawn[:, :2], 0)
    if (sides < 0.01).any():
        with pytest.raises(UserError, match="has no size or lies outside the image"):
            cut_to_image(drawn, (30, 40))
        return
    cut = cut_to_image(drawn, (30, 40))
    assert cut.shape == drawn.shape
    np.testing.assert_allclose(cut[:, 2:] - cut[:, :2], sides, atol=1e-9)
    assert (cut >= 0).all()
    assert (cut <= [40, 30, 40, 30]).all()


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_a_corner_that_is_no_number_is_refused(number: float) -> None:
    with pytest.raises(UserError, match="a corner that is not a number; draw it anew"):
        cut_to_image(np.array([[1, number, 9, 9]]), (30, 40))


def answers() -> BoxAnswers:
    """Two answers; the second's masks fill the left and the right half of a wider area."""
    masks = np.zeros((2, 2, 8, 8), np.uint8)
    masks[1, 0, :, :4], masks[1, 1, :, 4:] = 255, 255
    return BoxAnswers(
        "fake",
        (30, 40),
        np.array([[1, 1, 5, 5], [10, 10, 20, 20]], np.float32),
        np.array([[0, 0, 6, 6], [8, 8, 24, 24]], np.float32),
        np.array([[2, 0], [1, 2]]),
        np.array([[0.7, 0.2], [0.5, 0.1]], np.float32),
        masks,
        CATEGORIES,
    )


def test_an_answer_is_read_by_its_index_and_choice() -> None:
    found = answers()
    assert (len(found), found.choices) == (2, 2)
    assert found.box(1) == (10, 10, 20, 20)
    assert [found.category(0, n).name for n in (0, 1)] == ["bubble", "cell"]
    assert found.score(1, 1) == pytest.approx(0.1)
    with pytest.raises(ValueError, match="read-only"):
        found.scores[0, 0] = 1


def test_an_outline_lies_under_the_area_of_its_masks() -> None:
    found = answers()
    left, right = found.outline(1), found.outline(1, 1)
    assert [outline.box for outline in (left, right) if outline] == [
        (8, 8, 16, 24),
        (16, 8, 24, 24),
    ]
    assert found.outline(0) is None, "no pixel is likely"


def test_answers_of_different_numbers_do_not_hang_together() -> None:
    found = answers()
    with pytest.raises(ValueError, match="differ in number"):
        BoxAnswers(
            "fake",
            found.size,
            found.boxes[:1],
            found.mask_boxes,
            found.labels,
            found.scores,
            None,
            CATEGORIES,
        )
