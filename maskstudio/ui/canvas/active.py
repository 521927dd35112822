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
from maskstudio.annotation.overlay import Window, changed_window, paint_window, render
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
# The painted rectangle ends at multiples of this, screen points.
_GRID = 64

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
        self._ratio = 1.0
        self._place = QRect()
        self._request: OverlayRequest | None = None
        self._handles: list[float] = []
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
        self.renew(annotations, viewport, window, painter.device().devicePixelRatioF())
        if self._layer is not None:
            painter.drawImage(self._place.topLeft(), _image(self._layer, self._ratio))

    def renew(
        self, annotations: Iterable[Coloured], viewport: Viewport, window: QRect, ratio: float
    ) -> QRect:
        """Paint the layer for what `paint` will be asked to draw, but not to the screen.

        Returns:
            where it looks otherwise than before, in screen points; empty: nowhere.
        """
        shown = list(annotations)
        seen = viewport, window, ratio
        if seen == self._seen and _same(shown, self._shown):
            return QRect()
        before = self._place
        self._shown, self._seen, self._ratio = shown, seen, ratio
        self._place = _roomy(place_of((a for a, _ in shown), viewport)).intersected(window)
        if self._place.isEmpty():
            self._layer = None
            return before
        x0, y0, x1, y1 = self._renew(viewport.moved(-self._place.x(), -self._place.y()), ratio)
        changed = QRectF(x0 / ratio, y0 / ratio, (x1 - x0) / ratio, (y1 - y0) / ratio)
        changed.translate(self._place.topLeft())
        return changed.toAlignedRect() if before == self._place else before.united(self._place)

    def _renew(self, here: Viewport, ratio: float) -> Window:
        """Paint the layer, (height, width, 4) uint8; of a long outline only what was moved.

        Returns:
            the part that was painted anew, in its pixels.
        """
        size = round(self._place.height() * ratio), round(self._place.width() * ratio)
        request = _request(self._shown, here, size, ratio, self._look)
        old, self._request = self._request, request
        sizes = _handle_sizes(self._shown, here) if self._look.handles else []
        window = None
        if old is not None and self._layer is not None and sizes == self._handles:
            window = changed_window(old, request, round(_AROUND * ratio))
        self._handles = sizes
        if window is None or self._layer is None:
            self._layer = render(request, TaskContext())
            window = 0, 0, size[1], size[0]
        else:
            paint_window(self._layer, request, window, TaskContext())
        if sizes:
            x0, y0, x1, y1 = (value / ratio for value in window)
            image = _image(self._layer, ratio)
            painter = QPainter(image)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setClipRect(QRectF(x0, y0, x1 - x0, y1 - y0))
            _paint_handles(painter, self._shown[0], here, sizes)
            painter.end()
        return window


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


def _roomy(place: QRect) -> QRect:
    """Return a rectangle that stays the same while the one in it grows or shrinks a little."""
    if place.isEmpty():
        return place
    left, top = (edge // _GRID * _GRID for edge in (place.left(), place.top()))
    right, bottom = (-(-edge // _GRID) * _GRID for edge in (place.right() + 1, place.bottom() + 1))
    return QRect(left, top, right - left, bottom - top)


def _request(
    shown: list[Coloured], here: Viewport, size: tuple[int, int], ratio: float, look: Look
) -> OverlayRequest:
    """Return what a layer of this size, (height, width) in pixels of the screen, shows."""
    return OverlayRequest(
        {annotation.id: annotation for annotation, _ in shown},
        {a.category_id: (c.red(), c.green(), c.blue()) for a, c in shown},
        here.scale * ratio,
        here.left * ratio,
        here.top * ratio,
        size,
        look.fill,
        max(1, round(look.line * ratio)),
        round(look.halo * ratio),
    )


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


def _handle_sizes(shown: list[Coloured], viewport: Viewport) -> list[float]:
    """Return how large the handles of each ring are, 0 where they would bury the outline.

    Nothing where there are none: only a single annotation that can be changed has handles.
    """
    if len(shown) != 1 or shown[0][0].segmentation is None or shown[0][0].locked:
        return []
    spacings = (_spacing(ring) * viewport.scale for _, _, ring in shown[0][0].segmentation.rings())
    return [_HANDLE * ((s >= _DENSE) * 0.6 + (s > _CROWDED) * 0.4) for s in spacings]


def _paint_handles(
    painter: QPainter, shown: Coloured, viewport: Viewport, sizes: list[float]
) -> None:
    """Mark the vertices that the painter does not cut off."""
    annotation, colour = shown
    if annotation.segmentation is None:
        return
    window = painter.clipBoundingRect().adjusted(-_AROUND, -_AROUND, _AROUND, _AROUND)
    low, high = window.topLeft().toTuple(), window.bottomRight().toTuple()
    for size, (_, _, ring) in zip(sizes, annotation.segmentation.rings(), strict=True):
        if not size:
            continue
        points = ring * viewport.scale + (viewport.left, viewport.top)
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
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    # As `np.median`, in a fifth of the time: a move of the mouse waits for it.
    return float(np.partition(lengths, len(lengths) // 2)[len(lengths) // 2])
