"""Outlines: their vertices, what is nearest, what is inside, and how they are kept."""

import struct
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shapely.geometry import GeometryCollection, LinearRing, LineString, Point, Polygon

from annotation.shapes import Points, holed_square, rectangle, rings, star, stars
from maskstudio.annotation.segmentation import (
    Part,
    Segmentation,
    VertexIndex,
    as_ring,
    delete_vertex,
    insert_vertex,
    move_vertex,
    nearest_edge,
    nearest_vertex,
    repaired,
    segmentations_from_wkb,
)
from maskstudio.errors import UserError

TRIANGLE = [(0.0, 0.0), (4.0, 0.0), (0.0, 4.0)]


def corners(segmentation: Segmentation, part: int = 0, ring: int = 0) -> Points:
    return [(float(x), float(y)) for x, y in segmentation.ring(part, ring)]


def in_two() -> Segmentation:
    """The square with its hole, and a triangle as a second part."""
    return Segmentation((*holed_square().parts, Part(as_ring([(30, 2), (40, 2), (30, 9)]))))


# Rings


@pytest.mark.parametrize(
    "vertices",
    [
        [],
        [(1, 2)],
        [(1, 2), (3, 4)],
        [(1, 2), (3, 4), (1, 2)],  # closed: only two corners
        [(1, 2), (1, 2), (1, 2)],
        [(1, 2, 3)] * 3,
        [1, 2, 3, 4, 5, 6],
        [[(1, 2), (3, 4), (5, 6)]],
        [(0, 0), (1, 0), (float("nan"), 1)],
        [(0, 0), (1, 0), (float("inf"), 1)],
        [(0, 0), (1, 0), (-1e6 - 1, 1)],
    ],
)
def test_what_is_no_ring_is_refused(vertices: Any) -> None:
    with pytest.raises(UserError, match=r"^An outline .*\.$"):
        as_ring(vertices)


def test_a_ring_is_a_copy_that_cannot_be_changed() -> None:
    vertices = np.array(TRIANGLE)
    ring = as_ring(vertices)
    vertices[0] = (9, 9)
    assert ring[0].tolist() == [0, 0]
    with pytest.raises(ValueError, match="read-only"):
        ring[0] = (1, 1)


@pytest.mark.parametrize("repeats", [0, 1, 2, 3])
def test_the_repeated_first_vertex_is_dropped(repeats: int) -> None:
    ring = as_ring(TRIANGLE + TRIANGLE[:1] * repeats)
    assert ring.tolist() == [list(corner) for corner in TRIANGLE]


def test_an_outline_has_at_least_one_part() -> None:
    with pytest.raises(UserError, match="at least one part"):
        Segmentation(())


# Vertices


def test_moving_a_vertex_leaves_everything_else_as_it_is() -> None:
    before = in_two()
    after = move_vertex(before, VertexIndex(0, 1, 2), 15.25, 14.125)
    assert corners(after, 0, 1) == [(8, 8), (16, 8), (15.25, 14.125), (8, 16)]
    assert corners(before, 0, 1)[2] == (16, 16)
    assert after.ring(0, 0) is before.ring(0, 0)
    assert after.parts[1] is before.parts[1]


def test_inserting_a_vertex_on_an_edge() -> None:
    after = insert_vertex(in_two(), VertexIndex(1, 0, 1), 35, 6)
    assert corners(after, 1) == [(30, 2), (40, 2), (35, 6), (30, 9)]
    closing = insert_vertex(in_two(), VertexIndex(1, 0, 2), 29, 5)
    assert corners(closing, 1) == [(30, 2), (40, 2), (30, 9), (29, 5)]


def test_deleting_a_vertex() -> None:
    after = delete_vertex(in_two(), VertexIndex(0, 0, 1))
    assert after is not None
    assert corners(after) == [(2, 2), (22, 22), (2, 22)]
    assert corners(after, 0, 1) == corners(holed_square(), 0, 1)


def test_deleting_a_vertex_of_a_triangle_takes_its_part() -> None:
    after = delete_vertex(in_two(), VertexIndex(1, 0, 0))
    assert after == holed_square()


def test_deleting_a_vertex_of_a_triangular_hole_fills_it() -> None:
    hole = as_ring([(8, 8), (16, 8), (8, 16)])
    before = Segmentation((Part(holed_square().ring(0, 0), (hole, as_ring(TRIANGLE))),))
    after = delete_vertex(before, VertexIndex(0, 1, 2))
    assert after is not None
    assert len(after.parts[0].holes) == 1
    assert corners(after, 0, 1) == TRIANGLE


def test_deleting_a_vertex_of_the_last_triangle_leaves_nothing() -> None:
    assert delete_vertex(Segmentation.from_rings(TRIANGLE), VertexIndex(0, 0, 1)) is None


def test_taking_out_an_outer_ring_takes_its_holes_along() -> None:
    assert in_two().with_ring(0, 0, None) == Segmentation.from_rings([(30, 2), (40, 2), (30, 9)])
    assert holed_square().with_ring(0, 0, None) is None


# What is nearest


@settings(deadline=None, max_examples=40)
@given(stars(), st.floats(-5, 45), st.floats(-5, 25))
def test_the_nearest_vertex_is_the_nearest_of_all(
    segmentation: Segmentation, x: float, y: float
) -> None:
    at, distance = nearest_vertex(segmentation, x, y)
    every = [np.hypot(*(vertex - (x, y))) for _, _, ring in segmentation.rings() for vertex in ring]
    assert distance == pytest.approx(min(every))
    found = segmentation.ring(at.part, at.ring)[at.vertex]
    assert np.hypot(*(found - (x, y))) == pytest.approx(distance)


@settings(deadline=None, max_examples=40)
@given(stars(), st.floats(-5, 45), st.floats(-5, 25))
def test_the_nearest_edge_is_the_nearest_of_all(
    segmentation: Segmentation, x: float, y: float
) -> None:
    at, foot, distance = nearest_edge(segmentation, x, y)
    every = [LinearRing(ring).distance(Point(x, y)) for _, _, ring in segmentation.rings()]
    assert distance == pytest.approx(min(every))
    ring = segmentation.ring(at.part, at.ring)
    edge = LineString([ring[at.vertex], ring[(at.vertex + 1) % len(ring)]])
    assert edge.distance(Point(foot)) == pytest.approx(0, abs=1e-9)
    assert np.hypot(foot[0] - x, foot[1] - y) == pytest.approx(distance)


def test_an_edge_without_length_is_no_obstacle() -> None:
    doubled = Segmentation.from_rings([(0, 0), (4, 0), (4, 0), (4, 4), (0, 4)])
    at, foot, distance = nearest_edge(doubled, 7, 0)
    assert at.vertex in (0, 1, 2)
    assert (foot, distance) == ((4, 0), 3)


# Inside and outside


@settings(deadline=None, max_examples=40)
@given(stars(), st.lists(st.tuples(st.floats(0, 42), st.floats(0, 24)), min_size=5, max_size=5))
def test_inside_is_what_shapely_calls_inside(segmentation: Segmentation, points: Points) -> None:
    for x, y in points:
        if segmentation.geometry.boundary.distance(Point(x, y)) > 1e-9:
            assert segmentation.contains(x, y) == segmentation.geometry.contains(Point(x, y))


def test_a_point_in_a_hole_is_outside_and_one_in_any_part_is_inside() -> None:
    assert holed_square().contains(4, 4)
    assert not holed_square().contains(12, 12)
    assert in_two().contains(31, 3)
    island = Segmentation((*holed_square().parts, Part(as_ring(rectangle(10, 10, 14, 14)))))
    assert island.contains(12, 12)
    assert not island.contains(9, 9)


# Measures


def test_box_area_and_number_of_vertices() -> None:
    assert in_two().box == (2, 2, 40, 22)
    assert in_two().area == 20 * 20 - 8 * 8 + 10 * 7 / 2
    assert in_two().vertex_count == 4 + 4 + 3


def test_moving_an_outline_moves_its_holes() -> None:
    moved = in_two().translated(1.5, -2)
    assert corners(moved, 0, 1) == rectangle(9.5, 6, 17.5, 14)
    assert corners(moved, 1) == [(31.5, 0), (41.5, 0), (31.5, 7)]


# Keeping

any_float = st.floats(-1e6, 1e6, allow_subnormal=True)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.lists(
            st.lists(st.tuples(any_float, any_float), min_size=3, max_size=6, unique=True),
            min_size=1,
            max_size=3,
        ),
        min_size=1,
        max_size=3,
    )
)
def test_well_known_binary_brings_back_every_bit(rings_of_parts: list[list[Points]]) -> None:
    parts = [[as_ring(ring) for ring in rings] for rings in rings_of_parts]
    before = Segmentation(tuple(Part(outer, tuple(holes)) for outer, *holes in parts))
    after = segmentations_from_wkb([before.wkb])[0]
    assert [(p, r) for p, r, _ in after.rings()] == [(p, r) for p, r, _ in before.rings()]
    for (_, _, old), (_, _, new) in zip(before.rings(), after.rings(), strict=True):
        assert new.tobytes() == old.tobytes()
    assert after == before
    assert hash(after) == hash(before)
    assert before.wkb == shapely.to_wkb(before.geometry)


def test_the_smallest_change_makes_another_outline() -> None:
    before = holed_square()
    x = float(np.nextafter(16, 17))
    assert move_vertex(before, VertexIndex(0, 1, 1), x, 8) != before
    assert move_vertex(before, VertexIndex(0, 1, 1), 16, 8) == before


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"not well-known binary",
        struct.pack("<BI", 1, 6) + b"\x01",
        shapely.to_wkb(Point(1, 2)),
        shapely.to_wkb(Polygon(TRIANGLE)),
        shapely.to_wkb(shapely.MultiPolygon()),
        holed_square().wkb[:-3],
    ],
)
def test_what_is_no_stored_outline_is_refused(stored: bytes) -> None:
    with pytest.raises(UserError, match="outline"):
        segmentations_from_wkb([holed_square().wkb, stored])


def test_only_what_has_area_becomes_an_outline() -> None:
    mixed = GeometryCollection(
        [Point(1, 1), LineString([(0, 0), (9, 9)]), Polygon(TRIANGLE), in_two().geometry]
    )
    found = Segmentation.from_geometry(mixed)
    assert found is not None
    assert len(found.parts) == 3
    assert found.area == 8 + in_two().area
    assert Segmentation.from_geometry(LineString([(0, 0), (9, 9)])) is None
    assert Segmentation.from_geometry(Polygon()) is None


# Repair


@settings(deadline=None, max_examples=40)
@given(stars())
def test_a_sound_outline_is_left_alone(segmentation: Segmentation) -> None:
    assert repaired(segmentation, 24, 42) is segmentation


@settings(deadline=None, max_examples=70)
@example([([(0, 0), (0, 1), (1, 0)], [(0, 2), (0, 3), (-1, 0)])])
@example([([(0, 0), (0, 1), (0.5, 0)], [(0, 2), (1, 0), (42, 0)])])
@given(st.lists(st.tuples(rings(-20, 60), st.none() | rings(-20, 60)), min_size=1, max_size=2))
def test_a_repaired_outline_is_valid_and_inside_the_image(
    parts: list[tuple[Points, Points | None]],
) -> None:
    before = Segmentation(
        tuple(Part(as_ring(o), (as_ring(h),) if h is not None else ()) for o, h in parts)
    )
    after = repaired(before, 33, 41)
    sound = shapely.make_valid(before.geometry, method="structure", keep_collapsed=False)
    expected = sound.intersection(shapely.box(0, 0, 41, 33))
    if after is None:
        assert expected.area == pytest.approx(0, abs=1e-6)
        return
    assert after.geometry.is_valid
    x0, y0, x1, y1 = after.box
    assert x0 >= 0
    assert y0 >= 0
    assert x1 <= 41
    assert y1 <= 33
    assert after.geometry.symmetric_difference(expected).area == pytest.approx(0, abs=1e-6)
    assert repaired(after, 33, 41) is after


def test_an_outline_that_crosses_itself_becomes_two_parts() -> None:
    bow = Segmentation.from_rings([(0, 0), (10, 10), (10, 0), (0, 10)])
    mended = repaired(bow, 20, 20)
    assert mended is not None
    assert len(mended.parts) == 2
    assert mended.area == 50


def test_an_outline_over_the_edge_is_cut_at_the_edge() -> None:
    over = Segmentation.from_rings(star((10, 10), [14] * 40))
    cut = repaired(over, 20, 20)
    assert cut is not None
    assert cut.area < 400
    assert cut.box == (0, 0, 20, 20)


@pytest.mark.parametrize(
    "ring",
    [
        [(1, 1), (5, 5), (9, 9)],  # a line
        rectangle(50, 50, 60, 60),  # beside the image
        rectangle(-10, 0, 0, 20),  # along its edge
    ],
)
def test_nothing_is_left_of_what_has_no_area_in_the_image(ring: Points) -> None:
    assert repaired(Segmentation.from_rings(ring), 20, 20) is None
