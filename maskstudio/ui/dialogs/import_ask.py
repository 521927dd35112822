"""Which data set to import: a file, a folder, or what is dropped."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QGridLayout, QPushButton, QWidget

from maskstudio.ui.labels import faint, heading

_FILES = "Data sets (*.json *.yaml *.yml *.xml *.csv);;All files (*)"


class ImportQuestion(QWidget):
    """Two buttons, with what each is for.

    Signals:
        chosen: the `Path` of a file or a folder.
    """

    chosen = Signal(Path)

    def __init__(self, start: Path) -> None:
        """Ask; looking for it begins at a folder."""
        super().__init__()
        self._start = str(start)
        self.setAcceptDrops(True)
        self.file = QPushButton("File…", default=True)
        self.folder = QPushButton("Folder…", autoDefault=False)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnStretch(1, 1)
        grid.addWidget(heading("Where are the annotations?"), 0, 0, 1, 2)
        grid.addWidget(self.file, 1, 0)
        grid.addWidget(faint("in one file: COCO, detection results of COCO, VIA"), 1, 1)
        grid.addWidget(self.folder, 2, 0)
        grid.addWidget(faint("in many: labelme, YOLO, Pascal VOC, mask images"), 2, 1)
        more = faint(
            "You see what would come in before anything does. You can also drop the file or the "
            "folder on the window."
        )
        grid.addWidget(more, 3, 0, 1, 2)
        self.file.clicked.connect(self._ask_file)
        self.folder.clicked.connect(self._ask_folder)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept a file or a folder."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Take it."""
        self.chosen.emit(Path(event.mimeData().urls()[0].toLocalFile()))

    def _ask_file(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Import a data set", self._start, _FILES)
        if name:
            self.chosen.emit(Path(name))

    def _ask_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Import a data set", self._start)
        if name:
            self.chosen.emit(Path(name))
