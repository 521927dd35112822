"""How commands talk: a progress bar for people, JSON lines for programs, one line for an error."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Annotated, Self

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from maskstudio.errors import UserError
from maskstudio.progress import TaskContext


class ProgressStyle(StrEnum):
    """How a command shows where it is."""

    BAR = "bar"
    JSONL = "jsonl"
    NONE = "none"


DeviceName = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")]
ProgressOption = Annotated[ProgressStyle, typer.Option(help="How to show progress.")]


def check_folders(*files: Path | None) -> None:
    """Refuse files whose folder is missing before the work that they are to hold, not after it.

    Raises:
        UserError: one of the folders does not exist.
    """
    for file in files:
        if file is not None and not file.absolute().parent.is_dir():
            raise UserError(f"{file} cannot be written: its folder does not exist; make it first.")


class ConsoleContext(TaskContext):
    """Progress of one command; results that are produced become JSON lines, or are left out."""

    def __init__(self, title: str, style: ProgressStyle) -> None:
        self._style = style
        self._title = title
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=Console(stderr=True),
            disable=style is not ProgressStyle.BAR or not sys.stderr.isatty(),
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def report(self, done: int, total: int, note: str = "") -> None:
        """Move the bar, or print `{"event": "progress", ...}`."""
        if self._style is ProgressStyle.JSONL:
            self._print({"event": "progress", "done": done, "total": total, "note": note})
            return
        if self._task is None:
            self._task = self._progress.add_task(self._title, note="")
        self._progress.update(self._task, completed=done, total=total, note=note)

    def produce(self, item: object) -> None:
        """Print a line, or in JSON lines `{"event": "result", ...}`."""
        if self._style is ProgressStyle.JSONL:
            self._print({"event": "result"} | (item if isinstance(item, dict) else {"line": item}))
        elif isinstance(item, str):
            sys.stdout.write(item + "\n")
            sys.stdout.flush()

    def _print(self, message: dict[str, object]) -> None:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()
