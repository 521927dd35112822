"""How the parts of the window stand beside and above one another."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

_WIDTHS = (230, 800, 260)


def stacked(*parts: tuple[QWidget, int]) -> QWidget:
    """Return a column of widgets, each with its share of the room that is left; 0 takes none."""
    column = QWidget()
    stack = QVBoxLayout(column)
    stack.setContentsMargins(0, 0, 0, 0)
    stack.setSpacing(0)
    for part, share in parts:
        stack.addWidget(part, share)
    return column


def side_by_side(left: QWidget, middle: QWidget, right: QWidget) -> QSplitter:
    """Return three columns that can be made wider and narrower; the middle one takes the room."""
    across = QSplitter(Qt.Orientation.Horizontal)
    for column in (left, middle, right):
        across.addWidget(column)
    across.setStretchFactor(1, 1)
    across.setSizes(list(_WIDTHS))
    across.setHandleWidth(3)
    across.setChildrenCollapsible(False)
    return across
