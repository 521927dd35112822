"""A small window beside the image: both stay usable, and Esc closes it."""

from PySide6.QtCore import QEvent, QPoint, QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QWidget

_FROM_CORNER = 12


class ToolWindow(QDialog):
    """A window that leaves the keys of the main window at work, and goes when it is closed."""

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Tool)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def event(self, event: QEvent) -> bool:
        """Let Esc close this window, not do what it does in the main one."""
        override = event.type() == QEvent.Type.ShortcutOverride
        if override and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)

    def show_at(self, widget: QWidget) -> None:
        """Open at the corner of a widget of the main window."""
        self.move(widget.mapToGlobal(QPoint(_FROM_CORNER, _FROM_CORNER)))
        self.show()


def resize_on_screen(window: QWidget, size: QSize) -> None:
    """Give a window another size, and move it as far as it takes to lie on the screen whole."""
    window.resize(size)
    if not window.isVisible():
        return
    room = window.screen().availableGeometry()
    frame = window.frameGeometry()
    # What was asked for counts, and may not be there yet.
    frame.setSize(frame.size() - window.size() + size)
    frame.moveRight(min(frame.right(), room.right()))
    frame.moveBottom(min(frame.bottom(), room.bottom()))
    frame.moveLeft(max(frame.left(), room.left()))
    frame.moveTop(max(frame.top(), room.top()))
    if frame.topLeft() != window.pos():
        window.move(frame.topLeft())
