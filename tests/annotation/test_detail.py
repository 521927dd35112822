"""Fewer vertices and more: what it costs is told, and nothing else is lost."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from annotation.shapes import Points, holed_square, rectangle, rings, star, stars
from maskstudio.annotation.detail import with_detail
from maskstudio.annotation.segmentation import Part, Segmentation, as_ring

SIZE = (50, 50)
LEVELS = st.integers(-100, 100).map(lambda step: step / 100)


def vertices(segmentation: Segmentation) -> set[tuple[float, ...]]:
    return {tuple(v) for _, _, ring in segmentation.rings() for v in ring.tolist()}


def shape(segmentation: Segmentation) -> list[int]:
    return [len(part.holes) for part in segmentation.parts]


def disc(vertices: int = 200) -> Segmentation:
    return Segmentation.from_rings(star((25, 25), [20.0] * vertices))


def test_in_the_middle_it_is_the_very_same() -> None:
    outline = disc()
    found = with_detail(outline, 0, SIZE)
    assert found.outline is outline
    assert found.iou == 1


def test_to_the_right_there_are_fewer_and_fewer_at_a_growing_cost() -> None:
    found = [with_detail(disc(), level, SIZE) for level in (0.3, 0.5, 0.8, 1)]
    counts = [f.outline.vertex_count for f in found]
    assert 200 > counts[0] > counts[1] > counts[2] > counts[3] >= 3
    assert counts[3] == 4
    costs = [f.iou for f in found]
    assert 1 > costs[0] > costs[1] > costs[2] > costs[3] > 0.5


def test_to_the_left_there_are_more_and_more_at_no_cost() -> None:
    found = [with_detail(holed_square(), level, SIZE) for level in (-0.3, -0.6, -1)]
    counts = [f.outline.vertex_count for f in found]
    assert 8 < counts[0] < counts[1] < counts[2]
    assert 40 <= counts[2] <= 128
    assert all(f.iou == 1 for f in found)
    assert all(f.outline.area == pytest.approx(holed_square().area) for f in found)


def test_the_looks_depend_on_the_level_not_on_the_size() -> None:
    small, large = (Segmentation.from_rings(star((c, c), [c * 0.8] * 300)) for c in (50, 2000))
    for level in (0.4, 0.9):
        few = [with_detail(one, level, (4000, 4000)).outline.vertex_count for one in (small, large)]
        assert few[0] == few[1]


def test_no_edge_is_cut_into_less_than_a_pixel() -> None:
    fine = disc(400)
    assert with_detail(fine, -1, SIZE).outline is fine


@pytest.mark.parametrize("level", [0.5, -0.5])
def test_the_iou_is_that_of_the_areas(level: float) -> None:
    outline = disc()
    found = with_detail(outline, level, SIZE)
    both, either = (
        operation(outline.geometry, found.outline.geometry).area
        for operation in (shapely.intersection, shapely.union)
    )
    assert found.iou == pytest.approx(both / either)


def test_a_small_hole_close_to_the_rim_is_not_lost() -> None:
    rim = star((25, 25), [20.0] * 100)
    hole = as_ring(star((43, 25), [0.9] * 12))
    outline = Segmentation((Part(as_ring(rim), (hole,)), Part(as_ring(rectangle(46, 2, 48, 4)))))
    found = with_detail(outline, 1, SIZE)
    assert shape(found.outline) == [1, 0]
    assert found.outline.geometry.is_valid
    assert found.outline.vertex_count < outline.vertex_count


@given(stars(), LEVELS)
def test_holes_and_parts_stay_and_it_is_valid(outline: Segmentation, level: float) -> None:
    found = with_detail(outline, level, SIZE)
    assert shape(found.outline) == shape(outline)
    assert found.outline.geometry.is_valid
    assert 0 < found.iou <= 1
    x0, y0, x1, y1 = found.outline.box
    assert min(x0, y0) >= 0
    assert max(x1, y1) <= 50
    if level > 0:
        assert vertices(found.outline) <= vertices(outline)
    else:
        assert vertices(outline) <= vertices(found.outline)


@given(rings(-5, 55), LEVELS)
def test_one_that_is_not_valid_does_no_harm(ring: Points, level: float) -> None:
    found = with_detail(Segmentation.from_rings(ring), level, SIZE)
    assert 0 <= found.iou <= 1
    if level:
        assert found.outline == Segmentation.from_rings(ring) or found.outline.geometry.area > 0


def test_an_outline_of_thousands_is_simplified() -> None:
    ring = star((2000, 1500), list(1000 + 50 * np.sin(np.arange(6000) / 20)))
    found = with_detail(Segmentation.from_rings(ring), 0.6, (3000, 4000))
    assert found.outline.vertex_count < 1500
    assert found.iou > 0.95
