"""Have the log beside the database brought into it while the hand rests.

SQLite writes an edit to a log; when that has grown long, it is copied into the database by whoever
writes next. A person would wait for that now and then, twice as long as for the edit itself.
"""

from PySide6.QtCore import QObject, QTimer

from maskstudio.progress import TaskContext
from maskstudio.session.session import Session
from maskstudio.session.tasks import LaneName, Priority, Tasks

_REST_MS = 2000


class LogKeeping(QObject):
    """Watches the session for edits."""

    def __init__(self, session: Session, tasks: Tasks) -> None:
        super().__init__(session)
        self._session = session
        self._tasks = tasks
        # Not begun anew at each edit: somebody may make one every second, all day.
        self._soon = QTimer(self, interval=_REST_MS, singleShot=True)
        self._soon.timeout.connect(self._start)
        session.edited.connect(self._on_edited)

    def _on_edited(self) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def _start(self) -> None:
        database = self._session.database
        if database is None or database.read_only or self._session.writing:
            return

        def work(context: TaskContext) -> None:
            context.raise_if_cancelled()
            database.catch_up()

        self._tasks.submit(LaneName.FILES, work, priority=Priority.BATCH)
