"""How far a run of the model is, with what stops it; what failed; what was not finished."""

from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from maskstudio.session.preannotation import PreAnnotator
from maskstudio.session.runs import RunProgress
from maskstudio.storage.run_file import StoredRun
from maskstudio.ui.labels import faint

_POLL_MS = 100


class RunProgressPanel(QWidget):
    """Seen while there is something to say; nothing of it is made before."""

    def __init__(self, annotator: PreAnnotator, actions: dict[str, QAction]) -> None:
        """Say nothing yet.

        Args:
            annotator: what runs.
            actions: `pause`, `cancel`, `whole_image` and `failures`.
        """
        super().__init__()
        self._annotator = annotator
        self._actions = actions
        self._parts: _Parts | None = None
        self._poll = QTimer(self, interval=_POLL_MS)
        self._poll.timeout.connect(self._show_progress)
        annotator.running_changed.connect(self._renew)
        annotator.batch.failures_changed.connect(self._renew)
        self._renew()

    @property
    def bar(self) -> QProgressBar:
        """The share that is done."""
        return self._made().bar

    @property
    def line(self) -> QLabel:
        """How far it is, in words."""
        return self._made().line

    def _made(self) -> "_Parts":
        if self._parts is None:
            self._parts = _Parts(self, self._actions, self._annotator.batch.forget)
        return self._parts

    def _renew(self) -> None:
        annotator, batch = self._annotator, self._annotator.batch
        unfinished, failed = batch.unfinished, len(batch.failures)
        something = annotator.running or unfinished is not None or failed > 0
        self.setVisible(something)
        if annotator.running:
            self._poll.start()
        else:
            self._poll.stop()
        if not something:
            return
        parts = self._made()
        parts.bar.setVisible(annotator.running)
        parts.line.setVisible(annotator.running or unfinished is not None)
        parts.pause.setVisible(batch.running or unfinished is not None)
        goes = batch.running and not batch.paused
        parts.pause.setText("Pause" if goes else "Continue")
        parts.cancel.setVisible(annotator.running)
        parts.whole.setVisible(False)
        parts.discard.setVisible(not annotator.running and unfinished is not None)
        parts.failed.setVisible(failed > 0)
        parts.failed.setText(f"{failed:,} failed…")
        if unfinished is not None:
            parts.line.setText(_unfinished_words(unfinished))
        self._show_progress()

    def _show_progress(self) -> None:
        progress = self._annotator.progress()
        if progress is None:
            return
        parts = self._made()
        # One image looked at whole has no steps worth counting: the bar moves to and fro.
        one = progress.total <= 1
        parts.bar.setRange(0, progress.parts if one else progress.total)
        parts.bar.setValue(progress.parts_done if one else progress.done)
        parts.whole.setVisible(one and progress.parts > 0 and self._annotator.may_run_whole)
        parts.line.setText(_progress_words(progress, self._annotator.model_name))


class _Parts:
    """What the panel is made of."""

    def __init__(
        self, panel: QWidget, actions: dict[str, QAction], forget: Callable[[], object]
    ) -> None:
        self.bar = QProgressBar(textVisible=False)
        self.bar.setAccessibleName("Progress of the model")
        self.line = faint()
        self.pause = _button("Pause", actions["pause"])
        self.cancel = _button("Cancel", actions["cancel"])
        self.whole = _button("Whole image", actions["whole_image"])
        self.whole.hide()
        self.discard = QPushButton("Discard")
        self.discard.setToolTip("Do not finish this run; what it has done stays")
        self.discard.clicked.connect(lambda *_: forget())
        self.failed = QToolButton()
        self.failed.setAutoRaise(True)
        self.failed.setToolTip(actions["failures"].toolTip())
        self.failed.setAccessibleName("Images that failed")
        self.failed.clicked.connect(actions["failures"].trigger)
        column = QVBoxLayout(panel)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.bar)
        column.addWidget(self.line)
        row = QHBoxLayout()
        row.addWidget(self.failed)
        row.addStretch(1)
        for button in (self.pause, self.discard, self.whole, self.cancel):
            row.addWidget(button)
        column.addLayout(row)


def _button(text: str, action: QAction) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(action.toolTip())
    button.clicked.connect(action.trigger)
    return button


def _unfinished_words(run: StoredRun) -> str:
    left = len(run.image_ids) - len(run.ended)
    return f"A run over {len(run.image_ids):,} images was not finished; {left:,} are left."


def _progress_words(progress: RunProgress, chosen: str) -> str:
    left = "" if progress.seconds_left is None else f", {duration(progress.seconds_left)} left"
    if progress.total <= 1 and not progress.paused:
        return f"{progress.note}{left}"
    # The run keeps the model it began with.
    by = "" if progress.model == chosen else f", with {short(progress.model)}"
    tiles = f", {progress.note}" if progress.parts else ""
    waits = ", paused" if progress.paused else tiles + left
    return f"{progress.done:,} of {progress.total:,} images{by}{waits}"


def duration(seconds: float) -> str:
    """Return a length of time in words, as exact as one needs to know it."""
    if seconds < 90:
        return f"{round(seconds)} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def short(model: str) -> str:
    """Return the name of a model without the folders it lies in."""
    return model.replace("\\", "/").rsplit("/", 1)[-1]
