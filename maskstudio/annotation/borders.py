"""Borders that neighbours share: outlines cut where others lie, vertex on vertex along the border.

Nothing is snapped to a grid: every vertex there was stays to the last bit, and vertices are only
added. What is added to one outline is the very coordinates of the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from maskstudio.annotation import regions
from maskstudio.annotation.segmentation import (
    Box,
    Part,
    Ring,
    Segmentation,
    as_ring,
    nearest_edge,
    nearest_vertex,
)
from maskstudio.later import np, shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

# What lies closer to an edge than this many pixels lies on it: a float64 is exact to 4e-12 at
# 20,000, and working out where two edges cross costs a few times that.
_ON_EDGE = 1e-8
# An outline of so few vertices is dealt with as a whole; of others, what is near, in pixels.
_FEW = 100
_ROOM = 1.0


def overlap(a: Segmentation, b: Segmentation) -> bool:
    """Tell whether two outlines share more than a border."""
    near_a, near_b = _near(a, b.box), _near(b, a.box)
    if near_a is None or near_b is None:
        return False
    return bool(shapely.relate_pattern(near_a.geometry, near_b.geometry, "T********"))


def trimmed(segmentation: Segmentation, neighbours: Sequence[Segmentation]) -> Segmentation | None:
    """Cut an outline where its neighbours lie.

    Args:
        segmentation: any outline.
        neighbours: outlines that stay as they are.

    Returns:
        What lies in no neighbour, with the neighbours' vertices along the borders they now share;
        the very same outline when it meets none of them, None when nothing is left.
    """
    local = [piece for n in neighbours if (piece := _near(n, segmentation.box)) is not None]
    near = [n for n in local if shapely.dwithin(segmentation.geometry, n.geometry, _ON_EDGE)]
    # Vertices that were put on a border by hand lie off it by the last bits: unless they are
    # vertices of both, slivers would be left between them.
    own = noded(segmentation, near)
    return regions.subtracted(own, [noded(n, [own]) for n in near]) if near else segmentation


def noded(segmentation: Segmentation, others: Sequence[Segmentation]) -> Segmentation:
    """Return an outline with those vertices of others that lie on its edges.

    Args:
        segmentation: an outline.
        others: outlines that may share some of its border.

    Returns:
        The outline; the very same one when no vertex lies on an edge, or when it is not valid.
    """
    points = _within([ring for s in others for _, _, ring in s.rings()], segmentation.box)
    if not len(points):
        return segmentation
    parts = tuple(
        Part(_noded_ring(part.outer, points), tuple(_noded_ring(h, points) for h in part.holes))
        for part in segmentation.parts
    )
    old = (ring for part in segmentation.parts for ring in part.rings())
    new = (ring for part in parts for ring in part.rings())
    if all(a is b for a, b in zip(old, new, strict=True)):
        return segmentation
    finer = Segmentation(parts)
    # By the last bit an edge may now lie on another one of its own outline.
    return finer if _stays_valid(segmentation, finer, points) else segmentation


def snapped(
    neighbours: Sequence[Segmentation], x: float, y: float, tolerance: float
) -> tuple[float, float] | None:
    """Return the place on the border of a neighbour that is closest to a point.

    Vertices come before edges.

    Args:
        neighbours: any outlines.
        x: of the point, image pixels.
        y: of the point.
        tolerance: how far from the point it may be, image pixels.
    """
    best: tuple[float, tuple[float, float]] | None = None
    for neighbour in neighbours:
        at, distance = nearest_vertex(neighbour, x, y)
        if distance <= min(tolerance, best[0] if best else tolerance):
            vertex = neighbour.ring(at.part, at.ring)[at.vertex]
            best = distance, (float(vertex[0]), float(vertex[1]))
    if best is not None:
        return best[1]
    for neighbour in neighbours:
        _, foot, distance = nearest_edge(neighbour, x, y)
        if distance <= min(tolerance, best[0] if best else tolerance):
            best = distance, foot
    return best[1] if best else None


def _near(segmentation: Segmentation, box: Box) -> Segmentation | None:
    """Return enough of an outline to know what it is like within a box; None when none is there.

    Where many vertices lie elsewhere, they are left out: it is cut off a little beyond the box.
    It is valid.
    """
    sound = regions.made_sound(segmentation)
    if sound is None or sound.vertex_count <= _FEW:
        return sound
    x0, y0, x1, y1 = box
    around = shapely.clip_by_rect(sound.geometry, x0 - _ROOM, y0 - _ROOM, x1 + _ROOM, y1 + _ROOM)
    near = Segmentation.from_geometry(around)
    return near and regions.made_sound(near)


def _stays_valid(old: Segmentation, new: Segmentation, points: NDArray[np.float64]) -> bool:
    """Tell whether an outline is valid that was changed at points, (n, 2), and nowhere else."""
    if not old.is_valid or new.vertex_count <= _FEW:
        return new.is_valid
    low, high = points.min(axis=0) - _ROOM, points.max(axis=0) + _ROOM
    return bool(shapely.clip_by_rect(new.geometry, *low, *high).is_valid) or new.is_valid


def _within(rings: Sequence[Ring], box: Box) -> NDArray[np.float64]:
    """Return the vertices that lie in a box: (n, 2)."""
    points = np.concatenate(rings) if rings else np.empty((0, 2))
    low, high = np.array(box[:2]) - _ON_EDGE, np.array(box[2:]) + _ON_EDGE
    return points[((low <= points) & (points <= high)).all(axis=1)]


def _noded_ring(ring: Ring, points: NDArray[np.float64]) -> Ring:
    """Return a ring with the points, (n, 2), that lie on its edges; the very same one if none."""
    nexts = np.roll(ring, -1, axis=0)
    low, high = points.min(axis=0) - _ON_EDGE, points.max(axis=0) + _ON_EDGE
    beside = (np.maximum(ring, nexts) < low) | (np.minimum(ring, nexts) > high)
    candidates = np.flatnonzero(~beside.any(axis=1))
    edges = shapely.linestrings(np.stack([ring[candidates], nexts[candidates]], axis=1))
    tree = shapely.STRtree(np.asarray(edges))
    which, hit = tree.query(shapely.points(points), "dwithin", _ON_EDGE)
    at, edge = points[which], candidates[hit]
    from_start, to_end = (np.hypot(*(at - end[edge]).T) for end in (ring, nexts))
    inner = np.minimum(from_start, to_end) > _ON_EDGE
    if not inner.any():
        return ring
    at, edge, from_start = at[inner], edge[inner], from_start[inner]
    order = np.lexsort((from_start, edge))
    at, edge = at[order], edge[order]
    # Where others share a border among themselves, a vertex comes more than once.
    again = np.r_[False, (at[1:] == at[:-1]).all(axis=1) & (edge[1:] == edge[:-1])]
    return as_ring(np.insert(ring, edge[~again] + 1, at[~again], axis=0))
