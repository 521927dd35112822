"""Rasterise annotations into one layer that lies over the image.

OpenCV fills and outlines thousands of outlines in the time a graphics scene needs for hundreds, and
it lets go of Python's lock meanwhile.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.overlay_request import OverlayRequest
from maskstudio.annotation.segmentation import Box, Ring, Segmentation
from maskstudio.later import cv2, np, shapely
from maskstudio.progress import TaskContext

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

Window = tuple[int, int, int, int]
"""Pixels of a layer: x0, y0, and x1, y1 that are no longer in it."""

# cv2 takes coordinates as integers with this many fractional bits: a 64th of a pixel.
_SHIFT = 6
# Outlines that reach further than this beyond the picture are cut first: integers are bounded.
_FAR = 4096.0
_DASH, _GAP = 6.0, 5.0
# A ring shorter than this (device pixels) is drawn whole: dashes would make it disappear.
_SHORTEST_DASHED = 30.0
# A ring of more vertices is thinned to those that can be seen. What lies further than this beyond
# the layer cannot, whatever the thickness of the line.
_LONG = 200
_BEYOND = 20.0
_UNSEEN = 1 / 3
_HALO = (230, 230, 230, 230)
_MARK_EDGE, _MARK = (20, 20, 20, 255), (245, 245, 245, 255)
# A share of the layer; where more has changed, all of it is painted.
_MOST_ANEW = 0.5
_AROUND = 32


def render(request: OverlayRequest, context: TaskContext) -> NDArray[np.uint8]:
    """Paint the layer.

    Returns:
        (height, width, 4) uint8: blue, green, red, alpha, colours multiplied by alpha.

    Raises:
        CancelledError: a newer layer is wanted.
    """
    layer = np.zeros((*request.size, 4), np.uint8)
    height, width = request.size
    x0, y0 = request.to_image(0, 0)
    x1, y1 = request.to_image(width, height)
    origin, far = _origin(request), _far(request)
    for number, annotation in enumerate(_painted(request)):
        if number % 64 == 0:
            context.raise_if_cancelled()
        left, top, right, bottom = annotation.box
        if right >= x0 and left <= x1 and bottom >= y0 and top <= y1:
            _paint(layer, annotation, request, origin, far)
    _paint_marks(layer, request)
    return layer


def render_after(
    old: OverlayRequest, layer: NDArray[np.uint8], request: OverlayRequest, context: TaskContext
) -> NDArray[np.uint8]:
    """Paint the layer as `render` does, starting from an older one of the same view.

    Only the rectangle around what differs is painted anew.

    Args:
        old: what the older layer was painted for.
        layer: the older layer; it stays as it is.
        request: what is wanted now.
        context: asked whether a newer one is wanted.

    Raises:
        CancelledError: a newer layer is wanted.
    """
    window = changed_window(old, request)
    if window is None:
        return render(request, context)
    x0, y0, x1, y1 = window
    if x0 >= x1 or y0 >= y1:
        return layer
    layer = layer.copy()
    paint_window(layer, request, window, context)
    return layer


def changed_window(old: OverlayRequest, request: OverlayRequest, beyond: int = 0) -> Window | None:
    """Return where two layers differ; None where that is too much to be painted on its own.

    Args:
        old: what the older layer was painted for.
        request: what is wanted now.
        beyond: pixels around an outline that change with it, more than its line takes.
    """
    if _view(old) != _view(request):
        return None
    boxes = _changed_boxes(old, request)
    if not boxes:
        return 0, 0, 0, 0
    window = _window(request, boxes, beyond)
    (x0, y0, x1, y1), (height, width) = window, request.size
    return None if (x1 - x0) * (y1 - y0) > height * width * _MOST_ANEW else window


def paint_window(
    layer: NDArray[np.uint8], request: OverlayRequest, window: Window, context: TaskContext
) -> None:
    """Paint a part of a layer anew, in place.

    Args:
        layer: (height, width, 4) uint8, painted for another request of the same view.
        request: what is wanted now.
        window: the part.
        context: asked whether a newer layer is wanted.

    Raises:
        CancelledError: a newer layer is wanted; this one is as it was.
    """
    (x0, y0, x1, y1), (height, width) = window, request.size
    # More than is taken: a line that is cut is a little off at the cut.
    left, top = max(0, x0 - _AROUND), max(0, y0 - _AROUND)
    size = (min(height, y1 + _AROUND) - top, min(width, x1 + _AROUND) - left)
    anew = replace(request, left=request.left - left, top=request.top - top, size=size)
    part = render(anew, context)
    layer[y0:y1, x0:x1] = part[y0 - top : y1 - top, x0 - left : x1 - left]


def _view(request: OverlayRequest) -> tuple[object, ...]:
    place = (request.scale, request.left, request.top, request.size)
    return (*place, request.colours, request.fill, request.line, request.halo, request.marks)


def _painted(request: OverlayRequest) -> Iterator[Annotation]:
    """Yield what is painted, back to front."""
    if not request.left_out:
        return iter(request.annotations.values())
    return (a for i, a in request.annotations.items() if i not in request.left_out)


def _changed_boxes(old: OverlayRequest, new: OverlayRequest) -> list[Box]:
    """Return where annotations lie that one of two layers shows and the other does not, or not so.

    Of a single one whose vertices were moved it is only where those are.
    """
    before, after = old.annotations, new.annotations
    # Thousands are compared while the window wants the interpreter's lock: no loop in Python.
    other = map(operator.is_not, after.values(), map(before.get, after))
    ids = set(itertools.compress(after, other)) | (before.keys() - after.keys())
    ids |= old.left_out ^ new.left_out
    found = [
        annotation
        for i in ids
        for one in (old, new)
        if i not in one.left_out and (annotation := one.annotations.get(i)) is not None
    ]
    moved = _moved_box(*found) if len(found) == 2 and len(ids) == 1 else None
    return [annotation.box for annotation in found] if moved is None else [moved]


def _moved_box(before: Annotation, after: Annotation) -> Box | None:
    """Return the box of the edges that differ; None where more than vertices was changed."""
    moved = after.segmentation
    if moved is None or before.segmentation is None or after.is_pre_annotation:
        return None
    if replace(before, segmentation=moved, touched=after.touched) != after:
        return None
    rings, others = ([r for _, _, r in one.rings()] for one in (before.segmentation, moved))
    if [len(ring) for ring in rings] != [len(ring) for ring in others]:
        return None
    points = []
    for ring, other in zip(rings, others, strict=True):
        at = np.flatnonzero((ring != other).any(axis=1))
        touched = np.concatenate([at - 1, at, (at + 1) % len(ring)])
        points += [ring[touched], other[touched]]
    every = np.concatenate(points)
    if not len(every):
        return None
    (x0, y0), (x1, y1) = every.min(axis=0).tolist(), every.max(axis=0).tolist()
    return x0, y0, x1, y1


def _window(request: OverlayRequest, boxes: Sequence[Box], beyond: int) -> Window:
    """Return the pixels of the layer that boxes and their lines reach."""
    height, width = request.size
    low, high = np.min(boxes, axis=0)[:2], np.max(boxes, axis=0)[2:]
    origin = np.array([request.left, request.top])
    reach = request.line + 2 + beyond
    x0, y0 = np.floor(low * request.scale + origin).astype(int) - reach
    x1, y1 = np.ceil(high * request.scale + origin).astype(int) + reach
    x0, x1 = (int(v) for v in np.clip((x0, x1), 0, width))
    y0, y1 = (int(v) for v in np.clip((y0, y1), 0, height))
    return x0, y0, x1, y1


def _origin(request: OverlayRequest) -> NDArray[np.float64]:
    """Return where the image begins, (2,), to cv2: half a pixel back.

    To cv2 whole numbers are the centres of pixels, here they are edges.
    """
    return np.array([request.left - 0.5, request.top - 0.5])


def _far(request: OverlayRequest) -> Box:
    """Return the part of the image that coordinates are bounded to."""
    height, width = request.size
    return (*request.to_image(-_FAR, -_FAR), *request.to_image(width + _FAR, height + _FAR))


def _paint(
    layer: NDArray[np.uint8],
    annotation: Annotation,
    request: OverlayRequest,
    origin: NDArray[np.float64],
    far: Box,
) -> None:
    red, green, blue = request.colours.get(annotation.category_id, (255, 255, 255))
    rings = [
        _thinned(ring * request.scale + origin, request.size) for ring in _rings(annotation, far)
    ]
    if not rings:
        return
    lines = [_fixed(ring) for ring in rings]
    if annotation.segmentation is not None and request.fill > 0:
        alpha = request.fill
        colour = (blue * alpha, green * alpha, red * alpha, 255 * alpha)
        cv2.fillPoly(layer, lines, colour, cv2.LINE_AA, _SHIFT)
    if request.halo:
        cv2.polylines(layer, lines, True, _HALO, request.halo, cv2.LINE_AA, _SHIFT)
    colour = (blue, green, red, 255)
    for ring, line in zip(rings, lines, strict=True):
        if annotation.is_pre_annotation:
            dashes = _dashes(ring)
            if dashes is not None:
                cv2.polylines(layer, dashes, False, colour, request.line, cv2.LINE_AA, _SHIFT)
                continue
        cv2.polylines(layer, [line], True, colour, request.line, cv2.LINE_AA, _SHIFT)


def _paint_marks(layer: NDArray[np.uint8], request: OverlayRequest) -> None:
    """Paint light lines with dark edges: seen on every image and beside every colour."""
    origin = _origin(request)
    height, width = request.size
    low, high = (-_BEYOND, -_BEYOND), (width + _BEYOND, height + _BEYOND)
    lines = [line * request.scale + origin for line in request.marks.lines]
    # Of a line that is cut only the points within the layer are left: it has many, side by side.
    seen = [line[((line > low) & (line < high)).all(axis=1)] for line in lines]
    fixed = [_fixed(line) for line in seen if len(line) > 1]
    for colour, more in ((_MARK_EDGE, 4), (_MARK, 1)) if fixed else ():
        cv2.polylines(layer, fixed, False, colour, request.line + more, cv2.LINE_AA, _SHIFT)


def _rings(annotation: Annotation, far: Box) -> list[Ring]:
    x0, y0, x1, y1 = far
    left, top, right, bottom = annotation.box
    segmentation = annotation.segmentation
    if segmentation is None:
        return [box_ring((max(left, x0), max(top, y0), min(right, x1), min(bottom, y1)))]
    if left < x0 or top < y0 or right > x1 or bottom > y1:
        geometry: BaseGeometry = segmentation.geometry
        if not geometry.is_valid:
            geometry = shapely.make_valid(geometry)
        cut = Segmentation.from_geometry(shapely.clip_by_rect(geometry, x0, y0, x1, y1))
        if cut is None:
            return []
        segmentation = cut
    return [ring for _, _, ring in segmentation.rings()]


def _thinned(points: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.floating]:
    """Leave out vertices of a long ring that make no difference in the layer.

    Those are runs of vertices that stay on the same side of the layer (the line between the ends of
    a run stays there too), and vertices that a straight line passes within a third of a pixel.
    """
    if len(points) <= _LONG:
        return points
    height, width = size
    above, below = points > (width + _BEYOND, height + _BEYOND), points < -_BEYOND
    if above.any() or below.any():
        side = (above.astype(int) - below) @ (1, 3)
        inner = (side == 0) | (side != np.roll(side, 1)) | (side != np.roll(side, -1))
        if not inner.any():
            return points[:1]
        points = points[inner]
    return np.asarray(cv2.approxPolyDP(points.astype(np.float32), _UNSEEN, True)[:, 0])


def blended(rgb: NDArray[np.uint8], layer: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an image (height, width, 3) RGB with a layer of its size over it."""
    above = layer[:, :, 2::-1].astype(np.uint16)
    below = rgb.astype(np.uint16) * (255 - layer[:, :, 3:].astype(np.uint16)) // 255
    return np.minimum(above + below, 255).astype(np.uint8)


def box_ring(box: Box) -> Ring:
    """Return the corners of a box, (4, 2)."""
    x0, y0, x1, y1 = box
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])


def _fixed(points: NDArray[np.floating]) -> NDArray[np.int32]:
    return np.asarray(np.rint(points * (1 << _SHIFT)), np.int32)


def _dashes(ring: NDArray[np.floating]) -> list[NDArray[np.int32]] | None:
    """Cut a closed ring into dashes of even length; None when it is too short for that."""
    closed = np.concatenate([ring, ring[:1]])
    steps = np.hypot(*np.diff(closed, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    if along[-1] < _SHORTEST_DASHED:
        return None
    count = round(along[-1] / (_DASH + _GAP))
    period = along[-1] / count
    # Four points a dash follow the corners of an outline closely enough.
    places = np.arange(count)[:, None] * period + np.linspace(0, _DASH / (_DASH + _GAP) * period, 4)
    x = np.interp(places, along, closed[:, 0])
    y = np.interp(places, along, closed[:, 1])
    return list(_fixed(np.stack([x, y], axis=-1)))
