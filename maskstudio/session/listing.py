"""Open a folder: its project at once, its images as they are found."""

from pathlib import Path

from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, Job, LaneName, Tasks
from maskstudio.storage.images import list_images
from maskstudio.storage.project import ProjectDatabase

_CHUNK = 1000


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
        self._job = job = self._tasks.submit(
            LaneName.FILES,
            lambda context: _walk(database.folder, known, context),
            Callbacks(
                lambda paths: self._on_done(job, database, paths),
                lambda sentence: self._on_failed(job, sentence),
                item=lambda paths: self._on_found(database, paths),
            ),
        )

    def _on_found(self, database: ProjectDatabase, paths: list[str]) -> None:
        if self._session.database is database and not self._session.read_only:
            self._session.add_images(paths)

    def _on_done(self, job: Job, database: ProjectDatabase, paths: list[str]) -> None:
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


def _walk(folder: Path, known: set[str], context: TaskContext) -> list[str]:
    """Find every image; new ones are produced in chunks.

    Raises:
        UserError: the folder cannot be read.
        CancelledError: another folder was opened.
    """
    everything: list[str] = []
    new: list[str] = []
    for file in list_images(folder):
        context.raise_if_cancelled()
        everything.append(file.path)
        if file.path not in known:
            new.append(file.path)
        if len(new) >= _CHUNK:
            context.produce(new)
            new = []
    if new:
        context.produce(new)
    if not folder.is_dir():
        raise UserError(f"{folder} is gone; open it again when it is back.")
    return everything
