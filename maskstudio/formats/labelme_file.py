"""Read one labelme file, strictly, as versions 3 to 7 and X-AnyLabeling write it.

labelme keeps keys that it does not know, of a shape and of the whole; X-AnyLabeling writes `score`,
`difficult`, `attributes` and `checked` among them, and so do we, and `iscrowd`. See labelme's
`_label_file.py` and X-AnyLabeling's `label_file.py`, and docs/decisions/0028.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskstudio.errors import UserError
from maskstudio.formats.quoting import quoted
from maskstudio.formats.strict_json import load_json

_Entry = dict[str, Any]
_CROWD = "iscrowd"


@dataclass(frozen=True)
class LabelmeShape:
    """One entry of `shapes`.

    Attributes:
        place: its place in the list.
        label: the category; empty where it has none.
        kind: `polygon`, `rectangle`, `mask`, ...
        points: (n, 2) float64, finite.
        group: shapes of one label and one group are one instance; None for one of its own.
        mask: a PNG in base64, for shapes of the kind `mask`.
        score: a model's, 0 to 1.
        iscrowd: it covers many instances.
        attributes: (name, value), sorted: flags as `true` and `false`, attributes as they are.
        note: its description.
    """

    place: int
    label: str
    kind: str
    points: NDArray[np.float64]
    group: int | str | None = None
    mask: str | None = None
    score: float | None = None
    iscrowd: bool = False
    attributes: tuple[tuple[str, str], ...] = ()
    note: str = ""


@dataclass(frozen=True)
class LabelmeFile:
    """One file, which is about one image.

    Attributes:
        path: where it was read from.
        image_path: relative to the file, as it stands there, with slashes.
        height: rows of the image, 0 where the file does not say.
        width: columns of the image, 0 where the file does not say.
        shapes: back to front.
        image_data: the image itself in base64, or None.
        flags: names of what is said of the image as a whole.
        checked: somebody has looked it through.
    """

    path: Path
    image_path: str
    height: int
    width: int
    shapes: tuple[LabelmeShape, ...]
    image_data: str | None
    flags: tuple[str, ...]
    checked: bool


def looks_like_labelme(raw: object) -> bool:
    """Tell whether a JSON value is a labelme file, sound or not."""
    return isinstance(raw, dict) and isinstance(raw.get("shapes"), list) and "imagePath" in raw


def read_labelme(path: Path) -> LabelmeFile:
    """Read one labelme file.

    Raises:
        UserError: it cannot be read, is no labelme file, or something in it is of a wrong type.
    """
    return labelme_file(path, load_json(path))


def labelme_file(path: Path, raw: object) -> LabelmeFile:
    """Read a labelme file that has been parsed already.

    Raises:
        UserError: it is no labelme file, or something in it is of a wrong type.
    """
    if not isinstance(raw, dict) or not looks_like_labelme(raw):
        raise UserError(f"{path} is no labelme file: it has no list 'shapes' and no 'imagePath'.")
    where = str(path)
    image_path = _typed(where, raw, "imagePath", str)
    if not image_path:
        raise UserError(f"{where} does not name its image: 'imagePath' is empty.")
    return LabelmeFile(
        path,
        image_path.replace("\\", "/"),
        _length(where, raw, "imageHeight"),
        _length(where, raw, "imageWidth"),
        tuple(_shape(f"{where}: shapes[{n}]", n, entry) for n, entry in enumerate(raw["shapes"])),
        _typed(where, raw, "imageData", str),
        tuple(name for name, value in (_typed(where, raw, "flags", dict) or {}).items() if value),
        _typed(where, raw, "checked", bool) is True,
    )


def _shape(where: str, place: int, entry: object) -> LabelmeShape:
    if not isinstance(entry, dict):
        raise UserError(f"{where} is no object.")
    crowd = _typed(where, entry, _CROWD, (bool, int))
    return LabelmeShape(
        place,
        _typed(where, entry, "label", str) or "",
        # Version 3 wrote no kind before it knew of others.
        _typed(where, entry, "shape_type", str) or "polygon",
        _points(where, entry.get("points")),
        _typed(where, entry, "group_id", (int, str)),
        _typed(where, entry, "mask", str),
        _score(where, entry),
        bool(crowd),
        _attributes(where, entry),
        _typed(where, entry, "description", str) or "",
    )


def _points(where: str, value: object) -> NDArray[np.float64]:
    if not isinstance(value, list) or not all(map(_is_point, value)):
        raise UserError(f"{where} has 'points' that are not a list of [x, y].")
    try:
        points = np.array(value, np.float64).reshape(-1, 2)
    except OverflowError as error:
        raise UserError(f"{where} has a coordinate that is too large.") from error
    if not np.isfinite(points).all():
        raise UserError(f"{where} has a coordinate that is not finite.")
    return points


def _is_point(value: object) -> bool:
    if not isinstance(value, list) or len(value) != 2:
        return False
    return all(type(number) in (int, float) for number in value)


def _score(where: str, entry: _Entry) -> float | None:
    score = _typed(where, entry, "score", (int, float))
    if score is None:
        return None
    if isinstance(score, bool) or not 0 <= score <= 1:
        raise UserError(f"{where} has the score {quoted(score)}, which is not between 0 and 1.")
    return float(score)


def _attributes(where: str, entry: _Entry) -> tuple[tuple[str, str], ...]:
    """Return flags, attributes and X-AnyLabeling's `difficult`, each name once."""
    found: dict[str, str] = {}
    for key in ("flags", "attributes"):
        # Some versions wrote flags that are not true or false.
        for name, value in (_typed(where, entry, key, dict) or {}).items():
            found[name] = value if isinstance(value, str) else json.dumps(value)
    if _typed(where, entry, "difficult", bool):
        found.setdefault("difficult", "true")
    return tuple(sorted(found.items()))


def _length(where: str, raw: _Entry, key: str) -> int:
    length = _typed(where, raw, key, int) or 0
    if length < 0:
        raise UserError(f"{where} has {key!r} {quoted(length)}, which is less than 0.")
    return int(length)


def _typed(where: str, raw: _Entry, key: str, kind: type | tuple[type, ...]) -> Any:
    """Return a value of a type, None where it is missing or null; true is no number."""
    value = raw.get(key)
    kinds = kind if isinstance(kind, tuple) else (kind,)
    wrong = isinstance(value, bool) and bool not in kinds
    if value is not None and (wrong or not isinstance(value, kinds)):
        named = " or ".join(f"{k.__name__}" for k in kinds)
        raise UserError(f"{where} has {key!r} of the type {type(value).__name__}, not {named}.")
    return value
