"""The images a run could not do, and why; a click goes to one."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from maskstudio.session.batch_run import BatchRun
from maskstudio.session.session import Session
from maskstudio.ui.labels import faint

_SIZE = QSize(620, 320)
_IMAGE = Qt.ItemDataRole.UserRole


class Failures(QDialog):
    """Lies beside the work: the window stays usable while it is open."""

    def __init__(self, session: Session, batch: BatchRun, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self._batch = batch
        self.setWindowTitle("Images that failed")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(_SIZE)
        self.list = QListWidget()
        self.list.setAccessibleName("Images that failed")
        self.list.setWordWrap(True)
        self.list.setAlternatingRowColors(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.again = buttons.addButton("Try again", QDialogButtonBox.ButtonRole.ActionRole)
        self.again.setToolTip("Run the same model on these images once more")
        column = QVBoxLayout(self)
        column.addWidget(faint("A click goes to the image."))
        column.addWidget(self.list)
        column.addWidget(buttons)
        buttons.rejected.connect(self.reject)
        self.again.clicked.connect(batch.try_again)
        self.list.itemClicked.connect(self._go)
        self.list.itemActivated.connect(self._go)
        batch.failures_changed.connect(self._fill)
        batch.changed.connect(self._fill)
        self._fill()

    def _fill(self) -> None:
        self.list.clear()
        for failure in self._batch.failures:
            name = self._session.record(failure.image_id).path
            item = QListWidgetItem(f"{name}\n{failure.sentence}")
            item.setData(_IMAGE, failure.image_id)
            self.list.addItem(item)
        self.again.setEnabled(bool(self._batch.failures) and not self._batch.running)

    def _go(self, item: QListWidgetItem) -> None:
        self._session.show(item.data(_IMAGE))


def show_failures(session: Session, batch: BatchRun, parent: QWidget) -> Failures:
    """Open the list; the window stays usable."""
    dialog = Failures(session, batch, parent)
    dialog.show()
    return dialog
