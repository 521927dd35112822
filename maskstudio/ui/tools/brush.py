"""Paint regions with a round brush."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from maskstudio.annotation.annotation import PALETTE, Annotation
from maskstudio.session import region_operations
from maskstudio.ui.canvas.viewport import Viewport
from maskstudio.ui.key_table import ToolKey
from maskstudio.ui.tools.round_tip import RoundTip
from maskstudio.ui.tools.tool import Button, CanvasPort, Pointer, Tool

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
        self._tip = RoundTip()
        self._stroke: _Stroke | None = None
        self._pointer: Pointer | None = None

    @property
    def size(self) -> float:
        """Width of the brush, image pixels."""
        return self._tip.size

    @property
    def hint(self) -> str:
        """What a drag does, and how wide the brush is."""
        if self._stroke is not None:
            done = "erase" if self._stroke.erase else "keep"
            return (
                f"Let go to {done} what is painted  ·  Right-click or {{escape}} drops the stroke"
            )
        selected = len(self.canvas.session.selection)
        size = self._tip.hint
        if selected == 1:
            keys = "{fill_hole} fills a hole  ·  {finish}: done"
            return f"Drag adds  ·  Ctrl+drag erases  ·  {keys}  ·  {size}"
        if selected:
            keys = "{next_annotation} selects the next  ·  {finish} selects none, to begin one"
            return f"Select one annotation to brush on  ·  {keys}"
        return (
            f"Drag to paint an annotation  ·  {{next_annotation}} selects one to add to  ·  {size}"
        )

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
        target = next(iter(selection), None)
        if len(selection) <= 1 and not nothing_to_erase and self._may_paint_on(target):
            self._stroke = _Stroke([pointer.point], target, pointer.ctrl)
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
            if far >= max(_SPACING * self.size, pointer.screen_point):
                self._stroke.points.append(pointer.point)
        self.canvas.refresh()

    def release(self, pointer: Pointer, button: Button) -> None:
        """End the stroke: one edit."""
        stroke, session = self._stroke, self.canvas.session
        if stroke is None or button is not Button.LEFT:
            return
        self._stroke = None
        points, radius = [*stroke.points, pointer.point], self._tip.radius
        near = () if stroke.erase else self._neighbours(stroke, pointer)
        if stroke.target is None:
            region_operations.paint(session, points, radius, self._category_id(), near)
        elif near:
            region_operations.brush_beside(session, stroke.target, points, radius, near)
        else:
            region_operations.brush(session, stroke.target, points, radius, erase=stroke.erase)
        self.canvas.refresh()

    def wheel(self, notches: float) -> bool:
        """Make the brush wider or narrower; during a stroke the wheel magnifies as ever."""
        if self.busy:
            return False
        self._tip.turn(notches)
        self.canvas.refresh()
        return True

    def takes(self, key: ToolKey) -> bool:
        """Between strokes the width and holes come first."""
        return (self._tip.takes(key) or key is ToolKey.FILL_HOLE) and not self.busy

    def key(self, key: ToolKey) -> bool:
        """Change the width, fill a hole, or end what is painted on."""
        if self.busy:
            return False
        if self._tip.key(key):
            self.canvas.refresh()
            return True
        if key is ToolKey.FINISH:
            self.canvas.session.select(())
            return True
        return key is ToolKey.FILL_HOLE and self._fill_hole()

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
        if self._pointer is not None:
            self._tip.paint(painter, viewport, self._pointer.point, dashed=erases)

    def _paint_stroke(self, painter: QPainter, viewport: Viewport, stroke: _Stroke) -> None:
        colour = QColor("white") if stroke.erase else self._colour(stroke)
        colour.setAlphaF(_OPACITY)
        pen = QPen(colour, self.size * viewport.scale)
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

    def _may_paint_on(self, target: int | None) -> bool:
        """Tell whether a stroke may begin; says it when what is selected is hidden or locked."""
        session = self.canvas.session
        annotation = None if target is None else session.annotations.get(target)
        if annotation is not None and annotation.hidden:
            session.problem.emit("What is selected is hidden; show it first.")
            return False
        return annotation is None or session.allows_changing([annotation])

    def _neighbours(self, stroke: _Stroke, end: Pointer) -> tuple[Annotation, ...]:
        """Return what the stroke is to share borders with."""
        across, down = zip(*stroke.points, end.point, strict=True)
        room = self._tip.radius
        box = min(across) - room, min(down) - room, max(across) + room, max(down) + room
        return tuple(n for n in self.canvas.neighbours(box) if n.id != stroke.target)

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
