"""The category map: what becomes of each of a model's categories in this project.

It opens by itself before a model first runs in a project whose categories it does not share; the
model looks at the image meanwhile. What is changed is done at once, on the image in front too.
"""

from collections import Counter

from PySide6.QtCore import QSignalBlocker, QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialogButtonBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from maskstudio.annotation.category_map import IGNORED, TO_MAKE
from maskstudio.annotation.edits import Edit
from maskstudio.progress import TaskContext
from maskstudio.session.category_mapping import CategoryMapping
from maskstudio.session.detection_filtering import DetectionFiltering
from maskstudio.session.model_categories import settle
from maskstudio.session.model_lane import LoadedModel
from maskstudio.session.preannotation import PreAnnotator
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, Job, LaneName, Priority, Tasks
from maskstudio.storage.detections import count_found
from maskstudio.ui.dialogs.category_map_table import OF_MODEL, CategoryTable, Row
from maskstudio.ui.dialogs.destination_list import DestinationList, KeepingField, Own
from maskstudio.ui.dialogs.tool_window import ToolWindow
from maskstudio.ui.labels import faint
from maskstudio.ui.panels.annotation_model import colour_icon

_SIZE = QSize(760, 560)
_SIDE_WIDTH = 240
# All words begin at one place, and rows stay as high as they are.
_NO_COLOUR = "transparent"
_OWN: dict[int, Own | int] = {IGNORED: Own.IGNORE, TO_MAKE: Own.SAME_NAME}


class CategoryMapDialog(ToolWindow):
    """A row for each of the model's categories, and what can become of those selected."""

    def __init__(
        self,
        session: Session,
        tasks: Tasks,
        filtering: DetectionFiltering,
        annotator: PreAnnotator,
        parent: QWidget,
    ) -> None:
        super().__init__("Category map", parent)
        self.resize(_SIZE)
        self._session = session
        self._tasks = tasks
        self._filtering = filtering
        self._annotator = annotator
        self._mapping = CategoryMapping(session, filtering, LoadedModel("", (), ""))
        self._counts: Counter[str] = Counter()
        self._counting: Job | None = None
        # Rows do not move under a hand.
        self._touched = False
        self._batch = False
        self._waits = False
        self._intro = QLabel(wordWrap=True)
        self.finder = KeepingField(placeholderText="Find one of the model's categories…")
        self.finder.setAccessibleName("Find one of the model's categories")
        self.finder.setClearButtonEnabled(True)
        self.table = CategoryTable(OF_MODEL)
        self.goals = DestinationList()
        self.goals.setFixedWidth(_SIDE_WIDTH)
        self._of = faint()
        self.score = _Score(decimals=2, singleStep=0.05, maximum=1.0)
        self.score.setSpecialValueText("as all others")
        self.score.setAccessibleName("Score from which what is selected is shown")
        self.score.setKeyboardTracking(False)
        self._sum = faint()
        self._sum.setAccessibleName("How many categories go where")
        self.others = _button("Ignore all others", "All that go to no category of the project")
        self.make = _button("Ignore none", "What is ignored becomes categories of its own names")
        self.guess = _button("Guess again", "Where the names lead, whatever was chosen")
        self.everywhere = _button(
            "Apply to all images", "Filter what was found on the other images anew; no model runs"
        )
        self.start = QPushButton("Pre-annotate")
        self.end = _button("Close", "")
        self._build()
        self._connect()
        self._take_model()

    def wait_for(self, *, batch: bool) -> None:
        """Offer to begin the run that waits for this; `batch` for one over many images."""
        self._batch, self._waits = batch, True
        self._show()

    def _build(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.finder, 1)
        for button in (self.others, self.make, self.guess):
            top.addWidget(button)
        score = QHBoxLayout()
        label = QLabel("Score from")
        label.setBuddy(self.score)
        score.addWidget(label)
        score.addWidget(self.score, 1)
        side = QVBoxLayout()
        side.addWidget(self._of)
        side.addWidget(self.goals, 1)
        side.addLayout(score)
        middle = QHBoxLayout()
        middle.addWidget(self.table, 1)
        middle.addLayout(side)
        buttons = QDialogButtonBox()
        buttons.addButton(self.everywhere, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self.start, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(self.end, QDialogButtonBox.ButtonRole.RejectRole)
        column = QVBoxLayout(self)
        column.addWidget(self._intro)
        column.addLayout(top)
        column.addLayout(middle, 1)
        column.addWidget(self._sum)
        column.addWidget(
            faint("Space ignores what is selected, or no more; Shift and Ctrl select several.")
        )
        column.addWidget(buttons)
        self.table.setFocus()

    def _connect(self) -> None:
        self.finder.textChanged.connect(self.table.show_found)
        self.finder.taken.connect(self.table.setFocus)
        self.table.itemSelectionChanged.connect(self._show_chosen)
        self.table.currentItemChanged.connect(self._touch)
        self.table.ignoring.connect(self._toggle_ignored)
        self.goals.category_taken.connect(lambda i: self._mapping.send(self._chosen(), i))
        self.goals.new_taken.connect(lambda n: self._mapping.send_to_new(self._chosen(), n))
        self.goals.own_taken.connect(self._take_own)
        self.score.valueChanged.connect(self._set_score)
        self.others.clicked.connect(lambda: self._mapping.ignore_others())
        self.make.clicked.connect(lambda: self._mapping.make_all())
        self.guess.clicked.connect(lambda: self._mapping.guess(self._mapping.names))
        self.everywhere.clicked.connect(self._apply_everywhere)
        self.start.clicked.connect(self._begin)
        self.end.clicked.connect(self.reject)
        self._session.edited.connect(self._on_edited)
        self.finished.connect(self._stop_counting)
        self._session.opened.connect(self.reject)
        self._annotator.model_loaded.connect(self._take_model)
        self._annotator.asked.connect(self._on_asked)
        self._annotator.running_changed.connect(self._on_running)

    def _take_model(self) -> None:
        """Show the model that runs now."""
        model = self._annotator.model
        if model is None:
            return
        self._mapping = CategoryMapping(self._session, self._filtering, model)
        self._counts, self._touched = Counter(), False
        self._batch, self._waits = False, self._annotator.undecided
        self._annotator.note_seen()
        names = self._mapping.names
        self._intro.setText(
            f"<b>{model.model_id}</b> knows {_count(len(names), 'category', 'categories')}. "
            "Choose what becomes of them in this project."
        )
        self.table.set_names(names)
        self._show()
        self._count_found()

    def _count_found(self) -> None:
        """Count what the model found so far; what is found most comes first."""
        folder, model_id = self._session.folder, self._mapping.model.model_id
        if folder is None:
            return
        self._stop_counting()
        min_score = self._filtering.shown.min_score

        def work(context: TaskContext) -> Counter[str]:
            return count_found(folder, model_id, min_score, context)

        callbacks = Callbacks(self._on_counted)
        self._counting = self._tasks.submit(LaneName.FILES, work, callbacks, Priority.BATCH)

    def _stop_counting(self) -> None:
        if self._counting is not None:
            self._counting.cancel()
            # Its end may arrive when the window is gone.
            self._counting = None

    def _on_counted(self, counts: Counter[str]) -> None:
        if self._counting is None:
            return
        self._counts = counts
        if not self._touched:
            # Stable: among equals the model's order stays.
            self.table.set_names(sorted(self._mapping.names, key=lambda name: -counts[name]))
            self.table.show_found(self.finder.text())
        self._show()

    def _on_edited(self, edit: Edit) -> None:
        if edit.rules or edit.categories:
            self._show()

    def _on_running(self) -> None:
        self.everywhere.setEnabled(not self._annotator.batch.running)
        if self._waits and self._annotator.batch.running:
            self.accept()
        elif not self._annotator.running:
            self._count_found()

    def _on_asked(self) -> None:
        """A person who asks for the run once more has seen enough."""
        if self._waits:
            self.accept()

    def _touch(self) -> None:
        self._touched = True

    def _chosen(self) -> tuple[str, ...]:
        self._touch()
        return self.table.chosen

    def _take_own(self, own: Own) -> None:
        if own is Own.IGNORE:
            self._mapping.ignore(self._chosen())
        else:
            self._mapping.make(self._chosen())

    def _toggle_ignored(self) -> None:
        chosen, goes_to = self._chosen(), self._mapping.goes_to()
        if all(goes_to[name] == IGNORED for name in chosen):
            self._mapping.guess(chosen)
        else:
            self._mapping.ignore(chosen)

    def _set_score(self, score: float) -> None:
        self._mapping.set_min_score(self._chosen(), score or None)

    def _apply_everywhere(self) -> None:
        record = self._session.record
        seen = [i for i in self._session.image_ids if record(i).status.detection_filter]
        self._annotator.run_images(seen)

    def _begin(self) -> None:
        """Run the model: what nobody touched goes where it was guessed."""
        model = self._mapping.model
        if settle(self._session, model.model_id, model.categories):
            self._waits = False
            self.accept()
            if self._batch:
                self._annotator.ask_again()
            else:
                self._annotator.run_current()

    def _show(self) -> None:
        """Show where everything goes."""
        names = {category.id: category for category in self._session.categories}
        own = dict(self._mapping.chosen.category_scores)
        goes_to = self._mapping.goes_to()
        rows = {}
        for name, goal in goes_to.items():
            category = names.get(goal)
            words = "ignore" if goal == IGNORED else f"new: {name}"
            rows[name] = Row(
                self._counts[name],
                words if category is None else category.name,
                colour_icon(_NO_COLOUR if category is None else category.shown_colour),
                category is None,
                f"{own[name]:.2f}" if name in own else "",
            )
        self.table.show_rows(rows)
        counts = Counter(min(goal, 1) for goal in goes_to.values())
        self._sum.setText(
            f"To categories of the project: {counts[1]}  ·  new when first found: "
            f"{counts[TO_MAKE]}  ·  ignored: {counts[IGNORED]}"
        )
        self.others.setEnabled(counts[TO_MAKE] > 0)
        self.make.setEnabled(counts[IGNORED] > 0)
        self.start.setText("Pre-annotate folder" if self._batch else "Pre-annotate")
        self.start.setVisible(self._waits)
        self.everywhere.setVisible(not self._waits)
        self.start.setDefault(self._waits)
        self.end.setDefault(not self._waits)
        self._show_chosen()

    def _show_chosen(self) -> None:
        """Show what is chosen for the selected rows."""
        chosen, goes_to = self.table.chosen, self._mapping.goes_to()
        goals = {_OWN.get(goes_to[name], goes_to[name]) for name in chosen}
        same = f"new: {chosen[0]}" if len(chosen) == 1 else "new, each by its own name"
        own = {Own.SAME_NAME: same, Own.IGNORE: "ignore"}
        if {category.name for category in self._session.categories}.issuperset(chosen):
            # They are in the list already.
            del own[Own.SAME_NAME]
        goal = goals.pop() if len(goals) == 1 else None
        self.goals.show_choice(own, self._session.categories, goal)
        one = chosen[0] if len(chosen) == 1 else f"{len(chosen)} categories"
        self._of.setText(f"What is found of {one} goes to" if chosen else "Nothing is selected")
        score = self._mapping.chosen.rule(chosen[0]).min_score if chosen else None
        with QSignalBlocker(self.score):
            self.score.setValue(score or 0.0)
        for widget in (self.goals, self.score):
            widget.setEnabled(bool(chosen))


class _Score(QDoubleSpinBox):
    """A score in which Enter ends what is typed, and presses no button of the window."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keep Enter."""
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()


def show_category_map(
    session: Session,
    tasks: Tasks,
    filtering: DetectionFiltering,
    annotator: PreAnnotator,
    parent: QWidget,
) -> CategoryMapDialog:
    """Open the map at the middle of the window, or bring it back to the front."""
    dialog = parent.findChild(CategoryMapDialog)
    if dialog is None:
        dialog = CategoryMapDialog(session, tasks, filtering, annotator, parent)
        dialog.show()
    dialog.activateWindow()
    return dialog


def _button(words: str, tip: str) -> QPushButton:
    button = QPushButton(words)
    button.setToolTip(tip)
    # Enter begins the run, whatever was clicked last.
    button.setAutoDefault(False)
    return button


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
