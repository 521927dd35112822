"""What the drawing tools have in common."""

from collections.abc import Iterable

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from maskstudio.annotation.segmentation import Segmentation
from maskstudio.session import operations
from maskstudio.ui.canvas.viewport import Viewport
from maskstudio.ui.tools.tool import CanvasPort, Pointer

_DARK, _WHITE = (QColor(0, 0, 0, 130), 4.0), (QColor(255, 255, 255), 1.6)  # colour, width

# A press becomes a drag after this share of the tolerance: a trembling hand draws nothing.
_DRAG_START = 0.5


def within_image(canvas: CanvasPort, pointer: Pointer) -> tuple[float, float]:
    """Return the point of the current image that is closest to the pointer."""
    image = canvas.session.current
    if image is None:
        return pointer.point
    x = min(max(pointer.x, 0.0), float(image.width))
    return x, min(max(pointer.y, 0.0), float(image.height))


def has_left(pointer: Pointer, point: tuple[float, float]) -> bool:
    """Tell whether the pointer is farther from a point than a trembling hand takes it."""
    far = max(abs(pointer.x - point[0]), abs(pointer.y - point[1]))
    return far > _DRAG_START * pointer.tolerance


def draw(canvas: CanvasPort, drawn: Segmentation, category_id: int | None) -> bool:
    """Make an annotation of what was drawn, cut at its neighbours if that is wanted."""
    return operations.draw(canvas.session, drawn, category_id, canvas.neighbours(drawn.box))


def paint_draft(painter: QPainter, viewport: Viewport, line: Iterable[tuple[float, float]]) -> None:
    """Draw an outline that is not finished: a white line on a dark one.

    Args:
        painter: in screen points.
        viewport: where the image is.
        line: the points that it joins, in image coordinates.
    """
    joined = QPolygonF([QPointF(*viewport.to_screen(*point)) for point in line])
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in (_DARK, _WHITE):
        painter.setPen(QPen(colour, width))
        painter.drawPolyline(joined)
