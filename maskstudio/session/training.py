"""Training from the window: a process of its own, followed, paused, stopped and gone on with."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.session.child import Child
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, Job, LaneName, Priority, Tasks
from maskstudio.session.training_choice import TrainingChoice
from maskstudio.session.training_course import TrainingCourse
from maskstudio.storage.training_events import Done, Event, RunState, StateChange, from_json

_FOLLOWED = ("--progress", "jsonl", "--control")
_ASIDE = "training_aside"
"""The project's setting: the name of a run that nobody wants to go on with."""
_LOOK_AGAIN_MS = 2000
_SHORT = 10_000  # characters of a line that are read in less than a millisecond


@dataclass(frozen=True)
class _Left:
    """The latest run of a project, as it was found on the disk.

    Attributes:
        folder: where it lies.
        can_go_on: it ended early, and has a checkpoint.
        held: another process is still at it, perhaps that of a window closed just now.
        course: what it told.
    """

    folder: Path
    can_go_on: bool
    held: bool
    course: TrainingCourse


class Training(QObject):
    """The latest training run of the open project; there is one at a time.

    Attributes:
        course: what it told; None where there is none.
        elsewhere: another process is at it: of a window closed just now, or of a terminal.

    Signals:
        changed: it began, ended, or is in another state; or another project is open.
        progressed: it told something.
        finished: it has made a model; the file's path as text.
        failed: it ended as nobody wanted; a sentence.
        left: it goes on in no window: the project was closed over it; a sentence.
    """

    changed = Signal()
    progressed = Signal()
    finished = Signal(str)
    failed = Signal(str)
    left = Signal(str)

    def __init__(
        self, session: Session, tasks: Tasks, command: Sequence[str], parent: QObject
    ) -> None:
        """Look for what is left of an earlier run.

        Args:
            session: the open project.
            tasks: the lanes.
            command: what starts this program again.
            parent: ends it with itself.
        """
        super().__init__(parent)
        self._session = session
        self._tasks = tasks
        self._command = tuple(command)
        self._child: Child | None = None
        self._job: Job | None = None
        self._preparing = False
        self._folder: Path | None = session.folder
        self._kept: Path | None = None
        self._aside = False
        self.elsewhere = False
        self.course: TrainingCourse | None = None
        self._look_again = QTimer(self, singleShot=True, interval=_LOOK_AGAIN_MS)
        self._look_again.timeout.connect(self._look)
        session.opened.connect(self._on_opened)
        self._look()

    @property
    def running(self) -> bool:
        """True while it is being prepared, or a process works on it."""
        return self._preparing or self._child is not None

    @property
    def working(self) -> bool:
        """True while its process makes steps, or begins to."""
        paused = self.course is not None and self.course.state is RunState.PAUSED
        return self._child is not None and not paused

    @property
    def resumable(self) -> bool:
        """True when a run that ended early can go on."""
        return not self.running and self._kept is not None

    @property
    def offered(self) -> bool:
        """True when such a run was not put aside."""
        return self.resumable and not self._aside

    @property
    def preparing(self) -> Job | None:
        """What is done before the process begins, to show how far it is."""
        return self._job if self._preparing else None

    def start(self, choice: TrainingChoice) -> None:
        """Begin a run; the parts of the project's images are drawn first where they are not yet."""
        if self.running:
            return
        database = self._session.require_database()
        self.course, self._kept = TrainingCourse(), None
        self._preparing = True

        def prepare(context: TaskContext) -> None:
            from maskstudio.session.training_set import freeze_parts

            freeze_parts(database, context)

        words = ("train", *choice.words(database.folder))
        callbacks = Callbacks(
            lambda _: self._on_prepared(words),
            self._on_failed,
            lambda: self._on_failed("It was stopped before it began."),
        )
        self._job = self._tasks.submit(LaneName.FILES, prepare, callbacks, Priority.LONG)
        self.changed.emit()

    def resume(self) -> None:
        """Go on with a run that ended early, from its last checkpoint."""
        if self._kept is not None and self.course is not None and not self.running:
            self.course.take(StateChange(RunState.TRAINING))
            kept, self._kept = self._kept, None
            self._begin(("train", "--resume", str(kept)))

    def put_aside(self) -> None:
        """Offer no more to go on with the run that ended early; its files stay."""
        if self._kept is None:
            return
        try:
            self._session.require_database().set_setting(_ASIDE, self._kept.name)
        except UserError as error:
            self._session.problem.emit(str(error))
            return
        self._aside = True
        self.changed.emit()

    def pause_or_go_on(self) -> None:
        """Let it wait, or go on."""
        if self._child is not None and self.course is not None:
            paused = self.course.state is RunState.PAUSED
            self._child.say("resume" if paused else "pause")

    def stop(self) -> None:
        """Have it make a model of the best it has found so far, and end."""
        if self._child is not None:
            self._child.say("stop")
        elif self._job is not None:
            self._job.cancel()

    def let_go(self, seconds: float = 0) -> None:
        """Have its process write a checkpoint and end by itself; wait no longer than this."""
        if self._preparing and self._job is not None:
            self._job.cancel()
        if self._child is not None:
            self._child.let_go(seconds)

    def _on_prepared(self, words: Sequence[str]) -> None:
        # It may arrive when another project is open.
        if self._preparing:
            self._preparing = False
            self._begin(words)

    def _begin(self, words: Sequence[str]) -> None:
        child = self._child = Child((*self._command, *words, *_FOLLOWED), self)
        child.told.connect(self._on_told)
        child.ended.connect(self._on_ended)
        child.start()
        self.changed.emit()

    def _on_told(self, line: str) -> None:
        if len(line) <= _SHORT:
            self._take(_event(line))
            return
        # Hundreds of outlines: the window would wait for their numbers.
        course = self.course

        def done(event: Event | None) -> None:
            if self.course is course:
                self._take(event)

        self._tasks.submit(LaneName.FILES, lambda _: _event(line), Callbacks(done), Priority.SOON)

    def _take(self, event: Event | None) -> None:
        if self.course is None or event is None:
            return
        self.course.take(event)
        self.progressed.emit()
        if isinstance(event, StateChange | Done):
            self.changed.emit()

    def _on_ended(self, sentence: str) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.deleteLater()
        course = self.course
        if course is None:
            return
        if course.live or course.state is None:
            course.break_off(sentence)
        self._look()
        self.changed.emit()
        if course.done is not None:
            self.finished.emit(course.done.model)
        elif course.sentence:
            self.failed.emit(course.sentence)

    def _on_failed(self, sentence: str) -> None:
        if not self._preparing:
            return
        self._preparing = False
        if self.course is not None:
            self.course.take(StateChange(RunState.FAILED, sentence))
        self.changed.emit()
        self.failed.emit(sentence)

    def _on_opened(self) -> None:
        if self._session.folder == self._folder:
            return
        if self.running:
            where = "" if self._folder is None else f" in {self._folder.name}"
            self.left.emit(
                f"The training{where} was interrupted and keeps what it has learned; open that "
                "folder again to go on with it."
            )
            self.let_go()
            self._forget_child()
        self._folder = self._session.folder
        self.course, self._kept, self.elsewhere = None, None, False
        self._look()
        self.changed.emit()

    def _forget_child(self) -> None:
        """Hear no more of a process that ends by itself."""
        child, self._child = self._child, None
        self._preparing = False
        if child is not None:
            child.told.disconnect(self._on_told)
            child.ended.disconnect(self._on_ended)
            child.ended.connect(child.deleteLater)

    def _look(self) -> None:
        """Find out which run there was last, and whether it can go on."""
        database = self._session.database
        if database is None:
            return
        folder, aside = database.folder, str(database.setting(_ASIDE, ""))

        def done(found: _Left | None) -> None:
            if self._session.folder != folder or self.running or found is None:
                return
            self._kept = found.folder if found.can_go_on else None
            self._aside = found.folder.name == aside
            if self.course is None or found.held or self.elsewhere:
                self.course = found.course
            self.elsewhere = found.held
            if found.held:
                self._look_again.start()
            self.changed.emit()

        self._tasks.submit(LaneName.FILES, lambda _: _latest(folder), Callbacks(done))


def _event(line: str) -> Event | None:
    """Return what a line tells; None where it is of another kind or not understood.

    Another version may say more than this one knows; what else it says still counts.
    """
    try:
        return from_json(line)
    except UserError:
        return None


def _latest(folder: Path) -> _Left | None:
    """Return the latest run of a project."""
    from maskstudio.storage.training_runs import list_runs, read_log

    runs = list_runs(folder)
    if not runs:
        return None
    course = TrainingCourse(read_log(runs[0].folder))
    if course.live and not runs[0].held:
        course.break_off("")
    return _Left(runs[0].folder, runs[0].can_go_on, runs[0].held, course)
