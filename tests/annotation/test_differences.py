"""What a new run of a model changed on an image."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.differences import differences, stood_before
from maskstudio.annotation.edits import AnnotationChange
from maskstudio.annotation.overlay import box_ring
from maskstudio.annotation.segmentation import Box, Part, Segmentation


def found(number: int, box: Box, category: int = 1, model: str = "old") -> Annotation:
    """Return what a model found; its outline is its box."""
    outline = Segmentation((Part(box_ring(box)),))
    return Annotation(number, category, outline, model_id=model, score=0.9, touched=False)


def by_id(*annotations: Annotation) -> dict[int, Annotation]:
    return {a.id: a for a in annotations}


def counts(before: Sequence[Annotation], now: Sequence[Annotation]) -> tuple[int, int, int]:
    """Return how many are new, gone and changed."""
    told = differences(by_id(*before), by_id(*now))
    return len(told.new), len(told.gone), len(told.changed)


BOX: Box = (0, 0, 20, 20)
MOVED: Box = (4, 0, 24, 20)
FAR: Box = (50, 50, 70, 70)


@pytest.mark.parametrize(
    ("before", "now", "wanted"),
    [
        ((), (), (0, 0, 0)),
        ((), (found(2, BOX),), (1, 0, 0)),
        ((found(1, BOX),), (), (0, 1, 0)),
        ((found(1, BOX),), (found(2, FAR),), (1, 1, 0)),
        ((found(1, BOX),), (found(2, MOVED),), (0, 0, 1)),
        ((found(1, BOX),), (found(2, BOX, category=2),), (0, 0, 1)),
        ((found(1, BOX),), (found(2, (0, 0, 20.2, 20)),), (0, 0, 0)),
        ((found(1, BOX),), (found(1, BOX),), (0, 0, 0)),
        # One of two that lie where one lay is new.
        ((found(1, BOX),), (found(2, MOVED), found(3, BOX)), (1, 0, 0)),
    ],
)
def test_what_is_new_gone_and_changed(
    before: Sequence[Annotation], now: Sequence[Annotation], wanted: tuple[int, int, int]
) -> None:
    assert counts(before, now) == wanted


def test_a_box_alone_is_compared_by_its_box() -> None:
    box = Annotation(1, 1, None, BOX, model_id="old", score=0.5, touched=False)
    assert counts([box], [found(2, MOVED)]) == (0, 0, 1)
    assert counts([box], [found(2, FAR)]) == (1, 1, 0)


def test_it_is_said_in_words() -> None:
    before = by_id(found(1, BOX), found(2, FAR))
    assert differences(before, by_id(found(3, MOVED))).words == "1 gone, 1 changed"
    assert differences(before, before).words == "nothing changed"


corners, sides = st.integers(0, 40), st.integers(1, 30)
boxes: st.SearchStrategy[Box] = st.builds(
    lambda x, y, w, h: (x, y, x + w, y + h), corners, corners, sides, sides
)


@given(st.lists(boxes, max_size=6), st.lists(boxes, max_size=6))
def test_the_other_way_round_what_was_new_is_gone(old: list[Box], new: list[Box]) -> None:
    before = by_id(*(found(n, box) for n, box in enumerate(old, 1)))
    now = by_id(*(found(n, box) for n, box in enumerate(new, 101)))
    there, back = differences(before, now), differences(now, before)
    assert len(there.new) - len(there.gone) == len(new) - len(old)
    assert (len(there.new), len(there.gone)) == (len(back.gone), len(back.new))
    assert len(there.changed) + len(there.new) <= len(new)


def test_what_stood_before_comes_back_and_what_the_model_brought_goes() -> None:
    old, new, kept = found(1, BOX), found(2, MOVED, model="new"), found(3, FAR)
    changes = [AnnotationChange(7, old, None), AnnotationChange(7, None, new)]
    assert stood_before(by_id(kept, new), changes) == by_id(old, kept)


def test_of_several_changes_the_first_counts() -> None:
    first, second, third = (found(n, BOX, model=str(n)) for n in (1, 2, 3))
    changes = [AnnotationChange(7, first, second), AnnotationChange(7, second, third)]
    assert stood_before(by_id(third), changes) == by_id(first)


def test_what_a_person_changed_since_stays_and_what_was_only_accepted_does_not() -> None:
    old, new = found(1, BOX), found(2, MOVED)
    changes = [AnnotationChange(7, old, None), AnnotationChange(7, None, new)]
    accepted = replace(new, touched=True)
    assert stood_before(by_id(accepted), changes) == by_id(old)
    renamed = replace(accepted, category_id=2)
    assert stood_before(by_id(renamed), changes) == by_id(old, renamed)


def test_what_a_person_drew_stays() -> None:
    drawn = Annotation(9, 1, None, FAR)
    assert stood_before(by_id(drawn), []) == by_id(drawn)
