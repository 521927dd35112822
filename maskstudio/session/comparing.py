"""Two models measured on the same images of the project, by the program's own command `evaluate`.

The images are those that are kept apart for validation. It runs as a process of its own: it has its
own memory, and the model in the window goes on meanwhile.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTemporaryDir, Signal

from maskstudio.annotation.evaluation import Report
from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.session.child import Child
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, Job, LaneName, Progress, Tasks, Work

if TYPE_CHECKING:
    # It brings the database library, which an empty window does without.
    from maskstudio.storage.project import ProjectDatabase

_REPORT = "report.json"
_PART = "val"
# It is ended at once, and has nothing to write before.
_END_S = 2.0


class Comparing(QObject):
    """Runs the comparison; one at a time.

    Attributes:
        report: the last one's result; None until there is one.

    Signals:
        changed: one began or ended.
        compared: `report` is another one.
        failed: why it could not be done, in a sentence.
    """

    changed = Signal()
    compared = Signal()
    failed = Signal(str)

    def __init__(
        self, session: Session, tasks: Tasks, command: Sequence[str], parent: QObject
    ) -> None:
        """Compare nothing yet.

        Args:
            session: the open project.
            tasks: the lanes.
            command: what starts this program, for words to be added to.
            parent: lets go of all of it.
        """
        super().__init__(parent)
        self._session = session
        self._tasks = tasks
        self._command = tuple(command)
        self._run: _Run | None = None
        self.report: Report | None = None
        session.opened.connect(self._on_opened)

    @property
    def running(self) -> bool:
        """True until it has ended."""
        return self._run is not None

    @property
    def progress(self) -> Progress:
        """How far the one that runs is."""
        return self._run.progress if self._run is not None else Progress()

    def start(self, *models: str) -> None:
        """Measure models, by name or path, on the images kept apart for validation."""
        database = self._session.database
        if database is None or self._run is not None:
            return
        run = self._run = _Run(database.folder, models)

        self._do(run, lambda context: _keep_apart(database, context), lambda _: self._begin(run))
        self.changed.emit()

    def stop(self) -> None:
        """End it; nothing is measured then."""
        run = self._run
        if run is None:
            return
        if run.job is not None:
            run.job.cancel()
        self._end(run)

    def _do(self, run: "_Run", work: Work, then: Callable[[Any], None]) -> None:
        callbacks = Callbacks(then, lambda sentence: self._fail(run, sentence))
        run.job = self._tasks.submit(LaneName.FILES, work, callbacks)

    def _begin(self, run: "_Run") -> None:
        if run is not self._run:
            return
        words = [word for model in run.models for word in ("--model", model)]
        words += ["--project", str(run.folder), "--output", str(run.output), "--progress", "jsonl"]
        child = run.child = Child([*self._command, "evaluate", *words], self)
        child.told.connect(run.take)
        child.ended.connect(lambda sentence: self._on_ended(run, sentence))
        child.start()

    def _on_ended(self, run: "_Run", sentence: str) -> None:
        if sentence:
            self._fail(run, sentence)
        elif run is self._run:
            self._do(run, lambda _: _read(run.output), lambda report: self._take(run, report))

    def _take(self, run: "_Run", report: Report) -> None:
        if run is self._run:
            self.report = report
            self._end(run)
            self.compared.emit()

    def _fail(self, run: "_Run", sentence: str) -> None:
        if run is self._run:
            self._end(run)
            self.failed.emit(sentence)

    def _end(self, run: "_Run") -> None:
        # What it still has to say is nobody's concern any more.
        self._run = None
        run.close()
        self.changed.emit()

    def _on_opened(self) -> None:
        self.report = None
        self.stop()


class _Run:
    """One comparison at work, in a folder of its own."""

    def __init__(self, folder: Path, models: Sequence[str]) -> None:
        self.folder = folder
        self.models = models
        self.job: Job | None = None
        self.child: Child | None = None
        self.progress = Progress()
        self._room = QTemporaryDir()

    @property
    def output(self) -> Path:
        return Path(self._room.filePath(_REPORT))

    def take(self, line: str) -> None:
        """Note what the process says of how far it is; other lines are passed over."""
        try:
            told = json.loads(line)
            if told["event"] == "progress":
                self.progress = Progress(int(told["done"]), int(told["total"]), str(told["note"]))
        except (ValueError, TypeError, LookupError):
            return

    def close(self) -> None:
        """End the process if it still runs, and take the folder away."""
        if self.child is not None:
            if self.child.running:
                self.child.kill()
                self.child.let_go(_END_S)
            self.child.deleteLater()
        self._room.remove()


def _keep_apart(database: "ProjectDatabase", context: TaskContext) -> None:
    """Give each image verified since the last time its part, as training and the export do.

    Raises:
        UserError: no verified image is kept to measure on.
        CancelledError: the person asked to stop.
    """
    from maskstudio.session.splitting import remembered_parts
    from maskstudio.session.training_set import LEARNED_STATES, freeze_parts

    if not database.read_only:
        freeze_parts(database, context)
    finished = [image.id for image in database.images() if image.state in LEARNED_STATES]
    parts = remembered_parts(database)
    if not any(parts.get(image_id) == _PART for image_id in finished):
        raise UserError(
            f"None of the verified images ({len(finished):,}) is kept to measure on; verify more, "
            "then compare again."
            if finished
            else "No image of this folder is verified yet; verify some, then compare on them."
        )


def _read(path: Path) -> Report:
    try:
        return Report.from_json(path.read_bytes())
    except OSError as error:
        raise UserError(f"The figures cannot be read ({error}); compare again.") from error
