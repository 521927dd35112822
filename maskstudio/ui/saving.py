"""Whether all is saved: how far a long edit is, and what stops it."""

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QLabel, QToolButton

from maskstudio.session.session import Session

_POLL_MS = 100


class Saving(QObject):
    """Says it in the status bar."""

    def __init__(self, session: Session, said: QLabel, stop: QToolButton) -> None:
        """Follow a session.

        Args:
            session: what is open.
            said: shows it.
            stop: ends a long edit; nothing of it is left then.
        """
        super().__init__(said)
        self._session = session
        self._said = said
        self._stop = stop
        self._poll = QTimer(self, interval=_POLL_MS)
        self._poll.timeout.connect(self._show_progress)
        stop.clicked.connect(self._cancel)
        session.opened.connect(self._renew)
        session.writing_changed.connect(self._renew)
        self._renew()

    def _renew(self) -> None:
        session = self._session
        said = "saving …" if session.writing else "read only" if session.read_only else "saved"
        self._said.setText(said if session.database else "")
        self._stop.hide()
        if session.writing:
            self._poll.start()
        else:
            self._poll.stop()

    def _show_progress(self) -> None:
        job = self._session.long_job
        if job is None:
            return
        done, total = job.progress.done, job.progress.total
        self._said.setText(f"saving … {100 * done // total} %" if total > 1 else "saving …")
        self._stop.show()

    def _cancel(self) -> None:
        if self._session.long_job is not None:
            self._session.long_job.cancel()
