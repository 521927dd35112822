"""Boxes become outlines: annotations that are a box alone get what the model sees in it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation, ImageState
from maskstudio.errors import CancelledError, UserError
from maskstudio.progress import TaskContext
from maskstudio.session.batch_work import BatchWork
from maskstudio.session.model_lane import ImageTask
from maskstudio.session.preannotation import PreAnnotator
from maskstudio.session.runs import RunReport
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, LaneName, Tasks

if TYPE_CHECKING:
    from maskstudio.annotation.offers import Reading

OUTLINE_BOXES = "outline-boxes"
"""The kind of the run over the folder."""

NO_OUTLINES = (
    "{model} finds boxes and draws no outlines; choose a Mask R-CNN in the panel Model, such as "
    "maskrcnn_resnet50_fpn_v2."
)
"""Said of a Faster R-CNN that is asked for an outline."""

_WORDS = "looked through for boxes"
# A finished image may hold boxes from elsewhere; one put aside is nobody's concern.
_STATES = tuple(state for state in ImageState if state is not ImageState.SKIPPED)
_DONE = (ImageState.VERIFIED, ImageState.EMPTY)

Outlined = Sequence[tuple[Annotation, Sequence["Reading"]]]
"""Annotations that were boxes, each with the readings of the model's answer."""


@dataclass
class _Count:
    """How many boxes became outlines, and how many the model sees nothing in."""

    outlined: int = 0
    kept: int = 0

    def words(self) -> str:
        if not self.outlined and not self.kept:
            return "No annotation that can be changed is a box alone."
        one = self.outlined == 1
        became = "1 box became an outline" if one else f"{self.outlined:,} boxes became outlines"
        kept = f"; {self.kept:,} stayed: the model sees nothing in them" if self.kept else ""
        return f"{became}{kept}."


class BoxOutlining(QObject):
    """Gives boxes outlines: those selected, those of the current image, or those of the folder.

    Signals:
        told: one sentence on what came of it.
    """

    told = Signal(str)

    def __init__(self, session: Session, tasks: Tasks, annotator: PreAnnotator) -> None:
        super().__init__(session)
        self._session = session
        self._tasks = tasks
        self._annotator = annotator
        self._count = _Count()  # of the run over the folder
        annotator.batch.register(
            BatchWork(
                OUTLINE_BOXES,
                _WORDS,
                self._work,
                lambda image_id, outlined: self._store(image_id, outlined, self._count),
            )
        )
        annotator.batch.finished.connect(self._on_finished)

    @property
    def boxes_here(self) -> tuple[Annotation, ...]:
        """What `run_here` would outline: boxes selected, or else all of the current image."""
        chosen = self._session.selected() or tuple(self._session.annotations.values())
        return _boxes_among(chosen)

    def run_here(self) -> None:
        """Outline the boxes that are selected, or else all of the current image."""
        current, wanted = self._session.current, self.boxes_here
        if current is None or not wanted or not can_outline(self._session, self._annotator):
            return
        task, count = self._annotator.image_task(current.id), _Count()

        def done(outlined: Outlined) -> None:
            if self._store(current.id, outlined, count):
                self.told.emit(count.words())

        self._tasks.submit(
            LaneName.MODEL,
            partial(self._outline, task, wanted, keep=True),
            Callbacks(done, self._session.problem.emit),
        )

    def run_folder(self) -> None:
        """Outline all boxes of the folder, image by image, behind all that a person waits for."""
        session = self._session
        if not can_outline(session, self._annotator):
            return
        self._count = _Count()
        used = [image_id for image_id in session.image_ids if session.count(image_id)]
        self._annotator.batch.start(OUTLINE_BOXES, self._annotator.model_name, used, _STATES)

    def _work(self, task: ImageTask, context: TaskContext) -> Outlined:
        database = self._session.database
        if database is None or database.folder != task.project_folder:
            raise CancelledError
        boxed = _boxes_among(database.annotations(task.image_id))
        return self._outline(task, boxed, context, keep=False)

    def _outline(
        self, task: ImageTask, boxed: Sequence[Annotation], context: TaskContext, *, keep: bool
    ) -> Outlined:
        """Ask the model about boxes; runs on lane MODEL.

        Raises:
            UserError: the model draws no outlines, or it or the image cannot be read.
        """
        from maskstudio.session.views import answer_all

        if not boxed:
            return ()
        holder = self._annotator.holder
        predictor = holder.get(task.model_name)
        if not predictor.draws_outlines:
            raise UserError(NO_OUTLINES.format(model=predictor.model_id))
        boxes = [annotation.box for annotation in boxed]
        answers = answer_all(holder, task, boxes, context, keep=keep)
        for reading in (reading for answer in answers for reading in answer):
            context.raise_if_cancelled()
            if reading.outline is not None:
                # What storing it needs is worked out here, not while the window waits.
                reading.outline.prepare()
        return tuple(zip(boxed, answers, strict=True))

    def _store(self, image_id: int, outlined: Outlined, count: _Count) -> bool:
        """Put outlines on an image, as one edit; what was changed meanwhile stays as it is."""
        from maskstudio.annotation.offers import offers_of

        session = self._session
        content = session.content(image_id)
        after = []
        for annotation, answer in outlined:
            if content.annotations.get(annotation.id) != annotation:
                continue
            chosen = session.category_maps.of(answer[0].answers.model_id)
            offers = offers_of([answer], chosen, session.categories)
            if offers:
                drawn = offers[0].outline_as(annotation.category_id)
                after.append(replace(annotation, segmentation=drawn, box_only=None))
            else:
                count.kept += 1
        title = "Outline a box" if len(after) == 1 else f"Outline {len(after)} boxes"
        edit = edits.change(content, after, title)
        if content.record.state in _DONE and after:
            # Outlines that nobody has looked at stand on it now.
            state = edits.set_state(content, ImageState.EDITED, title)
            edit = replace(edit, images=state.images)
        stored = session.edit(edit)
        count.outlined += len(after) if stored else 0
        return stored

    def _on_finished(self, report: RunReport) -> None:
        if report.words == _WORDS and not report.broken_off:
            self.told.emit(self._count.words())


def can_outline(session: Session, annotator: PreAnnotator) -> bool:
    """Tell whether the model draws outlines, as far as that is known; say so when it does not."""
    model = annotator.model
    if model is None or model.draws_outlines:
        return True
    session.problem.emit(NO_OUTLINES.format(model=model.model_id))
    return False


def _boxes_among(annotations: Sequence[Annotation]) -> tuple[Annotation, ...]:
    return tuple(a for a in annotations if a.segmentation is None and not a.locked)
