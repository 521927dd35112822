"""The list of the current image's annotations, and what is said about those selected."""

from PySide6.QtCore import (
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    Qt,
    Signal,
)
from PySide6.QtGui import QContextMenuEvent, QMouseEvent, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from maskstudio.annotation.edits import Edit
from maskstudio.session import arranging
from maskstudio.session.session import Session
from maskstudio.ui.labels import heading
from maskstudio.ui.panels.annotation_model import AnnotationListModel, Column
from maskstudio.ui.panels.properties import PropertiesPanel

_ICON_WIDTH = 24
_ROOM = 8  # a row is so much higher than its text


class _Cells(QStyledItemDelegate):
    """Asks the model once for a cell.

    Qt's own asks seven times, and each time waits for the interpreter's lock while lanes are busy.
    """

    def __init__(self, model: AnnotationListModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = model

    def initStyleOption(  # noqa: N802 - Qt's name
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Say what is painted in a cell."""
        text, icon, faint = self._model.cell(index.row(), Column(index.column()))
        feature = QStyleOptionViewItem.ViewItemFeature
        if text:
            option.features |= feature.HasDisplay
            option.text = text
        if icon is not None:
            option.features |= feature.HasDecoration
            option.icon = icon
            option.decorationSize = icon.actualSize(option.decorationSize)
        if faint:
            palette = option.palette
            palette.setBrush(QPalette.ColorRole.Text, palette.placeholderText())
            option.palette = palette


class AnnotationList(QTableView):
    """The rows; eye and lock of each can be clicked, whatever is selected.

    It is a table, for all its rows are as high: a list or a tree lays out thousands of them anew
    when one comes or goes.

    Signals:
        clicked_in: the row and the column (EYE or LOCK) that was clicked.
        menu_wanted: where on the screen, and whether it is about what is selected.
    """

    clicked_in = Signal(int, int)
    menu_wanted = Signal(QPoint, bool)

    def __init__(self, model: AnnotationListModel) -> None:
        super().__init__()
        self.setModel(model)
        self.setItemDelegate(_Cells(model, self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setAccessibleName("Annotations")
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        down, across = self.verticalHeader(), self.horizontalHeader()
        down.hide()
        down.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        down.setDefaultSectionSize(self.fontMetrics().height() + _ROOM)
        across.hide()
        across.setMinimumSectionSize(_ICON_WIDTH)
        across.setDefaultSectionSize(_ICON_WIDTH)
        across.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        across.setSectionResizeMode(Column.NAME, QHeaderView.ResizeMode.Stretch)

    def moveCursor(  # noqa: N802 - Qt's name
        self, action: QAbstractItemView.CursorAction, held: Qt.KeyboardModifier
    ) -> QModelIndex:
        """Go to the first and the last row by Home and End; a table would go along its row."""
        ends = {
            QAbstractItemView.CursorAction.MoveHome: 0,
            QAbstractItemView.CursorAction.MoveEnd: self.model().rowCount() - 1,
        }
        if action in ends:
            return self.model().index(ends[action], Column.NAME)
        return super().moveCursor(action, held)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take a click on an eye or a lock for that, and leave the selection."""
        if not self._click(event):
            super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Take the second of two quick clicks for another one."""
        if not self._click(event):
            super().mouseDoubleClickEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the menu of what is selected, or of the image beside the rows."""
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        chosen = self.selectionModel().selectedRows(Column.NAME)
        at = self.visualRect(chosen[0]).center() if by_key and chosen else event.pos()
        on_row = bool(chosen) if by_key else self.indexAt(at).isValid()
        self.menu_wanted.emit(self.viewport().mapToGlobal(at), on_row)

    def _click(self, event: QMouseEvent) -> bool:
        index = self.indexAt(event.position().toPoint())
        on_icon = index.isValid() and index.column() in (Column.EYE, Column.LOCK)
        hit = on_icon and event.button() is Qt.MouseButton.LeftButton
        if hit:
            self.clicked_in.emit(index.row(), index.column())
        return hit


class AnnotationsPanel(QWidget):
    """The list, selected together with the canvas; below it what is said about the selection.

    Attributes:
        properties: crowd, note and attributes of what is selected.

    Signals:
        menu_wanted: where on the screen, and whether it is about what is selected.
    """

    menu_wanted = Signal(QPoint, bool)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._heading = heading("Annotations")
        self._heading.setContentsMargins(10, 0, 10, 0)
        self.model = AnnotationListModel(session, self)
        self.list = AnnotationList(self.model)
        self.properties = PropertiesPanel(session)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 4)
        column.addWidget(self._heading)
        column.addWidget(self.list, 1)
        column.addWidget(self.properties)
        self._follows = False
        self.list.selectionModel().selectionChanged.connect(self._on_chosen)
        self.list.clicked_in.connect(self._on_clicked)
        self.list.menu_wanted.connect(self.menu_wanted)
        self.model.modelReset.connect(self._on_reset)
        session.selection_changed.connect(self._on_selection)
        session.edited.connect(self._on_edited)

    def _on_chosen(self) -> None:
        if not self._follows:
            rows = self.list.selectionModel().selectedRows()
            self._session.select(self.model.id_at(index.row()) for index in rows)

    def _on_clicked(self, row: int, column: int) -> None:
        """Turn an eye or a lock; where the row is selected, those of all that are."""
        session = self._session
        one = session.annotations[self.model.id_at(row)]
        ids = session.selection if one.id in session.selection else frozenset({one.id})
        if column == Column.EYE:
            arranging.set_hidden(session, ids, hidden=not one.hidden)
        else:
            arranging.set_locked(session, ids, locked=not one.locked)

    def _on_reset(self) -> None:
        there = self._session.annotations.values()
        # A column costs its share of each repaint; most images need neither.
        self.list.setColumnHidden(Column.CROWD, not any(a.iscrowd for a in there))
        self.list.setColumnHidden(Column.SAID, not any(a.note or a.attributes for a in there))
        self._tell()
        self._on_selection()

    def _on_edited(self, edit: Edit) -> None:
        after = [change.after for change in edit.annotations if change.after is not None]
        if any(a.iscrowd for a in after):
            self.list.showColumn(Column.CROWD)
        if any(a.note or a.attributes for a in after):
            self.list.showColumn(Column.SAID)
        self._tell()

    def _tell(self) -> None:
        """Say how many there are, and how many of them cannot be seen."""
        count = len(self._session.annotations)
        hidden = count - len(self._session.shown)
        words = [f"{count:,}"] if count else []
        words += [f"{hidden:,} hidden"] if hidden else []
        self._heading.setText("   ".join(["Annotations", *words]))

    def _on_selection(self) -> None:
        rows = self.model.rows_of(self._session.selection)
        self._follows = True
        self.list.selectionModel().select(
            self.model.selection_of(rows), QItemSelectionModel.SelectionFlag.ClearAndSelect
        )
        self._follows = False
        if rows:
            self.list.scrollTo(self.model.index(rows[0], 0))
