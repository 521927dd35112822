"""Regions of outlines put together and cut apart, exactly: always on vertices, never by pixels.

Outlines are frozen values and so is what comes back. It is valid; vertices that an operation did
not touch keep their coordinates to the last bit, and parts it did not touch stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from maskstudio.annotation.segmentation import Part, Ring, Segmentation
from maskstudio.later import np, shapely

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from shapely.geometry.base import BaseGeometry

# What is thinner than this many pixels came of rounding, not of a hand.
_SLIVER = 1e-6
# A stroke may be this many pixels off a true one: more corners than that nobody could tell apart.
_STROKE_ERROR = 0.25
_MOST_QUARTER_SEGMENTS = 16
# Going to and fro leaves specks between the passes; in square pixels.
_SPECK = 1.0

_Operation = Callable[["BaseGeometry", "BaseGeometry"], "BaseGeometry"]


def brushed(
    segmentation: Segmentation | None, stroke: ArrayLike, radius: float, *, erase: bool = False
) -> Segmentation | None:
    """Return an outline with a stroke of a round brush added or taken off.

    Args:
        segmentation: any outline; None where there is none yet.
        stroke: (n, 2), where the middle of the brush went, n >= 1, image pixels.
        radius: of the brush, image pixels.
        erase: take the stroke off instead of adding it.

    Returns:
        The outline; the very same one when the stroke changes nothing; None when nothing is left.
    """
    widened = _widened(stroke, radius)
    if segmentation is None:
        return None if erase else _outline(widened)
    return _combined(segmentation, widened, shapely.difference if erase else shapely.union)


def united(segmentations: Sequence[Segmentation]) -> Segmentation | None:
    """Return what lies in any of the outlines; None when none has an area."""
    return _outline(_union(segmentations))


def added(first: Segmentation, other: Segmentation) -> Segmentation | None:
    """Return what lies in either outline; parts of the first that the other is not near stay."""
    sound = made_sound(other)
    return _combined(first, sound.geometry, shapely.union) if sound else first


def merged(segmentations: Sequence[Segmentation]) -> Segmentation | None:
    """Return one outline whose parts are those of all; None when none has an area.

    Parts keep their coordinates. Only those that overlap or share a stretch of border, which no
    valid outline may hold side by side, become one part; a shared corner is allowed.
    """
    sound = [found for segmentation in segmentations if (found := made_sound(segmentation))]
    parts = [part for segmentation in sound for part in segmentation.parts]
    if not parts:
        return None
    polygons = [polygon for segmentation in sound for polygon in segmentation.geometry.geoms]
    whole: list[Part] = []
    for group in _entangled(polygons):
        together = _outline(shapely.union_all([polygons[i] for i in group]))
        alone = (parts[group[0]],) if len(group) == 1 else ()
        whole += alone or (together.parts if together else ())
    found = Segmentation(tuple(whole))
    return found if found.geometry.is_valid else _outline(shapely.union_all(polygons))


def subtracted(first: Segmentation, others: Sequence[Segmentation]) -> Segmentation | None:
    """Return what lies in the first outline and in none of the others; None when nothing does."""
    return _combined(first, _union(others), shapely.difference)


def intersected(segmentations: Sequence[Segmentation]) -> Segmentation | None:
    """Return what lies in every one of the outlines, at least one; None when nothing does."""
    common = made_sound(segmentations[0])
    for segmentation in segmentations[1:]:
        other = made_sound(segmentation)
        if common is None or other is None:
            return None
        common = _outline(shapely.intersection(common.geometry, other.geometry))
    return common


def cut(segmentation: Segmentation, line: ArrayLike) -> list[Segmentation]:
    """Cut an outline along a line.

    Args:
        segmentation: any outline; its holes stay holes, or become bays where the line meets them.
        line: (n, 2), image pixels; only where it goes from edge to edge it cuts.

    Returns:
        The pieces, the largest first; parts that were not cut stay with it. The very same outline
        alone when the line cuts nothing.
    """
    from shapely.ops import split

    knife, sound = _line(line), made_sound(segmentation)
    if sound is None or not isinstance(knife, shapely.LineString):
        return [segmentation]
    pieces: list[Segmentation] = []
    whole: list[Part] = []
    for part, polygon in zip(sound.parts, sound.geometry.geoms, strict=True):
        found = [piece for p in split(polygon, knife).geoms if (piece := _outline(p))]
        if len(found) > 1:
            pieces += found
        else:
            whole.append(part)
    if not pieces:
        return [segmentation]
    largest, *rest = sorted(pieces, key=lambda piece: -piece.area)
    return [Segmentation((*largest.parts, *whole)), *rest]


def split_parts(segmentation: Segmentation) -> list[Segmentation]:
    """Return an outline for each part with its holes, the largest first."""
    parts = [Segmentation((part,)) for part in segmentation.parts]
    return sorted(parts, key=lambda part: -part.area)


def hole_filled(segmentation: Segmentation, x: float, y: float) -> Segmentation:
    """Return the outline without the hole under a point, and without the parts inside that hole.

    Returns:
        The outline; the very same one when there is no hole under the point.
    """
    under = [
        (shapely.Polygon(ring).area, p, r)
        for p, r, ring in segmentation.rings()
        if r and shapely.Polygon(ring).contains(shapely.Point(x, y))
    ]
    if segmentation.contains(x, y) or not under:
        return segmentation
    # An island in a hole may have holes of its own: the innermost is meant.
    _, part, ring = min(under)
    hole = shapely.Polygon(segmentation.ring(part, ring))
    filled = segmentation.with_ring(part, ring, None)
    if filled is None:
        raise AssertionError("a hole is not the last ring of an outline")
    return Segmentation(
        tuple(p for p in filled.parts if not hole.covers(shapely.Polygon(p.outer, p.holes)))
    )


def holes_filled(segmentation: Segmentation) -> Segmentation:
    """Return the outline without any hole, and without the parts that lie inside one.

    Returns:
        The outline; the very same one when it has no hole.
    """
    sound = made_sound(segmentation)
    if sound is None or not any(part.holes for part in sound.parts):
        return segmentation
    full = [shapely.Polygon(part.outer) for part in sound.parts]
    # What lies within an outer ring and is another part lies in a hole.
    inside = {
        p
        for q, holed in enumerate(sound.parts)
        if holed.holes
        for p in np.flatnonzero(shapely.contains(full[q], full)).tolist()
        if p != q
    }
    return Segmentation(
        tuple(Part(part.outer) for p, part in enumerate(sound.parts) if p not in inside)
    )


def _entangled(polygons: Sequence[shapely.Polygon]) -> list[list[int]]:
    """Return the places of polygons in groups; only those of one group share more than corners.

    Groups stand in the order of their first polygon.
    """
    group = list(range(len(polygons)))

    def first_of(place: int) -> int:
        while group[place] != place:
            group[place] = place = group[group[place]]
        return place

    pairs = shapely.STRtree(polygons).query(polygons, "intersects")
    for a, b in pairs.T.tolist():
        if a < b and not shapely.relate_pattern(polygons[a], polygons[b], "F***0****"):
            low, high = sorted((first_of(a), first_of(b)))
            group[high] = low
    found: dict[int, list[int]] = {}
    for place in range(len(polygons)):
        found.setdefault(first_of(place), []).append(place)
    return list(found.values())


def _combined(
    segmentation: Segmentation, other: BaseGeometry, operation: _Operation
) -> Segmentation | None:
    """Apply union or difference to the parts that the other one meets, and to no others."""
    sound = made_sound(segmentation)
    if sound is None:
        return _outline(operation(shapely.MultiPolygon(), other))
    adds = operation is shapely.union
    meets = shapely.intersects if adds else _overlaps
    polygons = list(sound.geometry.geoms)
    met = [bool(meets(polygon, other)) for polygon in polygons]
    if shapely.covers(sound.geometry, other) if adds else not any(met):
        # The same rings from another first vertex would count as a change.
        return sound
    apart = [part for part, hit in zip(sound.parts, met, strict=True) if not hit]
    joined = shapely.MultiPolygon(
        [polygon for polygon, hit in zip(polygons, met, strict=True) if hit]
    )
    changed = _outline(operation(joined, other))
    parts = (*apart, *(changed.parts if changed else ()))
    return Segmentation(parts) if parts else None


def _overlaps(a: BaseGeometry, b: BaseGeometry) -> bool:
    """Tell whether two geometries share more than their borders."""
    return bool(shapely.relate_pattern(a, b, "T********"))


def _union(segmentations: Sequence[Segmentation]) -> BaseGeometry:
    sound = [s.geometry for segmentation in segmentations if (s := made_sound(segmentation))]
    return sound[0] if len(sound) == 1 else shapely.union_all(sound)


def made_sound(segmentation: Segmentation) -> Segmentation | None:
    """Return the outline made valid; the very same one if it is, None when it has no area."""
    if segmentation.is_valid:
        return segmentation
    return _outline(segmentation.geometry)


def _outline(geometry: BaseGeometry) -> Segmentation | None:
    """Return the polygons of a geometry made valid, without parts and holes that are slivers."""
    if not geometry.is_valid:
        geometry = shapely.make_valid(geometry, method="structure", keep_collapsed=False)
    found = Segmentation.from_geometry(geometry)
    parts = tuple(
        Part(part.outer, tuple(hole for hole in part.holes if not _is_sliver(hole)))
        for part in (found.parts if found else ())
        if not _is_sliver(part.outer)
    )
    return Segmentation(parts) if parts else None


def _is_sliver(ring: Ring) -> bool:
    polygon = shapely.Polygon(ring)
    return bool(2 * polygon.area < _SLIVER * polygon.length)


def _widened(stroke: ArrayLike, radius: float) -> BaseGeometry:
    """Return the ground a round brush covers on its way, with no more corners than it needs."""
    way = shapely.simplify(_line(stroke), min(_STROKE_ERROR, 0.1 * radius))
    half_step = math.acos(max(0.0, 1 - _STROKE_ERROR / radius))
    segments = min(max(2, math.ceil(math.pi / 4 / half_step)), _MOST_QUARTER_SEGMENTS)
    ground = shapely.buffer(way, radius, quad_segs=segments)
    holes = [hole for hole in ground.interiors if shapely.Polygon(hole).area >= _SPECK]
    return shapely.Polygon(ground.exterior, holes)


def _line(points: ArrayLike) -> shapely.LineString | shapely.Point:
    """Return a line through points (n, 2); a point where they are all the same."""
    way = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    return shapely.LineString(way) if (way != way[0]).any() else shapely.Point(way[0])
