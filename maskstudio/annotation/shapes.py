"""Outlines of plain shapes: the box between two points, the ellipse in a box, a path by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from maskstudio.annotation.segmentation import Box
from maskstudio.later import np, shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

Point = tuple[float, float]

ELLIPSE_VERTICES = 20
"""Vertices of an ellipse's outline: the fewest that keep a mask IoU of 0.99 with the ellipse.

Scaling keeps the IoU, so that of a regular n-gon and a circle holds for every ellipse. An inscribed
n-gon has the share (n / 2 pi) sin(2 pi / n) of the circle's area
(https://en.wikipedia.org/wiki/Regular_polygon#Area), which is 0.99 from 26 vertices on. One of the
circle's own area does with 16: of each of its 2n half sectors of angle h = pi / n, with the apothem
a = sqrt(h / tan h), the share inside the circle is s = (a^2 tan t + h - t) / h with t = arccos a,
and the IoU is s / (2 - s). That is 0.9901 for 16 and 0.9937 for 20. Whole pixels cost a few
thousandths of it, and a number that four divides gives an outline mirrored along both axes.
"""


def dragged_box(
    start: Point, end: Point, size: tuple[int, int], *, square: bool, centred: bool
) -> Box:
    """Return the box that a drag spans, within the image.

    Args:
        start: where the drag began, (x, y): a corner or the centre.
        end: where it is now.
        size: (height, width) of the image.
        square: width and height are to be the same, that of the longer of the two.
        centred: `start` is the centre.

    Returns:
        xyxy; without width or height when the drag has none in the image.
    """
    limits = np.array(size[::-1], np.float64)
    first, second = np.clip(start, 0, limits), np.clip(end, 0, limits)
    if square or centred:
        way = np.asarray(end) - first
        ahead = np.where(way < 0, first, limits - first)
        room = np.minimum(first, limits - first) if centred else ahead
        reach = np.minimum(np.abs(way), room)
        if square:
            reach[:] = min(np.abs(way).max(), room.min())
        reach = np.copysign(reach, way)
        first, second = first - reach if centred else first, first + reach
    corners = np.clip([np.minimum(first, second), np.maximum(first, second)], 0, limits)
    (x0, y0), (x1, y1) = corners.tolist()
    return x0, y0, x1, y1


def rectangle_vertices(box: Box) -> NDArray[np.float64]:
    """Return the corners of a box: (4, 2), from the left top one on clockwise."""
    x0, y0, x1, y1 = box
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float64)


def ellipse_vertices(box: Box) -> NDArray[np.float64]:
    """Return an outline of the ellipse that fills a box.

    It has the ellipse's area, and lies inside the box: edges, not vertices, lie at its four ends.

    Args:
        box: xyxy.

    Returns:
        (`ELLIPSE_VERTICES`, 2).
    """
    step = 2 * np.pi / ELLIPSE_VERTICES
    radius = np.sqrt(step / np.sin(step))  # that of the n-gon with the unit circle's area
    angles = (np.arange(ELLIPSE_VERTICES) + 0.5) * step
    low, high = np.array(box[:2]), np.array(box[2:])
    around = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return np.asarray((low + high) / 2 + (high - low) / 2 * radius * around, np.float64)


def thinned(path: Sequence[Point], tolerance: float) -> NDArray[np.float64]:
    """Return the vertices that a closed path cannot do without.

    Args:
        path: points in the order they were drawn, at least one; the last is joined to the first.
        tolerance: how far from what is returned a point may lie, in pixels.

    Returns:
        (n, 2), points of the path. Fewer than three when the path holds no area to speak of.
    """
    return thinned_line([*path, path[0]], tolerance)[:-1]


def thinned_line(path: Sequence[Point], tolerance: float) -> NDArray[np.float64]:
    """Return the vertices that an open path cannot do without; its ends stay.

    Args:
        path: points in the order they were drawn, at least two.
        tolerance: how far from what is returned a point may lie, in pixels.

    Returns:
        (n, 2), points of the path, n >= 2.
    """
    # As a line, not as a polygon: shapely would cut off the loops of a path that crosses itself.
    line = shapely.LineString(path).simplify(tolerance, preserve_topology=False)
    return np.asarray(shapely.get_coordinates(line), np.float64)
