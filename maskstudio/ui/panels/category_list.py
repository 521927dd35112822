"""The list of categories: rows are dragged to another place, and their signs clicked.

A click counts when the button is let go of, on the row it went down on: until then it may become a
drag.
"""

from collections.abc import Collection

from PySide6.QtCore import (
    QEvent,
    QItemSelectionModel,
    QPoint,
    QPointF,
    Qt,
    Signal,
)
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QAbstractItemView,
    QApplication,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
)

from maskstudio.ui.panels.category_row import (
    HIDDEN_ROLE,
    ID_ROLE,
    NAME_ROLE,
    RowDelegate,
    Sign,
)

_LINE = 2


class CategoryList(QListWidget):
    """Rows of categories.

    Signals:
        taken: the id of a category that was clicked, or that Enter was pressed on.
        renamed: the id of a category and the name that was typed for it.
        moved: the id of a category that was dragged, and of the one it is put before; 0 for the
            end.
        hiding: the id of a category whose eye was clicked.
        menu_wanted: the row whose menu is wanted, and where on the screen.
    """

    taken = Signal(int)
    renamed = Signal(int, str)
    moved = Signal(int, int)
    hiding = Signal(int)
    menu_wanted = Signal(QListWidgetItem, QPoint)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Categories")
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._delegate = RowDelegate(self)
        self._delegate.renamed.connect(self.renamed)
        self.setItemDelegate(self._delegate)
        self._pressed: QListWidgetItem | None = None
        self._pressed_at = QPointF()
        self._sign: Sign | None = None
        self._gap: int | None = None

    def ids(self) -> list[int]:
        """Return the categories of the rows."""
        return [self.item(row).data(ID_ROLE) for row in range(self.count())]

    def chosen_ids(self) -> list[int]:
        """Return the categories of the rows that are selected, from the top."""
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [self.item(row).data(ID_ROLE) for row in rows]

    def choose(self, category_ids: Collection[int]) -> None:
        """Select the rows of these categories, if there are any left."""
        rows = [row for row, i in enumerate(self.ids()) if i in category_ids]
        if rows:
            self._go_to(rows[0])
        for row in rows[1:]:
            self.item(row).setSelected(True)

    def choose_alone(self, item: QListWidgetItem) -> None:
        """Select one row and no other."""
        self._go_to(self.row(item))

    def mark(self, category_id: int | None) -> None:
        """Select a category alone, and show that it is the one drawn next."""
        ids = self.ids()
        for row, one in enumerate(ids):
            font = self.font()
            font.setBold(one == category_id)
            self.item(row).setFont(font)
        self._go_to(ids.index(category_id) if category_id in ids else -1)

    def add_row(self) -> None:
        """Add a row, still empty."""
        row = QListWidgetItem(self)
        row.setFlags(row.flags() | Qt.ItemFlag.ItemIsEditable)

    def empty(self) -> None:
        """Take all rows out; a name that is being typed is dropped."""
        for editor in self.viewport().findChildren(QLineEdit):
            self.closeEditor(editor, QAbstractItemDelegate.EndEditHint.NoHint)
        self._pressed, self._gap = None, None
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

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select as ever; a sign is not a part of its row."""
        item = self.itemAt(event.position().toPoint())
        self._pressed, self._sign = None, None
        if event.button() == Qt.MouseButton.LeftButton and item is not None:
            self._pressed, self._pressed_at = item, event.position()
            self._sign = self._sign_at(item, event.position())
        if self._sign is None:
            super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """A second click is another click."""
        self.mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show where the row would be put."""
        if self._pressed is None:
            self._tell(event.position())
            super().mouseMoveEvent(event)
            return
        far = (event.position() - self._pressed_at).manhattanLength()
        if self._sign is None and (
            self._gap is not None or far >= QApplication.startDragDistance()
        ):
            self._scroll_to(event.position().y())
            self._gap = self._gap_at(event.position().toPoint())
            self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
            self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Put the row there, or take what was clicked."""
        super().mouseReleaseEvent(event)
        pressed, self._pressed = self._pressed, None
        gap, self._gap = self._gap, None
        if pressed is None:
            return
        self.viewport().unsetCursor()
        self.viewport().update()
        category_id = pressed.data(ID_ROLE)
        if gap is not None:
            behind = self.item(gap)
            self.moved.emit(category_id, 0 if behind is None else behind.data(ID_ROLE))
        elif self.itemAt(event.position().toPoint()) is pressed:
            self._click(pressed, event)

    def leaveEvent(self, event: QEvent) -> None:
        """No row is under the pointer any more."""
        super().leaveEvent(event)
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows, and a line where the one that is dragged would be put."""
        super().paintEvent(event)
        if self._gap is None:
            return
        painter = QPainter(self.viewport())
        painter.setPen(QPen(self.palette().highlight().color(), _LINE))
        y = self._y_of(self._gap)
        painter.drawLine(0, y, self.viewport().width(), y)
        painter.end()

    def _go_to(self, row: int) -> None:
        # To go elsewhere would end the typing of a name.
        if self.state() != QAbstractItemView.State.EditingState:
            # By itself Qt would look at what is held on the keyboard now, and perhaps add to it.
            self.setCurrentRow(row, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def _click(self, item: QListWidgetItem, event: QMouseEvent) -> None:
        sign = self._sign_at(item, event.position())
        held = event.modifiers() & (
            Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        )
        if self._sign is not sign:
            return
        if sign is Sign.EYE:
            self.hiding.emit(item.data(ID_ROLE))
        elif sign is Sign.PENCIL:
            self.rename(item)
        elif not held:
            # With Ctrl or Shift several are selected, for the menu.
            self.taken.emit(item.data(ID_ROLE))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter takes the row, as a click does."""
        item = self.currentItem()
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        # While a name is typed, Enter ends it and is passed on.
        if enter and item is not None and self.state() != self.State.EditingState:
            self.taken.emit(item.data(ID_ROLE))
        else:
            super().keyPressEvent(event)

    def _sign_at(self, item: QListWidgetItem, at: QPointF) -> Sign | None:
        return self._delegate.sign_at(self.visualItemRect(item), at.toPoint())

    def _tell(self, at: QPointF) -> None:
        """Say what the mouse would do here."""
        item = self.itemAt(at.toPoint())
        if item is None:
            self.viewport().setToolTip("")
            return
        verb = "Show" if item.data(HIDDEN_ROLE) else "Hide"
        words = {
            None: f"{item.data(NAME_ROLE)}: click to use it, drag to put it elsewhere",
            Sign.PENCIL: "Rename (F2)",
            Sign.EYE: f"{verb} its annotations; they are exported all the same",
        }
        self.viewport().setToolTip(words[self._sign_at(item, at)])

    def _gap_at(self, at: QPoint) -> int:
        """Return the row above which a row would be put that is dropped at a point."""
        shown = [row for row in range(self.count()) if not self.item(row).isHidden()]
        above = (r for r in shown if at.y() < self.visualItemRect(self.item(r)).center().y())
        return next(above, self.count())

    def _y_of(self, gap: int) -> int:
        if gap < self.count():
            return self.visualItemRect(self.item(gap)).top()
        shown = [row for row in range(self.count()) if not self.item(row).isHidden()]
        return self.visualItemRect(self.item(shown[-1])).bottom() + 1 if shown else 0

    def _scroll_to(self, y: float) -> None:
        """Bring more rows into view while the pointer is above or below the list."""
        bar = self.verticalScrollBar()
        if y < 0:
            bar.setValue(bar.value() - bar.singleStep())
        elif y > self.viewport().height():
            bar.setValue(bar.value() + bar.singleStep())
