"""Export: what goes out, in whose format, where to, and the proof that it is right."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, QUrl, SignalInstance
from PySide6.QtGui import QDesktopServices, QIcon
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.session.exporting import (
    DEFAULT_STATES,
    ExportReport,
    PartCounts,
    count_parts,
    export,
    placements,
    writes_one_file,
)
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, Job, LaneName, Priority, Tasks
from maskstudio.ui.dialogs.export_memory import SETTING, ExportMemory, memory_from
from maskstudio.ui.dialogs.export_options import ExportChoice
from maskstudio.ui.dialogs.export_splits import part_words
from maskstudio.ui.dialogs.import_images import NameList
from maskstudio.ui.dialogs.job_view import JobView
from maskstudio.ui.dialogs.tool_window import resize_on_screen
from maskstudio.ui.labels import faint
from maskstudio.ui.theme import good_icon, problem_icon

_WIDTH = 620
_MOST_HEIGHT = 690  # fits a screen of 1366 x 768 with its bars
_COUNT_AGAIN_MS = 200
_FEW = 5  # sentences of a report that are read at once; more are a list


class ExportDialog(QDialog):
    """Lies beside the work: the window stays usable while it is open."""

    def __init__(self, session: Session, tasks: Tasks, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self._session = session
        self._tasks = tasks
        self._job: Job | None = None
        self._counting: Job | None = None
        self._asked = 0
        self._report: ExportReport | None = None
        self._stale = False
        self._heard: list[tuple[SignalInstance, Callable[[], object]]] = []
        database = session.require_database()
        self._folder = database.folder
        self._memory = memory_from(database.setting(SETTING, None), self._folder, DEFAULT_STATES)
        self.choice = ExportChoice(placements)
        self.counts = QLabel(wordWrap=True)
        self.counts.setAccessibleName("What goes out")
        self.path = QLineEdit()
        self.browse = QPushButton("Browse…", autoDefault=False)
        self.work = JobView("export")
        self.start = QPushButton("Export", default=True)
        self.end = QPushButton("Close", autoDefault=False)
        self.shown = QPushButton("Open folder", autoDefault=False)
        self.details = QPushButton("List…", autoDefault=False)
        self.details.setAccessibleName("List all that is to be said of the export")
        self._count_again = QTimer(self, singleShot=True, interval=_COUNT_AGAIN_MS)
        # The kind of place that is shown: a file or a folder, of which format.
        self._place: Path | None = None
        self._build()
        self._connect()
        self._offer()
        self.choice.show_options(self._memory.options)
        self._renew()

    @property
    def counting(self) -> bool:
        """True while the numbers are not those of what is chosen."""
        return self._counting is not None or self._count_again.isActive()

    def done(self, result: int) -> None:
        """Close; an export that runs is cancelled and what was there stays."""
        for job in (self._job, self._counting):
            if job is not None:
                job.cancel()
        # Their ends, and much of the session, may arrive when the dialog is gone.
        self._job = self._counting = None
        self._count_again.stop()
        for signal, slot in self._heard:
            signal.disconnect(slot)
        self._heard.clear()
        super().done(result)

    def event(self, event: QEvent) -> bool:
        """Count anew what was changed while the window was in front."""
        if event.type() == QEvent.Type.WindowActivate and self._stale:
            self._stale = False
            self._offer()
            self._count_again.start()
        return super().event(event)

    def _build(self) -> None:
        place = QHBoxLayout()
        label = QLabel("To")
        label.setBuddy(self.path)
        for widget in (label, self.path, self.browse):
            place.addWidget(widget)
        note = faint(
            "What is written is read back and compared with what is on screen before it takes its "
            "place; files that MaskStudio did not write are never replaced."
        )
        buttons = QHBoxLayout()
        buttons.addWidget(self.shown)
        buttons.addWidget(self.details)
        buttons.addStretch(1)
        buttons.addWidget(self.start)
        buttons.addWidget(self.end)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addWidget(self.choice)
        column.addWidget(self.counts)
        column.addLayout(place)
        column.addWidget(note)
        column.addWidget(self.work)
        column.addStretch(1)
        column.addLayout(buttons)
        self._column = column

    def _connect(self) -> None:
        self.choice.changed.connect(self._renew)
        self.browse.clicked.connect(self._on_browse)
        self.start.clicked.connect(self._on_start)
        self.end.clicked.connect(self._on_end)
        self.shown.clicked.connect(self._open_folder)
        self.details.clicked.connect(self._on_details)
        self._count_again.timeout.connect(self._count)
        session = self._session
        self._heard = [
            (session.opened, self.reject),
            (session.edited, self._on_edited),
            (session.renewed, self._on_edited),
        ]
        for signal, slot in self._heard:
            signal.connect(slot)

    def _offer(self) -> None:
        session = self._session
        states = Counter(session.record(i).state for i in session.image_ids)
        self.choice.offer(session.categories, states)

    def _on_edited(self) -> None:
        self._stale = True

    def _renew(self) -> None:
        """Show where it goes and what goes out, and fit the window to what is shown."""
        options = self.choice.options
        one_file = writes_one_file(options)
        place = self._memory.place(self._folder, options, one_file=one_file)
        if place != self._place:
            self._place = place
            self.path.setText(str(place))
        self.path.setAccessibleName("File to write" if one_file else "Folder to write")
        self._count_again.start()
        running = self._job is not None
        self.choice.setEnabled(not running)
        self.path.setEnabled(not running)
        self.browse.setEnabled(not running)
        self.start.setEnabled(not running)
        self.end.setText("Cancel" if running else "Close")
        self.shown.setVisible(self._report is not None and not running)
        self.details.setVisible(len(self._said()) > _FEW and not running)
        self._fit()

    def _fit(self) -> None:
        # A label that wraps does not make its window grow by itself.
        self._column.activate()
        height = self._column.totalHeightForWidth(_WIDTH)
        resize_on_screen(self, QSize(_WIDTH, min(height, _MOST_HEIGHT)))

    def _count(self) -> None:
        if self._counting is not None:
            self._counting.cancel()
        database, options = self._session.require_database(), self.choice.options
        self._asked += 1
        asked = self._asked

        def ended(then: Callable[[Any], object], what: Any) -> None:
            # An answer may be on its way already when something else is asked.
            if self._counting is not None and asked == self._asked:
                self._counting = None
                then(what)
                self._fit()

        self._counting = self._tasks.submit(
            LaneName.FILES,
            lambda context: count_parts(database, options, context),
            Callbacks(partial(ended, self._show_counts), partial(ended, self.counts.setText)),
            Priority.SOON,
        )

    def _show_counts(self, counts: PartCounts) -> None:
        self.counts.setText(part_words(counts))
        self.choice.splits.show_remembered(sum(part.remembered for part in counts.parts))

    def _on_browse(self) -> None:
        before = self.path.text()
        if writes_one_file(self.choice.options):
            name, _ = QFileDialog.getSaveFileName(self, "Export", before, "JSON (*.json)")
        else:
            name = QFileDialog.getExistingDirectory(self, "Export into a folder", before)
        if name:
            self.path.setText(name)

    def _on_start(self) -> None:
        database, options = self._session.require_database(), self.choice.options
        place = self._folder / Path(self.path.text()).expanduser()
        memory = self._memory.after(options, place, one_file=writes_one_file(options))
        kept = None if self._session.read_only else memory.as_setting(self._folder)

        def work(context: TaskContext) -> ExportReport:
            report = export(database, place, options, context)
            if kept is not None:
                with suppress(UserError):
                    # What was exported is there, whether it is remembered or not.
                    database.set_setting(SETTING, kept)
            return report

        self._report = None
        callbacks = Callbacks(
            lambda report: self._on_done(report, memory),
            self._on_failed,
            lambda: self._end(QIcon(), "Cancelled; nothing was written."),
        )
        self._job = self._tasks.submit(LaneName.FILES, work, callbacks, Priority.LONG)
        self.work.follow(self._job, "Exporting")
        self._renew()

    def _on_done(self, report: ExportReport, memory: ExportMemory) -> None:
        if self._job is None:
            return
        self._memory, self._report = memory, report
        self._place = None
        said = self._said()
        self._end(good_icon(), "\n".join(said[:_FEW]))
        self.shown.setFocus()

    def _on_failed(self, sentence: str) -> None:
        self._end(problem_icon(), sentence)

    def _end(self, sign: QIcon, text: str) -> None:
        if self._job is None:
            return
        self._job = None
        self.work.end(sign, text)
        self._renew()

    def _said(self) -> tuple[str, ...]:
        report = self._report
        return () if report is None else (f"{report.path.name} was written.", *report.sentences())

    def _on_end(self) -> None:
        """Stop what runs, or close."""
        if self._job is not None:
            self._job.cancel()
        else:
            self.reject()

    def _open_folder(self) -> None:
        if self._report is not None:
            path = self._report.path
            folder = path if path.is_dir() else path.parent
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def _on_details(self) -> None:
        NameList("The export", self._said(), self).show()


def show_export(session: Session, tasks: Tasks, parent: QWidget) -> ExportDialog:
    """Open the dialog, or bring it back to the front."""
    there = (dialog for dialog in parent.findChildren(ExportDialog) if dialog.isVisible())
    dialog = next(there, None)
    if dialog is None:
        dialog = ExportDialog(session, tasks, parent)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()
    dialog.activateWindow()
    return dialog
