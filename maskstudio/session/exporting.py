"""Export a project: written beside, read back and compared, then moved into place. Needs no Qt."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from maskstudio.annotation.annotation import Dataset, ImageRecord, ImageState
from maskstudio.errors import UserError
from maskstudio.formats.coco import write_coco
from maskstudio.formats.gate import GateReport, check_coco
from maskstudio.progress import TaskContext
from maskstudio.storage.files import replaced_file
from maskstudio.storage.images import read_size

if TYPE_CHECKING:
    # It brings the database library, which an empty window does without.
    from maskstudio.storage.project import ProjectDatabase

DEFAULT_STATES = (ImageState.EDITED, ImageState.VERIFIED, ImageState.EMPTY)
"""States exported unless told otherwise: what a person has worked on."""


@dataclass(frozen=True)
class ExportReport:
    """How an export ended.

    Attributes:
        path: the file.
        gate: what was found when it was read back.
        not_exported: state to number of images left out because of it.
    """

    path: Path
    gate: GateReport
    not_exported: dict[ImageState, int]

    def sentences(self) -> tuple[str, ...]:
        """Return the report as a person reads it."""
        left = [f"{count:,} {state}" for state, count in self.not_exported.items() if count]
        extra = (f"Not exported because of their state: {', '.join(left)}.",) if left else ()
        return (*self.gate.sentences(), *extra)


def export_coco(
    database: "ProjectDatabase", path: Path, states: Iterable[ImageState], context: TaskContext
) -> ExportReport:
    """Write the project as COCO JSON; the old file stays unless the new one proves right.

    Raises:
        UserError: no image is in these states, an image is missing or of another size than it was
            labelled at, the file cannot be written, or what was written is not what is on screen.
        CancelledError: the person asked to stop.
    """
    wanted = tuple(states)
    dataset = database.dataset(wanted)
    if not dataset.images:
        raise UserError(
            f"No image of {database.folder} is {' or '.join(wanted)}; "
            "verify an image first, or export other states too."
        )
    dataset = _with_sizes(dataset, database.folder, context)
    with replaced_file(path) as beside:
        with beside.open("wb") as file:
            write_coco(dataset, file, context)
        gate = check_coco(beside, dataset, context)
        if not gate.ok:
            raise UserError(
                f"{path} was not written, because what was read back differs: {gate.problems[0]}"
            )
    counts = dict.fromkeys((s for s in ImageState if s not in wanted), 0)
    for record in database.images():
        if record.state in counts:
            counts[record.state] += 1
    return ExportReport(path, gate, counts)


def _with_sizes(dataset: Dataset, folder: Path, context: TaskContext) -> Dataset:
    """Read the size of every image from its file: what is stored may be of an older file."""
    images: list[ImageRecord] = []
    for number, record in enumerate(dataset.images):
        context.raise_if_cancelled()
        context.report(number, len(dataset.images), "reading sizes")
        height, width = read_size(folder / record.path)
        if record.height and (record.height, record.width) != (height, width):
            raise UserError(
                f"{record.path} has {width} by {height} pixels now, but was labelled at "
                f"{record.width} by {record.height}; put the old file back."
            )
        images.append(replace(record, height=height, width=width))
    return replace(dataset, images=tuple(images))
