"""The findings as rows below the heading of their kind; nothing is made of a row not looked at."""

from collections.abc import Callable, Sequence
from enum import IntEnum

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QIcon

from maskstudio.annotation.findings import FIXES, TITLES, Finding, FindingKind, Severity
from maskstudio.ui.theme import sign

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
# Shapes differ, not only colours.
_SIGNS = {
    Severity.PROBLEM: ("alert-circle", "bad"),
    Severity.DOUBT: ("help-rhombus-outline", "edited"),
    Severity.NOTE: ("note-text-outline", "waiting"),
}


class QualityColumn(IntEnum):
    """What stands where."""

    FINDING = 0
    IMAGE = 1


class QualityRows(QAbstractItemModel):
    """Kinds, and below each what was found of it."""

    def __init__(self, name_of: Callable[[int], str], parent: QObject) -> None:
        """Hold nothing yet; `name_of` gives the path of an image."""
        super().__init__(parent)
        self._name_of = name_of
        self._groups: list[tuple[FindingKind, Sequence[Finding]]] = []

    def show(self, findings: Sequence[Finding]) -> None:
        """Hold these instead, in their order, those of a kind side by side."""
        groups: dict[FindingKind, list[Finding]] = {}
        for finding in findings:
            groups.setdefault(finding.kind, []).append(finding)
        self.beginResetModel()
        self._groups = list(groups.items())
        self.endResetModel()

    def kind(self, index: _Index) -> FindingKind | None:
        """Return the kind of a row, or of the heading it is; None where there is no row."""
        if not index.isValid():
            return None
        group = index.internalId() - 1 if index.internalId() else index.row()
        return self._groups[group][0]

    def finding(self, index: _Index) -> Finding | None:
        """Return what a row is about; None for a heading."""
        if not index.isValid() or not index.internalId():
            return None
        return self._groups[index.internalId() - 1][1][index.row()]

    def below(self, index: _Index) -> Sequence[Finding]:
        """Return what a row is about, for a heading all of its kind."""
        finding = self.finding(index)
        if finding is not None:
            return [finding]
        return self._groups[index.row()][1] if index.isValid() else []

    def place(self, finding: Finding) -> QModelIndex:
        """Return the row of a finding; an invalid one where it is not shown."""
        for number, (kind, found) in enumerate(self._groups):
            if kind is finding.kind and finding in found:
                return self.index(found.index(finding), 0, self.index(number, 0))
        return QModelIndex()

    def index(self, row: int, column: int, parent: _Index = _NOWHERE) -> QModelIndex:
        """Return the index of a row."""
        if not self.hasIndex(row, column, parent):
            return QModelIndex()
        return self.createIndex(row, column, parent.row() + 1 if parent.isValid() else 0)

    def parent(self, child: _Index = _NOWHERE) -> QModelIndex:  # type: ignore[override]
        """Return the heading of a row."""
        if not child.isValid() or not child.internalId():
            return QModelIndex()
        return self.createIndex(child.internalId() - 1, 0, 0)

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """Return how many rows there are below a heading, or how many headings."""
        if not parent.isValid():
            return len(self._groups)
        if parent.internalId() or parent.column():
            return 0
        return len(self._groups[parent.row()][1])

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        """Return how many columns there are."""
        del parent
        return len(QualityColumn)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> str | QIcon | None:
        """Return what is shown of a row."""
        finding = self.finding(index)
        if role == Qt.ItemDataRole.DisplayRole:
            return self._heading(index) if finding is None else self._text(finding, index.column())
        if role == Qt.ItemDataRole.DecorationRole and index.column() == QualityColumn.FINDING:
            return sign(*_SIGNS[self._severity(index)]) if finding is None else None
        if role == Qt.ItemDataRole.ToolTipRole and finding is not None:
            answer = FIXES.get(finding.kind, "") if finding.fixable else ""
            return f"{finding.sentence}\nFix: {answer.lower()}" if answer else finding.sentence
        return None

    def _heading(self, index: _Index) -> str:
        if index.column() != QualityColumn.FINDING:
            return ""
        kind, found = self._groups[index.row()]
        return f"{TITLES[kind]}  ({len(found):,})"

    def _text(self, finding: Finding, column: int) -> str:
        if column == QualityColumn.FINDING:
            return finding.sentence
        return "" if finding.image_id is None else self._name_of(finding.image_id)

    def _severity(self, index: _Index) -> Severity:
        return min(finding.severity for finding in self._groups[index.row()][1])
