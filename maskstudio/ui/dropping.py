"""What is meant by something dropped on the window: a folder to open, or a data set to import."""

from collections.abc import Callable
from pathlib import Path

from maskstudio.progress import TaskContext
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, LaneName, Tasks
from maskstudio.storage.folder import SUFFIXES
from maskstudio.storage.places import has_project


class Dropping:
    """Finds out what a file or folder is, and has it opened or imported."""

    def __init__(
        self,
        session: Session,
        tasks: Tasks,
        open_folder: Callable[[Path], object],
        import_data: Callable[[Path], object],
    ) -> None:
        """Have nothing to do yet.

        Args:
            session: what is open.
            tasks: the lanes.
            open_folder: opens a folder of images.
            import_data: shows what a data set would bring into what is open.
        """
        self._session = session
        self._tasks = tasks
        self._open_folder = open_folder
        self._import_data = import_data

    def take(self, path: Path) -> None:
        """Open a folder, or that of an image; show what any other file would bring."""
        if path.is_dir():
            self._take_folder(path)
        elif path.suffix.lower() in SUFFIXES:
            self._open_folder(path.parent)
        elif self._session.folder is None:
            self._session.problem.emit(
                f"Open the folder of images that {path.name} is about, then drop it again."
            )
        else:
            self._import(path)

    def _take_folder(self, path: Path) -> None:
        open_one = self._session.folder
        if open_one is None or (has_project(path) and path != open_one):
            self._open_folder(path)
            return

        def work(_: TaskContext) -> bool:
            from maskstudio.formats.sources import is_data_set

            return is_data_set(path)

        def told(is_one: bool) -> None:
            if is_one and self._session.folder == open_one:
                self._import(path)
            else:
                self._open_folder(path)

        # A folder may lie on a slow disk, and hold a hundred thousand files.
        self._tasks.submit(LaneName.FILES, work, Callbacks(told))

    def _import(self, path: Path) -> None:
        if self._session.read_only:
            self._session.problem.emit(
                f"{self._session.folder} is open for reading only; nothing can be imported into it."
            )
        else:
            self._import_data(path)
