"""The outlines of one image's detections, at each mask threshold that was asked for.

Five hundred outlines take half a second or more to trace and simplify: far longer than a frame. So
they are traced on lane FILES, those that show first, and come in as they are ready; what was traced
at a threshold is kept while the image is, so that going back to it costs nothing.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from PySide6.QtCore import QObject, Signal

from maskstudio.annotation.detections import Detections, outline_of
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.progress import TaskContext
from maskstudio.session.tasks import Callbacks, Job, LaneName, Priority, Tasks

Outlines = dict[int, Segmentation | None]
"""Position of a detection to its outline; None where it has none."""

# As often as an eye can follow; each time the window has to look at all that is shown.
_EVERY_SECONDS = 0.05
# So many outlines are kept (some 40 MB), those of the thresholds used last: a hand goes to and fro.
_KEPT = 20_000


class OutlineTracing(QObject):
    """Traces outlines of the detections it was given, and keeps them.

    Signals:
        grown: more outlines are there.
    """

    grown = Signal()

    def __init__(self, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._detections: Detections | None = None
        self._kept: dict[float, Outlines] = {}
        self._job: Job | None = None
        self._wanted: tuple[float, frozenset[int]] = (0.0, frozenset())

    def reset(
        self,
        detections: Detections | None,
        mask_threshold: float = 0.0,
        outlines: Mapping[int, Segmentation | None] | None = None,
    ) -> None:
        """Trace other detections from now on, or none.

        Args:
            detections: what was found on the image.
            mask_threshold: at which the outlines were traced that are there already.
            outlines: these.
        """
        self._stop()
        self._detections = detections
        self._kept = {mask_threshold: dict(outlines)} if outlines else {}

    def know(self, mask_threshold: float, outlines: Mapping[int, Segmentation | None]) -> None:
        """Take outlines over that were drawn at a threshold; what was traced is the same."""
        there = self._kept.setdefault(mask_threshold, {})
        there.update((i, outline) for i, outline in outlines.items() if i not in there)

    def at(self, mask_threshold: float) -> Mapping[int, Segmentation | None]:
        """Return what has been traced at a threshold."""
        return self._kept.get(mask_threshold, {})

    @property
    def busy(self) -> bool:
        """True while outlines that show are on their way."""
        there = self._kept.get(self._wanted[0], {})
        return self._job is not None and any(i not in there for i in self._wanted[1])

    def want(self, mask_threshold: float, first: Iterable[int], then: Iterable[int] = ()) -> bool:
        """Have outlines traced that are not there; `grown` tells as they come.

        What was wanted before at another threshold is given up.

        Args:
            mask_threshold: at which to trace.
            first: positions of the detections that show.
            then: and of those that may show next.

        Returns:
            True when all of the first are there.
        """
        there = self._kept.setdefault(mask_threshold, {})
        missing = [index for index in first if index not in there]
        later = [index for index in then if index not in there]
        wanted = mask_threshold, frozenset(missing)
        running = self._job is not None and self._wanted[0] == mask_threshold
        if not (running and wanted[1] <= self._wanted[1]):
            self._stop()
            self._forget_oldest(mask_threshold)
            if missing or later:
                self._start(mask_threshold, list(dict.fromkeys(missing + later)), bool(missing))
                self._wanted = wanted
        return not missing

    def _start(self, mask_threshold: float, positions: list[int], shows: bool) -> None:
        detections = self._detections
        if detections is None:
            return
        there = self._kept[mask_threshold]

        def grow(traced: Outlines) -> None:
            there.update(traced)
            if self._job is job:
                self.grown.emit()

        def done(_: None) -> None:
            if self._job is job:
                self._job = None

        priority = Priority.NOW if shows else Priority.BATCH
        work = partial(_trace, detections, mask_threshold, positions)
        job = self._tasks.submit(LaneName.FILES, work, Callbacks(done, item=grow), priority)
        self._job = job

    def _stop(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._job = None

    def _forget_oldest(self, mask_threshold: float) -> None:
        # The one in use moves to the end.
        self._kept[mask_threshold] = self._kept.pop(mask_threshold)
        while sum(map(len, self._kept.values())) > _KEPT and len(self._kept) > 1:
            del self._kept[next(iter(self._kept))]


def _trace(
    detections: Detections, mask_threshold: float, positions: Sequence[int], context: TaskContext
) -> None:
    """Trace outlines and bring what is ready now and then."""
    traced: Outlines = {}
    told = time.monotonic()
    try:
        for index in positions:
            context.raise_if_cancelled()
            traced[index] = outline_of(detections, index, mask_threshold)
            if time.monotonic() - told > _EVERY_SECONDS:
                context.produce(traced)
                traced, told = {}, time.monotonic()
    finally:
        # Or a hand that moves on faster than this would never see any.
        context.produce(traced)
