"""What stood on an image before another model was run on it, and which images that changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, SignalInstance

from maskstudio.annotation.annotation import Annotation, ImageState
from maskstudio.annotation.difference_marks import marks_of
from maskstudio.annotation.differences import Differences, differences, stood_before
from maskstudio.annotation.overlay_request import Marks
from maskstudio.progress import TaskContext
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, Job, LaneName, Tasks

if TYPE_CHECKING:
    from maskstudio.storage.project import ProjectDatabase

# Of what a person has finished nobody needs to look at what the model changed.
_OPEN = (ImageState.PREDICTED, ImageState.EDITED)


@dataclass(frozen=True)
class Past:
    """An image before the last model was run on it.

    Attributes:
        image_id: the image.
        annotations: what stood there, by id, back to front.
        differences: between that and what stands there now.
        marks: point out what differs.
        models: the ids of the models that found what is gone or another now, sorted.
    """

    image_id: int
    annotations: Mapping[int, Annotation]
    differences: Differences
    marks: Marks
    models: tuple[str, ...]


class PastFinding(QObject):
    """Reads the past of images from the journal, on lane FILES.

    Signals:
        found: the `Past` of the image that was asked for; None where it has none.
        stepped: the `Past` of the next image that was changed; None where there is none.
    """

    found = Signal(object)
    stepped = Signal(object)

    def __init__(self, session: Session, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._tasks = tasks
        self._job: Job | None = None
        session.opened.connect(self.drop)

    def look(self) -> None:
        """Find what stood on the current image."""
        database, image = self._session.database, self._session.current
        if database is None or image is None:
            return
        now, image_id = dict(self._session.annotations), image.id
        self._submit(lambda context: past_of(database, image_id, now, context), self.found)

    def step(self, by: int) -> None:
        """Find the next image in the order of the names that was changed; -1 for the one before.

        Images that a person has finished are passed over, and those where nobody could see a
        difference.
        """
        database, session = self._session.database, self._session
        if database is None:
            return
        current = session.current
        here = -1 if current is None else session.image_ids.index(current.id)
        there = session.image_ids[here + 1 :] if by > 0 else session.image_ids[: max(here, 0)][::-1]
        ahead = [i for i in there if session.record(i).state in _OPEN]
        self._submit(lambda context: _first_changed(database, ahead, context), self.stepped)

    def drop(self) -> None:
        """Forget what was asked for."""
        if self._job is not None:
            self._job.cancel()
            self._job = None

    def _submit(self, work: Callable[[TaskContext], Past | None], told: SignalInstance) -> None:
        self.drop()

        def done(past: Past | None) -> None:
            if self._job is job:
                self._job = None
                told.emit(past)

        job = self._tasks.submit(LaneName.FILES, work, Callbacks(done, self._session.problem.emit))
        self._job = job


def past_of(
    database: "ProjectDatabase",
    image_id: int,
    now: Mapping[int, Annotation],
    context: TaskContext,
) -> Past | None:
    """Return what stood on an image before the last model; None where there was no other model.

    Args:
        database: the project.
        image_id: the image.
        now: what stands on it.
        context: asked whether to stop.

    Raises:
        UserError: the project cannot be read.
        CancelledError: nobody wants to know any more.
    """
    edits = database.by_last_model(image_id)
    if not edits:
        return None
    context.raise_if_cancelled()
    before = stood_before(now, [change for edit in edits for change in edit.annotations])
    found = differences(before, now)
    others = (*found.gone, *(old for old, _ in found.changed))
    models = tuple(sorted({a.model_id for a in others if a.model_id is not None}))
    return Past(image_id, before, found, marks_of(found), models)


def _first_changed(
    database: "ProjectDatabase", image_ids: Sequence[int], context: TaskContext
) -> Past | None:
    again = frozenset(database.predicted_again())
    candidates = [image_id for image_id in image_ids if image_id in again]
    for number, image_id in enumerate(candidates):
        context.report(number, len(candidates))
        context.raise_if_cancelled()
        now = {a.id: a for a in database.annotations(image_id)}
        past = past_of(database, image_id, now, context)
        if past is not None and past.differences:
            return past
    return None
