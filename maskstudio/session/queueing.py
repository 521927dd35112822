"""The queue of what to label next: the model looks at the images, then they are put in order.

The model looks at one image after the other on lane MODEL, behind all that a person waits for. What
it saw is kept beside the project, so nothing is done twice: not after a cancel, not after a
restart. What stands first in the order is looked at once more, mirrored, and ordered again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from maskstudio.annotation.annotation import ImageRecord, ImageState
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.edits import Edit
from maskstudio.annotation.queue import Candidate, Place, arranged
from maskstudio.progress import TaskContext
from maskstudio.session.batch_work import OPEN_STATES
from maskstudio.session.detection_filtering import DetectionFiltering
from maskstudio.session.model_lane import LoadedModel
from maskstudio.session.preannotation import PreAnnotator
from maskstudio.session.runs import Pace, RunProgress
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, Job, LaneName, Priority, Progress, Tasks, Work
from maskstudio.storage.looks import Look, keep_looks, known_looks

# What is labelled is looked at to know what it covers; so many images of it tell.
_MOST_LABELLED = 200
# So many of the first are looked at mirrored: whoever has labelled them orders anew.
MIRRORED = 40
# A run over the folder changes image after image; the order waits until that comes to rest.
_CALM_MS = 1000
_LABELLED = (ImageState.VERIFIED, ImageState.EMPTY)


@dataclass
class _Run:
    """A run in progress; `waiting` ends with the image to be looked at next."""

    folder: Path
    model_name: str
    anew: bool = False
    model: LoadedModel | None = None
    waiting: list[int] = field(default_factory=list)
    total: int = 0
    failed: int = 0
    mirrored: bool = False
    arranging: bool = False
    looks: Mapping[str, Look] = field(default_factory=dict)
    note: str = "loading the model"
    pace: Pace = field(default_factory=Pace)
    job: Job | None = None


@dataclass(frozen=True)
class _Ordered:
    """The queue, and by their paths what is known of the images."""

    queue: dict[int, Place]
    looks: Mapping[str, Look]


class Queueing(QObject):
    """Orders the images of the open project by what they would teach.

    Signals:
        changed: a run began, is at another stage, or ended; or the order is out of date.
        problem: one sentence for the person.
    """

    changed = Signal()
    problem = Signal(str)

    def __init__(
        self,
        session: Session,
        tasks: Tasks,
        annotator: PreAnnotator,
        filtering: DetectionFiltering,
    ) -> None:
        super().__init__(session)
        self._session = session
        self._tasks = tasks
        self._annotator = annotator
        self._filtering = filtering
        self._run: _Run | None = None
        self._ordered_for: LoadedModel | None = None
        self._failed = 0
        self._has_learned = False
        self._stale: set[int] = set()
        self._calm = QTimer(self, interval=_CALM_MS, singleShot=True)
        self._calm.timeout.connect(self._follow)
        session.opened.connect(self._on_opened)
        session.edited.connect(self._on_edited)
        annotator.model_loaded.connect(self.changed)
        annotator.model_renewed.connect(self._on_model_renewed)

    @property
    def running(self) -> bool:
        """True while images are looked at or put in order."""
        return self._run is not None

    @property
    def failed(self) -> int:
        """How many images could not be looked at in the last run."""
        return self._failed

    @property
    def outdated(self) -> bool:
        """True when another model was chosen since the order was made, or the model has learned."""
        made, now = self._ordered_for, self._annotator.model
        if made is None or now is None:
            return False
        return self._has_learned or made.model_id != now.model_id

    def progress(self) -> RunProgress | None:
        """Return where the run is; None when there is none."""
        run = self._run
        if run is None:
            return None
        at = run.job.progress if run.job else Progress()
        if run.arranging or run.model is None:
            return RunProgress(at.done, at.total, None, at.note or run.note)
        # One is at work.
        done, left = run.total - len(run.waiting) - 1, run.pace.seconds_left(len(run.waiting))
        return RunProgress(max(done, 0), run.total, left, run.note, run.model_name)

    def start(self) -> None:
        """Have the images looked at that were not yet, and put all of them in order."""
        database = self._session.database
        if database is None or self._run is not None:
            return
        run = self._run = _Run(database.folder, self._annotator.model_name, self._has_learned)
        self._has_learned = False
        self._submit(
            run,
            LaneName.MODEL,
            lambda _: self._annotator.holder.load(run.model_name),
            lambda loaded: self._plan(run, loaded),
        )
        self.changed.emit()

    def cancel(self) -> None:
        """Look at no more images; those looked at so far are put in order."""
        run = self._run
        if run is None:
            return
        run.waiting.clear()
        if run.job is not None:
            run.job.cancel()
        if run.model is None or run.arranging:
            # Loading a model cannot be interrupted, and nobody needs to wait for it.
            self._end(run)
        else:
            self._arrange(run, last=True)

    def _plan(self, run: _Run, loaded: LoadedModel) -> None:
        """Find out which images the model has not looked at."""
        run.model, run.note = loaded, "looking what is known"
        everything = self._images(OPEN_STATES) + _some(self._images(_LABELLED), _MOST_LABELLED)

        def work(_: TaskContext) -> list[int]:
            known = known_looks(run.folder, [one.path for one in everything], loaded.model_id)
            return [one.id for one in everything if run.anew or one.path not in known]

        def done(image_ids: list[int]) -> None:
            run.waiting, run.total = image_ids[::-1], len(image_ids)
            self._next(run)

        self._submit(run, LaneName.FILES, work, done)

    def _next(self, run: _Run) -> None:
        """Have the next image looked at; put all in order after the last."""
        session = self._session
        if not run.waiting or run.model is None:
            self._arrange(run, last=run.mirrored)
            return
        record = session.record(run.waiting.pop())
        run.note = record.path
        holder = self._annotator.holder
        task = replace(
            self._annotator.image_task(record.id, use_kept=not run.anew),
            model_name=run.model_name,
            shown=self._filtering.start(record.id, run.model.model_id),
        )
        keep = record.state is ImageState.NEW and not session.read_only
        known = run.looks.get(record.path)

        def work(context: TaskContext) -> None:
            from maskstudio.session.image_looking import look_at, look_mirrored

            if known is None:
                look = look_at(holder, task, context, keep=keep)
            else:
                look = look_mirrored(holder, task, known, context)
            # What the model learned may have taken its place meanwhile.
            keep_looks(run.folder, {record.path: look}, holder.get(run.model_name).model_id)

        def done(_: object) -> None:
            run.pace.note_result()
            self._next(run)

        def failed(_: str) -> None:
            run.failed += 1
            done(None)

        self._submit(run, LaneName.MODEL, work, done, failed)

    def _arrange(self, run: _Run, *, last: bool) -> None:
        """Put the images in order; unless it is the last time, look at the first mirrored."""
        run.note, run.arranging = "putting them in order", True

        def done(ordered: _Ordered) -> None:
            queue, run.arranging, run.looks = ordered.queue, False, ordered.looks
            self._ordered_for = run.model
            self._session.order.set_queue(queue)
            first = list(queue)[:MIRRORED]
            wanted = [i for i in first if queue[i].doubt.unsteady is None]
            if last or not wanted:
                self._end(run)
                return
            run.mirrored, run.pace = True, Pace()
            run.waiting, run.total = wanted[::-1], len(wanted)
            self.changed.emit()
            self._next(run)

        if run.model is not None:
            self._submit(run, LaneName.FILES, self._arranging(run.folder, run.model), done)

    def _arranging(self, folder: Path, model: LoadedModel) -> Callable[[TaskContext], _Ordered]:
        """Return what puts the images in order, of which the model has looked at; on a lane."""
        candidates, labelled = self._images(OPEN_STATES), self._images(_LABELLED)

        def work(context: TaskContext) -> _Ordered:
            from maskstudio.session.alike import find_alike

            images = [*candidates, *labelled]
            looks = known_looks(folder, [one.path for one in images], model.model_id)
            alike = find_alike(folder, images, context).near
            seen = [
                Candidate(one.id, looks[one.path].doubt, looks[one.path].gist)
                for one in candidates
                if one.path in looks
            ]
            gists = {
                one.id: looks[one.path].gist if one.path in looks else None for one in labelled
            }
            queue = arranged(seen, gists, alike, context.raise_if_cancelled)
            return _Ordered(queue, looks)

        return work

    def _images(self, states: Sequence[ImageState]) -> list[ImageRecord]:
        session = self._session
        records = (session.record(i) for i in session.image_ids if i not in session.missing)
        return [record for record in records if record.state in states]

    def _submit(
        self,
        run: _Run,
        lane: LaneName,
        work: Work,
        done: Callable[..., object],
        failed: Callable[[str], object] | None = None,
    ) -> None:
        """Do the next piece of a run; what is told of a run that is over is not heard."""

        def told(call: Callable[..., object], *what: object) -> None:
            if run is self._run and run.job is job:
                run.job = None
                call(*what)

        def give_up(sentence: str) -> None:
            self.problem.emit(sentence)
            self._end(run)

        callbacks = Callbacks(
            partial(told, done), partial(told, failed or give_up), lambda: told(self._end, run)
        )
        job = run.job = self._tasks.submit(lane, work, callbacks, Priority.BATCH)

    def _end(self, run: _Run) -> None:
        if run is self._run:
            self._run, self._failed = None, run.failed
            self.changed.emit()

    def _on_opened(self) -> None:
        run, self._run = self._run, None
        if run is not None and run.job is not None:
            run.job.cancel()
        self._ordered_for, self._failed, self._has_learned = None, 0, False
        self._stale.clear()
        self.changed.emit()

    def _on_model_renewed(self) -> None:
        self._has_learned = True
        self.changed.emit()

    def _on_edited(self, edit: Edit) -> None:
        if edit.author.startswith("model:") and self._ordered_for is not None:
            self._stale.update(edit.image_ids)
            self._calm.start()

    def _follow(self) -> None:
        """Take up what the model found anew on images since they were put in order."""
        session, model = self._session, self._ordered_for
        if session.folder is None or model is None or not self._stale:
            return
        if self._run is not None:
            self._calm.start()
            return
        records = [session.record(image_id) for image_id in sorted(self._stale)]
        shown = {one.id: self._filtering.start(one.id, model.model_id) for one in records}
        self._stale.clear()
        folder, arrange = session.folder, self._arranging(session.folder, model)

        def work(context: TaskContext) -> _Ordered:
            _renew_looks(folder, records, shown, model.model_id, context)
            return arrange(context)

        def done(ordered: _Ordered) -> None:
            if session.folder == folder and self._ordered_for is model:
                session.order.set_queue(ordered.queue)

        self._tasks.submit(LaneName.FILES, work, Callbacks(done), Priority.BATCH)


def _renew_looks(
    folder: Path,
    records: Iterable[ImageRecord],
    shown: dict[int, DetectionFilter],
    model_id: str,
    context: TaskContext,
) -> None:
    """Measure the doubt again of images of which the model's detections are others by now."""
    from maskstudio.annotation.image_doubt import doubt_of
    from maskstudio.storage.detections import read_detections

    images = {one.path: one.id for one in records}
    renewed: dict[str, Look] = {}
    for path, look in known_looks(folder, images, model_id).items():
        context.raise_if_cancelled()
        found = read_detections(folder, images[path])
        if found is not None and found.model_id == model_id:
            renewed[path] = Look(doubt_of(found, shown[images[path]]), look.gist)
    keep_looks(folder, renewed, model_id)


def _some(records: list[ImageRecord], most: int) -> list[ImageRecord]:
    """Return records spread evenly over all of them, at most so many."""
    return records[:: max(1, -(-len(records) // most))]
