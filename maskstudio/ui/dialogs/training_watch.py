"""A training run to look at: its curves, what the model finds by now, and what can be done."""

from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from maskstudio.session.training import Training
from maskstudio.storage.training_events import RunState
from maskstudio.ui.dialogs.tool_window import ToolWindow
from maskstudio.ui.dialogs.training_charts import TrainingCharts
from maskstudio.ui.dialogs.training_samples import TrainingSamples
from maskstudio.ui.dialogs.training_words import best_words, done_words, state_words
from maskstudio.ui.labels import faint, heading
from maskstudio.ui.services import Services
from maskstudio.ui.theme import good_icon, problem_icon

_SIZE = (940, 660)  # fits a screen of 1366 x 768 with its bars
_DRAW_MS = 500
_SIGN = 18
_PER_MILLE = 1000


class TrainingWatch(ToolWindow):
    """Lies beside the work; closing it stops nothing."""

    def __init__(
        self,
        services: Services,
        training: Training,
        parent: QWidget,
        compare: Callable[[str], object],
        train_anew: Callable[[], object],
    ) -> None:
        """Show the latest run.

        Args:
            services: what the window works on.
            training: what is watched.
            parent: the main window.
            compare: compares a new model, given by its path, with the one in use.
            train_anew: asks what to train.
        """
        super().__init__("Training", parent)
        self._session = services.session
        self._training = training
        self._compare_with = compare
        self._train_anew = train_anew
        self.line = heading("")
        self.line.setAccessibleName("Where the training is")
        self.bar = QProgressBar(textVisible=False, maximum=_PER_MILLE)
        self.bar.setAccessibleName("Progress of the training")
        self._sign = QLabel()
        self.said = QLabel(wordWrap=True)
        self.said.setAccessibleName("How the training goes")
        self.charts = TrainingCharts()
        self.samples = TrainingSamples(services.tasks, self._colours)
        self._no_samples = faint()
        self.pause = _button("Pause", "Let it wait; what is learned stays")
        self.stop = _button(
            "Stop and keep the best", "End it now, and make a model of the best it has found so far"
        )
        self.resume = _button("Go on", "Go on from where it was last written down")
        self.aside = _button(
            "Discard", "Offer no more to go on with this run; its files stay in the project"
        )
        self.again = _button("Train anew…", "Decide anew what to train")
        self.compare = _button(
            "Compare with the model in use", "See which of the two is better, and use that one"
        )
        self.end = _button("Close", "It goes on; the status bar says how far it is")
        self._build()
        # Twenty steps a second need not be drawn one by one.
        self._draw = QTimer(self, singleShot=True, interval=_DRAW_MS)
        self._draw.timeout.connect(self._renew)
        self._connect()
        self._renew()

    def done(self, result: int) -> None:
        """Close; the training goes on."""
        self._draw.stop()
        self.samples.end()
        super().done(result)

    def _build(self) -> None:
        said = QHBoxLayout()
        said.addWidget(self._sign)
        said.addWidget(self.said, 1)
        buttons = QHBoxLayout()
        for button in (self.pause, self.stop, self.resume, self.aside, self.again):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self.compare)
        buttons.addWidget(self.end)
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addWidget(self.line)
        column.addWidget(self.bar)
        column.addLayout(said)
        column.addWidget(self.charts, 1)
        column.addWidget(heading("Images it never learns from"))
        column.addWidget(self._no_samples)
        column.addWidget(self.samples)
        column.addLayout(buttons)
        self.resize(*_SIZE)

    def _connect(self) -> None:
        training = self._training
        training.progressed.connect(self._on_progressed)
        training.changed.connect(self._renew)
        self._session.opened.connect(self.reject)
        self.pause.clicked.connect(training.pause_or_go_on)
        self.stop.clicked.connect(training.stop)
        self.resume.clicked.connect(training.resume)
        self.aside.clicked.connect(training.put_aside)
        self.again.clicked.connect(self._on_again)
        self.compare.clicked.connect(self._on_compare)
        self.end.clicked.connect(self.reject)

    def _on_progressed(self) -> None:
        if not self._draw.isActive():
            self._draw.start()

    def _renew(self) -> None:
        """Show the run as it is now."""
        training, course = self._training, self._training.course
        self.line.setText(state_words(training))
        self._show_said()
        self._show_buttons()
        if course is None:
            return
        waiting = training.running and course.step is None
        self.bar.setRange(0, 0 if waiting else _PER_MILLE)
        self.bar.setValue(round(course.share * _PER_MILLE))
        self.charts.show_course(course)
        self.samples.show_samples(list(course.samples.values()))
        self.samples.setVisible(bool(course.samples))
        self._no_samples.setVisible(not course.samples)
        nothing = course.plan is not None and course.plan.val_images == 0
        self._no_samples.setText(
            "None is kept for that: verify more images to see how well it does."
            if nothing
            else "They come with the first measurement."
        )

    def _show_said(self) -> None:
        course = self._training.course
        sign, text = None, best_words(course)
        if course is not None and course.done is not None:
            sign, text = good_icon(), done_words(course)
        elif course is not None and not self._training.running and course.sentence:
            sign, text = problem_icon(), course.sentence
        self._sign.setVisible(sign is not None)
        if sign is not None:
            self._sign.setPixmap(sign.pixmap(_SIGN, _SIGN))
        self.said.setText(text)

    def _show_buttons(self) -> None:
        training, course = self._training, self._training.course
        running = training.running
        state = None if course is None else course.state
        self.pause.setVisible(running)
        self.pause.setText("Continue" if state is RunState.PAUSED else "Pause")
        self.pause.setEnabled(state in (RunState.TRAINING, RunState.PAUSED))
        self.stop.setVisible(running)
        self.stop.setEnabled(state is not RunState.STOPPING)
        self.resume.setVisible(training.resumable)
        self.aside.setVisible(training.offered)
        for button in (self.resume, self.aside):
            button.setEnabled(not self._session.read_only)
        self.again.setVisible(not (running or training.elsewhere))
        self.compare.setVisible(not running and course is not None and course.done is not None)

    def _colours(self) -> dict[str, str]:
        return {category.name: category.shown_colour for category in self._session.categories}

    def _on_again(self) -> None:
        self.reject()
        self._train_anew()

    def _on_compare(self) -> None:
        course = self._training.course
        if course is not None and course.done is not None:
            self._compare_with(course.done.model)


def _button(words: str, tip: str) -> QPushButton:
    button = QPushButton(words, autoDefault=False)
    button.setToolTip(tip)
    return button


def show_watch(
    services: Services,
    training: Training,
    parent: QWidget,
    compare: Callable[[str], object],
    train_anew: Callable[[], object],
) -> TrainingWatch:
    """Open the page, or bring it back to the front; see `TrainingWatch`."""
    there = (page for page in parent.findChildren(TrainingWatch) if page.isVisible())
    page = next(there, None)
    if page is None:
        page = TrainingWatch(services, training, parent, compare, train_anew)
        page.show()
    page.activateWindow()
    return page
