"""Read masks that are PNG files and have a table beside them (see `mask_table`).

What an export has written comes back like this, and what other programs make of it as well.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.segmentation import Segmentation
from maskstudio.errors import UserError
from maskstudio.formats.incoming import (
    IncomingAnnotation,
    IncomingCategory,
    IncomingContent,
    IncomingImage,
)
from maskstudio.formats.label_map import outlines_of
from maskstudio.formats.mask_table import (
    INSTANCES,
    SAID,
    TABLE_NAME,
    MaskImage,
    is_table,
    read_table,
)
from maskstudio.formats.png_mask import mask_size, read_mask
from maskstudio.progress import TaskContext

TITLE = "PNG masks"

Values = NDArray[np.unsignedinteger]
"""Numbers of pixels, (height, width)."""

_SILENT = TaskContext()


@dataclass(frozen=True)
class MaskSource:
    """Masks, opened. The fields are those of `Source`.

    Attributes:
        path: the table or the folder.
        categories: those of the table; one alone where no table names any.
        images: by path, or as in the table.
        notes: how numbers were understood.
        contents: reads what stands on each image.
    """

    path: Path
    categories: Sequence[IncomingCategory]
    images: Sequence[IncomingImage]
    notes: Sequence[str]
    contents: Sequence[Callable[[], IncomingContent]]
    title: str = TITLE

    # `Source` asks with the size; a mask brings its own.
    def content(self, number: int, height: int, width: int) -> IncomingContent:  # noqa: ARG002
        """Read what stands on an image; a mask has a size of its own, see `IncomingImage`."""
        return self.contents[number]()

    def pixels(self, number: int) -> bytes | None:  # noqa: ARG002 - `Source` asks for it
        """Return None: the images are files of their own."""
        return None


def is_mask_table(path: Path) -> bool:
    """Tell whether a file is a table of masks, or a folder has one."""
    return is_table(path / TABLE_NAME if path.is_dir() else path)


def open_mask_table(path: Path, context: TaskContext = _SILENT) -> MaskSource:
    """Open masks by their table.

    Masks of categories are gone through once, for the number of pieces.

    Raises:
        UserError: something in the table is wrong, or a mask is not there.
        CancelledError: the person asked to stop.
    """
    table_path = path / TABLE_NAME if path.is_dir() else path
    table = read_table(table_path)
    places = {category.name: place for place, category in enumerate(table.categories)}
    values = {category.value: place for place, category in enumerate(table.categories)}
    of_instances = table.format == INSTANCES
    counts: Counter[int] = Counter()
    images: list[IncomingImage] = []
    contents: list[Callable[[], IncomingContent]] = []
    for number, image in enumerate(table.images):
        context.raise_if_cancelled()
        context.report(number, len(table.images), image.image)
        mask = table_path.parent / image.mask
        _check_size(mask, image)
        if of_instances:
            contents.append(partial(_instances, mask, image, places))
            found = [places[instance.category] for instance in image.instances]
        else:
            contents.append(partial(_pieces, mask, values))
            found = [annotation.category for annotation in contents[-1]().annotations]
        counts.update(found)
        said = image.state if image.state in SAID else None
        size = image.height, image.width
        images.append(IncomingImage(image.image, *size, said, annotations=len(found)))
    categories = [
        IncomingCategory(c.name, c.supercategory, c.colour, counts[place])
        for place, c in enumerate(table.categories)
    ]
    told = f"{table_path} has masks of categories: each connected piece is taken for one instance."
    return MaskSource(path, categories, images, () if of_instances else (told,), contents)


def category_pieces(mask: Path, values: Values, categories: Mapping[int, int]) -> IncomingContent:
    """Read a mask whose numbers are categories; each connected piece is an instance.

    See `numbered`.
    """
    whole = numbered(mask, values, categories)
    pieces = [
        replace(annotation, segmentation=Segmentation((part,)))
        for annotation in whole.annotations
        if annotation.segmentation
        for part in annotation.segmentation.parts
    ]
    return replace(whole, annotations=tuple(pieces))


def numbered(mask: Path, values: Values, categories: Mapping[int, int] | None) -> IncomingContent:
    """Read a mask; what has one number is one annotation.

    Args:
        mask: the file, for messages.
        values: (height, width), what stands in it.
        categories: number to the place of its category; None where there is only one for all.

    Raises:
        UserError: it is no mask.
    """
    found: list[IncomingAnnotation] = []
    left_out: list[str] = []
    try:
        for number, outline in outlines_of(values):
            place = 0 if categories is None else categories.get(number)
            if place is None:
                left_out.append(f"{mask}: the number {number} is not in the table.")
            elif isinstance(outline, UserError):
                left_out.append(f"{mask}: the number {number} is no outline: {outline}")
            else:
                found.append(IncomingAnnotation(place, outline))
    except UserError as error:
        raise UserError(f"{mask} {error}.") from error
    return IncomingContent(tuple(found), tuple(left_out))


def _pieces(mask: Path, categories: Mapping[int, int]) -> IncomingContent:
    return category_pieces(mask, read_mask(mask), categories)


def _instances(mask: Path, image: MaskImage, places: Mapping[str, int]) -> IncomingContent:
    """Read a mask whose numbers are the ids of instances that the table lists, back to front."""
    ids = {instance.id: n for n, instance in enumerate(image.instances)}
    content = numbered(mask, read_mask(mask), ids)
    outlines = {annotation.category: annotation.segmentation for annotation in content.annotations}
    annotations = [
        IncomingAnnotation(places[instance.category], outlines[n], iscrowd=instance.crowd)
        for n, instance in enumerate(image.instances)
        if n in outlines
    ]
    missing = [
        f"{mask}: no pixel has the number {instance.id}."
        for n, instance in enumerate(image.instances)
        if n not in outlines
    ]
    return IncomingContent(tuple(annotations), (*content.left_out, *missing))


def _check_size(mask: Path, image: MaskImage) -> None:
    height, width = mask_size(mask)
    if (height, width) != (image.height, image.width):
        raise UserError(
            f"{mask} has {width} by {height} pixels, but its table says {image.width} by "
            f"{image.height}; one of the two is of another image."
        )
