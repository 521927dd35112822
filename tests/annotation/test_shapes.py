"""Boxes that a drag spans, ellipses, and paths drawn by hand."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from shapely.geometry import Polygon

from annotation.shapes import places
from maskstudio.annotation.masks import decode, rasterize
from maskstudio.annotation.segmentation import Box, Segmentation
from maskstudio.annotation.shapes import (
    Point,
    dragged_box,
    ellipse_vertices,
    rectangle_vertices,
    thinned,
)

HEIGHT, WIDTH = 80, 100
SIZE = (HEIGHT, WIDTH)


inside = st.tuples(places(0, WIDTH), places(0, HEIGHT))
anywhere = st.tuples(places(-300, 300), places(-300, 300))


def centre(box: Box) -> Point:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def sides(box: Box) -> Point:
    return box[2] - box[0], box[3] - box[1]


# Boxes


@given(start=anywhere, end=anywhere, square=st.booleans(), centred=st.booleans())
def test_a_box_lies_within_the_image_however_it_is_dragged(
    start: Point, end: Point, square: bool, centred: bool
) -> None:
    x0, y0, x1, y1 = dragged_box(start, end, SIZE, square=square, centred=centred)
    assert 0 <= x0 <= x1 <= WIDTH
    assert 0 <= y0 <= y1 <= HEIGHT


@given(start=inside, end=inside)
def test_a_plain_box_has_its_corners_where_the_drag_began_and_ended(
    start: Point, end: Point
) -> None:
    box = dragged_box(start, end, SIZE, square=False, centred=False)
    assert {box[0], box[2]} == {start[0], end[0]}
    assert {box[1], box[3]} == {start[1], end[1]}
    assert dragged_box(end, start, SIZE, square=False, centred=False) == box


@given(start=inside, end=anywhere)
def test_a_square_is_as_large_as_the_longer_side_or_the_image_allows(
    start: Point, end: Point
) -> None:
    box = dragged_box(start, end, SIZE, square=True, centred=False)
    dx, dy = end[0] - start[0], end[1] - start[1]
    room_x = start[0] if dx < 0 else WIDTH - start[0]
    room_y = start[1] if dy < 0 else HEIGHT - start[1]
    side = min(max(abs(dx), abs(dy)), room_x, room_y)
    assert sides(box) == pytest.approx((side, side), abs=1e-9)
    assert (box[2] if dx < 0 else box[0]) == pytest.approx(start[0], abs=1e-9)
    assert (box[3] if dy < 0 else box[1]) == pytest.approx(start[1], abs=1e-9)


@given(start=inside, end=anywhere, square=st.booleans())
def test_a_box_from_its_centre_keeps_the_centre(start: Point, end: Point, square: bool) -> None:
    box = dragged_box(start, end, SIZE, square=square, centred=True)
    assert centre(box) == pytest.approx(start, abs=1e-9)
    room = [min(start[0], WIDTH - start[0]), min(start[1], HEIGHT - start[1])]
    wanted = [abs(end[0] - start[0]), abs(end[1] - start[1])]
    if square:
        room, wanted = [min(room)] * 2, [max(wanted)] * 2
    half = [min(pair) for pair in zip(wanted, room, strict=True)]
    assert sides(box) == pytest.approx((2 * half[0], 2 * half[1]), abs=1e-9)


def test_a_rectangle_has_the_four_corners_of_its_box() -> None:
    assert rectangle_vertices((1, 2, 5, 8)).tolist() == [[1, 2], [5, 2], [5, 8], [1, 8]]


# Ellipses


def true_ellipse(box: Box) -> Polygon:
    """An outline of so many vertices that it is the ellipse itself, to a millionth."""
    angles = np.linspace(0, 2 * np.pi, 4000, endpoint=False)
    (x, y), (width, height) = centre(box), sides(box)
    return Polygon(
        np.stack([x + width / 2 * np.cos(angles), y + height / 2 * np.sin(angles)], axis=1)
    )


def pixels_of_ellipse(box: Box, side: int) -> NDArray[np.bool_]:
    """The pixels whose centre lies in the ellipse, by its equation."""
    rows, columns = np.mgrid[:side, :side] + 0.5
    (x, y), (width, height) = centre(box), sides(box)
    distance = ((columns - x) / (width / 2)) ** 2 + ((rows - y) / (height / 2)) ** 2
    return np.asarray(distance <= 1, np.bool_)


@given(
    corner=anywhere,
    width=st.floats(0.5, 5000),
    height=st.floats(0.5, 5000),
)
def test_an_ellipse_has_its_area_stays_in_its_box_and_misses_a_hundredth_at_most(
    corner: Point, width: float, height: float
) -> None:
    box = (corner[0], corner[1], corner[0] + width, corner[1] + height)
    drawn = Polygon(ellipse_vertices(box))
    assert drawn.area == pytest.approx(math.pi * width * height / 4, rel=1e-6)
    assert shapely.box(*box).covers(drawn)
    true = true_ellipse(box)
    iou = drawn.intersection(true).area / drawn.union(true).area
    assert iou == pytest.approx(0.9937, abs=1e-4)


def test_an_ellipse_is_the_same_mirrored_either_way() -> None:
    drawn = {tuple(vertex) for vertex in ellipse_vertices((-4, -3, 4, 3)).round(9).tolist()}
    assert len(drawn) >= 16
    for sign in ((-1, 1), (1, -1)):
        assert {(x * sign[0], y * sign[1]) for x, y in drawn} == drawn


@given(
    shift=st.tuples(places(0, 1), places(0, 1)),
    width=st.floats(120, 300),
    height=st.floats(120, 300),
)
def test_the_mask_of_an_ellipse_is_that_of_the_true_one(
    shift: Point, width: float, height: float
) -> None:
    side = 310
    box = (4 + shift[0], 4 + shift[1], 4 + shift[0] + width, 4 + shift[1] + height)
    drawn = decode(rasterize(Segmentation.from_rings(ellipse_vertices(box)), side, side))
    true = pixels_of_ellipse(box, side)
    assert (drawn & true).sum() >= 0.99 * (drawn | true).sum()


# Paths


paths = st.lists(st.tuples(places(0, WIDTH), places(0, HEIGHT)), min_size=1, max_size=60)
tolerances = st.floats(0.01, 10)


@given(path=paths, tolerance=tolerances)
def test_a_thinned_path_has_points_of_the_path_and_passes_close_to_all_of_them(
    path: list[Point], tolerance: float
) -> None:
    vertices = thinned(path, tolerance)
    assert {tuple(vertex) for vertex in vertices.tolist()} <= set(path)
    kept = shapely.LineString([*vertices, vertices[0]])
    far = shapely.distance(shapely.points(path), kept)
    assert far.max() <= tolerance + 1e-9


def test_what_lies_on_a_straight_line_is_left_out() -> None:
    along = [(float(x), 0.0) for x in range(11)]
    down = [(10.0, float(y)) for y in range(1, 11)]
    back = [(10.0 - n, 10.0 - n) for n in range(1, 10)]
    assert thinned(along + down + back, 0.1).tolist() == [[0, 0], [10, 0], [10, 10]]


@pytest.mark.parametrize(
    "path", [[(3, 4)], [(3, 4)] * 4, [(0, 0), (9, 9)], [(0, 0), (5, 0), (9, 0)]]
)
def test_a_path_without_area_keeps_fewer_than_three_vertices(path: list[Point]) -> None:
    assert len(thinned(path, 0.5)) < 3


def test_a_path_that_crosses_itself_keeps_both_loops() -> None:
    eight = [(0.0, 0.0), (10.0, 10.0), (10.0, 0.0), (0.0, 10.0)]
    assert thinned(eight, 1).tolist() == [list(point) for point in eight]
