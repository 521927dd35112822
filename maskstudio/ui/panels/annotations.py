"""The annotations of the current image, front to back."""

from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
)
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QTreeView, QVBoxLayout, QWidget

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.edits import Edit
from maskstudio.session.session import Session
from maskstudio.ui.labels import heading

Index = QModelIndex | QPersistentModelIndex


def colour_icon(colour: str) -> QIcon:
    """Return a square of a colour."""
    square = QPixmap(12, 12)
    square.fill(QColor(colour))
    made = QIcon(square)
    # By itself Qt tints what is selected, and the colour is the information.
    made.addPixmap(square, QIcon.Mode.Selected)
    return made


def origin_words(annotation: Annotation) -> str:
    """Say where an annotation comes from: its score, or that a person changed or drew it."""
    if annotation.is_pre_annotation and annotation.score is not None:
        return f"{annotation.score:.2f}"
    return "drawn" if annotation.model_id is None else "checked"


class AnnotationListModel(QAbstractListModel):
    """The annotations of the current image; the one in front comes first."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self._ids: tuple[int, ...] = ()
        self._icons: dict[str, QIcon] = {}
        session.current_changed.connect(self.reload)
        session.edited.connect(self._on_edited)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Number of annotations."""
        return 0 if parent.isValid() else len(self._ids)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What a row shows."""
        annotation = self._session.annotations[self._ids[index.row()]]
        category = self._session.category(annotation.category_id)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{category.name}   {origin_words(annotation)}"
        if role == Qt.ItemDataRole.DecorationRole:
            colour = category.shown_colour
            if colour not in self._icons:
                self._icons[colour] = colour_icon(colour)
            return self._icons[colour]
        return None

    def id_at(self, row: int) -> int:
        """Return the annotation of a row."""
        return self._ids[row]

    def rows_of(self, annotation_ids: frozenset[int]) -> list[int]:
        """Return the rows of annotations, in order."""
        return [row for row, i in enumerate(self._ids) if i in annotation_ids]

    def reload(self) -> None:
        """Show the current image's annotations anew."""
        self.beginResetModel()
        self._ids = tuple(self._session.annotations)[::-1]
        self.endResetModel()

    def _on_edited(self, edit: Edit) -> None:
        current = self._session.current
        here = current is not None and current.id in edit.image_ids
        if here and tuple(self._session.annotations)[::-1] != self._ids:
            self.reload()
        elif edit.categories and self._ids:
            self.dataChanged.emit(self.index(0), self.index(len(self._ids) - 1))
        elif here:
            changed = frozenset(c.after.id for c in edit.annotations if c.after)
            for row in self.rows_of(changed):
                self.dataChanged.emit(self.index(row), self.index(row))


class AnnotationsPanel(QWidget):
    """The list, selected together with the canvas."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._heading = heading("Annotations")
        self._heading.setContentsMargins(10, 0, 10, 0)
        self.model = AnnotationListModel(session, self)
        # A tree without branches: a list view lays out every row anew when one changes.
        self.list = QTreeView(rootIsDecorated=False, uniformRowHeights=True, headerHidden=True)
        self.list.setModel(self.model)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setAccessibleName("Annotations")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 4)
        column.addWidget(self._heading)
        column.addWidget(self.list, 1)
        self._follows = False
        self.list.selectionModel().selectionChanged.connect(self._on_chosen)
        self.model.modelReset.connect(self._on_reset)
        session.selection_changed.connect(self._on_selection)

    def _on_chosen(self) -> None:
        if not self._follows:
            rows = self.list.selectionModel().selectedRows()
            self._session.select(self.model.id_at(index.row()) for index in rows)

    def _on_reset(self) -> None:
        count = self.model.rowCount()
        self._heading.setText(f"Annotations   {count:,}" if count else "Annotations")
        self._on_selection()

    def _on_selection(self) -> None:
        selection = QItemSelection()
        rows = self.model.rows_of(self._session.selection)
        for row in rows:
            selection.select(self.model.index(row), self.model.index(row))
        self._follows = True
        self.list.selectionModel().select(
            selection, QItemSelectionModel.SelectionFlag.ClearAndSelect
        )
        self._follows = False
        if rows:
            self.list.scrollTo(self.model.index(rows[0]))
