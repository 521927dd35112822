"""The selected annotations: live vector graphics, with handles when there is one."""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
    QPolygonF,
)

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.overlay import box_ring
from maskstudio.annotation.segmentation import Ring
from maskstudio.ui.canvas.viewport import Viewport

_HANDLE = 3.5
# Handles closer together than this on the screen (median) would hide the outline they belong to.
_CROWDED = 9.0
# And here they would bury it: only the vertex under the pointer is shown, by the tool.
_DENSE = 4.0
# A ring of more vertices is thinned to those that can be seen; what lies further than this beyond
# the window, in screen points, cannot, whatever the thickness of the line.
_LONG = 200
_BEYOND = 20.0


def outline_path(annotation: Annotation, viewport: Viewport, window: QRectF) -> QPainterPath:
    """Return what is seen of an annotation's outline; even-odd filling leaves holes out."""
    path = QPainterPath()
    path.setFillRule(Qt.FillRule.OddEvenFill)
    segmentation = annotation.segmentation
    rings = (
        [box_ring(annotation.box)]
        if segmentation is None
        else [ring for _, _, ring in segmentation.rings()]
    )
    for ring in rings:
        path.addPolygon(_polygon(_thinned(_on_screen(ring, viewport), window)))
        path.closeSubpath()
    return path


def _on_screen(ring: Ring, viewport: Viewport) -> NDArray[np.float64]:
    return np.asarray(ring * viewport.scale + (viewport.left, viewport.top))


def _polygon(points: NDArray[np.floating]) -> QPolygonF:
    return QPolygonF([QPointF(x, y) for x, y in points.tolist()])


def _thinned(points: NDArray[np.float64], window: QRectF) -> NDArray[np.floating]:
    """Leave out vertices of a long ring that make no difference in the window.

    Those are runs of vertices that stay on the same side of the window (the line between the ends
    of a run stays there too), and vertices that a straight line passes within a third of a pixel.
    """
    if len(points) <= _LONG:
        return points
    seen = window.adjusted(-_BEYOND, -_BEYOND, _BEYOND, _BEYOND)
    low, high = seen.topLeft().toTuple(), seen.bottomRight().toTuple()
    side = ((points > high).astype(int) - (points < low)) @ (1, 3)
    inner = (side == 0) | (side != np.roll(side, 1)) | (side != np.roll(side, -1))
    if not inner.any():
        return points[:1]
    return np.asarray(cv2.approxPolyDP(points[inner].astype(np.float32), 1 / 3, True)[:, 0])


def paint_active(
    painter: QPainter, annotations: Iterable[tuple[Annotation, QColor]], viewport: Viewport
) -> None:
    """Draw the selected annotations.

    Args:
        painter: in screen points.
        annotations: each with the colour of its category.
        viewport: the view.
    """
    selected = list(annotations)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for annotation, colour in selected:
        path = outline_path(annotation, viewport, QRectF(painter.window()))
        if annotation.segmentation is not None:
            inside = QColor(colour)
            inside.setAlphaF(0.30)
            painter.fillPath(path, inside)
        # White below the colour: a selected outline is seen on every image.
        painter.strokePath(path, QPen(QColor(255, 255, 255, 230), 4.0))
        pen = QPen(colour, 2.0)
        if annotation.is_pre_annotation:
            pen.setDashPattern([3, 2])
        painter.strokePath(path, pen)
    if len(selected) == 1:
        _paint_handles(painter, *selected[0], viewport)


class ActiveLayer:
    """The selected annotations, painted once and then copied until one or the view changes.

    An outline of thousands of vertices takes longer to paint than a hand takes to move on.
    """

    def __init__(self) -> None:
        self._key: object = None
        self._painted = QPixmap()

    def paint(
        self,
        painter: QPainter,
        annotations: Iterable[tuple[Annotation, QColor]],
        viewport: Viewport,
        window: QRect,
    ) -> None:
        """Draw the selected annotations.

        Args:
            painter: in screen points.
            annotations: each with the colour of its category.
            viewport: the view.
            window: what can be seen, in screen points.
        """
        selected = list(annotations)
        ratio = painter.device().devicePixelRatioF()
        place = _place(selected, viewport).intersected(window)
        if place.isEmpty():
            return
        key = ([(a, colour.rgba()) for a, colour in selected], viewport, place, ratio)
        if key != self._key:
            self._key = key
            self._painted = _painted(selected, viewport, place, ratio)
        painter.drawPixmap(place.topLeft(), self._painted)


def _place(selected: list[tuple[Annotation, QColor]], viewport: Viewport) -> QRect:
    """Return the rectangle of the screen that the annotations and their handles lie in."""
    around = QRectF()
    for annotation, _ in selected:
        x0, y0, x1, y1 = annotation.box
        low, high = viewport.to_screen(x0, y0), viewport.to_screen(x1, y1)
        around = around.united(QRectF(QPointF(*low), QPointF(*high)).adjusted(-8, -8, 8, 8))
    return around.toAlignedRect()


def _painted(
    selected: list[tuple[Annotation, QColor]], viewport: Viewport, place: QRect, ratio: float
) -> QPixmap:
    pixmap = QPixmap(place.size() * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    paint_active(painter, selected, viewport.moved(-place.x(), -place.y()))
    painter.end()
    return pixmap


def paint_hover(
    painter: QPainter, annotation: Annotation, colour: QColor, viewport: Viewport
) -> None:
    """Light up the annotation under the pointer."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    path = outline_path(annotation, viewport, QRectF(painter.window()))
    inside = QColor(colour)
    inside.setAlphaF(0.28)
    if annotation.segmentation is not None:
        painter.fillPath(path, inside)
    painter.strokePath(path, QPen(colour.lighter(130), 2.5))


def paint_tag(painter: QPainter, text: str, at: QPointF, window: QRectF) -> None:
    """Write a name beside a point, on a dark plate that stays within the window."""
    metrics = QFontMetricsF(painter.font())
    plate = metrics.boundingRect(text).adjusted(-7, -4, 7, 4)
    plate.moveTopLeft(at + QPointF(14, 16))
    if plate.right() > window.right():
        plate.moveRight(at.x() - 8)
    if plate.bottom() > window.bottom():
        plate.moveBottom(at.y() - 8)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(20, 22, 26, 225))
    painter.drawRoundedRect(plate, 4, 4)
    painter.setPen(QColor(240, 240, 240))
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)


def _paint_handles(
    painter: QPainter, annotation: Annotation, colour: QColor, viewport: Viewport
) -> None:
    if annotation.segmentation is None:
        return
    window = QRectF(painter.window()).adjusted(-_BEYOND, -_BEYOND, _BEYOND, _BEYOND)
    for _, _, ring in annotation.segmentation.rings():
        points = _on_screen(ring, viewport)
        apart = np.hypot(*(points - np.roll(points, 1, axis=0)).T)
        spacing = float(np.median(apart))
        if spacing < _DENSE:
            continue
        size = _HANDLE if spacing > _CROWDED else _HANDLE * 0.6
        low, high = window.topLeft().toTuple(), window.bottomRight().toTuple()
        seen = _polygon(points[((points > low) & (points < high)).all(axis=1)])
        # A dot in the colour and a white one in it: thousands are two calls.
        for dot, width in ((colour.darker(160), 2 * size + 1.4), (QColor("white"), 2 * size - 1.4)):
            painter.setPen(QPen(dot, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawPoints(seen)
