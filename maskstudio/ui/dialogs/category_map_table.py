"""Categories from elsewhere, a model's or a data set's: how many were found, where they go."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QFont, QIcon, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem

_NAME, _FOUND, _GOES_TO, _SCORE = range(4)
_FEWEST_ROWS, _MOST_ROWS = 5, 20
# While the rows have the keys, these are theirs and not the main window's.
_OWN_KEYS = (
    Qt.Key.Key_Space,
    Qt.Key.Key_PageDown,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
)


@dataclass(frozen=True)
class Headings:
    """What a table calls itself and its columns.

    Attributes:
        table: for those who hear the window.
        name: whose categories they are.
        found: what is counted.
        found_tip: where it is counted.
        score: the last column; without words there is none.
        stressed: names of which any were found stand out.
    """

    table: str
    name: str
    found: str
    found_tip: str
    score: str = ""
    stressed: bool = False


OF_MODEL = Headings(
    "The model's categories and where they go",
    "The model's",
    "Found",
    "On the images that the model has seen so far",
    "Score from",
    stressed=True,
)


@dataclass(frozen=True)
class Row:
    """What is told of one category.

    Attributes:
        found: how many were found so far.
        goes_to: where they go, in words.
        sign: the colour of the project's category.
        faint: they go to nothing that is there.
        score: the score they are shown from, in words; empty for that of all.
    """

    found: int
    goes_to: str
    sign: QIcon
    faint: bool
    score: str = ""


class CategoryTable(QTreeWidget):
    """One row for each category; several can be selected.

    Signals:
        ignoring: the space bar asks to ignore what is selected, or no more.
    """

    ignoring = Signal()

    def __init__(self, headings: Headings) -> None:
        super().__init__()
        self.setAccessibleName(headings.table)
        self.setHeaderLabels([headings.name, headings.found, "Goes to", headings.score])
        self.setColumnHidden(_SCORE, not headings.score)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.header().setSectionsMovable(False)
        self.header().setStretchLastSection(False)
        self.header().setSectionResizeMode(_GOES_TO, QHeaderView.ResizeMode.Stretch)
        self.headerItem().setTextAlignment(_FOUND, Qt.AlignmentFlag.AlignRight)
        self.headerItem().setToolTip(_FOUND, headings.found_tip)
        widest = max("00,000", headings.found, key=len)
        for column, text in ((_NAME, "baseball glove 0"), (_FOUND, widest), (_SCORE, "Score f")):
            self.setColumnWidth(column, self.fontMetrics().horizontalAdvance(text) + 28)
        self._stressed = headings.stressed
        self._items: dict[str, QTreeWidgetItem] = {}

    @property
    def chosen(self) -> tuple[str, ...]:
        """Names of the selected rows that can be seen, from the top."""
        items = self._items.items()
        return tuple(name for name, i in items if i.isSelected() and not i.isHidden())

    def set_names(self, names: Iterable[str]) -> None:
        """Show these categories, in this order; the first is selected."""
        with QSignalBlocker(self):
            self.clear()
            self._items = {name: QTreeWidgetItem(self, [name]) for name in names}
            for item in self._items.values():
                item.setTextAlignment(_FOUND, Qt.AlignmentFlag.AlignRight)
            for first in list(self._items.values())[:1]:
                self.setCurrentItem(first)
        self.itemSelectionChanged.emit()

    def show_rows(self, rows: Mapping[str, Row]) -> None:
        """Show what is told of each category."""
        faint, plain = self.palette().placeholderText(), self.palette().text()
        for name, row in rows.items():
            item = self._items[name]
            item.setText(_FOUND, f"{row.found:,}" if row.found else "")
            item.setText(_GOES_TO, row.goes_to)
            item.setIcon(_GOES_TO, row.sign)
            item.setForeground(_GOES_TO, faint if row.faint else plain)
            item.setText(_SCORE, row.score)
            font = QFont(self.font())
            font.setBold(self._stressed and row.found > 0)
            item.setFont(_NAME, font)

    def show_found(self, text: str) -> None:
        """Hide the rows in which these words are not; the first that is left is selected."""
        words = text.casefold().split()
        for item in self._items.values():
            there = f"{item.text(_NAME)} {item.text(_GOES_TO)}".casefold()
            item.setHidden(not all(word in there for word in words))
        seen = [item for item in self._items.values() if not item.isHidden()]
        if seen and not self.chosen:
            self.setCurrentItem(seen[0])
        self.itemSelectionChanged.emit()

    def sizeHint(self) -> QSize:
        """Ask for room for the rows there are, but not for more than some."""
        rows = min(max(self.topLevelItemCount(), _FEWEST_ROWS), _MOST_ROWS)
        height = self.header().sizeHint().height() + rows * max(self.sizeHintForRow(0), 1)
        return QSize(super().sizeHint().width(), height + 2 * self.frameWidth())

    def event(self, event: QEvent) -> bool:
        """Keep the keys that move through the rows, select all, and ignore."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            plain = event.modifiers() in (
                Qt.KeyboardModifier.NoModifier,
                Qt.KeyboardModifier.ShiftModifier,
            )
            own = plain and event.key() in _OWN_KEYS
            if own or event.matches(QKeySequence.StandardKey.SelectAll):
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The space bar ignores what is selected, or no more."""
        if event.key() == Qt.Key.Key_Space:
            self.ignoring.emit()
        else:
            super().keyPressEvent(event)
