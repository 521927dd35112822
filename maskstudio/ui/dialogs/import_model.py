"""Name a model that was found in a file, and its categories, and take it in."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import (
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from maskstudio.session.model_store import ModelStore
from maskstudio.storage.model_folder import ImportCandidate
from maskstudio.ui.dialogs.tool_window import ToolWindow
from maskstudio.ui.labels import faint


class ImportModelDialog(ToolWindow):
    """What the file holds, the model's name, and one line for each category."""

    def __init__(self, store: ModelStore, candidate: ImportCandidate, parent: QWidget) -> None:
        super().__init__("Import a model", parent)
        self._store = store
        self._candidate = candidate
        self.name = QLineEdit(candidate.path.stem)
        self.name.setAccessibleName("Name of the model")
        self.names = QPlainTextEdit("\n".join(candidate.names))
        self.names.setAccessibleName("Names of the categories, one a line")
        self.names.setReadOnly(candidate.is_named)
        self.names.setTabChangesFocus(True)
        self.read = QPushButton("Read them from a COCO file…")
        self.read.setAutoDefault(False)
        self.read.setEnabled(not candidate.is_named)
        self.count = QLabel()
        self.count.setAccessibleName("How many categories have a name")
        self.said = faint()
        self.said.setAccessibleName("What went wrong")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.take = QPushButton("Import")
        self.take.setDefault(True)
        buttons.addButton(self.take, QDialogButtonBox.ButtonRole.AcceptRole)
        self._build(buttons)
        buttons.rejected.connect(self.reject)
        self.names.textChanged.connect(self._renew)
        self.name.textChanged.connect(self._renew)
        self.read.clicked.connect(self._on_read)
        self.take.clicked.connect(self._on_take)
        store.problem.connect(self._on_problem)
        store.names_read.connect(self._on_names)
        store.imported.connect(self.accept)
        self._renew()

    def _build(self, buttons: QDialogButtonBox) -> None:
        form = QFormLayout()
        form.addRow("File", QLabel(self._candidate.path.name))
        form.addRow("Network", QLabel(self._candidate.architecture))
        form.addRow("Name", self.name)
        form.addRow("Categories", self.names)
        row = QHBoxLayout()
        row.addWidget(self.count, 1)
        row.addWidget(self.read)
        form.addRow("", row)
        column = QVBoxLayout(self)
        column.addLayout(form)
        if not self._candidate.is_named:
            column.addWidget(
                faint("One a line, in the order of training; N/A where a line stands for none.")
            )
        column.addWidget(self.said)
        column.addWidget(buttons)

    def _lines(self) -> list[str]:
        return [line.strip() for line in self.names.toPlainText().strip("\n").split("\n")]

    def _renew(self) -> None:
        wanted, given = len(self._candidate.names), sum(map(bool, self._lines()))
        self.count.setText(f"{given:,} of {wanted:,} named")
        whole = given == wanted == len(self._lines())
        self.take.setEnabled(whole and bool(self.name.text().strip()))

    def _on_read(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self, "Read the categories of a COCO file", "", "COCO JSON (*.json);;All files (*)"
        )
        if name:
            self.said.clear()
            count = len(self._candidate.names)
            self._store.read_names(Path(name), count)

    def _on_names(self, names: Sequence[str]) -> None:
        self.names.setPlainText("\n".join(names))

    def _on_take(self) -> None:
        self.take.setEnabled(False)
        self.said.setText("Taking it in …")
        name, candidate = self.name.text().strip(), self._candidate
        names = None if candidate.is_named else self._lines()
        self._store.import_model(candidate.path, name, names)

    def _on_problem(self, sentence: str) -> None:
        self.said.setText(sentence)
        self._renew()
