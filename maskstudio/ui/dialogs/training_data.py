"""What a project has to train on, in words and by category, and what is missing."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QHeaderView,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from maskstudio.annotation.annotation import ImageState
from maskstudio.session.training_outlook import Outlook
from maskstudio.ui.dialogs.training_words import outlook_words
from maskstudio.ui.labels import faint
from maskstudio.ui.theme import colours_now

_COLUMNS = ("Category", "Learned from", "Measured on")
_ROWS = 6
_ROW_HEIGHT = 24
_LEFT_OUT = (ImageState.NEW, ImageState.PREDICTED, ImageState.EDITED)


class TrainingData(QWidget):
    """A sentence, a table, and what to do for a better result."""

    def __init__(self) -> None:
        super().__init__()
        self.words = QLabel("Counting what is verified …", wordWrap=True)
        self.words.setAccessibleName("What is learned from")
        self.list = QTreeWidget()
        self.list.setAccessibleName("Annotations by category")
        self.list.setHeaderLabels(_COLUMNS)
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setSelectionMode(QTreeWidget.SelectionMode.NoSelection)
        header = self.list.header()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setStretchLastSection(False)
        self.more = faint()
        self.cautions = QLabel(wordWrap=True)
        self.cautions.setTextFormat(Qt.TextFormat.PlainText)
        self.cautions.setAccessibleName("What would make the result better")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.words, self.list, self.more, self.cautions):
            column.addWidget(widget)
        self.show_outlook(None, {}, ())

    def show_outlook(
        self, outlook: Outlook | None, states: Mapping[ImageState, int], unknown: Sequence[str]
    ) -> None:
        """Show it.

        Args:
            outlook: what would be trained on; None while it is counted.
            states: how many images of the project are in each state.
            unknown: categories that the start model does not know.
        """
        for widget in (self.list, self.more, self.cautions):
            widget.setVisible(outlook is not None)
        if outlook is None:
            return
        obstacle = outlook.obstacle()
        self.words.setText(obstacle or outlook_words(outlook))
        self._list(outlook)
        self.list.setVisible(bool(outlook.categories) and not obstacle)
        self._show_more(sum(states.get(state, 0) for state in _LEFT_OUT), unknown)
        cautions = outlook.cautions()
        self.cautions.setStyleSheet(f"color: {colours_now().edited}")
        self.cautions.setText("\n".join(cautions))
        self.cautions.setVisible(bool(cautions))

    def _show_more(self, left_out: int, unknown: Sequence[str]) -> None:
        said = []
        if unknown:
            said.append(f"New to the start model: {', '.join(unknown)}.")
        if left_out:
            are = "image is" if left_out == 1 else "images are"
            said.append(f"{left_out:,} {are} not verified yet and left out.")
        self.more.setText(" ".join(said))
        self.more.setVisible(bool(said))

    def _list(self, outlook: Outlook) -> None:
        self.list.clear()
        for category in outlook.categories:
            row = QTreeWidgetItem(
                [category.name, f"{category.learned:,}", f"{category.measured:,}"]
            )
            row.setSizeHint(0, QSize(0, _ROW_HEIGHT))
            for column in (1, 2):
                row.setTextAlignment(
                    column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                )
            self.list.addTopLevelItem(row)
        rows = min(_ROWS, max(1, len(outlook.categories)))
        self.list.setFixedHeight(self.list.header().sizeHint().height() + rows * _ROW_HEIGHT + 4)
