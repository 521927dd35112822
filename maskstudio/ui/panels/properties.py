"""What is said about the selected annotations: crowd, note, attributes."""

import itertools

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.edits import Edit
from maskstudio.session import properties
from maskstudio.session.session import Session
from maskstudio.ui.panels.property_rows import AttributeRow, PropertyField
from maskstudio.ui.theme import icon

_MOST_HEIGHT = 150


class PropertiesPanel(QWidget):
    """Fields for the selection, folded until somebody wants them.

    Without a selection they stay where they are: nothing moves when one comes or goes.

    What is typed is taken over by Enter, or when the focus or the selection goes: one edit for each
    field, for all that are selected.

    Signals:
        left: the person is through with the fields; the keys belong to the canvas.
    """

    left = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._ids: frozenset[int] = frozenset()
        self.fold = QPushButton()
        self.fold.setObjectName("fold")
        self.fold.setCheckable(True)
        self.fold.setToolTip("Note, attributes and whether it is a crowd")
        self.fold.toggled.connect(self._on_folded)
        self.crowd = QCheckBox("Crowd")
        self.crowd.setToolTip("A group that nobody told apart: training passes over it")
        self.crowd.clicked.connect(self._on_crowd)
        self.note = PropertyField("Note", "Note…")
        self.note.returnPressed.connect(self._on_note_entered)
        self.note.editingFinished.connect(self._keep_note)
        self.note.left.connect(self.left)
        self._new = AttributeRow()
        self._rows: list[AttributeRow] = []
        self._inside = QWidget()
        self._fields = QVBoxLayout(self._inside)
        self._fields.setContentsMargins(4, 0, 4, 4)
        self._fields.setSpacing(3)
        for widget in (self.crowd, self.note, self._new):
            self._fields.addWidget(widget)
        self._area = _Area(self._inside)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 0, 4, 0)
        column.setSpacing(2)
        column.addWidget(self.fold)
        column.addWidget(self._area)
        self._connect_row(self._new)
        self._new.show_attribute("", "")
        session.selection_changed.connect(self._on_selection)
        session.edited.connect(self._on_edited)
        self._on_folded()
        self._show()

    @property
    def rows(self) -> tuple[AttributeRow, ...]:
        """The rows of attributes that can be seen; the last is for another one."""
        return (*(row for row in self._rows if not row.isHidden()), self._new)

    def open(self) -> None:
        """Unfold, and let somebody type the note."""
        if self._ids:
            self.fold.setChecked(True)
            self.note.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.note.selectAll()

    def changeEvent(self, event: QEvent) -> None:
        """Draw the icon again when the theme is another one."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._on_folded()

    def _on_folded(self) -> None:
        unfolded = self.fold.isChecked()
        self.fold.setIcon(icon("chevron-down" if unfolded else "chevron-right"))
        self._area.setVisible(unfolded)

    def _on_selection(self) -> None:
        # What was typed was for those that were selected until now.
        self._keep_note()
        for row in self.rows:
            self._keep_row(row)
            row.show_attribute("", "")
        self.note.show_text("")
        self._ids = self._session.selection
        focus = QApplication.focusWidget()
        typing = focus is not None and self.isAncestorOf(focus)
        self._show()
        if typing and not self._ids:
            self.left.emit()

    def _on_edited(self, edit: Edit) -> None:
        if any(c.after is not None and c.after.id in self._ids for c in edit.annotations):
            self._show()

    def _chosen(self) -> list[Annotation]:
        known = self._session.annotations
        return [known[i] for i in self._ids if i in known]

    def _show(self) -> None:
        """Say what the selection says; what somebody is typing stays."""
        chosen = self._chosen()
        self.crowd.setTristate(False)
        crowds = {annotation.iscrowd for annotation in chosen}
        state = Qt.CheckState.PartiallyChecked if len(crowds) > 1 else Qt.CheckState.Unchecked
        self.crowd.setCheckState(Qt.CheckState.Checked if crowds == {True} else state)
        notes = {annotation.note for annotation in chosen}
        if not self.note.typed:
            self.note.show_text(None if len(notes) > 1 else next(iter(notes), ""))
        attributes = properties.common_attributes(chosen)
        while len(self._rows) < len(attributes):
            self._rows.append(self._made_row())
        for row, (name, value) in zip(self._rows, attributes.items(), strict=False):
            if not row.typed:
                row.show_attribute(name, value)
            row.show()
        for row in self._rows[len(attributes) :]:
            row.show_attribute("", "")
            row.hide()
        changes = not self._session.read_only and not any(a.locked for a in chosen)
        self._inside.setEnabled(bool(chosen) and changes)
        self.fold.setText(_heading(bool(notes - {""}), len(attributes)))
        self._area.updateGeometry()

    def _made_row(self) -> AttributeRow:
        row = AttributeRow()
        self._fields.insertWidget(self._fields.count() - 1, row)
        # The Tab key goes through the rows as they stand.
        before = self._rows[-1].remove if self._rows else self.note
        for one, other in itertools.pairwise(
            (before, row.name, row.value, row.remove, self._new.name)
        ):
            self.setTabOrder(one, other)
        self._connect_row(row)
        return row

    def _connect_row(self, row: AttributeRow) -> None:
        row.finished.connect(lambda: self._keep_row(row))
        row.returned.connect(lambda: self._on_row_returned(row))
        row.remove_wanted.connect(lambda: self._remove(row))
        row.entered.connect(lambda: self._offer_words(row))
        row.left.connect(self.left)

    def _offer_words(self, row: AttributeRow) -> None:
        row.complete_with(self._session.require_database().attribute_words())

    def _on_crowd(self) -> None:
        properties.toggle_crowd(self._session)
        self._show()

    def _on_note_entered(self) -> None:
        self._keep_note()
        self.left.emit()

    def _on_row_returned(self, row: AttributeRow) -> None:
        """Go back to the canvas, or on to the next new attribute."""
        if self._keep_row(row) and row is self._new:
            row.name.setFocus()
        else:
            self.left.emit()

    def _keep_note(self) -> None:
        text = self.note.text()
        if self.note.typed and properties.set_note(self._session, self._ids, text):
            self.note.show_text(text.strip())

    def _keep_row(self, row: AttributeRow) -> bool:
        """Take over what was typed in a row; return True when something was."""
        old, name = row.name.shown, row.name.text().strip() or row.name.shown
        value = row.value.text() if row.value.typed else None
        if not row.typed or not name:
            return False
        session, ids = self._session, self._ids
        if old and name != old:
            done = properties.rename_attribute(session, ids, old, name, value)
        elif value is not None or not old:
            done = properties.set_attribute(session, ids, name, value or "")
        else:
            done = True
        if done:
            row.show_attribute("", "")
            self._show()
        return done

    def _remove(self, row: AttributeRow) -> None:
        name = row.name.shown
        row.show_attribute(name, "")
        properties.remove_attribute(self._session, self._ids, name)


class _Area(QScrollArea):
    """As high as what is in it, up to a bound."""

    def __init__(self, inside: QWidget) -> None:
        super().__init__()
        self._inside = inside
        self.setWidget(inside)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def sizeHint(self) -> QSize:
        """As high as the fields, up to a bound: the list above needs its room."""
        wanted = self._inside.sizeHint()
        return QSize(wanted.width(), min(wanted.height(), _MOST_HEIGHT))

    def minimumSizeHint(self) -> QSize:
        """As wide as the panel lets it be."""
        return QSize(0, self.sizeHint().height())


def _heading(noted: bool, attributes: int) -> str:
    said = ["note"] if noted else []
    if attributes:
        said.append(f"{attributes} attribute{'s' if attributes > 1 else ''}")
    return f"Properties:  {', '.join(said)}" if said else "Properties"
