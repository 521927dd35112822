"""What the tools have in common that draw an outline click by click."""

from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QPainter, QPen

from maskstudio.annotation.draft import Ends, Points
from maskstudio.annotation.segmentation import MIN_RING_VERTICES, Segmentation
from maskstudio.ui.canvas.viewport import Viewport
from maskstudio.ui.key_table import ToolKey
from maskstudio.ui.tools.draft import paint_draft, within_image
from maskstudio.ui.tools.tool import Button, CanvasPort, Pointer, Tool


class OutlineTool(Tool):
    """Clicks set stretches of an outline; the first vertex, a double-click or Enter closes it.

    A tool of this kind says which stretch a click sets and what becomes of the closed outline.
    """

    def __init__(self, canvas: CanvasPort) -> None:
        super().__init__(canvas)
        self._points: Points = ()
        self._ends: tuple[int, ...] = ()  # how many points there were after each click
        self._pointer: Pointer | None = None

    @property
    def hint(self) -> str:
        """What the next click does."""
        if not self._points:
            return "Click to set the first vertex  ·  {escape} goes back to selecting"
        if len(self._points) < MIN_RING_VERTICES:
            return (
                "Click sets the next vertex  ·  {drop_vertex} drops the last  ·  {escape} cancels"
            )
        keys = "{finish} closes too  ·  {drop_vertex} drops the last"
        return f"Click the first vertex or double-click to close  ·  {keys}"

    @property
    def busy(self) -> bool:
        """True once the first vertex is set."""
        return bool(self._points)

    @property
    def draft(self) -> Points:
        """The points so far."""
        return self._points

    @property
    def draft_ends(self) -> Ends:
        """How many points there were after each click."""
        return self._ends

    def resume(self, points: Points, ends: Ends) -> None:
        """Take up an outline that was kept."""
        self._points, self._ends = points, ends
        self._on_stretches()
        self.canvas.refresh()

    def press(self, pointer: Pointer, button: Button) -> None:
        """Set a stretch, close the outline, or drop the last stretch."""
        self._pointer = pointer
        if button is Button.RIGHT:
            self._drop_last()
        elif not self._on_first(pointer):
            self._set(self._stretch(pointer))
        elif len(self._points) >= MIN_RING_VERTICES:
            self._finish()
        self.canvas.refresh()

    def move(self, pointer: Pointer) -> None:
        """Draw on to the pointer."""
        self._pointer = pointer
        self.canvas.refresh()

    def double_click(self, pointer: Pointer) -> None:
        """Close the outline; the first click of the two has set its last vertex."""
        del pointer
        self._finish()

    def key(self, key: ToolKey) -> bool:
        """Close the outline, or drop the last stretch."""
        if key is ToolKey.FINISH and self._points:
            self._finish()
        elif key is ToolKey.DROP_VERTEX and self._points:
            self._drop_last()
        else:
            return False
        return True

    def undo(self) -> bool:
        """Drop the last stretch."""
        if not self._points:
            return False
        self._drop_last()
        return True

    def cancel(self) -> None:
        """Drop the outline."""
        self._clear()
        self.canvas.refresh()

    def paint(self, painter: QPainter, viewport: Viewport) -> None:
        """Draw the outline so far and the stretch to the pointer."""
        if not self._points:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        to_pointer = self._stretch_shown(self._pointer) if self._pointer else ()
        paint_draft(painter, viewport, self._points + to_pointer)
        closes = self._closes()
        painter.setPen(QPen(QColor(20, 20, 20), 1.2))
        for number, end in enumerate(self._ends):
            painter.setBrush(QColor(90, 220, 120) if closes and not number else QColor("white"))
            radius = 7.0 if closes and not number else 4.0
            at = QPointF(*viewport.to_screen(*self._points[end - 1]))
            painter.drawEllipse(at, radius, radius)

    def _stretch(self, pointer: Pointer) -> Points:
        """Return the points that a click sets, the last of them at the pointer."""
        return (within_image(self.canvas, pointer),)

    def _stretch_shown(self, pointer: Pointer) -> Points:
        """Return what is drawn from the last point to the pointer."""
        return (pointer.point,)

    def _closing(self) -> Points:
        """Return the points between the last one and the first that closing adds."""
        return ()

    def _keep(self, drawn: Segmentation) -> bool:
        """Make of the closed outline what it is drawn for; False leaves it as it is."""
        raise NotImplementedError

    def _on_stretches(self) -> None:
        """Another stretch is the last one now, or there is none."""

    def _set(self, stretch: Points) -> None:
        self._points = (*self._points, *stretch)
        self._ends = (*self._ends, len(self._points))
        self._on_stretches()

    def _drop_last(self) -> None:
        if self._ends:
            self._ends = self._ends[:-1]
            self._points = self._points[: self._ends[-1]] if self._ends else ()
            self._on_stretches()
            self.canvas.refresh()

    def _clear(self) -> None:
        self._points, self._ends = (), ()
        self._on_stretches()

    def _finish(self) -> None:
        closed = self._points + self._closing()
        if len(closed) < MIN_RING_VERTICES:
            return
        drawn = Segmentation.from_rings(closed)
        points, ends = self._points, self._ends
        # First, so that who hears of the edit finds no gesture in progress.
        self._clear()
        if not self._keep(drawn):
            self._points, self._ends = points, ends
            self._on_stretches()
        self.canvas.refresh()

    def _closes(self) -> bool:
        """Tell whether a click where the pointer is would close the outline."""
        enough = len(self._points) >= MIN_RING_VERTICES
        return enough and self._pointer is not None and self._on_first(self._pointer)

    def _on_first(self, pointer: Pointer) -> bool:
        if not self._points:
            return False
        x, y = self._points[0]
        return max(abs(pointer.x - x), abs(pointer.y - y)) <= pointer.tolerance
