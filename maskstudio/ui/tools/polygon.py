"""Draw a polygon, vertex by vertex."""

from collections.abc import Callable

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from maskstudio.annotation.segmentation import MIN_RING_VERTICES, Segmentation
from maskstudio.session import operations
from maskstudio.ui.canvas.viewport import Viewport
from maskstudio.ui.tools.draft import paint_draft, within_image
from maskstudio.ui.tools.tool import Button, CanvasPort, Pointer, Tool


class PolygonTool(Tool):
    """Clicks set vertices; the first vertex, a double-click or Enter closes the outline."""

    name = "polygon"

    def __init__(self, canvas: CanvasPort, category_id: Callable[[], int | None]) -> None:
        """Draw into the category that `category_id` names when the outline is closed."""
        super().__init__(canvas)
        self._category_id = category_id
        self._vertices: list[tuple[float, float]] = []
        self._pointer: Pointer | None = None

    @property
    def hint(self) -> str:
        """What the next click does."""
        if not self._vertices:
            return "Click to set the first vertex  ·  Esc goes back to selecting"
        if len(self._vertices) < MIN_RING_VERTICES:
            return "Click sets the next vertex  ·  Backspace drops the last  ·  Esc cancels"
        return "Click the first vertex, double-click or Enter closes  ·  Backspace drops the last"

    @property
    def cursor(self) -> Qt.CursorShape:
        """A cross."""
        return Qt.CursorShape.CrossCursor

    @property
    def busy(self) -> bool:
        """True once the first vertex is set."""
        return bool(self._vertices)

    def press(self, pointer: Pointer, button: Button) -> None:
        """Set a vertex, close the outline, or drop the last vertex."""
        if button is Button.RIGHT:
            self._drop_last()
        elif not self._on_first(pointer):
            self._vertices.append(within_image(self.canvas, pointer))
        elif len(self._vertices) >= MIN_RING_VERTICES:
            self._finish()
        self.canvas.refresh()

    def move(self, pointer: Pointer) -> None:
        """Draw the edge to the pointer."""
        self._pointer = pointer
        self.canvas.refresh()

    def double_click(self, pointer: Pointer) -> None:
        """Close the outline; the first click of the two has set its last vertex."""
        del pointer
        self._finish()

    def key(self, key: Qt.Key) -> bool:
        """Enter closes, Backspace drops the last vertex."""
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._vertices:
            self._finish()
        elif key == Qt.Key.Key_Backspace and self._vertices:
            self._drop_last()
        else:
            return False
        return True

    def undo(self) -> bool:
        """Drop the last vertex."""
        if not self._vertices:
            return False
        self._drop_last()
        return True

    def cancel(self) -> None:
        """Drop the outline."""
        self._vertices.clear()
        self.canvas.refresh()

    def paint(self, painter: QPainter, viewport: Viewport) -> None:
        """Draw the outline so far and the edge to the pointer."""
        if not self._vertices:
            return
        points = [QPointF(*viewport.to_screen(*vertex)) for vertex in self._vertices]
        to_pointer = [self._pointer.point] if self._pointer else []
        paint_draft(painter, viewport, self._vertices + to_pointer)
        closes = len(self._vertices) >= MIN_RING_VERTICES
        closes &= self._pointer is not None and self._on_first(self._pointer)
        painter.setPen(QPen(QColor(20, 20, 20), 1.2))
        for number, point in enumerate(points):
            painter.setBrush(QColor(90, 220, 120) if closes and not number else QColor("white"))
            radius = 7.0 if closes and not number else 4.0
            painter.drawEllipse(point, radius, radius)

    def _drop_last(self) -> None:
        if self._vertices:
            self._vertices.pop()
            self.canvas.refresh()

    def _finish(self) -> None:
        if len(self._vertices) < MIN_RING_VERTICES:
            return
        drawn = Segmentation.from_rings(self._vertices)
        if operations.draw(self.canvas.session, drawn, self._category_id()):
            self._vertices = []
        self.canvas.refresh()

    def _on_first(self, pointer: Pointer) -> bool:
        if not self._vertices:
            return False
        x, y = self._vertices[0]
        return max(abs(pointer.x - x), abs(pointer.y - y)) <= pointer.tolerance
