"""The table of annotations, which paints its rows itself."""

from PySide6.QtCore import QModelIndex, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from maskstudio.ui.panels.annotation_model import AnnotationListModel, Column
from maskstudio.ui.theme import colours_now

_ICON_WIDTH = 24
_ROOM = 8  # a row is so much higher than its text
_MARGIN, _SQUARE = 4, 12


class AnnotationList(QTableView):
    """The rows; eye and lock of each can be clicked, whatever is selected.

    It is a table, for all its rows are as high: a list or a tree lays out thousands of them anew
    when one comes or goes. It paints all that is to be seen in one go: Qt's own way asks the model
    three times for each cell and waits for the interpreter's lock each time while lanes are busy.

    Signals:
        clicked_in: the row and the column (EYE or LOCK) that was clicked.
        menu_wanted: where on the screen, and whether it is about what is selected.
    """

    clicked_in = Signal(int, int)
    menu_wanted = Signal(QPoint, bool)

    def __init__(self, model: AnnotationListModel) -> None:
        super().__init__()
        self.setModel(model)
        self._rows = model
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

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the rows that are to be seen."""
        first, last = self.rowAt(event.rect().top()), self.rowAt(event.rect().bottom())
        if first < 0:
            return
        painter = QPainter(self.viewport())
        columns = [c for c in Column if not self.isColumnHidden(c)]
        places = [(c, self.columnViewportPosition(c), self.columnWidth(c)) for c in columns]
        chosen = QColor(colours_now().chosen)
        for row in range(first, (last if last >= 0 else self._rows.rowCount() - 1) + 1):
            top, height = self.rowViewportPosition(row), self.rowHeight(row)
            if self._rows.is_selected(row):
                painter.fillRect(QRect(0, top, self.viewport().width(), height), chosen)
            for column, left, width in places:
                self._paint_cell(painter, row, column, QRect(left, top, width, height))

    def _paint_cell(self, painter: QPainter, row: int, column: Column, place: QRect) -> None:
        text, icon, faint = self._rows.cell(row, column)
        if icon is not None and not text:
            icon.paint(painter, place)
        if icon is not None and text:
            square = QRect(place.left() + _MARGIN, place.top(), _SQUARE, place.height())
            icon.paint(painter, square)
            place = place.adjusted(2 * _MARGIN + _SQUARE, 0, -_MARGIN, 0)
        if text:
            palette, centred = self.palette(), Qt.AlignmentFlag.AlignVCenter
            painter.setPen((palette.placeholderText() if faint else palette.text()).color())
            elided = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, place.width())
            painter.drawText(place, centred, elided)

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
