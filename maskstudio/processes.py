"""Work for several processor cores, cut into pieces and done by helper processes.

The helpers are fresh interpreters that load what the work itself needs and nothing else (no Qt, no
torch). They end with this process, however it ends.
"""

import contextlib
import gc
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from maskstudio.errors import CancelledError, UserError

if TYPE_CHECKING:
    # Fails to load where the system has no semaphores to share.
    from multiprocessing.synchronize import Event

_Piece = TypeVar("_Piece")
_Result = TypeVar("_Result")

# A helper holds what its libraries take and what it is working on: 150 MB and more.
_MOST_HELPERS = 4

# Where there is no more than one, starting helpers would take longer than that.
_DONE_HERE = 1

# What is worked on is no garbage, and not to be searched for it again and again.
_OBJECTS_UNSEARCHED = 200_000


_stopping: "Event | None" = None


class Helpers:
    """Helper processes, started when there is enough work for them; use it as a context manager.

    Where none can be started, this process does the work.
    """

    def __init__(self, done_here: int = _DONE_HERE) -> None:
        """Start nothing yet.

        Args:
            done_here: so many pieces of each work are done by this process, before it starts
                helpers for the rest.
        """
        self._done_here = done_here
        self._pool: _Pool | None = None
        self._usable = True

    def __enter__(self) -> "Helpers":
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            # A few pieces are with the helpers already: only those begun are still finished.
            self._pool.stopping.set()
            self._pool.executor.shutdown(wait=True, cancel_futures=True)

    def in_order(
        self, function: Callable[[_Piece], _Result], pieces: Iterable[_Piece]
    ) -> Iterator[_Result]:
        """Yield what a function makes of each piece, in the order of the pieces.

        A few pieces are ahead of the one yielded, no more.

        Args:
            function: of a module; it, its pieces and its results must be picklable.
            pieces: taken one by one, in this thread.

        Raises:
            UserError: a helper was ended from outside.
        """
        waiting: deque[tuple[_Piece, Future[_Result]]] = deque()
        for number, piece in enumerate(pieces):
            future = self._submitted(function, piece) if number >= self._done_here else None
            if future is None:
                yield from self._finished(function, waiting, 0)
                yield function(piece)
            else:
                waiting.append((piece, future))
                yield from self._finished(function, waiting, 2 * helpers_at_most())
        yield from self._finished(function, waiting, 0)

    def _submitted(
        self, function: Callable[[_Piece], _Result], piece: _Piece
    ) -> "Future[_Result] | None":
        """Give a piece to the helpers; None where there are none."""
        # Not where the system has no semaphores to share (OSError, ImportError).
        with contextlib.suppress(BrokenProcessPool, OSError, ImportError):
            if self._usable:
                if self._pool is None:
                    self._pool = _started()
                return self._pool.executor.submit(_unless_stopping, function, piece)
        self._usable = False
        return None

    def _finished(
        self,
        function: Callable[[_Piece], _Result],
        waiting: deque[tuple[_Piece, "Future[_Result]"]],
        still: int,
    ) -> Iterator[_Result]:
        """Yield results until no more than `still` are waited for."""
        while len(waiting) > still:
            piece, future = waiting.popleft()
            try:
                result = future.result()
            except BrokenProcessPool as error:
                self._usable = False
                if self._pool is None or self._pool.begun.exception() is None:
                    # What ended a helper would not spare this process.
                    raise UserError(
                        "A helper process was ended, perhaps for want of memory; close other "
                        "programs and try again."
                    ) from error
                result = function(piece)
            yield result


def helpers_at_most() -> int:
    """Return how many helpers there are where there is work for all of them."""
    return max(1, min(_MOST_HELPERS, os.cpu_count() or 1))


@dataclass(frozen=True)
class _Pool:
    """Helpers at work.

    Attributes:
        executor: gives them their pieces.
        stopping: set when they need not begin with another.
        begun: done when one of them has begun; fails where they cannot.
    """

    executor: ProcessPoolExecutor
    stopping: "Event"
    begun: "Future[int]"


def _started() -> _Pool:
    # Not forked: a fork of a process with threads (Qt's, torch's) may hang at any time.
    spawning = multiprocessing.get_context("spawn")
    stopping = spawning.Event()
    executor = ProcessPoolExecutor(
        helpers_at_most(), spawning, _begin_as_helper, initargs=(stopping,)
    )
    return _Pool(executor, stopping, executor.submit(os.getpid))


def _begin_as_helper(stopping: "Event") -> None:
    """Leave Ctrl+C to the parent, and end when it does, even if it was killed."""
    global _stopping
    _stopping = stopping
    gc.set_threshold(_OBJECTS_UNSEARCHED)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _unless_stopping(function: Callable[[_Piece], _Result], piece: _Piece) -> _Result:
    if _stopping is not None and _stopping.is_set():
        raise CancelledError
    return function(piece)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
