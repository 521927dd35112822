"""How far something is that runs aside for a dialog, and how it ended."""

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QGridLayout, QLabel, QProgressBar, QWidget

from maskstudio.session.tasks import Job, Progress

_POLL_MS = 100
_SIGN = 18


class JobView(QWidget):
    """A bar and a sentence while a job runs, then a sign and how it ended.

    Attributes:
        bar: the share that is done; hidden while nothing runs.
        said: the sentence.
    """

    def __init__(self, what: str) -> None:
        """Be empty; `what` names the job for those who hear the window."""
        super().__init__()
        self._job: Job | None = None
        self._doing = ""
        self.bar = QProgressBar(textVisible=False)
        self.bar.setAccessibleName(f"Progress of the {what}")
        self.bar.hide()
        self._sign = QLabel()
        self._sign.hide()
        self.said = QLabel(wordWrap=True)
        # Names of files and categories are in it, whatever they are made of.
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        self.said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.said.setAccessibleName(f"Result of the {what}")
        self._poll = QTimer(self, interval=_POLL_MS)
        self._poll.timeout.connect(self._show_progress)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnStretch(1, 1)
        grid.addWidget(self.bar, 0, 0, 1, 2)
        grid.addWidget(self._sign, 1, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self.said, 1, 1)

    def follow(self, job: Job, doing: str) -> None:
        """Show how far a job is; `doing` says in a word or two what it does."""
        self._job, self._doing = job, doing
        self.bar.setRange(0, 0)
        self.bar.show()
        self._sign.hide()
        self.said.setText(f"{doing} …")
        self._poll.start()

    def end(self, sign: QIcon, text: str) -> None:
        """Follow no job; say how it ended, or nothing."""
        self._job = None
        self._poll.stop()
        self.bar.hide()
        self._sign.setPixmap(sign.pixmap(_SIGN, _SIGN))
        self._sign.setVisible(not sign.isNull())
        self.said.setText(text)

    def _show_progress(self) -> None:
        if self._job is None:
            return
        progress = self._job.progress
        self.bar.setRange(0, progress.total)
        self.bar.setValue(progress.done)
        self.said.setText(f"{self._doing}{_words(progress)} …")


def _words(progress: Progress) -> str:
    """Return how far it is: what it does now, and how much of it if that is told."""
    step = f": {progress.note}" if progress.note else ""
    return f"{step}, {progress.done:,} of {progress.total:,}" if progress.total > 1 else step
