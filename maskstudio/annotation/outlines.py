"""What makes an outline doubtful: rings without an inside, slivers, stray parts."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.segmentation import MIN_RING_VERTICES, Part, Ring, Segmentation
from maskstudio.later import shapely

RingPlace = tuple[int, int]
"""Part and ring of it; ring 0 is the outer one."""

SLIVER_PX = 0.75
"""Mean width below which a ring is a sliver. A run of single pixels, traced exactly, is wider."""

_SLIVER_LENGTH_PX = 5.0
_STRAY_PX, _STRAY = 16.0, 0.01


@dataclass(frozen=True)
class Slivers:
    """The rings of an outline that are thinner than a pixel.

    Attributes:
        rings: their places; a part that is a sliver with its outer ring alone.
        whole: every part is one.
    """

    rings: tuple[RingPlace, ...]
    whole: bool


def outline_of(annotation: Annotation) -> Segmentation:
    """Return the outline of an annotation; of a box alone its rectangle.

    Raises:
        UserError: a coordinate of the box is not finite.
    """
    if annotation.segmentation is not None:
        return annotation.segmentation
    x0, y0, x1, y1 = annotation.box
    return Segmentation.from_rings([(x0, y0), (x0, y1), (x1, y1), (x1, y0)])


def few_cornered(outline: Segmentation) -> list[RingPlace]:
    """Return the rings of fewer than three different corners."""
    return [(p, r) for p, r, ring in outline.rings() if _corners(ring) < MIN_RING_VERTICES]


def slivers(outline: Segmentation) -> Slivers:
    """Return the rings that are long and thinner than a pixel in the mean.

    The mean width is twice the area by the perimeter: exact for a long strip.
    """
    thin_parts = {p for p, part in enumerate(outline.parts) if _is_sliver(part)}
    holes = [
        (p, r)
        for p, r, ring in outline.rings()
        if r and p not in thin_parts and _is_sliver(Part(ring))
    ]
    rings = sorted([(p, 0) for p in thin_parts] + holes)
    return Slivers(tuple(rings), len(thin_parts) == len(outline.parts))


def stray_parts(outline: Segmentation) -> list[int]:
    """Return the parts that are specks beside the largest, and no slivers."""
    areas = [_polygon(part).area for part in outline.parts]
    most = min(_STRAY_PX, _STRAY * max(areas))
    small = (p for p, area in enumerate(areas) if area < most)
    return [p for p in small if not _is_sliver(outline.parts[p])]


def without(outline: Segmentation, rings: Iterable[RingPlace]) -> Segmentation | None:
    """Return an outline without some of its rings; None when no part is left.

    A part goes with its outer ring, holes and all; a hole is filled. What stays is the same to the
    last bit.
    """
    gone = set(rings)
    parts = tuple(
        Part(part.outer, tuple(h for r, h in enumerate(part.holes, 1) if (p, r) not in gone))
        for p, part in enumerate(outline.parts)
        if (p, 0) not in gone
    )
    return Segmentation(parts) if parts else None


def _corners(ring: Ring) -> int:
    return len(np.unique(ring, axis=0))


def _is_sliver(part: Part) -> bool:
    polygon = _polygon(part)
    length = polygon.length
    return bool(length >= 2 * _SLIVER_LENGTH_PX and 2 * polygon.area < SLIVER_PX * length)


def _polygon(part: Part) -> "shapely.Polygon":
    return shapely.Polygon(part.outer, part.holes)
