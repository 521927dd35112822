"""A keyhole ring covers the outer ring minus its holes, to the pixel, over free bridges."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco_mask

from maskstudio.annotation.masks import trace
from maskstudio.annotation.segmentation import Part, Ring, as_ring
from maskstudio.formats.keyhole import keyhole

# pycocotools 2.0 predates what numpy 2 asks of arrays.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SIZE = 64
FRAME = [(0, 0), (60, 0), (60, 60), (0, 60)]
CASES = {
    "one hole": (FRAME, [(10, 10), (20, 10), (15, 20)]),
    "hole turned the same way": (FRAME, [(15, 20), (20, 10), (10, 10)]),
    "outer turned the other way": (FRAME[::-1], [(10, 10), (20, 10), (15, 20)]),
    "two holes": (FRAME, [(10, 10), (20, 10), (15, 20)], [(40, 10), (50, 10), (45, 20)]),
    "holes in a row": (FRAME, *([(x, 30), (x + 5, 25), (x + 5, 35)] for x in range(5, 55, 10))),
    "hole touches outer vertex": (FRAME, [(0, 0), (20, 5), (5, 20)]),
    "hole touches outer edge": (FRAME, [(0, 30), (10, 25), (10, 35)]),
    "hole's vertices on outer edges": (
        [(0, 0), (30, 0), (60, 0), (60, 60), (30, 60), (0, 60)],
        [(30, 0), (40, 30), (30, 50)],
        [(20, 60), (15, 50), (25, 50)],
    ),
    "holes touch at a vertex": (
        FRAME,
        [(20, 20), (30, 20), (30, 30), (20, 30)],
        [(30, 30), (40, 30), (40, 40), (30, 40)],
        [(30, 20), (40, 10), (40, 20)],
    ),
    "holes touch at their leftmost vertex": (
        FRAME,
        [(20, 30), (40, 20), (40, 28)],
        [(20, 30), (40, 40), (40, 32)],
    ),
    "holes on one side touch at their leftmost vertex": (
        FRAME,
        [(20, 30), (40, 32), (40, 36)],
        [(20, 30), (38, 45), (34, 50)],
    ),
    "hole in the mouth of a hole": (
        FRAME,
        [(10, 10), (50, 10), (50, 50), (10, 50), (10, 45), (45, 45), (45, 15), (10, 15)],
        [(30, 28), (35, 28), (35, 32), (30, 32)],
    ),
    "nearest vertex is behind a wall": (
        [(0, 0), (60, 0), (60, 60), (29, 60), (29, 1), (28, 60), (0, 60)],
        [(30, 30), (40, 30), (40, 40)],
        [(20, 30), (27, 30), (27, 31), (20, 40)],
    ),
    "holes in both arms of a U": (
        [(0, 0), (60, 0), (60, 60), (40, 60), (40, 20), (20, 20), (20, 60), (0, 60)],
        [(5, 40), (15, 40), (10, 55)],
        [(42, 30), (55, 40), (45, 50)],
    ),
    "one vertex is nearest to three holes": (
        [(0, 0), (60, 0), (60, 60), (0, 60), (0, 40), (12, 30), (0, 20)],
        [(20, 30), (25, 28), (25, 32)],
        [(21, 38), (25, 40), (23, 45)],
        [(22, 22), (25, 20), (23, 15)],
    ),
    "three bridges, the other way round": (
        [(0, 20), (12, 30), (0, 40), (0, 60), (60, 60), (60, 0), (0, 0)],
        [(22, 30), (25, 28), (25, 32)],
        [(21, 38), (25, 40), (23, 45)],
        [(20, 22), (25, 20), (23, 15)],
    ),
    "fractions": (
        [(0.3, 0.7), (59.1, 3.3), (44.4, 58.9), (2.2, 51.5)],
        [(10.1, 10.2), (20.3, 11.4), (13.5, 21.6)],
        [(30.7, 30.8), (35.9, 25.11), (36.12, 41.13)],
    ),
    "partly outside the image": (
        [(-20.5, -20), (80, -20), (80, 80), (-20.5, 80)],
        [(-10, 10), (10, 10), (10, 30)],
        [(50, 50), (70, 50), (70, 70)],
    ),
}


def part_of(rings: tuple[list[tuple[float, float]], ...]) -> Part:
    return Part(as_ring(rings[0]), tuple(as_ring(ring) for ring in rings[1:]))


def pixels(ring: Ring) -> np.ndarray:
    return coco_mask.decode(coco_mask.frPyObjects([ring.ravel().tolist()], SIZE, SIZE))[..., 0] == 1


def outer_minus_holes(part: Part) -> np.ndarray:
    mask = pixels(part.outer)
    for hole in part.holes:
        mask &= ~pixels(hole)
    return mask


def edges(ring: Ring) -> Counter:
    ends = zip(ring.tolist(), np.roll(ring, -1, axis=0).tolist(), strict=True)
    return Counter(tuple(sorted((tuple(a), tuple(b)))) for a, b in ends)


def bridges(part: Part, ring: Ring) -> list[shapely.LineString]:
    """Return the bridges; fail if the ring holds anything but the part's edges and bridges."""
    left = edges(ring)
    for old in part.rings():
        left.subtract(edges(old))
    assert set(left.values()) <= {0, 2}
    return [shapely.LineString(edge) for edge, times in left.items() if times == 2]


def assert_no_pass_crosses_another(ring: Ring) -> None:
    """Where the ring comes through a vertex again it must not cut through its first way."""
    ways: dict[tuple, list[tuple[float, float]]] = {}
    for before, here, after in zip(np.roll(ring, 1, 0), ring, np.roll(ring, -1, 0), strict=True):
        came, goes = (np.arctan2(y, x) for x, y in (before - here, after - here))
        ways.setdefault(tuple(here), []).append((came, goes))
    for passes in ways.values():
        for (came, goes), other in combinations(passes, 2):
            turn = [(angle - came) % (2 * np.pi) for angle in other]
            between = [1e-9 < angle < (goes - came) % (2 * np.pi) - 1e-9 for angle in turn]
            outside = [(goes - came) % (2 * np.pi) + 1e-9 < a < 2 * np.pi - 1e-9 for a in turn]
            assert not (any(between) and any(outside))


def assert_keyhole(part: Part) -> None:
    ring = keyhole(part)
    polygon = shapely.Polygon(part.outer, part.holes)
    built = bridges(part, ring)
    np.testing.assert_array_equal(pixels(ring), outer_minus_holes(part))
    assert all(polygon.covers(bridge) for bridge in built)
    assert not any(a.crosses(b) for a in built for b in built)
    assert_no_pass_crosses_another(ring)
    # With the holes turned against the outer ring readers need not fill by the even-odd rule.
    assert shapely.Polygon(ring).buffer(0).area == pytest.approx(polygon.area)
    assert ring[0].tolist() == part.outer[0].tolist()


@pytest.mark.parametrize("rings", CASES.values(), ids=CASES)
def test_keyhole_covers_the_part_over_free_bridges(rings: tuple) -> None:
    part = part_of(rings)
    assert shapely.Polygon(part.outer, part.holes).is_valid
    assert_keyhole(part)


def test_part_without_holes_is_its_outer_ring() -> None:
    part = part_of(CASES["one hole"][:1])
    assert keyhole(part) is part.outer


def test_touching_hole_needs_no_bridge() -> None:
    part = part_of(CASES["hole touches outer vertex"])
    assert keyhole(part).tolist() == [
        *([0, 0], [5, 20], [20, 5], [0, 0]),
        *([60, 0], [60, 60], [0, 60]),
    ]


def test_bridge_is_the_shortest_free_one() -> None:
    part = part_of((FRAME, [(10, 12), (20, 10), (15, 20)]))
    (bridge,) = bridges(part, keyhole(part))
    assert sorted(bridge.coords) == [(0, 0), (10, 12)]


@pytest.mark.parametrize(
    "hole",
    [[(50, 50), (70, 50), (70, 62)], [(0, 30), (30, 0), (30, 30)], [(-9, 1), (-5, 1), (-5, 5)]],
    ids=["crosses the outer ring", "cuts the part in two", "lies outside"],
)
def test_invalid_part_has_a_keyhole_with_all_its_edges(hole: list) -> None:
    part = part_of((FRAME, hole))
    assert not shapely.Polygon(part.outer, part.holes).is_valid
    assert len(bridges(part, keyhole(part))) == 1


@settings(deadline=None, max_examples=100)
@given(
    arrays(
        bool,
        array_shapes(min_dims=2, max_dims=2, min_side=3, max_side=14),
        elements=st.integers(0, 3).map(bool),
        fill=st.nothing(),
    )
)
def test_keyhole_of_any_traced_mask(mask: np.ndarray) -> None:
    segmentation = trace(mask)
    for part in segmentation.parts if segmentation else ():
        assert_keyhole(part)
