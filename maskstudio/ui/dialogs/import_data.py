"""Import: a data set of another program, seen before anything of it is taken in."""

from collections.abc import Callable
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QSize, QTimer, Signal, SignalInstance
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from maskstudio.annotation.category_map import IGNORED
from maskstudio.formats.incoming import Source
from maskstudio.progress import TaskContext
from maskstudio.session.import_plan import ImportChoices, ImportPlan, ImportReport
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, Job, LaneName, Priority, Tasks
from maskstudio.ui.dialogs.import_ask import ImportQuestion
from maskstudio.ui.dialogs.import_figures import ImportFigures, figures_of
from maskstudio.ui.dialogs.import_images import NameList
from maskstudio.ui.dialogs.import_preview import ImportPreview
from maskstudio.ui.dialogs.job_view import JobView
from maskstudio.ui.dialogs.tool_window import ToolWindow, resize_on_screen
from maskstudio.ui.theme import good_icon, problem_icon

if TYPE_CHECKING:
    # It brings the database library, which an empty window does without.
    from maskstudio.storage.project import ProjectDatabase

_WIDTH, _SMALL_WIDTH = 800, 560
_MOST_HEIGHT = 660  # fits a screen of 1366 x 768 with its bars
_LOOK_AGAIN_MS = 300


class _Stage(Enum):
    """How far the dialog is."""

    ASK = auto()
    READ = auto()
    CHOOSE = auto()
    RUN = auto()
    END = auto()


class _Seen(NamedTuple):
    """What was found out about a data set."""

    plan: ImportPlan
    figures: ImportFigures


class ImportDataDialog(ToolWindow):
    """Asks which data set, shows what it would bring, brings it, and says what it brought.

    Signals:
        folder_wanted: the person wants to open this folder of images instead.
    """

    folder_wanted = Signal(Path)

    def __init__(self, session: Session, tasks: Tasks, parent: QWidget) -> None:
        super().__init__("Import", parent)
        self._session = session
        self._tasks = tasks
        self._path = Path()
        self._job: Job | None = None
        self._seen: _Seen | None = None
        self._report: ImportReport | None = None
        # Something was done in the project since the numbers were found out.
        self._stale = False
        self._stage = _Stage.ASK
        self._heard: list[tuple[SignalInstance, Callable[[], object]]] = []
        # The folder may still be read, and its images come in many pieces.
        self._look_again = QTimer(self, singleShot=True, interval=_LOOK_AGAIN_MS)
        self.question = ImportQuestion(session.require_database().folder)
        self.preview = ImportPreview()
        self.work = JobView("import")
        self.instead = QPushButton("Open as images instead", autoDefault=False)
        self.instead.setToolTip("Open this folder of images, and import nothing")
        self.details = QPushButton("List…", autoDefault=False)
        self.details.setAccessibleName("List what was left out or changed")
        self.again = QPushButton("Choose another…", autoDefault=False)
        self.undo = QPushButton("Undo", autoDefault=False)
        self.undo.setToolTip("Take this import back")
        self.start = QPushButton("Import", default=True)
        self.end = QPushButton("Cancel", autoDefault=False)
        self._column = QVBoxLayout(self)
        self._build()
        self._connect()
        self._go(_Stage.ASK)

    def read(self, path: Path) -> None:
        """Find out what a data set would bring."""
        self._path = path
        self.setWindowTitle(f"Import {path.name}")

        def opened(context: TaskContext) -> Source:
            from maskstudio.formats.sources import open_source

            return open_source(path, context)

        self._look(opened, self._on_seen, f"Reading {path.name}")
        self._go(_Stage.READ)
        # A window that asked for the file may have had the keys.
        self.activateWindow()

    @property
    def running(self) -> bool:
        """True while the data set is taken in."""
        return self._stage is _Stage.RUN

    def done(self, result: int) -> None:
        """Close; what runs is cancelled, and leaves nothing behind."""
        if self._job is not None:
            self._job.cancel()
        # Its end, and much of the session, may arrive when the dialog is gone.
        self._job = None
        for signal, slot in self._heard:
            signal.disconnect(slot)
        self._heard.clear()
        super().done(result)

    def _build(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.instead)
        buttons.addWidget(self.again)
        buttons.addStretch(1)
        for button in (self.details, self.undo, self.start, self.end):
            buttons.addWidget(button)
        column = self._column
        column.setSpacing(10)
        column.addWidget(self.question)
        column.addWidget(self.preview, 1)
        column.addWidget(self.work)
        column.addLayout(buttons)

    def _connect(self) -> None:
        session = self._session
        self.question.chosen.connect(self.read)
        self.preview.changed.connect(self._renew)
        self.start.clicked.connect(self._on_start)
        self.end.clicked.connect(self._on_end)
        self.again.clicked.connect(lambda: self._go(_Stage.ASK))
        self.instead.clicked.connect(self._on_instead)
        self.details.clicked.connect(self._on_details)
        self.undo.clicked.connect(lambda: session.undo(self._tasks))
        self._look_again.timeout.connect(self._on_look_again)
        self._heard = [
            (session.opened, self.reject),
            (session.images_changed, self._on_images),
            (session.edited, self._on_edited),
            (session.renewed, self._on_edited),
            (session.writing_changed, self._renew),
        ]
        for signal, slot in self._heard:
            signal.connect(slot)

    def _go(self, stage: _Stage) -> None:
        """Show what belongs to a stage."""
        self._stage = stage
        choosing = stage in (_Stage.CHOOSE, _Stage.RUN)
        done = self._report is not None
        self.question.setVisible(stage is _Stage.ASK)
        self.preview.setVisible(choosing)
        self.preview.setEnabled(stage is _Stage.CHOOSE)
        self.work.setVisible(stage is not _Stage.ASK and bool(self.work.said.text()))
        self.start.setVisible(choosing)
        self.again.setVisible(stage is _Stage.END and not done)
        self.instead.setVisible(stage is _Stage.CHOOSE and self._path.is_dir())
        self.undo.setVisible(done)
        self.details.setVisible(bool(self._details()))
        self.end.setText("Close" if stage in (_Stage.ASK, _Stage.END) else "Cancel")
        self.end.setDefault(stage is _Stage.END)
        self._renew()
        if choosing:
            self.preview.categories.table.setFocus()
        self._fit(_WIDTH if choosing else _SMALL_WIDTH)

    def _fit(self, width: int) -> None:
        """Be as high as what is shown needs it."""
        self._column.activate()
        height = self._column.totalHeightForWidth(width)
        resize_on_screen(self, QSize(width, min(height, _MOST_HEIGHT)))

    def _renew(self) -> None:
        """Enable what can be done now."""
        session, report = self._session, self._report
        free = not (session.writing or session.read_only)
        ready = self._stage is _Stage.CHOOSE and self._job is None
        self.start.setEnabled(free and ready and self.preview.worth_importing)
        last = report is not None and session.history().undo == report.title
        self.undo.setEnabled(free and last)

    def _look(
        self,
        opened: Callable[[TaskContext], Source],
        seen: Callable[[_Seen], None],
        doing: str,
    ) -> None:
        """Hold a data set against the project, aside."""
        database = self._session.require_database()
        self._stale = False

        def work(context: TaskContext) -> _Seen:
            from maskstudio.session.importing import plan_import

            plan = plan_import(database, opened(context), context)
            return _Seen(plan, figures_of(plan))

        callbacks = self._while_followed(seen)
        self._follow(self._tasks.submit(LaneName.FILES, work, callbacks, Priority.LONG), doing)

    def _while_followed(self, done: Callable[..., None]) -> Callbacks:
        """Return what hears of a job's end, unless the dialog was closed or asks for another."""

        def ended(then: Callable[..., None], *what: object) -> None:
            if self._job is not None:
                self._job = None
                then(*what)

        return Callbacks(
            lambda result: ended(done, result),
            lambda sentence: ended(self._on_failed, sentence),
            lambda: ended(self._on_cancelled),
        )

    def _follow(self, job: Job, doing: str) -> None:
        self._job = job
        self.work.follow(job, doing)

    def _on_seen(self, seen: _Seen, note: str = "") -> None:
        self._seen = seen
        self.preview.show_plan(seen.plan, seen.figures, self._session.categories)
        self.work.end(problem_icon() if note else QIcon(), note)
        self._go(_Stage.CHOOSE)

    def _on_seen_again(self, seen: _Seen) -> None:
        """Go on if what the person decided still stands; else show what is new first."""
        known = {category.id for category in self._session.categories} | {IGNORED}
        choices = self.preview.choices
        there = all(isinstance(goal, str) or goal in known for goal in choices.destinations)
        same = self._seen is not None and self._seen.figures.by_people == seen.figures.by_people
        if there and same:
            self._seen = seen
            self._carry_out(seen.plan, choices)
        else:
            self._on_seen(seen, "The project has changed meanwhile; these are the new numbers.")

    def _on_images(self) -> None:
        self._stale = True
        self._look_again.start()

    def _on_look_again(self) -> None:
        if self._seen is not None and self._stage is _Stage.CHOOSE and self._job is None:
            self._look_once_more(self._seen.plan.source, self._on_seen)

    def _on_start(self) -> None:
        if self._seen is None:
            return
        if self._stale:
            self._look_once_more(self._seen.plan.source, self._on_seen_again)
        else:
            self._carry_out(self._seen.plan, self.preview.choices)

    def _look_once_more(self, source: Source, seen: Callable[[_Seen], None]) -> None:
        self._look(lambda _: source, seen, "Looking at the project again")
        self._renew()

    def _carry_out(self, plan: ImportPlan, choices: ImportChoices) -> None:
        def make(database: "ProjectDatabase", context: TaskContext) -> ImportReport:
            from maskstudio.session.importing import carry_out

            return carry_out(database, plan, choices, context)

        callbacks = self._while_followed(self._on_done)
        job = self._session.edit_long(self._tasks, make, callbacks)
        if job is not None:
            self._follow(job, "Importing")
            self._go(_Stage.RUN)

    def _on_done(self, report: ImportReport) -> None:
        self._report = report
        self.work.end(good_icon(), "\n".join(report.sentences()))
        self._go(_Stage.END)
        self.end.setFocus()

    def _on_end(self) -> None:
        """Stop what is taken in, or close."""
        if self.running and self._job is not None:
            self._job.cancel()
        else:
            self.reject()

    def _on_cancelled(self) -> None:
        self.work.end(QIcon(), "Cancelled; nothing came in.")
        self._go(_Stage.CHOOSE)

    def _on_failed(self, sentence: str) -> None:
        self.work.end(problem_icon(), sentence)
        self._go(_Stage.END if self._seen is None else _Stage.CHOOSE)

    def _details(self) -> tuple[str, ...]:
        """Return a sentence for each thing that did not come in as it was, the first of them."""
        report = self._report
        return (*report.left_out.first, *report.mended.first) if report is not None else ()

    def _on_details(self) -> None:
        NameList("What was left out or changed", self._details(), self).show()

    def _on_instead(self) -> None:
        self.reject()
        self.folder_wanted.emit(self._path)

    def _on_edited(self) -> None:
        self._stale = True
        if self._report is not None and self._session.history().redo == self._report.title:
            self.work.end(good_icon(), "The import was taken back.")
        self._renew()


def show_import(
    session: Session,
    tasks: Tasks,
    open_folder: Callable[[Path], object],
    parent: QWidget,
    path: Path | None,
) -> ImportDataDialog:
    """Open the dialog for a data set, or have it ask for one; what runs in it goes on."""
    dialog = parent.findChild(ImportDataDialog)
    if dialog is not None and not dialog.running:
        dialog.close()
        dialog.setParent(None)
        dialog = None
    if dialog is None:
        dialog = ImportDataDialog(session, tasks, parent)
        dialog.folder_wanted.connect(open_folder)
        if path is not None:
            dialog.read(path)
        dialog.show()
    dialog.activateWindow()
    return dialog
