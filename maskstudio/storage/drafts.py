"""Outlines that are being drawn, in a file beside the project database: a crash leaves them.

They are no part of the project's data, and a file can be replaced on any thread while the database
is written on another.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maskstudio.annotation.draft import Draft
from maskstudio.errors import UserError
from maskstudio.storage.files import replaced_file, why
from maskstudio.storage.places import FOLDER_NAME

_FILE_NAME = "drafts.json"


def read_drafts(folder: Path) -> list[tuple[str, Draft]]:
    """Return the unfinished outlines of a project, each with its image's path, the oldest first.

    Nothing is returned of a file that is missing or not understood: it must not keep a project from
    being opened.
    """
    try:
        stored = json.loads(_path(folder).read_text(encoding="utf-8"))
        return [(str(plain["image"]), _draft(plain)) for plain in stored]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def write_drafts(folder: Path, drafts: Sequence[tuple[str, Draft]]) -> None:
    """Replace the unfinished outlines of a project; the file goes with the last of them.

    Raises:
        UserError: it cannot be written.
    """
    path = _path(folder)
    if drafts:
        plain = [_plain(image, draft) for image, draft in drafts]
        with replaced_file(path) as beside:
            beside.write_text(json.dumps(plain), encoding="utf-8")
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{path} cannot be removed: {why(error)}.") from error


def _path(folder: Path) -> Path:
    return folder / FOLDER_NAME / _FILE_NAME


def _plain(image: str, draft: Draft) -> dict[str, Any]:
    return {
        "image": image,
        "tool": draft.tool,
        "category": draft.category_id,
        "points": draft.points,
        "ends": draft.ends,
    }


def _draft(plain: dict[str, Any]) -> Draft:
    points = tuple((float(x), float(y)) for x, y in plain["points"])
    if not points or not all(math.isfinite(x) and math.isfinite(y) for x, y in points):
        raise ValueError("an outline has points that can be drawn")
    ends = tuple(int(end) for end in plain["ends"])
    if [0, *ends] != sorted({0, *ends}) or ends[-1:] != (len(points),):
        raise ValueError("the clicks of an outline set all its points")
    category = plain["category"]
    return Draft(str(plain["tool"]), None if category is None else int(category), points, ends)
