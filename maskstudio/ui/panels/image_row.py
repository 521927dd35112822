"""How a row of the list of images is painted."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QBrush, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from maskstudio.session.image_order import SortKey
from maskstudio.session.session import Session

COUNT_ROLE = Qt.ItemDataRole.UserRole
"""How many annotations stand on the image, in words."""

WHY_ROLE = Qt.ItemDataRole.UserRole + 1
"""Why the image stands where it does in the queue of what to label next."""

_ROW_HEIGHT = 26
_WHY_HEIGHT = 16  # what the reason adds to a row
_SMALLER = 0.88  # the reason's letters beside those of the name

Index = QModelIndex | QPersistentModelIndex


class ImageRow(QStyledItemDelegate):
    """Icon, name, and at the right the number of annotations.

    Where several rows are selected, the name of the current image is bold. In the queue of what to
    label next the reason stands below the name.
    """

    def __init__(self, session: Session, view: QListView) -> None:
        super().__init__(view)
        self._session = session
        self._view = view

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint a row."""
        count = str(index.data(COUNT_ROLE))
        metrics = option.fontMetrics
        room = metrics.horizontalAdvance("0000") + 10
        right = QRect(option.rect)
        right.setLeft(right.right() - room)
        # The row is painted in full width (selection), the name in what the number leaves.
        full = QStyleOptionViewItem(option)
        self.initStyleOption(full, index)
        full.textElideMode = Qt.TextElideMode.ElideMiddle
        if len(self._session.order.chosen) > 1 and index.row() == self._view.currentIndex().row():
            full.font.setBold(True)
            metrics = QFontMetrics(full.font)
        full.text = metrics.elidedText(
            full.text, Qt.TextElideMode.ElideMiddle, option.rect.width() - room - 34
        )
        style = option.widget.style()
        if self._is_queue():
            self._paint_in_queue(painter, full, str(index.data(WHY_ROLE)))
            right.setHeight(_ROW_HEIGHT)
        else:
            style.drawControl(QStyle.ControlElement.CE_ItemViewItem, full, painter, option.widget)
        painter.setPen(option.palette.placeholderText().color())
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(right.adjusted(0, 0, -8, 0), flags, count)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """All rows are equally high."""
        del option, index
        return QSize(120, _ROW_HEIGHT + (_WHY_HEIGHT if self._is_queue() else 0))

    def _is_queue(self) -> bool:
        order = self._session.order
        return order.query.sort is SortKey.TEACHING and bool(order.queue)

    def _paint_in_queue(self, painter: QPainter, option: QStyleOptionViewItem, words: str) -> None:
        """Paint the row with the name in its upper part and the reason below."""
        style, whole = option.widget.style(), QRect(option.rect)
        back = QStyle.PrimitiveElement.PE_PanelItemViewItem
        style.drawPrimitive(back, option, painter, option.widget)
        upper = QStyleOptionViewItem(option)
        upper.rect = whole.adjusted(0, 0, 0, -_WHY_HEIGHT)
        upper.backgroundBrush = QBrush(Qt.BrushStyle.NoBrush)
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, upper, painter, option.widget)
        text = style.SubElement.SE_ItemViewItemText
        left = style.subElementRect(text, upper, option.widget).left()
        below = QRect(left, whole.bottom() - _WHY_HEIGHT - 3, whole.right() - left - 8, _WHY_HEIGHT)
        font = QFont(option.font)
        font.setBold(False)
        font.setPointSizeF(font.pointSizeF() * _SMALLER)
        painter.save()
        painter.setFont(font)
        painter.setPen(option.palette.placeholderText().color())
        shown = QFontMetrics(font).elidedText(words, Qt.TextElideMode.ElideRight, below.width())
        painter.drawText(below, Qt.AlignmentFlag.AlignVCenter, shown)
        painter.restore()
