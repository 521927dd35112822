"""What a check of the project found: go there, put it right, or say that it is right."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHBoxLayout,
    QHeaderView,
    QProgressBar,
    QPushButton,
    QToolButton,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from maskstudio.annotation.findings import FIXES, Finding, FindingKind, Severity
from maskstudio.session.auditing import Auditing
from maskstudio.session.quality import Quality
from maskstudio.session.session import Session
from maskstudio.ui.finding_walk import FindingWalk
from maskstudio.ui.labels import faint, heading
from maskstudio.ui.panels.quality_rows import QualityColumn, QualityRows
from maskstudio.ui.theme import icon

_LEAST_HEIGHT = 180
_IMAGE_WIDTH = 180
_POLL_MS = 100
# More rows than these are shown as headings with their counts first.
_FEW = 8


class _List(QTreeView):
    """A tree whose rows are gone to by a click or by Enter, once each.

    Qt's own signal of a row that is activated comes with the second click of two as well.

    Signals:
        entered: the index of a row that Enter was pressed on.
    """

    entered = Signal(QModelIndex)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Enter for going to the current row."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit(self.currentIndex())
        else:
            super().keyPressEvent(event)


class QualityPanel(QWidget):
    """Stands below the image, so that the place can be seen together with what is said of it.

    Signals:
        closed: the person wants to see no more of it.
    """

    closed = Signal()

    def __init__(
        self, session: Session, quality: Quality, walk: FindingWalk, auditing: Auditing
    ) -> None:
        super().__init__()
        self._session = session
        self._quality = quality
        self._auditing = auditing
        self._walk = walk
        # Headings that were folded, or opened, by hand stay so.
        self._folded: dict[FindingKind, bool] = {}
        self.said = faint()
        self.said.setAccessibleName("What was found")
        self.rows = QualityRows(lambda image_id: session.record(image_id).path, self)
        self.list = _List()
        self.answer = faint()
        self.answer.setAccessibleName("What fixing does")
        self.ask = QPushButton("Ask the model")
        self.check = QPushButton("Check")
        self.fix = QPushButton("Fix")
        self.fix_all = QPushButton("Fix all")
        self.right = QPushButton("It is right")
        self.show_right = QCheckBox()
        self._bar = QProgressBar()
        self._poll = QTimer(self, interval=_POLL_MS)
        self._build()
        self._connect()
        self._on_running()
        self._fill()

    def event(self, event: QEvent) -> bool:
        """Let Esc close the page, not do what it does in the window."""
        override = event.type() == QEvent.Type.ShortcutOverride
        if override and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close on Esc; a check that runs goes on."""
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def _build(self) -> None:
        self.list.setModel(self.rows)
        self.list.setAccessibleName("Findings")
        self.list.setUniformRowHeights(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setAllColumnsShowFocus(True)
        # The first of the two clicks has done it.
        self.list.setExpandsOnDoubleClick(False)
        header = self.list.header()
        header.hide()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QualityColumn.FINDING, QHeaderView.ResizeMode.Stretch)
        header.resizeSection(QualityColumn.IMAGE, _IMAGE_WIDTH)
        self._bar.setAccessibleName("Progress of the check")
        self._bar.setTextVisible(False)
        self.ask.setToolTip(
            "List where the model disagrees with what was verified: likely misses, sloppy "
            "outlines, other categories"
        )
        self.check.setToolTip("Look at every image and every annotation of the project")
        self.fix.setToolTip("Put right what is selected, where there is one right answer")
        self.right.setToolTip("Leave out what is selected from now on, until it changes")
        self.show_right.setToolTip("List what somebody said to be right as well")
        close = QToolButton()
        close.setIcon(icon("close"))
        close.setToolTip("Close (Esc)")
        close.setAccessibleName("Close the quality page")
        close.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        close.clicked.connect(self.closed)
        head = QHBoxLayout()
        head.addWidget(heading("Quality"))
        head.addWidget(self.said, 1)
        for widget in (self.show_right, self.ask, self.check, close):
            head.addWidget(widget)
        foot = QHBoxLayout()
        for button in (self.fix, self.fix_all, self.right):
            foot.addWidget(button)
        foot.addWidget(self.answer, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 8, 6)
        column.addLayout(head)
        column.addWidget(self._bar)
        column.addWidget(self.list, 1)
        column.addLayout(foot)
        self.setMinimumHeight(_LEAST_HEIGHT)

    def _connect(self) -> None:
        quality = self._quality
        self.ask.clicked.connect(self._on_ask)
        self.check.clicked.connect(self._on_check)
        self.fix.clicked.connect(lambda: quality.fix(self._fixable()))
        self.fix_all.clicked.connect(self._on_fix_all)
        self.right.clicked.connect(self._on_right)
        self.show_right.toggled.connect(self._fill)
        self.list.clicked.connect(self._go)
        self.list.entered.connect(self._go)
        self.list.collapsed.connect(lambda index: self._note_folded(index, folded=True))
        self.list.expanded.connect(lambda index: self._note_folded(index, folded=False))
        self.list.selectionModel().selectionChanged.connect(lambda *_: self._on_selected())
        self._poll.timeout.connect(self._show_progress)
        self._walk.went.connect(self._on_went)
        quality.changed.connect(self._fill)
        quality.running_changed.connect(self._on_running)
        self._auditing.changed.connect(self._on_running)
        self._session.writing_changed.connect(self._on_selected)

    def _on_check(self) -> None:
        if self._quality.running:
            self._quality.cancel()
        else:
            self._quality.start()

    def _on_ask(self) -> None:
        if self._auditing.running:
            self._auditing.cancel()
        else:
            self._auditing.start()

    def _on_running(self) -> None:
        checking, asking = self._quality.running, self._auditing.running
        running = checking or asking
        self.check.setText("Cancel" if checking else "Check")
        self.check.setEnabled(self._session.database is not None)
        self.ask.setText("Stop asking" if asking else "Ask the model")
        self.ask.setEnabled(not self._session.read_only)
        self._bar.setVisible(running)
        if running:
            self._bar.setRange(0, 0)
            self._poll.start()
        else:
            self._poll.stop()
        self._say()

    def _show_progress(self) -> None:
        checking = self._quality.running
        at = self._quality.progress if checking else self._auditing.progress
        self._bar.setRange(0, at.total)
        self._bar.setValue(at.done)
        if at.total:
            doing = "Checking" if checking else "The model looks at verified images"
            self.said.setText(f"{doing}: {at.done:,} of {at.total:,}  {at.note}")

    def _say(self) -> None:
        quality = self._quality
        grave = sum(finding.severity is not Severity.NOTE for finding in quality.findings)
        notes = len(quality.findings) - grave
        if quality.running:
            said = "Checking …"
        elif self._auditing.running:
            said = "Asking the model …"
        elif not quality.checked:
            said = "Check looks at every image and every annotation of the project."
        elif not quality.findings:
            said = "Nothing was found."
        else:
            said = f"{grave:,} to look at, {notes:,} good to know.  A click goes to the place."
        if quality.outdated:
            said += "  Much was changed since; check again."
        if self._auditing.failed:
            said += f"  The model could not look at {self._auditing.failed:,} images."
        self.said.setText(said)

    def _fill(self) -> None:
        """List the findings; the current row, or the one that took its place, stays."""
        before = self.list.currentIndex()
        kind, row = self.rows.kind(before), before.row()
        quality = self._quality
        ignored = quality.ignored
        shown = quality.findings + (ignored if self.show_right.isChecked() else ())
        self.rows.show(shown)
        many = len(shown) > _FEW
        for number in range(self.rows.rowCount()):
            heading = self.rows.index(number, 0)
            found = self.rows.below(heading)
            self.list.setExpanded(heading, not self._folded.get(found[0].kind, many))
        self.show_right.setText(f"Show what is right ({len(ignored):,})")
        self.show_right.setVisible(bool(ignored))
        self._make_current(self._near(kind, row))
        self._say()
        self._on_selected()

    def _near(self, kind: FindingKind | None, row: int) -> QModelIndex:
        """Return the row of a kind that stands where one stood."""
        for number in range(self.rows.rowCount()):
            heading = self.rows.index(number, 0)
            if self.rows.kind(heading) is kind:
                last = self.rows.rowCount(heading) - 1
                return self.rows.index(min(row, last), 0, heading)
        return self.rows.index(0, 0)

    def _make_current(self, index: QModelIndex) -> None:
        if index.isValid():
            how = QItemSelectionModel.SelectionFlag
            self.list.selectionModel().setCurrentIndex(index, how.ClearAndSelect | how.Rows)
            self.list.scrollTo(index)

    def _note_folded(self, index: QModelIndex, *, folded: bool) -> None:
        kind = self.rows.kind(index)
        if kind is not None:
            self._folded[kind] = folded

    def _selected(self) -> list[Finding]:
        rows = self.list.selectionModel().selectedRows()
        found = (finding for index in rows for finding in self.rows.below(index))
        return list(dict.fromkeys(found))

    def _fixable(self) -> list[Finding]:
        ignored = frozenset(self._quality.ignored)
        return [f for f in self._selected() if f.fixable and f not in ignored]

    def _on_selected(self) -> None:
        """Say what could be done with what is selected."""
        session = self._session
        free = not (session.read_only or session.writing)
        chosen, fixable = self._selected(), self._fixable()
        kind = self.rows.kind(self.list.currentIndex())
        alike = [f for f in self._quality.findings if f.kind is kind and f.fixable]
        self.fix.setEnabled(free and bool(fixable))
        self.fix_all.setEnabled(free and bool(alike))
        self.fix_all.setText(f"Fix all {len(alike):,} of this kind" if alike else "Fix all")
        right = bool(chosen) and set(chosen) <= set(self._quality.ignored)
        self.right.setText("It is not right" if right else "It is right")
        self.right.setEnabled(bool(chosen) and not session.read_only)
        self.answer.setText(_answer(chosen, kind))

    def _on_fix_all(self) -> None:
        kind = self.rows.kind(self.list.currentIndex())
        if kind is not None:
            self._quality.fix_all(kind)

    def _on_right(self) -> None:
        chosen = self._selected()
        right = set(chosen) <= set(self._quality.ignored)
        self._quality.set_ignored(chosen, ignored=not right)

    def _go(self, index: QModelIndex) -> None:
        """Go to what a row is about; open a heading, or fold it again."""
        finding = self.rows.finding(index)
        if finding is not None:
            self._walk.go(finding)
        else:
            self.list.setExpanded(index, not self.list.isExpanded(index))

    def _on_went(self, finding: Finding) -> None:
        self._make_current(self.rows.place(finding))


def _answer(chosen: Sequence[Finding], kind: FindingKind | None) -> str:
    if kind is None:
        return ""
    if any(finding.fixable for finding in chosen):
        return f"Fix: {FIXES[kind][0].lower()}{FIXES[kind][1:]}. One undo takes it back."
    return "" if not chosen else "What is right here only a person can say."
