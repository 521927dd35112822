"""The fields that properties are typed into: a line of text, and attributes as rows of two."""

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QObject, QStringListModel, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QCompleter, QHBoxLayout, QLineEdit, QToolButton, QWidget

from maskstudio.ui.theme import icon


class PropertyField(QLineEdit):
    """A line of text that is taken over by Enter, or when the focus goes; Esc puts it back.

    Signals:
        entered: the focus has come, so that what to complete with may be looked up.
        left: the person is through with it: the focus belongs to the canvas.
    """

    entered = Signal()
    left = Signal()

    def __init__(self, name: str, placeholder: str) -> None:
        super().__init__()
        self._shown = ""
        self._placeholder = placeholder
        self._words = QStringListModel(self)
        completer = QCompleter(self._words, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.setCompleter(completer)
        self.setAccessibleName(name)
        self.show_text("")

    @property
    def shown(self) -> str:
        """What it said before somebody typed."""
        return self._shown

    @property
    def typed(self) -> bool:
        """True while it says something else than what is stored."""
        return self.text() != self._shown

    def show_text(self, text: str | None) -> None:
        """Say something; None where those selected differ."""
        self._shown = text or ""
        self.setPlaceholderText("several values" if text is None else self._placeholder)
        if self.text() != self._shown:
            self.setText(self._shown)

    def complete_with(self, words: tuple[str, ...]) -> None:
        """Offer words while somebody types."""
        self._words.setStringList(list(words))

    def event(self, event: QEvent) -> bool:
        """Keep Esc from the window's own shortcut."""
        if event.type() == QEvent.Type.ShortcutOverride and _is_escape(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Put back what was there on Esc, or leave when nothing was typed."""
        if not _is_escape(event):
            super().keyPressEvent(event)
        elif self.typed:
            self.setText(self._shown)
        else:
            self.left.emit()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Tell of it."""
        super().focusInEvent(event)
        self.entered.emit()


class AttributeRow(QWidget):
    """Name, value, and a button that takes the attribute away.

    Signals:
        finished: the focus has left the row.
        returned: Enter, with name and value as they are to be.
        remove_wanted: the attribute is to go.
        entered: the focus has come to one of the fields.
        left: the person is through with it.
    """

    finished = Signal()
    returned = Signal()
    remove_wanted = Signal()
    entered = Signal()
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.name = PropertyField("Attribute", "Attribute…")
        self.value = PropertyField("Value", "Value…")
        self.remove = QToolButton()
        self._renew_icon()
        self.remove.setObjectName("small")
        self.remove.clicked.connect(self.remove_wanted)
        # It keeps its place, so that the fields of all rows are as wide.
        policy = self.remove.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.remove.setSizePolicy(policy)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(3)
        line.addWidget(self.name, 2)
        line.addWidget(self.value, 3)
        line.addWidget(self.remove)
        self.name.returnPressed.connect(self._on_name_returned)
        self.value.returnPressed.connect(self.returned)
        # Who goes by it with the Tab key leaves the row from there.
        self.remove.installEventFilter(self)
        for field in (self.name, self.value):
            field.editingFinished.connect(self._on_finished)
            field.entered.connect(self.entered)
            field.left.connect(self.left)

    def show_attribute(self, name: str, value: str | None) -> None:
        """Show an attribute; an empty name stands for one that is yet to be given."""
        self.name.show_text(name)
        self.value.show_text(value)
        self.value.setAccessibleName(f"Value of {name}" if name else "Value")
        words = f"Remove attribute {name}"
        self.remove.setAccessibleName(words)
        self.remove.setToolTip(words)
        self.remove.setVisible(bool(name))

    def complete_with(self, words: Mapping[str, tuple[str, ...]]) -> None:
        """Offer the names of the project, and for a name the values it had."""
        self.name.complete_with(tuple(words))
        self.value.complete_with(words.get(self.name.text().strip(), ()))

    @property
    def typed(self) -> bool:
        """True while it says something else than what is stored."""
        return self.name.typed or self.value.typed

    def changeEvent(self, event: QEvent) -> None:
        """Draw the icon again when the theme is another one."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._renew_icon()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Hear of it when the focus leaves the button."""
        if event.type() == QEvent.Type.FocusOut:
            self._on_finished()
        return super().eventFilter(watched, event)

    def _renew_icon(self) -> None:
        self.remove.setIcon(icon("close"))

    def _on_name_returned(self) -> None:
        """Go on to the value of a new attribute."""
        if self.name.text().strip() and not self.name.shown and not self.value.text():
            self.value.setFocus()
        else:
            self.returned.emit()

    def _on_finished(self) -> None:
        focus = QApplication.focusWidget()
        if focus is None or not self.isAncestorOf(focus):
            self.finished.emit()


def _is_escape(event: QEvent) -> bool:
    return isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape
