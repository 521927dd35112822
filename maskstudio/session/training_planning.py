"""Finds out what a training run would do and how long it would take, in a process of its own."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from maskstudio.errors import UserError
from maskstudio.session.child import Child
from maskstudio.session.training_choice import TrainingChoice
from maskstudio.storage.training_events import Plan, from_json

_WAIT_MS = 500


class TrainingPlanning(QObject):
    """Asks `maskstudio train --plan` about the latest choice; it writes nothing.

    Attributes:
        plan: the answer; None while it is awaited, or where there is none.
        failure: why there is none, in a sentence; empty else.

    Signals:
        changed: another of these is known.
    """

    changed = Signal()

    def __init__(self, command: Sequence[str], folder: Path, parent: QObject) -> None:
        """Ask nothing yet.

        Args:
            command: what starts this program again.
            folder: the project's.
            parent: ends it with itself.
        """
        super().__init__(parent)
        self._command = tuple(command)
        self._folder = folder
        self._choice: TrainingChoice | None = None
        self._child: Child | None = None
        self.plan: Plan | None = None
        self.failure = ""
        # While somebody turns a number, every step of it would load the network again.
        self._wait = QTimer(self, singleShot=True, interval=_WAIT_MS)
        self._wait.timeout.connect(self._ask)

    @property
    def waiting(self) -> bool:
        """True while the answer is on its way."""
        return self._child is not None or self._wait.isActive()

    def ask(self, choice: TrainingChoice) -> None:
        """Ask about another choice; the answer to an earlier one is no longer wanted."""
        if choice == self._choice:
            return
        self._choice = choice
        self.end()
        self.plan, self.failure = None, ""
        self._wait.start()
        self.changed.emit()

    def end(self) -> None:
        """Ask no more."""
        self._wait.stop()
        child, self._child = self._child, None
        if child is not None:
            child.told.disconnect(self._on_told)
            child.ended.disconnect(self._on_ended)
            child.ended.connect(child.deleteLater)
            child.kill()

    def _ask(self) -> None:
        if self._choice is None:
            return
        words = ("train", *self._choice.words(self._folder), "--plan", "--progress", "jsonl")
        child = self._child = Child((*self._command, *words), self)
        child.told.connect(self._on_told)
        child.ended.connect(self._on_ended)
        child.start()

    def _on_told(self, line: str) -> None:
        try:
            event = from_json(line)
        except UserError:
            return
        if isinstance(event, Plan):
            self.plan = event

    def _on_ended(self, sentence: str) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.deleteLater()
        self.failure = sentence
        self.changed.emit()
