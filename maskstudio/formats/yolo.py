"""Read an Ultralytics YOLO data set: outlines (segment) and boxes (detect).

https://docs.ultralytics.com/datasets/segment/ and https://docs.ultralytics.com/datasets/detect/
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from maskstudio.annotation.annotation import ImageState
from maskstudio.errors import UserError
from maskstudio.formats.incoming import IncomingCategory, IncomingContent, IncomingImage
from maskstudio.formats.plain_yaml import MAX_BYTES, Plain, read_plain_yaml
from maskstudio.formats.quoting import quoted
from maskstudio.formats.yolo_labels import class_number, label_lines, read_labels
from maskstudio.formats.yolo_layout import (
    NAMES_FILE,
    SPLITS,
    YoloImage,
    images_in,
    images_of,
)
from maskstudio.progress import TaskContext

_DOCUMENT_NAMES = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
_MAX_CLASSES = 100_000
_ENDINGS = (".yaml", ".yml")
_SILENT = TaskContext()


def is_yolo(path: Path) -> bool:
    """Tell by names alone whether a file or folder may be a YOLO data set."""
    if path.is_dir():
        return _document_in(path) is not None or _has_names_file(path)
    return path.suffix.lower() in _ENDINGS


@dataclass(frozen=True)
class YoloSource:
    """A YOLO data set, opened. The fields are those of `Source`.

    Attributes:
        path: its `data.yaml` or its folder.
        categories: in the order of their class numbers.
        images: those of train, val and test, by path.
        notes: what is not there, or was understood in one way.
        labels: where the label file of each image lies; None where there is none.
        places: class number to the place of its category.
        pose: key points stand behind every box.
    """

    path: Path
    categories: Sequence[IncomingCategory]
    images: Sequence[IncomingImage]
    notes: Sequence[str]
    labels: Sequence[Path | None]
    places: dict[int, int]
    pose: bool = False
    title: str = "YOLO"

    def content(self, number: int, height: int, width: int) -> IncomingContent:
        """Read what stands on an image; see `Source.content`."""
        label = self.labels[number]
        if label is None:
            return IncomingContent(())
        return read_labels(label, self.places, height, width, pose=self.pose)

    def pixels(self, number: int) -> bytes | None:  # noqa: ARG002 - `Source` asks for it
        """Return None: the images are files of their own."""
        return None


def open_yolo(path: Path, context: TaskContext = _SILENT) -> YoloSource:
    """Open a data set by its `data.yaml` or the folder that it lies in.

    Every label file is gone through once, for the numbers of annotations and for class numbers that
    have no name.

    Raises:
        UserError: it is none, or something of the whole is wrong; the sentence names file and
            place.
        CancelledError: the person asked to stop.
    """
    notes: list[str] = []
    document_path = _document_in(path) if path.is_dir() else path
    if document_path is None:
        names, pose = _listed_names(path / NAMES_FILE), False
        found = images_in(path, context)
    else:
        document = _document(document_path)
        names, pose = _names(document_path, document), "kpt_shape" in document
        found = images_of(document_path, document, notes, context)
    if not found:
        raise UserError(
            f"{path}: no image and no label of it was found; keep its folders images and labels "
            "where it says they are."
        )
    if pose:
        notes.append(f"{path}: key points cannot be taken over; their boxes can.")
    scan = _Scan(document_path or path, names)
    images: list[IncomingImage] = []
    for number, image in enumerate(found):
        context.raise_if_cancelled()
        context.report(number, len(found), image.name)
        images.append(_image(image, scan.count(image.label)))
    if scan.scores:
        notes.append(f"{path}: {scan.scores:,} lines end in a score: they are a model's.")
    return YoloSource(
        path,
        tuple(IncomingCategory(name, count=scan.counts[n]) for n, name in names.items()),
        tuple(images),
        tuple(notes),
        tuple(i.label if scan.lines[i.label] is not None else None for i in found),
        {number: place for place, number in enumerate(names)},
        pose,
    )


@dataclass
class _Scan:
    """Goes through label files and counts."""

    path: Path
    names: Mapping[int, str]

    def __post_init__(self) -> None:
        self.counts: Counter[int] = Counter()
        self.lines: dict[Path, int | None] = {}
        self.scores = 0

    def count(self, label: Path) -> int | None:
        """Return the number of lines of a label file; None where there is none.

        Raises:
            UserError: it cannot be read, or has a class without a name.
        """
        if label in self.lines:
            return self.lines[label]
        self.lines[label] = None
        lines = label_lines(label)
        if lines is None:
            return None
        for number, fields in lines:
            known = class_number(fields[0])
            if known is not None and known not in self.names:
                raise UserError(
                    f"{label}, line {number} has class {known}, which {self.path} does not name; "
                    "correct one of the two."
                )
            if known is not None:
                self.counts[known] += 1
                self.scores += len(fields) % 2 == 0
        self.lines[label] = len(lines)
        return len(lines)


def _image(image: YoloImage, lines: int | None) -> IncomingImage:
    # "If there are no objects in an image, no *.txt file is required": where there is one all the
    # same, somebody has said that the image is empty.
    empty = IncomingImage(image.name, state=ImageState.EMPTY, any_ending=image.any_ending)
    return empty if lines == 0 else replace(empty, state=None, annotations=lines or 0)


def _document_in(folder: Path) -> Path | None:
    return next((folder / name for name in _DOCUMENT_NAMES if (folder / name).is_file()), None)


def _has_names_file(folder: Path) -> bool:
    return (folder / NAMES_FILE).is_file() and (folder / "labels").is_dir()


def _document(path: Path) -> Mapping[str, Plain]:
    document = read_plain_yaml(path)
    known = {"names", "nc", *SPLITS}
    if not isinstance(document, dict) or not known & document.keys():
        raise UserError(f"{path} is no data.yaml of YOLO: it has no names, train or val.")
    return document


def _names(path: Path, document: Mapping[str, Plain]) -> dict[int, str]:
    """Return class number to name, by number: `names` is a list or a table; else `nc` counts."""
    names = document.get("names")
    if names is None:
        return {n: f"class_{n}" for n in range(_class_count(path, document.get("nc")))}
    if isinstance(names, list):
        return _checked(path, list(enumerate(names)))
    if not isinstance(names, dict):
        raise UserError(f"{path}: names is neither a list nor a table of names.")
    numbers = [class_number(key) for key in names]
    if None in numbers or len(set(numbers)) < len(names) or any(n < 0 for n in numbers if n):
        raise UserError(f"{path}: the keys of names must be the class numbers 0, 1, 2, ...")
    pairs = zip((n for n in numbers if n is not None), names.values(), strict=True)
    return _checked(path, sorted(pairs, key=lambda pair: pair[0]))


def _class_count(path: Path, value: Plain) -> int:
    count = class_number(value) if isinstance(value, str) else None
    if count is None or not 0 < count <= _MAX_CLASSES:
        raise UserError(f"{path} names no classes; add the list `names`.")
    return count


def _checked(path: Path, pairs: Sequence[tuple[int, Plain]]) -> dict[int, str]:
    names: dict[int, str] = {}
    taken: dict[str, int] = {}
    for number, name in pairs:
        if not isinstance(name, str) or not name.strip():
            raise UserError(f"{path}: class {number} has no name; give it one.")
        if name.strip() in taken:
            raise UserError(
                f"{path}: the classes {taken[name.strip()]} and {number} are both called "
                f"{quoted(name.strip())}; rename one."
            )
        taken[name.strip()] = number
        names[number] = name.strip()
    if not names:
        raise UserError(f"{path} names no classes; add them to `names`.")
    return names


def _listed_names(path: Path) -> dict[int, str]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f"{path} is larger than any list of names.")
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not text in UTF-8; save it as that.") from error
    return _checked(path, list(enumerate(line for line in lines if line.strip())))
