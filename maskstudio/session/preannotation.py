"""Pre-annotation: run the model on the current image or on the folder.

A person's annotations are never touched: only what no person has touched is replaced.
"""

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from maskstudio.annotation.annotation import ImageState
from maskstudio.annotation.detections import Outlined
from maskstudio.session.model_lane import ImageTask, LoadPredictor, ModelHolder
from maskstudio.session.score_filter import ScoreFilter
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, Job, LaneName, Priority, Tasks

if TYPE_CHECKING:
    # It brings the database library, which an empty window does without.
    from maskstudio.storage.project import ProjectDatabase

# A batch leaves alone what a person has finished or put aside.
_OPEN_STATES = (ImageState.NEW, ImageState.PREDICTED, ImageState.EDITED)


@dataclass(frozen=True)
class RunReport:
    """How a run ended.

    Attributes:
        batch: it was the folder, not one image.
        total: images it was to predict.
        done: images predicted.
        failed: one sentence for each image that could not be.
        left_alone: images that a person had finished.
        cancelled: a person stopped it before its end.
        broken_off: it could not go on, and `problem` said why.
    """

    batch: bool
    total: int
    done: int
    failed: tuple[str, ...]
    left_alone: int
    cancelled: bool
    broken_off: bool


@dataclass(frozen=True)
class RunProgress:
    """Where a run is, for a progress line.

    Attributes:
        done: images finished.
        total: images in all.
        seconds_left: an estimate; None for a folder until its second image is finished, and for
            one image until the model has run on another before.
        note: what is being done, in words.
    """

    done: int
    total: int
    seconds_left: float | None
    note: str


@dataclass
class _Run:
    """A run in progress."""

    database: "ProjectDatabase"
    waiting: list[int]
    batch: bool
    left_alone: int
    total: int
    done: int = 0
    failed: list[str] = field(default_factory=list)
    cancelled: bool = False
    broken_off: bool = False
    paused: bool = False
    job: Job | None = None
    image_id: int = 0
    note: str = "loading the model"
    image_began_at: float = 0.0
    first_result_at: float = 0.0
    last_result_at: float = 0.0

    def stop(self) -> None:
        self.cancelled = not self.broken_off
        self.waiting.clear()
        if self.job is not None:
            self.job.cancel()

    def break_off(self) -> None:
        self.broken_off = True
        self.waiting.clear()

    def note_result(self) -> None:
        self.last_result_at = time.monotonic()
        self.first_result_at = self.first_result_at or self.last_result_at

    def progress(self, usual_seconds: float | None) -> RunProgress:
        finished = self.done + len(self.failed)
        note = (self.job.progress.note if self.job else "") or self.note
        return RunProgress(finished, self.total, self._seconds_left(finished, usual_seconds), note)

    def _seconds_left(self, finished: int, usual_seconds: float | None) -> float | None:
        now = time.monotonic()
        if finished > 1:
            # Counted from the first result on: before it lies the loading of the model.
            each = (self.last_result_at - self.first_result_at) / (finished - 1)
            return max(0.0, each * (self.total - finished) - (now - self.last_result_at))
        if self.batch or usual_seconds is None or not self.image_began_at:
            return None
        return max(0.0, usual_seconds - (now - self.image_began_at))

    def report(self) -> RunReport:
        return RunReport(
            self.batch,
            self.total,
            self.done,
            tuple(self.failed),
            self.left_alone,
            self.cancelled,
            self.broken_off,
        )


class PreAnnotator(QObject):
    """Runs the model on images of the session.

    One image and a folder may run at the same time; the one image goes first.

    Signals:
        running_changed: a run began or ended.
        finished: a `RunReport`.
        model_loaded: `model_name` is another model.
        device_changed: `device_line` is another one.
        problem: one sentence for the person.
    """

    running_changed = Signal()
    finished = Signal(object)
    model_loaded = Signal()
    device_changed = Signal()
    problem = Signal(str)

    def __init__(
        self,
        session: Session,
        tasks: Tasks,
        score_filter: ScoreFilter,
        load_predictor: LoadPredictor,
        model_name: str,
    ) -> None:
        super().__init__(session)
        self._session = session
        self._tasks = tasks
        self._filter = score_filter
        self._holder = ModelHolder(load_predictor)
        self._model_name = model_name
        self._one: _Run | None = None
        self._batch: _Run | None = None
        self._device_line = ""
        self._usual_seconds: float | None = None
        session.opened.connect(self.cancel)

    @property
    def model_name(self) -> str:
        """Name or path of the model that runs."""
        return self._model_name

    @property
    def device_line(self) -> str:
        """Where the model runs and why not on a GPU, or that it is being loaded."""
        return self._device_line

    @property
    def running(self) -> bool:
        """True while images are being predicted."""
        return self._one is not None or self._batch is not None

    def progress(self) -> RunProgress | None:
        """Return where the run is (the folder's, if there are two); None when there is none."""
        run = self._batch or self._one
        return None if run is None else run.progress(self._usual_seconds)

    def use_model(self, name: str) -> None:
        """Load a model and run it from then on; when it cannot be loaded, the one before stays."""
        self._set_device_line("loading the model …")
        self._tasks.submit(
            LaneName.MODEL,
            lambda _: self._holder.load(name),
            Callbacks(
                lambda line: self._on_loaded(name, line),
                lambda sentence: self._on_not_loaded(name, sentence),
            ),
            Priority.SOON,
        )

    def run_current(self) -> None:
        """Run the model on the current image."""
        current = self._session.current
        if current is not None and self._one is None and self._allowed():
            self._one = _Run(self._session.require_database(), [current.id], False, 0, 1)
            self._begin(self._one)

    def run_folder(self) -> None:
        """Run the model on every image a person has not finished."""
        session = self._session
        if self._batch is not None or session.database is None or not self._allowed():
            return
        there = [i for i in session.image_ids if i not in session.missing]
        open_ = [i for i in there if session.record(i).state in _OPEN_STATES]
        left_alone = len(there) - len(open_)
        self._batch = _Run(session.database, open_[::-1], True, left_alone, len(open_))
        self._begin(self._batch)

    def cancel(self) -> None:
        """Stop what runs; what it has done so far stays."""
        for run in (self._one, self._batch):
            if run is not None:
                run.stop()
                if not run.image_id:
                    # Loading a model cannot be interrupted, and nobody needs to wait for it.
                    self._end(run)

    def _allowed(self) -> bool:
        if self._session.read_only:
            self.problem.emit("This folder is open for reading only; nothing can be predicted.")
        elif self._session.writing:
            self.problem.emit("Still saving the change before; predict in a moment.")
        return not (self._session.read_only or self._session.writing)

    def _begin(self, run: _Run) -> None:
        name = self._model_name
        run.job = self._tasks.submit(
            LaneName.MODEL,
            lambda _: self._holder.load(name),
            Callbacks(
                lambda line: self._on_ready(run, line),
                lambda sentence: self._on_no_model(run, sentence),
                lambda: self._next(run),
            ),
            Priority.BATCH if run.batch else Priority.NOW,
        )
        self.running_changed.emit()

    def _on_ready(self, run: _Run, device_line: str) -> None:
        self._set_device_line(device_line)
        self._next(run)

    def _on_no_model(self, run: _Run, sentence: str) -> None:
        # Every image would fail with the same sentence.
        run.break_off()
        self.problem.emit(sentence)
        self._next(run)

    def _next(self, run: _Run) -> None:
        if self._session.database is not run.database:
            run.stop()
        if not run.waiting:
            self._end(run)
            return
        run.paused = run.batch and self._one is not None
        if run.paused:
            # A person waits for the one image; its end lets the folder go on.
            return
        run.image_id = run.waiting.pop()
        task = ImageTask(
            run.image_id,
            self._session.path(run.image_id),
            run.database.folder,
            self._model_name,
            use_kept=run.batch,
        )
        run.note = self._session.record(run.image_id).path
        run.image_began_at = time.monotonic()
        run.job = self._tasks.submit(
            LaneName.MODEL,
            lambda context: self._holder.find(task, context),
            Callbacks(
                lambda found: self._on_found(run, found),
                lambda sentence: self._on_failed(run, sentence),
                lambda: self._next(run),
            ),
            Priority.BATCH if run.batch else Priority.NOW,
        )

    def _end(self, run: _Run) -> None:
        if run is self._one:
            self._one = None
        elif run is self._batch:
            self._batch = None
        else:
            return
        self.running_changed.emit()
        self.finished.emit(run.report())
        if not run.batch and self._batch is not None and self._batch.paused:
            self._next(self._batch)

    def _on_found(self, run: _Run, found: Outlined) -> None:
        run.note_result()
        if not run.batch:
            self._usual_seconds = run.last_result_at - run.image_began_at
        if self._session.database is run.database:
            if self._filter.store(run.image_id, found, undoable=not run.batch):
                run.done += 1
            else:
                # It cannot be written; the next image would not be either.
                run.break_off()
        self._next(run)

    def _on_failed(self, run: _Run, sentence: str) -> None:
        run.note_result()
        run.failed.append(sentence)
        self._next(run)

    def _on_loaded(self, name: str, device_line: str) -> None:
        self._model_name = name
        self._usual_seconds = None
        self._set_device_line(device_line)
        self.model_loaded.emit()

    def _on_not_loaded(self, name: str, sentence: str) -> None:
        self.problem.emit(sentence)
        if name != self._model_name:
            self.use_model(self._model_name)
        else:
            self._set_device_line("no model is loaded")

    def _set_device_line(self, line: str) -> None:
        if line != self._device_line:
            self._device_line = line
            self.device_changed.emit()
