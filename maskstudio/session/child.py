"""A command of this very program in a process of its own, which says where it is in JSON lines.

It has its own memory, can be ended, and cannot take the window with it. It hears of the window's
end, however that comes, by the end of its standard input.
"""

import os
import sys
from collections.abc import Sequence

from PySide6.QtCore import QObject, QProcess, Signal

_NICE = 10
_BYTES_KEPT = 8000
_NAME = "maskstudio: "


def own_command() -> tuple[str, ...]:
    """Return what starts this program again, for commands to be added to."""
    if getattr(sys, "frozen", False):
        return (sys.executable,)
    return (sys.executable, "-m", "maskstudio")


class Child(QObject):
    """The process; it gives way to the window where all cores are busy.

    Signals:
        told: a line it printed.
        ended: why it failed, in a sentence; empty when it did what it was asked to.
    """

    told = Signal(str)
    ended = Signal(str)

    def __init__(self, command: Sequence[str], parent: QObject) -> None:
        """Start nothing yet.

        Args:
            command: the program and its words.
            parent: ends the process with itself, at once; `let_go` first.
        """
        super().__init__(parent)
        self._command = command
        self._errors = b""
        self._process = process = QProcess(self)
        process.readyReadStandardOutput.connect(self._read)
        process.readyReadStandardError.connect(self._read_errors)
        process.started.connect(self._step_back)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)

    def start(self) -> None:
        """Start it; what it tells and how it ends may come at once."""
        self._process.start(self._command[0], list(self._command[1:]))

    @property
    def running(self) -> bool:
        """True until it has ended."""
        return self._process.state() is not QProcess.ProcessState.NotRunning

    def say(self, line: str) -> None:
        """Write a line to its standard input."""
        self._process.write(f"{line}\n".encode())

    def let_go(self, seconds: float) -> None:
        """Close its standard input, which tells it to end by itself, and wait as long as this."""
        self._process.closeWriteChannel()
        if self.running:
            self._process.waitForFinished(round(seconds * 1000))

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def _step_back(self) -> None:
        if sys.platform != "win32":
            # Threads that it begins from here inherit it; Windows prefers the window by itself.
            os.setpriority(os.PRIO_PROCESS, self._process.processId(), _NICE)

    def _read(self) -> None:
        while self._process.canReadLine():
            self.told.emit(bytes(self._process.readLine().data()).decode(errors="replace"))

    def _read_errors(self) -> None:
        self._errors = (self._errors + self._process.readAllStandardError().data())[-_BYTES_KEPT:]

    def _on_finished(self, code: int, how: QProcess.ExitStatus) -> None:
        self._read()
        self._read_errors()
        crashed = how is QProcess.ExitStatus.CrashExit
        self.ended.emit(self._why(code, crashed=crashed) if crashed or code else "")

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            # Nothing else is told of such a one.
            self.ended.emit(f"It could not be started: {self._process.errorString()}.")

    def _why(self, code: int, *, crashed: bool) -> str:
        lines = self._errors.decode(errors="replace").strip().splitlines()
        said = [line for line in lines if line.startswith(_NAME)]
        if said:
            return said[-1].removeprefix(_NAME)
        if crashed:
            return "It was ended from outside, perhaps for want of memory."
        last = lines[-1].strip() if lines else f"exit code {code}"
        return f"An error inside the program ended it ({last})."
