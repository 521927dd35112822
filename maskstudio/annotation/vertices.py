"""Vertices of an outline taken out by the sweep of a circle, and stretches of it drawn anew.

Outlines are frozen values and so is what comes back. It may cross itself, like anything drawn by
hand: who keeps it has it repaired. What was not touched keeps its coordinates to the last bit.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maskstudio.annotation.segmentation import (
    MIN_RING_VERTICES,
    Part,
    Ring,
    Segmentation,
    VertexIndex,
    as_ring,
    nearest_edge,
    nearest_vertex,
)
from maskstudio.later import np, shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

Point = tuple[float, float]

# Vertices closer than this to one line, in pixels, enclose nothing.
_FLAT = 1e-6


def swept(segmentation: Segmentation, start: Point, end: Point, radius: float) -> NDArray[np.bool_]:
    """Tell which vertices lie under a circle anywhere on its straight way.

    Args:
        segmentation: any outline.
        start: where the middle of the circle set out, (x, y), image pixels.
        end: where it arrived; may be the same place.
        radius: of the circle, image pixels.

    Returns:
        (`vertex_count`,) in the order of `Segmentation.rings`.
    """
    vertices = np.concatenate([ring for _, _, ring in segmentation.rings()])
    way = np.subtract(end, start)
    # Of no length: the smallest number keeps the division good, and 0 is 0 along the way.
    squared = max(float(way @ way), np.finfo(np.float64).tiny)
    along = np.clip((vertices - start) @ way / squared, 0, 1)
    away = vertices - start - along[:, None] * way
    return np.asarray((away**2).sum(axis=1) <= radius**2)


def without_vertices(segmentation: Segmentation, gone: NDArray[np.bool_]) -> Segmentation:
    """Return the outline without many vertices at once.

    A hole with fewer than three left is filled. An outer ring never goes: of one with too few left
    those vertices stay that span the most of it.

    Args:
        segmentation: any outline.
        gone: (`vertex_count`,) in the order of `Segmentation.rings`.
    """
    lengths = [len(ring) for _, _, ring in segmentation.rings()]
    masks = iter(np.split(gone, np.cumsum(lengths)[:-1]))
    return Segmentation(
        tuple(
            _thinned_part(part, list(itertools.islice(masks, len(part.rings()))))
            for part in segmentation.parts
        )
    )


@dataclass(frozen=True)
class OutlinePlace:
    """A place on an outline.

    Attributes:
        at: the vertex, or the first vertex of the edge.
        point: (x, y); that of the vertex, to the last bit, where the place is one.
    """

    at: VertexIndex
    point: Point


@dataclass(frozen=True, eq=False)
class Redrawn:
    """An outline with a stretch drawn anew.

    Attributes:
        outline: the new outline; None when what is left of the ring encloses nothing.
        gone: (n, 2), the stretch of the old outline that goes, from one end to the other.
    """

    outline: Segmentation | None
    gone: NDArray[np.float64]


def nearest_place(
    segmentation: Segmentation, on: VertexIndex, point: Point, tolerance: float
) -> OutlinePlace | None:
    """Return the place of one ring that is closest to a point; a vertex in reach comes first.

    Args:
        segmentation: any outline.
        on: any vertex of the ring.
        point: (x, y), image pixels.
        tolerance: how far is still in reach, in pixels.
    """
    alone = Segmentation((Part(segmentation.ring(on.part, on.ring)),))
    vertex, distance = nearest_vertex(alone, *point)
    x, y = alone.ring(0, 0)[vertex.vertex].tolist()
    foot = (x, y)
    if distance > tolerance:
        vertex, foot, distance = nearest_edge(alone, *point)
    if distance > tolerance:
        return None
    return OutlinePlace(VertexIndex(on.part, on.ring, vertex.vertex), foot)


def redrawn(
    segmentation: Segmentation,
    start: OutlinePlace,
    end: OutlinePlace,
    line: NDArray[np.float64],
    *,
    longer: bool = False,
) -> Redrawn:
    """Put a line in the place of the stretch of a ring between two places of it.

    Args:
        segmentation: any outline.
        start: where the line begins.
        end: where it ends: another place of the same ring.
        line: (n, 2), n >= 2, from `start` to `end`.
        longer: the longer of the two stretches between them goes, not the shorter.
    """
    ring = segmentation.ring(start.at.part, start.at.ring)
    forth, back = _stretch(ring, start, end), _stretch(ring, end, start)
    forth_goes = (_length(forth) <= _length(back)) is not longer
    # The ring keeps its sense either way: it runs on as it did along what is left of it.
    line, kept, gone = (line, back, forth) if forth_goes else (line[::-1], forth, back)
    new = np.concatenate([line[:-1], kept[:-1]])
    if len(new) < MIN_RING_VERTICES or _flat(new):
        return Redrawn(None, gone)
    rings = list(segmentation.parts[start.at.part].rings())
    rings[start.at.ring] = as_ring(new)
    parts = list(segmentation.parts)
    parts[start.at.part] = _without_stray_holes(Part(rings[0], tuple(rings[1:])))
    return Redrawn(Segmentation(tuple(parts)), gone)


def without_specks(segmentation: Segmentation, before: Segmentation, speck: float) -> Segmentation:
    """Return an outline without what repairing it left of the loops of a trembling hand.

    Args:
        segmentation: a repaired outline.
        before: the outline that was changed; its small parts and holes stay.
        speck: parts and holes with a smaller area go, in square pixels; if all do, nothing goes.
    """
    old = {_corners(ring) for _, _, ring in before.rings()}

    def stays(ring: Ring) -> bool:
        return shapely.Polygon(ring).area >= speck or _corners(ring) in old

    parts = tuple(
        Part(part.outer, tuple(filter(stays, part.holes)))
        for part in segmentation.parts
        if stays(part.outer)
    )
    return Segmentation(parts) if parts else segmentation


def _corners(ring: Ring) -> frozenset[Point]:
    # Repairing may let a ring begin elsewhere, or turn it round.
    return frozenset((x, y) for x, y in ring.tolist())


def _stretch(ring: Ring, start: OutlinePlace, end: OutlinePlace) -> NDArray[np.float64]:
    """Return the stretch of a ring from one place on to another, (n, 2), both included."""
    first, last, count = start.at.vertex, end.at.vertex, len(ring)
    steps = (last - first) % count
    if not steps and _along(ring, start) >= _along(ring, end):
        steps = count  # the other place lies behind on the same edge: all the way round
    between = ring[(first + 1 + np.arange(steps)) % count]
    if steps and tuple(between[-1].tolist()) == end.point:
        between = between[:-1]
    return np.concatenate([[start.point], between, [end.point]])


def _along(ring: Ring, place: OutlinePlace) -> float:
    return float(np.hypot(*(ring[place.at.vertex] - place.point)))


def _length(line: NDArray[np.float64]) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def _thinned_part(part: Part, gone: list[NDArray[np.bool_]]) -> Part:
    outer = part.outer
    if gone[0].any():
        outer = as_ring(outer[_kept(outer, ~gone[0])])
    holes = tuple(
        as_ring(left) if mask.any() else hole
        for hole, mask in zip(part.holes, gone[1:], strict=True)
        if len(left := hole[~mask]) >= MIN_RING_VERTICES and not _flat(left)
    )
    thinned = Part(outer, holes)
    return thinned if outer is part.outer else _without_stray_holes(thinned)


def _kept(ring: Ring, left: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which vertices of a ring stay: those left, and more where they enclose nothing."""
    if np.count_nonzero(left) >= MIN_RING_VERTICES and not _flat(ring[left]):
        return left
    first = int(left.argmax()) if left.any() else _farthest(ring, ring.mean(axis=0))
    from_first = np.hypot(*(ring - ring[first]).T)
    among_left = np.where(left, from_first, 0)
    second = int((among_left if among_left.any() else from_first).argmax())
    third = int(np.abs(_beside(ring, ring[first], ring[second])).argmax())
    kept = left.copy()
    kept[[first, second, third]] = True
    return kept


def _without_stray_holes(part: Part) -> Part:
    """Return the part without holes that lie outside of it: repairing would make parts of them."""
    if not part.holes:
        return part
    around = _ground(part.outer)
    holes = tuple(hole for hole in part.holes if shapely.intersects(around, _ground(hole)))
    return Part(part.outer, holes)


def _ground(ring: Ring) -> BaseGeometry:
    """Return what a ring encloses, even if it crosses itself."""
    polygon = shapely.Polygon(ring)
    return polygon if polygon.is_valid else shapely.make_valid(polygon, method="structure")


def _flat(vertices: NDArray[np.float64]) -> bool:
    """Tell whether vertices lie on one line."""
    other = vertices[_farthest(vertices, vertices[0])]
    return bool(np.abs(_beside(vertices, vertices[0], other)).max() <= _FLAT)


def _farthest(vertices: NDArray[np.float64], point: NDArray[np.float64]) -> int:
    return int(np.hypot(*(vertices - point).T).argmax())


def _beside(
    vertices: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how far vertices lie from the line through two points, pixels, signed; (n,)."""
    way = b - a
    length = max(float(np.hypot(*way)), np.finfo(np.float64).tiny)
    off = vertices - a
    return np.asarray((off[:, 0] * way[1] - off[:, 1] * way[0]) / length)
