"""All models: what each is for, whether it is here; use, download, import, remove."""

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, QSize, Qt
from PySide6.QtWidgets import (
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QMessageBox,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from maskstudio.session.model_store import ModelStore
from maskstudio.session.preannotation import PreAnnotator
from maskstudio.storage.model_folder import ImportCandidate, Kind, ListedModel, State
from maskstudio.storage.settings import DEFAULT_MODEL
from maskstudio.ui.dialogs.import_model import ImportModelDialog
from maskstudio.ui.dialogs.tool_window import ToolWindow
from maskstudio.ui.labels import faint
from maskstudio.ui.model_words import megabytes, state_words, tip
from maskstudio.ui.panels.download_row import DownloadRow

_COLUMNS = ("Model", "What it is for", "Size", "State")
_PURPOSE = 1
_SIZE = (900, 340)
_ROW_HEIGHT = 28
_FILES = "Models (*.pth *.pt *.safetensors);;All files (*)"


class ModelsDialog(ToolWindow):
    """The catalogue; the window stays usable beside it."""

    def __init__(self, store: ModelStore, annotator: PreAnnotator, parent: QWidget) -> None:
        super().__init__("Models", parent)
        self._store = store
        self._annotator = annotator
        self.list = QTreeWidget()
        self.use = QPushButton("Use")
        self.download = QPushButton("Download")
        self.remove = QPushButton("Remove…")
        self.import_file = QPushButton("Import a file…")
        self.said = faint()
        self.said.setAccessibleName("What went wrong")
        self._build()
        self.list.currentItemChanged.connect(self._on_current)
        self.list.itemActivated.connect(self._on_use)
        self.use.clicked.connect(self._on_use)
        self.download.clicked.connect(self._on_download)
        self.remove.clicked.connect(self._on_remove)
        self.import_file.clicked.connect(self._on_import)
        store.changed.connect(self._renew)
        store.problem.connect(self._say)
        store.looked_into.connect(self._on_looked)
        store.imported.connect(self.select)
        annotator.model_loaded.connect(self._renew)
        self._renew()

    def _build(self) -> None:
        self.list.setHeaderLabels(_COLUMNS)
        self.list.setRootIsDecorated(False)
        self.list.setAccessibleName("Models")
        self.list.setUniformRowHeights(True)
        header = self.list.header()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_PURPOSE, QHeaderView.ResizeMode.Stretch)
        header.setStretchLastSection(False)
        self.use.setToolTip("Pre-annotate with this model; one that is not here is downloaded")
        self.import_file.setToolTip("Weights that were trained with torchvision, or .safetensors")
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.rejected.connect(self.reject)
        row = QHBoxLayout()
        for button in (self.use, self.download, self.remove):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.import_file)
        row.addWidget(close)
        column = QVBoxLayout(self)
        column.addWidget(self.list, 1)
        column.addWidget(self.said)
        self.said.hide()
        column.addWidget(DownloadRow(self._store, self))
        column.addLayout(row)
        for button in self.findChildren(QPushButton):
            # Enter on a row uses its model.
            button.setAutoDefault(False)
        self.resize(*_SIZE)

    def select(self, name: str) -> None:
        """Make a model the current row."""
        for row in range(self.list.topLevelItemCount()):
            item = self.list.topLevelItem(row)
            if item is not None and _model(item).name == name:
                self.list.setCurrentItem(item)

    def _renew(self) -> None:
        """List the models; the current row stays."""
        before = self._current()
        with QSignalBlocker(self.list):
            self.list.clear()
            for model in self._store.models():
                self.list.addTopLevelItem(self._row(model))
        self.select(before.name if before else self._annotator.model_name)
        self._on_current()

    def _row(self, model: ListedModel) -> QTreeWidgetItem:
        state = state_words(
            model,
            in_use=model.name == self._annotator.model_name,
            downloading=model.name == self._store.downloading,
        )
        item = QTreeWidgetItem([model.title, model.purpose, megabytes(model.size), state])
        item.setData(0, Qt.ItemDataRole.UserRole, model)
        item.setSizeHint(_PURPOSE, QSize(0, _ROW_HEIGHT))
        item.setTextAlignment(2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for column in range(len(_COLUMNS)):
            item.setToolTip(column, tip(model))
        return item

    def _current(self) -> ListedModel | None:
        item = self.list.currentItem()
        return None if item is None else _model(item)

    def _on_current(self) -> None:
        model = self._current()
        idle = not self._store.downloading
        in_use = model is not None and model.name == self._annotator.model_name
        here = model is not None and model.is_here
        self.use.setEnabled(model is not None and not in_use and (here or idle))
        self.use.setText("Use" if here or model is None else "Download and use")
        self.download.setEnabled(model is not None and not here and idle)
        self.download.setText(
            "Go on downloading" if model and model.state is State.PARTLY else "Download"
        )
        self.remove.setEnabled(
            model is not None
            and model.kind is not Kind.EMBEDDED
            and model.state is not State.ABSENT
            and model.name != self._store.downloading
        )

    def _on_use(self) -> None:
        model = self._current()
        if model is not None and self.use.isEnabled():
            self._say("")
            self._store.choose(model.name)

    def _on_download(self) -> None:
        model = self._current()
        if model is not None:
            self._say("")
            self._store.download(model.name)

    def _on_remove(self) -> None:
        model = self._current()
        if model is None:
            return
        in_use = model.name == self._annotator.model_name
        words = f"Remove {model.title} ({megabytes(model.size)}) from this computer?"
        if in_use:
            words += "\n\nIt is in use; the model that ships with the program takes its place."
        answer = QMessageBox.question(self, "Remove a model", words)
        if answer != QMessageBox.StandardButton.Yes:
            return
        if in_use:
            self._store.choose(DEFAULT_MODEL)
        self._store.remove(model.name)

    def _on_import(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Import a model", "", _FILES)
        if name:
            self._say(f"Looking into {Path(name).name} …")
            self._store.look_into(Path(name))

    def _say(self, sentence: str) -> None:
        self.said.setText(sentence)
        self.said.setVisible(bool(sentence))

    def _on_looked(self, candidate: ImportCandidate) -> None:
        self._say("")
        dialog = ImportModelDialog(self._store, candidate, self)
        dialog.show()


def show_models(store: ModelStore, annotator: PreAnnotator, parent: QWidget) -> None:
    """Open the list of models, or bring it back to the front."""
    dialog = parent.findChild(ModelsDialog)
    if dialog is None:
        dialog = ModelsDialog(store, annotator, parent)
        dialog.show()
    dialog.activateWindow()


def _model(item: QTreeWidgetItem) -> ListedModel:
    model: ListedModel = item.data(0, Qt.ItemDataRole.UserRole)
    return model
