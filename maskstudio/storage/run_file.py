"""The run over many images that is not finished, so that it can be continued after a restart.

`.maskstudio/run.jsonl`: the first line says what was to be done to which images, and each further
line that one of them is done, or why it could not be. A line is written once the result is in the
database: who is killed between the two does that image again, which changes nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from maskstudio.errors import UserError
from maskstudio.storage.files import replaced_file, why
from maskstudio.storage.places import FOLDER_NAME

_FILE_NAME = "run.jsonl"


@dataclass(frozen=True)
class StoredRun:
    """A run as it is kept.

    Attributes:
        kind: what is done to the images.
        model: name or path of the model that does it.
        states: only images in one of these states are changed.
        image_ids: the images, in order.
        left_alone: images that were left out at the start because a person had finished them.
        ended: of each image that is done an empty text, of each that failed a sentence.
    """

    kind: str
    model: str
    states: tuple[str, ...]
    image_ids: tuple[int, ...]
    left_alone: int = 0
    ended: Mapping[int, str] = field(default_factory=dict)


def write_run(project_folder: Path, run: StoredRun) -> None:
    """Keep a run, in place of another.

    Raises:
        UserError: it cannot be written.
    """
    head = {
        "kind": run.kind,
        "model": run.model,
        "states": run.states,
        "image_ids": run.image_ids,
        "left_alone": run.left_alone,
    }
    lines = [json.dumps(head), *(_line(*pair) for pair in run.ended.items())]
    with replaced_file(_path(project_folder)) as beside:
        beside.write_text("\n".join(lines) + "\n", encoding="utf-8")


def note_end(project_folder: Path, image_id: int, sentence: str = "") -> None:
    """Note that an image of the run is done, or why it could not be.

    Raises:
        UserError: it cannot be written.
    """
    path = _path(project_folder)
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(_line(image_id, sentence) + "\n")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {why(error)}.") from error


def read_run(project_folder: Path) -> StoredRun | None:
    """Return the run that is not finished; None where there is none, or none that can be read."""
    try:
        text = _path(project_folder).read_text(encoding="utf-8")
        head, *lines = text.split("\n")
        told = json.loads(head)
        return StoredRun(
            str(told["kind"]),
            str(told["model"]),
            tuple(str(state) for state in told["states"]),
            tuple(int(image_id) for image_id in told["image_ids"]),
            int(told["left_alone"]),
            _ended(lines),
        )
    except (OSError, ValueError, LookupError, TypeError):
        # Of use only as long as it can be read: what it did is in the database.
        return None


def forget_run(project_folder: Path) -> None:
    """Keep no run."""
    _path(project_folder).unlink(missing_ok=True)


def _line(image_id: int, sentence: str) -> str:
    return json.dumps([image_id, sentence])


def _ended(lines: list[str]) -> dict[int, str]:
    ended = {}
    for line in lines:
        try:
            image_id, sentence = json.loads(line)
            ended[int(image_id)] = str(sentence)
        except (ValueError, TypeError):
            # The last line, cut off where the process was killed, or the empty one after it.
            continue
    return ended


def _path(project_folder: Path) -> Path:
    return project_folder / FOLDER_NAME / _FILE_NAME
