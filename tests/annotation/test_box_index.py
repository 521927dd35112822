"""The index of boxes against asking every annotation."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.box_index import BoxIndex
from maskstudio.annotation.segmentation import Box

numbers = st.integers(0, 20)


@st.composite
def boxed(draw: st.DrawFn) -> Annotation:
    x, y = draw(numbers), draw(numbers)
    box = (x, y, x + draw(st.integers(1, 8)), y + draw(st.integers(1, 8)))
    return Annotation(draw(st.integers(1, 9)), 1, None, box, "m", 0.5)


def plain(known: dict[int, Annotation], x: float, y: float, tolerance: float) -> list[int]:
    def holds(box: Box) -> bool:
        across = box[0] - tolerance <= x <= box[2] + tolerance
        return across and box[1] - tolerance <= y <= box[3] + tolerance

    return sorted((i for i, a in known.items() if holds(a.box)), reverse=True)


@settings(deadline=None)
@given(
    st.lists(boxed(), max_size=6, unique_by=lambda a: a.id),
    st.lists(st.one_of(boxed(), st.integers(1, 9)), max_size=20),
    st.lists(st.tuples(numbers, numbers, st.integers(0, 3)), min_size=1, max_size=5),
)
def test_it_finds_what_asking_each_of_them_finds(
    first: list[Annotation],
    steps: list[Annotation | int],
    places: list[tuple[int, int, int]],
) -> None:
    known = {a.id: a for a in first}
    index = BoxIndex(first)
    for step in steps:
        if isinstance(step, Annotation):
            index.put(step)
            known[step.id] = step
        elif step in known:
            index.remove(step)
            del known[step]
        for x, y, tolerance in places:
            assert index.at(x, y, tolerance) == plain(known, x, y, tolerance)


def test_it_grows_as_far_as_needed() -> None:
    index = BoxIndex()
    for n in range(1, 1001):
        index.put(Annotation(n, 1, None, (n, 0, n + 1, 1), "m", 0.5))
    assert index.at(500.5, 0.5) == [500]
    assert index.at(1000.5, 0.5, 1) == [1000, 999]


def test_what_is_not_there_cannot_be_removed() -> None:
    with pytest.raises(KeyError):
        BoxIndex().remove(1)
