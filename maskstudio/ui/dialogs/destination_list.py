"""Where selected rows of the category map can go: found by typing, taken by a click or Enter."""

from collections.abc import Sequence
from enum import Enum, auto

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QIcon, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from maskstudio.annotation.annotation import Category
from maskstudio.ui.panels.annotation_model import colour_icon

_GOAL = Qt.ItemDataRole.UserRole


class Own(Enum):
    """What is no category of the project."""

    SAME_NAME = auto()
    IGNORE = auto()


class DestinationList(QWidget):
    """The project's categories, and what else can become of what the model finds.

    Signals:
        category_taken: id of a category of the project.
        own_taken: an `Own`.
        new_taken: the name of a category that the project does not have.
    """

    category_taken = Signal(int)
    own_taken = Signal(object)
    new_taken = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.field = KeepingField(placeholderText="Find a category, or type a new one…")
        self.field.setAccessibleName("Find where it goes, or type a new category")
        self.field.setClearButtonEnabled(True)
        self.list = _List()
        self.list.setAccessibleName("Where what is selected goes")
        self._categories: Sequence[Category] = ()
        self._own: dict[Own, str] = {}
        self._goal: Own | int | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.field)
        column.addWidget(self.list, 1)
        self.field.textChanged.connect(self._renew)
        self.field.taken.connect(self._take_first)
        self.list.taken.connect(self._take)
        self.list.itemClicked.connect(self._take)

    def show_choice(
        self, own: dict[Own, str], categories: Sequence[Category], goal: Own | int | None
    ) -> None:
        """Show what can be chosen.

        Args:
            own: what is no category of the project, in words.
            categories: the project's.
            goal: where what is selected goes now; None when that differs.
        """
        self._own, self._categories, self._goal = own, categories, goal
        self._renew()

    def _renew(self) -> None:
        typed = self.field.text().strip()
        words = typed.casefold().split()
        with QSignalBlocker(self.list):
            self.list.clear()
            for goal, text in self._own.items():
                if all(word in text.casefold() for word in words):
                    self._add(text, goal, QIcon())
            for category in self._categories:
                if all(word in category.name.casefold() for word in words):
                    self._add(category.name, category.id, colour_icon(category.shown_colour))
            if typed and all(category.name != typed for category in self._categories):
                self._add(f"new: {typed}", typed, QIcon())

    def _add(self, text: str, goal: Own | int | str, sign: QIcon) -> None:
        item = QListWidgetItem(sign, text, self.list)
        item.setData(_GOAL, goal)
        if goal == self._goal:
            self.list.setCurrentItem(item)

    def _take_first(self) -> None:
        """Take what a typed text means: the category of that name, or the first in the list."""
        typed = self.field.text().strip().casefold()
        items = [self.list.item(row) for row in range(self.list.count())]
        same = (item for item in items if item.text().casefold() == typed)
        first = next(same, items[0] if items and typed else None)
        if first is not None:
            self._take(first)

    def _take(self, item: QListWidgetItem) -> None:
        goal = item.data(_GOAL)
        self.field.clear()
        if isinstance(goal, Own):
            self.own_taken.emit(goal)
        elif isinstance(goal, int):
            self.category_taken.emit(goal)
        else:
            self.new_taken.emit(goal)


class KeepingField(QLineEdit):
    """A field in which Enter takes something, and presses no button of the window.

    Signals:
        taken: Enter was pressed.
    """

    taken = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keep Enter."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.taken.emit()
        else:
            super().keyPressEvent(event)


class _List(QListWidget):
    """A list in which Enter and the space bar take the current row, and press no button.

    Signals:
        taken: an item of it.
    """

    taken = Signal(QListWidgetItem)

    def event(self, event: QEvent) -> bool:
        """Keep the space bar, which does something in the main window."""
        override = event.type() == QEvent.Type.ShortcutOverride
        if override and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Space:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take the current row, or move as ever."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            super().keyPressEvent(event)
        elif self.currentItem() is not None:
            self.taken.emit(self.currentItem())
