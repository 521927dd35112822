"""The categories with their digits; the chosen one is what is drawn next."""

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QLineEdit, QListWidgetItem, QMenu, QVBoxLayout, QWidget

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.edits import Edit
from maskstudio.session.session import Session
from maskstudio.ui.actions import Actions
from maskstudio.ui.labels import heading
from maskstudio.ui.panels.annotation_model import colour_icon
from maskstudio.ui.panels.category_list import CategoryList
from maskstudio.ui.panels.category_row import HIDDEN_ROLE, ID_ROLE, NAME_ROLE

MENU = (
    "category_up", "category_down", None,
    "hide_category", "only_category", "show_categories", None,
    "merge_category",
)  # fmt: skip
"""The actions that a row's menu offers, by name."""


class CategoriesPanel(QWidget):
    """A list to choose from, and a field to find one in it or to add one.

    Signals:
        chosen: the id of the category that was clicked, or found by its name.
        add_requested: the name that was typed.
        renamed: the id of a category and the name that was typed for it.
        moved: the id of a category and the place it is put at, counted from 0 without it.
        hiding: the id of a category that is to be hidden, or shown if it is.
        colour_wanted: the id of a category that is to be painted in another colour.
        delete_wanted: the id of a category that is to go.
        current_changed: another category may be the one drawn next.
        left: one was found by its name; the keys belong to the canvas.
    """

    chosen = Signal(int)
    add_requested = Signal(str)
    renamed = Signal(int, str)
    moved = Signal(int, int)
    hiding = Signal(int)
    colour_wanted = Signal(int)
    delete_wanted = Signal(int)
    current_changed = Signal()
    left = Signal()

    def __init__(self, session: Session, actions: Actions) -> None:
        super().__init__()
        self._session = session
        self._actions = actions
        self._current: int | None = None
        self.list = CategoryList()
        self.list.taken.connect(self._take)
        self.list.renamed.connect(self.renamed)
        self.list.moved.connect(self._on_moved)
        self.list.hiding.connect(self.hiding)
        self.list.menu_wanted.connect(self._show_menu)
        self.field = QLineEdit(placeholderText="Find or add a category…")
        self.field.setAccessibleName("Find or add a category")
        self.field.setToolTip("Enter takes the first that is found, or adds it; Ctrl+Enter adds it")
        self.field.textChanged.connect(self._filter)
        self.field.returnPressed.connect(self._on_entered)
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            shortcut = QShortcut(QKeySequence(keys), self.field)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(self._add)
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
        session.opened.connect(self._on_opened)
        session.edited.connect(self._on_edited)

    @property
    def current(self) -> int | None:
        """The category drawn next; None before there is any."""
        known = [category.id for category in self._session.categories]
        if self._current in known:
            return self._current
        return known[0] if known else None

    @property
    def chosen_ids(self) -> list[int]:
        """The categories that a menu is about: those selected, or the one drawn next."""
        chosen = self.list.chosen_ids()
        return chosen or ([] if self.current is None else [self.current])

    def choose(self, category_id: int) -> None:
        """Make this the category drawn next."""
        self._current = category_id
        self._mark()
        self.current_changed.emit()

    def by_digit(self, digit: int) -> Category | None:
        """Return the category of a digit, 1 to 9."""
        categories = self._session.categories
        return categories[digit - 1] if digit <= len(categories) else None

    def _reload(self) -> None:
        categories, chosen = self._session.categories, self.list.chosen_ids()
        # The name of a row may be what is being typed: it stays the row of its category, or goes.
        if self.list.ids() != [c.id for c in categories[: self.list.count()]]:
            self.list.empty()
        while self.list.count() < len(categories):
            self.list.add_row()
        for row, category in enumerate(categories):
            digit = f"{row + 1}   " if row < 9 else "     "
            item = self.list.item(row)
            item.setText(digit + category.name)
            item.setIcon(colour_icon(category.shown_colour))
            item.setData(ID_ROLE, category.id)
            item.setData(NAME_ROLE, category.name)
            item.setData(HIDDEN_ROLE, category.hidden)
            spoken = f"{category.name}, hidden" if category.hidden else category.name
            item.setData(Qt.ItemDataRole.AccessibleTextRole, spoken)
        self._filter()
        if not self.field.text():
            self.list.choose(chosen)

    def _mark(self) -> None:
        self.list.mark(self.current)

    def _filter(self) -> None:
        """Show the categories with the typed text in their name, and mark the one Enter takes."""
        typed = self.field.text().strip().casefold()
        for row, category in enumerate(self._session.categories):
            self.list.item(row).setHidden(typed not in category.name.casefold())
        found = self._found()
        if found is None:
            self._mark()
        else:
            self.list.choose([found.id])

    def _found(self) -> Category | None:
        """Return the category Enter takes: the one of that very name, or the first shown."""
        typed = self.field.text().strip().casefold()
        matches = [c for c in self._session.categories if typed and typed in c.name.casefold()]
        return min(matches, key=lambda c: c.name.casefold() != typed, default=None)

    def _on_moved(self, category_id: int, before_id: int) -> None:
        others = [c.id for c in self._session.categories if c.id != category_id]
        if before_id != category_id:
            place = others.index(before_id) if before_id else len(others)
            self.moved.emit(category_id, place)

    def _take(self, category_id: int) -> None:
        self.choose(category_id)
        self.chosen.emit(category_id)

    def _on_entered(self) -> None:
        found = self._found()
        if found is None:
            self._add()
        else:
            self.field.clear()
            self._take(found.id)
            # Or the next key, for the next image, would be typed.
            self.left.emit()

    def _add(self) -> None:
        name = self.field.text()
        self.field.clear()
        self.add_requested.emit(name)

    def _show_menu(self, item: QListWidgetItem, at: QPoint) -> None:
        category_id = item.data(ID_ROLE)
        if not item.isSelected():
            self.list.choose_alone(item)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        rename = menu.addAction("Rename", lambda: self.list.rename(item))
        rename.setShortcut(QKeySequence(Qt.Key.Key_F2))
        menu.addAction("Colour…", lambda: self.colour_wanted.emit(category_id))
        menu.addSeparator()
        for name in MENU:
            if name is None:
                menu.addSeparator()
            else:
                menu.addAction(self._actions[name])
        menu.addAction("Delete…", lambda: self.delete_wanted.emit(category_id))
        menu.popup(at)

    def _on_opened(self) -> None:
        self.list.empty()
        self._reload()

    def _on_edited(self, edit: Edit) -> None:
        if edit.categories:
            self._reload()
