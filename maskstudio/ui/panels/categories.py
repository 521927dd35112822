"""The categories with their digits; the chosen one is what is drawn next."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.edits import Edit
from maskstudio.session.session import Session
from maskstudio.ui.labels import heading
from maskstudio.ui.panels.annotations import colour_icon


class CategoriesPanel(QWidget):
    """A list to choose from and a field to add to it.

    Signals:
        chosen: the id of the category that was clicked.
        add_requested: the name that was typed.
    """

    chosen = Signal(int)
    add_requested = Signal(str)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._current: int | None = None
        self.list = QListWidget()
        self.list.setAccessibleName("Categories")
        self.list.itemClicked.connect(self._on_clicked)
        self.field = QLineEdit(placeholderText="Add a category…")
        self.field.setAccessibleName("Add a category")
        self.field.returnPressed.connect(self._on_entered)
        title = heading("Categories")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 8)
        title.setContentsMargins(10, 0, 10, 0)
        column.addWidget(title)
        column.addWidget(self.list, 1)
        foot = QVBoxLayout()
        foot.setContentsMargins(8, 0, 8, 0)
        foot.addWidget(self.field)
        column.addLayout(foot)
        session.opened.connect(self._reload)
        session.edited.connect(self._on_edited)

    @property
    def current(self) -> int | None:
        """The category drawn next; None before there is any."""
        known = [category.id for category in self._session.categories]
        if self._current in known:
            return self._current
        return known[0] if known else None

    def choose(self, category_id: int) -> None:
        """Make this the category drawn next."""
        self._current = category_id
        self._mark()

    def by_digit(self, digit: int) -> Category | None:
        """Return the category of a digit, 1 to 9."""
        categories = self._session.categories
        return categories[digit - 1] if digit <= len(categories) else None

    def _reload(self) -> None:
        self.list.clear()
        for number, category in enumerate(self._session.categories, start=1):
            digit = f"{number}   " if number <= 9 else "     "
            QListWidgetItem(colour_icon(category.shown_colour), digit + category.name, self.list)
        self._mark()

    def _mark(self) -> None:
        ids = [category.id for category in self._session.categories]
        self.list.setCurrentRow(ids.index(self.current) if self.current in ids else -1)

    def _on_clicked(self, item: QListWidgetItem) -> None:
        category = self._session.categories[self.list.row(item)]
        self.choose(category.id)
        self.chosen.emit(category.id)

    def _on_entered(self) -> None:
        self.add_requested.emit(self.field.text())
        self.field.clear()

    def _on_edited(self, edit: Edit) -> None:
        if edit.categories:
            self._reload()
