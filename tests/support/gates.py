"""Work that a test holds and lets go on."""

import threading

from maskstudio.progress import TaskContext
from maskstudio.session.tasks import Work

PATIENCE = 10
"""Seconds a worker waits for a test that has gone wrong."""


class Gate:
    """Work that keeps a lane busy until it is opened."""

    def __init__(self) -> None:
        """Closed, and not reached."""
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __call__(self, _: TaskContext) -> None:
        self.reached.set()
        assert self.opened.wait(PATIENCE)


def until_cancelled(started: threading.Event) -> Work:
    """Return work that sets an event and goes on until it is cancelled."""

    def work(context: TaskContext) -> None:
        started.set()
        for _ in range(PATIENCE * 100):
            context.raise_if_cancelled()
            threading.Event().wait(0.01)

    return work
