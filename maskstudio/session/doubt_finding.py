"""The places of the current image where a model doubts the outlines it gave."""

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.doubt import Stretch, doubtful_stretches
from maskstudio.annotation.refiltering import matched
from maskstudio.progress import TaskContext
from maskstudio.session.detection_filtering import DetectionFiltering
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, Job, LaneName, Tasks


@dataclass(frozen=True, eq=False)
class DoubtfulPlace:
    """A stretch of a pre-annotation's outline that the model doubts.

    Attributes:
        annotation_id: the pre-annotation.
        stretch: the part of its outline.
    """

    annotation_id: int
    stretch: Stretch


class DoubtFinding(QObject):
    """Finds doubtful places on lane FILES, once somebody wants to see them.

    Only what no person has touched is looked at: what was accepted or changed is decided.

    Signals:
        changed: `places` were found, or there are none yet.
    """

    changed = Signal()

    def __init__(
        self, session: Session, tasks: Tasks, filtering: DetectionFiltering, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._tasks = tasks
        self._filter = filtering
        self._wanted = self._asked = False
        self._image_id: int | None = None
        self._job: Job | None = None
        self._places: tuple[DoubtfulPlace, ...] | None = None
        self._known: dict[int, tuple[Annotation, tuple[Stretch, ...]]] = {}
        filtering.changed.connect(self._renew)

    @property
    def places(self) -> tuple[DoubtfulPlace, ...] | None:
        """The doubtful places, the most doubtful first; None until they are found."""
        return self._places

    @property
    def up_to_date(self) -> bool:
        """True when they are those of what stands on the image now."""
        return self._places is not None and self._job is None

    @property
    def wanted(self) -> bool:
        """True while they are looked for on every image."""
        return self._wanted

    @wanted.setter
    def wanted(self, wanted: bool) -> None:
        self._wanted = wanted
        self._renew()

    def look(self) -> None:
        """Find them on this image, if that was not done yet."""
        self._asked = True
        if self._places is None and self._job is None:
            self._start()

    def _renew(self) -> None:
        """Look again: another image, its detections, or an edit."""
        current = self._session.current
        image_id = None if current is None else current.id
        if image_id != self._image_id:
            self._image_id, self._known, self._asked = image_id, {}, False
            self._set_places(None)
        if self._job is not None:
            self._job.cancel()
            self._job = None
        if self._wanted or self._asked:
            self._start()

    def _start(self) -> None:
        detections, shown = self._filter.detections, self._filter.shown
        if detections is None or detections.roi_masks is None:
            unknown = self._session.current is None or self._filter.recalling
            self._set_places(None if unknown else ())
            return
        standing = [a for a in self._session.shown.values() if a.is_replaceable]
        known, threshold = self._known, shown.mask_threshold

        def work(context: TaskContext) -> dict[int, tuple[Annotation, tuple[Stretch, ...]]]:
            found: dict[int, tuple[Annotation, tuple[Stretch, ...]]] = {}
            for index, annotation in matched(detections, standing).items():
                context.raise_if_cancelled()
                before = known.get(annotation.id)
                if before is not None and before[0] is annotation:
                    found[annotation.id] = before
                elif annotation.segmentation is not None and detections.roi_masks is not None:
                    mask, box = detections.roi_masks[index], detections.box(index)
                    stretches = doubtful_stretches(annotation.segmentation, mask, box, threshold)
                    found[annotation.id] = annotation, stretches
            return found

        def done(found: dict[int, tuple[Annotation, tuple[Stretch, ...]]]) -> None:
            if self._job is job:
                self._job, self._known = None, found
                places = (
                    DoubtfulPlace(annotation_id, stretch)
                    for annotation_id, (_, stretches) in found.items()
                    for stretch in stretches
                )
                self._set_places(tuple(sorted(places, key=lambda place: -place.stretch.width)))

        job = self._tasks.submit(LaneName.FILES, work, Callbacks(done))
        self._job = job

    def _set_places(self, places: tuple[DoubtfulPlace, ...] | None) -> None:
        self._places = places
        self.changed.emit()
