"""Outlines merged into the parts of one, and holes filled."""

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.shapes import holed_square, places, rectangle, star, stars
from maskstudio.annotation.regions import added, holes_filled, merged, split_parts
from maskstudio.annotation.segmentation import Part, Segmentation, as_ring

SQUARE = Segmentation.from_rings(rectangle(0, 0, 10, 10))
APART = Segmentation.from_rings(rectangle(30, 30, 40, 40))
BOW_TIE = Segmentation.from_rings([(0, 0), (4, 4), (4, 0), (0, 4)])


def test_what_lies_apart_is_merged_to_the_bit_and_split_again() -> None:
    uneven = Segmentation.from_rings(star((60, 20), [3.1, 4.7, 5.3, 3.9, 4.1]))
    whole = merged([holed_square(), APART, uneven])
    assert whole is not None
    parts = [part for one in (holed_square(), APART, uneven) for part in one.parts]
    for kept, part in zip(whole.parts, parts, strict=True):
        for new, old in zip(kept.rings(), part.rings(), strict=True):
            assert new.tolist() == old.tolist()
    assert set(split_parts(whole)) == {holed_square(), APART, uneven}


def test_parts_that_meet_at_a_corner_stay_two_those_that_share_an_edge_do_not() -> None:
    corner = Segmentation.from_rings(rectangle(10, 10, 20, 20))
    beside = Segmentation.from_rings(rectangle(10, 0, 20, 10))
    at_corner, along_edge = merged([SQUARE, corner]), merged([SQUARE, beside, APART])
    assert at_corner is not None
    assert along_edge is not None
    assert at_corner.parts[0] is SQUARE.parts[0]
    assert at_corner.parts[1] is corner.parts[0]
    assert len(along_edge.parts) == 2
    assert along_edge.parts[1] is APART.parts[0]
    assert along_edge.area == 300


def test_a_chain_of_overlaps_becomes_one_part() -> None:
    chain = [Segmentation.from_rings(rectangle(x, 0, x + 10, 10)) for x in (0, 16, 8)]
    whole = merged(chain)
    assert whole is not None
    assert len(whole.parts) == 1
    assert whole.area == 260


def test_a_part_within_a_hole_stays_a_part() -> None:
    island = Segmentation.from_rings(rectangle(10, 10, 14, 14))
    whole = merged([holed_square(), island])
    assert whole is not None
    assert [len(part.holes) for part in whole.parts] == [1, 0]
    assert whole.area == holed_square().area + 16


def test_what_crosses_itself_is_merged_made_valid_and_what_has_no_area_is_left_out() -> None:
    flat = Segmentation.from_rings([(50, 50), (60, 50), (55, 50)])
    whole = merged([BOW_TIE, flat, APART])
    assert whole is not None
    assert whole.geometry.is_valid
    assert whole.area == 8 + 100
    assert merged([flat]) is None


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(stars(), places(0, 60), places(0, 60)), min_size=1, max_size=4))
def test_merging_is_valid_loses_nothing_and_keeps_what_stands_alone(
    placed: list[tuple[Segmentation, float, float]],
) -> None:
    outlines = [outline.translated(x, y) for outline, x, y in placed]
    whole = merged(outlines)
    assert whole is not None
    assert whole.geometry.is_valid
    union = shapely.union_all([o.geometry for o in outlines])
    assert whole.area == pytest.approx(union.area, abs=1e-4)
    parts = [part for outline in outlines for part in outline.parts]
    shapes = [shapely.Polygon(part.outer, part.holes) for part in parts]
    for number, part in enumerate(parts):
        others = shapely.union_all([s for n, s in enumerate(shapes) if n != number])
        if shapely.disjoint(shapes[number], others):
            assert any(part is kept for kept in whole.parts)


def test_every_hole_is_filled_and_what_lay_in_one_goes_with_it() -> None:
    island = as_ring(rectangle(10, 10, 14, 14))
    filled = holes_filled(Segmentation((*holed_square().parts, Part(island), *APART.parts)))
    assert [part.holes for part in filled.parts] == [(), ()]
    assert filled.parts[0].outer is not island
    assert filled.parts[1].outer is APART.parts[0].outer
    assert filled.area == 400 + 100


def test_without_a_hole_the_very_same_comes_back() -> None:
    assert holes_filled(APART) is APART


@given(stars())
def test_filling_keeps_the_outer_rings(outline: Segmentation) -> None:
    filled = holes_filled(outline)
    assert filled.geometry.is_valid
    assert all(
        new.outer is old.outer and not new.holes
        for new, old in zip(filled.parts, outline.parts, strict=True)
    )


def test_adding_keeps_parts_that_are_not_near() -> None:
    both = Segmentation((*SQUARE.parts, *APART.parts))
    larger = added(both, Segmentation.from_rings(rectangle(5, 5, 15, 15)))
    assert larger is not None
    assert larger.area == 175 + 100
    assert any(part.outer is APART.parts[0].outer for part in larger.parts)
    inner = Segmentation.from_rings(rectangle(2, 2, 4, 4))
    assert added(both, inner) is both
