"""Places in the stack: chosen ones pass what they overlap, and nothing else changes its order."""

import itertools
from collections.abc import Collection

import hypothesis.strategies as st
import shapely
from hypothesis import assume, given

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.annotation.stack import AnnotationStack, back_to_front
from maskstudio.annotation.z_order import Towards, moved_to_end, stepped

Stack = list[Annotation]
BOTH = (Towards.FRONT, Towards.BACK)


def square(number: int, x: float, z: int = 0, side: float = 10.0) -> Annotation:
    outline = Segmentation.from_rings([(x, 0), (x + side, 0), (x + side, side), (x, side)])
    return Annotation(number, 1, outline, z=z)


def box(number: int, x: float, z: int = 0) -> Annotation:
    return Annotation(number, 1, None, (x, 0.0, x + 10.0, 10.0), z=z)


def rows(*, draw_box: bool) -> st.SearchStrategy[Stack]:
    """Strategy for up to nine squares in a row, some over each other, at any place in the stack."""
    places = st.lists(st.tuples(st.integers(0, 60), st.integers(-2, 2)), min_size=2, max_size=9)
    made = box if draw_box else square
    return places.map(
        lambda found: back_to_front(made(n + 1, float(x), z) for n, (x, z) in enumerate(found))
    )


def after(stack: Stack, changed: Stack) -> Stack:
    """Return the annotations back to front once the changes are made."""
    known = {a.id: a for a in stack} | {a.id: a for a in changed}
    return back_to_front(known.values())


def overlap(one: Annotation, other: Annotation) -> bool:
    first, second = (shapely.box(*a.box) for a in (one, other))
    return bool(first.intersection(second).area > 0)


def step(stack: Stack, chosen: Collection[int], towards: Towards) -> Stack:
    piled = AnnotationStack(stack)
    return stepped(piled.annotations, piled.boxes, chosen, towards)


def end(stack: Stack, chosen: Collection[int], towards: Towards) -> Stack:
    return moved_to_end({a.id: a for a in stack}, chosen, towards)


def ids(annotations: Stack) -> list[int]:
    return [a.id for a in annotations]


def test_one_step_passes_the_next_that_overlaps_and_not_what_lies_beside() -> None:
    stack = [square(1, 0), square(2, 30), square(3, 5), square(4, 5)]
    assert ids(after(stack, step(stack, [1], Towards.FRONT))) in ([2, 3, 1, 4], [3, 2, 1, 4])
    assert ids(after(stack, step(stack, [4], Towards.BACK))) in ([1, 2, 4, 3], [1, 4, 2, 3])
    assert step(stack, [2], Towards.FRONT) == []


def test_touching_is_not_overlapping() -> None:
    stack = [square(1, 0), square(2, 10), square(3, 20)]
    assert step(stack, [1], Towards.FRONT) == []


def test_only_what_must_is_changed() -> None:
    stack = [square(1, 0), square(2, 5), *(square(n, 100.0 * n) for n in range(3, 9))]
    (changed,) = step(stack, [1], Towards.FRONT)
    assert (changed.id, changed.z) == (1, 1)
    (changed,) = end(stack, [1], Towards.FRONT)
    assert (changed.id, changed.z) == (1, 1)
    (changed,) = end(stack, [8], Towards.BACK)
    assert (changed.id, changed.z) == (8, -1)


def test_an_end_that_is_reached_changes_nothing() -> None:
    stack = [square(1, 0), square(2, 5)]
    assert end(stack, [2], Towards.FRONT) == []
    assert end(stack, [1], Towards.BACK) == []
    assert end(stack, [1, 2], Towards.FRONT) == []
    assert step(stack, [1, 2], Towards.FRONT) == []


@given(rows(draw_box=False) | rows(draw_box=True), st.data(), st.sampled_from(BOTH))
def test_a_step_passes_one_and_keeps_every_other_order(
    stack: Stack, data: st.DataObject, towards: Towards
) -> None:
    (chosen,) = data.draw(st.lists(st.sampled_from(ids(stack)), min_size=1, max_size=1))
    one = next(a for a in stack if a.id == chosen)
    facing = stack if towards is Towards.FRONT else stack[::-1]
    ahead = [a for a in facing[facing.index(one) + 1 :] if overlap(one, a)]
    changed = step(stack, [chosen], towards)
    assume(ahead or not changed)
    then = ids(after(stack, changed))
    then = then if towards is Towards.FRONT else then[::-1]
    for a, b in itertools.combinations(facing, 2):
        if overlap(a, b):
            passes = a is one and b is ahead[0]
            assert (then.index(a.id) < then.index(b.id)) is not passes
    assert bool(changed) is bool(ahead)


@given(rows(draw_box=False), st.data(), st.sampled_from(BOTH))
def test_the_chosen_keep_their_order_and_so_do_the_others(
    stack: Stack, data: st.DataObject, towards: Towards
) -> None:
    chosen = data.draw(st.frozensets(st.sampled_from(ids(stack)), min_size=1))
    for move in (step, end):
        then = ids(after(stack, move(stack, chosen, towards)))
        for a, b in itertools.combinations(stack, 2):
            if overlap(a, b) and (a.id in chosen) is (b.id in chosen):
                assert then.index(a.id) < then.index(b.id)


@given(rows(draw_box=False), st.data(), st.sampled_from(BOTH))
def test_at_the_end_lie_the_chosen_ones(
    stack: Stack, data: st.DataObject, towards: Towards
) -> None:
    chosen = data.draw(st.frozensets(st.sampled_from(ids(stack)), min_size=1))
    changed = end(stack, chosen, towards)
    assert set(ids(changed)) <= chosen
    then = ids(after(stack, changed))
    last = then[-len(chosen) :] if towards is Towards.FRONT else then[: len(chosen)]
    assert last == [i for i in ids(stack) if i in chosen]
