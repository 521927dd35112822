"""Write a data set as COCO instance JSON, piece by piece, so that it never stands in memory.

The file is ASCII (pycocotools opens it with the encoding of the computer's language settings), has
one entry a line, and is the same to the byte whenever the data set is the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from maskstudio.annotation.annotation import Category, Dataset, ImageRecord
from maskstudio.errors import UserError
from maskstudio.formats.coco_writing import Entries, EntriesTask, json_line, make_entries
from maskstudio.formats.options import SegmentationStyle
from maskstudio.formats.pieces import cut
from maskstudio.processes import Helpers
from maskstudio.progress import TaskContext

# No clock, no machine: an export that changes only where the work changed can be compared and kept
# under version control. Readers ask for the keys, not for what they hold.
INFO: Mapping[str, Any] = {
    "year": 0,
    "version": "",
    "description": "",
    "contributor": "",
    "url": "",
    "date_created": "",
}

_BEGINNING = b'{"info":' + json_line(INFO) + b',\n"licenses":[]'
_SILENT = TaskContext()


@dataclass(frozen=True)
class WriteReport:
    """What went into a COCO file and what did not.

    Attributes:
        images: images listed, those without annotations included.
        annotations: annotations written.
        categories: categories listed.
        boxes_only: annotations that are a box alone, written as a rectangle.
        left_out: a sentence for each annotation that covers no pixel and was left out.
        redrawn: a sentence for each annotation with a part that had to be redrawn along the edges
            of its pixels, because its rings cross or all but touch each other.
    """

    images: int
    annotations: int
    categories: int
    boxes_only: int
    left_out: tuple[str, ...]
    redrawn: tuple[str, ...]


def write_coco(
    dataset: Dataset,
    file: BinaryIO,
    style: SegmentationStyle = SegmentationStyle.POLYGON,
    context: TaskContext = _SILENT,
) -> WriteReport:
    """Write a data set as COCO instance JSON.

    Only the annotations of the images that the data set lists are written. Large ones are made into
    entries by helper processes (`maskstudio.processes`).

    Args:
        dataset: what to write; every image must have its size.
        file: where to; it is only ever appended to.
        style: how outlines are written: as polygons, or as run lengths, which are exact whatever
            the outline; crowds are run lengths always.
        context: told how many images are written.

    Raises:
        UserError: an image was never opened, so that its size is not known, or a number is not
            finite. Nothing has been written in the first case.
        OSError: the file cannot be written.
        CancelledError: the person asked to stop.
    """
    check_sizes(dataset)
    written: list[Entries] = []
    file.write(_BEGINNING)
    _write_list(file, "images", map(_image_line, dataset.images))
    _write_list(file, "annotations", _entries(dataset, style, written, context))
    _write_list(file, "categories", map(_category_line, dataset.categories))
    file.write(b"\n}\n")
    return WriteReport(
        images=len(dataset.images),
        annotations=sum(some.annotations for some in written),
        categories=len(dataset.categories),
        boxes_only=sum(some.boxes_only for some in written),
        left_out=tuple(sentence for some in written for sentence in some.left_out),
        redrawn=tuple(sentence for some in written for sentence in some.redrawn),
    )


def is_ours(path: Path) -> bool:
    """Tell whether a file begins as `write_coco` begins one.

    Raises:
        UserError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(len(_BEGINNING)) == _BEGINNING
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error


def check_sizes(dataset: Dataset) -> None:
    """Make sure that every image has its size.

    Raises:
        UserError: one was never opened.
    """
    for image in dataset.images:
        if image.width < 1 or image.height < 1:
            raise UserError(
                f"The size of {image.path} is not known; open the image once and export again."
            )


def _entries(
    dataset: Dataset, style: SegmentationStyle, written: list[Entries], context: TaskContext
) -> Iterator[bytes]:
    """Yield the entries of annotations, many at a time; what is told of them goes to `written`."""
    done, total = 0, len(dataset.images)
    context.report(0, total, "writing annotations")
    tasks = (EntriesTask(piece, style) for piece in cut(dataset))
    with Helpers() as helpers:
        for made in helpers.in_order(make_entries, tasks):
            context.raise_if_cancelled()
            if made.text:
                yield made.text
            made.text = b""
            written.append(made)
            done += made.images
            context.report(done, total, "writing annotations")


def _image_line(image: ImageRecord) -> bytes:
    # No key `license`: it would have to name one of `licenses`, and there is none.
    size = {"width": image.width, "height": image.height}
    return json_line({"id": image.id, **size, "file_name": image.path})


def _category_line(category: Category) -> bytes:
    return json_line(
        {"id": category.id, "name": category.name, "supercategory": category.supercategory}
    )


def _write_list(file: BinaryIO, key: str, lines: Iterator[bytes]) -> None:
    file.write(b',\n"%s":[' % key.encode("ascii"))
    separator = b"\n"
    for line in lines:
        file.write(separator)
        file.write(line)
        separator = b",\n"
    file.write(b"\n]")
