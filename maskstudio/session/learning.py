"""The model learns from every image a person verifies, while nothing else is to be done.

An image is judged first and learned from after: see `annotation.learning_curve`. What was learned
runs in the place of the model the person began with while it leaves less to do. A person's
annotations are never changed by it. See docs/decisions/0047-it-learns-while-you-label.md.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from maskstudio.annotation.category_map import is_open, settled
from maskstudio.annotation.detections import Predictor
from maskstudio.annotation.edits import Edit, by_batch
from maskstudio.annotation.learning_curve import Comparison
from maskstudio.annotation.learning_names import LearningNames
from maskstudio.progress import TaskContext
from maskstudio.session.curve_keeping import CurveKeeping
from maskstudio.session.detection_filtering import DetectionFiltering
from maskstudio.session.learning_lane import Begun, LearningLane, Lesson, Progressed
from maskstudio.session.learning_memory import Kept, LearningMemory
from maskstudio.session.lesson_queue import DONE, LessonQueue
from maskstudio.session.model_lane import LoadedModel
from maskstudio.session.preannotation import PreAnnotator
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, Job, LaneName, Priority, Tasks

_MOST_FAILED = 3
"""After so many images in a row that it could not learn from, it stops and says why."""


_UNSAVED_S = 60.0
"""After so many seconds of learning it saves what runs even if there is more to learn."""


@dataclass(frozen=True)
class LearningState:
    """What a person is told of learning.

    Attributes:
        on: it learns from what is verified.
        in_use: what was learned runs.
        start: the model it began with.
        images: from how many images it learns.
        seconds: what learning took.
        comparison: what it is worth.
        problem: why it does not learn; empty while it does.
    """

    on: bool
    in_use: bool
    start: str
    images: int
    seconds: float
    comparison: Comparison
    problem: str


class Learning(QObject):
    """Teaches the model that runs in the open project, one piece of work at a time.

    Signals:
        changed: `state` is another one.
        saved: a model was written, or written anew.
    """

    changed = Signal()
    saved = Signal()

    def __init__(
        self,
        session: Session,
        tasks: Tasks,
        annotator: PreAnnotator,
        filtering: DetectionFiltering,
    ) -> None:
        """Learn nothing yet.

        Args:
            session: the open project.
            tasks: the lanes.
            annotator: has the model.
            filtering: knows what of a model's detections a person would see.
        """
        super().__init__(session)
        self._session = session
        self._tasks = tasks
        self._annotator = annotator
        self._filtering = filtering
        self._memory = LearningMemory(session)
        self._curve = CurveKeeping(session, tasks)
        self._queue = LessonQueue(session)
        self._job: Job | None = None
        self._resting: frozenset[str] = frozenset()
        self._soon = QTimer(self, interval=0, singleShot=True)
        self._soon.timeout.connect(self._go_on)
        self._forget()
        session.opened.connect(self._on_opened)
        session.edited.connect(self._on_edited)
        session.writing_changed.connect(self._go_on)
        annotator.model_loaded.connect(self._on_model)

    @property
    def on(self) -> bool:
        """True while it learns from what is verified in this project."""
        return self._on

    @property
    def in_use(self) -> bool:
        """True while what was learned runs in the place of the model it began with."""
        return self._running is not None

    @property
    def busy(self) -> bool:
        """True while there is something to learn, or something is being learned."""
        return self._job is not None or self._soon.isActive()

    @property
    def state(self) -> LearningState:
        """What a person is told."""
        start, comparison = self._start_id, self._curve.compare(self._start_id)
        images, seconds = len(self._queue.remembered), self._kept.seconds
        return LearningState(
            self._on, self.in_use, start, images, seconds, comparison, self._problem
        )

    def switch(self, *, on: bool) -> None:
        """Learn from what is verified in this project, or no more; what was learned stays."""
        if self._session.read_only:
            return
        self._on, self._problem, self._failures = on, "", 0
        self._memory.switch(on=on)
        if not on and self._job is not None:
            self._job.cancel()
        self._go_on()
        self.changed.emit()

    def rest(self, who: str, *, on: bool) -> None:
        """Leave the processor to something else; images are still judged and remembered.

        Args:
            who: what needs it; it learns again when nothing does any more.
            on: it needs it from now on, or no more.
        """
        self._resting = self._resting | {who} if on else self._resting - {who}
        self._go_on()

    def back_to_start(self) -> None:
        """Have the model run that the person began with, and learn no more.

        What was learned stays a model of its own, and comes back when learning is switched on.
        """
        self.switch(on=False)
        self._fall_back()

    def _forget(self) -> None:
        """Belong to another project or model."""
        if self._job is not None:
            self._job.cancel()
        self._job = None
        self._on, self._begun = False, False
        self._start: LoadedModel | None = None
        self._name = ""
        self._lane: LearningLane | None = None
        self._kept = Kept("")
        # What was learned until now; and what of it runs.
        self._learned: Predictor | None = None
        self._running: Predictor | None = None
        self._unsaved, self._saved_at = False, 0.0
        self._failures = 0
        self._problem = ""
        self._curve.reset()
        self._queue.reset()

    def _on_opened(self) -> None:
        self._resting = frozenset()
        self._put_back()
        self._forget()
        self._take_up()

    def _on_model(self) -> None:
        if self._name != self._annotator.model_name:
            self._put_back()
            self._forget()
            self._take_up()

    def _put_back(self) -> None:
        """Have the model run that it began with: what it learned is of another project's."""
        if self._running is not None:
            self._running = None
            loaded = self._annotator.holder.use_learned(self._name, None)
            if loaded is not None and self._name == self._annotator.model_name:
                self._annotator.renew(loaded)

    def _take_up(self) -> None:
        database, model = self._session.database, self._annotator.model
        if database is not None and not database.read_only and model is not None:
            self._on = self._memory.on
            self._start, self._name = model, self._annotator.model_name
            self._kept = self._memory.kept(model.model_id)
            holder, name = self._annotator.holder, self._name
            self._lane = LearningLane(holder, database, name, self._kept.name)
            self._go_on()
        self.changed.emit()

    def _on_edited(self, edit: Edit) -> None:
        if self._lane is None:
            return
        for image_id in self._queue.take_up(edit):
            learned_from = image_id in self._queue.learned_from
            self._curve.take_back(image_id, learned_from=learned_from)
        # Not in the middle of a person's edit: what comes next may be an edit of rules.
        self._soon.start()

    def _go_on(self) -> None:
        """Do what comes next, if anything does."""
        lane = self._lane
        if self._job is not None or lane is None or self._session.writing or self._problem:
            return
        if not self._begun:
            if self._worth_beginning():
                names, kept = self._names(), self._kept
                self._submit(lambda context: lane.begin(names, kept.file, context), self._on_begun)
            return
        self._decide()
        if self._on and self._is_to_be_saved():
            self._save(lane)
        elif self._on:
            self._step(lane)

    def _worth_beginning(self) -> bool:
        done = sum(self._session.state_counts.get(state, 0) for state in DONE)
        return (self._on and done > 0) or self._kept.in_use

    def _step(self, lane: LearningLane) -> None:
        step = self._queue.next(may_learn=not self._resting)
        gone, taught = step.forget, step.teach
        if gone is not None:
            self._submit(
                lambda context: lane.forget(gone, context),
                self._on_progressed,
                cancelled=lambda: self._queue.put_back(step),
            )
        elif taught is not None:
            lesson = self._lesson(taught)
            self._submit(
                lambda context: lane.teach(lesson, context),
                self._on_progressed,
                self._on_not_taught,
                lambda: self._queue.put_back(step),
            )
        elif step.learn:
            self._submit(lane.learn, self._on_learned)
        elif self._unsaved and self.in_use:
            self._save(lane)

    def _is_to_be_saved(self) -> bool:
        """Tell whether much would be lost if the program ended now."""
        return self._unsaved and self.in_use and self._kept.seconds - self._saved_at >= _UNSAVED_S

    def _lesson(self, image_id: int) -> Lesson:
        task, judged = self._annotator.image_task(image_id), image_id not in self._curve
        return Lesson(task, self._names(), self._filtering.usual, judged, self.in_use)

    def _save(self, lane: LearningLane) -> None:
        kept, self._unsaved = self._kept, False
        self._saved_at = kept.seconds

        def done(_: object) -> None:
            self._memory.keep(self._start_id, self._kept)
            self.saved.emit()

        self._submit(lambda context: lane.save(kept.file, kept.name, context), done)

    def _submit(
        self,
        work: Callable[[TaskContext], object],
        done: Callable[[Any], None],
        failed: Callable[[str], None] | None = None,
        cancelled: Callable[[], None] = lambda: None,
    ) -> None:
        """Put work on lane MODEL; what ends after it was dropped is not told of."""

        def told(call: Callable[..., None]) -> Callable[..., None]:
            def tell(*what: Any) -> None:
                if self._job is job:
                    self._job = None
                    call(*what)
                    self._go_on()
                    self.changed.emit()

            return tell

        callbacks = Callbacks(told(done), told(failed or self._on_failed), told(cancelled))
        job = self._tasks.submit(LaneName.MODEL, work, callbacks, Priority.IDLE)
        self._job = job

    def _on_begun(self, begun: Begun) -> None:
        self._begun = True
        self._curve.reset(begun.curve)
        now, self._saved_at = begun.progressed, self._kept.seconds
        self._learned = now.learned
        self._queue.begin(now.remembered, now.due, begun.earlier)

    def _on_progressed(self, now: Progressed) -> None:
        self._failures = 0
        self._take(now)
        if now.point is not None and self._queue.is_done(now.point.image_id):
            self._curve.note(now.point)

    def _on_learned(self, now: Progressed) -> None:
        self._kept = replace(self._kept, seconds=self._kept.seconds + now.seconds)
        self._take(now)
        if not now.due:
            self._memory.keep(self._start_id, self._kept)

    def _take(self, now: Progressed) -> None:
        self._unsaved |= now.learned is not self._learned
        self._learned = now.learned
        self._queue.note(now.remembered, now.due)

    def _on_not_taught(self, sentence: str) -> None:
        self._failures += 1
        if self._failures >= _MOST_FAILED:
            self._problem = sentence

    def _on_failed(self, sentence: str) -> None:
        self._problem = sentence

    def _decide(self) -> None:
        """Have run what leaves less to do."""
        learned, in_use = self._learned, self._kept.in_use
        better = self._curve.compare(self._start_id).prefers_learned(in_use=in_use)
        if learned is None or not better or not (self._on or in_use):
            self._fall_back()
        elif self._running is None or (self._on and self._running is not learned):
            self._run(learned)

    def _run(self, learned: Predictor) -> None:
        """Have what was learned run; its categories go where those of its model go."""
        names = self._names()
        rules = names.rules(learned.categories)
        if self._start is not None and not is_open(
            names.start, self._start.categories, names.project
        ):
            rules += settled(names.after(learned.categories), learned.categories)
        edit = Edit("Take over the category map", f"model:{self._kept.name}", rules=rules)
        if not self._session.edit(by_batch(edit)):
            return
        self._running = learned
        loaded = self._annotator.holder.use_learned(self._name, learned)
        if loaded is not None:
            self._annotator.renew(loaded)
        self._keep(in_use=True)

    def _fall_back(self) -> None:
        self._put_back()
        self._keep(in_use=False)

    def _keep(self, *, in_use: bool) -> None:
        if self._kept.in_use != in_use:
            self._kept = replace(self._kept, in_use=in_use)
            self._memory.keep(self._start_id, self._kept)
            self.changed.emit()

    @property
    def _start_id(self) -> str:
        return "" if self._start is None else self._start.model_id

    def _names(self) -> LearningNames:
        session, maps = self._session, self._session.category_maps
        return LearningNames(session.categories, maps.of(self._start_id), maps.of(self._kept.name))
