"""Brings back what a model found on an image, when the image becomes the current one."""

from PySide6.QtCore import QObject, Signal

from maskstudio.annotation.detections import Outlined
from maskstudio.annotation.refiltering import known_outlines
from maskstudio.progress import TaskContext
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, Job, LaneName, Tasks


class KeptDetections(QObject):
    """Reads the detections of the current image from their cache, on lane FILES.

    Signals:
        arrived: `Outlined`, those of the image that is still the current one, or None where there
            are none; the outlines are those of the pre-annotations that stand on it.
    """

    arrived = Signal(object)

    def __init__(self, session: Session, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._tasks = tasks
        self._job: Job | None = None

    @property
    def busy(self) -> bool:
        """True while they are being read."""
        return self._job is not None

    def recall(self) -> None:
        """Read those of the current image, if a model ever ran on it."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
        image, folder = self._session.current, self._session.folder
        if image is None or folder is None or image.status.detection_filter is None:
            return
        image_id, threshold = image.id, image.status.detection_filter.mask_threshold
        standing = [a for a in self._session.annotations.values() if a.is_replaceable]

        def work(context: TaskContext) -> Outlined | None:
            from maskstudio.storage.detections import read_detections

            del context
            kept = read_detections(folder, image_id)
            return None if kept is None else known_outlines(kept, standing, threshold)

        def done(found: Outlined | None) -> None:
            if self._job is job:
                self._job = None
                self.arrived.emit(found)

        job = self._tasks.submit(LaneName.FILES, work, Callbacks(done))
        self._job = job
