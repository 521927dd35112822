"""Vertices swept away by a circle, and stretches of an outline drawn anew."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from annotation.shapes import places, rectangle, star, stars
from maskstudio.annotation.segmentation import (
    Part,
    Segmentation,
    VertexIndex,
    as_ring,
    repaired,
)
from maskstudio.annotation.vertices import (
    OutlinePlace,
    Redrawn,
    nearest_place,
    redrawn,
    swept,
    without_specks,
    without_vertices,
)

SQUARE = Segmentation.from_rings(rectangle(0, 0, 10, 10))
TWO = Segmentation(
    (
        Part(as_ring(rectangle(0, 0, 20, 20)), (as_ring(rectangle(5, 5, 15, 15)),)),
        Part(as_ring(rectangle(30, 0, 40, 10))),
    )
)
FIRST = VertexIndex(0, 0, 0)

Listed = list[list[list[list[float]]]]

spots = st.tuples(places(0, 45), places(0, 25))


def listed(segmentation: Segmentation | None) -> Listed:
    """Parts, their rings, the vertices of those."""
    assert segmentation is not None
    return [[ring.tolist() for ring in part.rings()] for part in segmentation.parts]


def vertices(ring: ArrayLike) -> set[tuple[float, ...]]:
    return {tuple(vertex) for vertex in np.asarray(ring).tolist()}


def mask(segmentation: Segmentation, *gone: int) -> NDArray[np.bool_]:
    """The vertices that go, by their number over all rings."""
    return np.isin(np.arange(segmentation.vertex_count), gone)


# Swept


def test_a_circle_takes_what_it_covers_and_what_lies_between_two_places() -> None:
    ring = Segmentation.from_rings([(0, 0), (5, 0), (10, 0), (10, 9), (5, 4), (0, 9)])
    assert swept(ring, (5, 2), (5, 2), 2.1).tolist() == [False, True, False, False, True, False]
    assert swept(ring, (0, 1), (10, 1), 1).tolist() == [True, True, True, False, False, False]
    assert swept(ring, (0, 1), (10, 1), 0.9).tolist() == [False] * 6
    # Beyond the ends it is a circle, not a square.
    assert swept(ring, (6, 1), (9, 1), 1.2).tolist() == [False] * 6
    assert swept(ring, (6, 1), (9, 1), 1.5).tolist() == [False, True, True, False, False, False]


def test_rings_follow_one_another() -> None:
    assert swept(TWO, (15, 15), (30, 0), 0).nonzero()[0].tolist() == [6, 8]


@given(stars(), spots, spots)
def test_it_is_as_if_many_circles_lay_on_the_way(
    outline: Segmentation, start: tuple[float, float], end: tuple[float, float]
) -> None:
    def under_any(radius: float) -> NDArray[np.bool_]:
        on_the_way = np.linspace(start, end, 40).tolist()
        some = [swept(outline, (x, y), (x, y), radius) for x, y in on_the_way]
        return np.asarray(np.any(some, axis=0))

    step = math.dist(start, end) / 39
    assert not (under_any(3) & ~swept(outline, start, end, 3 + 1e-9)).any()
    assert not (swept(outline, start, end, 3) & ~under_any(3 + step + 1e-9)).any()


# Without many vertices


def test_what_is_not_swept_stays_as_it_is() -> None:
    left = without_vertices(TWO, mask(TWO, 1))
    assert listed(left)[0] == [[[0, 0], [20, 20], [0, 20]], listed(TWO)[0][1]]
    assert left.parts[0].holes[0] is TWO.parts[0].holes[0]
    assert left.parts[1].outer is TWO.parts[1].outer


def test_a_hole_with_too_few_left_is_filled() -> None:
    left = without_vertices(TWO, mask(TWO, 4, 6))
    assert listed(left) == [[listed(TWO)[0][0]], listed(TWO)[1]]
    thinner = without_vertices(TWO, mask(TWO, 4))
    assert listed(thinner)[0][1] == [[15, 5], [15, 15], [5, 15]]


@pytest.mark.parametrize("gone", [*itertools.combinations(range(4), 2), (0, 1, 2), (0, 1, 2, 3)])
def test_an_outer_ring_keeps_three(gone: tuple[int, ...]) -> None:
    left = without_vertices(SQUARE, mask(SQUARE, *gone))
    (ring,) = listed(left)[0]
    corners = listed(SQUARE)[0][0]
    assert len(ring) == 3
    assert vertices(ring) <= vertices(corners)
    assert all(corners[number] in ring for number in range(4) if number not in gone)
    assert left.area == 50


def test_three_on_one_line_are_too_few() -> None:
    ring = Segmentation.from_rings([(0, 0), (5, 0), (10, 0), (10, 10), (4, 9)])
    left = without_vertices(ring, mask(ring, 3, 4))
    assert listed(left) == [[[[0, 0], [5, 0], [10, 0], [10, 10]]]]


def test_a_hole_outside_of_what_is_left_goes_with_the_vertices() -> None:
    hole = as_ring(rectangle(14, 14, 18, 18))
    corner = Segmentation((Part(as_ring(rectangle(0, 0, 20, 20)), (hole,)),))
    left = without_vertices(corner, mask(corner, 2))
    assert listed(left) == [[[[0, 0], [20, 0], [0, 20]]]]


@given(stars(), st.data())
def test_whatever_goes_every_part_stays_and_can_be_kept(
    outline: Segmentation, data: st.DataObject
) -> None:
    count = outline.vertex_count
    gone = np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    left = without_vertices(outline, gone)
    assert len(left.parts) == len(outline.parts)
    old = set().union(*(vertices(ring) for _, _, ring in outline.rings()))
    assert all(vertices(ring) <= old for _, _, ring in left.rings())
    kept = repaired(left, 50, 50)
    assert kept is not None
    assert kept.geometry.is_valid
    if not gone.any():
        assert left == outline


# A place on an outline


def test_a_vertex_in_reach_comes_before_an_edge() -> None:
    at_vertex = OutlinePlace(VertexIndex(0, 0, 1), (10, 0))
    assert nearest_place(SQUARE, FIRST, (8.5, 0.5), 2) == at_vertex
    assert nearest_place(SQUARE, FIRST, (6, 0.5), 2) == OutlinePlace(FIRST, (6, 0))
    assert nearest_place(SQUARE, FIRST, (5, 5), 2) is None


def test_only_the_ring_that_is_asked_for_counts() -> None:
    hole = VertexIndex(0, 1, 2)
    assert nearest_place(TWO, hole, (1, 1), 3) is None
    assert nearest_place(TWO, hole, (6, 10), 3) == OutlinePlace(VertexIndex(0, 1, 3), (5, 10))


# Redrawn


def at_vertex(segmentation: Segmentation, number: int, ring: int = 0) -> OutlinePlace:
    x, y = segmentation.ring(0, ring)[number].tolist()
    return OutlinePlace(VertexIndex(0, ring, number), (x, y))


def way(*points: tuple[float, float]) -> NDArray[np.float64]:
    return np.array(points, np.float64)


def test_the_shorter_stretch_goes_or_the_longer() -> None:
    start, end = at_vertex(SQUARE, 0), at_vertex(SQUARE, 1)
    bow = way((0, 0), (5, -3), (10, 0))
    new = redrawn(SQUARE, start, end, bow)
    assert listed(new.outline) == [[[[0, 0], [5, -3], [10, 0], [10, 10], [0, 10]]]]
    assert new.gone.tolist() == [[0, 0], [10, 0]]
    other = redrawn(SQUARE, start, end, bow, longer=True)
    assert listed(other.outline) == [[[[10, 0], [5, -3], [0, 0]]]]
    assert other.gone.tolist() == [[10, 0], [10, 10], [0, 10], [0, 0]]


def test_drawn_the_other_way_round_it_is_the_same_outline() -> None:
    bow = way((0, 0), (5, -3), (10, 0))
    forth = redrawn(SQUARE, at_vertex(SQUARE, 0), at_vertex(SQUARE, 1), bow)
    back = redrawn(SQUARE, at_vertex(SQUARE, 1), at_vertex(SQUARE, 0), bow[::-1])
    assert forth.outline is not None
    assert back.outline is not None
    for new in (forth.outline, back.outline):
        assert vertices(new.ring(0, 0)) == {(0, 0), (5, -3), (10, 0), (10, 10), (0, 10)}
        # The sense of the ring stays.
        assert new.geometry.geoms[0].exterior.is_ccw == SQUARE.geometry.geoms[0].exterior.is_ccw


@pytest.mark.parametrize("turned", [False, True])
def test_places_on_one_edge(turned: bool) -> None:
    start, end = OutlinePlace(FIRST, (2.0, 0.0)), OutlinePlace(FIRST, (6.0, 0.0))
    bow = way((2, 0), (4, 3), (6, 0))

    def drawn(*, longer: bool) -> Redrawn:
        if turned:
            return redrawn(SQUARE, end, start, bow[::-1], longer=longer)
        return redrawn(SQUARE, start, end, bow, longer=longer)

    dented, triangle = drawn(longer=False), drawn(longer=True)
    assert dented.outline is not None
    assert triangle.outline is not None
    assert dented.outline.area == 100 - 6
    assert vertices(dented.outline.ring(0, 0)) == {*rectangle(0, 0, 10, 10), *map(tuple, bow)}
    assert triangle.outline.area == 6
    assert len(triangle.gone) == 6


def test_a_straight_line_cuts_a_corner_off_and_along_an_edge_nothing_is_left() -> None:
    straight = redrawn(SQUARE, at_vertex(SQUARE, 0), at_vertex(SQUARE, 2), way((0, 0), (10, 10)))
    assert len(listed(straight.outline)[0][0]) == 3
    on_edge = OutlinePlace(FIRST, (6.0, 0.0))
    none = redrawn(SQUARE, at_vertex(SQUARE, 0), on_edge, way((0, 0), (6, 0)), longer=True)
    assert none.outline is None


def test_a_hole_is_redrawn_and_everything_else_stays() -> None:
    bow = way((5, 5), (10, 8), (15, 5))
    new = redrawn(TWO, at_vertex(TWO, 0, ring=1), at_vertex(TWO, 1, ring=1), bow)
    assert listed(new.outline)[0][1] == [[5, 5], [10, 8], [15, 5], [15, 15], [5, 15]]
    assert listed(new.outline)[0][0] == listed(TWO)[0][0]
    assert listed(new.outline)[1] == listed(TWO)[1]


def test_a_hole_in_what_is_cut_away_goes_too() -> None:
    hole = as_ring(rectangle(14, 4, 18, 18))
    outline = Segmentation((Part(as_ring(rectangle(0, 0, 20, 20)), (hole,)),))
    start = OutlinePlace(FIRST, (10.0, 0.0))
    end = OutlinePlace(VertexIndex(0, 0, 2), (10.0, 20.0))
    halves = [
        redrawn(outline, start, end, way((10, 0), (10, 20)), longer=longer).outline
        for longer in (False, True)
    ]
    assert sorted(len(listed(half)[0]) for half in halves) == [1, 2]


def test_specks_go_but_not_those_that_were_there_before() -> None:
    tiny = as_ring(rectangle(50, 50, 50.5, 50.5))
    pinhole = as_ring(rectangle(2, 2, 2.5, 2.5))
    before = Segmentation((Part(as_ring(rectangle(0, 0, 10, 10)), (pinhole,)), Part(tiny)))
    turned = Part(as_ring(rectangle(0, 0, 10, 12)), (as_ring(pinhole[::-1]),))
    loops = Part(turned.outer, (*turned.holes, as_ring(rectangle(5, 5, 5.5, 5.5))))
    outside = Part(as_ring(rectangle(20, 20, 20.5, 20.5)))
    rolled = Part(as_ring(np.roll(tiny, 1, axis=0)))
    after = without_specks(Segmentation((loops, outside, rolled)), before, 1)
    assert after == Segmentation((turned, rolled))
    assert without_specks(Segmentation((outside,)), before, 1) == Segmentation((outside,))


def length(line: ArrayLike) -> float:
    points: Sequence[Sequence[float]] = np.asarray(line).tolist()
    return sum(math.dist(a, b) for a, b in itertools.pairwise(points))


@given(stars(), st.integers(0, 1), spots, spots, st.lists(spots, max_size=5), st.booleans())
def test_whatever_is_drawn_the_rest_keeps_its_coordinates(
    outline: Segmentation,
    part: int,
    begun: tuple[float, float],
    ended: tuple[float, float],
    between: list[tuple[float, float]],
    longer: bool,
) -> None:
    on = VertexIndex(part, 0, 0)
    start, end = (nearest_place(outline, on, spot, math.inf) for spot in (begun, ended))
    assert start is not None
    assert end is not None
    assume(start.point != end.point)
    ring = outline.ring(part, 0)
    line = way(start.point, *between, end.point)
    new, other = (redrawn(outline, start, end, line, longer=side) for side in (longer, not longer))
    assert (length(new.gone) >= length(other.gone) - 1e-9) or not longer
    assert length(new.gone) + length(other.gone) == pytest.approx(length([*ring, ring[0]]))
    assume(new.outline is not None)
    assert new.outline is not None
    after = vertices(new.outline.ring(part, 0))
    assert vertices(ring) - vertices(new.gone[1:-1]) <= after | {start.point, end.point}
    assert vertices(line) <= after
    assert new.outline.parts[1 - part] is outline.parts[1 - part]
    kept = repaired(new.outline, 50, 50)
    assert kept is None or kept.geometry.is_valid


def test_thousands_of_vertices() -> None:
    radii = [400 + 20 * math.sin(number / 9) for number in range(6000)]
    many = Segmentation.from_rings(star((500, 500), radii))
    gone = swept(many, (500, 100), (900, 500), 60)
    left = without_vertices(many, gone)
    assert 0 < left.vertex_count == 6000 - int(gone.sum()) < 5900
