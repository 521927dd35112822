"""The list of categories: names are changed in place, and each has a menu."""

from PySide6.QtCore import (
    QAbstractItemModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    Qt,
    Signal,
)
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QAbstractItemView,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QWidget,
)

ID_ROLE, NAME_ROLE = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1

Index = QModelIndex | QPersistentModelIndex


class _NameDelegate(QStyledItemDelegate):
    """Lets the name be edited, without the digit before it.

    Signals:
        renamed: the id of a category and what was typed.
    """

    renamed = Signal(int, str)

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        """Begin with the name as it is."""
        # Asked for again when the row is written anew; what was typed until then stays.
        if isinstance(editor, QLineEdit) and not editor.isModified():
            editor.setText(index.data(NAME_ROLE))

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        """Hand on what was typed; the row changes when the project does."""
        del model
        if isinstance(editor, QLineEdit):
            self.renamed.emit(index.data(ID_ROLE), editor.text())


class CategoryList(QListWidget):
    """Rows of categories.

    Signals:
        renamed: the id of a category and the name that was typed for it.
        menu_wanted: the row whose menu is wanted, and where on the screen.
    """

    renamed = Signal(int, str)
    menu_wanted = Signal(QListWidgetItem, QPoint)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Categories")
        triggers = QAbstractItemView.EditTrigger
        self.setEditTriggers(triggers.DoubleClicked | triggers.EditKeyPressed)
        delegate = _NameDelegate(self)
        delegate.renamed.connect(self.renamed)
        self.setItemDelegate(delegate)

    def ids(self) -> list[int]:
        """Return the categories of the rows."""
        return [self.item(row).data(ID_ROLE) for row in range(self.count())]

    def add_row(self) -> None:
        """Add a row, still empty."""
        row = QListWidgetItem(self)
        row.setFlags(row.flags() | Qt.ItemFlag.ItemIsEditable)

    def empty(self) -> None:
        """Take all rows out; a name that is being typed is dropped."""
        for editor in self.viewport().findChildren(QLineEdit):
            self.closeEditor(editor, QAbstractItemDelegate.EndEditHint.NoHint)
        self.clear()

    def rename(self, item: QListWidgetItem) -> None:
        """Let the name of a row be typed; the list has the keys afterwards."""
        self.setFocus()
        self.editItem(item)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the menu of the row under the pointer, or of the current one for the key."""
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        item = self.currentItem() if by_key else self.itemAt(event.pos())
        if item is not None:
            at = self.visualItemRect(item).center() if by_key else event.pos()
            self.menu_wanted.emit(item, self.viewport().mapToGlobal(at))
