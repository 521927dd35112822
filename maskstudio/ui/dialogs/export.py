"""Export: which images, which file, and the proof that the file is right."""

from collections import Counter
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from maskstudio.annotation.annotation import ImageState
from maskstudio.session.exporting import DEFAULT_STATES, ExportReport, export_coco
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, Job, LaneName, Tasks
from maskstudio.ui.labels import faint, heading
from maskstudio.ui.theme import STATE_WORDS, good_icon, problem_icon, state_icon

_POLL_MS = 100


class ExportDialog(QDialog):
    """Lies beside the work: the window stays usable while it is open."""

    def __init__(self, session: Session, tasks: Tasks, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export COCO JSON")
        self.setMinimumWidth(520)
        self._session = session
        self._tasks = tasks
        self._job: Job | None = None
        self._boxes: dict[ImageState, QCheckBox] = {}
        self.path = QLineEdit(str(session.require_database().folder / "annotations.json"))
        self.path.setAccessibleName("File to write")
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.start = QPushButton("Export", default=True)
        self._buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        self._buttons.addButton(self.start, QDialogButtonBox.ButtonRole.ActionRole)
        self._bar = QProgressBar(textVisible=False)
        self._bar.hide()
        self._sign = QLabel()
        self.outcome = QLabel()
        self.outcome.setWordWrap(True)
        self.outcome.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.outcome.setAccessibleName("Result of the export")
        self._poll = QTimer(self, interval=_POLL_MS)
        self._poll.timeout.connect(self._show_progress)
        self._column = QVBoxLayout(self)
        self._build()
        self.start.clicked.connect(self._on_start)
        self._buttons.rejected.connect(self.reject)
        session.opened.connect(self.close)

    def reject(self) -> None:
        """Close; an export that runs is cancelled and the old file stays."""
        if self._job is not None:
            self._job.cancel()
            # Its end may arrive when the dialog is gone.
            self._job = None
        super().reject()

    def _build(self) -> None:
        column = self._column
        column.setSpacing(10)
        column.addWidget(heading("Images to export"))
        column.addLayout(self._state_grid())
        column.addWidget(heading("File"))
        row = QHBoxLayout()
        browse = QPushButton("Browse…")
        browse.setAutoDefault(False)
        browse.clicked.connect(self._on_browse)
        row.addWidget(self.path, 1)
        row.addWidget(browse)
        column.addLayout(row)
        note = faint(
            "The file is read back with pycocotools and every mask compared with the one on "
            "screen before it replaces an older file."
        )
        column.addWidget(note)
        column.addWidget(self._bar)
        row = QHBoxLayout()
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.outcome, 1)
        column.addLayout(row)
        column.addStretch(1)
        column.addWidget(self._buttons)

    def _state_grid(self) -> QGridLayout:
        counts = Counter(self._session.record(i).state for i in self._session.image_ids)
        grid = QGridLayout()
        grid.setColumnStretch(2, 1)
        for row, state in enumerate(ImageState):
            box = QCheckBox(f"{STATE_WORDS[state]}  ({counts[state]:,})")
            box.setIcon(state_icon(state))
            box.setChecked(state in DEFAULT_STATES)
            box.setEnabled(bool(counts[state]))
            self._boxes[state] = box
            grid.addWidget(box, row // 2, row % 2)
        return grid

    def _on_browse(self) -> None:
        name, _ = QFileDialog.getSaveFileName(
            self, "Export COCO JSON", self.path.text(), "COCO JSON (*.json)"
        )
        if name:
            self.path.setText(name)

    def _on_start(self) -> None:
        database = self._session.require_database()
        path = Path(self.path.text()).expanduser()
        states = tuple(state for state, box in self._boxes.items() if box.isChecked())
        self.start.setEnabled(False)
        self._bar.setRange(0, 0)
        self._bar.show()
        self._show_result(QIcon(), "Exporting …")
        self._poll.start()
        self._job = self._tasks.submit(
            LaneName.FILES,
            lambda context: export_coco(database, path, states, context),
            Callbacks(self._on_done, self._on_failed),
        )

    def _on_done(self, report: ExportReport) -> None:
        lines = (f"{report.path.name} was written.", *report.sentences())
        self._end(good_icon(), "\n".join(lines))

    def _on_failed(self, sentence: str) -> None:
        self._end(problem_icon(), sentence)

    def _end(self, sign: QIcon, text: str) -> None:
        if self._job is None:
            return
        self._job = None
        self._poll.stop()
        self._bar.hide()
        self.start.setEnabled(True)
        self._show_result(sign, text)

    def _show_result(self, sign: QIcon, text: str) -> None:
        self._sign.setPixmap(sign.pixmap(18, 18))
        self.outcome.setText(text)
        # A label that wraps does not make its window grow by itself.
        self._column.activate()
        self.resize(self.width(), self._column.totalHeightForWidth(self.width()))

    def _show_progress(self) -> None:
        if self._job is None:
            return
        progress = self._job.progress
        self._bar.setRange(0, progress.total)
        self._bar.setValue(progress.done)
        if progress.note:
            self._show_result(QIcon(), f"Exporting: {progress.note} …")
