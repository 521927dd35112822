"""The project's categories, each of which can be ticked."""

from collections.abc import Iterable

from PySide6.QtCore import (
    QModelIndex,
    QPersistentModelIndex,
    QSignalBlocker,
    Qt,
    Signal,
)
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QApplication,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from maskstudio.annotation.annotation import Category
from maskstudio.ui.panels.annotation_model import colour_icon

_ID = Qt.ItemDataRole.UserRole
_HEIGHT = 120
_TICKED, _NOT_TICKED = Qt.CheckState.Checked, Qt.CheckState.Unchecked


class CategoryTicks(QListWidget):
    """A row with a box for each category.

    Signals:
        changed: another one is ticked, or no more.
    """

    changed = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setMinimumHeight(_HEIGHT // 2)
        self.setMaximumHeight(_HEIGHT)
        self.setItemDelegate(_Edged(self))
        self.itemChanged.connect(self.changed)

    @property
    def ticked(self) -> frozenset[int]:
        """Ids of the categories that are ticked."""
        return frozenset(i.data(_ID) for i in self._items() if i.checkState() is _TICKED)

    def offer(self, categories: Iterable[Category]) -> None:
        """Show these; those that are new are ticked."""
        before = frozenset(item.data(_ID) for item in self._items()) - self.ticked
        with QSignalBlocker(self):
            self.clear()
            for category in categories:
                item = QListWidgetItem(colour_icon(category.shown_colour), category.name, self)
                item.setData(_ID, category.id)
                item.setCheckState(_NOT_TICKED if category.id in before else _TICKED)

    def tick(self, ids: frozenset[int] | None) -> None:
        """Tick these and no others; None for all."""
        with QSignalBlocker(self):
            for item in self._items():
                there = ids is None or item.data(_ID) in ids
                item.setCheckState(_TICKED if there else _NOT_TICKED)
        self.changed.emit()

    def _items(self) -> list[QListWidgetItem]:
        return [self.item(row) for row in range(self.count())]


class _Edged(QStyledItemDelegate):
    """Draws boxes with an edge that can be seen on what is dark, as that of other boxes."""

    def initStyleOption(  # noqa: N802 - of Qt
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Take the colour of the edge from the boxes that stand alone."""
        super().initStyleOption(option, index)
        # PySide's stub asks for bytes, and PySide itself for text.
        edged = QApplication.palette("QCheckBox")  # type: ignore[call-overload]
        option.palette.setColor(QPalette.ColorRole.Window, edged.window().color())
