"""COCO files as a data set to be taken in: instances, and results that refer to another file.

The whole is checked when it is opened; an outline is made when it is asked for.
"""

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskstudio.errors import UserError
from maskstudio.formats.coco_entries import (
    AnnotationEntry,
    AnnotationList,
    CocoEntries,
    read_entries,
)
from maskstudio.formats.coco_shapes import EntryShapes, incoming_annotation
from maskstudio.formats.incoming import (
    IncomingAnnotation,
    IncomingCategory,
    IncomingContent,
    IncomingImage,
)
from maskstudio.progress import TaskContext

_TITLE, _RESULTS = "COCO", "COCO results"

_LIKE_COCO = re.compile(
    rb'^\s*(\{.*"(images|annotations|categories)"\s*:\s*\[|\[\s*\{\s*"[a-z_]*(id|box|score|ation)")',
    re.DOTALL,
)
_HEAD = 65_536


def is_coco(path: Path) -> bool:
    """Tell by its beginning whether a file is of COCO's kind."""
    return bool(_LIKE_COCO.match(_head(path)))


def is_instances(path: Path) -> bool:
    """Tell by its beginning whether a file is one of instances: no results, not panoptic."""
    head = _head(path)
    like = bool(_LIKE_COCO.match(head))
    return like and not head.lstrip().startswith(b"[") and b'"segments_info"' not in head


def _head(path: Path) -> bytes:
    """Return how a JSON file begins; nothing for what is none or cannot be read."""
    try:
        if path.suffix.lower() != ".json" or not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(_HEAD).removeprefix(b"\xef\xbb\xbf")
    except OSError:
        return b""


def open_coco(path: Path, context: TaskContext, of: Path | None = None) -> "CocoSource":
    """Open a COCO file of instances, or one of results.

    Args:
        path: the file.
        context: told of the progress; asked whether to stop.
        of: the file of instances that the ids of results refer to; without it they are those of
            the project.

    Raises:
        UserError: something in one of the files is wrong; the sentence names the place.
    """
    context.report(0, 0, "reading the file")
    found = read_entries(path)
    if isinstance(found, CocoEntries):
        if of is not None:
            raise UserError(f"{path} holds images of its own: it needs no other file beside it.")
        return _source(path, _TITLE, found, found.annotations, context)
    if of is None:
        return _of_project(path, found, context)
    listed = read_entries(of)
    if not isinstance(listed, CocoEntries):
        raise UserError(f"{of} lists no images; give the COCO file that the results are of.")
    return _source(path, _RESULTS, listed, found, context)


@dataclass(frozen=True)
class CocoSource:
    """See `incoming.Source`."""

    path: Path
    title: str
    categories: Sequence[IncomingCategory]
    images: Sequence[IncomingImage]
    notes: Sequence[str]
    _entries: AnnotationList
    _lists: "_Lists"

    def content(self, number: int, height: int, width: int) -> IncomingContent:
        """Read what stands on an image; see `incoming.Source`."""
        numbers = self._lists.on_image(number)
        entries = [self._entries[n] for n in numbers]
        drawn = EntryShapes(entries, height, width)
        found: list[IncomingAnnotation] = []
        left_out: list[str] = []
        mended: list[str] = []
        for place, (n, entry) in enumerate(zip(numbers, entries, strict=True)):
            where = f"{self.path.name}: {self._entries.place(n)}"
            shape, notes = drawn.shape(place)
            if shape is None:
                left_out.append(f"{where} {'; it '.join(notes)}.")
                continue
            mended += [f"{where} {note}." for note in notes]
            found.append(incoming_annotation(entry, shape, self._lists.category[n]))
        return IncomingContent(tuple(found), tuple(left_out), tuple(mended))

    def pixels(self, number: int) -> bytes | None:
        """Return None: the format holds no images."""
        del number
        return None


@dataclass(frozen=True)
class _Lists:
    """Which entries stand on which image, in a few arrays.

    Attributes:
        category: for each entry the place of its category.
        order: the entries by their images.
        starts: for each image where its own begin in `order`; one more at the end.
    """

    category: "array[int]"
    order: NDArray[np.int64]
    starts: NDArray[np.int64]

    def on_image(self, number: int) -> list[int]:
        """Return the entries of an image in the order of the file."""
        numbers: list[int] = self.order[self.starts[number] : self.starts[number + 1]].tolist()
        return numbers


def _source(
    path: Path, title: str, listed: CocoEntries, entries: AnnotationList, context: TaskContext
) -> CocoSource:
    image = {one.id: number for number, one in enumerate(listed.images)}
    category = {one.id: number for number, one in enumerate(listed.categories)}
    tally = _Tally()
    for number, entry in enumerate(entries.checked(context)):
        for kind, key, known in (
            ("image", entry.image_id, image),
            ("category", entry.category_id, category),
        ):
            if key not in known:
                raise UserError(
                    f"{path}: {entries.place(number)} has {kind} {key}, which is not listed."
                )
        tally.add(entry, image[entry.image_id], category[entry.category_id])
    on_image, of_category = tally.counts(len(image), len(category))
    images = tuple(
        IncomingImage(one.file_name, one.height or 0, one.width or 0, annotations=count)
        for one, count in zip(listed.images, on_image, strict=True)
    )
    categories = tuple(
        IncomingCategory(one.name, one.supercategory or "", count=count)
        for one, count in zip(listed.categories, of_category, strict=True)
    )
    lists = tally.lists(len(images))
    return CocoSource(path, title, categories, images, tuple(tally.notes()), entries, lists)


def _of_project(path: Path, entries: AnnotationList, context: TaskContext) -> CocoSource:
    """Return results whose images and categories are known by the project's ids alone."""
    tally = _Tally()
    image: dict[int, int] = {}
    category: dict[int, int] = {}
    for entry in entries.checked(context):
        tally.add(
            entry,
            image.setdefault(entry.image_id, len(image)),
            category.setdefault(entry.category_id, len(category)),
        )
    on_image, of_category = tally.counts(len(image), len(category))
    images = tuple(
        IncomingImage(f"image {one}", project_id=one, annotations=count)
        for one, count in zip(image, on_image, strict=True)
    )
    categories = tuple(
        IncomingCategory(f"category {one}", count=count, project_id=one)
        for one, count in zip(category, of_category, strict=True)
    )
    notes = (
        "Its images and categories are those of the project, by their ids; if they are of another "
        "COCO file, give that too.",
        *tally.notes(),
    )
    lists = tally.lists(len(images))
    return CocoSource(path, _RESULTS, categories, images, notes, entries, lists)


class _Tally:
    """What is kept of the entries while they pass by."""

    def __init__(self) -> None:
        self._image = array("l")
        self._category = array("l")
        self._boxes = 0

    def add(self, entry: AnnotationEntry, image: int, category: int) -> None:
        """Note an entry, the place of its image and that of its category."""
        self._image.append(image)
        self._category.append(category)
        self._boxes += not entry.segmentation

    def counts(self, images: int, categories: int) -> tuple[list[int], list[int]]:
        """Return how many are on each image, and of each category."""
        of_image = np.bincount(np.array(self._image, np.int64), minlength=images)
        of_category = np.bincount(np.array(self._category, np.int64), minlength=categories)
        return of_image.tolist(), of_category.tolist()

    def lists(self, images: int) -> _Lists:
        """Return which stand on which of so many images."""
        image = np.array(self._image, np.int64)
        order = np.argsort(image, kind="stable")
        return _Lists(self._category, order, np.searchsorted(image[order], np.arange(images + 1)))

    def notes(self) -> Iterator[str]:
        """Yield what a person should know of the whole."""
        if self._boxes:
            yield f"Annotations that are boxes without an outline: {self._boxes:,}."
