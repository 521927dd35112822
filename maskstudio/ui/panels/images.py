"""The list of images with their states."""

from itertools import chain
from typing import Any

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    QStringListModel,
    Qt,
)
from PySide6.QtGui import QIcon, QMouseEvent
from PySide6.QtWidgets import (
    QListView,
    QVBoxLayout,
    QWidget,
)

from maskstudio.annotation.annotation import ImageState
from maskstudio.annotation.edits import Edit
from maskstudio.annotation.queue import figures, why
from maskstudio.session.image_order import SortKey
from maskstudio.session.session import Session
from maskstudio.ui.labels import faint, heading
from maskstudio.ui.panels.image_filter import ImageFilter
from maskstudio.ui.panels.image_row import COUNT_ROLE, WHY_ROLE, ImageRow
from maskstudio.ui.theme import STATE_WORDS, state_icon

_CONTEXT_ROWS = 2
_SIGN = 16  # the side of the sign of a state
_DONE = (ImageState.VERIFIED, ImageState.EMPTY)

_RANGE = Qt.KeyboardModifier.ShiftModifier
_ONE_MORE = Qt.KeyboardModifier.ControlModifier

Index = QModelIndex | QPersistentModelIndex


class ImageListModel(QStringListModel):
    """The session's images as `Session.order` shows them, row by row.

    Qt counts the rows twice for each row it lays out. The model of strings answers that without
    Python, which for a hundred thousand images is most of the time; its strings stay empty.
    """

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        # Copies: the order is ahead of the rows while they are taken out and put in.
        self._shown = list(session.order.shown)
        self._coming = self._shown
        self._icons: dict[ImageState, QIcon] = {}
        # The first to be told, so that every view finds what the rows show now.
        self.rowsInserted.connect(self._on_rows_changed)
        self.rowsRemoved.connect(self._on_rows_changed)
        session.opened.connect(self.reload)
        session.images_changed.connect(self.reload)
        session.order.renewed.connect(self.reload)
        session.order.moved.connect(self._on_moved)
        session.edited.connect(self._on_edited)
        session.renewed.connect(self._on_renewed)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What a row shows."""
        if not index.isValid():
            return None
        record = self._session.record(self._shown[index.row()])
        count = self._session.count(record.id)
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return record.path
            case Qt.ItemDataRole.DecorationRole:
                return self._icon(record.state)
            case Qt.ItemDataRole.ToolTipRole:
                missing = "; the file is missing" if record.id in self._session.missing else ""
                words = f"{record.path}: {STATE_WORDS[record.state]}, {count} annotations{missing}"
                return "\n".join([words, *self._figures(record.id)])
            case Qt.ItemDataRole.AccessibleTextRole:
                words = f"{record.path}, {STATE_WORDS[record.state]}, {count} annotations"
                return ", ".join(filter(None, [words, self._why(record.id)]))
            case _ if role == WHY_ROLE:
                return self._why(record.id)
            case _ if role == COUNT_ROLE:
                unknown = record.state in (ImageState.NEW, ImageState.SKIPPED) and not count
                return "" if unknown else str(count)
        return None

    def _why(self, image_id: int) -> str:
        """Return why an image stands where it does, where the list is the queue."""
        order, session = self._session.order, self._session
        place = order.queue.get(image_id)
        if order.query.sort is not SortKey.TEACHING or session.record(image_id).state in _DONE:
            return ""
        return "" if place is None else why(place, lambda other: session.record(other).path)

    def _figures(self, image_id: int) -> list[str]:
        return [figures(self._session.order.queue[image_id])] if self._why(image_id) else []

    def flags(self, index: Index) -> Qt.ItemFlag:
        """A row whose file is missing is grey."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        there = self._shown[index.row()] not in self._session.missing
        enabled = Qt.ItemFlag.ItemIsEnabled if there else Qt.ItemFlag.NoItemFlags
        return enabled | Qt.ItemFlag.ItemIsSelectable

    def image_id(self, index: Index) -> int:
        """Return the image of a row."""
        return self._shown[index.row()]

    def image_ids(self, first: int, last: int) -> list[int]:
        """Return the images of some rows, the last included."""
        return self._shown[first : last + 1]

    def index_of(self, image_id: int) -> QModelIndex:
        """Return the row of an image; an invalid one where it is not shown."""
        order = self._session.order
        return self.index(order.place(image_id)) if image_id in order else QModelIndex()

    def reload(self) -> None:
        """Show the session's list anew."""
        self._icons.clear()
        self._shown = list(self._session.order.shown)
        self.setStringList([""] * len(self._shown))

    def renew_icons(self) -> None:
        """Draw the icons again, after the theme changed."""
        self._icons.clear()

    def _icon(self, state: ImageState) -> QIcon:
        if state not in self._icons:
            self._icons[state] = state_icon(state)
        return self._icons[state]

    def _on_edited(self, edit: Edit) -> None:
        # A vertex that moved is not seen in this list.
        counted = {c.image_id for c in edit.annotations if c.before is None or c.after is None}
        for image_id in counted | {change.image_id for change in edit.images}:
            index = self.index_of(image_id)
            if index.isValid():
                self.dataChanged.emit(index, index)

    def _on_renewed(self) -> None:
        if self._shown:
            self.dataChanged.emit(self.index(0), self.index(len(self._shown) - 1))

    def _on_moved(self, image_id: int, old: int | None, new: int | None) -> None:
        if old is not None:
            self._coming = [*self._shown[:old], *self._shown[old + 1 :]]
            self.removeRows(old, 1)
        if new is not None:
            self._coming = [*self._shown[:new], image_id, *self._shown[new:]]
            self.insertRows(new, 1)

    def _on_rows_changed(self) -> None:
        self._shown = self._coming


class _ImageList(QListView):
    """Shift and Ctrl with a click select more rows, and leave the current image where it is."""

    def __init__(self) -> None:
        super().__init__()
        self.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self._anchor = QPersistentModelIndex()
        self._choosing = False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select more, or go to an image."""
        index = self.indexAt(event.position().toPoint())
        self._choosing = bool(
            event.button() is Qt.MouseButton.LeftButton
            and event.modifiers() & (_RANGE | _ONE_MORE)
            and index.isValid()
        )
        if self._choosing:
            self._select_more(index, by_range=bool(event.modifiers() & _RANGE))
        else:
            self._anchor = QPersistentModelIndex()
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Do not go through the images while more are selected."""
        if not self._choosing:
            super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End what the press began."""
        if not self._choosing:
            super().mouseReleaseEvent(event)
        self._choosing = False

    def _select_more(self, index: QModelIndex, *, by_range: bool) -> None:
        chosen = self.selectionModel()
        if by_range:
            first = self._anchor if self._anchor.isValid() else self.currentIndex()
            rows = sorted((first.row() if first.isValid() else index.row(), index.row()))
            top, bottom = (self.model().index(row, 0) for row in rows)
            both = QItemSelection(top, bottom)
            chosen.select(both, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        else:
            self._anchor = QPersistentModelIndex(index)
            chosen.select(index, QItemSelectionModel.SelectionFlag.Toggle)


class ImagesPanel(QWidget):
    """The list and how much of it is done."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.model = ImageListModel(session, self)
        self.filter = ImageFilter(session)
        self.list = _ImageList()
        # See `_bring_into_view`.
        self.list.setAutoScroll(False)
        self.list.setModel(self.model)
        self.list.setItemDelegate(ImageRow(session, self.list))
        self.list.setUniformItemSizes(True)
        self.list.setIconSize(QSize(_SIGN, _SIGN))
        self.list.setAccessibleName("Images")
        title = heading("Images")
        self._summary = faint()
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 6)
        for label in (title, self._summary):
            label.setContentsMargins(10, 0, 10, 0)
        column.addWidget(title)
        column.addWidget(self.filter)
        column.addWidget(self.list, 1)
        column.addWidget(self._summary)
        self.list.selectionModel().currentChanged.connect(self._on_chosen)
        self.list.selectionModel().selectionChanged.connect(self._on_selected)
        # Qt tells nobody that a reset has selected nothing.
        self.model.modelReset.connect(self._on_selected)
        self.model.modelReset.connect(self._on_current)
        session.current_changed.connect(self._on_current)
        self.filter.left.connect(self._on_filter_left)
        session.edited.connect(self._on_edited)
        session.images_changed.connect(self._summarise)
        session.renewed.connect(self._summarise)
        session.opened.connect(self._summarise)
        session.order.renewed.connect(self._summarise)
        session.order.moved.connect(self._summarise)
        self._summarise()

    def changeEvent(self, event: QEvent) -> None:
        """Take up the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.model.renew_icons()

    def add_above_list(self, widget: QWidget) -> None:
        """Put a widget between the controls and the list."""
        self._column.insertWidget(self._column.indexOf(self.list), widget)

    def start_finding(self) -> None:
        """Let the person type a part of a name."""
        self.filter.field.setFocus()
        self.filter.field.selectAll()

    def _on_filter_left(self) -> None:
        """Give the list the keys; of what was found show the first, unless one is shown."""
        session, current = self._session, self._session.current
        shown = session.order.shown
        if shown and (current is None or current.id not in session.order):
            session.show(shown[0])
        self.list.setFocus()

    def _on_chosen(self, index: QModelIndex) -> None:
        if index.isValid():
            self._session.show(self.model.image_id(index))

    def _on_selected(self) -> None:
        ranges = self.list.selectionModel().selection().toList()
        rows = ((one.top(), one.bottom()) for one in ranges)
        ids = chain.from_iterable(self.model.image_ids(*pair) for pair in rows)
        self._session.order.choose(ids)

    def _on_current(self) -> None:
        current = self._session.current
        if current is None:
            return
        index = self.model.index_of(current.id)
        chosen = self.list.selectionModel()
        if not index.isValid():
            chosen.clear()
            return
        if chosen.currentIndex() != index:
            # The list itself would refuse a row whose file is missing and stay where it was.
            chosen.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self._bring_into_view(index.row())

    def _bring_into_view(self, row: int) -> None:
        """Turn the page when a row is beyond it: one row a step, all rows would be painted anew."""
        whole = self.list.viewport().rect()
        seen = self.list.visualRect(self.model.index(row, 0))
        if seen.top() < whole.top():
            last = min(row + _CONTEXT_ROWS, self.model.rowCount() - 1)
            hint = QListView.ScrollHint.PositionAtBottom
            self.list.scrollTo(self.model.index(last, 0), hint)
        elif seen.bottom() > whole.bottom():
            first = max(row - _CONTEXT_ROWS, 0)
            self.list.scrollTo(self.model.index(first, 0), QListView.ScrollHint.PositionAtTop)

    def _on_edited(self, edit: Edit) -> None:
        if edit.images:
            self._summarise()

    def _summarise(self) -> None:
        order, total = self._session.order, len(self._session.image_ids)
        if not total:
            self._summary.setText("no images")
        elif order.query.filters:
            self._summary.setText(f"{len(order.shown):,} of {total:,} shown")
        else:
            done = sum(self._session.state_counts[state] for state in _DONE)
            self._summary.setText(f"{done:,} of {total:,} verified")
