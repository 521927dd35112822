"""Words to a command that runs: lines on its standard input, Ctrl+C, and the end of its caller."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maskstudio.mask_rcnn.training_run import Wish


class Control:
    """What a person wants of a training run; `wish` may be asked at any time."""

    def __init__(self) -> None:
        from maskstudio.mask_rcnn.training_run import Wish

        self._words = {"pause": Wish.PAUSE, "resume": Wish.GO_ON, "stop": Wish.STOP}
        self._wish = Wish.GO_ON
        self._leave = Wish.LEAVE

    def wish(self) -> "Wish":
        """Return what was said last."""
        return self._wish

    def hear(self, word: str) -> None:
        """Take a word; one that is unknown changes nothing, nor does any after the last."""
        if self._wish is not self._leave:
            self._wish = self._words.get(word.strip().lower(), self._wish)

    def leave(self) -> None:
        """End the run, to go on another time."""
        self._wish = self._leave

    def listen(self, descriptor: int) -> None:
        """Hear the lines of a file from now on; its end is the end of the run."""
        Thread(target=self._read, args=(descriptor,), daemon=True).start()

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Take Ctrl+C and a polite end of the process for a wish to leave."""
        kinds = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(kind, self._on_signal) for kind in kinds]
        try:
            yield
        finally:
            for kind, handler in zip(kinds, before, strict=True):
                signal.signal(kind, handler)

    def _on_signal(self, *_: Any) -> None:
        self.leave()

    def _read(self, descriptor: int) -> None:
        # Not through `sys.stdin`: who waits in there when Python ends keeps its lock.
        left = b""
        while more := os.read(descriptor, 4096):
            *lines, left = (left + more).split(b"\n")
            for line in lines:
                self.hear(line.decode("utf-8", "replace"))
        self.leave()


def standard_input() -> int:
    """Return the number of the standard input; programs without a console have none."""
    return sys.stdin.fileno() if sys.stdin is not None else 0
