"""Another model beside the one in use, on the same images: figures, and one button to choose."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from maskstudio.annotation.evaluation import Report
from maskstudio.session.comparing import Comparing
from maskstudio.session.reannotation import Reannotation
from maskstudio.session.tasks import LaneName
from maskstudio.storage.model_folder import model_file
from maskstudio.ui.dialogs.comparing_figures import headline, notes
from maskstudio.ui.dialogs.comparing_views import (
    ConfusionTables,
    Curves,
    FigureList,
    load_ahead,
)
from maskstudio.ui.dialogs.tool_window import ToolWindow
from maskstudio.ui.labels import faint, heading
from maskstudio.ui.model_words import choice_words
from maskstudio.ui.panels.run_progress import short
from maskstudio.ui.services import Services

_SIZE = (900, 600)  # fits a screen of 1366 x 768 with its bars
_POLL_MS = 200
_EMPTY = (
    "Both models are run on the verified images of this folder that are kept apart for that: the "
    "validation images of the export and of training. It takes about as long as pre-annotating "
    "them twice; you can go on working."
)


class ComparingPage(ToolWindow):
    """The page; the window stays usable beside it."""

    def __init__(
        self,
        services: Services,
        comparing: Comparing,
        again: Reannotation,
        say: Callable[[str], object],
        parent: QWidget,
    ) -> None:
        super().__init__("Compare models", parent)
        self._annotator, self._models = services.annotator, services.models
        self._tasks = services.tasks
        self._comparing, self._again, self._say = comparing, again, say
        self._report: Report | None = None
        self.old = heading("")
        self.new = QComboBox()
        self.start = QPushButton("Compare")
        self.stop = QPushButton("Stop")
        self.bar = QProgressBar(textVisible=False)
        self.line = faint()
        self.said = heading("")
        self.notes = faint()
        self.figures, self.curves, self.confusion = FigureList(), Curves(), ConfusionTables()
        self.tabs = QTabWidget()
        self.predict = QCheckBox()
        self.use = QPushButton("Use the new model")
        self.keep = QPushButton("Keep the old one")
        self._poll = QTimer(self, interval=_POLL_MS)
        self._build()
        self._connect(services)
        self._renew_models()
        self._renew()
        if comparing.report is not None:
            self._take(comparing.report)
        else:
            self._explain(_EMPTY)

    def compare(self, model: str) -> None:
        """Compare a model, by name or path, with the one in use, unless a comparison runs."""
        self._choose(model)
        if not self._comparing.running:
            self._on_start()

    def changeEvent(self, event: QEvent) -> None:
        """Take up the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._report is not None:
            self._show(self._report)

    def _build(self) -> None:
        for widget, name in (
            (self.new, "Model to compare"),
            (self.bar, "Progress of the comparison"),
            (self.line, "How far the comparison is"),
            (self.said, "Which model is better"),
        ):
            widget.setAccessibleName(name)
        self.said.setWordWrap(True)
        self.new.setMinimumContentsLength(20)
        self.use.setToolTip("Pre-annotate with the new model from now on")
        self.keep.setToolTip("Go on with the model that is in use; the new one stays in Models…")
        self.predict.setToolTip(
            "Your own work and verified images stay as they are; what changes can be looked at"
        )
        for view, title in (
            (self.figures, "Figures"),
            (self.curves, "Precision and recall"),
            (self.confusion, "What was taken for what"),
        ):
            self.tabs.addTab(view, title)
        choice, end = QHBoxLayout(), QHBoxLayout()
        for one in (QLabel("In use:"), self.old, QLabel("  compared with"), self.new):
            choice.addWidget(one)
        choice.addStretch(1)
        choice.addWidget(self.start)
        choice.addWidget(self.stop)
        end.addWidget(self.predict)
        end.addStretch(1)
        end.addWidget(self.keep)
        end.addWidget(self.use)
        column = QVBoxLayout(self)
        column.addLayout(choice)
        for part in (self.bar, self.line, self.said, self.notes):
            column.addWidget(part)
        column.addWidget(self.tabs, 1)
        column.addStretch(0)
        column.addLayout(end)
        self.resize(*_SIZE)

    def _connect(self, services: Services) -> None:
        self.start.clicked.connect(self._on_start)
        self.stop.clicked.connect(self._comparing.stop)
        self.use.clicked.connect(self._on_use)
        self.keep.clicked.connect(self._on_keep)
        self._poll.timeout.connect(self._show_progress)
        self._comparing.changed.connect(self._renew)
        self._comparing.compared.connect(self._on_compared)
        self._comparing.failed.connect(self._explain)
        self._models.changed.connect(self._renew_models)
        self._annotator.model_loaded.connect(self._renew_models)
        services.session.opened.connect(self.close)

    def _renew_models(self) -> None:
        """Offer every model that is here but the one in use; the one chosen stays chosen."""
        chosen, used = self.new.currentData(), self._annotator.model_name
        self.new.clear()
        for model in self._models.models():
            if model.name == used:
                continue
            if model.is_here:
                self.new.addItem(choice_words(model), model.name)
        titles = {model.name: model.title for model in self._models.models()}
        self.old.setText(titles.get(used, short(used)))
        if chosen is not None and chosen != used:
            self._choose(chosen)
        self._renew()

    def _choose(self, model: str) -> None:
        path = Path(model)
        if path == model_file(path.stem):
            # The list knows it by its name.
            model = path.stem
        place = self.new.findData(model)
        if place < 0:
            self.new.addItem(short(model), model)
            place = self.new.count() - 1
        self.new.setCurrentIndex(place)

    def _renew(self) -> None:
        running = self._comparing.running
        self.start.setVisible(not running)
        self.start.setEnabled(self.new.count() > 0)
        self.new.setEnabled(not running and self.new.count() > 0)
        self.stop.setVisible(running)
        self.bar.setVisible(running)
        self.line.setVisible(running)
        if running:
            self._show_progress()
            self._poll.start()
        else:
            self._poll.stop()
        used = self._report is not None and self._report.models[1].source
        self.use.setEnabled(bool(used) and used != self._annotator.model_name)

    def _show_progress(self) -> None:
        progress = self._comparing.progress
        self.bar.setRange(0, progress.total)
        self.bar.setValue(progress.done)
        of = f"{progress.done:,} of {progress.total:,}  ·  " if progress.total else ""
        self.line.setText(f"{of}{progress.note or 'getting ready'} …")

    def _on_start(self) -> None:
        if self.new.currentData() is not None:
            self._comparing.start(self._annotator.model_name, self.new.currentData())
            self._tasks.submit(LaneName.FILES, load_ahead)

    def _on_compared(self) -> None:
        if self._comparing.report is not None:
            self._take(self._comparing.report)

    def _take(self, report: Report) -> None:
        self._report = report
        self.said.setText(headline(report))
        self.notes.setText(f"{notes(report)} {self._as_it_came(report)}".strip())
        self.notes.setVisible(bool(self.notes.text()))
        images = len(self._again.images())
        these = "1 image" if images == 1 else f"{images:,} images"
        self.predict.setText(f"Predict again what nobody has touched ({these})")
        self.predict.setChecked(images > 0)
        self.predict.setEnabled(images > 0)
        for part in (self.said, self.tabs, self.predict, self.use, self.keep):
            part.show()
        self._show(report)
        self._renew()

    def _as_it_came(self, report: Report) -> str:
        """Say that what the model in use has learned here was not measured."""
        running, old = self._annotator.model, report.models[0]
        if running is None or running.model_id == old.model:
            return ""
        if old.source != self._annotator.model_name:
            return ""
        return (
            f"{old.model} was measured as it came: what it learned from your work knows these "
            "images, and could not be judged by them."
        )

    def _show(self, report: Report) -> None:
        self.figures.show_report(report)
        self.curves.show_report(report)
        self.confusion.show_report(report)

    def _explain(self, sentence: str) -> None:
        """Say something in the place of figures."""
        self._report = None
        for part in (self.said, self.tabs, self.predict, self.use, self.keep):
            part.hide()
        one = self.new.count() == 0
        none = " There is no other model here yet: train one, or see Models…." if one else ""
        self.notes.setText(sentence + none)
        self.notes.show()

    def _on_use(self) -> None:
        if self._report is None:
            return
        model = self._report.models[1]
        self._again.promote(model.source, again=self.predict.isChecked())
        self._say(f"{model.model} is in use from now on.")
        self.close()

    def _on_keep(self) -> None:
        if self._report is not None:
            self._say(f"{self._report.models[0].model} stays in use.")
        self.close()


def show_comparing(
    services: Services,
    comparing: Comparing,
    again: Reannotation,
    say: Callable[[str], object],
    parent: QWidget,
) -> ComparingPage:
    """Open the page, or bring it back to the front."""
    page = parent.findChild(ComparingPage)
    # One that was closed a moment ago is still there, but on its way out.
    if page is None or not page.isVisible():
        page = ComparingPage(services, comparing, again, say, parent)
        page.show()
    page.activateWindow()
    return page
