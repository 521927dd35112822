"""Open a folder: its project at once, its images as they are found."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from maskstudio.annotation.annotation import ImageRecord
from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, Job, LaneName, Tasks
from maskstudio.storage.folder import list_images

if TYPE_CHECKING:
    # It brings the database library, which an empty window does without.
    from maskstudio.storage.project import ProjectDatabase

Add = Callable[[Iterable[str]], list[ImageRecord]]

# The first images come soon, the rest in few pieces: each costs the lists a time of its own. And
# an edit waits for the largest to be written.
_FIRST_CHUNK, _LARGEST_CHUNK = 100, 6400


class FolderListing:
    """Brings the files of the session's folder into its project, on lane FILES."""

    def __init__(self, session: Session, tasks: Tasks) -> None:
        self._session = session
        self._tasks = tasks
        self._job: Job | None = None

    @property
    def running(self) -> bool:
        """True while files are still being found."""
        return self._job is not None

    def start(self) -> None:
        """List the folder of the open project."""
        if self._job is not None:
            self._job.cancel()
        database = self._session.require_database()
        known = {self._session.record(i).path for i in self._session.image_ids}
        add = None if self._session.read_only else database.add_images
        self._job = job = self._tasks.submit(
            LaneName.FILES,
            lambda context: _walk(database.folder, known, add, context),
            Callbacks(
                lambda paths: self._on_done(job, database, paths),
                lambda sentence: self._on_failed(job, sentence),
                item=lambda new: self._on_found(database, new),
            ),
        )

    def _on_found(self, database: "ProjectDatabase", new: list[ImageRecord]) -> None:
        if self._session.database is database:
            self._session.add_images(new)

    def _on_done(self, job: Job, database: "ProjectDatabase", paths: list[str]) -> None:
        session = self._session
        if self._job is not job or session.database is not database:
            return
        self._job = None
        session.set_missing(paths)
        if not session.image_ids:
            session.problem.emit(
                f"{database.folder} holds no images (PNG, JPEG, TIFF, BMP, WebP, ...); "
                "open another folder."
            )

    def _on_failed(self, job: Job, sentence: str) -> None:
        if self._job is job:
            self._job = None
            self._session.problem.emit(sentence)


def _walk(folder: Path, known: set[str], add: Add | None, context: TaskContext) -> list[str]:
    """Find every image; new ones are added to the project and produced in chunks.

    Raises:
        UserError: the folder cannot be read, or the project not be written.
        CancelledError: another folder was opened.
    """
    everything: list[str] = []
    new: list[str] = []
    chunk = _FIRST_CHUNK
    for file in list_images(folder):
        context.raise_if_cancelled()
        everything.append(file.path)
        if add is not None and file.path not in known:
            new.append(file.path)
        if add is not None and len(new) >= chunk:
            context.produce(add(new))
            new, chunk = [], min(2 * chunk, _LARGEST_CHUNK)
    if add is not None and new:
        context.produce(add(new))
    if not folder.is_dir():
        raise UserError(f"{folder} is gone; open it again when it is back.")
    return everything
