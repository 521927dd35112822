"""Export a project: written beside, read back and compared, then moved into place. Needs no Qt."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from maskstudio.annotation.annotation import Dataset, ImageState
from maskstudio.errors import UserError
from maskstudio.formats.coco import is_ours
from maskstudio.formats.names import stems
from maskstudio.formats.options import ExportFormat, ExportOptions, ExportPart, ImagePlacement
from maskstudio.formats.reading_back import Proof
from maskstudio.formats.writers import FORMATS, FormatFiles, coco_file
from maskstudio.progress import TaskContext
from maskstudio.session.export_parts import PartCounts, category_counts, count_parts, parts_of
from maskstudio.session.export_report import ExportReport, not_exported
from maskstudio.session.image_sizes import with_sizes
from maskstudio.session.splitting import Drawing, must_be_writable, remember, split_of
from maskstudio.storage.export_folder import Staging, move_into_place, staged
from maskstudio.storage.files import replaced_file, why

if TYPE_CHECKING:
    # It brings the database library, which an empty window does without.
    from maskstudio.storage.project import ProjectDatabase

__all__ = [
    "DEFAULT_STATES",
    "ExportReport",
    "PartCounts",
    "count_parts",
    "export",
    "placements",
    "writes_one_file",
]

DEFAULT_STATES = (ImageState.EDITED, ImageState.VERIFIED, ImageState.EMPTY)
"""States exported unless told otherwise: what a person has worked on."""


def placements(format_: ExportFormat) -> tuple[ImagePlacement, ...]:
    """Return what may become of the images in a format; the first is what most people want."""
    return FORMATS[format_].placements


def writes_one_file(options: ExportOptions) -> bool:
    """Tell whether an export is one JSON file; else it is a folder."""
    referenced = options.placement is ImagePlacement.REFERENCE
    return options.format is ExportFormat.COCO and options.splits is None and referenced


def export(
    database: "ProjectDatabase", destination: Path, options: ExportOptions, context: TaskContext
) -> ExportReport:
    """Export a project; what is there already stays unless the new files prove right.

    Args:
        database: the project's; with a split it must be open for writing.
        destination: the file or the folder, see `writes_one_file`.
        options: what is exported, and how.
        context: told how far it is.

    Raises:
        UserError: no image is in these states, an image is missing or of another size than it was
            labelled at, something that is no earlier export is in the way, it cannot be written, or
            what was written is not what is on screen.
        CancelledError: the person asked to stop.
    """
    _check(database, destination, options)
    with ExitStack() as stack:
        if writes_one_file(options):
            folder = stack.enter_context(_one_file(destination))
            staging = None
        else:
            staging = stack.enter_context(staged(destination))
            folder = staging.folder
        with database.reading_dataset(options.states) as dataset:
            made = _make(database, dataset, folder, options, context)
        # Not while the project is being read, which keeps its log from being cleared, and on some
        # drives the project from being written.
        copied = 0 if staging is None else _place(database.folder, staging, made, context)
        left = () if staging is None else _move(database, staging, made.drawing, context)
    return ExportReport(
        path=destination,
        proof=made.proof.sentences,
        drawing=made.drawing,
        parts=tuple((part.name, len(part.dataset.images)) for part in made.parts),
        linked=len(made.paths) - copied if options.placement is ImagePlacement.LINK else 0,
        copied=copied,
        left=left,
        not_exported=not_exported(database, options),
    )


@dataclass(frozen=True)
class _Made:
    """Files that were written and proved.

    Attributes:
        parts: what they hold; images have the names they go out under.
        drawing: how the parts came about; None without a split.
        proof: what was found in them.
        options: how they were written.
        paths: image id to its path in the project.
    """

    parts: tuple[ExportPart, ...]
    drawing: Drawing | None
    proof: Proof
    options: ExportOptions
    paths: dict[int, str]


def _make(
    database: "ProjectDatabase",
    dataset: Dataset,
    folder: Path,
    options: ExportOptions,
    context: TaskContext,
) -> _Made:
    """Write the files of an export, without images, and prove them."""
    if not dataset.images:
        raise UserError(
            f"No image of {database.folder} is {' or '.join(options.states)}; "
            "verify an image first, or export other states too."
        )
    dataset = with_sizes(dataset, database.folder, context)
    counts = category_counts(dataset, options.categories) if options.splits else {}
    drawing = split_of(database, dataset.images, counts, options, context)
    paths = {image.id: image.path for image in dataset.images}
    files = FORMATS[options.format]
    parts = _named(parts_of(dataset, drawing, options.categories), files, options)
    written = files.write(parts, folder, options, context)
    proof = files.prove(parts, folder, options, written, context)
    if proof.problems:
        raise UserError(
            f"Nothing was exported, because what was read back differs: {proof.problems[0]}"
        )
    return _Made(parts, drawing, proof, options, paths)


def _check(database: "ProjectDatabase", destination: Path, options: ExportOptions) -> None:
    """Refuse before the work what would be refused after it."""
    if not options.states or options.categories == frozenset():
        raise UserError("Nothing is chosen to be exported; choose a state and a category.")
    files = FORMATS[options.format]
    if options.placement not in files.placements:
        raise UserError(
            f"Images of a {options.format} export cannot be {options.placement}; choose "
            f"{' or '.join(files.placements)}."
        )
    if options.splits is not None:
        must_be_writable(database)
    if not destination.absolute().parent.is_dir():
        raise UserError(f"{destination} cannot be written: its folder does not exist.")
    holds_images = files.pictures or options.placement is not ImagePlacement.REFERENCE
    home, there = database.folder.resolve(), destination.resolve()
    if holds_images and there.is_relative_to(home):
        below = there.relative_to(home).parts
        if not any(name.startswith(".") for name in below):
            raise UserError(
                f"{destination} lies in the project, where the exported images would be taken for "
                "new ones; choose a folder outside of it."
            )


@contextmanager
def _one_file(path: Path) -> Iterator[Path]:
    """Give a folder in which one COCO file is written that takes the place of an older one.

    Raises:
        UserError: another file is in the way, or it cannot be written.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder; name the file to write, like annotations.json.")
    if path.exists() and not is_ours(path):
        raise UserError(
            f"{path} was not written by MaskStudio; move it away, or choose another name."
        )
    with staged(path.with_name(f"{path.name}.export")) as staging, replaced_file(path) as beside:
        yield staging.folder
        (staging.folder / coco_file("")).replace(beside)


def _named(
    parts: Sequence[ExportPart], files: FormatFiles, options: ExportOptions
) -> tuple[ExportPart, ...]:
    """Give images other names where theirs would lead to two files of the same name."""
    if not files.by_stem or options.placement is ImagePlacement.REFERENCE:
        return tuple(parts)
    names = stems(parts)

    def named(part: ExportPart) -> ExportPart:
        images = tuple(
            replace(image, path=names[image.id] + PurePosixPath(image.path).suffix)
            for image in part.dataset.images
        )
        return replace(part, dataset=replace(part.dataset, images=images))

    return tuple(map(named, parts))


def _place(project: Path, staging: Staging, made: _Made, context: TaskContext) -> int:
    """Put the images into an export; return how many had to be copied instead of linked."""
    if made.options.placement is ImagePlacement.REFERENCE:
        return 0
    link = made.options.placement is ImagePlacement.LINK
    home = FORMATS[made.options.format].images
    done = copied = 0
    for part in made.parts:
        for image in part.dataset.images:
            context.raise_if_cancelled()
            context.report(done, len(made.paths), "linking images" if link else "copying images")
            name = PurePosixPath(home, part.name, image.path)
            copied += not staging.place(project / made.paths[image.id], str(name), link=link)
            done += 1
    return copied


def _move(
    database: "ProjectDatabase", staging: Staging, drawing: Drawing | None, context: TaskContext
) -> tuple[str, ...]:
    """Move an export into place, and remember its parts as soon as nothing can come between."""

    def keep() -> None:
        if drawing is not None:
            remember(database, drawing.split)

    context.report(0, 0, "moving into place")
    try:
        return move_into_place(staging, context, keep)
    except OSError as error:
        raise UserError(
            f"{staging.destination} could not be written to its end: {why(error)}. "
            "Export again to complete it."
        ) from error
