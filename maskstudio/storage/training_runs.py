"""Training runs on disk: a folder each, of which the window makes a list. Needs no torch and no Qt.

`settings.json` says what is trained on what, `log.jsonl` has the events, `checkpoint.pt` is what it
goes on from, `best.safetensors` the best model so far. While a process trains it holds `lock`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from maskstudio.errors import UserError
from maskstudio.storage.files import replaced_file, why
from maskstudio.storage.places import FOLDER_NAME
from maskstudio.storage.training_events import (
    Done,
    Event,
    Plan,
    RunState,
    StateChange,
    Step,
    Validation,
    from_json,
    to_json,
)

SETTINGS_NAME, LOG_NAME, CHECKPOINT_NAME = "settings.json", "log.jsonl", "checkpoint.pt"
BEST_NAME = "best.safetensors"
_LOCK_NAME = "lock"
_NAME = r"\w[\w .()+-]{0,79}"
# A process that was killed left one of these as its last word.
_UNDER_WAY = (RunState.TRAINING, RunState.PAUSED, RunState.STOPPING)


@dataclass(frozen=True)
class TrainingRun:
    """A run as a list shows it.

    Attributes:
        folder: where it lies.
        state: where it is.
        sentence: what went wrong, where something did.
        plan: what is to be done; None where it never began.
        iteration: steps made.
        best: the best figures so far; None before the first.
        model: the file that came out of it; empty before.
        held: a process is at it now.
        has_checkpoint: it can be taken up again.
    """

    folder: Path
    state: RunState
    sentence: str = ""
    plan: Plan | None = None
    iteration: int = 0
    best: Validation | None = None
    model: str = ""
    held: bool = False
    has_checkpoint: bool = False

    @property
    def name(self) -> str:
        """Its name: that of the model that comes out of it."""
        return self.folder.name

    @property
    def can_go_on(self) -> bool:
        """True when it ended before its time, and a checkpoint is there."""
        ended = (RunState.BROKEN_OFF, RunState.FAILED)
        return self.state in ended and self.has_checkpoint and not self.held


def runs_folder(project_folder: Path) -> Path:
    """Return where the runs of a project lie."""
    return project_folder / FOLDER_NAME / "training"


def make_run_folder(path: Path) -> Path:
    """Make the folder of a new run, with a number after its name where there is one already.

    Raises:
        UserError: the name could not be that of a folder, or it cannot be made.
    """
    if not re.fullmatch(_NAME, path.name):
        raise UserError(
            f"A run cannot be called {path.name!r}; use letters, digits, spaces, dots, dashes."
        )
    tried, number = path, 1
    while True:
        try:
            tried.mkdir(parents=True)
        except FileExistsError:
            number += 1
            tried = path.with_name(f"{path.name} {number}")
        except OSError as error:
            raise UserError(f"{path} cannot be made: {why(error)}.") from error
        else:
            return tried


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Be the one process that is at a run.

    Raises:
        UserError: another process is, or the folder is missing or cannot be written to.
    """
    if not folder.is_dir():
        raise UserError(f"There is no training run in {folder}.")
    lock = FileLock(folder / _LOCK_NAME, blocking=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise UserError(f"{folder} is being trained already, by another process.") from error
    except OSError as error:
        raise UserError(f"{folder} cannot be written to: {why(error)}.") from error
    try:
        yield
    finally:
        lock.release()


def write_settings(folder: Path, settings: Mapping[str, Any]) -> None:
    """Keep what a run is about.

    Raises:
        UserError: it cannot be written.
    """
    with replaced_file(folder / SETTINGS_NAME) as beside:
        beside.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def read_settings(folder: Path) -> dict[str, Any]:
    """Return what `write_settings` wrote.

    Raises:
        UserError: it is missing or damaged.
    """
    path = folder / SETTINGS_NAME
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(
            f"{folder} is no training run: it has no {SETTINGS_NAME}; give the folder of a run, as "
            "they lie in .maskstudio/training."
        ) from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {why(error)}.") from error
    except ValueError as error:
        raise UserError(f"{path} is damaged ({error}); begin a new run.") from error
    if not isinstance(told, dict):
        raise UserError(f"{path} is damaged; begin a new run.")
    return told


def note(folder: Path, event: Event) -> None:
    """Add an event to the log of a run.

    Raises:
        UserError: it cannot be written.
    """
    path = folder / LOG_NAME
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(to_json(event) + "\n")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {why(error)}.") from error


def rewind(folder: Path, iteration: int) -> None:
    """Take out of the log what came after a step: it is done again. Below 0 nothing stays.

    Raises:
        UserError: it cannot be written.
    """
    kept = [to_json(event) + "\n" for event in read_log(folder) if _until(event, iteration)]
    with replaced_file(folder / LOG_NAME) as beside:
        beside.write_text("".join(kept), encoding="utf-8")


def read_log(folder: Path) -> Iterator[Event]:
    """Yield the events of a run; what was cut off by a kill is left out."""
    with suppress(OSError), (folder / LOG_NAME).open(encoding="utf-8", errors="replace") as file:
        for line in file:
            with suppress(UserError):
                event = from_json(line)
                if event is not None:
                    yield event


def read_run(folder: Path) -> TrainingRun:
    """Return a run as it stands."""
    run = TrainingRun(folder, RunState.BROKEN_OFF)
    for event in read_log(folder):
        run = _after(run, event)
    held = _is_held(folder)
    if not held and run.state in _UNDER_WAY:
        run = replace(run, state=RunState.BROKEN_OFF)
    there = (folder / CHECKPOINT_NAME).is_file()
    return replace(run, held=held, has_checkpoint=there)


def list_runs(project_folder: Path) -> list[TrainingRun]:
    """Return the runs of a project, the latest first."""
    folders = [path.parent for path in runs_folder(project_folder).glob(f"*/{SETTINGS_NAME}")]
    folders.sort(key=_changed, reverse=True)
    return [read_run(folder) for folder in folders]


def _after(run: TrainingRun, event: Event) -> TrainingRun:
    if isinstance(event, Step):
        return replace(run, iteration=event.iteration)
    if isinstance(event, Plan):
        return replace(run, plan=event)
    if isinstance(event, Validation):
        return replace(run, best=event) if event.best else run
    if isinstance(event, StateChange):
        return replace(run, state=event.state, sentence=event.sentence)
    return replace(run, model=event.model) if isinstance(event, Done) else run


def _until(event: Event, iteration: int) -> bool:
    return getattr(event, "iteration", 0) <= iteration


def _is_held(folder: Path) -> bool:
    path = folder / _LOCK_NAME
    if not path.exists():
        return False
    lock = FileLock(path, blocking=False)
    try:
        lock.acquire()
    except (Timeout, OSError):
        return True
    lock.release()
    return False


def _changed(folder: Path) -> float:
    with suppress(OSError):
        return (folder / LOG_NAME).stat().st_mtime
    return 0.0
