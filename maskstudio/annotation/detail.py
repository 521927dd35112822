"""Outlines with fewer vertices or with more, by one number; holes and parts stay.

What such an outline costs is the IoU of the two areas, worked out on the outlines themselves
(shapely), not on pixels: exact at every size, and the same for a mask of any resolution.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from maskstudio.annotation.segmentation import Part, Ring, Segmentation, as_ring, repaired

# How far the outline may move at the far end of simplifying, as a share of the square root of its
# area: it is the same look at any size. A disc is left with four vertices.
_COARSEST = 0.2
# Half the way along the slider is a sixteenth of that: the fine steps are where they matter.
_CURVE = 4
# At the far end of the other side there are about this many times as many vertices,
_DENSEST = 8
# but none closer together than this, in pixels: an image shows nothing finer.
_CLOSEST = 1.0
# Too coarse a line may undo a small hole; it is tried again half as coarse, this often.
_TRIES = 8


@dataclass(frozen=True)
class Detail:
    """An outline with another number of vertices.

    Attributes:
        outline: the very same one where nothing changes.
        iou: of the areas before and after, 0 to 1.
    """

    outline: Segmentation
    iou: float


def with_detail(segmentation: Segmentation, level: float, size: tuple[int, int]) -> Detail:
    """Return an outline with fewer or more vertices.

    Simplifying keeps some of the vertices and lets no ring cross another; densifying keeps all.

    Args:
        segmentation: any outline; one that is not valid is repaired first, unless `level` is 0.
        level: 1 few vertices, 0 as it is, -1 many more.
        size: (height, width) of the image.
    """
    sound = repaired(segmentation, *size) if level else segmentation
    if sound is None or not level:
        return Detail(segmentation, 1.0)
    if level < 0:
        return Detail(_denser(sound, -level), 1.0)
    simpler = _simpler(sound, level, size)
    return Detail(simpler, 1.0 if simpler is sound else _iou(sound, simpler))


def _simpler(sound: Segmentation, level: float, size: tuple[int, int]) -> Segmentation:
    tolerance = _COARSEST * level**_CURVE * float(np.sqrt(sound.area))
    for _ in range(_TRIES):
        geometry = shapely.simplify(sound.geometry, tolerance, preserve_topology=True)
        simpler = Segmentation.from_geometry(geometry)
        fitting = simpler and repaired(simpler, *size)
        if fitting is not None and _rings(fitting) == _rings(sound):
            return sound if fitting.vertex_count == sound.vertex_count else fitting
        tolerance /= 2
    return sound


def _rings(segmentation: Segmentation) -> list[int]:
    """Return how many rings each part has."""
    return [len(part.rings()) for part in segmentation.parts]


def _denser(sound: Segmentation, level: float) -> Segmentation:
    edges = np.concatenate(
        [np.hypot(*(ring - np.roll(ring, -1, axis=0)).T) for _, _, ring in sound.rings()]
    )
    longest = float(edges.max())
    closest = max(float(edges.sum()) / (_DENSEST * len(edges)), _CLOSEST)
    if longest <= closest:
        return sound
    step = longest * (closest / longest) ** level
    return Segmentation(
        tuple(
            # Ring by ring, since shapely would mend a whole that rounding made touch itself.
            Part(as_ring(rings[0]), tuple(as_ring(ring) for ring in rings[1:]))
            for part in sound.parts
            if (rings := [_segmentized(ring, step) for ring in part.rings()])
        )
    )


def _segmentized(ring: Ring, step: float) -> NDArray[np.float64]:
    return np.asarray(shapely.get_coordinates(shapely.segmentize(shapely.LinearRing(ring), step)))


def _iou(a: Segmentation, b: Segmentation) -> float:
    common = float(shapely.area(shapely.intersection(a.geometry, b.geometry)))
    return min(1.0, common / (a.area + b.area - common))
