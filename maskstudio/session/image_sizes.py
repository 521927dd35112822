"""The sizes of images as their files have them now. Needs no Qt."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from maskstudio.annotation.annotation import Dataset, ImageRecord
from maskstudio.errors import UserError
from maskstudio.processes import Helpers
from maskstudio.progress import TaskContext
from maskstudio.storage.images import read_size

_AT_ONCE = 250
# A process takes as long to start as to read the sizes of some thousands.
_DONE_HERE = 40


@dataclass(frozen=True)
class _Piece:
    folder: Path
    images: Sequence[tuple[str, int, int]]


def with_sizes(dataset: Dataset, folder: Path, context: TaskContext) -> Dataset:
    """Read the size of every image from its file: what is stored may be of an older file.

    Args:
        dataset: the images, and at what size they were labelled.
        folder: the project's.
        context: told how many are read.

    Raises:
        UserError: an image is missing, or has another size than it was labelled at.
        CancelledError: the person asked to stop.
    """
    known = [(image.path, image.height, image.width) for image in dataset.images]
    starts = range(0, len(known), _AT_ONCE)
    images: list[ImageRecord] = []
    with Helpers(_DONE_HERE) as helpers:
        pieces = (_Piece(folder, known[start : start + _AT_ONCE]) for start in starts)
        for found in helpers.in_order(_sizes, pieces):
            context.raise_if_cancelled()
            records = dataset.images[len(images) : len(images) + len(found)]
            images += [
                replace(record, height=height, width=width)
                for record, (height, width) in zip(records, found, strict=True)
            ]
            context.report(len(images), len(known), "reading sizes")
    return replace(dataset, images=tuple(images))


def _sizes(piece: _Piece) -> list[tuple[int, int]]:
    return [_size(piece.folder / path, path, height, width) for path, height, width in piece.images]


def _size(file: Path, path: str, stored_height: int, stored_width: int) -> tuple[int, int]:
    height, width = read_size(file)
    if stored_height and (stored_height, stored_width) != (height, width):
        raise UserError(
            f"{path} has {width} by {height} pixels now, but was labelled at "
            f"{stored_width} by {stored_height}; put the old file back."
        )
    return height, width
