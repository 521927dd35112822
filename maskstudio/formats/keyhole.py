"""Join a part with holes into one ring, for formats whose rings know no holes.

COCO takes the union of the rings of an annotation, so a hole cannot be a ring of its own; but
within one ring its readers fill by the even-odd rule. A keyhole ring walks along the outer ring,
crosses a bridge to a hole, goes round it and comes back over the very same bridge: what is walked
twice encloses nothing, and what is left is the outer ring minus its holes.
"""

from collections.abc import Iterator

import numpy as np
import shapely
from numpy.typing import NDArray

from maskstudio.annotation.segmentation import Part, Ring

Vertices = NDArray[np.float64]
"""(n, 2) float64."""

_TRIED_FIRST = 4


def keyhole(part: Part) -> Ring:
    """Return one ring that encloses a part without its holes.

    Bridges run between vertices that are there already, cross neither a ring nor each other, and
    are as short as that allows. Holes run against the outer ring, so that readers that fill by the
    winding number see the same. An invalid part (rings that cross) has such a ring too, but its
    bridges may cross something, and where holes overlap the even-odd rule fills them again.

    Args:
        part: the outer ring and any number of holes; they may touch each other at points.

    Returns:
        (n, 2) float64: the outer ring itself where there is no hole; else it begins as the outer
        ring does, and only the ends of bridges come up more than once.
    """
    if not part.holes:
        return part.outer
    side = _turn(part.outer)
    holes = [_from_leftmost(h if _turn(h) != side else h[::-1]) for h in part.holes]
    ring = part.outer
    polygon = _prepared(part)
    # From left to right: nothing but what is joined already can stand between a hole's leftmost
    # vertex and what lies to the left of it, so there is always a free bridge. And as each takes
    # the nearest vertex, no two cross: from the crossing one of the other ends would be nearer.
    for hole in sorted(holes, key=lambda hole: (hole[0, 0], hole[0, 1])):
        at = _bridgehead(ring, hole[0], polygon)
        ring = _spliced(ring, _turning_place(ring, at, hole, side), hole)
    ring.setflags(write=False)
    return ring


def _prepared(part: Part) -> shapely.Polygon | None:
    """Return the part for repeated questions, or None when it is no valid polygon."""
    polygon = shapely.Polygon(part.outer, part.holes)
    if not polygon.is_valid:
        return None
    shapely.prepare(polygon)
    return polygon


def _turn(ring: Vertices) -> float:
    """Return 1.0 for a ring whose inside lies to the left of its way (y upwards), else -1.0."""
    x, y = (ring - ring[0]).T
    twice_area = float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
    return 1.0 if twice_area > 0 else -1.0


def _from_leftmost(ring: Vertices) -> Vertices:
    return np.roll(ring, -int(np.lexsort((ring[:, 1], ring[:, 0]))[0]), axis=0)


def _bridgehead(ring: Vertices, corner: Vertices, polygon: shapely.Polygon | None) -> int:
    """Return the index of the nearest vertex of `ring` with a free way to a hole's corner.

    Args:
        ring: what is joined so far, (n, 2).
        corner: the leftmost vertex of the hole, (2,).
        polygon: the whole part, prepared; None takes the nearest vertex whatever is between.
    """
    # Only to the left: no hole that is still to come can touch such a bridge.
    squared = np.where(ring[:, 0] <= corner[0], ((ring - corner) ** 2).sum(axis=1), np.inf)
    nearest = int(squared.argmin())
    if polygon is None or squared[nearest] == 0:
        return nearest
    for tried in _nearest_first(squared):
        ends = np.broadcast_to(corner, (len(tried), 2))
        ways = shapely.linestrings(np.stack([ring[tried], ends], axis=1))
        free = np.flatnonzero(shapely.covers(polygon, ways))
        if len(free):
            return int(tried[free[0]])
    return nearest


def _nearest_first(squared: NDArray[np.float64]) -> Iterator[NDArray[np.intp]]:
    """Yield all indices by rising distance, ties by index, in growing batches.

    Hardly ever is more than the first batch asked for, so the rest is not sorted before.
    """
    below, count = -np.inf, _TRIED_FIRST
    while below < np.inf:
        far = np.partition(squared, count)[count] if count < len(squared) else np.inf
        batch = np.flatnonzero((squared > below) & (squared <= far))
        yield batch[np.argsort(squared[batch], kind="stable")]
        below, count = far, count * 8


def _turning_place(ring: Vertices, at: int, hole: Vertices, side: float) -> int:
    """Return the one of the passes of `ring` through a vertex where the way to a hole leaves it.

    A vertex is passed more than once where bridges end or rings touch; the bridge belongs to the
    pass that has it on its inner side.

    Args:
        ring: what is joined so far, (n, 2).
        at: index of one of the passes.
        hole: (m, 2), the bridge ends at its first vertex.
        side: what `_turn` says of the outer ring.
    """
    passes = np.flatnonzero((ring == ring[at]).all(axis=1))
    if len(passes) == 1:
        return at
    touches = np.array_equal(ring[at], hole[0])
    target = hole[1] if touches else hole[0]
    before = _angle(ring[passes - 1] - ring[passes], side)
    after = _angle(ring[(passes + 1) % len(ring)] - ring[passes], side)
    bridge = _angle(target - ring[passes], side)
    inside = (bridge - after) % (2 * np.pi) <= (before - after) % (2 * np.pi)
    return int(passes[inside.argmax()])


def _angle(vectors: Vertices, side: float) -> NDArray[np.float64]:
    return np.arctan2(side * vectors[:, 1], vectors[:, 0])


def _spliced(ring: Vertices, at: int, hole: Vertices) -> Vertices:
    """Return the ring with a hole walked round from vertex `at`; `hole` begins at the bridge."""
    back = [hole, hole[:1], ring[at : at + 1]]
    if np.array_equal(ring[at], hole[0]):  # they touch: a bridge of no length is not walked
        back = [hole[1:], hole[:1]]
    return np.concatenate([ring[: at + 1], *back, ring[at + 1 :]])
