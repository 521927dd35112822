"""Work off the GUI thread: lanes of threads, jobs in order of urgency, results brought back.

A lane is one kind of resource. MODEL has one thread, the only one that touches torch; FILES has
two, for decoding, export and listing; PAINT has one, for the overlay; TILES has one, for what is
seen of very large images. Work is a plain callable that takes a `TaskContext`; its result, its
error and what it produces on the way arrive on the GUI thread. Progress is not sent: whoever shows
it asks the job ten times a second.

A model takes seconds for an image, and what a person waits for cannot wait for that. So work on
lane MODEL gives way: whenever it asks whether to stop, more urgent jobs are done first, on the same
thread, and then it goes on where it was.
"""

import heapq
import itertools
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from maskstudio.errors import CancelledError, UserError
from maskstudio.progress import TaskContext

Work = Callable[[TaskContext], Any]

_NICE = 10


class LaneName(StrEnum):
    """The lanes there are."""

    MODEL = "model"
    FILES = "files"
    PAINT = "paint"
    TILES = "tiles"


class Priority(IntEnum):
    """How urgent a job is; of two equally urgent ones the older goes first."""

    NOW = 0
    """The labeler is waiting for it."""
    LONG = 1
    """The labeler is waiting for it, and does other things meanwhile: it takes long."""
    SOON = 2
    """The labeler will want it next."""
    BATCH = 3
    """It has to be done some time."""
    IDLE = 4
    """It is of use, and nobody waits for it: only while nothing else is to be done."""


@dataclass(frozen=True)
class Progress:
    """How far a job is."""

    done: int = 0
    total: int = 0
    note: str = ""


@dataclass(frozen=True)
class Callbacks:
    """What to call on the GUI thread.

    Attributes:
        done: with the work's result.
        failed: with the sentence of a `UserError`.
        cancelled: when the work was cancelled, before or while it ran.
        item: with each thing the work produced on the way.
    """

    done: Callable[[Any], None] = lambda _: None
    failed: Callable[[str], None] = lambda _: None
    cancelled: Callable[[], None] = lambda: None
    item: Callable[[Any], None] = lambda _: None


class Job(TaskContext):
    """One piece of work on a lane; the work itself sees it as its `TaskContext`."""

    def __init__(
        self,
        work: Work,
        callbacks: Callbacks,
        post: Callable[[Callable[[], None]], None],
        let_past: Callable[[], None] | None,
    ) -> None:
        """Prepare it.

        Args:
            work: what to do.
            callbacks: told of it.
            post: brings a call to the GUI thread.
            let_past: does what is more urgent, on the calling thread; None where nothing is.
        """
        self._work = work
        self._callbacks = callbacks
        self._post = post
        self._let_past = let_past
        self._gives_way = False
        self._thread = 0
        self._cancelled = threading.Event()
        self._progress = Progress()

    @property
    def progress(self) -> Progress:
        """How far it is; may be asked from any thread."""
        return self._progress

    def cancel(self) -> None:
        """Ask it to stop; `cancelled` is called once it has."""
        self._cancelled.set()

    def report(self, done: int, total: int, note: str = "") -> None:
        """Note how far the work is."""
        self._progress = Progress(done, total, note)

    def produce(self, item: object) -> None:
        """Bring an item to the GUI thread."""
        self._post(lambda: self._callbacks.item(item))

    def raise_if_cancelled(self) -> None:
        """Raise `CancelledError` if the job was asked to stop; let more urgent ones go first."""
        if self._gives_way:
            # Asked by a layer that the more urgent job runs through too: it must not end that one.
            return
        self._raise_if_asked()
        if self._let_past is not None and threading.get_ident() == self._thread:
            self._gives_way = True
            try:
                self._let_past()
            finally:
                self._gives_way = False
            self._raise_if_asked()

    def run(self) -> None:
        """Do the work on the calling thread and post how it ended."""
        callbacks = self._callbacks
        self._thread = threading.get_ident()
        try:
            self.raise_if_cancelled()
            result = self._work(self)
        except CancelledError:
            self._post(callbacks.cancelled)
        except UserError as error:
            sentence = str(error)
            self._post(lambda: callbacks.failed(sentence))
        except Exception:  # noqa: BLE001 - a bug in one job must not end the lane
            raised = sys.exc_info()
            self._post(lambda: sys.excepthook(*raised))
            self._post(lambda: callbacks.failed("An error inside the program; see the log."))
        else:
            self._post(lambda: callbacks.done(result))

    def _raise_if_asked(self) -> None:
        if self._cancelled.is_set():
            raise CancelledError


class _Lane:
    """Threads that take the most urgent job from one queue."""

    def __init__(self, name: LaneName, threads: int = 1) -> None:
        self._queue: list[tuple[int, int, Job]] = []
        self._order = itertools.count()
        self._wake = threading.Condition()
        self._closed = False
        self._running: set[Job] = set()
        self._threads = [
            threading.Thread(target=self._serve, name=f"{name}-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def put(self, job: Job, priority: Priority) -> None:
        with self._wake:
            heapq.heappush(self._queue, (priority, next(self._order), job))
            self._wake.notify()

    def close(self) -> None:
        with self._wake:
            self._closed = True
            self._queue.clear()
            for job in self._running:
                job.cancel()
            self._wake.notify_all()
        for thread in self._threads:
            thread.join()

    def let_past(self, priority: Priority) -> None:
        """Do all that waits and is more urgent than this, on the calling thread."""
        while (job := self._take_before(priority)) is not None:
            self._do(job)

    def _serve(self) -> None:
        _step_back()
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._closed or self._queue)
                if self._closed:
                    return
                job = self._take()
            self._do(job)

    def _take_before(self, priority: Priority) -> Job | None:
        with self._wake:
            return self._take() if self._queue and self._queue[0][0] < priority else None

    def _take(self) -> Job:
        _, _, job = heapq.heappop(self._queue)
        self._running.add(job)
        return job

    def _do(self, job: Job) -> None:
        try:
            job.run()
        finally:
            with self._wake:
                self._running.discard(job)


def _step_back() -> None:
    """Let the GUI thread go first where all cores are busy; threads made from here inherit it.

    Windows and macOS prefer the thread of the window in front by themselves.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


class Tasks(QObject):
    """All lanes of the program. Must be made and closed on the GUI thread."""

    _posted = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._mail: deque[Callable[[], None]] = deque()
        self._closed = False
        self._posted.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._lanes = {
            LaneName.MODEL: _Lane(LaneName.MODEL),
            LaneName.FILES: _Lane(LaneName.FILES, threads=2),
            LaneName.PAINT: _Lane(LaneName.PAINT),
            LaneName.TILES: _Lane(LaneName.TILES),
        }

    def submit(
        self,
        lane: LaneName,
        work: Work,
        callbacks: Callbacks = Callbacks(),
        priority: Priority = Priority.NOW,
    ) -> Job:
        """Put work on a lane; its callbacks are called on the GUI thread."""
        # Elsewhere a job may be in the middle of a transaction, which another must not get into.
        gives_way = lane is LaneName.MODEL and priority > Priority.NOW
        past = partial(self._lanes[lane].let_past, priority) if gives_way else None
        job = Job(work, callbacks, self._post, past)
        self._lanes[lane].put(job, priority)
        return job

    def close(self) -> None:
        """Cancel everything and wait until every thread has ended; nothing is delivered after."""
        self._closed = True
        for lane in self._lanes.values():
            lane.close()
        self._mail.clear()

    def _post(self, call: Callable[[], None]) -> None:
        self._mail.append(call)
        if not self._closed:
            self._posted.emit()

    @Slot()
    def _deliver(self) -> None:
        # One letter for one signal: the window can react between two.
        if self._mail:
            self._mail.popleft()()
