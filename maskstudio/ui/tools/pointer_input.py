"""Mouse and keys on the canvas: pan and zoom here, everything else to the tool in hand."""

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QCursor, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from maskstudio.ui.canvas.canvas import Canvas
from maskstudio.ui.tools.tool import TOLERANCE, Button, Pointer, Tool

_WHEEL_STEP = 1.2  # magnification for one notch of the wheel
_NOTCH = 120.0  # what Qt reports for one notch
_HELD = {
    Qt.Key.Key_Shift: Qt.KeyboardModifier.ShiftModifier,
    Qt.Key.Key_Alt: Qt.KeyboardModifier.AltModifier,
}


class PointerInput(QObject):
    """Filters the canvas's events.

    The middle button pans, and so does any button while Space is held; the wheel magnifies at the
    pointer, with or without Ctrl, and scrolls sideways with Shift. Both work in the middle of a
    gesture.

    Signals:
        pointer_moved: (x, y) in image coordinates.
        hint_changed: one line on what the mouse and keys do now.
        space_tapped: Space was pressed and let go without panning.
        busy_changed: a gesture began or ended.
    """

    pointer_moved = Signal(float, float)
    hint_changed = Signal(str)
    space_tapped = Signal()
    busy_changed = Signal()

    def __init__(self, canvas: Canvas, tool: Tool) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._tool = tool
        self._pan_from: QPointF | None = None
        self._pan_button = Qt.MouseButton.NoButton
        self._at = QPointF()
        self._space_down = False
        self._panned = False
        self._busy = False
        canvas.installEventFilter(self)
        canvas.draw_tool = self._tool.paint
        canvas.view_changed.connect(self._on_view_changed)
        canvas.session.current_changed.connect(self._on_other_image)
        canvas.session.selection_changed.connect(self._tell)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            # The key may be let go of elsewhere, and nobody here would hear of it.
            application.focusChanged.connect(self._forget_space)

    @property
    def tool(self) -> Tool:
        """The tool in hand."""
        return self._tool

    def take(self, tool: Tool) -> None:
        """Put another tool in hand; what the old one had half done is dropped."""
        selection = self._canvas.session.selection
        if tool is not self._tool:
            self._tool.cancel()
        if tool.works_on_selection:
            self._canvas.session.select(selection)
        self._tool = tool
        self._canvas.draw_tool = tool.paint
        self._canvas.hovered = None
        self._canvas.refresh()
        self._tell()

    def undo(self) -> bool:
        """Take back the last step of the gesture in progress; False when there was none."""
        busy = self._tool.undo()
        if busy:
            self._tell()
        return busy

    def cancel(self) -> bool:
        """Drop the gesture in progress; False when there was none."""
        busy = self._tool.busy
        if busy:
            self._tool.cancel()
            self._tell()
        return busy

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the events that belong to a gesture."""
        del watched
        if isinstance(event, QWheelEvent):
            self._wheel(event)
        elif isinstance(event, QMouseEvent):
            self._mouse(event)
        elif isinstance(event, QKeyEvent):
            return self._key(event)
        elif event.type() == QEvent.Type.Leave:
            self._canvas.hovered = None
            self._canvas.refresh()
            return False
        else:
            return False
        return True

    def _mouse(self, event: QMouseEvent) -> None:
        kind = event.type()
        self._at = event.position()
        if kind == QEvent.Type.MouseMove:
            self._move(event)
        elif kind == QEvent.Type.MouseButtonPress:
            self._press(event)
        elif kind == QEvent.Type.MouseButtonRelease:
            self._release(event)
        elif event.button() == Qt.MouseButton.LeftButton and not self._space_down:
            self._tool.double_click(self._pointer(event))
        self._tell()

    def _press(self, event: QMouseEvent) -> None:
        pans = event.button() == Qt.MouseButton.MiddleButton or self._space_down
        self._canvas.setFocus(Qt.FocusReason.MouseFocusReason)
        if pans:
            self._pan_from, self._pan_button = event.position(), event.button()
            self._canvas.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif self._canvas.has_image and (button := _button(event)) is not None:
            self._tool.press(self._pointer(event), button)

    def _release(self, event: QMouseEvent) -> None:
        if self._pan_from is not None and event.button() == self._pan_button:
            self._pan_from = None
        elif self._canvas.has_image and (button := _button(event)) is not None:
            self._tool.release(self._pointer(event), button)

    def _move(self, event: QMouseEvent) -> None:
        pointer = self._pointer(event)
        self.pointer_moved.emit(pointer.x, pointer.y)
        if self._pan_from is not None:
            moved = event.position() - self._pan_from
            self._pan_from = event.position()
            self._panned = True
            self._canvas.pan(moved.x(), moved.y())
            return
        if self._canvas.has_image:
            self._tool.move(pointer)
            self._hover(pointer, event.position())
        self._canvas.setCursor(self._tool.cursor)

    def _hover(self, pointer: Pointer, at: QPointF) -> None:
        canvas = self._canvas
        hit = None
        if not self._tool.busy:
            hit = canvas.hit(pointer.point, pointer.tolerance)
        hovered = hit.annotation_id if hit else None
        if hovered is not None or hovered != canvas.hovered:
            canvas.hovered, canvas.hover_at = hovered, at
            canvas.refresh()

    def _wheel(self, event: QWheelEvent) -> None:
        across, down = event.angleDelta().x(), event.angleDelta().y()
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        if plain and down and self._tool.wheel(down / _NOTCH):
            self._tell()
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._canvas.pan((across or down) / _NOTCH * 60, 0)
        elif down:
            self._canvas.zoom(_WHEEL_STEP ** (down / _NOTCH), event.position())
        else:
            self._canvas.pan(across / _NOTCH * 60, 0)

    def _key(self, event: QKeyEvent) -> bool:
        if event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self._space(down=event.type() == QEvent.Type.KeyPress)
            return True
        pressed = event.type() == QEvent.Type.KeyPress
        if event.key() in _HELD and self._tool.busy:
            # Whether the event knows of its own key differs from system to system.
            own = _HELD[Qt.Key(event.key())]
            held = event.modifiers() | own if pressed else event.modifiers() & ~own
            self._tool.move(self._pointer_at(self._at, held))
        used = pressed and self._tool.key(Qt.Key(event.key()))
        if used:
            self._tell()
        return used

    def _space(self, *, down: bool) -> None:
        if down:
            self._space_down, self._panned = True, False
            self._canvas.setCursor(Qt.CursorShape.OpenHandCursor)
            return
        tapped = self._space_down and not self._panned
        self._space_down = False
        self._pan_from = None
        self._canvas.setCursor(self._tool.cursor)
        if tapped and not self._tool.busy:
            self.space_tapped.emit()

    def _forget_space(self) -> None:
        self._space_down = False

    def _pointer(self, event: QMouseEvent) -> Pointer:
        return self._pointer_at(event.position(), event.modifiers())

    def _pointer_at(self, at: QPointF, held: Qt.KeyboardModifier) -> Pointer:
        viewport = self._canvas.viewport
        x, y = viewport.to_image(at.x(), at.y())
        return Pointer(
            x,
            y,
            TOLERANCE / viewport.scale,
            ctrl=bool(held & Qt.KeyboardModifier.ControlModifier),
            shift=bool(held & Qt.KeyboardModifier.ShiftModifier),
            alt=bool(held & Qt.KeyboardModifier.AltModifier),
        )

    def _on_view_changed(self) -> None:
        """Find anew what lies under a pointer that rests while the view moves."""
        at = QPointF(self._canvas.mapFromGlobal(QCursor.pos()))
        if self._canvas.underMouse() and self._pan_from is None and not self._tool.busy:
            pointer = self._pointer_at(at, Qt.KeyboardModifier.NoModifier)
            self._tool.move(pointer)
            self._hover(pointer, at)

    def _on_other_image(self) -> None:
        self._tool.cancel()
        self._tell()

    def _tell(self) -> None:
        self.hint_changed.emit(self._tool.hint)
        if self._busy != self._tool.busy:
            self._busy = not self._busy
            self.busy_changed.emit()


def _button(event: QMouseEvent) -> Button | None:
    return {
        Qt.MouseButton.LeftButton: Button.LEFT,
        Qt.MouseButton.RightButton: Button.RIGHT,
    }.get(event.button())
