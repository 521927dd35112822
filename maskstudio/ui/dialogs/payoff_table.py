"""A table of the page «Does it pay?»: a row a category or a model."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem

from maskstudio.session.payoff_report import COLUMNS, Row, cells

_TIPS = (
    "What a model found and was looked at, and what was added",
    "Right as the model left them",
    "Given another outline or category, and how often each",
    "Found by a model, and nothing",
    "Missed by the model, and outlined by it where a box or a click said so",
    "Drawn",
    "Seconds of work for each object; of a category without those that went into no object",
)
_ROW_HEIGHT = 26


class PayoffTable(QTreeWidget):
    """Figures side by side; nothing in it can be changed."""

    def __init__(self, what: str, name: str) -> None:
        """Be empty.

        Args:
            what: what each row is about.
            name: of the table, for those who hear the window.
        """
        super().__init__()
        self.setAccessibleName(name)
        self.setHeaderLabels((what, *COLUMNS))
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        header = self.header()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setStretchLastSection(False)
        head = self.headerItem()
        for column, tip in enumerate(_TIPS, 1):
            head.setToolTip(column, tip)
            head.setTextAlignment(column, _RIGHT)

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show rows instead of those shown."""
        self.clear()
        for row in rows:
            item = QTreeWidgetItem([row.name, *cells(row.tally)])
            hint = item.sizeHint(0)
            hint.setHeight(_ROW_HEIGHT)
            item.setSizeHint(0, hint)
            for column in range(1, len(COLUMNS) + 1):
                item.setTextAlignment(column, _RIGHT)
            self.addTopLevelItem(item)


_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
