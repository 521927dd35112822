"""The account of the open project: read aside, and again a while after something was done."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from maskstudio.progress import TaskContext
from maskstudio.session.payoff_reading import Account, read_account
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, Job, LaneName, Tasks

if TYPE_CHECKING:
    # It brings the database library, which an empty window does without.
    from maskstudio.storage.project import ProjectDatabase

# So much later what was done is read: a project worked on for a year takes a second.
_LATER_MS = 1500


class PayoffWatch(QObject):
    """Reads the account while somebody looks at it.

    Attributes:
        account: as it was read last; None before that, and without a project.

    Signals:
        changed: it was read, or another project is open.
        problem: one sentence on why it cannot be read.
    """

    changed = Signal()
    problem = Signal(str)

    def __init__(self, session: Session, tasks: Tasks, parent: QObject) -> None:
        """Read it soon, and whenever it may be another."""
        super().__init__(parent)
        self._session = session
        self._tasks = tasks
        self._job: Job | None = None
        self.account: Account | None = None
        self._later = QTimer(self, interval=_LATER_MS, singleShot=True)
        self._later.timeout.connect(self._on_later)
        session.opened.connect(self._on_opened)
        session.edited.connect(self._read_later)
        session.renewed.connect(self._read_later)
        self.read()

    def stop(self) -> None:
        """Read no more."""
        self._later.stop()
        if self._job is not None:
            self._job.cancel()
            self._job = None

    def read(self) -> None:
        """Read it anew, aside; what is being read for an earlier moment is dropped."""
        self.stop()
        database = self._session.database
        if database is None:
            return

        def done(account: Account) -> None:
            if self._job is job:
                self._job = None
                self.account = account
                self.changed.emit()

        def failed(sentence: str) -> None:
            if self._job is job:
                self._job = None
                self.problem.emit(sentence)

        job = self._tasks.submit(
            LaneName.FILES, lambda context: _read(database, context), Callbacks(done, failed)
        )
        self._job = job

    def _read_later(self, _: object = None) -> None:
        # Not begun anew by each edit: a run over a folder would put it off for an hour.
        if not self._later.isActive():
            self._later.start()

    def _on_later(self) -> None:
        if self._job is None:
            self.read()
        else:
            self._later.start()

    def _on_opened(self) -> None:
        self.account = None
        self.changed.emit()
        self.read()


def _read(database: "ProjectDatabase", context: TaskContext) -> Account:
    return read_account(database, context)
