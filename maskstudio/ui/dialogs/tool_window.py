"""A small window beside the image: both stay usable, and Esc closes it."""

from PySide6.QtCore import QEvent, QPoint, Qt
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
