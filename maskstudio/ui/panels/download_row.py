"""How far a download is, and the button that stops it; seen only while there is one."""

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from maskstudio.session.model_store import ModelStore
from maskstudio.ui.labels import faint
from maskstudio.ui.model_words import megabytes

_POLL_MS = 100
# A bar counts to two thousand million at most; files may have more bytes.
_STEPS = 1000


class DownloadRow(QWidget):
    """Bar, megabytes, «Cancel»."""

    def __init__(self, store: ModelStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._bar = QProgressBar(textVisible=False)
        self._bar.setRange(0, _STEPS)
        self._bar.setAccessibleName("Progress of the download")
        self.line: QLabel = faint()
        self.line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.stop = QPushButton("Cancel download")
        self.stop.setAutoDefault(False)
        self.stop.setToolTip("What has arrived is kept, to go on from another time")
        self.stop.clicked.connect(store.cancel)
        row = QHBoxLayout()
        row.addWidget(self.line, 1)
        row.addWidget(self.stop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._bar)
        column.addLayout(row)
        self._poll = QTimer(self, interval=_POLL_MS)
        self._poll.timeout.connect(self._show)
        store.changed.connect(self._renew)
        self._renew()

    def _renew(self) -> None:
        self.setVisible(bool(self._store.downloading))
        if self._store.downloading:
            self._show()
            self._poll.start()
        else:
            self._poll.stop()

    def _show(self) -> None:
        progress = self._store.progress
        if not progress.total:
            self._bar.setValue(0)
            self.line.setText("Asking for the model …")
            return
        self._bar.setValue(_STEPS * progress.done // progress.total)
        if progress.done >= progress.total:
            self.line.setText("Checking that it is whole …")
        else:
            self.line.setText(f"{megabytes(progress.done)} of {megabytes(progress.total)}")
