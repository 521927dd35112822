"""A key that is held down steps through the images as fast as they can be shown, no faster.

A keyboard repeats thirty times a second; a photograph takes longer to decode. Without this the
images would be passed by unseen, and the last one reached long after the key was let go.
"""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QWidget


class HeldKey(QObject):
    """Passes over the repeats of a key until what it asked for last can be seen."""

    def __init__(self, window: QWidget, steps: Sequence[QAction], seen: Callable[[], bool]) -> None:
        """Watch the keys of a window.

        Args:
            window: the window.
            steps: the actions whose keys are meant.
            seen: tells whether the last step is on the screen.
        """
        super().__init__(window)
        self._steps = steps
        self._seen = seen
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take a repeat away before Qt makes a shortcut of it."""
        del watched
        if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
            return False
        if not event.isAutoRepeat() or self._seen():
            return False
        key = QKeySequence(event.keyCombination())
        ours = any(key in action.shortcuts() for action in self._steps)
        if ours:
            # Said to be wanted as typed text, it is no shortcut; and nobody takes it as text.
            event.accept()
        return ours
