"""The annotations of the current image as rows, front to back."""

import itertools
from collections.abc import Iterator
from enum import IntEnum
from functools import cache
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelection,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPalette, QPixmap
from PySide6.QtWidgets import QWidget

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.edits import AnnotationChange, Edit
from maskstudio.session.session import Session
from maskstudio.ui.annotation_words import origin_words, said_lines, state_words
from maskstudio.ui.icons import drawn_icon

Index = QModelIndex | QPersistentModelIndex


class Column(IntEnum):
    """What stands beside each other in a row."""

    NAME = 0
    CROWD = 1
    SAID = 2
    EYE = 3
    LOCK = 4


_COLUMNS = len(Column)
_SIGN = 16
_FAINT = 0.6  # a share of the colour of what is not to be read first


def colour_icon(colour: str) -> QIcon:
    """Return a square of a colour."""
    square = QPixmap(12, 12)
    square.fill(QColor(colour))
    made = QIcon(square)
    # By itself Qt tints what is selected, and the colour is the information.
    made.addPixmap(square, QIcon.Mode.Selected)
    return made


class AnnotationListModel(QAbstractTableModel):
    """The annotations of the current image; the one in front comes first."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self._ids: tuple[int, ...] = ()
        self._rows: dict[int, int] | None = None  # id to row, once it was asked for
        self._squares: dict[str, QIcon] = {}
        session.current_changed.connect(self.reload)
        session.edited.connect(self._on_edited)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Number of annotations."""
        return 0 if parent.isValid() else len(self._ids)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Number of columns."""
        return 0 if parent.isValid() else _COLUMNS

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What a cell shows."""
        if role not in _ROLES:
            # Half of what is asked for at each repaint, for each cell.
            return None
        annotation = self._session.annotations[self._ids[index.row()]]
        column = Column(index.column())
        if role in _PAINTED:
            return self.cell(index.row(), column)[_PAINTED[role]]
        if role == Qt.ItemDataRole.ToolTipRole:
            return _tip(annotation, column)
        if column is not Column.NAME:
            return _words(annotation, column)
        words = [self.cell(index.row(), column)[0]]
        return "   ".join(words + state_words(annotation) + said_lines(annotation))

    def cell(self, row: int, column: Column) -> tuple[str, QIcon | None, bool]:
        """Return what is painted in a cell: its text, its icon, and whether it is hardly there."""
        annotation = self._session.annotations[self._ids[row]]
        text = ""
        if column is Column.NAME:
            name = self._session.category(annotation.category_id).name
            text = f"{name}   {origin_words(annotation)}"
        return text, self._icon(annotation, column), annotation.hidden

    def is_selected(self, row: int) -> bool:
        """Tell whether the annotation of a row is selected."""
        return self._ids[row] in self._session.selection

    def id_at(self, row: int) -> int:
        """Return the annotation of a row."""
        return self._ids[row]

    def rows_of(self, annotation_ids: frozenset[int]) -> list[int]:
        """Return the rows of annotations, in order."""
        if self._rows is None:
            self._rows = {i: row for row, i in enumerate(self._ids)}
        return sorted(self._rows[i] for i in annotation_ids if i in self._rows)

    def selection_of(self, rows: list[int]) -> QItemSelection:
        """Return rows, in order, as a selection."""
        selection = QItemSelection()
        # Neighbours as one: a range for each of thousands takes seconds.
        for first, last in _runs(rows):
            selection.select(self.index(first, 0), self.index(last, _COLUMNS - 1))
        return selection

    def reload(self) -> None:
        """Show the current image's annotations anew."""
        self.beginResetModel()
        self._ids = tuple(self._session.annotations)[::-1]
        self._rows = None
        self.endResetModel()

    def _on_edited(self, edit: Edit) -> None:
        current = self._session.current
        here = [c for c in edit.annotations if current is not None and c.image_id == current.id]
        if any(map(_moves_rows, here)):
            self.reload()
        elif (edit.categories or edit.reassigned) and self._ids:
            self._tell(0, len(self._ids) - 1)
        else:
            for row in self.rows_of(frozenset(c.after.id for c in here if c.after)):
                self._tell(row, row)

    def _tell(self, first: int, last: int) -> None:
        self.dataChanged.emit(self.index(first, 0), self.index(last, _COLUMNS - 1))

    def _icon(self, annotation: Annotation, column: Column) -> QIcon | None:
        if column is Column.NAME:
            colour = self._session.category(annotation.category_id).shown_colour
            if colour not in self._squares:
                self._squares[colour] = colour_icon(colour)
            return self._squares[colour]
        drawing, strong = _drawing(annotation, column)
        if not drawing:
            return None
        palette = QGuiApplication.palette()
        return _sign(drawing, (palette.text().color() if strong else _faint(palette)).name())


@cache
def _sign(drawing: str, shade: str) -> QIcon:
    """Return an icon as a picture: a drawing would be called for in each row."""
    ratio = QGuiApplication.primaryScreen().devicePixelRatio()
    return QIcon(drawn_icon(drawing, shade, shade).pixmap(QSize(_SIGN, _SIGN), ratio))


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of each run of numbers that follow one another."""
    for _, run in itertools.groupby(enumerate(numbers), key=lambda at: at[1] - at[0]):
        following = [number for _, number in run]
        yield following[0], following[-1]


def _moves_rows(change: AnnotationChange) -> bool:
    """Tell whether an annotation came, went, or has another place now."""
    before, after = change.before, change.after
    return before is None or after is None or before.stacking != after.stacking


_ACCESSIBLE = (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.AccessibleDescriptionRole)
# Where in a cell they stand.
_PAINTED = {int(Qt.ItemDataRole.DisplayRole): 0, int(Qt.ItemDataRole.DecorationRole): 1}
_ROLES = frozenset(
    int(role)
    for role in (
        Qt.ItemDataRole.DisplayRole,
        Qt.ItemDataRole.DecorationRole,
        Qt.ItemDataRole.ToolTipRole,
        *_ACCESSIBLE,
    )
)


def _faint(palette: QPalette) -> QColor:
    """Return a colour that is there when it is looked for, in every row."""
    below, above = palette.base().color(), palette.placeholderText().color()
    return QColor.fromRgbF(
        _FAINT * above.redF() + (1 - _FAINT) * below.redF(),
        _FAINT * above.greenF() + (1 - _FAINT) * below.greenF(),
        _FAINT * above.blueF() + (1 - _FAINT) * below.blueF(),
    )


def _drawing(annotation: Annotation, column: Column) -> tuple[str, bool]:
    """Return the icon of a cell, and whether it stands for something that is not as usual."""
    if column is Column.EYE:
        return ("eye-off-outline", True) if annotation.hidden else ("eye-outline", False)
    if column is Column.LOCK:
        locked = annotation.locked
        return ("lock-outline", True) if locked else ("lock-open-variant-outline", False)
    if column is Column.CROWD:
        return "account-group-outline" if annotation.iscrowd else "", True
    return "note-text-outline" if said_lines(annotation) else "", True


def _words(annotation: Annotation, column: Column) -> str:
    if column is Column.EYE:
        return "hidden" if annotation.hidden else "shown"
    if column is Column.LOCK:
        return "locked" if annotation.locked else "not locked"
    if column is Column.CROWD:
        return "crowd" if annotation.iscrowd else "no crowd"
    return "\n".join(said_lines(annotation)) or "no note"


def _tip(annotation: Annotation, column: Column) -> str:
    if column is Column.EYE:
        return "Hidden: click to show it" if annotation.hidden else "Click to hide it"
    if column is Column.LOCK:
        return "Locked: click to unlock it" if annotation.locked else "Click to lock it"
    if column is Column.CROWD:
        return "Crowd: a group that nobody told apart" if annotation.iscrowd else ""
    return "\n".join(said_lines(annotation))
