"""Select, move, and reshape by vertices."""

from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.segmentation import (
    Segmentation,
    delete_vertex,
    insert_vertex,
    move_vertex,
)
from maskstudio.annotation.vertices import OutlinePlace
from maskstudio.session import operations
from maskstudio.ui.canvas.hit_test import Hit, HitKind, within
from maskstudio.ui.canvas.viewport import Viewport
from maskstudio.ui.key_table import ToolKey
from maskstudio.ui.tools.redraw import RedrawGesture
from maskstudio.ui.tools.tool import Button, CanvasPort, Pointer, Tool

# A press becomes a drag after this share of the tolerance: a trembling hand does not move things.
_DRAG_START = 0.5


@dataclass(frozen=True)
class _Drag:
    """A button is down.

    Attributes:
        start: where it went down.
        hit: what lay there.
        of: the annotations that are dragged, as they were.
        moving: the pointer has left the place.
        at: where the pointer is.
        shown: the annotations as the drag leaves them.
    """

    start: Pointer
    hit: Hit | None
    of: tuple[Annotation, ...] = ()
    moving: bool = False
    at: tuple[float, float] = (0.0, 0.0)
    shown: tuple[Annotation, ...] = ()


class SelectTool(Tool):
    """The tool in hand when nothing is being drawn."""

    name = "select"

    def __init__(self, canvas: CanvasPort) -> None:
        super().__init__(canvas)
        self._drag: _Drag | None = None
        self._redraw = RedrawGesture(canvas)
        self._pressed: Hit | None = None  # where a redrawing began, in case it was a mere click
        self._hover: Hit | None = None
        self._hovered: Annotation | None = None

    @property
    def hover(self) -> Hit | None:
        """What lies under the pointer; None once it has changed under it."""
        hit = self._hover
        known = hit is None or self._there(hit.annotation_id) is self._hovered
        return hit if known else None

    @hover.setter
    def hover(self, hit: Hit | None) -> None:
        self._hover = hit
        self._hovered = None if hit is None else self._there(hit.annotation_id)

    @property
    def hint(self) -> str:
        """What can be done with what is under the pointer."""
        if self._redraw.busy:
            return self._redraw.hint
        kind = self.hover.kind if self.hover else None
        if kind is HitKind.VERTEX:
            redraws = "Shift+drag redraws the outline from here"
            deletes = "Alt+click deletes it  ·  so does {drop_vertex}"
            return f"Drag the vertex  ·  {redraws}  ·  {deletes}"
        if kind is HitKind.EDGE:
            redraws = "Shift+drag redraws the outline from here"
            return f"Drag the edge, or Alt+click it, to insert a vertex  ·  {redraws}"
        if kind is HitKind.BODY:
            return self._body_hint()
        keys = "{polygon} draws  ·  {predict} pre-annotates  ·  {verify} verifies and goes on"
        return f"Click an annotation  ·  {keys}"

    @property
    def cursor(self) -> Qt.CursorShape:
        """A hand over what can be moved, a cross while a line is drawn."""
        if self._redraw.busy:
            return Qt.CursorShape.CrossCursor
        kind = self.hover.kind if self.hover else None
        if kind is HitKind.VERTEX:
            return Qt.CursorShape.SizeAllCursor
        if kind is HitKind.EDGE:
            return Qt.CursorShape.PointingHandCursor
        return Qt.CursorShape.ArrowCursor

    @property
    def busy(self) -> bool:
        """True while a button is down."""
        return self._drag is not None or self._redraw.busy

    @property
    def mark(self) -> tuple[float, float] | None:
        """The vertex, or place on an edge, that a press would take hold of."""
        hit = self.hover
        return None if self.busy or hit is None or hit.vertex is None else hit.point

    def press(self, pointer: Pointer, button: Button) -> None:
        """Begin a click, a drag, or a line; the right button drops a line."""
        if button is not Button.LEFT:
            self._redraw.cancel()
            return
        hit = self._hit(pointer)
        if hit is not None and hit.kind is not HitKind.BODY and (pointer.alt or pointer.shift):
            if pointer.alt:
                self._alt_click(hit)
            else:
                self._begin_line(hit, pointer)
            return
        if hit is not None and hit.kind is HitKind.BODY:
            self._select(hit.annotation_id, add=pointer.ctrl)
        self._drag = _Drag(pointer, hit, self._taken(hit))

    def move(self, pointer: Pointer) -> None:
        """Preview the drag or the line, or find what lies under the pointer."""
        if self._redraw.busy:
            self._redraw.move(pointer)
            return
        drag = self._current_drag()
        if drag is None:
            self.hover = self._hit(pointer)
            return
        far = max(abs(pointer.x - drag.start.x), abs(pointer.y - drag.start.y))
        moving = drag.moving or far > _DRAG_START * pointer.tolerance
        if moving and not drag.moving and not self.canvas.session.allows_changing(drag.of):
            self._drag = None
            return
        self._drag = replace(drag, moving=moving, at=pointer.point)
        if moving and drag.hit is None:
            self.canvas.refresh()
        elif moving:
            self._drag = replace(self._drag, shown=self._dragged())
            self.canvas.set_preview(self._drag.shown)

    def release(self, pointer: Pointer, button: Button) -> None:
        """Commit the drag or the line, as one edit."""
        if self._redraw.busy and button is Button.LEFT:
            if not self._redraw.finish(pointer) and self._pressed is not None:
                self._alt_click(self._pressed)
            self.canvas.refresh()
            self.move(pointer)
            return
        drag, session = self._current_drag(), self.canvas.session
        if button is not Button.LEFT or drag is None:
            return
        # What is seen is what is kept: it need not be painted again.
        dragged = drag.shown
        self._drag = None
        if drag.hit is None:
            found = within(self.canvas.visible_annotations(), drag.start.point, pointer.point)
            kept = session.selection if pointer.ctrl else frozenset()
            session.select(kept | frozenset(found if drag.moving else ()))
            self.canvas.refresh()
        elif drag.moving and drag.hit.kind is HitKind.BODY:
            dx, dy = pointer.x - drag.start.x, pointer.y - drag.start.y
            operations.move(session, [a.id for a in drag.of], dx, dy)
        elif dragged:
            title = "Move vertex" if drag.hit.kind is HitKind.VERTEX else "Insert vertex"
            operations.reshape(session, dragged[0].id, dragged[0].segmentation, title)
        self.canvas.set_preview(())
        self.move(pointer)

    def double_click(self, pointer: Pointer) -> None:
        """Insert a vertex on an edge."""
        hit = self._hit(pointer)
        if hit is not None and hit.kind is HitKind.EDGE:
            self._alt_click(hit)

    def takes(self, key: ToolKey) -> bool:
        """While a line is drawn its other side comes first."""
        return key is ToolKey.OTHER_SIDE and self._redraw.busy

    def key(self, key: ToolKey) -> bool:
        """Take the other side of what is redrawn, or delete the vertex under the pointer."""
        if self.takes(key):
            self._redraw.take_other_side()
            return True
        if key is ToolKey.DROP_VERTEX and self.hover and self.hover.kind is HitKind.VERTEX:
            self._alt_click(self.hover)
            return True
        return False

    def undo(self) -> bool:
        """Put back what is being dragged."""
        busy = self.busy
        if busy:
            self.cancel()
        return busy

    def cancel(self) -> None:
        """Put back what is being dragged, or let go of the selection."""
        if self._redraw.busy:
            self._redraw.cancel()
        elif self._drag is not None:
            self._drag = None
            self.canvas.set_preview(())
            self.canvas.refresh()
        else:
            self.canvas.session.select(())
        self.hover = None

    def paint(self, painter: QPainter, viewport: Viewport) -> None:
        """Draw the line or the rubber band, or mark the vertex or edge under the pointer."""
        self._redraw.paint(painter, viewport)
        drag = self._drag
        if drag is not None and drag.moving and drag.hit is None:
            corner = QPointF(*viewport.to_screen(*drag.start.point))
            painter.setPen(QPen(QColor(255, 255, 255), 1, Qt.PenStyle.DashLine))
            painter.setBrush(QColor(80, 150, 255, 40))
            painter.drawRect(QRectF(corner, QPointF(*viewport.to_screen(*drag.at))).normalized())
        elif self.mark is not None:
            painter.setPen(QPen(QColor(20, 20, 20), 1.5))
            painter.setBrush(QColor(255, 255, 255))
            painter.drawEllipse(QPointF(*viewport.to_screen(*self.mark)), 6, 6)

    def _body_hint(self) -> str:
        hit = self.hover
        annotation = self._there(hit.annotation_id) if hit else None
        if annotation is not None and annotation.locked:
            return (
                "Locked: nothing changes it  ·  Click selects  ·  {lock} unlocks what is selected"
            )
        keys = "{category_1}-{category_9} category  ·  {delete} deletes"
        more = "{hide_selected} hides  ·  {lock} locks  ·  Right-click: more"
        return f"Click selects, drag moves  ·  Ctrl+click adds  ·  {keys}  ·  {more}"

    def _there(self, annotation_id: int) -> Annotation | None:
        return self.canvas.session.annotations.get(annotation_id)

    def _taken(self, hit: Hit | None) -> tuple[Annotation, ...]:
        """Return the annotations that a drag from there takes along."""
        if hit is None:
            return ()
        if hit.kind is HitKind.BODY:
            return self.canvas.session.selected()
        one = self._there(hit.annotation_id)
        return (one,) if one else ()

    def _current_drag(self) -> _Drag | None:
        """Return the drag; drop it when what is dragged was changed meanwhile."""
        if self._drag and any(self._there(a.id) is not a for a in self._drag.of):
            self.cancel()
        return self._drag

    def _hit(self, pointer: Pointer) -> Hit | None:
        return self.canvas.hit(pointer.point, pointer.tolerance)

    def _select(self, annotation_id: int, *, add: bool) -> None:
        session = self.canvas.session
        if add:
            session.select(session.selection ^ {annotation_id})
        elif annotation_id not in session.selection:
            session.select([annotation_id])

    def _begin_line(self, hit: Hit, pointer: Pointer) -> None:
        annotation = self._there(hit.annotation_id)
        if annotation is not None and hit.vertex is not None:
            self._pressed = hit
            self._redraw.begin(annotation, OutlinePlace(hit.vertex, hit.point), pointer)

    def _alt_click(self, hit: Hit) -> None:
        """Delete the vertex or split the edge that was hit."""
        segmentation = self._segmentation(hit)
        if segmentation is None or hit.vertex is None:
            return
        session = self.canvas.session
        if hit.kind is HitKind.VERTEX:
            smaller = delete_vertex(segmentation, hit.vertex)
            operations.reshape(session, hit.annotation_id, smaller, "Delete vertex")
        else:
            larger = insert_vertex(segmentation, hit.vertex, *hit.point)
            operations.reshape(session, hit.annotation_id, larger, "Insert vertex")
        self.hover = None

    def _dragged(self) -> tuple[Annotation, ...]:
        """Return the annotations as the drag leaves them."""
        drag, session = self._drag, self.canvas.session
        if drag is None or drag.hit is None or session.current is None:
            return ()
        if drag.hit.kind is HitKind.BODY:
            dx, dy = drag.at[0] - drag.start.x, drag.at[1] - drag.start.y
            dx, dy = operations.clamped_shift(session.current, drag.of, dx, dy)
            return tuple(operations.shifted(a, dx, dy) for a in drag.of)
        segmentation = self._segmentation(drag.hit)
        if segmentation is None or drag.hit.vertex is None:
            return ()
        x = min(max(drag.at[0], 0.0), float(session.current.width))
        y = min(max(drag.at[1], 0.0), float(session.current.height))
        if drag.hit.kind is HitKind.VERTEX:
            reshaped = move_vertex(segmentation, drag.hit.vertex, x, y)
        else:
            reshaped = insert_vertex(segmentation, drag.hit.vertex, x, y)
        return (replace(drag.of[0], segmentation=reshaped, touched=True),)

    def _segmentation(self, hit: Hit) -> Segmentation | None:
        annotation = self._there(hit.annotation_id)
        return annotation.segmentation if annotation else None
