"""The one channel from the program to the person, and the bar that shows it."""

from dataclasses import dataclass
from enum import Enum, auto

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QWidget

from maskstudio.ui.theme import colours_now, good_icon, icon, problem_icon

_SHOWN_MS = 6000


class Level(Enum):
    """How grave a notification is."""

    INFO = auto()
    """It goes away by itself."""
    PROBLEM = auto()
    """It stays until it is closed or another comes."""


@dataclass(frozen=True)
class Notification:
    """One sentence for the person; `details` are further lines, shown on demand."""

    level: Level
    text: str
    details: tuple[str, ...] = ()


class Notifications(QObject):
    """Where everything that has something to say says it.

    Signals:
        posted: a `Notification`.
    """

    posted = Signal(object)

    def info(self, text: str) -> None:
        """Say that something went well or ended."""
        self.posted.emit(Notification(Level.INFO, text))

    def problem(self, text: str, details: tuple[str, ...] = ()) -> None:
        """Say that something failed and what to do."""
        self.posted.emit(Notification(Level.PROBLEM, text, details))


class NotificationBar(QFrame):
    """Shows the newest notification over the canvas, without taking the keys."""

    def __init__(self, notifications: Notifications, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("notification")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._icon = QLabel()
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setAccessibleName("Notification")
        self._details = QToolButton()
        self._details.setText("Show list")
        self._details.setCheckable(True)
        self._details.toggled.connect(self._show_text)
        close = QToolButton()
        close.setIcon(icon("close"))
        close.setToolTip("Close this message")
        close.setAccessibleName("Close this message")
        close.clicked.connect(self.hide)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(12, 4, 6, 4)
        self._row.addWidget(self._icon)
        self._row.addWidget(self._text, 1)
        self._row.addWidget(self._details)
        self._row.addWidget(close)
        self._notification = Notification(Level.INFO, "")
        self._timer = QTimer(self, singleShot=True, interval=_SHOWN_MS)
        self._timer.timeout.connect(self.hide)
        notifications.posted.connect(self._on_posted)
        self.hide()

    def place(self) -> None:
        """Lie along the top of the parent, as wide as the text needs."""
        parent = self.parentWidget()
        if parent is None or not self._text.text():
            return
        width = min(parent.width() - 24, 760)
        width = max(width, 120)
        # `adjustSize` would leave room for the text as if it were narrower than this.
        self.setFixedSize(width, self._row.totalHeightForWidth(width))
        self.move((parent.width() - self.width()) // 2, 10)

    def _on_posted(self, notification: Notification) -> None:
        self._notification = notification
        problem = notification.level is Level.PROBLEM
        colours = colours_now()
        edge, sign = (colours.bad, problem_icon()) if problem else (colours.good, good_icon())
        palette = self.palette()
        self.setStyleSheet(
            f"#notification {{ background: {palette.base().color().name()}; border-radius: 6px;"
            f" border: 1px solid {edge}; border-left: 5px solid {edge}; }}"
        )
        self._icon.setPixmap(sign.pixmap(18, 18))
        self._details.setVisible(bool(notification.details))
        self._details.setChecked(False)
        self._show_text(full=False)
        self._timer.stop()
        if not problem:
            self._timer.start()
        self.show()
        self.raise_()

    def _show_text(self, full: bool) -> None:
        lines = [self._notification.text]
        if full:
            lines += [f"•  {line}" for line in self._notification.details[:12]]
            left = len(self._notification.details) - 12
            if left > 0:
                lines.append(f"and {left} more")
        self._text.setText("\n".join(lines))
        self.place()
