"""What lane MODEL does to learn: it judges an image first, and learns from it after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.detections import Learner, Predictor
from maskstudio.annotation.learning import Truth
from maskstudio.annotation.learning_curve import LEAST_LEARNED, CurvePoint
from maskstudio.annotation.learning_names import LearningNames
from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.session.lesson_queue import DONE
from maskstudio.session.model_lane import ImageTask, ModelHolder
from maskstudio.storage.places import FOLDER_NAME

if TYPE_CHECKING:
    from maskstudio.storage.project import ProjectDatabase

FOLDER = "learning"
"""Where, in the folder of the project's own files, the learner keeps what it needs."""

# What was learned lies there for a moment, on its way to a learner that knows more categories.
_GROWN = "learning.safetensors"

_SLICE_S = 2.0
"""So long it learns before it says how far it is."""

_MOST_EARLIER = 50
"""Of images that were verified before it began to learn, it goes through so many at most."""


@dataclass(frozen=True)
class Lesson:
    """An image to learn from.

    Attributes:
        task: the image and the model.
        names: what categories are called.
        shown: what of a model's detections a person would see.
        judged: say first what the models would have left to do on it.
        in_use: what was learned runs in the place of its model.
    """

    task: ImageTask
    names: LearningNames
    shown: DetectionFilter
    judged: bool
    in_use: bool


@dataclass(frozen=True)
class Progressed:
    """How far learning is.

    Attributes:
        remembered: the images it learns from.
        due: steps that are still worth making.
        seconds: what learning took just now.
        learned: what was learned until now, to run; None before there is anything.
        images: from how many images that was.
        point: what an image said of it.
    """

    remembered: frozenset[int]
    due: int
    seconds: float
    learned: Predictor | None
    images: int
    point: CurvePoint | None = None


@dataclass(frozen=True)
class Begun:
    """What an earlier session left.

    Attributes:
        progressed: how far it came.
        curve: what it found out; the oldest first.
        earlier: images that were verified before and that the learner may be taught.
    """

    progressed: Progressed
    curve: Sequence[CurvePoint]
    earlier: tuple[int, ...]


class LearningLane:
    """One model that learns from one project. Only lane MODEL calls it."""

    def __init__(
        self, holder: ModelHolder, database: ProjectDatabase, model_name: str, learned_id: str
    ) -> None:
        """Learn nothing yet.

        Args:
            holder: has the model.
            database: of the project.
            model_name: of the model it begins with.
            learned_id: what annotations made by what it has learned carry.
        """
        self._holder = holder
        self._database = database
        self._model_name = model_name
        self._learned_id = learned_id
        self._learner: Learner | None = None
        self._learned: Predictor | None = None
        self._learned_steps = self._learned_images = 0

    def begin(self, names: LearningNames, saved: Path, context: TaskContext) -> Begun:
        """Begin, or go on with what was saved.

        Args:
            names: what categories are called.
            saved: a model that `save` wrote, if it is there.
            context: asked whether to stop.

        Raises:
            UserError: the model cannot learn; the sentence says why.
        """
        context.raise_if_cancelled()
        learner = self._make(names)
        if saved.exists():
            learner.take_up(saved)
        for image_id in learner.remembered & self._apart():
            learner.forget(image_id)
        self._renew(learner)
        curve = self._database.learning_curve()
        return Begun(self._progressed(), curve, self._earlier(context))

    def teach(self, lesson: Lesson, context: TaskContext) -> Progressed:
        """Judge an image, and remember it to learn from unless it is kept apart.

        Raises:
            UserError: the image cannot be read or remembered.
            CancelledError: it is to stop.
        """
        from maskstudio.storage.images import read_image

        learner = self._knowing(lesson.names)
        task = lesson.task
        if self._holder.tiles_of(task):
            # Looked at whole, what is on it is too small to be seen.
            learner.forget(task.image_id)
            return self._progressed()
        self._renew(learner)
        known = {category.id for category in lesson.names.project}
        found = self._database.annotations(task.image_id)
        # A category made since then comes with an edit, after which the image is taught again.
        standing = [annotation for annotation in found if annotation.category_id in known]
        point = self._judged(lesson, standing, context) if lesson.judged else None
        if task.image_id in self._apart():
            learner.forget(task.image_id)
            return self._progressed(point=point)
        truth = _truth(standing, lesson.names.taught(learner.categories))
        learner.remember(task.image_id, read_image(task.path), truth, context)
        return self._progressed(point=point)

    def forget(self, image_id: int, context: TaskContext) -> Progressed:
        """Learn from an image no more."""
        context.raise_if_cancelled()
        if self._learner is not None:
            self._learner.forget(image_id)
        return self._progressed()

    def learn(self, context: TaskContext) -> Progressed:
        """Learn for a while.

        Raises:
            UserError: the device does not allow it.
            CancelledError: it is to stop.
        """
        if self._learner is None:
            return self._progressed()
        report = self._learner.learn(_SLICE_S, context)
        if not report.due:
            self._renew(self._learner)
        return self._progressed(report.seconds)

    def save(self, path: Path, name: str, context: TaskContext) -> None:
        """Write what was learned until now, in the place of what was written of it before.

        Raises:
            UserError: the file cannot be written.
        """
        from maskstudio.storage.files import replaced_file

        context.raise_if_cancelled()
        if self._learner is None:
            return
        with replaced_file(path) as beside:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._learner.save(beside, name)

    def _apart(self) -> frozenset[int]:
        """Return the images that models are measured on: nothing may be learned from them."""
        from maskstudio.session.splitting import PARTS, remembered_parts

        parts = remembered_parts(self._database)
        return frozenset(image_id for image_id, part in parts.items() if part != PARTS[0])

    def _earlier(self, context: TaskContext) -> tuple[int, ...]:
        """Return the images that were verified first, as many as are worth going through."""
        found: list[int] = []
        for records, _ in self._database.image_slices():
            context.raise_if_cancelled()
            found += [record.id for record in records if record.state in DONE]
            if len(found) >= _MOST_EARLIER:
                break
        return tuple(found[:_MOST_EARLIER])

    def _make(self, names: LearningNames) -> Learner:
        start = self._holder.start(self._model_name)
        folder = self._database.folder / FOLDER_NAME / FOLDER
        learner = start.learner(names.new(start.categories), folder)
        if learner is None:
            raise UserError(f"{start.model_id} cannot learn: {start.why_not_learning}.")
        self._learner = learner
        return learner

    def _knowing(self, names: LearningNames) -> Learner:
        """Return a learner that knows all the project's categories."""
        learner = self._learner or self._make(names)
        start = self._holder.start(self._model_name)
        if set(names.new(start.categories)) <= {one.name for one in learner.categories}:
            return learner
        # It gets more rows; what it has learned of the others goes along.
        path = self._database.folder / FOLDER_NAME / _GROWN
        path.unlink(missing_ok=True)
        learned = learner.steps > 0
        if learned:
            learner.save(path, self._learned_id)
        grown = self._make(names)
        if learned:
            grown.take_up(path)
        path.unlink(missing_ok=True)
        return grown

    def _renew(self, learner: Learner) -> None:
        """Have what runs know what has been learned until now."""
        if learner.steps != self._learned_steps:
            self._learned = learner.predictor(self._learned_id)
            self._learned_steps = learner.steps
            self._learned_images = len(learner.remembered)

    def _progressed(self, seconds: float = 0.0, point: CurvePoint | None = None) -> Progressed:
        learner = self._learner
        remembered = frozenset[int]() if learner is None else learner.remembered
        due = 0 if learner is None else learner.due
        return Progressed(remembered, due, seconds, self._learned, self._learned_images, point)

    def _judged(
        self, lesson: Lesson, standing: Sequence[Annotation], context: TaskContext
    ) -> CurvePoint | None:
        """Tell what two models that have not learned from an image leave to do on it."""
        from maskstudio.session.judging import Judge
        from maskstudio.storage.detections import read_detections

        if any(annotation.segmentation is None for annotation in standing):
            # Whose outline nobody knows, nobody can judge.
            return None
        task, names = lesson.task, lesson.names
        start, learned = self._holder.start(self._model_name), self._learned
        features = self._holder.look(task, context, keep=False)
        kept = read_detections(task.project_folder, task.image_id)
        judge = Judge(names, features, standing, lesson.shown, context)
        # What the person had before him counts, where it is known.
        known = {} if kept is None or kept.tiles else {kept.model_id: kept}
        first = judge.effort(start, known.get(start.model_id), names.start)
        second = None
        if learned is not None and self._learned_images >= LEAST_LEARNED:
            own = known.get(self._learned_id) if lesson.in_use else None
            second = judge.effort(learned, own, names.after(learned.categories))
        usual = self._learned_id if lesson.in_use else start.model_id
        shown = next((i for i in known if i in (start.model_id, self._learned_id)), usual)
        at, images = datetime.now(UTC), self._learned_images
        return CurvePoint(task.image_id, at, start.model_id, shown, images, first, second)


def _truth(standing: Sequence[Annotation], taught: dict[int, str]) -> list[Truth]:
    return [
        Truth(taught[a.category_id], a.segmentation, a.box_only, a.iscrowd)
        for a in standing
        if a.category_id in taught
    ]
