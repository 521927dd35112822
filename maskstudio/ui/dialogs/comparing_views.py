"""What shows the figures of two models: the list, the curves, and what was taken for what."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLayout,
    QTableWidget,
    QTableWidgetItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from maskstudio.annotation.evaluation import ALL, CURVE_IOUS, Confusion, Figures, Report
from maskstudio.progress import TaskContext
from maskstudio.ui.dialogs.comparing_figures import Row, rows
from maskstudio.ui.labels import faint, heading
from maskstudio.ui.theme import colours_now

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_CENTRE = Qt.AlignmentFlag.AlignCenter
_SHADE = 90  # of 255: the strongest colour behind a number that can still be read
_MANY = 20
_COLUMN = 200
_VERDICTS = {1: ("good", "better"), -1: ("bad", "worse")}


def load_ahead(context: TaskContext) -> None:
    """Load what the curves need, on a lane, while the models are measured."""
    del context
    import pyqtgraph  # noqa: F401 - for its being loaded


class FigureList(QTreeWidget):
    """All figures, with what is better or worse."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Figures of both models")
        self.setColumnCount(4)
        self.setUniformRowHeights(True)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            # Names of models and of files may be long; the tip has all of them.
            header.resizeSection(column, _COLUMN)
        header.setSectionResizeMode(3, QHeaderView.ResizeMode.ResizeToContents)

    def show_report(self, report: Report) -> None:
        """List the figures of two models."""
        self.clear()
        old, new = report.models
        self.setHeaderLabels(["", f"{old.model} (old)", f"{new.model} (new)", "Difference"])
        header = self.headerItem()
        for column in range(1, 4):
            header.setTextAlignment(column, _RIGHT)
            header.setToolTip(column, header.text(column))
        for section in rows(report):
            item = QTreeWidgetItem(self, [section.name])
            font = item.font(0)
            font.setBold(True)
            item.setFont(0, font)
            for row in section.rows:
                item.addChild(_line(row))
            item.setFirstColumnSpanned(True)
            item.setExpanded(len(section.rows) <= _MANY)


class Curves(QWidget):
    """Precision over recall of both models."""

    def __init__(self) -> None:
        super().__init__()
        self._report: Report | None = None
        self.category = QComboBox()
        self.category.setAccessibleName("Category")
        self.iou = QComboBox()
        self.iou.setAccessibleName("IoU from which a detection is right")
        for iou in CURVE_IOUS:
            self.iou.addItem(f"right from IoU {iou:.2f} on", iou)
        self._place = QVBoxLayout()
        row = QHBoxLayout()
        row.addWidget(self.category, 1)
        row.addWidget(self.iou)
        column = QVBoxLayout(self)
        column.addLayout(row)
        column.addLayout(self._place, 1)
        column.addWidget(faint("The further a line reaches to the upper right, the better."))
        self.category.currentIndexChanged.connect(self._draw)
        self.iou.currentIndexChanged.connect(self._draw)

    def show_report(self, report: Report) -> None:
        """Draw the curves of two models."""
        self._report = report
        self.category.clear()
        self.category.addItem("All categories", ALL)
        for name in report.models[0].best.per_category:
            self.category.addItem(name, name)

    def _draw(self) -> None:
        if self._report is None or self.category.currentIndex() < 0:
            return
        # Its library is large, and loaded by now: see `load_ahead`.
        from maskstudio.ui.charts import Chart

        _clear(self._place)
        chart = Chart("Precision over recall of both models", "Precision", "Recall")
        chart.setXRange(0, 1, padding=0.02)
        chart.setYRange(0, 1, padding=0.02)
        old, new = self._report.models
        looks = ((old, "faint", Qt.PenStyle.DashLine), (new, "accent", Qt.PenStyle.SolidLine))
        for model, colour, style in looks:
            reached = self._curve(model.best)
            line = chart.line(model.model, colour, style=style)
            line.setData([n / 100 for n in range(len(reached))], reached)
        self._place.addWidget(chart)

    def _curve(self, figures: Figures) -> list[float]:
        """Return the precision at recall 0, 0.01 and so on, as far as it is reached."""
        wanted = self.category.currentData(), self.iou.currentData()
        found = [list(c.precision) for c in figures.curves if (c.category, c.iou) == wanted]
        curve = found[0] if found else []
        while curve and curve[-1] <= 0:
            curve.pop()
        return curve


class ConfusionTables(QWidget):
    """What each model took for what, side by side."""

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        self._tables = QHBoxLayout()
        column.addLayout(self._tables, 1)
        column.addWidget(
            faint(
                "A row for what is there, a column for what it was found as. What is right stands "
                "from the upper left to the lower right."
            )
        )

    def show_report(self, report: Report) -> None:
        """Show both tables."""
        _clear(self._tables)
        for model, which in zip(report.models, ("old", "new"), strict=True):
            box = QWidget()
            column = QVBoxLayout(box)
            column.setContentsMargins(0, 0, 0, 0)
            column.addWidget(heading(f"{model.model} ({which})"))
            table = _table(model.confusion)
            table.setAccessibleName(f"What {model.model} took for what")
            column.addWidget(table, 1)
            self._tables.addWidget(box, 1)


def _clear(layout: QLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.deleteLater()


def _line(row: Row) -> QTreeWidgetItem:
    item = QTreeWidgetItem([row.name, row.old, row.new, row.change])
    for column in range(1, 4):
        item.setTextAlignment(column, _RIGHT)
        item.setToolTip(column, item.text(column))
    if row.tip:
        item.setToolTip(0, row.tip)
    if row.verdict:
        colour, word = _VERDICTS[row.verdict]
        item.setForeground(3, QColor(getattr(colours_now(), colour)))
        # Nobody has to tell the colours apart.
        item.setText(3, f"{row.change}  {word}")
    return item


def _table(confusion: Confusion) -> QTableWidget:
    counts, names = confusion.counts, confusion.categories
    used = [
        n
        for n in range(len(names))
        if any(counts[n]) or any(row[n] for row in counts)
    ]  # fmt: skip
    last = len(names)
    table = QTableWidget(len(used) + 1, len(used) + 1)
    table.setHorizontalHeaderLabels([*(names[n] for n in used), "missed"])
    table.setVerticalHeaderLabels([*(names[n] for n in used), "nothing there"])
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setShowGrid(False)
    for row, i in enumerate((*used, last)):
        total = sum(counts[i]) or 1
        for column, j in enumerate((*used, last)):
            right = row == column and i != last
            table.setItem(row, column, _cell(counts[i][j], counts[i][j] / total, right=right))
    table.resizeColumnsToContents()
    return table


def _cell(count: int, share: float, *, right: bool) -> QTableWidgetItem:
    item = QTableWidgetItem(f"{count:,}" if count else "")
    item.setTextAlignment(_CENTRE)
    if count:
        colours = colours_now()
        shade = QColor(colours.good if right else colours.bad)
        shade.setAlpha(round(_SHADE * share))
        item.setBackground(shade)
    return item
