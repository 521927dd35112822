"""A box on the canvas that can be dragged by its corners and by the middles of its edges."""

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from maskstudio.annotation.segmentation import Box
from maskstudio.ui.canvas.viewport import Viewport
from maskstudio.ui.tools.tool import Pointer

_SIDE = 8.0  # of a handle, screen points
# Of a smaller box on the screen the handles would cover what is beside it, where the next box
# begins: first those of the edges go, then all.
_LEAST_FOR_EDGES, _LEAST = 48.0, 20.0
_NEAR = 0.75  # of the tolerance: a box may begin close to another
_DARK, _LIGHT = QColor(0, 0, 0, 150), QColor(255, 255, 255)


@dataclass(frozen=True)
class Handle:
    """One of the places a box is dragged by.

    Attributes:
        across: -1 moves the left edge along, 1 the right one, 0 neither.
        down: -1 moves the upper edge along, 1 the lower one, 0 neither.
    """

    across: int
    down: int

    @property
    def cursor(self) -> Qt.CursorShape:
        """The pointer's shape over it: the ways it can be dragged."""
        if self.across and self.down:
            falls = self.across == self.down
            return Qt.CursorShape.SizeFDiagCursor if falls else Qt.CursorShape.SizeBDiagCursor
        return Qt.CursorShape.SizeHorCursor if self.across else Qt.CursorShape.SizeVerCursor

    def place(self, box: Box) -> tuple[float, float]:
        """Return where on a box it is, (x, y)."""
        x0, y0, x1, y1 = box
        return (
            (x0 + x1) / 2 + self.across * (x1 - x0) / 2,
            (y0 + y1) / 2 + self.down * (y1 - y0) / 2,
        )

    def dragged(self, box: Box, point: tuple[float, float]) -> Box:
        """Return a box with this place of it elsewhere; an edge may pass the one across."""
        x0, y0, x1, y1 = box
        x0, x1 = _moved(x0, x1, self.across, point[0])
        y0, y1 = _moved(y0, y1, self.down, point[1])
        return x0, y0, x1, y1


def handle_at(box: Box, pointer: Pointer) -> Handle | None:
    """Return the handle of a box that is under the pointer, if there is one."""
    near = _NEAR * pointer.tolerance
    for handle in _handles(box, 1 / pointer.screen_point):
        x, y = handle.place(box)
        if max(abs(pointer.x - x), abs(pointer.y - y)) <= near:
            return handle
    return None


def paint_box(painter: QPainter, viewport: Viewport, box: Box, *, handles: bool) -> None:
    """Draw a dashed box, white on dark.

    Args:
        painter: in screen points.
        viewport: where the image is.
        box: xyxy, image coordinates.
        handles: draw what it can be dragged by.
    """
    corner = QPointF(*viewport.to_screen(box[0], box[1]))
    around = QRectF(corner, QPointF(*viewport.to_screen(box[2], box[3])))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(_DARK, 2.6))
    painter.drawRect(around)
    painter.setPen(QPen(_LIGHT, 1.2, Qt.PenStyle.DashLine))
    painter.drawRect(around)
    if not handles:
        return
    painter.setPen(QPen(_DARK, 1.2))
    painter.setBrush(_LIGHT)
    for handle in _handles(box, viewport.scale):
        x, y = viewport.to_screen(*handle.place(box))
        painter.drawRect(QRectF(x - _SIDE / 2, y - _SIDE / 2, _SIDE, _SIDE))


def _handles(box: Box, scale: float) -> Iterator[Handle]:
    """Yield the handles there is room for, corners first."""
    width, height = (box[2] - box[0]) * scale, (box[3] - box[1]) * scale
    if max(width, height) >= _LEAST:
        for across in (-1, 1):
            for down in (-1, 1):
                yield Handle(across, down)
    if height >= _LEAST_FOR_EDGES:
        yield from (Handle(-1, 0), Handle(1, 0))
    if width >= _LEAST_FOR_EDGES:
        yield from (Handle(0, -1), Handle(0, 1))


def _moved(low: float, high: float, which: int, to: float) -> tuple[float, float]:
    if not which:
        return low, high
    other = low if which > 0 else high
    return min(other, to), max(other, to)
