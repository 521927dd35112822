"""Make an outline of the rings that a file has for one instance.

Formats whose rings know no holes write a hole as a keyhole ring (see `keyhole`), and several parts
as one ring whose bridges are walked there and back. Both come apart here, exactly: no vertex moves.
"""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maskstudio.annotation.segmentation import (
    MIN_RING_VERTICES,
    Part,
    Ring,
    Segmentation,
    as_ring,
    repaired,
)
from maskstudio.errors import UserError
from maskstudio.formats.boxes import NO_AREA, REACHED_OUT
from maskstudio.later import shapely

_Corner = tuple[float, float]

_MOST_CROSSINGS = 20_000
"""To make an outline sound that crosses itself so often takes a second; ten times, minutes."""

_MOST_LOOPS = 1000
"""No bridged ring has as many, and any two of them are compared."""


@dataclass(frozen=True)
class Outline:
    """What became of the rings of one instance.

    Attributes:
        segmentation: valid and within the image; None where no area is left.
        notes: what was left out or changed, each the end of a sentence about the instance:
            `crossed itself and was repaired`.
    """

    segmentation: Segmentation | None
    notes: tuple[str, ...] = ()


def outline(rings: Sequence[ArrayLike], height: int, width: int) -> Outline:
    """Return the outline of the instance that covers what any of the rings covers.

    A sound ring within the image stays as it is, to the last bit.

    Args:
        rings: (n, 2) numbers each, as they stand in the file; what each covers is told by the
            even-odd rule.
        height: rows of the image.
        width: columns of the image.
    """
    notes: list[str] = []
    parts: list[Part] = []
    for ring in rings:
        try:
            parts += parts_of(ring)
        except UserError as error:
            notes.append(f"has a ring that was left out ({str(error).rstrip('.')})")
    if not parts:
        return Outline(None, tuple(notes) or ("has no outline",))
    made = sound(parts, height, width)
    return Outline(made.segmentation, (*notes, *made.notes))


def sound(parts: Sequence[Part], height: int, width: int) -> Outline:
    """Return the outline that covers what any of the parts covers.

    Args:
        parts: at least one.
        height: rows of the image.
        width: columns of the image.
    """
    drawn = Segmentation(tuple(parts))
    if not drawn.is_valid and _expected_crossings(drawn) > _MOST_CROSSINGS:
        return Outline(None, ("crosses itself too often to be an outline",))
    kept = repaired(drawn, height, width)
    if kept is None:
        return Outline(None, (NO_AREA,))
    if kept is drawn:
        return Outline(kept)
    return Outline(kept, (_what_changed(drawn, height, width),))


def _expected_crossings(drawn: Segmentation) -> float:
    """Return how often edges of this length would cross, strewn at random over the outline's box.

    Lines of length L in an area A cross L^2 / (pi A) times on the average: Crofton's formula, see
    https://en.wikipedia.org/wiki/Crofton_formula.
    """
    x0, y0, x1, y1 = drawn.box
    area = max((x1 - x0) * (y1 - y0), 1.0)
    return float(drawn.geometry.length) ** 2 / (np.pi * area)


def _what_changed(drawn: Segmentation, height: int, width: int) -> str:
    x0, y0, x1, y1 = drawn.box
    inside = x0 >= 0 and y0 >= 0 and x1 <= width and y1 <= height
    if not inside:
        return REACHED_OUT
    return "has rings that cross or overlap; they were made one sound outline"


def parts_of(vertices: ArrayLike) -> tuple[Part, ...]:
    """Return a ring as one part, or as those it comes apart into where that makes it sound.

    Args:
        vertices: (n, 2) numbers.

    Raises:
        UserError: see `as_ring`.
    """
    ring = as_ring(vertices)
    whole = Part(ring)
    if shapely.Polygon(ring).is_valid:
        return (whole,)
    found = [loop for loop in _loops(ring) if len(loop) >= MIN_RING_VERTICES]
    if len(found) > _MOST_LOOPS:
        return (whole,)
    loops = [as_ring(loop) for loop in found]
    polygons = [shapely.Polygon(loop) for loop in loops]
    # To ask which of two lies in the other takes long where one crosses itself.
    if not all(polygon.is_valid for polygon in polygons):
        return (whole,)
    apart = _nested(loops, np.array(polygons, np.object_))
    return apart if apart and Segmentation(apart).is_valid else (whole,)


def _loops(ring: Ring) -> list[Ring]:
    """Return the loops that are left of a walk along a ring without its bridges.

    An edge walked there and back is a bridge. Each of the loops passes no vertex twice; those of a
    sound outline touch at single vertices, so that there is only one way to tell them apart.
    """
    corners = [(x, y) for x, y in ring.tolist()]
    onward = _edges(corners)
    loops: list[Ring] = []
    for start in corners:
        way, place = [start], {start: 0}
        while len(way) > 1 or onward[start]:
            following = onward[way[-1]].popleft()
            back = place.get(following)
            if back is None:
                place[following] = len(way)
                way.append(following)
                continue
            loops.append(np.array(way[back:]))
            for gone in way[back + 1 :]:
                del place[gone]
            del way[back + 1 :]
    return loops


def _edges(corners: list[_Corner]) -> dict[_Corner, deque[_Corner]]:
    """Return where the edges of a ring lead from each corner, those of bridges left out."""
    count = Counter(zip(corners, corners[1:] + corners[:1], strict=True))
    onward: dict[_Corner, deque[_Corner]] = {corner: deque() for corner in corners}
    for (start, end), times in count.items():
        if start != end:
            onward[start].extend([end] * (times - count.get((end, start), 0)))
    return onward


def _nested(loops: list[Ring], polygons: NDArray[np.object_]) -> tuple[Part, ...]:
    """Return parts: a loop within an odd number of others is a hole of the smallest of them.

    Args:
        loops: they do not cross; if they do, what comes back is no valid outline.
        polygons: what they enclose.
    """
    within = shapely.covers(polygons[:, None], polygons[None, :])
    np.fill_diagonal(within, False)
    depth = within.sum(axis=0)
    area = np.asarray(shapely.area(polygons))
    holes: dict[int, list[Ring]] = {int(n): [] for n in np.flatnonzero(depth % 2 == 0)}
    for n in np.flatnonzero(depth % 2 == 1):
        around = np.flatnonzero(within[:, n])
        holes.setdefault(int(around[area[around].argmin()]), []).append(loops[n])
    return tuple(Part(loops[n], tuple(inner)) for n, inner in holes.items())
