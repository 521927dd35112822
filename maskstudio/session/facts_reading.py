"""Reads the facts of all images of a project, off the GUI thread."""

from PySide6.QtCore import QObject

from maskstudio.annotation.edits import Edit
from maskstudio.annotation.image_facts import FactsTable
from maskstudio.progress import TaskContext
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, Job, LaneName, Priority, Tasks


class FactsReading(QObject):
    """Reads them when a project is opened, and again when annotations all over it have changed."""

    def __init__(self, session: Session, tasks: Tasks) -> None:
        super().__init__(session)
        self._session = session
        self._tasks = tasks
        self._job: Job | None = None
        session.opened.connect(self._start)
        session.edited.connect(self._on_edited)
        session.renewed.connect(self._start)

    def _start(self) -> None:
        if self._job is not None:
            self._job.cancel()
        session, database = self._session, self._session.database
        if database is None:
            return

        def done(table: FactsTable) -> None:
            if self._job is job and session.database is database:
                session.facts.take(table)
                session.order.refresh_facts()

        read_all = session.facts.reading_all()

        def work(context: TaskContext) -> FactsTable:
            return read_all(context.raise_if_cancelled)

        job = self._job = self._tasks.submit(LaneName.FILES, work, Callbacks(done), Priority.BATCH)

    def _on_edited(self, edit: Edit) -> None:
        if edit.reassigned:
            self._start()
