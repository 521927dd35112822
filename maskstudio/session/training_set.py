"""What of a project is learned from, and what the result is measured on. Needs no Qt."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from maskstudio.annotation.annotation import Dataset, ImageState
from maskstudio.errors import UserError
from maskstudio.formats.coco import write_coco
from maskstudio.formats.options import ExportFormat, ExportOptions, SegmentationStyle, SplitRatios
from maskstudio.progress import TaskContext
from maskstudio.session.export_parts import category_counts, parts_of
from maskstudio.session.image_sizes import with_sizes
from maskstudio.session.splitting import Drawing, remember, remembered, split_of
from maskstudio.storage.files import replaced_file

if TYPE_CHECKING:
    # It brings the database library, which an empty window does without.
    from maskstudio.storage.project import ProjectDatabase

LEARNED_STATES = (ImageState.VERIFIED, ImageState.EMPTY)
"""What a person has finished: nothing else is learned from."""

LEARNED_OPTIONS = ExportOptions(
    ExportFormat.COCO,
    LEARNED_STATES,
    segmentation=SegmentationStyle.RLE,
    splits=SplitRatios(0.8, 0.2),
)
"""What is divided, and how: a fifth is kept to measure on."""


@dataclass(frozen=True)
class TrainingFiles:
    """COCO files of a project as it was when they were written.

    Attributes:
        train: what is learned from.
        val: what the result is measured on; None where no image is kept for that.
        images: the folder that their file names are relative to.
    """

    train: Path
    val: Path | None
    images: Path


def freeze_parts(database: "ProjectDatabase", context: TaskContext) -> None:
    """Give a part to each finished image that has none, as an export does, and remember it.

    What is in a part already stays there, so that what is measured on is never learned from. A
    project that was never split is split here: a fifth is kept to measure on.

    Raises:
        UserError: the project is open for reading only and there are images without a part, or an
            image is missing.
        CancelledError: the person asked to stop.
    """
    with database.reading_dataset(LEARNED_STATES) as dataset:
        before = remembered(database).parts
        if all(image.id in before for image in dataset.images):
            return
        if database.read_only:
            raise UserError(
                f"{database.folder} is open in another window, which has to choose first what is "
                "kept to measure on; train from there, or close it."
            )
        drawing = _drawn(database, dataset, context)
    remember(database, drawing.split)


def write_training_files(
    database: "ProjectDatabase", folder: Path, context: TaskContext
) -> TrainingFiles:
    """Write `train.json` and `val.json` of what a person has finished.

    Images that have no part get one for this time only; see `freeze_parts`. Images of the part
    `test` are left out.

    Args:
        database: the project's; reading is enough.
        folder: where to; files of these names are replaced.
        context: told how far it is.

    Raises:
        UserError: there is nothing to learn from, an image is missing or of another size than it
            was labelled at, or the files cannot be written.
        CancelledError: the person asked to stop.
    """
    with database.reading_dataset(LEARNED_STATES) as dataset:
        if not dataset.images:
            raise UserError(
                f"No image of {database.folder} is verified; verify some, then train on them."
            )
        dataset = with_sizes(dataset, database.folder, context)
        drawing = _drawn(database, dataset, context)
        parts = {part.name: part.dataset for part in parts_of(dataset, drawing, None)}
        if "train" not in parts or not parts["train"].images:
            raise UserError(
                f"All verified images of {database.folder} are kept to measure on; "
                "verify more, then train on them."
            )
        train = _write(folder / "train.json", parts["train"], context)
        val = parts.get("val")
        kept = _write(folder / "val.json", val, context) if val and val.images else None
    return TrainingFiles(train, kept, database.folder)


def _drawn(database: "ProjectDatabase", dataset: Dataset, context: TaskContext) -> Drawing:
    counts = category_counts(dataset, None)
    drawing = split_of(database, dataset.images, counts, LEARNED_OPTIONS, context)
    if drawing is None:
        raise AssertionError("the options ask for a split")
    return drawing


def _write(path: Path, dataset: Dataset, context: TaskContext) -> Path:
    with replaced_file(path) as beside, beside.open("wb") as file:
        write_coco(dataset, file, SegmentationStyle.RLE, context)
    return path
