"""Regions put together and cut apart: valid, exact, and nothing changed that was not touched."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from annotation.shapes import Points, holed_square, places, rectangle, star, stars
from maskstudio.annotation.regions import (
    brushed,
    cut,
    hole_filled,
    intersected,
    split_parts,
    subtracted,
    united,
)
from maskstudio.annotation.segmentation import Part, Segmentation, as_ring, repaired

SQUARE = Segmentation.from_rings(rectangle(0, 0, 10, 10))
SHIFTED = Segmentation.from_rings(rectangle(6, 4, 16, 14))
BOW = Segmentation.from_rings([(0, 0), (10, 10), (10, 0), (0, 10)])
FLAT = Segmentation.from_rings([(0, 0), (5, 0), (10, 0)])
ISLAND = Segmentation(
    (
        *holed_square().parts,
        Part(as_ring(rectangle(9, 9, 15, 15)), (as_ring(rectangle(11, 11, 13, 13)),)),
    )
)


coordinates = st.one_of(places(-5, 45), st.integers(-5, 45).map(float))
strokes = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=8)
radii = st.floats(0.5, 12)


def vertices(segmentation: Segmentation | None) -> set[tuple[float, float]]:
    rings = segmentation.rings() if segmentation else ()
    return {(float(x), float(y)) for _, _, ring in rings for x, y in ring}


def area(segmentation: Segmentation | None) -> float:
    return segmentation.area if segmentation else 0.0


def shared(a: Segmentation, b: Segmentation) -> float:
    return float(a.geometry.intersection(b.geometry).area)


def holes(segmentation: Segmentation | None) -> int:
    return sum(len(part.holes) for part in segmentation.parts) if segmentation else 0


def assert_sound(*segmentations: Segmentation | None) -> None:
    for segmentation in segmentations:
        if segmentation is not None:
            assert segmentation.geometry.is_valid
            assert all(shapely.Polygon(part.outer).area > 0 for part in segmentation.parts)


# The brush


@settings(deadline=None, max_examples=80)
@given(stars(), strokes, radii, st.booleans())
def test_a_stroke_leaves_a_valid_outline_and_its_area_adds_up(
    before: Segmentation, stroke: Points, radius: float, erase: bool
) -> None:
    ground = brushed(None, stroke, radius)
    assert ground is not None
    after = brushed(before, stroke, radius, erase=erase)
    assert_sound(ground, after)
    taken = shared(before, ground)
    expected = before.area - taken if erase else before.area + ground.area - taken
    assert area(after) == pytest.approx(expected, abs=1e-3)
    if after is not None:
        assert repaired(after, 200, 200) is after or min(after.box) < 0


@settings(deadline=None, max_examples=80)
@given(stars(), strokes, radii, st.booleans())
def test_vertices_the_stroke_does_not_reach_stay_to_the_last_bit(
    before: Segmentation, stroke: Points, radius: float, erase: bool
) -> None:
    ground = brushed(None, stroke, radius)
    assert ground is not None
    after = vertices(brushed(before, stroke, radius, erase=erase))
    away = {v for v in vertices(before) if ground.geometry.distance(Point(v)) > 1e-6}
    assert away <= after
    of_ground = vertices(ground)
    for vertex in after - vertices(before) - of_ground:
        assert before.geometry.boundary.distance(Point(vertex)) < 1e-6
        assert ground.geometry.boundary.distance(Point(vertex)) < 1e-6


@pytest.mark.parametrize("erase", [False, True])
def test_parts_the_stroke_does_not_reach_stay_the_same(erase: bool) -> None:
    beside = Segmentation((*holed_square().parts, Part(as_ring(rectangle(30, 2, 40, 9)))))
    after = brushed(beside, [(35, 9)], 3, erase=erase)
    assert after is not None
    assert after.parts[0] is beside.parts[0]


@pytest.mark.parametrize(
    ("stroke", "erase"),
    [([(5, 5)], False), ([(4.5, 5), (5, 18)], False), ([(12, 12)], True), ([(60, 60)], True)],
)
def test_a_stroke_that_changes_nothing_gives_the_very_same_outline(
    stroke: Points, erase: bool
) -> None:
    before = holed_square()
    assert brushed(before, stroke, 2, erase=erase) is before


def test_a_hole_stays_under_a_stroke_beside_it_and_is_filled_by_one_across() -> None:
    before = holed_square()
    beside = brushed(before, [(22, 4), (22, 20)], 3)
    assert beside is not None
    assert beside.parts[0].holes[0].tolist() in [
        np.roll(ring, k, axis=0).tolist()
        for ring in (before.ring(0, 1), before.ring(0, 1)[::-1])
        for k in range(4)
    ]
    assert holes(brushed(before, [(4, 12), (20, 12)], 6)) == 0
    across = brushed(before, [(4, 12), (20, 12)], 1)
    assert holes(across) == 2


def test_erasing_in_the_middle_makes_a_hole_and_erasing_across_makes_two_parts() -> None:
    assert holes(brushed(SQUARE, [(5, 5)], 2, erase=True)) == 1
    halves = brushed(SQUARE, [(5, -5), (5, 15)], 1, erase=True)
    assert halves is not None
    assert len(halves.parts) == 2
    assert halves.area == pytest.approx(80)


def test_nothing_is_left_of_what_is_erased_whole_or_not_there() -> None:
    assert brushed(SQUARE, [(5, 5)], 20, erase=True) is None
    assert brushed(None, [(5, 5)], 20, erase=True) is None


def test_a_loop_keeps_its_inside_but_not_a_speck() -> None:
    loop = [(5, 5), (45, 5), (45, 45), (5, 45), (5, 5)]
    assert holes(brushed(None, loop, 3)) == 1
    assert holes(brushed(None, loop, 19.6)) == 0


@pytest.mark.parametrize("radius", [0.5, 3, 20, 100, 250])
def test_a_dab_is_round_with_few_corners(radius: float) -> None:
    dab = brushed(None, [(300, 300), (300, 300)], radius)
    assert dab is not None
    assert 8 <= dab.vertex_count <= 64
    assert math.pi * (radius - 0.5) ** 2 < dab.area <= math.pi * radius**2
    assert dab.box == pytest.approx(
        (300 - radius, 300 - radius, 300 + radius, 300 + radius), abs=0.01
    )


def test_a_long_shaky_stroke_has_few_corners() -> None:
    along = np.linspace(0, 1000, 3000)
    shaky = np.stack([along, 50 + 0.1 * np.sin(17 * along)], axis=1)
    drawn = brushed(None, shaky, 15)
    assert drawn is not None
    assert drawn.vertex_count < 60


def test_an_outline_that_crosses_itself_is_made_valid_first() -> None:
    after = brushed(BOW, [(20, 5)], 3)
    assert_sound(after)
    assert area(after) > 50
    dab = area(brushed(None, [(20, 5)], 3))
    assert area(brushed(FLAT, [(20, 5)], 3)) == pytest.approx(dab)
    assert brushed(FLAT, [(5, 5)], 3, erase=True) is None


# Put together


@settings(deadline=None, max_examples=60)
@given(stars(), stars(), places(-12, 12), places(-12, 12))
def test_areas_of_two_outlines_add_up(
    a: Segmentation, b: Segmentation, dx: float, dy: float
) -> None:
    # Not almost the same place: what is thinner than a millionth of a pixel is dropped.
    b = b.translated(round(dx, 3), round(dy, 3))
    both = [a, b]
    together, common = united(both), intersected(both)
    only_a, only_b = subtracted(a, [b]), subtracted(b, [a])
    assert_sound(together, common, only_a, only_b)
    assert area(common) == pytest.approx(shared(a, b), abs=1e-6)
    assert area(together) == pytest.approx(a.area + b.area - area(common), abs=1e-6)
    assert area(only_a) == pytest.approx(a.area - area(common), abs=1e-6)
    assert area(together) == pytest.approx(area(only_a) + area(only_b) + area(common), abs=1e-6)


@settings(deadline=None, max_examples=60)
@given(stars(), stars(), places(-12, 12))
def test_only_crossings_make_new_vertices(a: Segmentation, b: Segmentation, dx: float) -> None:
    b = b.translated(dx, 1.5)
    old = vertices(a) | vertices(b)
    for made in (united([a, b]), intersected([a, b]), subtracted(a, [b])):
        for vertex in vertices(made) - old:
            assert a.geometry.boundary.distance(Point(vertex)) < 1e-6
            assert b.geometry.boundary.distance(Point(vertex)) < 1e-6
    apart = {v for v in vertices(a) if b.geometry.distance(Point(v)) > 1e-6}
    assert apart <= vertices(united([a, b]))
    assert apart <= vertices(subtracted(a, [b]))


def test_holes_are_kept_where_nothing_fills_them() -> None:
    far = SQUARE.translated(40, 0)
    together = united([holed_square(), far])
    assert together is not None
    assert len(together.parts) == 2
    assert holes(together) == 1
    assert area(united([holed_square(), ISLAND])) == area(ISLAND)
    assert holes(subtracted(SQUARE, [SQUARE.translated(30, 0)])) == 0
    assert holes(subtracted(SQUARE, [Segmentation.from_rings(rectangle(3, 3, 6, 6))])) == 1


def test_what_is_common_to_three_is_common_to_all() -> None:
    third = Segmentation.from_rings(rectangle(7, 0, 9, 20))
    common = intersected([SQUARE, SHIFTED, third])
    assert common is not None
    assert list(common.box) == [7, 4, 9, 10]
    assert intersected([SQUARE, SHIFTED, third, SQUARE.translated(-20, 0)]) is None


def test_touching_along_an_edge_leaves_no_sliver() -> None:
    beside = SQUARE.translated(10, 0)
    assert intersected([SQUARE, beside]) is None
    together = united([SQUARE, beside])
    assert together is not None
    assert len(together.parts) == 1
    assert subtracted(SQUARE, [beside]) is SQUARE
    assert subtracted(SQUARE, [SQUARE]) is None


def test_a_part_that_only_rounding_left_vanishes() -> None:
    almost = Segmentation.from_rings([(0, 0), (10, 0), (10, 10), (1e-9, 10)])
    assert subtracted(SQUARE, [almost]) is None
    assert subtracted(SQUARE, [Segmentation.from_rings(rectangle(0.01, 0, 10, 10))]) is not None


def test_what_crosses_itself_or_is_flat_is_no_obstacle() -> None:
    assert area(united([BOW, FLAT])) == 50
    assert area(subtracted(SQUARE, [BOW, FLAT])) == 50
    assert area(intersected([SQUARE, BOW])) == 50
    assert intersected([SQUARE, FLAT]) is None
    assert united([FLAT]) is None


# Cut apart


@settings(deadline=None, max_examples=80)
@given(stars(), st.lists(st.tuples(coordinates, coordinates), min_size=2, max_size=5))
def test_pieces_are_valid_do_not_overlap_and_add_up(before: Segmentation, line: Points) -> None:
    pieces = cut(before, line)
    assert_sound(*pieces)
    assert sum(piece.area for piece in pieces) == pytest.approx(before.area, abs=1e-6)
    for n, piece in enumerate(pieces):
        assert all(shared(piece, other) < 1e-6 for other in pieces[:n])
    if len(pieces) == 1:
        assert pieces[0] is before
        return
    made = set().union(*(vertices(piece) for piece in pieces))
    assert vertices(before) <= made
    knife = shapely.LineString(line)
    for vertex in made - vertices(before):
        assert knife.distance(Point(vertex)) < 1e-6


@settings(deadline=None, max_examples=40)
@given(stars(), places(0, math.pi))
def test_a_line_right_across_cuts_every_part_it_meets(before: Segmentation, angle: float) -> None:
    dx, dy = 100 * math.cos(angle), 100 * math.sin(angle)
    pieces = cut(before, [(10 - dx, 10 - dy), (10 + dx, 10 + dy)])
    # It goes through the middle of the hole, so the hole opens on both sides.
    assert len(pieces) >= 2
    assert all(holes(piece) == 0 for piece in pieces)


def test_a_hole_beside_the_line_stays_a_hole() -> None:
    larger, smaller = cut(holed_square(), [(5, -5), (5, 50)])
    assert larger.area == 17 * 20 - 8 * 8
    assert holes(larger) == 1
    assert holes(smaller) == 0
    assert smaller.area == 3 * 20


def test_parts_that_were_not_cut_stay_with_the_largest_piece() -> None:
    both = Segmentation((*SQUARE.parts, Part(as_ring(rectangle(30, 2, 40, 9)))))
    larger, smaller = cut(both, [(3, -1), (3, 11)])
    assert list(larger.box) == [3, 0, 40, 10]
    assert larger.parts[1] is both.parts[1]
    assert list(smaller.box) == [0, 0, 3, 10]


@pytest.mark.parametrize(
    "line",
    [
        [(20, 20), (30, 30)],  # beside it
        [(3, -1), (3, 5)],  # ends inside
        [(3, 4), (7, 4)],  # begins and ends inside
        [(0, -5), (0, 15)],  # along an edge
        [(-5, 5), (5, -5)],  # through a corner
        [(3, 3), (3, 3)],  # no line
        [(3, 3)],
    ],
)
def test_a_line_that_does_not_cross_gives_the_very_same_outline(line: Points) -> None:
    assert cut(SQUARE, line)[0] is SQUARE
    assert len(cut(SQUARE, line)) == 1


def test_a_line_that_crosses_itself_cuts_out_its_loop() -> None:
    loop = [(-2, 5), (8, 5), (8, 8), (4, 8), (4, 2)]
    pieces = cut(SQUARE, loop)
    assert [piece.area for piece in pieces] == [88, 12]
    assert holes(pieces[0]) == 1


def test_cutting_what_crosses_itself_or_is_flat() -> None:
    pieces = cut(BOW, [(-1, 8), (11, 8)])
    assert [piece.area for piece in pieces] == pytest.approx([23, 23, 2, 2])
    assert cut(FLAT, [(5, -5), (5, 5)]) == [FLAT]


@settings(deadline=None, max_examples=20)
@given(stars())
def test_every_part_becomes_an_outline_with_its_holes(before: Segmentation) -> None:
    parts = split_parts(before)
    assert [len(part.parts) for part in parts] == [1, 1]
    assert {id(part.parts[0]) for part in parts} == {id(part) for part in before.parts}
    assert parts[0].area >= parts[1].area


# Holes


def test_the_hole_under_a_point_is_filled_and_what_lies_in_it_goes() -> None:
    filled = hole_filled(holed_square(), 12, 12)
    assert filled == Segmentation.from_rings(rectangle(2, 2, 22, 22))
    assert hole_filled(ISLAND, 8.5, 8.5) == filled


def test_of_holes_in_one_another_the_innermost_is_filled() -> None:
    filled = hole_filled(ISLAND, 12, 12)
    assert len(filled.parts) == 2
    assert [len(part.holes) for part in filled.parts] == [1, 0]


@pytest.mark.parametrize("point", [(4, 4), (50, 50), (10, 10)])
def test_where_there_is_no_hole_nothing_is_filled(point: tuple[float, float]) -> None:
    assert hole_filled(ISLAND, *point) is ISLAND


@settings(deadline=None, max_examples=20)
@given(stars())
def test_filling_the_only_hole_adds_its_area(before: Segmentation) -> None:
    hole = shapely.Polygon(before.ring(0, 1))
    assume(hole.contains(Point(10, 10)))
    filled = hole_filled(before, 10, 10)
    assert_sound(filled)
    assert filled.area == pytest.approx(before.area + hole.area)
    assert filled.parts[1] is before.parts[1]


def test_a_large_outline_keeps_its_many_vertices() -> None:
    large = Segmentation.from_rings(star((500, 500), [400.0, 380.0] * 3000))
    after = brushed(large, [(880, 500), (920, 500)], 20)
    assert after is not None
    assert len(vertices(large) - vertices(after)) < 200
