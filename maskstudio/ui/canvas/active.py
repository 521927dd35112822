"""What is drawn live over the backdrop: the selected annotations, the one under the pointer.

OpenCV draws their outlines, like those of the layer below, five times faster than Qt strokes a
path; Qt adds the handles.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPen, QPolygonF

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.overlay import render
from maskstudio.annotation.overlay_request import OverlayRequest
from maskstudio.annotation.segmentation import Ring
from maskstudio.later import np
from maskstudio.progress import TaskContext
from maskstudio.ui.canvas.layers import as_qimage
from maskstudio.ui.canvas.viewport import Viewport

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HANDLE = 3.5
# Handles closer together than this on the screen (median) would hide the outline they belong to.
_CROWDED = 9.0
# And here they would bury it: only the vertex under the pointer is shown, by the tool.
_DENSE = 4.0
_LOOKED_AT = 400
# So far around an outline, in screen points, reach its line and its handles.
_AROUND = 8

Coloured = tuple[Annotation, QColor]
"""An annotation and the colour of its category."""


@dataclass(frozen=True)
class Look:
    """How outlines are drawn; lengths in screen points.

    Attributes:
        fill: opacity of the inside, 0 to 1.
        line: thickness of the outline.
        halo: thickness of the white line below it, 0 for none.
        handles: the vertices are marked where there is one annotation.
    """

    fill: float
    line: float
    halo: float = 0
    handles: bool = False


SELECTED = Look(0.30, 2, halo=4, handles=True)
HOVERED = Look(0.28, 2)


class LiveLayer:
    """Annotations painted once and then copied, until one of them or the view changes."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._shown: list[Coloured] = []
        self._seen: object = None
        self._place = QRect()
        self._layer: NDArray[np.uint8] | None = None

    @property
    def place(self) -> QRect:
        """The rectangle of the screen that was painted last."""
        return self._place

    def paint(
        self, painter: QPainter, annotations: Iterable[Coloured], viewport: Viewport, window: QRect
    ) -> None:
        """Draw annotations.

        Args:
            painter: in screen points.
            annotations: what to draw, back to front.
            viewport: the view.
            window: what can be seen, in screen points.
        """
        shown = list(annotations)
        ratio = painter.device().devicePixelRatioF()
        seen = viewport, window, ratio
        if seen != self._seen or not _same(shown, self._shown):
            self._shown, self._seen = shown, seen
            self._place = place_of((a for a, _ in shown), viewport).intersected(window)
            self._layer = None
            if not self._place.isEmpty():
                self._layer = _painted(shown, viewport, self._place, ratio, self._look)
        if self._layer is not None:
            painter.drawImage(self._place.topLeft(), _image(self._layer, ratio))


def _same(shown: list[Coloured], others: list[Coloured]) -> bool:
    # Outlines by identity: whether thousands of vertices are equal takes as long as to paint them.
    return len(shown) == len(others) and all(
        one.segmentation is other.segmentation and one == other and colour == another
        for (one, colour), (other, another) in zip(shown, others, strict=True)
    )


def place_of(annotations: Iterable[Annotation], viewport: Viewport) -> QRect:
    """Return the rectangle of the screen that annotations and their handles lie in."""
    around = QRectF()
    for annotation in annotations:
        x0, y0, x1, y1 = annotation.box
        box = QRectF(QPointF(*viewport.to_screen(x0, y0)), QPointF(*viewport.to_screen(x1, y1)))
        around = around.united(box.adjusted(-_AROUND, -_AROUND, _AROUND, _AROUND))
    return around.toAlignedRect()


def _painted(
    shown: list[Coloured], viewport: Viewport, place: QRect, ratio: float, look: Look
) -> NDArray[np.uint8]:
    """Return the layer of a rectangle of the screen, (height, width, 4) uint8."""
    here = viewport.moved(-place.x(), -place.y())
    request = OverlayRequest(
        {annotation.id: annotation for annotation, _ in shown},
        {a.category_id: (c.red(), c.green(), c.blue()) for a, c in shown},
        here.scale * ratio,
        here.left * ratio,
        here.top * ratio,
        (round(place.height() * ratio), round(place.width() * ratio)),
        look.fill,
        max(1, round(look.line * ratio)),
        round(look.halo * ratio),
    )
    layer = render(request, TaskContext())
    if look.handles and len(shown) == 1:
        image = _image(layer, ratio)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        _paint_handles(painter, *shown[0], here)
        painter.end()
    return layer


def _image(layer: NDArray[np.uint8], ratio: float) -> QImage:
    image = as_qimage(layer, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    return image


def tag_plate(font: QFont, text: str, at: QPointF, window: QRectF) -> QRectF:
    """Return where a name beside a point stands: within the window."""
    plate = QFontMetricsF(font).boundingRect(text).adjusted(-7, -4, 7, 4)
    plate.moveTopLeft(at + QPointF(14, 16))
    if plate.right() > window.right():
        plate.moveRight(at.x() - 8)
    if plate.bottom() > window.bottom():
        plate.moveBottom(at.y() - 8)
    return plate


def paint_tag(painter: QPainter, text: str, plate: QRectF) -> None:
    """Write a name on a dark plate."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(20, 22, 26, 225))
    painter.drawRoundedRect(plate, 4, 4)
    painter.setPen(QColor(240, 240, 240))
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)


def _paint_handles(
    painter: QPainter, annotation: Annotation, colour: QColor, viewport: Viewport
) -> None:
    if annotation.segmentation is None or annotation.locked:
        return
    window = QRectF(painter.window()).adjusted(-_AROUND, -_AROUND, _AROUND, _AROUND)
    low, high = window.topLeft().toTuple(), window.bottomRight().toTuple()
    for _, _, ring in annotation.segmentation.rings():
        points = ring * viewport.scale + (viewport.left, viewport.top)
        spacing = _spacing(points)
        if spacing < _DENSE:
            continue
        size = _HANDLE if spacing > _CROWDED else _HANDLE * 0.6
        inside = points[((points > low) & (points < high)).all(axis=1)]
        dots = QPolygonF([QPointF(x, y) for x, y in inside.tolist()])
        # A dot in the colour and a white one in it: thousands are two calls.
        for dot, width in ((colour.darker(160), 2 * size + 1.4), (QColor("white"), 2 * size - 1.4)):
            painter.setPen(QPen(dot, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawPoints(dots)


def _spacing(ring: Ring) -> float:
    """Return the median distance between neighbouring vertices, of some hundreds of them."""
    first = np.arange(0, len(ring), max(1, len(ring) // _LOOKED_AT))
    steps = ring[first] - ring[first - 1]
    return float(np.median(np.hypot(steps[:, 0], steps[:, 1])))
