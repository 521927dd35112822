"""Write masks as PNG files with a table beside them (see `mask_table`).

Instance masks are 16-bit: the number of a pixel is the place of its instance in the stack, from 1.
Category masks have the categories' colours: the number is the place of the category in the table.
A pixel has one number, so of what overlaps the one in front is seen.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np

from maskstudio.annotation.annotation import Annotation, Category, ImageRecord
from maskstudio.annotation.outlines import outline_of
from maskstudio.errors import UserError
from maskstudio.formats.label_map import LabelMap, label_map
from maskstudio.formats.mask_table import (
    CATEGORIES,
    INSTANCES,
    SAID,
    TABLE_NAME,
    MaskCategory,
    MaskImage,
    MaskInstance,
)
from maskstudio.formats.names import stems
from maskstudio.formats.options import ExportOptions, ExportPart
from maskstudio.formats.png_mask import MAX_PIXELS, MAX_VALUE, write_numbers, write_palette
from maskstudio.formats.written import Written
from maskstudio.progress import TaskContext

_SHALLOW = 255  # numbers from 1 that fit into 8 bits, and colours into a palette
_SILENT = TaskContext()


def write_instance_masks(
    parts: Sequence[ExportPart],
    folder: Path,
    options: ExportOptions,  # noqa: ARG001 - what every writer is given
    context: TaskContext = _SILENT,
) -> Written:
    """Write `masks/PART/NAME.png` for each image, and the table.

    Args:
        parts: train, val and test, or one without a name.
        folder: an existing folder.
        options: how; nothing of it concerns this format.
        context: told which image is being written.

    Raises:
        UserError: the size of an image is not known, or it is too large or too full for a mask.
        OSError: a file cannot be written.
        CancelledError: the person asked to stop.
    """
    return _written(_Writer(parts, folder, INSTANCES), context)


def write_category_masks(
    parts: Sequence[ExportPart],
    folder: Path,
    options: ExportOptions,  # noqa: ARG001 - what every writer is given
    context: TaskContext = _SILENT,
) -> Written:
    """Write `masks/PART/NAME.png` for each image, and the table; see `write_instance_masks`.

    More than 255 categories make 16-bit masks, which have no colours.
    """
    return _written(_Writer(parts, folder, CATEGORIES), context)


@dataclass
class _Writer:
    """Writes masks and keeps count."""

    parts: Sequence[ExportPart]
    folder: Path
    kind: str
    images: int = 0
    annotations: int = 0
    left_out: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.categories = self.parts[0].dataset.categories
        self.names: Mapping[int, str] = {c.id: c.name for c in self.categories}
        self.places = {category.id: n for n, category in enumerate(self.categories, 1)}
        self.stems = stems(self.parts)

    def entry(self, part: str, image: ImageRecord, annotations: Sequence[Annotation]) -> MaskImage:
        """Write the mask of an image and return its line of the table."""
        _check(image, annotations)
        of_instances = self.kind == INSTANCES
        values = (
            range(1, len(annotations) + 1)
            if of_instances
            else [self.places[annotation.category_id] for annotation in annotations]
        )
        outlines = [outline_of(annotation) for annotation in annotations]
        painted = label_map(outlines, values, image.height, image.width)
        mask = "/".join(filter(None, ("masks", part, f"{self.stems[image.id]}.png")))
        self._save(self.folder / mask, painted)
        shown = self._told(image, annotations, painted)
        instances = [
            MaskInstance(n, self.names[annotation.category_id], annotation.iscrowd)
            for n, annotation in enumerate(annotations, 1)
            if of_instances and annotation.id in shown
        ]
        said = image.state if image.state in SAID else None
        return MaskImage(image.path, mask, image.height, image.width, part, said, instances)

    def _save(self, path: Path, painted: LabelMap) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.kind == INSTANCES or len(self.categories) > _SHALLOW:
            write_numbers(path, painted.values)
        else:
            colours = [category.shown_colour for category in self.categories]
            write_palette(path, painted.values.astype(np.uint8), colours)

    def _told(
        self, image: ImageRecord, annotations: Sequence[Annotation], painted: LabelMap
    ) -> set[int]:
        """Count what is to be seen, and say what is not; return the ids of what is."""
        shown: set[int] = set()
        for n, annotation in enumerate(annotations):
            area, visible = painted.areas[n], painted.visible[n]
            name = f"{image.path}: annotation {annotation.id}"
            if not area:
                self.left_out.append(f"{name} covers no pixel and was left out.")
            elif not visible:
                self.left_out.append(f"{name} lies wholly behind others and is not in the mask.")
            else:
                shown.add(annotation.id)
            if 0 < visible < area:
                self.changed.append(
                    f"{name} lies partly behind others: {area - visible:,} of its {area:,} pixels "
                    "are theirs."
                )
            elif visible and annotation.box_only is not None:
                self.changed.append(f"{name} is a box alone; it was written as a rectangle.")
        self.annotations += len(shown)
        self.images += 1
        return shown


def _written(writer: _Writer, context: TaskContext) -> Written:
    total = sum(len(part.dataset.images) for part in writer.parts)
    with (writer.folder / TABLE_NAME).open("wb") as file:
        file.write(b'{"format":"%s",\n"categories":' % writer.kind.encode("ascii"))
        _write_list(file, (_category(writer.kind, c, n) for c, n in _numbered(writer.categories)))
        file.write(b',\n"images":')
        _write_list(file, _entries(writer, total, context))
        file.write(b"}\n")
    return Written(writer.images, writer.annotations, tuple(writer.left_out), tuple(writer.changed))


def _entries(writer: _Writer, total: int, context: TaskContext) -> Iterable[MaskImage]:
    for part in writer.parts:
        for image in part.dataset.images:
            context.raise_if_cancelled()
            context.report(writer.images, total, image.path)
            yield writer.entry(part.name, image, part.dataset.annotations.get(image.id, ()))


def _numbered(categories: Sequence[Category]) -> Iterable[tuple[Category, int]]:
    return zip(categories, range(1, len(categories) + 1), strict=True)


def _category(kind: str, category: Category, place: int) -> MaskCategory:
    value = place if kind == CATEGORIES else 0
    return MaskCategory(category.name, category.supercategory, category.shown_colour.lower(), value)


def _check(image: ImageRecord, annotations: Sequence[Annotation]) -> None:
    if image.height < 1 or image.width < 1:
        raise UserError(
            f"The size of {image.path} is not known; open the image once and export again."
        )
    if image.height * image.width > MAX_PIXELS:
        raise UserError(
            f"{image.path} has more than {MAX_PIXELS // 1_000_000} million pixels, too many for "
            "a mask; cut it into tiles or choose another format."
        )
    if len(annotations) > MAX_VALUE:
        raise UserError(
            f"{image.path} has {len(annotations):,} annotations, more than the {MAX_VALUE:,} that "
            "16 bits tell apart; cut it into tiles or choose another format."
        )


def _write_list(file: BinaryIO, entries: Iterable[MaskCategory | MaskImage]) -> None:
    separator = b"[\n"
    for entry in entries:
        file.write(separator + msgspec.json.encode(entry))
        separator = b",\n"
    file.write(b"[]" if separator == b"[\n" else b"\n]")
