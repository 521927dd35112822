"""The selected annotations: live vector graphics, with handles when there is one."""

from collections.abc import Iterable

import numpy as np
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
from maskstudio.ui.canvas.viewport import Viewport

_HANDLE = 3.5
# Handles closer together than this on the screen (median) would hide the outline they belong to.
_CROWDED = 9.0


def outline_path(annotation: Annotation, viewport: Viewport) -> QPainterPath:
    """Return an annotation's outline on the screen; holes are left out by even-odd filling."""
    path = QPainterPath()
    path.setFillRule(Qt.FillRule.OddEvenFill)
    segmentation = annotation.segmentation
    rings = (
        [box_ring(annotation.box)]
        if segmentation is None
        else [ring for _, _, ring in segmentation.rings()]
    )
    for ring in rings:
        points = ring * viewport.scale + (viewport.left, viewport.top)
        path.addPolygon(QPolygonF([QPointF(x, y) for x, y in points.tolist()]))
        path.closeSubpath()
    return path


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
        path = outline_path(annotation, viewport)
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
    path = outline_path(annotation, viewport)
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
    painter.setBrush(QColor("white"))
    painter.setPen(QPen(colour.darker(160), 1.4))
    for _, _, ring in annotation.segmentation.rings():
        points = ring * viewport.scale + (viewport.left, viewport.top)
        apart = np.hypot(*(points - np.roll(points, 1, axis=0)).T)
        size = _HANDLE if float(np.median(apart)) > _CROWDED else _HANDLE * 0.6
        for x, y in points.tolist():
            painter.drawEllipse(QPointF(x, y), size, size)
