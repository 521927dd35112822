"""A run over many images, one at a time on lane MODEL, behind all that a person waits for.

What it still has to do is kept on the disk, so it can be continued after a restart; a person's
work and finished images are left alone; what fails is listed and can be tried again. The model is
the one that was chosen when it began, whichever is chosen meanwhile.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal

from maskstudio.annotation.annotation import ImageState
from maskstudio.annotation.edits import Edit, ImageContent
from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.session.batch_work import OPEN_STATES, BatchWork, Result, Run
from maskstudio.session.model_lane import ImageTask, LoadedModel, ModelHolder
from maskstudio.session.runs import Failure, RunProgress
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, LaneName, Priority, Tasks
from maskstudio.storage.run_file import StoredRun, forget_run, note_end, read_run, write_run

_LATER_MS = 50


class BatchRun(QObject):
    """Runs over many images of the session, one run at a time.

    Signals:
        changed: a run began, waits, goes on or ended, or one was found that is not finished.
        failures_changed: `failures` are others.
        finished: a `RunReport`.
        problem: one sentence for the person.
    """

    changed = Signal()
    failures_changed = Signal()
    finished = Signal(object)
    problem = Signal(str)

    def __init__(self, session: Session, tasks: Tasks, holder: ModelHolder) -> None:
        super().__init__(session)
        self._session = session
        self._tasks = tasks
        self._holder = holder
        self._works: dict[str, BatchWork] = {}
        self._run: Run | None = None
        self._unfinished: StoredRun | None = None
        self._failed_run: StoredRun | None = None
        self._failures: tuple[Failure, ...] = ()
        session.opened.connect(self._on_opened)

    @property
    def running(self) -> bool:
        """True from the start of a run to its end, also while it waits."""
        return self._run is not None

    @property
    def paused(self) -> bool:
        """True while a person lets the run wait."""
        return self._run is not None and self._run.paused

    @property
    def unfinished(self) -> StoredRun | None:
        """A run that was not finished when the program ended; None while another runs."""
        return None if self._run else self._unfinished

    @property
    def failures(self) -> tuple[Failure, ...]:
        """What could not be done in this run, or in the last if there is none."""
        return tuple(self._run.failed) if self._run else self._failures

    @property
    def model(self) -> str | None:
        """The model of the run that is on; None when none is."""
        return self._run.stored.model if self._run else None

    def progress(self) -> RunProgress | None:
        """Return where the run is; None when there is none."""
        return self._run.progress() if self._run else None

    def register(self, work: BatchWork) -> None:
        """Make a kind of run known."""
        self._works[work.kind] = work

    def start(
        self,
        kind: str,
        model: str,
        image_ids: Iterable[int],
        states: Sequence[ImageState] = OPEN_STATES,
    ) -> None:
        """Begin a run; images that are missing or in another state are left out.

        Args:
            kind: what to do, the name of registered work.
            model: name or path of the model.
            image_ids: the images, in order.
            states: the states an image may be in.
        """
        session = self._session
        if self._run is None and self._allowed():
            there = [i for i in image_ids if i not in session.missing]
            chosen = tuple(i for i in there if session.record(i).state in states)
            self._begin(StoredRun(kind, model, tuple(states), chosen, len(there) - len(chosen)))

    def go_on(self) -> None:
        """Go on after a pause, or with the run that was not finished when the program ended."""
        run = self._run
        if run is not None and run.paused:
            run.paused = False
            if run.ready and run.at_work is None:
                self._next(run)
            self.changed.emit()
        elif run is None and self._unfinished is not None and self._allowed():
            known = frozenset(self._session.image_ids)
            there = tuple(i for i in self._unfinished.image_ids if i in known)
            self._begin(replace(self._unfinished, image_ids=there))

    def pause_or_go_on(self) -> None:
        """Let the run wait if it runs, else go on with it."""
        if self.running and not self.paused:
            self.pause()
        else:
            self.go_on()

    def pause(self) -> None:
        """Let the run wait; the image at work is begun anew later."""
        run = self._run
        if run is not None and not run.paused:
            run.paused = True
            if run.ready and run.job is not None:
                run.job.cancel()
            self.changed.emit()

    def cancel(self) -> None:
        """Stop the run for good; what it has done so far stays."""
        run = self._run
        if run is None:
            return
        run.cancelled = True
        run.waiting.clear()
        if run.job is not None:
            run.job.cancel()
        if run.at_work is None:
            # Loading a model cannot be interrupted, and nobody needs to wait for it.
            self._end(run)

    def forget(self) -> None:
        """Never finish the run that was not finished when the program ended."""
        if self._unfinished is not None:
            self._unfinished = None
            forget_run(self._session.require_database().folder)
            self.changed.emit()

    def try_again(self) -> None:
        """Begin a run over the images that failed in the last."""
        last = self._failed_run
        if last is not None and self._failures:
            states = [ImageState(state) for state in last.states]
            self.start(last.kind, last.model, [f.image_id for f in self._failures], states)

    def stop(self) -> None:
        """Leave the run as it is, to be continued when the folder is opened again."""
        run = self._run
        if run is not None:
            run.cancelled = True
            if run.job is not None:
                run.job.cancel()
            self._leave(run)

    def _allowed(self) -> bool:
        session = self._session
        if session.database is None:
            return False
        if session.read_only:
            self.problem.emit("This folder is open for reading only; nothing can be predicted.")
        elif session.writing:
            self.problem.emit("Still saving the change before; predict in a moment.")
        return not (session.read_only or session.writing)

    def _begin(self, stored: StoredRun) -> None:
        database = self._session.require_database()
        work = self._works.get(stored.kind)
        if work is None:
            self.problem.emit(f"This run ({stored.kind}) is of another version; begin a new one.")
            return
        try:
            write_run(database.folder, stored)
        except UserError as error:
            self.problem.emit(str(error))
            return
        run = Run(database, work, stored)
        self._run, self._unfinished = run, None
        run.job = self._tasks.submit(
            LaneName.MODEL,
            lambda _: self._holder.load(stored.model),
            Callbacks(
                lambda loaded: self._on_ready(run, loaded),
                lambda sentence: self._on_no_model(run, sentence),
            ),
            Priority.BATCH,
        )
        self.changed.emit()
        self.failures_changed.emit()

    def _on_ready(self, run: Run, loaded: LoadedModel) -> None:
        if run is not self._run:
            return
        run.ready = True
        if run.waiting and not run.work.begin(loaded):
            # It is asked for again once a person has decided something.
            forget_run(run.database.folder)
            self._run = None
            self.changed.emit()
            return
        self._next(run)

    def _on_no_model(self, run: Run, sentence: str) -> None:
        # Every image would fail with the same sentence.
        if run is self._run:
            self.problem.emit(sentence)
            self._break_off(run)

    def _next(self, run: Run) -> None:
        session = self._session
        if run is not self._run or run.paused:
            return
        while run.waiting and session.record(run.waiting[-1]).state not in run.states:
            self._leave_alone(run, run.waiting.pop())
        if not run.waiting:
            self._end(run)
            return
        image_id = run.waiting.pop()
        run.at_work, run.note = image_id, session.record(image_id).path
        path, folder = session.path(image_id), run.database.folder
        task = run.work.prepare(ImageTask(image_id, path, folder, run.stored.model, use_kept=True))
        run.job = self._tasks.submit(
            LaneName.MODEL,
            lambda context: self._do(run, task, context),
            Callbacks(
                lambda result: self._on_done(run, image_id, result),
                lambda sentence: self._on_failed(run, image_id, sentence),
                lambda: self._on_cancelled(run, image_id),
            ),
            Priority.BATCH,
        )

    def _do(self, run: Run, task: ImageTask, context: TaskContext) -> Result:
        """Do an image and, unless a person looks at it, store the result; on lane MODEL."""
        found, make = run.work.work(task, context), run.work.make
        if make is None:
            return Result(found, stored=False)
        left_alone = []

        def edit(content: ImageContent) -> Edit | None:
            if content.record.state in run.states:
                return make(content, found)
            left_alone.append(True)
            return Edit("")

        session, database = self._session, run.database
        try:
            stored = session.beside.commit(session, database, task.image_id, edit, context)
            if stored:
                note_end(database.folder, task.image_id)
        except UserError as error:
            return Result(found, stored=False, refusal=str(error))
        return Result(found, stored, bool(left_alone))

    def _on_done(self, run: Run, image_id: int, result: Result) -> None:
        if run is not self._run:
            self._session.beside.take_up()
            return
        if self._session.writing:
            # A long edit of a person; nothing else can be written before it is done.
            QTimer.singleShot(_LATER_MS, self, lambda: self._on_done(run, image_id, result))
            return
        run.at_work = None
        run.pace.note_result()
        with self._session.beside.held():
            left_alone = self._session.record(image_id).state not in run.states
            if result.refusal:
                # The next image could not be written either.
                self.problem.emit(result.refusal)
                self._break_off(run)
            elif result.left_alone or (left_alone and not result.stored):
                self._leave_alone(run, image_id)
            elif self._is_stored(run, image_id, result):
                run.done += 1
            else:
                self._break_off(run)
        self._next(run)

    def _is_stored(self, run: Run, image_id: int, result: Result) -> bool:
        if result.stored:
            run.work.noted(image_id, result.found)
            return True
        if not run.work.store(image_id, result.found):
            return False
        self._note_end(run, image_id)
        return True

    def _on_failed(self, run: Run, image_id: int, sentence: str) -> None:
        if run is not self._run:
            return
        run.at_work = None
        run.pace.note_result()
        run.failed.append(Failure(image_id, sentence))
        self._note_end(run, image_id, sentence)
        self.failures_changed.emit()
        self._next(run)

    def _on_cancelled(self, run: Run, image_id: int) -> None:
        if run is not self._run:
            return
        run.at_work = None
        if not run.cancelled:
            run.waiting.append(image_id)
        self._next(run)

    def _leave_alone(self, run: Run, image_id: int) -> None:
        run.left_alone += 1
        self._note_end(run, image_id)

    def _note_end(self, run: Run, image_id: int, sentence: str = "") -> None:
        try:
            note_end(run.database.folder, image_id, sentence)
        except UserError as error:
            self.problem.emit(str(error))
            self._break_off(run)

    def _break_off(self, run: Run) -> None:
        run.broken_off = True
        run.waiting.clear()
        if not run.done and not run.failed:
            forget_run(run.database.folder)
        self._leave(run)

    def _end(self, run: Run) -> None:
        forget_run(run.database.folder)
        self._leave(run)

    def _leave(self, run: Run) -> None:
        """Let go of a run; where its file still lies, it can be continued."""
        if run is not self._run:
            return
        self._run = None
        self._failures, self._failed_run = tuple(run.failed), run.stored
        if self._session.database is run.database:
            self._unfinished = read_run(run.database.folder)
        self.changed.emit()
        self.failures_changed.emit()
        self.finished.emit(run.report())

    def _on_opened(self) -> None:
        """Look for a run that is not finished."""
        self.stop()
        self._unfinished = self._failed_run = None
        self._failures = ()
        self.changed.emit()
        self.failures_changed.emit()
        database = self._session.database
        if database is None or database.read_only:
            return

        def done(found: StoredRun | None) -> None:
            if self._session.database is database and self._run is None:
                self._unfinished = found
                self.changed.emit()

        folder = database.folder
        self._tasks.submit(LaneName.FILES, lambda _: read_run(folder), Callbacks(done))
