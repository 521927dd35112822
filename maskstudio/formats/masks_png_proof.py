"""Prove that PNG masks say what is on screen, pixel for pixel.

Each mask is read back and held against the outlines from front to back: a pixel must have the
number of the first that covers it, and no other may have any.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.annotation import Annotation, Dataset, ImageRecord
from maskstudio.annotation.masks import rasterize
from maskstudio.annotation.outlines import outline_of
from maskstudio.annotation.run_tracing import unpacked
from maskstudio.errors import UserError
from maskstudio.formats.gate_piece import count
from maskstudio.formats.mask_table import INSTANCES, TABLE_NAME, MaskImage, MaskTable, read_table
from maskstudio.formats.options import ExportOptions, ExportPart
from maskstudio.formats.png_mask import read_mask
from maskstudio.formats.reading_back import Proof, first
from maskstudio.formats.written import Written
from maskstudio.progress import TaskContext


def prove_masks(
    parts: Sequence[ExportPart],
    folder: Path,
    options: ExportOptions,
    written: Written,
    context: TaskContext,
) -> Proof:
    """Read back what `write_instance_masks` or `write_category_masks` wrote.

    Raises:
        CancelledError: the person asked to stop.
    """
    del options
    problems: list[str] = []
    done, total = 0, sum(len(part.dataset.images) for part in parts)
    try:
        table = read_table(folder / TABLE_NAME)
        if len(table.images) != total:
            problems.append(f"{TABLE_NAME} lists {len(table.images):,} images, not {total:,}.")
        entries = iter(table.images)
        for part in parts:
            for image, entry in zip(part.dataset.images, entries, strict=False):
                context.raise_if_cancelled()
                context.report(done, total, "comparing masks")
                problems += _problems(part.dataset, image, table, entry, folder)
                done += 1
    except UserError as error:
        problems.append(str(error))
    said = [f"{count(done, 'image')}, {count(written.annotations, 'annotation')}."]
    if not problems:
        said.append("Read back from the PNG files: every pixel is of what is in front on screen.")
    return Proof((*said, *first(written.left_out), *first(written.changed)), tuple(problems))


def _problems(
    dataset: Dataset, image: ImageRecord, table: MaskTable, entry: MaskImage, folder: Path
) -> Iterator[str]:
    """Yield what is wrong with the mask of an image and its line of the table.

    Raises:
        UserError: the mask cannot be read.
    """
    annotations = dataset.annotations.get(image.id, ())
    values = read_mask(folder / entry.mask)
    if entry.image != image.path or values.shape != (image.height, image.width):
        yield f"{image.path} has a mask of another image."
        return
    numbers = _numbers(dataset, table, annotations)
    shown = _struck_out(values, annotations, numbers)
    if shown is None:
        yield f"{image.path} has a mask that is not what is on screen."
        return
    names = {category.id: category.name for category in dataset.categories}
    expected = [
        (numbers[n], names[annotations[n].category_id], annotations[n].iscrowd) for n in shown
    ]
    listed = [(one.id, one.category, one.crowd) for one in entry.instances]
    if table.format == INSTANCES and listed != expected:
        yield f"{image.path} has instances in {TABLE_NAME} that are not what is on screen."


def _numbers(
    dataset: Dataset, table: MaskTable, annotations: Sequence[Annotation]
) -> Sequence[int]:
    """Return the number that the pixels of each annotation must have."""
    if table.format == INSTANCES:
        return range(1, len(annotations) + 1)
    of_name = {category.name: category.value for category in table.categories}
    values = {category.id: of_name.get(category.name, 0) for category in dataset.categories}
    return [values[annotation.category_id] for annotation in annotations]


def _struck_out(
    values: NDArray[np.unsignedinteger], annotations: Sequence[Annotation], numbers: Sequence[int]
) -> list[int] | None:
    """Take annotations out of a mask, from front to back.

    Returns:
        The places of those that are seen, back to front; None where a pixel has a number that it
        must not have.
    """
    height, width = values.shape
    # Column by column, as run lengths go.
    pixels = values.T.ravel()
    taken = np.zeros(pixels.size, np.bool_)
    shown: list[int] = []
    for n in reversed(range(len(annotations))):
        runs = unpacked(rasterize(outline_of(annotations[n]), height, width)["counts"])
        ends = np.cumsum(runs).tolist()
        spans = [slice(*ends_) for ends_ in zip(ends[:-1:2], ends[1::2], strict=True)]
        seen = False
        for span in spans:
            free = ~taken[span]
            if (pixels[span][free] != numbers[n]).any():
                return None
            seen = seen or bool(free.any())
        for span in spans:
            taken[span] = True
        if seen:
            shown.append(n)
    return None if pixels[~taken].any() else shown[::-1]
