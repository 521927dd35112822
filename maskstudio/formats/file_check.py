"""Check a COCO file that nobody knows anything about: what readers of such files stumble over.

The rules are those of the gate that need no project: ids, references, keys, rings, run lengths,
areas and boxes against the masks as pycocotools reads them, and the file evaluated against itself.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import msgspec
from msgspec import Raw
from pycocotools.coco import COCO

from maskstudio.annotation.segmentation import MAX_COORDINATE
from maskstudio.errors import UserError
from maskstudio.formats.coco_writing import raster_area, raster_box_xywh
from maskstudio.formats.entry_faults import entry_faults
from maskstudio.formats.json_pieces import decode_piece, list_pieces, read_json_pieces
from maskstudio.formats.self_ap import PERFECT, OfCategory, average, mask_of, self_precision
from maskstudio.progress import TaskContext

_Entry = dict[str, Any]
_KEYS = ("info", "licenses", "images", "annotations", "categories")
_ANYTHING = msgspec.json.Decoder()
_SILENT = TaskContext()
_ASK_EVERY = 256
_AT_ONCE = 10_000
_BEGIN, _END = 200, 80
# pycocotools keeps ids as floats, which are exact up to here.
_MOST_ID = 2**53
_MOST_PIXELS = 2**32

# Areas and boxes of other programs are often those of the outline on paper. What differs from the
# mask by more than a pixel or two, and by more than this share, is no rounding.
_AREA_SHARE, _BOX_PX, _BOX_SHARE = 0.1, 2.0, 0.05


@dataclass(frozen=True)
class FileProblem:
    """One thing that is wrong with a file.

    Attributes:
        rule: the rule that is broken, for a heading.
        sentence: what breaks it, and where.
    """

    rule: str
    sentence: str


@dataclass(frozen=True)
class FileCheck:
    """What a check of a COCO file found.

    Attributes:
        images: entries of `images`.
        annotations: entries of `annotations`.
        categories: entries of `categories`.
        ap: AP (0.50:0.95) of the masks as detections of themselves; None where there is nothing to
            evaluate, or the file is too broken to try.
        problems: whatever is wrong.
    """

    images: int = 0
    annotations: int = 0
    categories: int = 0
    ap: float | None = None
    problems: tuple[FileProblem, ...] = ()


def check_file(path: Path, context: TaskContext = _SILENT) -> FileCheck:
    """Check a COCO instance file.

    Memory grows with the file as it stands on the disk: annotations are read one after another.

    Returns:
        What was found; whatever is wrong is in its problems.

    Raises:
        CancelledError: the person asked to stop.
    """
    try:
        whole = read_json_pieces(path)
    except UserError as error:
        return _refused("The file cannot be read", str(error))
    if not isinstance(whole, dict):
        return _refused("The file is no COCO data set", "It holds a list, as results are.")
    return _File(path, whole).check(context)


def _refused(rule: str, sentence: str) -> FileCheck:
    return FileCheck(problems=(FileProblem(rule, _plain(sentence)),))


class _File:
    """A file whose lists are there, as far as they are lists."""

    def __init__(self, path: Path, whole: dict[str, Raw]) -> None:
        self._path = path
        self._problems: list[FileProblem] = []
        self._tell("Keys of the file", (f"There is no {k!r}." for k in _KEYS if k not in whole))
        self._licences = self._objects(whole, "licenses")
        self._images = self._objects(whole, "images")
        self._categories = self._objects(whole, "categories")
        self._annotations = self._pieces(whole, "annotations")
        self._coco = COCO()
        self._coco.imgs = _by_id(self._images)
        self._coco.cats = _by_id(self._categories)

    def check(self, context: TaskContext) -> FileCheck:
        """Look at all of it."""
        self._tell("Ids", _id_faults("Image", [entry.get("id") for entry in self._images]))
        self._tell("Ids", _id_faults("Category", [entry.get("id") for entry in self._categories]))
        self._tell("Images", self._image_faults())
        self._tell("Categories", self._category_faults())
        ap = self._check_annotations(context)
        if ap is not None and ap < PERFECT:
            sentence = f"The masks as detections of themselves reach AP {ap:.3f}, not 1.000."
            self._tell("Evaluation", [sentence])
        counts = len(self._images), len(self._annotations), len(self._categories)
        return FileCheck(*counts, ap, tuple(self._problems))

    def _pieces(self, whole: dict[str, Raw], key: str) -> list[Raw]:
        """Return the entries of a list, as they stand in the file."""
        try:
            return list_pieces(self._path, whole, key) if key in whole else []
        except UserError:
            self._tell("Keys of the file", [f"{key!r} is no list."])
            return []

    def _objects(self, whole: dict[str, Raw], key: str) -> list[_Entry]:
        """Return those entries of a list that are objects, and tell of the others."""
        read = (self._object(f"{key}[{n}]", raw) for n, raw in enumerate(self._pieces(whole, key)))
        return [entry for entry in read if entry is not None]

    def _object(self, place: str, raw: Raw) -> _Entry | None:
        try:
            found: Any = decode_piece(self._path, lambda: place, raw, _ANYTHING)
        except UserError as error:
            self._tell("Keys of the file", [str(error)])
            return None
        if isinstance(found, dict):
            return found
        self._tell("Keys of the file", [f"{place} is no object."])
        return None

    def _tell(self, rule: str, sentences: Iterable[str]) -> None:
        self._problems += [FileProblem(rule, _plain(sentence)) for sentence in sentences]

    def _image_faults(self) -> Iterator[str]:
        licences = [entry.get("id") for entry in self._licences]
        names = Counter(str(entry.get("file_name")) for entry in self._images)
        for entry in self._images:
            name = entry.get("file_name")
            where = f"Image {entry.get('id')}"
            if not isinstance(name, str) or not name:
                yield f"{where} has the file_name {name!r}, which is no name."
                continue
            if names[name] > 1:
                yield f"{where} has the file_name {name!r}, which {names[name]} images have."
            if _leads_out(name):
                yield f"{where} has the file_name {name!r}, which is not below the images' folder."
            if not _has_size(entry):
                size = f"{entry.get('width')!r} by {entry.get('height')!r}"
                yield f"{where} ({name}) is {size}, which is no size of an image."
            licence = entry.get("license")
            if licence is not None and licence not in licences:
                yield f"{where} ({name}) refers to license {licence!r}, which is not listed."

    def _category_faults(self) -> Iterator[str]:
        names = Counter(str(entry.get("name")) for entry in self._categories)
        for entry in self._categories:
            name, where = entry.get("name"), f"Category {entry.get('id')}"
            if not isinstance(name, str) or not name:
                yield f"{where} has the name {name!r}, which is no name."
            elif names[name] > 1:
                yield f"{where} has the name {name!r}, which {names[name]} categories have."
            if not isinstance(entry.get("supercategory", ""), str):
                yield f"{where} has the supercategory {entry['supercategory']!r}, which is no text."

    def _check_annotations(self, context: TaskContext) -> float | None:
        """Check each; return how well all do as detections of themselves, if all can be read."""
        ids: list[object] = []
        waiting: list[_Entry] = []
        evaluated: list[dict[int, OfCategory]] = []
        whole = True
        for number, raw in enumerate(self._annotations):
            if number % _ASK_EVERY == 0:
                context.raise_if_cancelled()
                context.report(number, len(self._annotations), "reading masks")
            entry = self._object(f"annotations[{number}]", raw)
            ids += [] if entry is None else [entry.get("id")]
            readable = entry is not None and self._check_annotation(number, entry)
            whole = whole and readable
            if whole and entry is not None:
                waiting.append(entry)
            if len(waiting) == _AT_ONCE:
                evaluated.append(self_precision(self._coco, waiting))
                waiting = []
        self._tell("Ids", _id_faults("Annotation", ids))
        if not whole or len(set(ids)) < len(ids):
            return None
        return average([*evaluated, self_precision(self._coco, waiting)])

    def _check_annotation(self, number: int, entry: _Entry) -> bool:
        """Tell what is wrong with an annotation; return whether pycocotools can read it."""
        image_id = entry.get("image_id")
        image = self._coco.imgs.get(image_id, {}) if type(image_id) is int else {}
        where = (
            f"annotations[{number}] ({image.get('file_name', 'no image')}, id {entry.get('id')})"
        )
        faults = _reference_faults(entry) or entry_faults(self._coco, entry)
        self._tell("Annotations that readers fail on", (f"{where} {fault}." for fault in faults))
        if faults or not _has_size(image):
            return False
        self._tell("Outlines, areas and boxes", self._mask_faults(entry, where, image))
        return True

    def _mask_faults(self, entry: _Entry, where: str, image: Mapping[str, Any]) -> Iterator[str]:
        """Yield what of an entry does not fit its mask; the mask takes the place of the rings."""
        if isinstance(entry["segmentation"], list) and _reaches_out(entry["segmentation"], image):
            yield f"{where} has an outline that reaches out of the image."
        mask = mask_of(self._coco, entry)
        area = raster_area(mask)
        if area == 0:
            yield f"{where} covers no pixel."
            return
        if abs(entry["area"] - area) > max(1.0, _AREA_SHARE * area):
            yield f"{where} has the area {entry['area']:g}, but covers {area:,.0f} pixels."
        box = raster_box_xywh(mask)
        if not _fits(entry["bbox"], box):
            stands = [round(number, 2) for number in entry["bbox"]]
            yield f"{where} has the bbox {stands}, but its mask has {list(box)}."


def _plain(sentence: str) -> str:
    """Return a sentence that can be shown: what a file holds may be endless, or half a letter."""
    shown = sentence.encode("utf-8", "backslashreplace").decode()
    if len(shown) <= _BEGIN + _END:
        return shown
    return f"{shown[:_BEGIN]} … {shown[-_END:]}"


def _by_id(entries: Sequence[_Entry]) -> dict[int, _Entry]:
    return {entry["id"]: entry for entry in entries if type(entry.get("id")) is int}


def _id_faults(kind: str, ids: Sequence[object]) -> Iterator[str]:
    lowest = 0 if kind == "Image" else 1
    # As text, and what is a list or an object could not be counted.
    for text, times in Counter(map(repr, ids)).items():
        if not text.isdecimal() or int(text) < lowest:
            yield f"{kind} id {text} is not a whole number from {lowest}."
        if times > 1:
            yield f"{kind} id {text} is used {times:,} times."


def _has_size(image: Mapping[str, Any]) -> bool:
    """Tell whether an image has a size at which masks can be made, with 32 bits for a run."""
    height, width = image.get("height"), image.get("width")
    if type(height) is not int or type(width) is not int:
        return False
    return 0 < min(height, width) <= max(height, width) <= MAX_COORDINATE and (
        height * width < _MOST_PIXELS
    )


def _reference_faults(entry: _Entry) -> list[str]:
    """Return what keeps an annotation from being looked at any further."""
    keys = ("id", "image_id", "category_id")
    wrong = (key for key in keys if not _is_id(entry.get(key)))
    return [f"has the {key} {entry.get(key)!r}, which is no whole number in reach" for key in wrong]


def _is_id(value: object) -> bool:
    return type(value) is int and abs(value) <= _MOST_ID


def _leads_out(name: str) -> bool:
    """Tell whether a name is absolute, leads upwards, or is written for Windows alone."""
    windows = PureWindowsPath(name)
    absolute = PurePosixPath(name).is_absolute() or bool(windows.drive or windows.root)
    return absolute or "\\" in name or ".." in PurePosixPath(name).parts


def _reaches_out(rings: Sequence[Sequence[float]], image: Mapping[str, Any]) -> bool:
    width, height = image["width"], image["height"]
    return any(
        min(ring) < -1 or max(ring[::2]) > width + 1 or max(ring[1::2]) > height + 1
        for ring in rings
    )


def _fits(stands: Sequence[float], box: Sequence[float]) -> bool:
    """Tell whether a box (x, y, width, height) is that of a mask, but for rounding."""
    far = max(_BOX_PX, _BOX_SHARE * max(box[2], box[3]))
    ends = zip((stands[0] + stands[2], stands[1] + stands[3]), (0, 1), strict=True)
    begins = all(abs(stands[axis] - box[axis]) <= far for axis in (0, 1))
    return begins and all(abs(end - box[axis] - box[axis + 2]) <= far for end, axis in ends)
