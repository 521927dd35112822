"""Asks the model about images that a person has verified; what it would not have so, is listed.

The model looks at them one after the other on lane MODEL, behind all that a person waits for. What
it thinks is kept apart from what it found before they were verified, and compared with them
whenever one of them is changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from maskstudio.annotation.annotation import ImageRecord, ImageState
from maskstudio.annotation.audit import Opinion, audit
from maskstudio.annotation.category_map import destinations
from maskstudio.annotation.detections import Detections
from maskstudio.annotation.edits import ImageContent
from maskstudio.annotation.findings import Finding
from maskstudio.session.detection_filtering import DetectionFiltering
from maskstudio.session.image_looking import keep_opinion
from maskstudio.session.model_lane import LoadedModel
from maskstudio.session.preannotation import PreAnnotator
from maskstudio.session.quality import Quality
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, Job, LaneName, Priority, Progress, Tasks
from maskstudio.storage.detections import OPINIONS, read_detections

_FINISHED = (ImageState.VERIFIED, ImageState.EMPTY)


class Auditing(QObject):
    """Asks the model about the verified images of the open project.

    Signals:
        changed: it began or ended.
    """

    changed = Signal()

    def __init__(
        self,
        session: Session,
        tasks: Tasks,
        annotator: PreAnnotator,
        filtering: DetectionFiltering,
        quality: Quality,
    ) -> None:
        super().__init__(session)
        self._session = session
        self._tasks = tasks
        self._annotator = annotator
        self._filtering = filtering
        self._quality = quality
        self._job: Job | None = None
        self._waiting: list[ImageRecord] = []
        self._asked: list[int] = []
        self._failed = 0
        self._has_learned = self._anew = False
        session.opened.connect(self._on_opened)
        annotator.model_renewed.connect(self._on_model_renewed)

    @property
    def running(self) -> bool:
        """True while the model looks at images."""
        return self._job is not None

    @property
    def asked(self) -> int:
        """About how many images it was asked."""
        return len(self._asked)

    @property
    def failed(self) -> int:
        """How many images it could not look at."""
        return self._failed

    @property
    def progress(self) -> Progress:
        """How far it is; none of how many while the model is loaded."""
        total = len(self._asked) + len(self._waiting)
        return Progress(max(len(self._asked) - 1, 0), total if self._asked else 0)

    def start(self) -> None:
        """Ask about every image that is verified."""
        session = self._session
        if session.database is None or self._job is not None:
            return
        there = (session.record(i) for i in reversed(session.image_ids) if i not in session.missing)
        self._waiting = [record for record in there if record.state in _FINISHED]
        self._asked, self._failed = [], 0
        if not self._waiting:
            session.problem.emit("No image is verified yet; verify some, then ask the model.")
            return
        self._anew, self._has_learned = self._has_learned, False
        name = self._annotator.model_name
        job = self._job = self._tasks.submit(
            LaneName.MODEL,
            lambda _: self._annotator.holder.load(name),
            Callbacks(
                lambda loaded: self._next(job, name, loaded),
                lambda sentence: self._give_up(job, sentence),
                lambda: self._give_up(job),
            ),
            Priority.BATCH,
        )
        self.changed.emit()

    def cancel(self) -> None:
        """Ask about no more images; what is known by then is listed."""
        self._waiting.clear()
        if self._job is not None:
            self._job.cancel()

    def _next(self, before: Job, name: str, model: LoadedModel) -> None:
        if self._job is not before:
            return
        if not self._waiting:
            self._end(model)
            return
        record, holder = self._waiting.pop(), self._annotator.holder
        self._asked.append(record.id)
        use_kept = not self._anew
        task = replace(self._annotator.image_task(record.id, use_kept=use_kept), model_name=name)

        def failed(_: str) -> None:
            if self._job is job:
                self._failed += 1
                self._next(job, name, model)

        job = self._job = self._tasks.submit(
            LaneName.MODEL,
            lambda context: keep_opinion(holder, task, context),
            Callbacks(
                lambda _: self._next(job, name, model),
                failed,
                lambda: self._next(job, name, model),
            ),
            Priority.BATCH,
        )

    def _end(self, model: LoadedModel) -> None:
        session = self._session
        chosen = session.category_maps.of(model.model_id)
        second_look = _SecondLook(
            session.require_database().folder,
            model.model_id,
            destinations(chosen, model.categories, session.categories),
            {category.id: category.name for category in session.categories},
            self._filtering.usual.mask_threshold,
        )
        self._job = None
        self._quality.look_again(second_look, self._asked)
        self.changed.emit()

    def _give_up(self, before: Job, sentence: str = "") -> None:
        if self._job is before:
            self._job = None
            self._waiting.clear()
            if sentence:
                self._session.problem.emit(sentence)
            self.changed.emit()

    def _on_model_renewed(self) -> None:
        """Note that what the model thought before it learned counts no more."""
        self._has_learned = True

    def _on_opened(self) -> None:
        if self._job is not None:
            self._job.cancel()
        self._job, self._asked, self._failed = None, [], 0
        self._has_learned = False
        self._waiting.clear()
        self.changed.emit()


@dataclass(frozen=True)
class _SecondLook:
    """Compares what stands on an image with what the model thinks of it, on any lane."""

    folder: Path
    model_id: str
    goes_to: NDArray[np.int64]
    names: Mapping[int, str]
    mask_threshold: float

    def __call__(self, content: ImageContent) -> tuple[Finding, ...]:
        if content.record.state not in _FINISHED:
            return ()
        found = self._found(content.record.id)
        if found is None:
            return ()
        return audit(content, Opinion(found, self.goes_to, self.names, self.mask_threshold))

    def _found(self, image_id: int) -> Detections | None:
        for found in (
            read_detections(self.folder, image_id, cache=OPINIONS),
            read_detections(self.folder, image_id),
        ):
            if found is not None and found.model_id == self.model_id:
                return found
        return None
