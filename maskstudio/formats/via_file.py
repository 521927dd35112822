"""Read a file of the VGG Image Annotator (VIA), strictly: its versions 1, 2 and 3, JSON and CSV.

The shape of the files is that of VIA's own sources: `via.js` and the test data of versions 1 and 2,
and of version 3 `CodeDoc.md`, `_via_metadata.js` and `_via_import_export.js`.
"""

import csv
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskstudio.errors import UserError
from maskstudio.formats.quoting import quoted
from maskstudio.formats.strict_json import parse_json, read_bytes

_Object = dict[str, Any]

# By its numbers; what stands for points that a person clicked on is taken as the box around them.
_KINDS_3 = {
    1: "point",
    2: "rect",
    3: "circle",
    4: "ellipse",
    5: "line",
    6: "polyline",
    7: "polygon",
    8: "extreme rect",
    9: "extreme circle",
}
_NUMBERS = {
    "rect": ("x", "y", "width", "height"),
    "circle": ("cx", "cy", "r"),
    "ellipse": ("cx", "cy", "rx", "ry"),
}
_IMAGE_FILE = 2
_CHOICES = frozenset({"dropdown", "radio", 3, 4})


@dataclass(frozen=True)
class ViaRegion:
    """A region of an image.

    Attributes:
        place: where it stands, for messages.
        kind: `rect`, `circle`, `ellipse`, `polygon`, `point`, ...
        numbers: what it is made of, float64, finite: x, y, width, height of a rectangle; the middle
            and the radius or radii (and the angle) of a circle or an ellipse; x, y, x, y, ... else.
        attributes: name to what was said; nothing is empty.
    """

    place: str
    kind: str
    numbers: NDArray[np.float64]
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class ViaFile:
    """What a file says.

    Attributes:
        images: name to its regions, back to front.
        choices: attributes whose values are chosen from a list, in the order they were declared.
        passed_over: how many entries are about moments of a film, or whole images.
    """

    images: Mapping[str, tuple[ViaRegion, ...]]
    choices: tuple[str, ...] = ()
    passed_over: int = 0


def read_via(path: Path) -> ViaFile:
    """Read a file of VIA.

    Raises:
        UserError: it cannot be read, is none, or something in it is of a wrong type, said twice, or
            refers to what is not there.
    """
    raw = read_bytes(path)
    if path.suffix.lower() == ".csv":
        return _csv_file(path, raw)
    whole = _object(parse_json(raw, path), str(path))
    if "metadata" in whole and "view" in whole:
        return _project_3(path, whole)
    found = _object(whole.get("_via_img_metadata", whole), f"{path}: _via_img_metadata")
    declared = whole.get("_via_attributes")
    choices = _choices(declared.get("region") if isinstance(declared, dict) else None)
    images: dict[str, tuple[ViaRegion, ...]] = {}
    for key, value in found.items():
        where = f"{path}: {quoted(key)}"
        entry = _object(value, where)
        name = _name(entry.get("filename"), where, images)
        regions = enumerate(_listed(entry.get("regions"), where))
        images[name] = tuple(_region(f"{where}: regions[{n}]", one) for n, one in regions)
    return ViaFile(images, choices)


def _listed(value: object, where: str) -> list[object]:
    """Return a list; version 1 has an object whose keys are the places."""
    if isinstance(value, dict):
        return list(value.values())
    if not isinstance(value, list):
        raise UserError(f"{where} has no list 'regions'; export the annotations from VIA again.")
    return value


def _region(where: str, value: object) -> ViaRegion:
    entry = _object(value, where)
    shape = _object(entry.get("shape_attributes"), f"{where}: shape_attributes")
    said = _object(entry.get("region_attributes", {}), f"{where}: region_attributes")
    kind = shape.get("name")
    if not isinstance(kind, str):
        raise UserError(f"{where} does not name the kind of its shape.")
    attributes = {name: text for name, text in ((n, _text(v)) for n, v in said.items()) if text}
    return ViaRegion(where, kind, _shape_numbers(where, kind, shape), attributes)


def _shape_numbers(where: str, kind: str, shape: _Object) -> NDArray[np.float64]:
    if kind in _NUMBERS:
        # Newer versions turn ellipses.
        turn = [shape["theta"]] if kind == "ellipse" and "theta" in shape else []
        return _floats([*(shape.get(key) for key in _NUMBERS[kind]), *turn], where)
    if kind != "polygon":
        return _floats([], where)
    x, y = (_floats(shape.get(f"all_points_{axis}"), where) for axis in "xy")
    if len(x) != len(y):
        raise UserError(f"{where} has {len(x)} x, but {len(y)} y.")
    return np.stack([x, y], axis=1).ravel()


def _project_3(path: Path, whole: _Object) -> ViaFile:
    """Read a project of version 3: views show files, and metadata is about views."""
    declared = _object(whole.get("attribute", {}), f"{path}: attribute")
    names = _names_of_views(path, whole)
    images: dict[str, list[ViaRegion]] = {name: [] for name in names.values() if name is not None}
    passed_over = 0
    for key, value in _object(whole["metadata"], f"{path}: metadata").items():
        where = f"{path}: metadata {quoted(key)}"
        entry = _object(value, where)
        view = str(entry.get("vid"))
        if view not in names:
            raise UserError(f"{where} is about the view {quoted(view)}, which is not there.")
        name = names[view]
        region = _region_3(where, entry.get("z"), entry.get("xy"), entry.get("av"), declared)
        if name is None or region is None:
            passed_over += 1
        else:
            images[name].append(region)
    whole_images = {name: tuple(regions) for name, regions in images.items()}
    return ViaFile(whole_images, _choices_3(declared), passed_over)


def _names_of_views(path: Path, whole: _Object) -> dict[str, str | None]:
    """Return the file each view shows; None where it is no single image."""
    files = _object(whole.get("file"), f"{path}: file")
    names: dict[str, str | None] = {}
    for view, value in _object(whole["view"], f"{path}: view").items():
        where = f"{path}: view {quoted(view)}"
        shown = _object(value, where).get("fid_list")
        if not isinstance(shown, list) or not all(str(fid) in files for fid in shown):
            raise UserError(f"{where} shows a file that is not listed.")
        entries = [_object(files[str(fid)], f"{path}: file {quoted(fid)}") for fid in shown]
        single = len(entries) == 1 and entries[0].get("type") == _IMAGE_FILE
        names[view] = _name(entries[0].get("fname"), where, names.values()) if single else None
    return names


def _region_3(
    where: str, moments: object, shape: object, said: object, declared: _Object
) -> ViaRegion | None:
    """Return a region of version 3; None where it is about a moment, or has no shape."""
    if moments or not shape:
        return None
    kind, *numbers = _floats(shape, where).tolist()
    attributes = {}
    for number, value in _object(said or {}, f"{where}: its attributes").items():
        name, text = _said_3(number, value, declared)
        if text:
            attributes[name] = text
    place = _KINDS_3.get(int(kind), f"number {kind:g}")
    return ViaRegion(where, place, np.array(numbers, np.float64), attributes)


def _said_3(number: str, value: object, declared: _Object) -> tuple[str, str]:
    """Return an attribute's name and its value; options stand by their numbers."""
    attribute = declared.get(number)
    if not isinstance(attribute, dict):  # early exports had the name alone
        return str(attribute or number), _text(value)
    options = attribute.get("options")
    known = options if isinstance(options, dict) else {}
    chosen = [str(known.get(one, one)) for one in _text(value).split(",")] if known else None
    name = str(attribute.get("aname") or number)
    return name, _text(value) if chosen is None else ", ".join(one for one in chosen if one)


def _csv_file(path: Path, raw: bytes) -> ViaFile:
    try:
        lines = raw.decode("utf-8-sig").splitlines(keepends=True)
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not text in UTF-8; export it from VIA again.") from error
    comments = [line for line in lines if line.startswith("# ")]
    if comments:
        return _csv_3(path, comments, lines[len(comments) :])
    header, *rows = _rows(path, lines) or [[]]
    columns = [name.lstrip("#").strip() for name in header]
    images: dict[str, list[ViaRegion]] = {}
    for number, row in enumerate(rows, start=2):
        where = f"{path}: row {number}"
        entry = dict(zip(columns, row, strict=False))
        name = entry.get("filename")
        if not name:
            raise UserError(f"{where} names no file.")
        regions = images.setdefault(name, [])
        shape = parse_json(entry.get("region_shape_attributes") or "{}", where)
        said = parse_json(entry.get("region_attributes") or "{}", where)
        if shape:
            regions.append(_region(where, {"shape_attributes": shape, "region_attributes": said}))
    return ViaFile({name: tuple(regions) for name, regions in images.items()})


def _csv_3(path: Path, comments: Sequence[str], lines: Sequence[str]) -> ViaFile:
    """Read an export of version 3, which says in comments what its columns and numbers are."""
    said = {name: value for name, _, value in (line[2:].partition(" = ") for line in comments)}
    declared = said.get("ATTRIBUTE") or said.get("ATTRIBUTES") or "{}"
    attributes = _object(parse_json(declared, f"{path}: ATTRIBUTE"), f"{path}: ATTRIBUTE")
    images: dict[str, list[ViaRegion]] = {}
    passed_over = 0
    for number, row in enumerate(_rows(path, lines), start=len(comments) + 1):
        where = f"{path}: row {number}"
        if len(row) < 6:
            raise UserError(f"{where} has {len(row)} columns, not 6; export it from VIA again.")
        files, moments, shape, values = (parse_json(row[n], where) for n in (1, 3, 4, 5))
        region = _region_3(where, moments, shape, values, attributes)
        if region is None or not isinstance(files, list) or len(files) != 1:
            passed_over += 1
        else:
            images.setdefault(str(files[0]), []).append(region)
    found = {name: tuple(regions) for name, regions in images.items()}
    return ViaFile(found, _choices_3(attributes), passed_over)


def _rows(path: Path, lines: Sequence[str]) -> list[list[str]]:
    try:
        return [row for row in csv.reader(lines, strict=True) if row]
    except csv.Error as error:
        raise UserError(f"{path} is no table of comma-separated values: {error}.") from error


def _name(value: object, where: str, taken: Collection[object]) -> str:
    if not isinstance(value, str) or not value:
        raise UserError(f"{where} names no image.")
    if value in taken:
        raise UserError(f"{where} is about the image {quoted(value)}, and so is another entry.")
    return value


def _choices(declared: object) -> tuple[str, ...]:
    if not isinstance(declared, dict):
        return ()
    return tuple(name for name, value in declared.items() if _is_choice(value))


def _choices_3(declared: _Object) -> tuple[str, ...]:
    chosen: Iterator[_Object] = (value for value in declared.values() if _is_choice(value))
    return tuple(str(value.get("aname")) for value in chosen)


def _is_choice(value: object) -> bool:
    kind = value.get("type") if isinstance(value, dict) else None
    return isinstance(kind, str | int) and kind in _CHOICES


def _object(value: object, where: str) -> _Object:
    if not isinstance(value, dict):
        raise UserError(f"{where} is a {type(value).__name__}, no object.")
    return value


def _floats(value: object, where: str) -> NDArray[np.float64]:
    if not isinstance(value, list) or not all(type(one) in (int, float) for one in value):
        raise UserError(f"{where} lacks numbers of its shape, or has others than numbers.")
    try:
        numbers = np.array(value, np.float64)
    except OverflowError as error:
        raise UserError(f"{where} has a coordinate that is too large.") from error
    if not np.isfinite(numbers).all():
        raise UserError(f"{where} has a coordinate that is not finite.")
    return numbers


def _text(value: object) -> str:
    """Return what was said as text; of boxes that can be ticked, those that are."""
    if isinstance(value, dict):
        return ", ".join(name for name, ticked in value.items() if ticked is True)
    if value is None or isinstance(value, str):
        return (value or "").strip()
    return json.dumps(value)
