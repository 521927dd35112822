"""The model: which one runs, the score from which its detections show, and how far a run is."""

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from maskstudio.session.preannotation import PreAnnotator, RunProgress
from maskstudio.session.score_filter import ScoreFilter
from maskstudio.ui.labels import faint, heading

_POLL_MS = 100
# Keys and clicks beside the handle move the slider without letting go of it: they commit once the
# hand rests.
_REST_MS = 350
_LOWEST, _HIGHEST = 5, 99


class ModelPanel(QWidget):
    """Model, score slider, progress.

    Signals:
        model_chosen: name or path of a model.
        file_wanted: the person wants to choose a file.
    """

    model_chosen = Signal(str)
    file_wanted = Signal()

    def __init__(
        self,
        annotator: PreAnnotator,
        score_filter: ScoreFilter,
        models: list[str],
        cancel: QAction,
    ) -> None:
        super().__init__()
        self._annotator = annotator
        self._filter = score_filter
        self._cancel = cancel
        self.choice = QComboBox()
        self.choice.setAccessibleName("Model")
        self.choice.setToolTip("The model that pre-annotates")
        self.set_models(models)
        self.choice.activated.connect(self._on_chosen)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setToolTip("Detections below this score are not shown")
        self.slider.setRange(_LOWEST, _HIGHEST)
        self.slider.setAccessibleName("Lowest score shown")
        self.slider.setPageStep(5)
        self._score = QLabel()
        self._shown = faint()
        self._shown.setWordWrap(True)
        self._rest = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest.timeout.connect(self._commit)
        self.slider.valueChanged.connect(self._on_moved)
        self.slider.sliderReleased.connect(self._commit)
        self._poll = QTimer(self, interval=_POLL_MS)
        self._poll.timeout.connect(self._show_progress)
        self.bar = QProgressBar(textVisible=False)
        self.bar.setAccessibleName("Progress of the model")
        self.line = faint()
        self.line.setWordWrap(True)
        self._running = QWidget()
        self._build()
        annotator.running_changed.connect(self._on_running)
        score_filter.changed.connect(self._on_filter)
        self._on_running()
        self._on_filter()

    def set_models(self, models: list[str]) -> None:
        """List the models, the one in use chosen."""
        self.choice.clear()
        for model in models:
            self.choice.addItem(_short(model), model)
        self.choice.addItem("Choose a file…", None)
        self.choice.setCurrentIndex(max(0, self.choice.findData(self._annotator.model_name)))

    def _build(self) -> None:
        title = heading("Model")
        score = QHBoxLayout()
        score.addWidget(QLabel("Score from"))
        score.addWidget(self.slider, 1)
        score.addWidget(self._score)
        stop = QPushButton("Cancel")
        stop.setToolTip(self._cancel.toolTip())
        stop.clicked.connect(self._cancel.trigger)
        progress = QVBoxLayout(self._running)
        progress.setContentsMargins(0, 0, 0, 0)
        progress.setSpacing(4)
        progress.addWidget(self.bar)
        row = QHBoxLayout()
        row.addWidget(self.line, 1)
        row.addWidget(stop)
        progress.addLayout(row)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 8, 10, 8)
        column.addWidget(title)
        column.addWidget(self.choice)
        column.addLayout(score)
        column.addWidget(self._shown)
        column.addWidget(self._running)

    def _on_chosen(self, row: int) -> None:
        model = self.choice.itemData(row)
        if model is None:
            self.choice.setCurrentIndex(max(0, self.choice.findData(self._annotator.model_name)))
            self.file_wanted.emit()
        else:
            self.model_chosen.emit(model)

    def _on_moved(self, value: int) -> None:
        self._score.setText(f"{value / 100:.2f}")
        self._filter.move_to(value / 100)
        if not self.slider.isSliderDown():
            self._rest.start()

    def _commit(self) -> None:
        self._rest.stop()
        self._filter.commit(self.slider.value() / 100)

    def _on_filter(self) -> None:
        self._rest.stop()
        blocked = self.slider.blockSignals(True)
        self.slider.setValue(round(self._filter.min_score * 100))
        self.slider.blockSignals(blocked)
        self._score.setText(f"{self.slider.value() / 100:.2f}")
        self._shown.setText(
            f"{self._filter.found:,} detections kept; moving the slider needs no new run"
            if self._filter.available
            else "Nothing kept for this image: the score counts for the next run"
        )

    def _on_running(self) -> None:
        self._running.setVisible(self._annotator.running)
        self._cancel.setEnabled(self._annotator.running)
        if self._annotator.running:
            self._poll.start()
            self._show_progress()
        else:
            self._poll.stop()

    def _show_progress(self) -> None:
        progress = self._annotator.progress()
        if progress is None:
            return
        # One image has no steps worth counting: the bar moves to and fro.
        self.bar.setRange(0, progress.total if progress.total > 1 else 0)
        self.bar.setValue(progress.done)
        self.line.setText(_progress_words(progress))


def _progress_words(progress: RunProgress) -> str:
    left = "" if progress.seconds_left is None else f", {duration(progress.seconds_left)} left"
    if progress.total <= 1:
        return f"{progress.note}{left}"
    return f"{progress.done:,} of {progress.total:,} images{left}"


def duration(seconds: float) -> str:
    """Return a length of time in words, as exact as one needs to know it."""
    if seconds < 90:
        return f"{round(seconds)} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def _short(model: str) -> str:
    return model.replace("\\", "/").rsplit("/", 1)[-1]
