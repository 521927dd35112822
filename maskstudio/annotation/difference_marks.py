"""What points out on an image what another model changed there."""

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.differences import Differences
from maskstudio.annotation.overlay import box_ring
from maskstudio.annotation.overlay_request import Marks
from maskstudio.annotation.segmentation import Box
from maskstudio.later import shapely

# Marks are cut where they leave the window; so many pieces a ring make that hardly seen.
_PIECES, _POINTS = 32, 8
# Of the sides of a box: how far from it and how long the corners are that mark it.
_AROUND, _CORNER = 0.06, 0.22


def marks_of(found: Differences) -> Marks:
    """Mark what is gone or changed by corners around it, and what is new by its outline."""
    marked = [_corners(one.box) for one in (*found.gone, *(old for old, _ in found.changed))]
    return Marks(tuple(itertools.chain(*marked, *(_outline(one) for one in found.new))))


def _corners(box: Box) -> Iterator[NDArray[np.float64]]:
    """Yield the four corners of a box a little larger: an outline below stays in sight."""
    x0, y0, x1, y1 = box
    wide, high = (_AROUND * (x1 - x0) + 1, _AROUND * (y1 - y0) + 1)
    for x, inward in ((x0 - wide, 1), (x1 + wide, -1)):
        for y, down in ((y0 - high, 1), (y1 + high, -1)):
            along, across = inward * _CORNER * (x1 - x0), down * _CORNER * (y1 - y0)
            yield np.array([[x + along, y], [x, y], [x, y + across]])


def _outline(annotation: Annotation) -> Iterator[NDArray[np.float64]]:
    outline = annotation.segmentation
    rings = [box_ring(annotation.box)] if outline is None else [r for *_, r in outline.rings()]
    for ring in rings:
        places = np.linspace(0, 1, _PIECES * _POINTS + 1)
        along = shapely.line_interpolate_point(shapely.linearrings(ring), places, normalized=True)
        points = shapely.get_coordinates(along)
        for start in range(0, len(points) - 1, _POINTS):
            yield points[start : start + _POINTS + 1]
