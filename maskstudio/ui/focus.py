"""Where keys go: to the control that has the focus, or to the actions of the window."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QContextMenuEvent, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

_TYPED = (QLineEdit, QAbstractSpinBox, QPlainTextEdit, QTextEdit)
_CHORD = (
    Qt.KeyboardModifier.ControlModifier
    | Qt.KeyboardModifier.AltModifier
    | Qt.KeyboardModifier.MetaModifier
)
_ARROWS = {Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down}
_PRESS = {Qt.Key.Key_Space}
_OWN: tuple[tuple[type[QWidget], set[Qt.Key]], ...] = (
    (QAbstractButton, _PRESS),
    (QComboBox, _ARROWS | _PRESS),
    (QAbstractSlider, _ARROWS),
    (QAbstractItemView, _ARROWS),
)
_WATCHED: tuple[type[QWidget], ...] = (*_TYPED, *(kind for kind, _ in _OWN))


def is_own_key(control: QObject, event: QKeyEvent) -> bool:
    """Tell whether a control needs a key itself, so that no action may have it.

    Those are all that write or move in text, and what turns or presses the others. Esc and the
    function keys are nobody's own, nor is anything with Ctrl or Alt: a field of text says itself
    which of those it needs.
    """
    key = Qt.Key(event.key())
    if event.modifiers() & _CHORD:
        return False
    if isinstance(control, _TYPED):
        return key != Qt.Key.Key_Escape and not Qt.Key.Key_F1 <= key <= Qt.Key.Key_F35
    return any(isinstance(control, kind) and key in own for kind, own in _OWN)


def open_context_menu() -> None:
    """Ask what has the focus for its menu, as the right button and the key of menus do.

    Qt itself does it for that key, which not every keyboard has, and on some systems for Shift+F10.
    """
    focus = QApplication.focusWidget()
    if focus is not None:
        at = focus.rect().center()
        reason = QContextMenuEvent.Reason.Keyboard
        QApplication.sendEvent(focus, QContextMenuEvent(reason, at, focus.mapToGlobal(at)))


class ControlKeys(QObject):
    """Keeps the window's shortcuts from the keys that the control with the focus needs itself."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._follow)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take what would become a shortcut for a key of the control."""
        if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
            return super().eventFilter(watched, event)
        own = is_own_key(watched, event)
        if own:
            event.accept()
        return own

    def _follow(self, old: QWidget | None, new: QWidget | None) -> None:
        del old
        # Not the canvas nor the whole program: each of their events would cost a call.
        if new is not None and isinstance(new, _WATCHED):
            new.installEventFilter(self)


class PanelWalk(QObject):
    """The parts of the window in turn, for whoever has no mouse."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._panels: list[tuple[QWidget, tuple[QWidget, ...]]] = []

    def add(self, panel: QWidget, *controls: QWidget) -> None:
        """Add a part, and which of its controls get the focus: the first that can have it."""
        self._panels.append((panel, controls))

    def go(self, by: int) -> None:
        """Give the focus to the next part that can be seen, or the one before for -1."""
        shown = [(panel, controls) for panel, controls in self._panels if panel.isVisible()]
        focus = QApplication.focusWidget()
        here = [
            n
            for n, (panel, _) in enumerate(shown)
            if focus is not None and (panel is focus or panel.isAncestorOf(focus))
        ]
        start = here[0] if here else -by
        for step in range(1, len(shown) + 1):
            _, controls = shown[(start + by * step) % len(shown)]
            ready = next((c for c in controls if c.isEnabled() and c.isVisible()), None)
            if ready is not None:
                ready.setFocus(Qt.FocusReason.TabFocusReason)
                return
