"""Outlines cut at their neighbours: nothing overlaps, nothing is lost, borders are one."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from annotation.shapes import holed_square, places, rectangle, rings, star, stars
from maskstudio.annotation.borders import noded, overlap, snapped, trimmed
from maskstudio.annotation.segmentation import Part, Segmentation, as_ring, repaired

SQUARE = Segmentation.from_rings(rectangle(0, 0, 10, 10))
RIGHT = Segmentation.from_rings(rectangle(8, 2, 20, 8))
APART = Segmentation.from_rings(rectangle(30, 30, 40, 40))
SIDE = 60


def vertices(*segmentations: Segmentation) -> set[tuple[float, ...]]:
    return {tuple(v) for s in segmentations for _, _, ring in s.rings() for v in ring.tolist()}


def edges(segmentation: Segmentation) -> set[frozenset[tuple[float, ...]]]:
    return {
        frozenset((tuple(a), tuple(b)))
        for _, _, ring in segmentation.rings()
        for a, b in zip(ring.tolist(), np.roll(ring, -1, axis=0).tolist(), strict=True)
    }


@st.composite
def outlines(draw: st.DrawFn) -> Segmentation:
    """Valid outlines in a small image: drawn by any hand, or with a hole and a second part."""
    if draw(st.booleans()):
        x, y = draw(places(0, 20)), draw(places(0, 20))
        return draw(stars()).translated(x, y)
    # As a mouse gives them: a vertex 1e-255 of a pixel beside another is the same one when moved.
    ring = np.round(draw(rings(0, SIDE)), 9) + 0.0
    assume(not np.array_equal(ring[0], ring[-1]))
    drawn = repaired(Segmentation.from_rings(ring), SIDE, SIDE)
    assume(drawn is not None and drawn.area > 1e-3)
    assert drawn is not None
    return drawn


@settings(deadline=None, max_examples=60)
@given(outlines(), st.lists(outlines(), min_size=1, max_size=3))
def test_after_trimming_nothing_overlaps_and_nothing_is_lost(
    drawn: Segmentation, neighbours: list[Segmentation]
) -> None:
    ground = shapely.union_all([s.geometry for s in (drawn, *neighbours)])
    cut = trimmed(drawn, neighbours)
    if cut is None:
        together = shapely.union_all([n.geometry for n in neighbours])
        assert shapely.difference(drawn.geometry, together).area < 1e-4
        return
    finer = [noded(n, [cut]) for n in neighbours]
    assert cut.geometry.is_valid
    assert all(len(ring) >= 3 for _, _, ring in cut.rings())
    for old, new in zip(neighbours, finer, strict=True):
        assert new.geometry.is_valid
        assert shapely.intersection(cut.geometry, new.geometry).area < 1e-6
        assert vertices(old) <= vertices(new)
        assert new.area == pytest.approx(old.area, abs=1e-6)
        assert vertices(new) - vertices(old) <= vertices(cut)
    now = shapely.union_all([s.geometry for s in (cut, *finer)])
    # What is thinner than a millionth of a pixel is dropped, along 200 pixels of border at most.
    assert now.area == pytest.approx(ground.area, abs=1e-4)


@settings(deadline=None, max_examples=60)
@given(outlines(), outlines())
def test_what_lies_apart_is_not_touched(drawn: Segmentation, other: Segmentation) -> None:
    far = other.translated(SIDE + 100, 0)
    assert trimmed(drawn, [far]) is drawn
    assert noded(far, [drawn]) is far


@settings(deadline=None, max_examples=60)
@given(outlines(), outlines())
def test_trimming_twice_changes_nothing_more(drawn: Segmentation, other: Segmentation) -> None:
    cut = trimmed(drawn, [other])
    assume(cut is not None)
    assert cut is not None
    again = trimmed(cut, [noded(other, [cut])])
    assert again is not None
    assert again.area == pytest.approx(cut.area, abs=1e-4)


def test_the_border_is_one_and_the_same_for_both() -> None:
    bulge = Segmentation.from_rings([(5, 2), (12, 1), (15, 5), (12, 9), (5, 8)])
    cut = trimmed(bulge, [SQUARE])
    assert cut is not None
    finer = noded(SQUARE, [cut])
    assert len(edges(cut) & edges(finer)) == 1
    ((a, b),) = edges(cut) & edges(finer)
    assert a[0] == b[0] == 10
    assert vertices(finer) == vertices(SQUARE) | {a, b}


def test_the_neighbours_vertices_are_taken_along_the_border() -> None:
    round_one = Segmentation.from_rings(star((10, 10), [6] * 30))
    cut = trimmed(Segmentation.from_rings(rectangle(10, 0, 40, 20)), [round_one])
    assert cut is not None
    finer = noded(round_one, [cut])
    common = edges(cut) & edges(finer)
    length = sum(math.dist(*edge) for edge in common)
    assert length == pytest.approx(shapely.LineString(round_one.parts[0].outer).length / 2, rel=0.1)
    assert len(vertices(cut) & vertices(round_one)) >= 15


def test_a_vertex_put_on_an_edge_by_hand_leaves_no_sliver() -> None:
    slanted = Segmentation.from_rings([(0, 0), (30, 7.1), (20, 30)])
    found = [snapped([slanted], x, y, 2) for x, y in ((9.3, 2), (21.7, 5))]
    on_edge = [point for point in found if point is not None]
    assert len(on_edge) == 2
    cut = trimmed(Segmentation.from_rings([*on_edge, (25, 0), (8, -3)]), [slanted])
    assert cut is not None
    finer = noded(slanted, [cut])
    assert len(cut.parts) == 1
    assert vertices(finer) - vertices(slanted) == set(on_edge)
    assert len(edges(cut) & edges(finer)) == 1


def test_what_only_touches_a_neighbour_gets_its_vertices_too() -> None:
    beside = Segmentation.from_rings(rectangle(10, 2, 20, 8))
    assert trimmed(beside, [SQUARE]) == beside
    assert vertices(noded(SQUARE, [beside])) == vertices(SQUARE) | {(10, 2), (10, 8)}


def test_inside_a_neighbour_nothing_is_left_and_around_one_a_hole() -> None:
    inner = Segmentation.from_rings(rectangle(4, 4, 6, 6))
    assert trimmed(inner, [SQUARE]) is None
    cut = trimmed(SQUARE, [inner])
    assert cut is not None
    assert len(cut.parts[0].holes) == 1
    assert vertices(cut) == vertices(SQUARE, inner)


def test_in_the_hole_of_a_neighbour_there_is_room() -> None:
    ring = holed_square()
    inner = Segmentation.from_rings(rectangle(9, 9, 15, 15))
    assert trimmed(inner, [ring]) is inner
    over = trimmed(Segmentation.from_rings(rectangle(5, 9, 15, 15)), [ring])
    assert over is not None
    assert over.box == (8, 9, 15, 15)


def test_parts_that_meet_no_neighbour_keep_their_every_bit() -> None:
    far = as_ring(star((50, 50), [3.1, 4.7, 5.3, 3.9, 4.1]))
    cut = trimmed(Segmentation((*RIGHT.parts, Part(far))), [SQUARE])
    assert cut is not None
    assert any(part.outer is far for part in cut.parts)


def test_two_outlines_that_share_a_border_do_not_overlap() -> None:
    assert overlap(SQUARE, RIGHT)
    assert not overlap(SQUARE, Segmentation.from_rings(rectangle(10, 0, 20, 10)))
    assert not overlap(SQUARE, APART)


@pytest.mark.parametrize(
    ("point", "found"),
    [
        ((9.5, 9.2), (10, 10)),
        ((10.4, 5), (10, 5)),
        ((9, 5), (10, 5)),
        ((5, 5), None),
        ((10.9, 1.5), (10, 1.5)),
    ],
)
def test_a_point_snaps_to_a_vertex_before_an_edge(
    point: tuple[float, float], found: tuple[float, float] | None
) -> None:
    assert snapped([APART, SQUARE], *point, 1.2) == found
    assert snapped([], *point, 1.2) is None


def test_the_closest_of_several_neighbours_is_taken() -> None:
    other = Segmentation.from_rings(rectangle(11, 0, 20, 10))
    for neighbours in ([SQUARE, other], [other, SQUARE]):
        assert snapped(neighbours, 10.4, 0.1, 2) == (10, 0)
        assert snapped(neighbours, 10.6, 5, 2) == (11, 5)


def test_a_vertex_that_two_neighbours_share_is_inserted_once() -> None:
    above = Segmentation.from_rings(rectangle(10, 0, 20, 4))
    below = Segmentation.from_rings(rectangle(10, 4, 20, 8))
    finer = noded(SQUARE, [above, below])
    assert vertices(finer) - vertices(SQUARE) == {(10, 4), (10, 8)}
    assert finer.vertex_count == 6


@pytest.mark.parametrize("many", [1, 60])
def test_a_neighbour_that_crosses_itself_is_cut_at_like_any_other(many: int) -> None:
    turns = [(5, 0), (15, 10), (15, 0), (5, 10)]
    finely = [
        (a[0] + (b[0] - a[0]) * k / many, a[1] + (b[1] - a[1]) * k / many)
        for a, b in zip(turns, turns[1:] + turns[:1], strict=True)
        for k in range(many)
    ]
    bow_tie = Segmentation.from_rings(finely)
    assert not bow_tie.geometry.is_valid
    assert overlap(SQUARE, bow_tie)
    cut = trimmed(SQUARE, [bow_tie])
    assert cut is not None
    assert cut.area == pytest.approx(100 - 25, abs=1e-6)
    assert noded(bow_tie, [cut]) is bow_tie
    again = trimmed(bow_tie, [SQUARE])
    assert again is not None
    assert again.area == pytest.approx(25, abs=1e-6)
