"""The parts of a session, put together as the program does it, without a window."""

from collections.abc import Callable
from pathlib import Path

from pytestqt.qtbot import QtBot

from maskstudio.annotation.annotation import Annotation, ImageState
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.detections import Predictor
from maskstudio.session.detection_filtering import DetectionFiltering
from maskstudio.session.facts_reading import FactsReading
from maskstudio.session.listing import FolderListing
from maskstudio.session.preannotation import PreAnnotator
from maskstudio.session.runs import RunReport
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, LaneName, Priority, Tasks
from maskstudio.storage.folder import list_images
from maskstudio.storage.images import read_size
from maskstudio.storage.opening import open_project
from support.fakes import FakePredictor


class Studio:
    """A session with everything that works on it.

    Attributes:
        model: the model; what it finds can be replaced.
        problems: every sentence said to the person so far.
        reports: of every run that ended.
    """

    def __init__(self, qtbot: QtBot, load: Callable[[str], Predictor] | None = None) -> None:
        """Make everything; no folder is open.

        Args:
            qtbot: lets the program run until something has happened.
            load: loads a model by name; gives `model` by default.
        """
        self._qtbot = qtbot
        self.model = FakePredictor()
        self.tasks = Tasks()
        self.session = Session()
        self.listing = FolderListing(self.session, self.tasks)
        FactsReading(self.session, self.tasks)
        self.filtering = DetectionFiltering(self.session, self.tasks, self.session)
        self.annotator = PreAnnotator(
            self.session, self.tasks, self.filtering, load or (lambda _: self.model), "fake"
        )
        self.problems: list[str] = []
        self.reports: list[RunReport] = []
        self.session.problem.connect(self.problems.append)
        self.annotator.problem.connect(self.problems.append)
        self.annotator.finished.connect(self.reports.append)

    def open(self, folder: Path, *, read_only: bool = False) -> None:
        """Open a folder, its images listed and their sizes noted; show the first."""
        session = self.session
        session.open(open_project(folder, read_only=read_only))
        if not read_only:
            session.add_images(
                session.require_database().add_images([file.path for file in list_images(folder)])
            )
        for image_id in session.image_ids:
            if session.path(image_id).exists():
                session.note_size(image_id, *read_size(session.path(image_id)))
        session.show(session.image_ids[0])

    def close(self) -> None:
        """Stop everything, as the program does when its window is closed."""
        self.annotator.stop()
        self.tasks.close()
        self.session.close()

    def until(self, condition: Callable[[], object]) -> None:
        """Let everything work until a condition holds."""
        self._qtbot.waitUntil(lambda: bool(condition()), timeout=10_000)

    def idle(self) -> None:
        """Let lane MODEL finish what was asked of it until now, and hear of it."""
        ended: list[object] = []
        callbacks = Callbacks(ended.append)
        self.tasks.submit(LaneName.MODEL, lambda _: None, callbacks, Priority.BATCH)
        self.until(lambda: ended)

    def image(self, name: str) -> int:
        """Return the id of an image by its path."""
        (found,) = (i for i in self.session.image_ids if self.session.record(i).path == name)
        return found

    def show(self, name: str) -> None:
        """Make an image the current one."""
        self.session.show(self.image(name))

    def state(self, name: str) -> ImageState:
        """Return the state of an image."""
        return self.session.record(self.image(name)).state

    def on(self, name: str) -> dict[int, Annotation]:
        """Return what stands on an image."""
        return dict(self.session.content(self.image(name)).annotations)

    def by_score(self, name: str) -> list[Annotation]:
        """Return what stands on an image, best score first."""
        return sorted(self.on(name).values(), key=lambda a: -(a.score or 0))

    def move_filter(self, shown: DetectionFilter) -> None:
        """Move the filter of the current image, and wait until all that shows is outlined."""
        self.filtering.move_to(shown)
        self._qtbot.waitUntil(lambda: not self.filtering.tracing)

    def let_go(self, shown: DetectionFilter) -> None:
        """Let a filter go, and wait until it is the truth."""
        self.filtering.commit(shown)
        self._qtbot.waitUntil(lambda: self.filtering.preview is None)

    def predict_image(self) -> RunReport:
        """Run the model on the current image and wait for the end."""
        with self._qtbot.waitSignal(self.annotator.finished):
            self.annotator.run_current()
        return self.reports[-1]

    def predict_folder(self) -> RunReport:
        """Run the model on the folder and wait for the end."""
        with self._qtbot.waitSignal(self.annotator.finished):
            self.annotator.run_folder()
        return self.reports[-1]
