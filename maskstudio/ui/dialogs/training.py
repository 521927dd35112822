"""Train: what would be learned from, from which model, and how long; the rest is folded away."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QSize, Qt, SignalInstance
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from maskstudio.errors import UserError
from maskstudio.session.tasks import Callbacks, Job, LaneName
from maskstudio.session.training import Training
from maskstudio.session.training_choice import TrainingChoice
from maskstudio.session.training_outlook import Outlook, look_at
from maskstudio.session.training_planning import TrainingPlanning
from maskstudio.storage.model_folder import check_new_name
from maskstudio.ui.dialogs.tool_window import resize_on_screen
from maskstudio.ui.dialogs.training_advanced import TrainingAdvanced
from maskstudio.ui.dialogs.training_data import TrainingData
from maskstudio.ui.dialogs.training_words import plan_words
from maskstudio.ui.labels import faint
from maskstudio.ui.services import Services
from maskstudio.ui.theme import icon

_WIDTH, _MOST_HEIGHT = 600, 690  # fits a screen of 1366 x 768 with its bars
_FOLDED_HEIGHT = 240
_LENGTHS = (("short: a first impression", 0.4), ("usual", 1.0), ("long: the last bit", 2.5))
_USUAL = 1


class TrainingDialog(QDialog):
    """Lies beside the work: the window stays usable while it is open."""

    def __init__(
        self, services: Services, training: Training, parent: QWidget, begun: Callable[[], object]
    ) -> None:
        """Count what there is, and find out how long it would take.

        Args:
            services: what the window works on.
            training: trains.
            parent: the main window.
            begun: called once a run has begun.
        """
        super().__init__(parent)
        self.setWindowTitle("Train")
        self._services = services
        self._session = services.session
        self._training = training
        self._begun = begun
        self._counting: Job | None = None
        self._outlook: Outlook | None = None
        self._stale = False
        self._heard: list[tuple[SignalInstance, Callable[[], object]]] = []
        self._planning = TrainingPlanning(
            services.command, self._session.require_database().folder, self
        )
        self.data = TrainingData()
        self.init = QComboBox()
        self.init.setAccessibleName("Start from this model")
        self.init.setToolTip("What it has learned is kept; new categories are added to it")
        self.name = QLineEdit()
        self.name.setAccessibleName("Name of the new model")
        self.length = QComboBox()
        self.length.setAccessibleName("How long")
        self.estimate = faint()
        self.estimate.setAccessibleName("How long it takes")
        self.fold = QPushButton("Advanced")
        self.advanced = TrainingAdvanced()
        self.said = QLabel(wordWrap=True)
        self.said.setAccessibleName("What stands in the way")
        self.start = QPushButton("Train", default=True)
        self.end = QPushButton("Close", autoDefault=False)
        self._build()
        self._offer()
        self._connect()
        self._count()
        self._renew()

    def done(self, result: int) -> None:
        """Close; nothing more is asked."""
        if self._counting is not None:
            self._counting.cancel()
        self._counting = None
        self._planning.end()
        for signal, slot in self._heard:
            signal.disconnect(slot)
        self._heard.clear()
        super().done(result)

    def event(self, event: QEvent) -> bool:
        """Count anew what was verified while the window was in front."""
        if event.type() == QEvent.Type.WindowActivate and self._stale:
            self._stale = False
            self._count()
        return super().event(event)

    @property
    def choice(self) -> TrainingChoice:
        """What is decided."""
        plan = self._planning.plan
        share = self._share
        iterations = self.advanced.iterations
        if not iterations and plan is not None and share != 1:
            iterations = max(1, round(plan.iterations * share))
        return TrainingChoice(
            self.advanced.init or self.init.currentData(),
            self.name.text().strip(),
            iterations,
            self.advanced.options,
        )

    @property
    def _share(self) -> float:
        """How many of the usual steps are made."""
        if self.advanced.iterations:
            return 1.0
        return float(self.length.currentData())

    def _build(self) -> None:
        for words, share in _LENGTHS:
            self.length.addItem(words, share)
        self.length.setCurrentIndex(_USUAL)
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Start from", self.init)
        form.addRow("New model", self.name)
        form.addRow("Length", self.length)
        form.addRow("", self.estimate)
        self.fold.setObjectName("fold")
        self.fold.setCheckable(True)
        self.fold.setIcon(icon("chevron-right"))
        self.fold.setAutoDefault(False)
        self.fold.setToolTip("Network, device and all that follows from the data by itself")
        self._folded = QScrollArea(widgetResizable=True)
        self._folded.setFrameShape(QFrame.Shape.NoFrame)
        self._folded.setWidget(self.advanced)
        self._folded.setMinimumHeight(_FOLDED_HEIGHT)
        self._folded.hide()
        buttons = QHBoxLayout()
        buttons.addWidget(faint("It runs beside your work, and can be paused or stopped."), 1)
        buttons.addWidget(self.start)
        buttons.addWidget(self.end)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addWidget(self.data)
        column.addLayout(form)
        column.addWidget(self.fold)
        column.addWidget(self._folded, 1)
        column.addWidget(self.said)
        column.addStretch(0)
        column.addLayout(buttons)
        self._column = column

    def _offer(self) -> None:
        """List the models that are here, the one in use chosen; think of a name."""
        in_use = self._services.annotator.model_name
        models = [model for model in self._services.models.models() if model.is_here]
        for model in models:
            self.init.addItem(model.title, model.name)
        if self.init.findData(in_use) < 0:
            self.init.addItem(in_use, in_use)
        self.init.setCurrentIndex(self.init.findData(in_use))
        folder = self._session.require_database().folder.name
        self.name.setText(_free_name(folder, {model.name.casefold() for model in models}))

    def _connect(self) -> None:
        self.init.currentIndexChanged.connect(self._on_changed)
        self.length.currentIndexChanged.connect(self._renew)
        self.advanced.changed.connect(self._on_changed)
        self.name.textChanged.connect(self._renew)
        self.fold.toggled.connect(self._on_folded)
        self.start.clicked.connect(self._on_start)
        self.end.clicked.connect(self.reject)
        self._planning.changed.connect(self._renew)
        self._heard = [
            (self._session.opened, self.reject),
            (self._session.edited, self._on_edited),
            (self._session.renewed, self._on_edited),
        ]
        for signal, slot in self._heard:
            signal.connect(slot)

    def _on_edited(self) -> None:
        self._stale = True

    def _on_folded(self) -> None:
        unfolded = self.fold.isChecked()
        self._folded.setVisible(unfolded)
        self.fold.setIcon(icon("chevron-down" if unfolded else "chevron-right"))
        self._fit()

    def _on_changed(self) -> None:
        self._plan()
        self._renew()

    def _plan(self) -> None:
        """Ask how long it would take, where anything would be learned at all."""
        if self._outlook is not None and not self._outlook.obstacle():
            advanced = self.advanced
            init = advanced.init or self.init.currentData()
            self._planning.ask(TrainingChoice(init, "", advanced.iterations, advanced.options))

    def _count(self) -> None:
        database = self._session.require_database()
        if self._counting is not None:
            self._counting.cancel()

        def done(outlook: Outlook) -> None:
            if self._counting is job:
                self._counting, self._outlook = None, outlook
                self._plan()
                self._renew()

        def failed(sentence: str) -> None:
            if self._counting is job:
                self._counting = None
                self.said.setText(sentence)
                self.said.show()

        job = self._counting = self._services.tasks.submit(
            LaneName.FILES, lambda context: look_at(database, context), Callbacks(done, failed)
        )

    def _renew(self) -> None:
        """Show what is known by now, and whether it can begin."""
        planning, outlook = self._planning, self._outlook
        others = self._session.state_counts
        self.data.show_outlook(outlook, others, self._unknown())
        possible = outlook is not None and not outlook.obstacle()
        self.estimate.setVisible(possible)
        self.estimate.setText(plan_words(planning.plan, planning.failure, self._share))
        self.length.setEnabled(planning.plan is not None and not self.advanced.iterations)
        if planning.plan is not None:
            self.advanced.show_usual(planning.plan.settings)
        in_the_way = self._in_the_way()
        self.said.setText(in_the_way)
        self.said.setVisible(bool(in_the_way))
        self.start.setEnabled(possible and not in_the_way)
        self._fit()

    def _in_the_way(self) -> str:
        if self._session.read_only:
            return "The project is open for reading only; close it in the other window first."
        if self._training.running or self._training.elsewhere:
            return "A training runs already; stop it first, or let it come to its end."
        try:
            check_new_name(self.name.text().strip())
        except UserError as error:
            return str(error)
        return ""

    def _unknown(self) -> tuple[str, ...]:
        """Return the categories that the start model does not know, where that is known."""
        annotator = self._services.annotator
        model = annotator.model
        if (
            self._outlook is None
            or model is None
            or self.init.currentData() != annotator.model_name
        ):
            return ()
        known = {category.name.casefold() for category in model.categories}
        return tuple(
            c.name for c in self._outlook.categories if c.learned and c.name.casefold() not in known
        )

    def _fit(self) -> None:
        # A label that wraps does not make its window grow by itself.
        self._column.activate()
        height = self._column.totalHeightForWidth(_WIDTH)
        resize_on_screen(self, QSize(_WIDTH, min(height, _MOST_HEIGHT)))

    def _on_start(self) -> None:
        choice = self.choice
        self._planning.end()
        self._training.start(choice)
        self.accept()
        self._begun()


def show_training(
    services: Services, training: Training, parent: QWidget, begun: Callable[[], object]
) -> TrainingDialog:
    """Open the dialog, or bring it back to the front."""
    there = (dialog for dialog in parent.findChildren(TrainingDialog) if dialog.isVisible())
    dialog = next(there, None)
    if dialog is None:
        dialog = TrainingDialog(services, training, parent, begun)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()
    dialog.activateWindow()
    return dialog


def _free_name(base: str, taken: set[str]) -> str:
    """Return a name that no model has, from the folder's."""
    plain = "".join(c if c.isalnum() or c in " .()+-_" else " " for c in base).strip(" .()+-")
    plain = plain[:60] or "model"
    number, name = 1, plain
    while name.casefold() in taken:
        number += 1
        name = f"{plain} {number}"
    return name
