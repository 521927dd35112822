"""Draw a polygon, vertex by vertex."""

from collections.abc import Callable

from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QPainter, QPen

from maskstudio.annotation.borders import snapped
from maskstudio.annotation.draft import Points
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.ui.canvas.viewport import Viewport
from maskstudio.ui.tools.draft import draw, within_image
from maskstudio.ui.tools.outline import OutlineTool
from maskstudio.ui.tools.tool import CanvasPort, Pointer

_SNAP_RADIUS = 6.0  # of the mark, in screen points


class PolygonTool(OutlineTool):
    """Each click sets a vertex; the closed outline is an annotation.

    While borders are shared, vertices snap to those of the neighbours, and to their edges.
    """

    name = "polygon"

    def __init__(self, canvas: CanvasPort, category_id: Callable[[], int | None]) -> None:
        """Draw into the category that `category_id` names when the outline is closed."""
        super().__init__(canvas)
        self._category_id = category_id
        self._snap: tuple[float, float] | None = None

    @property
    def hint(self) -> str:
        """What the next click does."""
        if self._snap is not None and not self._closes():
            others = super().hint.partition("  ·  ")[2]
            return f"Click sets a vertex on the neighbour's border  ·  {others}"
        return super().hint

    def move(self, pointer: Pointer) -> None:
        """Draw on to the pointer, or to the border it snaps to."""
        self._snap = self._border_near(pointer)
        super().move(pointer)

    def cancel(self) -> None:
        """Drop the outline."""
        self._snap = None
        super().cancel()

    def paint(self, painter: QPainter, viewport: Viewport) -> None:
        """Draw the outline so far, and mark where the next vertex snaps to."""
        super().paint(painter, viewport)
        if self._snap is None or self._closes():
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        at = QPointF(*viewport.to_screen(*self._snap))
        for colour, width in ((QColor(20, 20, 20), 4.0), (QColor(90, 220, 120), 2.0)):
            painter.setPen(QPen(colour, width))
            painter.drawEllipse(at, _SNAP_RADIUS, _SNAP_RADIUS)

    def _stretch(self, pointer: Pointer) -> Points:
        return (self._border_near(pointer) or within_image(self.canvas, pointer),)

    def _stretch_shown(self, pointer: Pointer) -> Points:
        return (self._snap or pointer.point,)

    def _keep(self, drawn: Segmentation) -> bool:
        return draw(self.canvas, drawn, self._category_id())

    def _border_near(self, pointer: Pointer) -> tuple[float, float] | None:
        x, y, near = pointer.x, pointer.y, pointer.tolerance
        neighbours = self.canvas.neighbours((x - near, y - near, x + near, y + near))
        outlines = [n.segmentation for n in neighbours if n.segmentation]
        return snapped(outlines, x, y, near)
