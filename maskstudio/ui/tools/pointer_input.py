"""Mouse and keys on the canvas: pan and zoom here, everything else to the tool in hand."""

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QCursor, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from maskstudio.annotation.draft import Ends, Points
from maskstudio.ui.canvas.canvas import Canvas
from maskstudio.ui.canvas.hit_test import HitKind
from maskstudio.ui.key_table import ToolKey
from maskstudio.ui.keymap import Keymap, key_of
from maskstudio.ui.tools.tool import TOLERANCE, Button, Pointer, Tool

_WHEEL_STEP = 1.2  # magnification for one notch of the wheel
_NOTCH = 120.0  # what Qt reports for one notch
_HELD = {
    Qt.Key.Key_Shift: Qt.KeyboardModifier.ShiftModifier,
    Qt.Key.Key_Alt: Qt.KeyboardModifier.AltModifier,
}


class PointerInput(QObject):
    """Filters the canvas's events.

    The middle button pans, and so does any button while a key is held; the wheel magnifies at the
    pointer, with or without Ctrl, and scrolls sideways with Shift. Both work in the middle of a
    gesture.

    Signals:
        pointer_moved: (x, y) in image coordinates.
        hint_changed: one line on what the mouse and keys do now.
        pan_tapped: the key to pan with was let go of without panning; which key.
        busy_changed: a gesture began or ended.
        draft_changed: a point was set or dropped of an outline that takes many clicks, or it ended.
        draft_left: another tool was taken in the middle of such an outline; the name of its tool.
        taken: a tool was put in hand.
        menu_wanted: where on the screen, and whether it is about annotations: those selected.
    """

    pointer_moved = Signal(float, float)
    hint_changed = Signal(str)
    pan_tapped = Signal(str)
    busy_changed = Signal()
    draft_changed = Signal()
    draft_left = Signal(str)
    taken = Signal()
    menu_wanted = Signal(QPoint, bool)

    def __init__(self, canvas: Canvas, tool: Tool, keymap: Keymap) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._keymap = keymap
        self._tool = self._select = tool
        self._drew_last = "polygon"
        self._handling = False
        self._pan_from: QPointF | None = None
        self._pan_button = Qt.MouseButton.NoButton
        self._at = QPointF()
        self._pan_key: tuple[int, str] | None = None  # while it is held: what Qt calls it, and we
        self._panned = False
        self._menu_from: QPointF | None = None
        self._busy = False
        self._mark: tuple[float, float] | None = None  # where the tool had a mark
        self._draft: Points = ()
        canvas.installEventFilter(self)
        canvas.draw_tool = self._tool.paint
        canvas.view_changed.connect(self._look_again)
        canvas.session.current_changed.connect(self._on_other_image)
        canvas.session.selection_changed.connect(self._tell)
        canvas.session.edited.connect(self._on_edited)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            # The key may be let go of elsewhere, and nobody here would hear of it.
            application.focusChanged.connect(self._forget_pan_key)
        keymap.changed.connect(self._tell)

    @property
    def tool(self) -> Tool:
        """The tool in hand."""
        return self._tool

    @property
    def drew_last(self) -> str:
        """The tool that was in hand last, other than to select."""
        return self._drew_last

    def take(self, tool: Tool) -> None:
        """Put another tool in hand; what the old one had half done is dropped.

        Whoever keeps unfinished outlines is not told that one ended by this.
        """
        selection = self._canvas.session.selection
        old, left = self._tool, bool(self._tool.draft) and tool is not self._tool
        if tool is not old:
            old.put_away()
            tool.take_up(self._tell)
            self._draft = tool.draft
        if tool.works_on_selection and not self._canvas.session.selection:
            self._canvas.session.select(selection)
        self._tool = tool
        if tool is not self._select:
            self._drew_last = tool.name
        self._canvas.draw_tool = tool.paint
        self._canvas.live.hovered = None
        self._canvas.refresh()
        self._tell()
        if left:
            self.draft_left.emit(old.name)
        self.taken.emit()

    def resume(self, points: Points, ends: Ends) -> None:
        """Give the tool in hand an outline that was kept; see `Draft`."""
        self._tool.resume(points, ends)
        self._draft = self._tool.draft
        self._tell()

    def finish(self) -> bool:
        """Do what the key to finish does; False when there was nothing to finish."""
        return self._tool.busy and self._use((ToolKey.FINISH,))

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
        elif isinstance(event, QContextMenuEvent):
            # The mouse asks when the button goes down, and it may be the beginning of something.
            if event.reason() == QContextMenuEvent.Reason.Keyboard:
                self._ask_for_menu()
        elif event.type() == QEvent.Type.Leave:
            self._canvas.live.hovered = None
            self._canvas.refresh()
            return False
        else:
            return False
        return True

    def _mouse(self, event: QMouseEvent) -> None:
        self._at = event.position()
        self._handling = True
        try:
            self._hand_on(event)
        finally:
            self._handling = False
        self._tell()

    def _hand_on(self, event: QMouseEvent) -> None:
        kind = event.type()
        if kind == QEvent.Type.MouseMove:
            self._move(event)
        elif kind == QEvent.Type.MouseButtonPress:
            self._press(event)
        elif kind == QEvent.Type.MouseButtonRelease:
            self._release(event)
        elif event.button() == Qt.MouseButton.LeftButton and self._pan_key is None:
            self._tool.double_click(self._pointer(event))

    def _press(self, event: QMouseEvent) -> None:
        pans = event.button() == Qt.MouseButton.MiddleButton or self._pan_key is not None
        self._canvas.setFocus(Qt.FocusReason.MouseFocusReason)
        self._menu_from = None
        if pans:
            self._pan_from, self._pan_button = event.position(), event.button()
            self._canvas.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif self._canvas.has_image and (button := _button(event)) is not None:
            if button is Button.RIGHT and self._tool is self._select and not self._tool.busy:
                self._menu_from = event.position()
            self._tool.press(self._pointer(event), button)

    def _release(self, event: QMouseEvent) -> None:
        if self._pan_from is not None and event.button() == self._pan_button:
            self._pan_from = None
        elif self._canvas.has_image and (button := _button(event)) is not None:
            self._tool.release(self._pointer(event), button)
            if button is Button.RIGHT:
                self._click_for_menu(event)

    def _click_for_menu(self, event: QMouseEvent) -> None:
        """Ask for the menu of what lies under the pointer, and select that."""
        begun, self._menu_from = self._menu_from, None
        far = QApplication.startDragDistance()
        if begun is None or (event.position() - begun).manhattanLength() >= far:
            return
        pointer, session = self._pointer(event), self._canvas.session
        hit = self._canvas.hit(pointer.point, pointer.tolerance)
        if hit is not None and hit.annotation_id not in session.selection:
            session.select([hit.annotation_id])
        self.menu_wanted.emit(event.globalPosition().toPoint(), hit is not None)

    def _ask_for_menu(self) -> None:
        """Ask for the menu of what is selected, or of the image, where it can be seen."""
        canvas = self._canvas
        if self._tool.busy or not canvas.has_image:
            return
        at = QRectF(canvas.rect()).center()
        chosen = canvas.session.selected()
        if chosen:
            x0, y0, x1, y1 = chosen[-1].box
            middle = QPointF(*canvas.viewport.to_screen((x0 + x1) / 2, (y0 + y1) / 2))
            at = middle if canvas.rect().contains(middle.toPoint()) else at
        self.menu_wanted.emit(canvas.mapToGlobal(at.toPoint()), bool(chosen))

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
        if hovered is not None or hovered != canvas.live.hovered:
            # Words beside the pointer would cover what the hand is at.
            named = hit is not None and hit.kind is HitKind.BODY and self._tool is self._select
            canvas.live.hovered, canvas.live.hover_at = hovered, at if named else None
            canvas.refresh_live()

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

    def is_for_panning(self, event: QKeyEvent) -> bool:
        """Tell whether a key event is of the key that pans while it is held."""
        held = self._pan_key is not None and self._pan_key[0] == event.key()
        return held or ToolKey.PAN in self._keymap.meant(event)

    def _key(self, event: QKeyEvent) -> bool:
        meant = self._keymap.meant(event)
        if event.type() == QEvent.Type.ShortcutOverride:
            taken = any(self._tool.takes(key) for key in meant)
            event.setAccepted(taken)
            return taken
        if self.is_for_panning(event):
            if not event.isAutoRepeat():
                self._hold_pan_key(event)
            return True
        pressed = event.type() == QEvent.Type.KeyPress
        if event.key() in _HELD and self._tool.busy:
            # Whether the event knows of its own key differs from system to system.
            own = _HELD[Qt.Key(event.key())]
            held = event.modifiers() | own if pressed else event.modifiers() & ~own
            self._tool.move(self._pointer_at(self._at, held))
        return pressed and self._use(meant)

    def _use(self, meant: tuple[ToolKey, ...]) -> bool:
        used = any(self._tool.key(key) for key in meant)
        if used:
            self._tell()
        return used

    def _hold_pan_key(self, event: QKeyEvent) -> None:
        if event.type() == QEvent.Type.KeyPress:
            self._pan_key = event.key(), key_of(event.keyCombination())
            self._panned = False
            self._canvas.setCursor(Qt.CursorShape.OpenHandCursor)
            return
        held, self._pan_key = self._pan_key, None
        self._pan_from = None
        self._canvas.setCursor(self._tool.cursor)
        if held is None or self._panned or self._use(self._keymap.meant(event)):
            return
        if self._tool.settle():
            self.pan_tapped.emit(held[1])

    def _forget_pan_key(self) -> None:
        self._pan_key = None

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

    def _on_edited(self) -> None:
        if not self._handling:
            # Else the tool itself looks again when it has done.
            self._look_again()
            self._tell()

    def _look_again(self) -> None:
        """Find anew what lies under a pointer that rests, when the view or an annotation moves."""
        at = QPointF(self._canvas.mapFromGlobal(QCursor.pos()))
        if self._canvas.underMouse() and self._pan_from is None and not self._tool.busy:
            pointer = self._pointer_at(at, Qt.KeyboardModifier.NoModifier)
            self._tool.move(pointer)
            self._hover(pointer, at)

    def _on_other_image(self) -> None:
        self._tool.cancel()
        # What is unfinished on the image that was left stays kept for it.
        self._draft = self._tool.draft
        self._tell()

    def _tell(self) -> None:
        if self._mark != self._tool.mark:
            for mark in filter(None, (self._mark, self._tool.mark)):
                self._canvas.refresh(mark)
            self._mark = self._tool.mark
        self.hint_changed.emit(self._keymap.fill(self._tool.hint))
        if self._busy != self._tool.busy:
            self._busy = not self._busy
            self.busy_changed.emit()
        if self._draft is not self._tool.draft:
            self._draft = self._tool.draft
            self.draft_changed.emit()


def _button(event: QMouseEvent) -> Button | None:
    return {
        Qt.MouseButton.LeftButton: Button.LEFT,
        Qt.MouseButton.RightButton: Button.RIGHT,
    }.get(event.button())
