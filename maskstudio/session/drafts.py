"""Outlines that are being drawn: kept for each image until they are finished or dropped."""

import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject

from maskstudio.annotation.draft import Draft
from maskstudio.errors import UserError
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, LaneName, Tasks
from maskstudio.storage.drafts import read_drafts, write_drafts


class _Writer:
    """Writes the newest drafts of one project, on whatever thread, one at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._newest: deque[Sequence[tuple[str, Draft]]] = deque(maxlen=1)
        self._lock = threading.Lock()

    @property
    def behind(self) -> bool:
        """True when there is something newer than what was written or is being written."""
        return bool(self._newest)

    def put(self, drafts: Sequence[tuple[str, Draft]]) -> None:
        self._newest.append(drafts)

    def write(self) -> None:
        """Write the newest, if it is not written; raise UserError where that fails."""
        with self._lock:
            if self._newest:
                write_drafts(self._folder, self._newest.pop())


class Drafts(QObject):
    """The unfinished outlines of the open project.

    They are written on lane FILES, the newest state only, so that a click never waits for the disk.
    Of a project that is open for reading only they are kept while it is open.
    """

    def __init__(self, session: Session, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._tasks = tasks
        self._drafts: dict[tuple[int, str], Draft] = {}  # by image and tool, the oldest first
        self._writer: _Writer | None = None
        self._writing = False
        self._told = False
        session.opened.connect(self._on_opened)
        session.current_changed.connect(self._on_current)

    @property
    def newest(self) -> int | None:
        """The image whose outline was drawn on last; None when every outline is finished."""
        return next((image_id for image_id, _ in reversed(self._drafts)), None)

    def of(self, image_id: int) -> Draft | None:
        """Return the unfinished outline on an image that was drawn on last."""
        newest_first = reversed(self._drafts.items())
        return next((draft for (i, _), draft in newest_first if i == image_id), None)

    def by(self, image_id: int, tool: str) -> Draft | None:
        """Return the unfinished outline on an image that a tool draws."""
        return self._drafts.get((image_id, tool))

    def keep(self, image_id: int, draft: Draft) -> None:
        """Keep the outline that is being drawn on an image; the tool's one before is forgotten."""
        self._drafts.pop((image_id, draft.tool), None)
        self._drafts[image_id, draft.tool] = draft
        self._write()

    def drop(self, image_id: int, tool: str) -> None:
        """Forget the outline of a tool on an image: it is finished, or nobody wants it."""
        if self._drafts.pop((image_id, tool), None) is not None:
            self._write()

    def _write(self) -> None:
        if self._writer is None:
            return
        session = self._session
        self._writer.put([(session.record(i).path, d) for (i, _), d in self._drafts.items()])
        self._start()

    def _start(self) -> None:
        writer = self._writer
        if writer is None or self._writing or not writer.behind:
            return
        self._writing = True
        callbacks = Callbacks(lambda _: self._on_written(""), self._on_written)
        self._tasks.submit(LaneName.FILES, lambda _: writer.write(), callbacks)

    def _on_written(self, problem: str) -> None:
        self._writing = False
        self._tell(problem)
        self._start()

    def _tell(self, problem: str) -> None:
        if problem and not self._told:
            # At every click it would be too much.
            self._session.problem.emit(f"The unfinished outline is not safe yet: {problem}")
        self._told = bool(problem)

    def _on_opened(self) -> None:
        session, folder = self._session, self._session.folder
        self._drafts, self._writer, self._told = {}, None, False
        if folder is None or session.read_only:
            return
        self._writer = _Writer(folder)
        stored = read_drafts(folder)
        if stored:
            ids = {session.record(i).path: i for i in session.image_ids}
            self._drafts = {(ids[path], d.tool): d for path, d in stored if path in ids}

    def _on_current(self) -> None:
        if self._session.current is None and self._writer is not None:
            # The project is being closed, and what lane FILES has not begun is dropped.
            try:
                self._writer.write()
            except UserError as error:
                self._tell(str(error))
