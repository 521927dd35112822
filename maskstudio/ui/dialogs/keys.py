"""Change keys: those of another program, or one by one; what loses a key is asked about first."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import QEvent, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from maskstudio.ui.key_presets import PRESETS
from maskstudio.ui.key_table import GROUPS, Bindable, Where
from maskstudio.ui.keymap import Keymap, canonical, written
from maskstudio.ui.labels import faint

_SIZE = QSize(720, 640)
_NAME = Qt.ItemDataRole.UserRole


class KeyField(QKeySequenceEdit):
    """Takes one key, Tab and Enter too; Esc leaves it.

    Signals:
        taken: the key that was pressed.
        left: Esc was pressed.
    """

    taken = Signal(str)
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setMaximumSequenceLength(1)
        # By itself Tab ends the field.
        self.setFinishingKeyCombinations([])
        self.editingFinished.connect(self._on_finished)

    def event(self, event: QEvent) -> bool:
        """Take what would walk to the next control."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            self.keyPressEvent(event)
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc leaves."""
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def _on_finished(self) -> None:
        key = canonical(self.keySequence().toString())
        self.clear()
        if key:
            self.taken.emit(key)


class _Question(QFrame):
    """The strip below the table: a key is waited for, or something is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setAccessibleName("Question")
        self.field = KeyField()
        self.field.setAccessibleName("New key")
        self.yes = QPushButton()
        self.no = QPushButton("Cancel")
        self._then: Callable[[], object] | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.words, 1)
        row.addWidget(self.field)
        row.addWidget(self.yes)
        row.addWidget(self.no)
        for button in (self.yes, self.no):
            button.setAutoDefault(False)
        self.yes.clicked.connect(self._on_yes)
        self.say("")

    def say(self, words: str) -> None:
        """Only tell something."""
        self._show(words)

    def wait_for_key(self, words: str) -> None:
        """Wait for a key."""
        self._show(words, key=True)
        self.field.setFocus()

    def ask(self, words: str, yes: str, then: Callable[[], object]) -> None:
        """Ask whether to do something."""
        self._then = then
        self.yes.setText(yes)
        self._show(words, answer=True)
        self.yes.setFocus()

    def _show(self, words: str, *, key: bool = False, answer: bool = False) -> None:
        self.words.setText(words)
        self.field.setVisible(key)
        self.yes.setVisible(answer)
        self.no.setVisible(key or answer)

    def _on_yes(self) -> None:
        then, self._then = self._then, None
        if then is not None:
            then()


class KeysDialog(QDialog):
    """Everything that has a key, by groups; what is changed counts at once."""

    def __init__(self, keymap: Keymap, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Change keys")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(_SIZE)
        self._keymap = keymap
        self._adds = False  # the key that is waited for is one more
        self.preset = QComboBox()
        self.preset.setAccessibleName("Preset")
        self.preset.addItems(list(PRESETS))
        self.field = QLineEdit(placeholderText="Find an action or a key…")
        self.field.setAccessibleName("Find an action or a key")
        self.field.setClearButtonEnabled(True)
        self.table = QTreeWidget()
        self.table.setAccessibleName("Actions and their keys")
        self.table.setHeaderLabels(["What", "Keys"])
        self.table.setColumnWidth(0, 400)
        self.table.setRootIsDecorated(False)
        self.table.setUniformRowHeights(True)
        self.question = _Question()
        self._headings: dict[str, QTreeWidgetItem] = {}
        self._items: dict[str, QTreeWidgetItem] = {}
        self._fill()
        self._build()
        self._connect()
        self._show()
        self.table.setCurrentItem(next(iter(self._items.values())))
        self.table.setFocus()

    def _fill(self) -> None:
        for group in dict.fromkeys((*GROUPS, *(row.group for row in self._keymap.rows))):
            heading = self._headings[group] = QTreeWidgetItem(self.table, [group])
            heading.setFlags(Qt.ItemFlag.ItemIsEnabled)
            heading.setForeground(0, self.palette().placeholderText())
            for row in self._keymap.rows:
                if row.group == group and row.where is not Where.FIXED:
                    item = QTreeWidgetItem(heading, [row.text])
                    item.setData(0, _NAME, row.name)
                    self._items[row.name] = item
        self.table.expandAll()

    def _build(self) -> None:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self._buttons = {
            words: buttons.addButton(words, QDialogButtonBox.ButtonRole.ActionRole)
            for words in ("Change…", "Add a key…", "No key", "Reset", "Reset all")
        }
        for button in buttons.findChildren(QPushButton):
            # Enter changes the row.
            button.setAutoDefault(False)
        buttons.rejected.connect(self.close)
        top = QHBoxLayout()
        label = QLabel("&Preset")
        label.setBuddy(self.preset)
        top.addWidget(label)
        top.addWidget(self.preset)
        top.addWidget(self.field, 1)
        column = QVBoxLayout(self)
        column.addLayout(top)
        column.addWidget(self.table, 1)
        column.addWidget(faint("Enter or a double-click changes a row; bold ones are your own."))
        column.addWidget(self.question)
        column.addWidget(buttons)

    def _connect(self) -> None:
        handlers = {
            "Change…": lambda: self._wait(adds=False),
            "Add a key…": lambda: self._wait(adds=True),
            "No key": lambda: self._give(()),
            "Reset": self._reset,
            "Reset all": lambda: self._ask_preset(self._keymap.preset),
        }
        for words, handler in handlers.items():
            self._buttons[words].clicked.connect(handler)
        self.table.itemActivated.connect(lambda: self._wait(adds=False))
        self.table.currentItemChanged.connect(self._on_row)
        self.field.textChanged.connect(self._filter)
        self.preset.activated.connect(lambda: self._ask_preset(self.preset.currentText()))
        self.question.field.taken.connect(self._on_key)
        self.question.field.left.connect(self._leave)
        self.question.no.clicked.connect(self._leave)
        self._keymap.changed.connect(self._show)

    @property
    def chosen(self) -> Bindable | None:
        """What the current row is of; None for a heading."""
        item = self.table.currentItem()
        name = None if item is None else item.data(0, _NAME)
        return next((row for row in self._keymap.rows if row.name == name), None)

    def _wait(self, *, adds: bool) -> None:
        row = self.chosen
        if row is not None:
            self._adds = adds
            which = "another key" if adds else "the new key"
            self.question.wait_for_key(f"Press {which} for “{row.text}”; Esc leaves it as it is.")

    def _on_key(self, key: str) -> None:
        row = self.chosen
        if row is not None:
            self._give((*self._keymap.keys(row.name), key) if self._adds else (key,))

    def _reset(self) -> None:
        row = self.chosen
        if row is not None:
            self._give(self._keymap.preset_keys(row.name))

    def _give(self, keys: tuple[str, ...]) -> None:
        """Give the row its keys, once it is clear that nothing loses one unasked."""
        row = self.chosen
        if row is None:
            return
        clashes = {key: found for key in keys if (found := self._keymap.clashes(row.name, key))}
        fixed = [k for k, found in clashes.items() for r in found if r.where is Where.FIXED]
        if fixed:
            key, holder = fixed[0], clashes[fixed[0]][0]
            self._leave()
            self.question.say(
                f"{written(key)} is “{holder.text}”, which cannot be changed; choose another key."
            )
        elif clashes:
            taken = "; ".join(f"{written(k)} is already {_texts(c)}" for k, c in clashes.items())
            self.question.ask(
                f"{taken}. Take it from there?", "Take it", lambda: self._set(row.name, keys)
            )
        else:
            self._set(row.name, keys)

    def _set(self, name: str, keys: Iterable[str]) -> None:
        self._keymap.set_keys(name, keys)
        self._leave()

    def _ask_preset(self, preset: str) -> None:
        """Take up a preset; the person's own changes go only when that is wanted."""
        own = len(self._keymap.changes)
        if own:
            count = "The key you changed goes" if own == 1 else f"The {own} keys you changed go"
            self.question.ask(
                f"{count} with the preset {preset}. Take it?",
                "Take it",
                lambda: self._use_preset(preset),
            )
        else:
            self._use_preset(preset)

    def _use_preset(self, preset: str) -> None:
        self._keymap.use_preset(preset)
        self._leave()

    def _leave(self) -> None:
        """Back to the table, nothing asked."""
        self.question.say("")
        self.preset.setCurrentText(self._keymap.preset)
        self.table.setFocus()

    def _on_row(self) -> None:
        self.question.say("")
        some = self.chosen is not None
        for words in ("Change…", "Add a key…", "No key", "Reset"):
            self._buttons[words].setEnabled(some)

    def _show(self) -> None:
        own = self._keymap.changes
        for name, item in self._items.items():
            item.setText(1, self._keymap.all_shown(name))
            for column in (0, 1):
                font = item.font(column)
                font.setBold(name in own)
                item.setFont(column, font)
        with QSignalBlocker(self.preset):
            self.preset.setCurrentText(self._keymap.preset)
        self._filter()

    def _filter(self) -> None:
        words = self.field.text().casefold().split()
        left: set[str] = set()
        for row in self._keymap.rows:
            item = self._items.get(row.name)
            if item is not None:
                text = f"{row.group} {item.text(0)} {item.text(1)}".casefold()
                item.setHidden(not all(word in text for word in words))
                left |= set() if item.isHidden() else {row.group}
        for group, heading in self._headings.items():
            heading.setHidden(group not in left)


def show_change_keys(keymap: Keymap, parent: QWidget) -> None:
    """Open the table of keys, or bring it back to the front."""
    dialog = parent.findChild(KeysDialog) or KeysDialog(keymap, parent)
    dialog.show()
    dialog.activateWindow()


def _texts(rows: Iterable[Bindable]) -> str:
    return " and ".join(f"“{row.text}”" for row in rows)
