"""Read one annotation file of Pascal VOC, strictly.

The format is that of the VOC2012 development kit (`devkit_doc`, section 8), which labelImg, CVAT
and others write too. XML that defines entities is refused: a small file could make a huge one.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from defusedxml.ElementTree import fromstring

from maskstudio.annotation.segmentation import Box
from maskstudio.errors import UserError
from maskstudio.formats.quoting import quoted
from maskstudio.formats.strict_json import read_bytes

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_MOST_BYTES = 1 << 24
_SAID = ("difficult", "occluded", "truncated")
_NO_POSE = frozenset({"", "unspecified"})


@dataclass(frozen=True)
class VocObject:
    """One `object`.

    Attributes:
        name: its category, never empty.
        box: xyxy as it stands in the file; None where it has none.
        attributes: (name, value), sorted.
    """

    name: str
    box: Box | None
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class VocFile:
    """One file, which is about one image.

    Attributes:
        path: where it was read from.
        filename: the image's, as it stands there; empty where the file does not say.
        height: rows of the image, 0 where the file does not say.
        width: columns of the image, 0 where the file does not say.
        objects: in the order of the file, by which masks number them.
        from_one: its boxes name their first and last pixels, counted from 1; else their edges.
    """

    path: Path
    filename: str
    height: int
    width: int
    objects: tuple[VocObject, ...]
    from_one: bool


def read_voc(path: Path) -> VocFile:
    """Read an annotation file.

    Raises:
        UserError: it cannot be read, is no such file, or something in it is of a wrong type.
    """
    try:
        root = fromstring(read_bytes(path, _MOST_BYTES), forbid_dtd=True)
    except (ParseError, ValueError, LookupError) as error:
        raise UserError(f"{path} is no XML that is read here: {error}.") from error
    if root.tag != "annotation":
        raise UserError(
            f"{path} is no Pascal VOC file: it holds {quoted(root.tag)}, not 'annotation'."
        )
    objects = tuple(_objects(path, root))
    corners = [number for one in objects if one.box for number in one.box[:2]]
    by_voc = "VOC" in (root.findtext("source/database") or "")
    return VocFile(
        path,
        (root.findtext("filename") or "").strip().replace("\\", "/"),
        _length(path, root, "height"),
        _length(path, root, "width"),
        objects,
        by_voc and min(corners, default=1) >= 1,
    )


def _objects(path: Path, root: "Element") -> Iterator[VocObject]:
    for number, entry in enumerate(root.findall("object"), start=1):
        where = f"{path}: object {number}"
        name = (entry.findtext("name") or "").strip()
        if not name:
            raise UserError(f"{where} has no name.")
        said = {key: (entry.findtext(key) or "").strip() for key in _SAID}
        found = {key: "true" for key, value in said.items() if value not in ("", "0")}
        pose = (entry.findtext("pose") or "").strip()
        if pose.casefold() not in _NO_POSE:
            found["pose"] = pose
        yield VocObject(name, _box(where, entry), tuple(sorted(found.items())))


def _box(where: str, entry: "Element") -> Box | None:
    box = entry.find("bndbox")
    if box is None:
        return None
    x0, y0, x1, y1 = (_number(where, box, key) for key in ("xmin", "ymin", "xmax", "ymax"))
    return x0, y0, x1, y1


def _number(where: str, entry: "Element", key: str) -> float:
    text = entry.findtext(key)
    try:
        number = float(text or "")
    except ValueError as error:
        raise UserError(
            f"{where} has {quoted(text or '')} for {key!r}, which is no number."
        ) from error
    if not math.isfinite(number):
        raise UserError(f"{where} has {quoted(text or '')} for {key!r}, which is not finite.")
    return number


def _length(path: Path, root: "Element", key: str) -> int:
    text = (root.findtext(f"size/{key}") or "0").strip()
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise UserError(
            f"{path} has {quoted(text)} for the {key} of its image, which is no number."
        )
    return int(text)
