"""How far the queue of what to label next is; over the list of images while that shows it."""

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from maskstudio.session.image_order import SortKey
from maskstudio.session.queueing import Queueing
from maskstudio.session.runs import RunProgress
from maskstudio.session.session import Session
from maskstudio.ui.labels import faint
from maskstudio.ui.panels.run_progress import duration

_POLL_MS = 100


class QueueBar(QWidget):
    """A bar, a line of words and a button: stop, or look again.

    Attributes:
        said: the words.
        button: stops, or has the images looked at and ordered again.
    """

    def __init__(self, session: Session, queueing: Queueing, parent: QWidget) -> None:
        """Stand within a widget from the start: shown without one it would be a window."""
        super().__init__(parent)
        self._session = session
        self._queueing = queueing
        self._bar = QProgressBar(textVisible=False)
        self._bar.setAccessibleName("Progress of the queue")
        self.said = faint()
        self.said.setAccessibleName("What to label next")
        self.button = QPushButton()
        self.button.clicked.connect(self._on_button)
        self._poll = QTimer(self, interval=_POLL_MS)
        self._poll.timeout.connect(self._say)
        row = QHBoxLayout()
        row.addWidget(self.said, 1)
        row.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 4, 8, 4)
        column.setSpacing(4)
        column.addWidget(self._bar)
        column.addLayout(row)
        queueing.changed.connect(self._renew)
        session.order.renewed.connect(self._renew)
        session.opened.connect(self._renew)
        self._renew()

    def _on_button(self) -> None:
        if self._queueing.running:
            self._queueing.cancel()
        else:
            self._queueing.start()

    def _renew(self) -> None:
        running = self._queueing.running
        self.setVisible(self._session.order.query.sort is SortKey.TEACHING)
        self._bar.setVisible(running)
        self.button.setText("Stop" if running else "Renew")
        self.button.setToolTip(
            "Look at no more images; those looked at so far are put in order"
            if running
            else "Look at what the model has not seen yet, and put the images in order again"
        )
        if running:
            self._poll.start()
        else:
            self._poll.stop()
        self._say()

    def _say(self) -> None:
        progress = self._queueing.progress()
        if progress is not None:
            self._bar.setRange(0, progress.total)
            self._bar.setValue(progress.done)
            self.said.setText(_progress_words(progress))
        elif self._queueing.outdated:
            self.said.setText("The model is another one now, or has learned: renew the order.")
        else:
            self.said.setText(self._order_words())

    def _order_words(self) -> str:
        ordered, failed = len(self._session.order.queue), self._queueing.failed
        if not ordered and not failed:
            return "No image is left to be labelled." if self._session.image_ids else ""
        unread = f"; {failed:,} could not be read" if failed else ""
        return f"{ordered:,} images, what teaches most first{unread}."


def _progress_words(progress: RunProgress) -> str:
    if progress.total and not progress.model:
        return f"{progress.note}: {progress.done:,} of {progress.total:,}"
    if not progress.total:
        return f"{progress.note} …"
    left = "" if progress.seconds_left is None else f", {duration(progress.seconds_left)} left"
    return f"looking at {progress.done:,} of {progress.total:,} images{left}"
