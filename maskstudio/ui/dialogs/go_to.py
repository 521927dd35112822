"""Go to an image by its place in the list or by its name."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLineEdit, QVBoxLayout, QWidget

from maskstudio.session import operations
from maskstudio.session.session import Session
from maskstudio.ui.labels import faint

_WIDTH = 380


class GoTo(QDialog):
    """One field: Enter goes there, Esc closes."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self.setWindowTitle("Go to image")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(_WIDTH)
        self.field = QLineEdit()
        self.field.setAccessibleName("Number or part of a name")
        self.field.setPlaceholderText("Number or part of a name")
        count = len(session.order.shown)
        self._answer = faint(f"1 to {count:,}, or a part of a name." if count else "")
        column = QVBoxLayout(self)
        column.addWidget(self.field)
        column.addWidget(self._answer)
        self.field.returnPressed.connect(self._go)

    def _go(self) -> None:
        wanted = self.field.text().strip()
        if operations.go_to(self._session, wanted):
            self.accept()
            return
        self._answer.setText(self._refusal(wanted))
        self.field.selectAll()

    def _refusal(self, wanted: str) -> str:
        order = self._session.order
        if not wanted:
            return "Type the number of an image, or a part of its name."
        where = "list as filtered now" if order.query.filters else "list"
        count = len(order.shown)
        images = f"{count:,} image{'' if count == 1 else 's'}"
        return f"The {where} holds {images} and nothing named {wanted!r}."


def show_go_to(session: Session, parent: QWidget) -> None:
    """Ask where to go; the window waits meanwhile."""
    dialog = GoTo(session, parent)
    dialog.setModal(True)
    dialog.show()
