"""The list of the current image's annotations, and what is said about those selected."""

from PySide6.QtCore import QItemSelectionModel, QPoint, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from maskstudio.annotation.edits import Edit
from maskstudio.session import arranging
from maskstudio.session.session import Session
from maskstudio.ui.labels import heading
from maskstudio.ui.panels.annotation_list import AnnotationList
from maskstudio.ui.panels.annotation_model import AnnotationListModel, Column
from maskstudio.ui.panels.properties import PropertiesPanel


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
