"""What an import would do, before it does it, and what a person can decide about it."""

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.category_map import IGNORED
from maskstudio.formats.incoming import Source
from maskstudio.session.import_plan import ImportChoices, ImportPlan
from maskstudio.ui.dialogs.import_categories import CategoryChoice
from maskstudio.ui.dialogs.import_figures import ImportFigures, annotations, images
from maskstudio.ui.dialogs.import_images import ImageChoice, NameList
from maskstudio.ui.labels import faint

_FEW = 2  # notes that are read at once; more are a list


class ImportPreview(QWidget):
    """The data set in a line, its images, its categories.

    Signals:
        changed: something was decided otherwise.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._figures: ImportFigures | None = None
        self._notes: Sequence[str] = ()
        self.headline = QLabel(wordWrap=True)
        self.noted = faint()
        self.noted.setTextFormat(Qt.TextFormat.PlainText)
        self.all_notes = QPushButton("List…", autoDefault=False)
        self.all_notes.setAccessibleName("List what was noticed about the data set")
        self.images = ImageChoice()
        self.categories = CategoryChoice()
        self.coming = QLabel(wordWrap=True)
        self.coming.setAccessibleName("What comes in")
        notes = QHBoxLayout()
        notes.addWidget(self.noted, 1)
        notes.addWidget(self.all_notes)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self.headline)
        column.addLayout(notes)
        column.addWidget(self.images)
        column.addWidget(self.categories, 1)
        column.addWidget(self.coming)
        self.all_notes.clicked.connect(self._open_notes)
        self.images.changed.connect(self._on_changed)
        self.categories.changed.connect(self._on_changed)

    def show_plan(
        self, plan: ImportPlan, figures: ImportFigures, of_project: Sequence[Category]
    ) -> None:
        """Show a plan; where categories were sent is kept if it is shown again."""
        self._figures = figures
        self.headline.setText(_headline(plan.source, figures))
        self._show_notes(plan.source.notes)
        self.images.show_figures(figures)
        self.categories.offer(plan.source.categories, plan.proposed(), of_project)
        self._on_changed()

    @property
    def choices(self) -> ImportChoices:
        """What was decided."""
        standing, other_size, state, embedded = self.images.choices
        return ImportChoices(self.categories.destinations, standing, other_size, state, embedded)

    @property
    def worth_importing(self) -> bool:
        """True while anything would come in."""
        choices, figures = self.choices, self._figures
        if figures is None or all(goal == IGNORED for goal in choices.destinations):
            return False
        coming = figures.coming(choices.standing, choices.other_size, embedded=choices.embedded)
        return coming.images > 0

    def _on_changed(self) -> None:
        self.coming.setText(self._coming_words())
        self.changed.emit()

    def _coming_words(self) -> str:
        figures, choices = self._figures, self.choices
        if figures is None or not self.worth_importing:
            return "Nothing of it would come in."
        coming = figures.coming(choices.standing, choices.other_size, embedded=choices.embedded)
        some = any(goal == IGNORED for goal in choices.destinations)
        most = "Up to " if some else ""
        come = "comes" if coming.annotations == 1 else "come"
        return (
            f"{most}{annotations(coming.annotations)} on {images(coming.images)} {come} in, in "
            "one step that Undo takes back."
        )

    def _show_notes(self, notes: Sequence[str]) -> None:
        self._notes = tuple(notes)
        few = self._notes[:_FEW]
        left = len(self._notes) - len(few)
        self.noted.setText(" ".join(few) + (f" And {left:,} more." if left else ""))
        self.noted.setVisible(bool(few))
        self.all_notes.setVisible(left > 0)

    def _open_notes(self) -> None:
        NameList("What was noticed about the data set", self._notes, self).show()


def _headline(source: Source, figures: ImportFigures) -> str:
    whole, kinds = figures.whole, len(source.categories)
    categories = "1 category" if kinds == 1 else f"{kinds:,} categories"
    numbers = f"{images(whole.images)}, {annotations(whole.annotations)}, {categories}"
    return f"<b>{escape(source.path.name)}</b>  ·  {escape(source.title)}  ·  {numbers}"
