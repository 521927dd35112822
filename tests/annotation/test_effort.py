"""What is left to do for a person, counted by hand."""

import math
from collections.abc import Sequence

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from pycocotools import mask as coco_mask

from maskstudio.annotation.effort import (
    BOX,
    DELETE,
    HAND,
    RENAME,
    RESHAPE,
    RESHAPE_AND_RENAME,
    Effort,
    Instance,
    Truth,
    effort,
)
from maskstudio.annotation.masks import Rle
from maskstudio.annotation.segmentation import Segmentation
from support.annotation_sets import HEIGHT, OUTLINES, WIDTH
from support.coco_sets import disc_mask

Box = tuple[int, int, int, int]
SIZE = (60, 80)
A: Box = (0, 0, 20, 10)
B: Box = (30, 0, 50, 10)
BY_HAND = 4 + HAND
"""A rectangle has four corners."""


def boxed(box: Box, category: str = "cell", *, crowd: bool = False) -> Instance:
    """An instance that fills a box, xyxy."""
    x0, y0, x1, y1 = box
    outline = Segmentation.from_rings([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    one = Instance.of(category, outline, *SIZE)
    return Instance(category, one.mask, crowd)


def truth(*instances: Instance) -> Truth:
    return Truth(instances)


def disc(radius: float, x: float = 40.0) -> Instance:
    mask = disc_mask(*SIZE, x, 30.0, radius)
    return Instance("cell", coco_mask.encode(np.asfortranarray(mask.astype(np.uint8))))


def narrowed(box: Box, share: float) -> Box:
    """A box of the same place of which only so much is left: that is the IoU of the two."""
    x0, y0, x1, y1 = box
    return x0, y0, x0 + round((x1 - x0) * share), y1


CASES = {
    "as it is": ([boxed(A), boxed(B)], Effort(accepted=2)),
    "at the bound": ([boxed(narrowed(A, 0.85)), boxed(B)], Effort(accepted=2)),
    "too narrow": (
        [boxed(narrowed(A, 0.8)), boxed(B)],
        Effort(accepted=1, adjusted=1, gestures=RESHAPE),
    ),
    "another category": (
        [boxed(A, "dust"), boxed(B)],
        Effort(accepted=1, adjusted=1, gestures=RENAME),
    ),
    "both": (
        [boxed(narrowed(A, 0.6), "dust"), boxed(B)],
        Effort(accepted=1, adjusted=1, gestures=RESHAPE_AND_RENAME),
    ),
    "hardly anything of it": (
        [boxed(narrowed(A, 0.4)), boxed(B)],
        Effort(accepted=1, deleted=1, drawn=1, gestures=DELETE + BY_HAND),
    ),
    "one missed": ([boxed(B)], Effort(accepted=1, drawn=1, gestures=BY_HAND)),
    "one too many": (
        [boxed(A), boxed(B), boxed((0, 30, 20, 40))],
        Effort(accepted=2, deleted=1, gestures=DELETE),
    ),
    "found twice": (
        [boxed(narrowed(A, 0.9)), boxed(A), boxed(B)],
        Effort(accepted=2, deleted=1, gestures=DELETE),
    ),
    "twice, the better one of another category": (
        [boxed(A, "dust"), boxed(narrowed(A, 0.9)), boxed(B)],
        Effort(accepted=2, deleted=1, gestures=DELETE),
    ),
    "nothing": ([], Effort(drawn=2, gestures=2 * BY_HAND)),
}


@pytest.mark.parametrize("case", CASES)
def test_each_case_costs_what_a_person_would_do(case: str) -> None:
    found, expected = CASES[case]
    left = effort(truth(boxed(A), boxed(B)), found)
    assert left == Effort(**(vars(expected) | {"by_hand": 2 * BY_HAND}))
    assert left.objects == 2
    assert left.per_object == expected.gestures / 2
    assert left.share == expected.gestures / (2 * BY_HAND)


def test_only_what_was_missed_is_asked_of_the_box_prompt() -> None:
    asked: list[int] = []

    def prompt(missing: Sequence[int]) -> list[Rle | None]:  # a good one, a bad one, none
        asked.extend(missing)
        return [boxed(B).mask, boxed(narrowed(A, 0.8)).mask, None]

    wanted = truth(boxed((0, 30, 20, 40)), boxed(B), boxed(A), boxed((50, 30, 60, 40)))
    left = effort(wanted, [boxed((0, 30, 20, 40))], prompt)
    assert asked == [1, 2, 3]
    assert (left.accepted, left.boxed, left.drawn) == (1, 1, 2)
    assert left.gestures == BOX + 2 * BY_HAND


def test_nothing_is_asked_where_nothing_was_missed() -> None:
    def prompt(missing: Sequence[int]) -> list[Rle | None]:
        raise AssertionError(missing)

    assert effort(truth(boxed(A)), [boxed(A)], prompt).accepted == 1


def test_a_crowd_is_not_asked_for_and_what_lies_in_it_is_no_mistake() -> None:
    crowd = boxed((0, 20, 80, 60), crowd=True)
    within, beside = boxed((10, 30, 20, 40)), boxed((60, 0, 80, 10))
    left = effort(truth(boxed(A), crowd), [boxed(A), within, beside])
    assert left == Effort(accepted=1, deleted=1, gestures=DELETE, by_hand=BY_HAND)


def test_what_covers_no_pixel_is_not_asked_for() -> None:
    sliver = boxed((10, 10, 10, 20))
    assert truth(sliver).wanted == ()
    left = effort(truth(sliver), [])
    assert left == Effort()
    assert math.isnan(left.per_object)
    assert math.isnan(left.share)


def test_by_hand_an_outline_costs_its_corners_whatever_its_size() -> None:
    small, large = truth(disc(8)).by_hand[0], truth(disc(25)).by_hand[0]
    assert 8 <= small - HAND <= 16
    assert abs(small - large) <= 3


def test_noise_has_as_many_corners_as_runs() -> None:
    """Nobody would draw it, and tracing it would take minutes."""
    speckled = (np.indices((320, 320)).sum(axis=0) % 2).astype(np.uint8)
    mask = coco_mask.encode(np.asfortranarray(speckled))
    assert truth(Instance("noise", mask)).by_hand[0] > 10_000


def test_efforts_add_up() -> None:
    one = effort(truth(boxed(A), boxed(B)), [boxed(A)])
    other = effort(truth(boxed(A)), [boxed(B)])
    both = one + other
    assert (both.accepted, both.drawn, both.deleted) == (1, 2, 1)
    assert both.gestures == one.gestures + other.gestures
    assert both.by_hand == 3 * BY_HAND


_INSTANCES = st.lists(
    st.builds(
        lambda outline, category: Instance.of(category, outline, HEIGHT, WIDTH),
        OUTLINES,
        st.sampled_from(("cell", "dust")),
    ),
    max_size=4,
)


@settings(max_examples=50)
@given(_INSTANCES, _INSTANCES)
def test_everything_is_counted_once_and_no_way_is_dearer_than_it_must_be(
    wanted: list[Instance], found: list[Instance]
) -> None:
    there = Truth(tuple(wanted))
    found = [one for one in found if coco_mask.area(one.mask)]
    left = effort(there, found)
    assert left.objects == len(there.wanted)
    assert left.accepted + left.adjusted + left.deleted == len(found)
    assert left.by_hand == sum(there.by_hand)
    assert all(cost >= 3 + HAND for cost in there.by_hand)
    # To delete everything and draw all anew is always possible.
    assert left.gestures <= DELETE * len(found) + left.by_hand
    helped = effort(there, found, lambda missing: [there.wanted[n].mask for n in missing])
    assert (helped.drawn, helped.boxed) == (0, left.drawn)
    assert helped.gestures <= left.gestures


@settings(max_examples=50)
@given(_INSTANCES)
def test_the_truth_itself_leaves_nothing_to_do(wanted: list[Instance]) -> None:
    there = Truth(tuple(wanted))
    left = effort(there, there.wanted)
    assert (left.gestures, left.accepted) == (0, len(there.wanted))
