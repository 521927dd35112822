"""The entries of a COCO file, strictly: what is wrong is said in one sentence, with file and place.

Missing is forgiven where the meaning is clear: `info`, `licenses`, `area`, `iscrowd`, the ids of
annotations, the sizes of images. Wrong is not.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw, Struct

from maskstudio.annotation.segmentation import MAX_COORDINATE
from maskstudio.errors import UserError
from maskstudio.formats.json_pieces import (
    Pieces,
    decode_piece,
    list_pieces,
    read_json_pieces,
    refuse_repeated_keys,
)
from maskstudio.progress import TaskContext

Rings = list[list[float]]
"""Rings, each x1, y1, x2, y2, ..."""

_KEYS = (b'"id"', b'"image_id"', b'"category_id"', b'"segmentation"', b'"bbox"', b'"score"')

_REPORTED = 2048
"""A step of so many annotations takes a few hundredths of a second."""


class RleEntry(Struct, gc=False):
    """A run-length encoded mask: `size` is height and width, `counts` packed if it is text."""

    size: tuple[int, int]
    counts: str | list[int]


class ImageEntry(Struct, gc=False):
    """One entry of `images`."""

    id: int
    file_name: str
    height: int | None = None
    width: int | None = None


class CategoryEntry(Struct, gc=False):
    """One entry of `categories`."""

    id: int
    name: str
    supercategory: str | None = None


class AnnotationEntry(Struct, gc=False):
    """One entry of `annotations`, or of a file of results."""

    image_id: int
    category_id: int
    id: int | None = None
    segmentation: Rings | RleEntry | None = None
    bbox: list[float] | None = None
    iscrowd: int | bool | None = None
    score: float | None = None
    attributes: dict[str, Any] | None = None
    note: str | None = None

    def texts(self) -> tuple[tuple[str, str], ...]:
        """Return the attributes sorted; what is no text in the file is as JSON."""
        pairs = (self.attributes or {}).items()
        return tuple(sorted((name, _text(value)) for name, value in pairs))


@dataclass(frozen=True)
class AnnotationList:
    """Entries of annotations, each read when it is asked for: a million take half a gigabyte.

    Attributes:
        path: the file, for messages.
        key: the list's name in it; empty where the file is the list.
        raw: the entries as they stand there.
    """

    path: Path
    key: str
    raw: Sequence[Raw]

    def place(self, number: int) -> str:
        """Return where an entry stands in its file."""
        return _place(self.key, number)

    def __getitem__(self, number: int) -> AnnotationEntry:
        """Read an entry.

        Raises:
            UserError: it is no annotation.
        """
        place = partial(self.place, number)
        entry: AnnotationEntry = decode_piece(self.path, place, self.raw[number], _annotations())
        return entry

    def checked(self, context: TaskContext) -> Iterator[AnnotationEntry]:
        """Read all entries, one after the other.

        Raises:
            UserError: one is no annotation, gives a key twice, has another's id, or numbers that
                none has.
        """
        seen: dict[Hashable, int] = {}
        for number, raw in enumerate(self.raw):
            if number % _REPORTED == 0:
                context.raise_if_cancelled()
                context.report(number, len(self.raw), "reading annotations")
            entry = self[number]
            refuse_repeated_keys(self.path, self.place(number), raw, _KEYS)
            self._check(number, entry)
            first = number if entry.id is None else seen.setdefault(entry.id, number)
            if first != number:
                raise UserError(
                    f"{self.path}: {self.place(number)} has the id {entry.id}, as "
                    f"{self.place(first)} has; give each its own."
                )
            yield entry

    def _check(self, number: int, entry: AnnotationEntry) -> None:
        where = f"{self.path}: {self.place(number)}"
        if entry.iscrowd not in (None, 0, 1):
            raise UserError(f"{where} has iscrowd {entry.iscrowd}, which is neither 0 nor 1.")
        if entry.score is not None and not 0 <= entry.score <= 1:
            raise UserError(f"{where} has the score {entry.score}, which is not between 0 and 1.")
        if isinstance(entry.segmentation, RleEntry):
            _check_size(f"{where}.segmentation", *entry.segmentation.size)


@dataclass(frozen=True)
class CocoEntries:
    """A COCO instance file down to its entries; no two have the same id or name."""

    images: tuple[ImageEntry, ...]
    categories: tuple[CategoryEntry, ...]
    annotations: AnnotationList


def read_entries(path: Path) -> CocoEntries | AnnotationList:
    """Read a COCO file: one of instances, or the plain list of a file of results.

    Annotations are not looked at yet; see `AnnotationList.checked`.

    Raises:
        UserError: the file cannot be read, or what it says of images and categories is wrong.
    """
    whole = read_json_pieces(path)
    if isinstance(whole, list):
        return AnnotationList(path, "", whole)
    return CocoEntries(
        tuple(_images(path, list_pieces(path, whole, "images"))),
        tuple(_categories(path, list_pieces(path, whole, "categories"))),
        AnnotationList(path, "annotations", list_pieces(path, whole, "annotations")),
    )


def read_category_entries(path: Path) -> tuple[CategoryEntry, ...]:
    """Read the categories alone of a COCO file.

    Raises:
        UserError: the file cannot be read or lists no categories.
    """
    whole: Pieces = read_json_pieces(path)
    if isinstance(whole, list):
        raise UserError(f"{path} is a list, not a COCO file with categories; choose another.")
    return tuple(_categories(path, list_pieces(path, whole, "categories")))


def _images(path: Path, pieces: list[Raw]) -> Iterator[ImageEntry]:
    decoder = msgspec.json.Decoder(ImageEntry)
    ids: dict[Hashable, int] = {}
    names: dict[Hashable, int] = {}
    for number, raw in enumerate(pieces):
        entry: ImageEntry = decode_piece(path, partial(_place, "images", number), raw, decoder)
        _check_first(path, "images", number, ("id", entry.id), ids)
        _check_first(path, "images", number, ("file_name", entry.file_name), names)
        sides = [1 if side is None else side for side in (entry.height, entry.width)]
        _check_size(f"{path}: images[{number}]", *sides)
        yield entry


def _categories(path: Path, pieces: list[Raw]) -> Iterator[CategoryEntry]:
    decoder = msgspec.json.Decoder(CategoryEntry)
    ids: dict[Hashable, int] = {}
    names: dict[Hashable, int] = {}
    for number, raw in enumerate(pieces):
        entry: CategoryEntry = decode_piece(
            path, partial(_place, "categories", number), raw, decoder
        )
        _check_first(path, "categories", number, ("id", entry.id), ids)
        _check_first(path, "categories", number, ("name", entry.name), names)
        yield entry


def _place(key: str, number: int) -> str:
    return f"{key}[{number}]"


def _check_first(
    path: Path, key: str, number: int, field: tuple[str, Hashable], seen: dict[Hashable, int]
) -> None:
    """Refuse an entry without a name, or with an id or a name that one before it has."""
    name, value = field
    if value == "":
        raise UserError(f"{path}: {key}[{number}] has an empty {name}.")
    first = seen.setdefault(value, number)
    if first != number:
        raise UserError(
            f"{path}: {key}[{number}] has the {name} {value!r}, as {key}[{first}] has; "
            "give each its own."
        )


def _check_size(where: str, height: int, width: int) -> None:
    if not (0 < height <= MAX_COORDINATE and 0 < width <= MAX_COORDINATE):
        raise UserError(f"{where} has the size {height} by {width}, which no image has.")


@cache
def _annotations() -> "msgspec.json.Decoder[AnnotationEntry]":
    return msgspec.json.Decoder(AnnotationEntry)


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode("utf-8")
