"""How a row of the list of categories is drawn, and how its name is typed."""

from enum import Enum, auto

from PySide6.QtCore import (
    QAbstractItemModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QLineEdit,
    QListWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from maskstudio.ui.theme import icon

ID_ROLE = Qt.ItemDataRole.UserRole
NAME_ROLE = Qt.ItemDataRole.UserRole + 1
HIDDEN_ROLE = Qt.ItemDataRole.UserRole + 2

Index = QModelIndex | QPersistentModelIndex

_SIDE, _ROOM = 16, 24
_FAINT = 0.25


class Sign(Enum):
    """What can be clicked at the right of a row."""

    PENCIL = auto()
    EYE = auto()


class RowDelegate(QStyledItemDelegate):
    """Draws a row with its signs; lets the name be edited, without the digit before it.

    Signals:
        renamed: the id of a category and what was typed.
    """

    renamed = Signal(int, str)

    def __init__(self, rows: QListWidget) -> None:
        super().__init__(rows)
        self._rows = rows

    def sign_at(self, row: QRect, at: QPoint) -> Sign | None:
        """Return the sign of a row at a point."""
        return next((sign for sign in Sign if _place(row, sign).contains(at)), None)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw the row; the pencil only under the pointer."""
        hidden = bool(index.data(HIDDEN_ROLE))
        full = QStyleOptionViewItem(option)
        self.initStyleOption(full, index)
        if hidden:
            faint = full.palette.placeholderText()
            full.palette.setBrush(full.palette.ColorRole.Text, faint)
            full.palette.setBrush(full.palette.ColorRole.HighlightedText, faint)
        hovered = bool(full.state & QStyle.StateFlag.State_MouseOver)
        room = option.rect.width() - (2 if hovered else 1) * _ROOM - 30
        full.text = full.fontMetrics.elidedText(full.text, Qt.TextElideMode.ElideRight, room)
        style = self._rows.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, full, painter, self._rows)
        if hovered:
            _draw(painter, option.rect, Sign.PENCIL, "pencil-outline")
        painter.setOpacity(1 if hovered or hidden else _FAINT)
        _draw(painter, option.rect, Sign.EYE, "eye-off-outline" if hidden else "eye-outline")
        painter.setOpacity(1)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """A row is as wide as the list, however long the name."""
        return QSize(1, super().sizeHint(option, index).height())

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


def _place(row: QRect, sign: Sign) -> QRect:
    """Return where on a row a sign is clicked."""
    from_right = 1 if sign is Sign.EYE else 2
    return QRect(row.right() + 1 - from_right * _ROOM, row.top(), _ROOM, row.height())


def _draw(painter: QPainter, row: QRect, sign: Sign, name: str) -> None:
    place = QRect(0, 0, _SIDE, _SIDE)
    place.moveCenter(_place(row, sign).center())
    icon(name).paint(painter, place)
