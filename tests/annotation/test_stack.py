"""The stack of an image: in order whatever is done, and shown is what is not hidden."""

from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.annotation.stack import AnnotationStack, back_to_front

SQUARE = Segmentation.from_rings([(0, 0), (10, 0), (10, 10), (0, 10)])
FAR = (-100.0, -100.0, 100.0, 100.0)

annotations = st.builds(
    Annotation,
    id=st.integers(1, 12),
    category_id=st.integers(1, 3),
    segmentation=st.just(SQUARE),
    hidden=st.booleans(),
    z=st.integers(-2, 2),
)
steps = st.one_of(
    st.lists(annotations, max_size=4).map(lambda new: ("put", new)),
    st.integers(1, 12).map(lambda number: ("remove", number)),
    st.frozensets(st.integers(1, 3)).map(lambda ids: ("hide", ids)),
)


def take(
    stack: AnnotationStack, known: dict[int, Annotation], step: tuple[str, Any]
) -> frozenset[int] | None:
    """Do a step to a stack and to a plain dict; return the categories it hides, if it does."""
    verb, what = step
    if verb == "put":
        stack.put(what)
        known |= {a.id: a for a in what}
    elif verb == "remove" and what in known:
        stack.remove([what])
        del known[what]
    elif verb == "hide":
        stack.hide_categories(what)
        hidden: frozenset[int] = what
        return hidden
    return None


@given(st.lists(annotations, max_size=8, unique_by=lambda a: a.id), st.lists(steps, max_size=8))
def test_it_is_in_order_and_shows_what_is_not_hidden(
    first: list[Annotation], todo: list[tuple[str, Any]]
) -> None:
    stack, known = AnnotationStack(back_to_front(first)), {a.id: a for a in first}
    hidden: frozenset[int] = frozenset()
    for step in todo:
        hides = take(stack, known, step)
        hidden = hidden if hides is None else hides
        ordered = sorted(known.values(), key=lambda a: a.stacking)
        shown = [a for a in ordered if not a.hidden and a.category_id not in hidden]
        assert list(stack.annotations.values()) == ordered
        assert list(stack.annotations) == [a.id for a in ordered]
        assert list(stack.shown.values()) == shown
        assert stack.boxes.meeting(FAR) == [a.id for a in reversed(shown)]


def test_a_change_in_place_keeps_the_rest_as_it_is() -> None:
    stack = AnnotationStack([Annotation(n, 1, SQUARE) for n in (1, 2, 3)])
    before = stack.annotations
    stack.put([replace(before[2], note="new")])
    assert stack.annotations is before
    assert stack.shown is before
    assert [a.note for a in stack.annotations.values()] == ["", "new", ""]


def test_what_is_not_there_cannot_be_removed() -> None:
    with pytest.raises(KeyError):
        AnnotationStack().remove([3])
