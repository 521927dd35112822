"""Finds out, off the GUI thread, what annotations look like with fewer or more vertices."""

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from maskstudio.annotation.detail import with_detail
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.progress import TaskContext
from maskstudio.session.tasks import Callbacks, Job, LaneName, Tasks


@dataclass(frozen=True)
class DetailRequest:
    """What is to be found out.

    Attributes:
        outlines: annotation id to outline, as they are.
        level: 1 few vertices, 0 as it is, -1 many more.
        size: (height, width) of the image.
    """

    outlines: Mapping[int, Segmentation]
    level: float
    size: tuple[int, int]


@dataclass(frozen=True)
class Details:
    """What was found out.

    Attributes:
        request: what was asked.
        outlines: id to new outline, of those that change.
        before: vertices of all that was asked for.
        after: the same afterwards.
        iou: of the areas before and after, 0 to 1; the lowest of all.
    """

    request: DetailRequest
    outlines: Mapping[int, Segmentation]
    before: int
    after: int
    iou: float


def details(request: DetailRequest, context: TaskContext) -> Details:
    """Work out all of a request."""
    changed: dict[int, Segmentation] = {}
    before = after = 0
    iou = 1.0
    for annotation_id, outline in request.outlines.items():
        context.raise_if_cancelled()
        new = with_detail(outline, request.level, request.size)
        if new.outline is not outline:
            changed[annotation_id] = new.outline
        before += outline.vertex_count
        after += new.outline.vertex_count
        iou = min(iou, new.iou)
    return Details(request, changed, before, after, iou)


class DetailFinder(QObject):
    """Answers the newest request; what was asked before and is not done is dropped.

    Signals:
        found: `Details`.
    """

    found = Signal(object)

    def __init__(self, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._job: Job | None = None

    def ask(self, request: DetailRequest) -> None:
        """Find this out next."""
        self.drop()
        job = self._tasks.submit(
            LaneName.FILES,
            lambda context: details(request, context),
            Callbacks(lambda result: self._on_done(job, result)),
        )
        self._job = job

    def drop(self) -> None:
        """Ask for nothing any more."""
        if self._job is not None:
            self._job.cancel()
        self._job = None

    def _on_done(self, job: Job, result: Details) -> None:
        if job is self._job:
            self.found.emit(result)
