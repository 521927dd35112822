"""Paint regions with a round brush."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from maskstudio.annotation.annotation import PALETTE
from maskstudio.session import region_operations
from maskstudio.ui.canvas.viewport import Viewport
from maskstudio.ui.tools.tool import Button, CanvasPort, Pointer, Tool

MIN_SIZE, MAX_SIZE = 1.0, 500.0
"""Width of the brush in image pixels, at least and at most."""

_FIRST_SIZE = 20.0
_STEP = 1.2  # how much wider one notch of the wheel makes it
_GROW, _SHRINK = Qt.Key.Key_BracketRight, Qt.Key.Key_BracketLeft
_OPACITY = 0.5
# Points closer together than this share of the brush's width change nothing anybody could see.
_SPACING = 0.05


@dataclass(frozen=True)
class _Stroke:
    """A button is down.

    Attributes:
        points: where the middle of the brush went, image coordinates; grows.
        target: the annotation that is painted on; None begins a new one.
        erase: the stroke is taken off.
    """

    points: list[tuple[float, float]]
    target: int | None
    erase: bool


class BrushTool(Tool):
    """A drag adds to the selected annotation or begins one; with Ctrl it takes off."""

    name = "brush"
    works_on_selection = True

    def __init__(self, canvas: CanvasPort, category_id: Callable[[], int | None]) -> None:
        """Begin annotations in the category that `category_id` names at the end of a stroke."""
        super().__init__(canvas)
        self._category_id = category_id
        self._size = _FIRST_SIZE
        self._stroke: _Stroke | None = None
        self._pointer: Pointer | None = None

    @property
    def size(self) -> float:
        """Width of the brush, image pixels."""
        return self._size

    @property
    def hint(self) -> str:
        """What a drag does, and how wide the brush is."""
        if self._stroke is not None:
            done = "erase" if self._stroke.erase else "keep"
            return f"Let go to {done} what is painted  ·  Right-click or Esc drops the stroke"
        selected = len(self.canvas.session.selection)
        size = f"Wheel or [ ] makes it wider or narrower ({self._size:.0f} px)"
        if selected == 1:
            return f"Drag adds  ·  Ctrl+drag erases  ·  H fills a hole  ·  Enter: done  ·  {size}"
        if selected:
            return "Select one annotation to brush on (Tab)  ·  Enter selects none, to begin one"
        return f"Drag to paint an annotation  ·  Tab selects one to add to  ·  {size}"

    @property
    def cursor(self) -> Qt.CursorShape:
        """A cross in the middle of the brush."""
        return Qt.CursorShape.CrossCursor

    @property
    def busy(self) -> bool:
        """True during a stroke."""
        return self._stroke is not None

    def press(self, pointer: Pointer, button: Button) -> None:
        """Begin a stroke; the right button drops it, or ends what is painted on."""
        if button is Button.RIGHT:
            self._drop_or_end()
            return
        selection = self.canvas.session.selection
        nothing_to_erase = pointer.ctrl and not selection
        if len(selection) <= 1 and not nothing_to_erase:
            self._stroke = _Stroke([pointer.point], next(iter(selection), None), pointer.ctrl)
            self.move(pointer)

    def double_click(self, pointer: Pointer) -> None:
        """Begin a stroke: the second of two quick dabs."""
        self.press(pointer, Button.LEFT)

    def move(self, pointer: Pointer) -> None:
        """Paint on to the pointer."""
        self._pointer = pointer
        if self._stroke is not None:
            x, y = self._stroke.points[-1]
            far = max(abs(pointer.x - x), abs(pointer.y - y))
            if far >= max(_SPACING * self._size, pointer.screen_point):
                self._stroke.points.append(pointer.point)
        self.canvas.refresh()

    def release(self, pointer: Pointer, button: Button) -> None:
        """End the stroke: one edit."""
        stroke, session = self._stroke, self.canvas.session
        if stroke is None or button is not Button.LEFT:
            return
        self._stroke = None
        points, radius = [*stroke.points, pointer.point], self._size / 2
        if stroke.target is None:
            region_operations.paint(session, points, radius, self._category_id())
        else:
            region_operations.brush(session, stroke.target, points, radius, erase=stroke.erase)
        self.canvas.refresh()

    def wheel(self, notches: float) -> bool:
        """Make the brush wider or narrower; during a stroke the wheel magnifies as ever."""
        if self.busy:
            return False
        self._size = min(max(self._size * _STEP**notches, MIN_SIZE), MAX_SIZE)
        self.canvas.refresh()
        return True

    def key(self, key: Qt.Key) -> bool:
        """`[` and `]` change the width; H fills a hole; Enter ends what is painted on."""
        if self.busy:
            return False
        if key in (_GROW, _SHRINK):
            return self.wheel(1 if key == _GROW else -1)
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.canvas.session.select(())
            return True
        return key == Qt.Key.Key_H and self._fill_hole()

    def undo(self) -> bool:
        """Drop the stroke."""
        busy = self.busy
        self.cancel()
        return busy

    def cancel(self) -> None:
        """Drop the stroke."""
        self._stroke = None
        self.canvas.refresh()

    def paint(self, painter: QPainter, viewport: Viewport) -> None:
        """Draw the stroke so far as a thick line, and the brush around the pointer."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        erases = self._pointer is not None and self._pointer.ctrl
        if self._stroke is not None:
            erases = self._stroke.erase
            self._paint_stroke(painter, viewport, self._stroke)
        if self._pointer is None:
            return
        middle = QPointF(*viewport.to_screen(*self._pointer.point))
        radius = self._size / 2 * viewport.scale
        line = Qt.PenStyle.DashLine if erases else Qt.PenStyle.SolidLine
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((QColor(0, 0, 0, 150), 3.0), (QColor(255, 255, 255), 1.2)):
            painter.setPen(QPen(colour, width, line))
            painter.drawEllipse(middle, radius, radius)

    def _paint_stroke(self, painter: QPainter, viewport: Viewport, stroke: _Stroke) -> None:
        colour = QColor("white") if stroke.erase else self._colour(stroke)
        colour.setAlphaF(_OPACITY)
        pen = QPen(colour, self._size * viewport.scale)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        # A line of one point has no direction, and Qt would not paint it.
        way = [*stroke.points, self._pointer.point if self._pointer else stroke.points[-1]]
        painter.drawPolyline(QPolygonF([QPointF(*viewport.to_screen(*at)) for at in way]))

    def _colour(self, stroke: _Stroke) -> QColor:
        """Return the colour of the category that is painted in."""
        session = self.canvas.session
        target = None if stroke.target is None else session.annotations.get(stroke.target)
        category_id = target.category_id if target else self._category_id()
        colours = {c.id: c.shown_colour for c in session.categories}
        # Without a choice it is the first one, which may be yet to be made.
        return QColor(colours.get(category_id or 0, next(iter(colours.values()), PALETTE[0])))

    def _fill_hole(self) -> bool:
        """Fill the hole under the pointer; False when not a single annotation is selected."""
        session, pointer = self.canvas.session, self._pointer
        if len(session.selection) != 1 or pointer is None:
            return False
        (target,) = session.selection
        region_operations.fill_hole(session, target, *pointer.point)
        return True

    def _drop_or_end(self) -> None:
        if self.busy:
            self.cancel()
        else:
            self.canvas.session.select(())
