"""Somebody in front of the real window, for the benchmarks, and the table they print."""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from maskstudio import app as program
from maskstudio.annotation.segmentation import Segmentation

FRAME_MS = 16.0
_PATIENCE_S = 300.0
_NONE, _LEFT = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton


@dataclass(frozen=True)
class Row:
    """One line of the table; milliseconds unless the words say otherwise."""

    what: str
    subject: str
    p50: float
    p95: float
    bound: float

    @property
    def kept(self) -> bool:
        return self.p95 <= self.bound


def row(what: str, subject: str, times: Sequence[float], bound: float) -> Row:
    """Make a line of the table of many times."""
    p50, p95 = np.percentile(times, (50, 95))
    return Row(what, subject, float(p50), float(p95), bound)


def print_table(rows: Sequence[Row]) -> None:
    """Print the figures."""
    print(f"{'ms':<52}{'':>26}{'p50':>10}{'p95':>10}{'bound':>9}")
    for one in rows:
        sign = "" if one.kept else "  missed"
        numbers = f"{one.p50:>10.1f}{one.p95:>10.1f}{one.bound:>9.0f}"
        print(f"{one.what:<52}{one.subject:>26}{numbers}{sign}")


def in_a_process(file: str, *arguments: str) -> list[Row]:
    """Run a benchmark's file by itself and return the rows it prints last, as JSON."""
    command = [sys.executable, file, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [Row(**one) for one in json.loads(done.stdout.splitlines()[-1])]


def print_json(rows: Sequence[Row]) -> None:
    """Print rows for `in_a_process`."""
    print(json.dumps([asdict(one) for one in rows]), flush=True)


def star(x: float, y: float, radius: float, vertices: int) -> Segmentation:
    """Return a wavy ring around a point."""
    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    distance = radius * (1 + 0.15 * np.sin(5 * angle))
    return Segmentation.from_rings(
        np.c_[x + distance * np.cos(angle), y + distance * np.sin(angle)]
    )


def megabytes() -> float:
    """Return the memory this process holds now (Linux only; elsewhere nan)."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return math.nan
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


class Labeler:
    """Somebody in front of the window.

    Attributes:
        app: the program.
    """

    def __init__(self, settings: Path, size: tuple[int, int] = (1900, 1000)) -> None:
        """Start the program and open its window, of (width, height)."""
        self.app = program.build(["maskstudio"], settings)
        self.window = self.app.window
        self.canvas = self.window.canvas
        self.session = self.app.session
        self.window.setWindowState(Qt.WindowState.WindowNoState)
        self.window.resize(*size)
        self.window.show()
        self.window.activateWindow()

    @property
    def seen(self) -> bool:
        """True when the current image is on the screen."""
        return self.canvas.has_image and self.canvas.painted

    def open(self, folder: Path, count: int) -> None:
        """Open a folder of so many images and wait until the first is shown."""
        self.app.open_folder(folder)
        self.until(lambda: len(self.session.image_ids) == count and self.seen)
        self.rest(0.5)

    def until(self, condition: Callable[[], bool]) -> None:
        """Let the program run until a condition holds."""
        loop = QEventLoop()
        poll = QTimer(interval=1)
        poll.timeout.connect(lambda: loop.quit() if condition() else None)
        give_up = time.monotonic() + _PATIENCE_S
        poll.timeout.connect(lambda: loop.quit() if time.monotonic() > give_up else None)
        poll.start()
        loop.exec()
        if not condition():
            raise TimeoutError("the program did not come to an end")

    def rest(self, seconds: float) -> None:
        """Let the program run for a while."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end)

    def settle(self) -> None:
        """Wait until everything on the screen is the newest."""
        self.until(lambda: self.canvas.settled)
        self.rest(0.05)

    def frame(self, act: Callable[[], object]) -> float:
        """Do something, have it painted; return the milliseconds of the GUI thread it took."""
        started = time.perf_counter()
        act()
        QApplication.processEvents()
        took = (time.perf_counter() - started) * 1000
        # A frame a sixtieth of a second: the raster layer is painted meanwhile, as in life.
        self.rest(max(0.0, FRAME_MS - took) / 1000)
        return took

    def verb(self, name: str) -> None:
        """Do what a key does."""
        self.window.verbs[name].trigger()

    def mouse(self, kind: QEvent.Type, at: QPointF, held: Qt.MouseButton) -> None:
        """Send one event of the mouse."""
        moved = kind == QEvent.Type.MouseMove
        button = _NONE if moved else _LEFT
        place = QPointF(self.canvas.mapToGlobal(at))
        event = QMouseEvent(kind, at, place, button, held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(self.canvas, event)

    def move(self, at: QPointF, held: Qt.MouseButton = _NONE) -> None:
        """Move the pointer."""
        self.mouse(QEvent.Type.MouseMove, at, held)

    def pull(self, at: QPointF) -> None:
        """Move the pointer with the left button held."""
        self.move(at, _LEFT)

    def press(self, at: QPointF) -> None:
        """Press the left button."""
        self.mouse(QEvent.Type.MouseButtonPress, at, _LEFT)

    def release(self, at: QPointF) -> None:
        """Let go of it."""
        self.mouse(QEvent.Type.MouseButtonRelease, at, _NONE)

    def wheel(self, notches: float, at: QPointF | None = None) -> None:
        """Turn the wheel, in the middle by default."""
        at = at or QPointF(self.canvas.rect().center())
        event = QWheelEvent(
            at, QPointF(self.canvas.mapToGlobal(at)), QPoint(), QPoint(0, round(120 * notches)),
            _NONE, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(self.canvas, event)

    def screen(self, x: float, y: float) -> QPointF:
        """Return the screen point of an image point."""
        return QPointF(*self.canvas.viewport.to_screen(x, y))
