"""The layer over the image: what is painted where."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from shapely.geometry import Point

from annotation.shapes import Points, holed_square, rectangle, rings
from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.overlay import blended, box_ring, render
from maskstudio.annotation.overlay_request import OverlayRequest, colour_rgb
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.errors import CancelledError
from maskstudio.progress import TaskContext

RED, GREEN = (250, 10, 20), (0, 200, 0)
Layer = NDArray[np.uint8]


def request(
    annotations: Sequence[Annotation],
    *,
    scale: float = 1,
    left: float = 0,
    top: float = 0,
    size: tuple[int, int] = (60, 80),
    fill: float = 0.4,
) -> OverlayRequest:
    there = dict(enumerate(annotations))
    return OverlayRequest(there, {1: RED, 2: GREEN}, scale, left, top, size, fill, 1)


def paint(*annotations: Annotation, scale: float = 1, fill: float = 0.4) -> Layer:
    return render(request(annotations, scale=scale, fill=fill), TaskContext())


def drawn(ring: Points, category_id: int = 1) -> Annotation:
    return Annotation(1, category_id, Segmentation.from_rings(ring))


def predicted(ring: Points) -> Annotation:
    return Annotation(1, 1, Segmentation.from_rings(ring), None, "m", 0.5, touched=False)


def box_only(box: tuple[float, float, float, float], *, touched: bool = True) -> Annotation:
    return Annotation(1, 1, None, box, "m", 0.5, touched=touched)


def alpha(layer: Layer) -> Layer:
    return layer[:, :, 3]


def test_an_annotation_is_filled_inside_and_nowhere_else() -> None:
    layer = paint(drawn(rectangle(20, 10, 50, 40)))
    blue, green, red, opacity = (int(value) for value in layer[25, 35])
    assert opacity == pytest.approx(0.4 * 255, abs=1)
    assert (red, green, blue) == pytest.approx(tuple(0.4 * c for c in RED), abs=1)
    assert not layer[:8].any()
    assert not layer[43:].any()
    assert not layer[:, :18].any()
    assert not layer[:, 53:].any()


def test_a_hole_stays_clear() -> None:
    layer = paint(Annotation(1, 1, holed_square()))
    assert not layer[10:14, 10:14].any()
    assert layer[5, 5].all()
    # Both rings are outlined.
    assert alpha(layer)[2, 12] > 200 or alpha(layer)[1, 12] > 200
    assert alpha(layer)[8, 12] > 150 or alpha(layer)[7, 12] > 150


def test_an_outline_runs_along_its_edge_at_any_scale_and_place() -> None:
    annotation = drawn(rectangle(10, 5, 20, 9))
    layer = render(request([annotation], scale=3.0, left=-10.0, top=20.0), TaskContext())
    inside = alpha(layer) > 0
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    # x: 10 * 3 - 10 .. 20 * 3 - 10, y: 5 * 3 + 20 .. 9 * 3 + 20, and the line's own width.
    assert [columns[0], columns[-1]] == pytest.approx([20, 50], abs=1.5)
    assert [rows[0], rows[-1]] == pytest.approx([35, 47], abs=1.5)
    assert request([annotation], scale=3.0, left=-10.0, top=20.0).to_image(20, 35) == (10, 5)


def test_without_fill_only_the_outline_is_painted() -> None:
    layer = paint(drawn(rectangle(20, 10, 50, 40)), fill=0)
    assert not layer[15:35, 25:45].any()
    assert alpha(layer)[9:12, 35].max() > 150


def test_a_box_alone_is_a_border_around_nothing() -> None:
    layer = paint(box_only((20, 10, 50, 40)))
    assert not layer[13:37, 23:47].any()
    for line in (layer[9:12, 25:45], layer[39:42, 25:45], layer[15:35, 19:22], layer[15:35, 49:52]):
        assert alpha(line).any()
    blue, green, red, opacity = (int(value) for value in layer[9:12, 35].max(axis=0))
    assert opacity > 150
    assert red > 10 * green
    assert red > 10 * blue


@pytest.mark.parametrize("with_outline", [True, False])
def test_a_pre_annotation_is_dashed_until_a_person_has_touched_it(with_outline: bool) -> None:
    ring = rectangle(10, 20, 70, 50)
    if with_outline:
        untouched, touched = predicted(ring), drawn(ring)
    else:
        box = (10.0, 20.0, 70.0, 50.0)
        untouched, touched = box_only(box, touched=False), box_only(box)
    dashed = alpha(paint(untouched, fill=0))[19:22, 12:68].max(axis=0)
    whole = alpha(paint(touched, fill=0))[19:22, 12:68].max(axis=0)
    assert (whole > 100).all()
    gaps = dashed < 20
    assert 0.2 < gaps.mean() < 0.7
    dashes = np.count_nonzero(np.diff(gaps.astype(int)) == -1)
    assert 3 <= dashes <= 8


def test_a_small_pre_annotation_is_drawn_whole() -> None:
    ring = rectangle(10, 20, 15, 25)
    assert np.array_equal(paint(predicted(ring)), paint(drawn(ring)))


def test_what_is_in_front_covers_what_lies_behind() -> None:
    ring = rectangle(20, 10, 50, 40)
    both, front = paint(drawn(ring, 1), drawn(ring, 2)), paint(drawn(ring, 2))
    assert np.array_equal(both[13:37, 23:47], front[13:37, 23:47])
    edge = both[9:12, 35]
    assert int(edge[:, 1].max()) > 2 * int(edge[:, 2].max())  # green over red


def test_a_category_nobody_knows_is_white() -> None:
    layer = paint(drawn(rectangle(20, 10, 50, 40), 99), fill=1)
    assert layer[25, 35].tolist() == [255, 255, 255, 255]


def test_what_lies_beside_the_view_is_not_painted() -> None:
    assert not paint(drawn(rectangle(200, 10, 250, 40)), box_only((-90, -90, -9, -9))).any()
    assert not paint().any()


@pytest.mark.parametrize("scale", [64.0, 5000.0, 1e6])
def test_at_a_huge_zoom_the_inside_and_the_edge_are_still_painted(scale: float) -> None:
    ring = rectangle(100, 100, 3900, 2900)
    # The view lies over the middle of the left edge, at x = 100, y = 1500.
    view = {"scale": scale, "left": 40 - 100 * scale, "top": 30 - 1500 * scale}
    layer = render(request([drawn(ring)], **view), TaskContext())  # type: ignore[arg-type]
    assert not layer[:, :38].any()
    assert (alpha(layer)[:, 38:43].max(axis=1) > 105).all()
    assert (np.abs(alpha(layer)[:, 43:].astype(int) - 102) <= 1).all()
    boxed = box_only((100, 100, 3900, 2900))
    border = render(request([boxed], **view), TaskContext())  # type: ignore[arg-type]
    assert (alpha(border)[:, 38:43].max(axis=1) > 80).all()
    assert not border[:, 43:].any()


@pytest.mark.parametrize("scale", [64.0, 5000.0])
def test_at_a_huge_zoom_a_pre_annotation_is_still_dashed(scale: float) -> None:
    ring = rectangle(100, 100, 3900, 2900)
    for annotation in (predicted(ring), box_only((100, 100, 3900, 2900), touched=False)):
        view = request(
            [annotation],
            scale=scale,
            left=40 - 100 * scale,
            top=30 - 1500 * scale,
            fill=0,
        )
        line = alpha(render(view, TaskContext()))[:, 38:43].max(axis=1)
        assert 0.2 < (line < 20).mean() < 0.7


@settings(deadline=None, max_examples=60)
@given(rings(-50, 250), st.floats(0.01, 1e4), st.floats(-200, 400), st.floats(-200, 400))
def test_any_outline_at_any_zoom_is_painted_where_it_is(
    ring: Points, scale: float, x: float, y: float
) -> None:
    annotation = drawn(ring)
    view = request([annotation], scale=scale, left=40 - x * scale, top=30 - y * scale, fill=1.0)
    layer = render(view, TaskContext())
    left, top, right, bottom = annotation.box
    x0, y0 = view.to_image(-3, -3)
    x1, y1 = view.to_image(83, 63)
    if right < x0 or left > x1 or bottom < y0 or top > y1:
        assert not layer.any()
    if annotation.segmentation is not None and annotation.segmentation.geometry.is_valid:
        away = annotation.segmentation.geometry.boundary.distance(Point(x, y)) * scale
        if away > 3:
            inside = annotation.segmentation.contains(x, y)
            assert alpha(layer)[30, 40] == (255 if inside else 0)


def test_painting_stops_when_a_newer_layer_is_wanted() -> None:
    class Cancelled(TaskContext):
        def raise_if_cancelled(self) -> None:
            raise CancelledError

    with pytest.raises(CancelledError):
        render(request([drawn(rectangle(20, 10, 50, 40))]), Cancelled())


def test_a_layer_is_laid_over_an_image() -> None:
    rgb = np.full((1, 3, 3), 100, np.uint8)
    layer = np.array([[[0, 0, 0, 0], [30, 20, 10, 51], [3, 2, 1, 255]]], np.uint8)
    assert blended(rgb, layer).tolist() == [[[100, 100, 100], [90, 100, 110], [1, 2, 3]]]


def test_colours_and_boxes_become_numbers() -> None:
    assert colour_rgb("#0a10ff") == (10, 16, 255)
    assert box_ring((1, 2, 3, 4)).tolist() == [[1, 2], [3, 2], [3, 4], [1, 4]]
