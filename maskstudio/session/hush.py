"""The model's lane rests while a person comes to another image, until that is on the screen.

A model takes every core, and a machine with two has none left then. A step through the folder is
short, and work on the lane gives way before every layer: so the step takes what it takes with the
model at rest.
"""

import threading
import time

from PySide6.QtCore import QObject

from maskstudio.progress import TaskContext
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, Job, LaneName, Tasks

REST_S = 0.12
"""By then the image is on the screen with what stands on it."""

_LOOK_S = 0.01


class Hush(QObject):
    """Lets lane MODEL rest for a moment whenever another image is shown."""

    def __init__(self, session: Session, tasks: Tasks) -> None:
        super().__init__(session)
        self._session = session
        self._tasks = tasks
        self._until = 0.0
        self._job: Job | None = None
        session.current_changed.connect(self._on_current)

    def _on_current(self) -> None:
        if self._session.current is None:
            return
        # A key that is held steps on before the rest is over: it is the same rest then.
        self._until = time.monotonic() + REST_S
        if self._job is None:
            callbacks = Callbacks(lambda _: self._ended(), cancelled=self._ended)
            self._job = self._tasks.submit(LaneName.MODEL, self._rest, callbacks)

    def _rest(self, context: TaskContext) -> None:
        while time.monotonic() < self._until:
            context.raise_if_cancelled()
            threading.Event().wait(_LOOK_S)

    def _ended(self) -> None:
        self._job = None
