"""The list of images with their states."""

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QIcon, QPainter
from PySide6.QtWidgets import (
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from maskstudio.annotation.annotation import ImageState
from maskstudio.annotation.edits import Edit
from maskstudio.session.session import Session
from maskstudio.ui.labels import faint, heading
from maskstudio.ui.theme import STATE_WORDS, state_icon

COUNT_ROLE = Qt.ItemDataRole.UserRole
_ROW_HEIGHT = 26
_DONE = (ImageState.VERIFIED, ImageState.EMPTY)

Index = QModelIndex | QPersistentModelIndex


class ImageListModel(QAbstractListModel):
    """The session's images, row by row."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self._rows: dict[int, int] = {}
        self._icons: dict[ImageState, QIcon] = {}
        session.opened.connect(self.reload)
        session.images_changed.connect(self.reload)
        session.edited.connect(self._on_edited)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Number of images."""
        return 0 if parent.isValid() else len(self._session.image_ids)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What a row shows."""
        record = self._session.record(self._session.image_ids[index.row()])
        count = self._session.count(record.id)
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return record.path
            case Qt.ItemDataRole.DecorationRole:
                return self._icon(record.state)
            case Qt.ItemDataRole.ToolTipRole:
                missing = "; the file is missing" if record.id in self._session.missing else ""
                return f"{record.path}: {STATE_WORDS[record.state]}, {count} annotations{missing}"
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{record.path}, {STATE_WORDS[record.state]}, {count} annotations"
            case _ if role == COUNT_ROLE:
                unknown = record.state in (ImageState.NEW, ImageState.SKIPPED) and not count
                return "" if unknown else str(count)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """A row whose file is missing is grey."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        there = self._session.image_ids[index.row()] not in self._session.missing
        enabled = Qt.ItemFlag.ItemIsEnabled if there else Qt.ItemFlag.NoItemFlags
        return enabled | Qt.ItemFlag.ItemIsSelectable

    def row_of(self, image_id: int) -> int:
        """Return the row of an image."""
        return self._rows[image_id]

    def reload(self) -> None:
        """Show the session's list anew."""
        self.beginResetModel()
        self._icons.clear()
        self._rows = {image_id: row for row, image_id in enumerate(self._session.image_ids)}
        self.endResetModel()

    def _icon(self, state: ImageState) -> QIcon:
        if state not in self._icons:
            self._icons[state] = state_icon(state)
        return self._icons[state]

    def _on_edited(self, edit: Edit) -> None:
        for image_id in edit.image_ids:
            index = self.index(self._rows[image_id])
            self.dataChanged.emit(index, index)


class _RowDelegate(QStyledItemDelegate):
    """Icon, name, and at the right the number of annotations."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        count = str(index.data(COUNT_ROLE))
        metrics = option.fontMetrics
        room = metrics.horizontalAdvance("0000") + 10
        right = QRect(option.rect)
        right.setLeft(right.right() - room)
        # The row is painted in full width (selection), the name in what the number leaves.
        full = QStyleOptionViewItem(option)
        self.initStyleOption(full, index)
        full.textElideMode = Qt.TextElideMode.ElideMiddle
        full.text = metrics.elidedText(
            full.text, Qt.TextElideMode.ElideMiddle, option.rect.width() - room - 34
        )
        style = option.widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, full, painter, option.widget)
        painter.setPen(option.palette.placeholderText().color())
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(right.adjusted(0, 0, -8, 0), flags, count)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """All rows are equally high."""
        del option, index
        return QSize(120, _ROW_HEIGHT)


class ImagesPanel(QWidget):
    """The list and how much of it is done."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.model = ImageListModel(session, self)
        self.list = QListView()
        self.list.setModel(self.model)
        self.list.setItemDelegate(_RowDelegate(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setAccessibleName("Images")
        title = heading("Images")
        self._summary = faint()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 6)
        for label in (title, self._summary):
            label.setContentsMargins(10, 0, 10, 0)
        column.addWidget(title)
        column.addWidget(self.list, 1)
        column.addWidget(self._summary)
        self.list.selectionModel().currentChanged.connect(self._on_chosen)
        self.model.modelReset.connect(self._on_current)
        session.current_changed.connect(self._on_current)
        session.edited.connect(lambda _: self._summarise())
        session.images_changed.connect(self._summarise)
        session.opened.connect(self._summarise)
        self._summarise()

    def _on_chosen(self, index: QModelIndex) -> None:
        if index.isValid():
            self._session.show(self._session.image_ids[index.row()])

    def _on_current(self) -> None:
        current = self._session.current
        if current is None:
            return
        index = self.model.index(self.model.row_of(current.id))
        if self.list.currentIndex() != index:
            self.list.setCurrentIndex(index)
        self.list.scrollTo(index)

    def _summarise(self) -> None:
        ids = self._session.image_ids
        done = sum(self._session.record(image_id).state in _DONE for image_id in ids)
        self._summary.setText(f"{done:,} of {len(ids):,} verified" if ids else "no images")
