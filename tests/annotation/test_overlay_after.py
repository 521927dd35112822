"""The layer painted from an older one is the layer painted anew."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.overlay import changed_window, render, render_after
from maskstudio.annotation.overlay_request import OverlayRequest
from maskstudio.annotation.segmentation import Segmentation, VertexIndex, move_vertex
from maskstudio.progress import TaskContext

COLOURS = {1: (250, 10, 20), 2: (0, 200, 0)}
SIZE = (400, 600)
CONTEXT = TaskContext()


def disc(annotation_id: int, x: float, y: float, radius: float, category: int = 1) -> Annotation:
    angle = np.linspace(0, 2 * np.pi, 30, endpoint=False)
    ring = np.c_[x + radius * np.cos(angle), y + radius * np.sin(angle)]
    model = None if annotation_id % 2 else "m"
    outline = Segmentation.from_rings(ring)
    return Annotation(annotation_id, category, outline, None, model, 0.5, touched=model is None)


def wanted(*annotations: Annotation, scale: float = 1.0, left: float = 0.0) -> OverlayRequest:
    there = {a.id: a for a in sorted(annotations, key=lambda a: a.id)}
    return OverlayRequest(there, COLOURS, scale, left, 3.5, SIZE, 0.3, 1)


def paint_after(old: OverlayRequest, new: OverlayRequest) -> NDArray[np.uint8]:
    return render_after(old, render(old, CONTEXT), new, CONTEXT)


discs = st.builds(
    disc,
    st.integers(1, 12),
    st.floats(-50, 650),
    st.floats(-50, 450),
    st.floats(3, 60),
    st.sampled_from([1, 2]),
)
crowds = st.lists(discs, max_size=12, unique_by=lambda a: a.id)


@settings(deadline=None, max_examples=60)
@given(crowds, crowds, st.sampled_from([0.5, 1.0, 1.7]))
def test_only_what_differs_is_painted_and_nothing_looks_different(
    first: list[Annotation], changed: list[Annotation], scale: float
) -> None:
    old = wanted(*first, scale=scale)
    after = {a.id: a for a in first} | {a.id: a for a in changed[:3]}
    for gone in changed[3:5]:
        after.pop(gone.id, None)
    new = wanted(*after.values(), scale=scale)
    anew, layer = render(new, CONTEXT), paint_after(old, new)
    difference = np.abs(anew.astype(int) - layer.astype(int))
    # Where a line is cut, its smoothing may round the other way.
    assert difference.max(initial=0) <= 40
    assert np.count_nonzero(difference.max(axis=2)) <= 0.0005 * anew.shape[0] * anew.shape[1]


def test_a_neighbour_keeps_its_place_in_front() -> None:
    back, front = disc(1, 200, 200, 50), disc(3, 240, 200, 50, 2)
    old = wanted(back, front)
    new = wanted(replace(back, segmentation=disc(1, 205, 205, 50).segmentation), front)
    assert np.array_equal(paint_after(old, new), render(new, CONTEXT))


def test_the_older_layer_stays_as_it_is() -> None:
    old = wanted(disc(1, 100, 100, 30))
    layer = render(old, CONTEXT)
    before = layer.copy()
    render_after(old, layer, wanted(disc(1, 300, 200, 30)), CONTEXT)
    assert np.array_equal(layer, before)


def test_nothing_new_costs_nothing() -> None:
    one = disc(1, 100, 100, 30)
    layer = render(wanted(one), CONTEXT)
    assert render_after(wanted(one), layer, wanted(one), CONTEXT) is layer


def test_another_view_is_painted_anew() -> None:
    one = disc(1, 100, 100, 30)
    for other in (wanted(one, scale=2.0), wanted(one, left=7.25)):
        assert np.array_equal(paint_after(wanted(one), other), render(other, CONTEXT))


@settings(deadline=None, max_examples=60)
@given(
    st.floats(60, 340),
    st.integers(0, 29),
    st.floats(-30, 30),
    st.floats(-30, 30),
    st.sampled_from([0.5, 1.0, 1.7]),
)
def test_a_vertex_moved_is_painted_where_it_was_and_where_it_is(
    x: float, vertex: int, dx: float, dy: float, scale: float
) -> None:
    one = disc(1, x, 160, 55)
    if one.segmentation is None:
        raise AssertionError("a disc has an outline")
    at = VertexIndex(0, 0, vertex)
    to = one.segmentation.ring(0, 0)[vertex] + (dx, dy)
    other = replace(one, segmentation=move_vertex(one.segmentation, at, *to))
    old, new = wanted(one, scale=scale), wanted(other, scale=scale)
    anew, layer = render(new, CONTEXT), paint_after(old, new)
    assert np.abs(anew.astype(int) - layer.astype(int)).max(initial=0) <= 40
    # Outside the window the two layers do not differ to begin with.
    x0, y0, x1, y1 = changed_window(old, new) or (0, 0, *SIZE[::-1])
    differs = (render(old, CONTEXT) != anew).any(axis=2)
    differs[y0:y1, x0:x1] = False
    assert not differs.any()


def test_of_a_vertex_moved_only_its_surroundings_are_painted() -> None:
    one = disc(1, 300, 200, 150)
    if one.segmentation is None:
        raise AssertionError("a disc has an outline")
    moved = move_vertex(one.segmentation, VertexIndex(0, 0, 0), 455, 205)
    window = changed_window(wanted(one), wanted(replace(one, segmentation=moved)))
    assert window is not None
    x0, y0, x1, y1 = window
    assert x0 > 430
    assert (x1 - x0) * (y1 - y0) < 30 * 100


def test_dashes_go_along_all_of_an_outline() -> None:
    one = disc(2, 300, 200, 70)
    if one.segmentation is None:
        raise AssertionError("a disc has an outline")
    moved = move_vertex(one.segmentation, VertexIndex(0, 0, 0), 380, 205)
    old, new = wanted(one), wanted(replace(one, segmentation=moved))
    assert np.array_equal(paint_after(old, new), render(new, CONTEXT))
