"""Which detections a filter lets pass: laws that hold for any boxes, scores and categories."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from maskstudio.annotation.detection_filter import (
    DetectionFilter,
    mask_areas,
    mask_boxes,
    overlapping,
    overlaps,
    passing,
)
from maskstudio.annotation.segmentation import Box

NAMES = ("cell", "debris", "dust")
Found = tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.int64]]

scores = st.integers(5, 99).map(lambda n: n / 100)
filters = st.builds(
    DetectionFilter,
    scores,
    st.integers(1, 19).map(lambda n: n / 20),
    st.sampled_from([0.0, 4.0, 20.0]),
    st.none() | st.integers(1, 6),
)


@st.composite
def found(draw: st.DrawFn) -> Found:
    """Draw boxes that often overlap, their scores, the best first, and their groups."""
    number = st.integers(0, 12)
    side = st.integers(1, 9)
    boxes = draw(st.lists(st.tuples(number, number, side, side), max_size=12))
    given_scores = sorted((draw(scores) for _ in boxes), reverse=True)
    groups = [draw(st.integers(0, 2)) for _ in boxes]
    xywh = np.array(boxes, np.float64).reshape(-1, 4)
    xyxy = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
    return xyxy, np.array(given_scores, np.float32), np.array(groups, np.int64)


def through(shown: DetectionFilter, here: Found) -> NDArray[np.bool_]:
    boxes, given_scores, groups = here
    lowest = shown.lowest_scores(NAMES)[groups]
    areas = mask_areas(boxes, None, 0.5)
    return passing(shown, given_scores, lowest, areas, groups, overlaps(boxes))


@settings(deadline=None, max_examples=60)
@given(found(), filters, scores)
def test_a_higher_score_never_lets_more_pass(
    here: Found, shown: DetectionFilter, score: float
) -> None:
    low, high = sorted((shown.min_score, score))
    fewer, more = (through(replace(shown, min_score=s), here) for s in (high, low))
    if shown.max_count is None:
        assert (fewer <= more).all()
    assert fewer.sum() <= more.sum()


@settings(deadline=None, max_examples=60)
@given(found(), filters)
def test_filtering_what_passed_leaves_all_of_it(here: Found, shown: DetectionFilter) -> None:
    passes = through(shown, here)
    boxes, given_scores, groups = here
    left = (boxes[passes], given_scores[passes], groups[passes])
    assert through(shown, left).all()


@settings(deadline=None, max_examples=60)
@given(found(), filters, scores)
def test_a_category_s_own_score_concerns_no_other(
    here: Found, shown: DetectionFilter, score: float
) -> None:
    shown = replace(shown, max_count=None)
    own = through(replace(shown, category_scores=(("debris", score),)), here)
    for_all = through(shown, here)
    alone = through(replace(shown, min_score=score), here)
    of_it = here[2] == 1
    np.testing.assert_array_equal(own[~of_it], for_all[~of_it])
    np.testing.assert_array_equal(own[of_it], alone[of_it])


@settings(deadline=None, max_examples=60)
@given(found(), filters)
def test_it_is_what_a_plain_loop_lets_pass(here: Found, shown: DetectionFilter) -> None:
    boxes, given_scores, groups = here
    kept: list[int] = []
    for index, box in enumerate(boxes):
        if given_scores[index] < np.float32(shown.min_score):
            continue
        if (box[2] - box[0]) * (box[3] - box[1]) < shown.min_area:
            continue
        same = [k for k in kept if groups[k] == groups[index]]
        if all(plain_iou(tuple(boxes[k]), tuple(box)) <= shown.nms_iou for k in same):
            kept.append(index)
    most = kept if shown.max_count is None else kept[: shown.max_count]
    assert np.flatnonzero(through(shown, here)).tolist() == most


def plain_iou(a: Box, b: Box) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    common = width * height if width > 0 and height > 0 else 0.0
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common
    return common / union if union else 0.0


@settings(deadline=None, max_examples=60)
@given(found(), found())
def test_overlapping_boxes_are_those_a_plain_loop_finds(one: Found, other: Found) -> None:
    pairs = {
        (n, m): pytest.approx(iou)
        for n, a in enumerate(one[0])
        for m, b in enumerate(other[0])
        if (iou := plain_iou(tuple(a), tuple(b))) > 0
    }
    first, second, shares = overlapping(one[0], other[0])
    numbers = zip(first.tolist(), second.tolist(), strict=True)
    assert dict(zip(numbers, shares.tolist(), strict=True)) == pairs


@pytest.mark.parametrize("score", [0.05, 0.3, 0.9])
def test_a_score_on_the_very_threshold_passes(score: float) -> None:
    box = np.array([[0.0, 0.0, 5.0, 5.0]])
    assert through(DetectionFilter(score), (box, np.array([score], np.float32), np.zeros(1, int)))


def test_a_thousand_in_one_place_are_one() -> None:
    boxes = np.tile([10.0, 10.0, 50.0, 50.0], (1000, 1))
    given_scores = np.linspace(0.99, 0.5, 1000, dtype=np.float32)
    assert through(DetectionFilter(), (boxes, given_scores, np.zeros(1000, int))).sum() == 1


def test_the_box_of_a_mask_is_around_what_is_likely_inside() -> None:
    masks = np.zeros((2, 28, 28), np.uint8)
    masks[0, 7:21, 14:] = 255
    boxes = np.array([[0.0, 0.0, 28.0, 56.0], [5.0, 5.0, 9.0, 9.0]])
    around = mask_boxes(boxes, masks)
    # Half a cell is what lies between a cell inside and its neighbour.
    np.testing.assert_allclose(around[0], [14, 14, 28, 42], atol=1.1)
    np.testing.assert_array_equal(around[1], boxes[1])
