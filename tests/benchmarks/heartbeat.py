"""How long the GUI thread does not come to a tick of 1 ms, and what it does meanwhile."""

import math
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from PySide6.QtCore import QObject, Qt, QTimer

_TRACED_MS = 50.0
_DEPTH = 7


@dataclass(frozen=True)
class Gap:
    """The GUI thread stood still."""

    phase: str
    after_s: float
    milliseconds: float
    trace: tuple[str, ...]


class Tracer(threading.Thread):
    """Looks at every thread while no tick comes, and at how long it was itself kept from looking.

    Where it was kept as long as the GUI thread, something held the interpreter's lock (or every
    core was busy); the stacks are then those of the moment after.
    """

    def __init__(self) -> None:
        super().__init__(name="tracer", daemon=True)
        self.last_tick = math.inf
        self._samples: list[str] = []
        self._ended = threading.Event()
        self._gui = threading.main_thread().ident

    def run(self) -> None:
        looked = time.perf_counter()
        while not self._ended.wait(0.005):
            now = time.perf_counter()
            if (now - self.last_tick) * 1000 > _TRACED_MS / 2:
                self._samples.append(f"kept from looking {(now - looked) * 1000:.0f} ms")
                self._samples += self._stacks()
            looked = now

    def take(self) -> tuple[str, ...]:
        """Return what was seen since the last time, the commonest first."""
        taken, self._samples = self._samples, []
        return tuple(f"{count} x {text}" for text, count in Counter(taken).most_common(4))

    def end(self) -> None:
        """Stop looking."""
        self._ended.set()
        self.join()

    def _stacks(self) -> Iterator[str]:
        for ident, places in _places_of_all_threads().items():
            if ident == self.ident or places[0].endswith(" wait"):
                continue
            who = "GUI thread" if ident == self._gui else "another thread"
            yield f"{who}: {' < '.join(places)}"


def _places_of_all_threads() -> dict[int, list[str]]:
    """Return where each thread is, innermost first.

    Frames are let go of before anything is read from a file: while one is held, what its function
    leaves behind dies in this thread, and a QTimer must not.
    """
    found: dict[int, list[str]] = {}
    for ident, top in sys._current_frames().items():  # noqa: SLF001 - Python's own name
        frame: FrameType | None = top
        places: list[str] = []
        found[ident] = places
        while frame is not None and len(places) < _DEPTH:
            file = frame.f_code.co_filename.rpartition(os.sep)[2]
            places.append(f"{file}:{frame.f_lineno} {frame.f_code.co_name}")
            frame = frame.f_back
    return found


class Heartbeat(QObject):
    """Ticks on the GUI thread and notes, phase by phase, how long it did not."""

    def __init__(self, tracer: Tracer | None) -> None:
        super().__init__()
        self.gaps: dict[str, list[float]] = {}
        self.long: list[Gap] = []
        self._tracer = tracer
        self._phase = ""
        self._began = self._last = 0.0
        self._timer = QTimer(self, interval=1, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Note gaps under a name while the body runs."""
        self._phase = name
        self._began = self._last = time.perf_counter()
        if self._tracer is not None:
            self._tracer.last_tick = self._last
        self._timer.start()
        try:
            yield
        finally:
            self._tick()
            self._timer.stop()
            if self._tracer is not None:
                self._tracer.last_tick = math.inf

    def _tick(self) -> None:
        now = time.perf_counter()
        milliseconds = (now - self._last) * 1000
        self.gaps.setdefault(self._phase, []).append(milliseconds)
        trace = self._tracer.take() if self._tracer is not None else ()
        if milliseconds > _TRACED_MS:
            self.long.append(Gap(self._phase, now - self._began, milliseconds, trace))
        self._last = time.perf_counter()
        if self._tracer is not None:
            self._tracer.last_tick = self._last
