"""«Does it pay?»: what became of the objects, and the time it took, by day, category and model."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from maskstudio.annotation.learning_curve import CurvePoint, compare
from maskstudio.annotation.payoff import Payoff
from maskstudio.progress import TaskContext
from maskstudio.session.payoff import PayoffWatch
from maskstudio.session.payoff_reading import Account
from maskstudio.session.payoff_report import (
    PAUSES,
    WITHOUT_MODEL,
    category_rows,
    chosen_of,
    comparison,
    csv_text,
    model_rows,
    sentence,
    unknown,
    when,
    without_model,
)
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, LaneName, Tasks
from maskstudio.storage.files import replaced_file
from maskstudio.ui.dialogs.payoff_charts import DayChart, LearningChart, SecondsChart
from maskstudio.ui.dialogs.payoff_table import PayoffTable
from maskstudio.ui.dialogs.tool_window import ToolWindow
from maskstudio.ui.labels import faint

_SIZE = (980, 640)  # fits a screen of 1366 x 768 with its bars
_PERIODS = {1: "Today", 7: "The last 7 days", 30: "The last 30 days", 0: "All the time"}
_FIRST_PERIOD = 7
_READING = "Reading what was done …"
_NOTHING = (
    "Nothing to count yet. Accept, correct or draw something; then this page tells what became of "
    "what the model found, and how long an object takes."
)
_NOT_LEARNED = (
    "The model has learned nothing here yet. It does while you verify images, with «Learn while I "
    "label» turned on in the menu Model."
)


class PayoffPage(ToolWindow):
    """Lies beside the work: the window stays usable, and the figures follow it.

    Attributes:
        period: which days count.
        category: which category.
        model: which model.
        said: the account in one sentence.
    """

    def __init__(self, session: Session, tasks: Tasks, parent: QWidget) -> None:
        super().__init__("Does it pay?", parent)
        self._session = session
        self._tasks = tasks
        self._closed = False
        self._watch = PayoffWatch(session, tasks, self)
        self._shown: Payoff | None = None
        self.period, self.category, self.model = QComboBox(), QComboBox(), QComboBox()
        self.said, self._compared = QLabel(wordWrap=True), QLabel(wordWrap=True)
        self._unknown, self._saved = faint(), faint()
        self._days, self._seconds = DayChart(), SecondsChart("day")
        self._by_category = PayoffTable("Category", "Figures by category")
        self._by_model = PayoffTable("Model", "Figures by model")
        self._model_seconds = SecondsChart("model")
        self._learned, self._curve = QLabel(wordWrap=True), LearningChart()
        self._tabs, self._pages = QTabWidget(), QStackedWidget()
        self._empty = QLabel(_READING, wordWrap=True)
        self._save = QPushButton("Save as CSV…")
        self._build()
        self._connect()

    def _build(self) -> None:
        for label, name in (
            (self.said, "The account in a sentence"),
            (self._compared, "With a model and without"),
            (self._unknown, "What is not known"),
            (self._saved, "What was saved"),
            (self._learned, "What learning was worth"),
        ):
            label.setAccessibleName(name)
            # Names of models and files are in them, whatever they are made of.
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.said.setObjectName("heading")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setMargin(60)
        self._save.setToolTip("Write what is chosen as a table: a row a day, category and model")
        for days, words in _PERIODS.items():
            self.period.addItem(words, days)
        self.period.setCurrentIndex(list(_PERIODS).index(_FIRST_PERIOD))
        self._fill_tabs()
        shown = QWidget()
        column = QVBoxLayout(shown)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.said, self._compared):
            column.addWidget(widget)
        column.addLayout(self._filter_row())
        column.addWidget(self._tabs, 1)
        column.addWidget(self._unknown)
        self._pages.addWidget(self._empty)
        self._pages.addWidget(shown)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        foot = QHBoxLayout()
        foot.addWidget(self._saved, 1)
        foot.addWidget(self._save)
        foot.addWidget(buttons)
        whole = QVBoxLayout(self)
        whole.addWidget(self._pages, 1)
        whole.addLayout(foot)
        for button in self.findChildren(QPushButton):
            # Enter on a choice chooses.
            button.setAutoDefault(False)
        self._save.setEnabled(False)
        self.resize(*_SIZE)

    def _filter_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        named = (("Period", self.period), ("Category", self.category), ("Model", self.model))
        for words, choice in named:
            choice.setAccessibleName(words)
            row.addWidget(choice)
        row.addStretch(1)
        return row

    def _fill_tabs(self) -> None:
        by_model = _stacked(self._by_model, self._model_seconds)
        for words, widget in (
            ("By day", _stacked(self._days, self._seconds)),
            ("By category", _stacked(self._by_category)),
            ("By model", by_model),
            ("What it learned", _stacked(self._learned, self._curve)),
        ):
            self._tabs.addTab(widget, words)

    def _connect(self) -> None:
        self._watch.changed.connect(self._on_account)
        self._watch.problem.connect(self._on_problem)
        for choice in (self.period, self.category, self.model):
            choice.activated.connect(self._show)
        self._save.clicked.connect(self._on_save)
        self.finished.connect(self._on_finished)

    def _on_account(self) -> None:
        account = self._watch.account
        if account is None:
            self._empty.setText(_READING)
        elif not (account.payoff.tallies or account.curve):
            self._empty.setText(_NOTHING)
        else:
            self._offer(account.payoff)
            self._show_curve(account)
            self._show()
            self._pages.setCurrentIndex(1)
            return
        self._pages.setCurrentIndex(0)
        self._save.setEnabled(False)

    def _on_problem(self, text: str) -> None:
        self._empty.setText(text)
        self._pages.setCurrentIndex(0)

    def _offer(self, payoff: Payoff) -> None:
        """List the categories and models there are figures of; what was chosen stays chosen."""
        categories = sorted(payoff.names.items(), key=lambda item: item[1].casefold())
        _refill(self.category, "All categories", [(name, i) for i, name in categories])
        models = [(one or WITHOUT_MODEL, one) for one in payoff.by_model()]
        _refill(self.model, "All models", models)

    def _show(self) -> None:
        """Show what is chosen."""
        account = self._watch.account
        if account is None:
            return
        days: int = self.period.currentData()
        today = datetime.now().astimezone().date()
        category_id, model_id = self.category.currentData(), self.model.currentData()
        chosen = chosen_of(account.payoff, days, today, category_id, model_id)
        self._shown = chosen
        self.said.setText(sentence(chosen.total, when(days)))
        without = without_model(account.payoff, category_id)
        compared = comparison(chosen, without)
        self._compared.setText(compared)
        self._compared.setVisible(bool(compared))
        self._unknown.setText(" ".join((*unknown(chosen, without), PAUSES)))
        by_day, models = chosen.by_day(), model_rows(chosen)
        self._days.show_days(by_day)
        self._seconds.show_days(by_day)
        self._by_category.show_rows(category_rows(chosen))
        self._by_model.show_rows(models)
        self._model_seconds.show_rows(models)
        self._save.setEnabled(bool(chosen.tallies))

    def _show_curve(self, account: Account) -> None:
        points = _of_last_start(account.curve)
        self._learned.setText(_learned_words(points))
        self._curve.setVisible(bool(points))
        self._curve.show_points(points)

    def _on_save(self) -> None:
        shown = self._shown
        name, _ = QFileDialog.getSaveFileName(
            self, "Save the figures", "does it pay.csv", "CSV (*.csv)"
        )
        if not name or shown is None:
            return
        path = Path(name)

        def write(context: TaskContext) -> None:
            del context
            with replaced_file(path) as beside:
                beside.write_text(csv_text(shown), encoding="utf-8", newline="")

        self._save.setEnabled(False)
        callbacks = Callbacks(lambda _: self._on_saved(f"Saved as {path.name}."), self._on_unsaved)
        self._tasks.submit(LaneName.FILES, write, callbacks)

    def _on_saved(self, said: str) -> None:
        # It may come when the page is gone.
        if not self._closed:
            self._saved.setText(said)
            self._save.setEnabled(True)

    def _on_unsaved(self, sentence: str) -> None:
        if self._closed:
            self._session.problem.emit(sentence)
        else:
            self._on_saved(sentence)

    def _on_finished(self) -> None:
        self._closed = True
        self._watch.stop()


def show_payoff(session: Session, tasks: Tasks, parent: QWidget) -> None:
    """Open the page, or bring it back to the front."""
    page = parent.findChild(PayoffPage) or PayoffPage(session, tasks, parent)
    page.show()
    page.activateWindow()


def _stacked(*widgets: QWidget) -> QWidget:
    whole = QWidget()
    column = QVBoxLayout(whole)
    for widget in widgets:
        column.addWidget(widget, 0 if isinstance(widget, QLabel) else 1)
    return whole


def _refill(choice: QComboBox, everything: str, named: Sequence[tuple[str, object]]) -> None:
    wanted = [(everything, None), *named]
    if wanted == [(choice.itemText(n), choice.itemData(n)) for n in range(choice.count())]:
        # Its list may be open.
        return
    chosen = choice.currentData()
    choice.clear()
    for name, key in wanted:
        choice.addItem(name, key)
    choice.setCurrentIndex(max(0, choice.findData(chosen)))


def _of_last_start(curve: tuple[CurvePoint, ...]) -> list[CurvePoint]:
    """Return the points of the model that was started with last."""
    return [point for point in curve if point.start_id == curve[-1].start_id]


def _learned_words(points: list[CurvePoint]) -> str:
    if not points:
        return _NOT_LEARNED
    start_id = points[-1].start_id
    compared = compare(points, start_id)
    if not compared.images:
        return (
            f"Images verified with {start_id}: {len(points):,}. It has not learned from enough of "
            "them yet to be compared."
        )
    than, images = f"than {start_id} on the last images verified", compared.images
    share = abs(100 * compared.saved)
    fewer = "fewer" if compared.saved >= 0 else "more"
    return f"What it learned left {share:.0f} % {fewer} gestures {than} ({images} of them)."
