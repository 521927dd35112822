"""The model at work on the images a person comes to next, while he works on one.

What it finds is kept in the detections cache and, traced, in memory. An image gets its
pre-annotations when the person arrives at it and nothing has been done to it yet; what nobody
looks at is never changed. See docs/decisions/0019-look-ahead.md.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from maskstudio.annotation.annotation import ImageState
from maskstudio.annotation.detections import Outlined
from maskstudio.annotation.edits import Edit
from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.session.detection_filtering import DetectionFiltering
from maskstudio.session.preannotation import PreAnnotator
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, Job, LaneName, Priority, Tasks, Work

BUDGET_BYTES = 64 * 1024 * 1024
"""Memory for outlines traced ahead: about 40 images of 500 instances."""

_SETTING = "look_ahead"
_AHEAD = 3
# An image of more takes so long that a person has to ask for it.
_MOST_TILES = 32
# What cannot be done and need not be told.
_UNSAID = ""
# By then the image that the person came to has been painted.
_PAINTED_MS = 40
# An outline is held as a geometry and in its stored form.
_TIMES_STORED = 2
# A detection with its RoI mask, and what Python needs for an outline.
_INSTANCE_BYTES = 1500


class LookAhead(QObject):
    """Has the images ahead predicted, and puts pre-annotations on the one the person arrives at.

    It is switched on and off for each project. Nobody who labels by hand is surprised by it: it
    comes on by itself only when a person first asks for pre-annotations in a project.

    Signals:
        changed: it is on now, or off.
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
        budget_bytes: int = BUDGET_BYTES,
    ) -> None:
        """Look at nothing yet.

        Args:
            session: the open project.
            tasks: the lanes.
            annotator: has the model.
            filtering: puts on an image what was found.
            budget_bytes: memory for what was found and is not on an image yet.
        """
        super().__init__(session)
        self._session = session
        self._tasks = tasks
        self._annotator = annotator
        self._filtering = filtering
        self._budget_bytes = budget_bytes
        self._on: bool | None = None
        self._jobs: dict[int, Job] = {}
        # Found and traced, and not on its image yet; what came first goes first.
        self._ready: OrderedDict[int, Outlined] = OrderedDict()
        # Found, and put on the image or let go of: it lies in the detections cache.
        self._known: set[int] = set()
        # Of images that the model could not do: the sentence, until the person has seen it.
        self._failed: dict[int, str] = {}
        # Found before the model learned more: it is put on its image if nothing newer is there.
        self._stale: set[int] = set()
        # Images a model has changed before: a person may have undone that.
        self._offered: set[int] = set()
        # Images the person has been at: what stands there does not change before his eyes.
        self._seen: set[int] = set()
        self._broken = False
        self._soon = QTimer(self, interval=_PAINTED_MS, singleShot=True)
        self._soon.timeout.connect(self._look)
        self._arrival = QTimer(self, interval=0, singleShot=True)
        self._arrival.timeout.connect(self._arrive)
        session.opened.connect(self._on_opened)
        session.current_changed.connect(self._on_arrived)
        session.edited.connect(self._on_edited)
        session.writing_changed.connect(self._arrival.start)
        annotator.asked.connect(self._on_asked)
        annotator.model_loaded.connect(self._on_model)
        annotator.model_renewed.connect(self._on_renewed)
        annotator.running_changed.connect(self._soon.start)

    @property
    def on(self) -> bool:
        """True while images are predicted ahead in this project."""
        return bool(self._on)

    @property
    def busy(self) -> bool:
        """True while an image is being looked at, or will be in a moment."""
        return bool(self._jobs) or self._soon.isActive() or self._arrival.isActive()

    @property
    def awaited(self) -> bool:
        """True while the current image has nothing on it because the model is not through yet."""
        current = self._session.current
        if current is None or not self.on or self._broken or self._annotator.model is None:
            return False
        coming = current.id in self._jobs or current.id in self._ready
        return self._is_open(current.id) and (coming or self._is_wanted(current.id))

    def switch(self, *, on: bool) -> None:
        """Switch it on or off for this project."""
        database = self._session.database
        if database is None or database.read_only or on == self._on:
            self.changed.emit()
            return
        try:
            database.set_setting(_SETTING, on)
        except UserError as error:
            self.problem.emit(str(error))
        else:
            self._on = on
        self.changed.emit()
        if on:
            self._look()
        else:
            self._drop_jobs()

    def _on_asked(self) -> None:
        """Come on by itself, unless a person has switched it off before."""
        if self._on is None:
            self.switch(on=True)

    def _on_opened(self) -> None:
        self._forget()
        self._offered.clear()
        self._seen.clear()
        database = self._session.database
        read_only = database is None or database.read_only
        self._on = None if database is None or read_only else database.setting(_SETTING, None)
        self.changed.emit()

    def _on_model(self) -> None:
        self._forget()
        self._broken = False
        self._soon.start()

    def _on_renewed(self) -> None:
        """Have the images ahead done again: the model has learned, or runs without it again."""
        current = self._session.current
        # Whoever waits for the image he is at does not wait longer for that.
        self._drop_jobs(() if current is None else (current.id,))
        self._stale.update(self._ready)
        self._known.clear()
        self._soon.start()

    def _forget(self) -> None:
        self._drop_jobs()
        self._ready.clear()
        self._stale.clear()
        self._known.clear()
        self._failed.clear()

    def _drop_jobs(self, wanted: Iterable[int] = ()) -> None:
        for image_id in self._jobs.keys() - set(wanted):
            self._jobs.pop(image_id).cancel()

    def _on_edited(self, edit: Edit) -> None:
        if edit.author.startswith("model:"):
            self._offered.update(edit.image_ids)
        if edit.rules:
            # What becomes of the model's categories may have been all that was waited for.
            self._arrival.start()

    def _on_arrived(self) -> None:
        # Once every view has heard of the image; the image is painted first.
        self._arrival.start()
        self._soon.start()

    def _may_put(self) -> bool:
        session = self._session
        return self.on and not (session.read_only or session.writing or self._annotator.undecided)

    def _arrive(self) -> None:
        self._put()
        if self._session.current is not None:
            self._seen.add(self._session.current.id)

    def _put(self) -> None:
        """Put what was found on the image that the person is at."""
        current = self._session.current
        if current is None or not self.on:
            return
        if self._failed.get(current.id):
            self.problem.emit(self._failed[current.id])
            self._failed[current.id] = ""
        if current.id in self._ready and self._may_put() and self._is_open(current.id):
            found = self._ready.pop(current.id)
            self._stale.discard(current.id)
            self._offered.add(current.id)
            self._filtering.store(current.id, found, undoable=False)

    def _is_open(self, image_id: int) -> bool:
        """Tell whether an image waits for pre-annotations."""
        state = self._session.record(image_id).state
        if state is ImageState.PREDICTED:
            # Nobody has touched what stands there, and by now the model knows better.
            return self._learned and image_id not in self._seen
        return state is ImageState.NEW and image_id not in self._offered

    @property
    def _learned(self) -> bool:
        return self._annotator.holder.has_learned(self._annotator.model_name)

    def _is_wanted(self, image_id: int) -> bool:
        """Tell whether the model should look at an image."""
        return (
            self._is_open(image_id)
            and (image_id not in self._ready or image_id in self._stale)
            and image_id not in self._failed
            and image_id not in self._session.missing
            and image_id != self._annotator.at_work_on
        )

    def _look(self) -> None:
        """Have the current image done if it waits for that, and one of those ahead."""
        session, current = self._session, self._session.current
        if current is None or not self.on or self._broken or self._annotator.model is None:
            self._drop_jobs()
            return
        ahead = session.order.ahead(current.id, _AHEAD)
        self._drop_jobs([current.id, *ahead])
        if self._is_wanted(current.id):
            # A person waits for it: what is ahead gives way, and it to what he asks meanwhile.
            self._submit(current.id, Priority.LONG)
        if self._jobs.keys() - {current.id}:
            return
        for image_id in ahead:
            if image_id not in self._known and self._is_wanted(image_id):
                self._submit(image_id, Priority.SOON)
                return
        if current.id not in self._jobs:
            self._warm(current.id)

    def _submit(self, image_id: int, priority: Priority) -> None:
        """Have an image done."""
        annotator = self._annotator
        # What was kept may be of a time when it had learned less.
        kept = not self._learned or image_id in self._known
        task = annotator.image_task(image_id, use_kept=kept, keeps_features=True)

        def work(context: TaskContext) -> Outlined | None:
            try:
                annotator.holder.get(task.model_name)
            except UserError:
                # Said when it was chosen; no image can be done.
                return None
            if annotator.holder.tiles_of(task) > _MOST_TILES:
                raise UserError(_UNSAID)
            return annotator.holder.find(task, context)

        def done(found: Outlined | None) -> None:
            self._broken = found is None
            if found is not None:
                self._keep(image_id, found)

        def failed(sentence: str) -> None:
            self._failed[image_id] = sentence
            self._arrival.start()

        self._begin(image_id, work, done, failed, priority)

    def _warm(self, image_id: int) -> None:
        """Have what the model sees of the current image at hand, for boxes drawn on it."""
        holder, task = self._annotator.holder, self._annotator.image_task(image_id)
        unable = image_id in self._failed or image_id in self._session.missing
        if unable or holder.has_looked(task):
            return

        def failed(_: str) -> None:
            # Who draws a box is told then.
            self._failed[image_id] = ""

        def work(context: TaskContext) -> None:
            holder.look(task, context)

        self._begin(image_id, work, lambda _: None, failed, Priority.SOON)

    def _begin(
        self,
        image_id: int,
        work: Work,
        done: Callable[[Any], None],
        failed: Callable[[str], None],
        priority: Priority,
    ) -> None:
        """Put work on an image on lane MODEL; what ends after it was dropped is not told of."""
        if image_id in self._jobs:
            return

        def told(call: Callable[[Any], None]) -> Callable[[Any], None]:
            def tell(what: Any) -> None:
                if self._jobs.get(image_id) is job:
                    del self._jobs[image_id]
                    self._soon.start()
                    call(what)

            return tell

        callbacks = Callbacks(told(done), told(failed))
        job = self._tasks.submit(LaneName.MODEL, work, callbacks, priority)
        self._jobs[image_id] = job

    def _keep(self, image_id: int, found: Outlined) -> None:
        self._known.add(image_id)
        self._stale.discard(image_id)
        self._ready[image_id] = found
        held = sum(map(_bytes, self._ready.values()))
        while len(self._ready) > 1 and held > self._budget_bytes:
            # It is in the detections cache: to trace it again takes a part of the time.
            held -= _bytes(self._ready.popitem(last=False)[1])
        self._put()


def _bytes(found: Outlined) -> int:
    """Return about how much memory outlines take."""
    outlines = [outline for outline in found.outlines.values() if outline is not None]
    stored = sum(len(outline.wkb) for outline in outlines)
    return _TIMES_STORED * stored + len(found.detections) * _INSTANCE_BYTES
