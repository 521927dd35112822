"""The program in another process, that can be killed."""

from collections.abc import Callable
from itertools import count
from math import cos, sin
from multiprocessing.connection import Connection
from pathlib import Path

from PySide6.QtCore import QDeadlineTimer, QEventLoop
from PySide6.QtWidgets import QApplication

from maskstudio import app
from support.fakes import FakePredictor
from support.hand import Point
from support.program import Program


class Patience:
    """Waits as pytest-qt does, where there is no pytest."""

    def waitUntil(  # noqa: N802 - pytest-qt's name
        self, callback: Callable[[], object], *, timeout: int = 5_000
    ) -> None:
        """Process events until the callback holds."""
        deadline = QDeadlineTimer(timeout)
        while not callback():
            if deadline.hasExpired():
                raise TimeoutError
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 50)


def vertex(number: int) -> Point:
    """Return where the n-th vertex is set: round and round, never where another is."""
    radius = 15 + 0.07 * number
    return 50 + radius * cos(number), 40 + radius * sin(number)


def draw_until_killed(folder: Path, settings: Path, first: int, clicked: Connection) -> None:
    """Set vertex after vertex, from the first on; send the image point of each."""
    built = app.build(["maskstudio"], settings, lambda _: FakePredictor())
    program = Program(built, Patience())
    program.open(folder)
    program.canvas.setFocus()
    if not first:
        program.key("p")
    for number in count(first):
        clicked.send(program.hand.there(vertex(number)))
        program.hand.click(vertex(number))
        QApplication.processEvents()
