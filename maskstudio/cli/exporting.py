"""The command `export`: a project becomes a data set for others."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from maskstudio.annotation.annotation import Category, ImageState
from maskstudio.cli.console import ConsoleContext, ProgressOption, ProgressStyle
from maskstudio.errors import UserError
from maskstudio.formats.options import (
    ExportFormat,
    ExportOptions,
    ImagePlacement,
    SegmentationStyle,
    SplitRatios,
)


def export(
    project: Annotated[Path, typer.Option(help="Folder of images that was labelled.")],
    output: Annotated[Path, typer.Option(help="The file to write, or the folder.")],
    format_: Annotated[
        ExportFormat, typer.Option("--format", help="Whose files to write.")
    ] = ExportFormat.COCO,
    states: Annotated[
        str, typer.Option(help="States to export, comma-separated.")
    ] = "edited,verified,empty",
    categories: Annotated[
        str, typer.Option(help="Names of categories to export, comma-separated; all by default.")
    ] = "",
    segmentation: Annotated[
        SegmentationStyle, typer.Option(help="Outlines in COCO files; rle is exact.")
    ] = SegmentationStyle.POLYGON,
    split: Annotated[
        str, typer.Option(help="Shares of train, val and test, like 0.8,0.1,0.1.")
    ] = "",
    images: Annotated[
        ImagePlacement | None, typer.Option(help="What becomes of the image files.")
    ] = None,
    draw_anew: Annotated[
        bool,
        typer.Option("--draw-anew", help="Forget which image was in which part, and draw again."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how much would go out, in which part.")
    ] = False,
    progress: ProgressOption = ProgressStyle.BAR,
) -> None:
    """Export a project: read back and proved before it replaces an older export.

    COCO without a split and with images referenced is one file; all else is a folder.
    """
    from maskstudio.session.exporting import count_parts, placements
    from maskstudio.session.exporting import export as export_project
    from maskstudio.storage.opening import open_project
    from maskstudio.storage.places import has_project

    ratios = _ratios(split) if split else None
    if draw_anew and ratios is None:
        raise typer.BadParameter("--draw-anew needs --split.")
    options = ExportOptions(
        format_,
        _states(states),
        None,
        segmentation,
        ratios,
        images or placements(format_)[0],
        draw_anew,
    )
    # The parts of a split are remembered in the project; all else only reads it.
    read_only = ratios is None or dry_run or not has_project(project)
    with (
        open_project(project, read_only=read_only) as database,
        ConsoleContext("Exporting", progress) as context,
    ):
        if categories:
            options = replace(options, categories=_named(database.categories(), categories))
        if dry_run:
            lines = count_parts(database, options, context).sentences()
        else:
            report = export_project(database, output, options, context)
            lines = (f"wrote {output}", *report.sentences())
        for line in lines:
            context.produce(line)


def _ratios(text: str) -> SplitRatios:
    """Read the shares of the parts.

    Raises:
        BadParameter: they are none.
    """
    try:
        return SplitRatios.from_text(text)
    except UserError as error:
        raise typer.BadParameter(str(error)) from error


def _states(names: str) -> tuple[ImageState, ...]:
    """Read the names of states.

    Raises:
        BadParameter: one is unknown.
    """
    try:
        return tuple(ImageState(name.strip()) for name in names.split(","))
    except ValueError as error:
        raise typer.BadParameter(f"{error}; the states are {', '.join(ImageState)}") from error


def _named(categories: Sequence[Category], names: str) -> frozenset[int]:
    """Return the ids of categories.

    Raises:
        UserError: the project has no category of a name.
    """
    ids = {category.name: category.id for category in categories}
    # A name may hold a comma; then it is the whole.
    wanted = [names] if names in ids else [name.strip() for name in names.split(",")]
    unknown = [name for name in wanted if name not in ids]
    if unknown:
        there = ", ".join(ids) or "none"
        raise UserError(f"The project has no category {unknown[0]!r}; it has: {there}.")
    return frozenset(ids[name] for name in wanted)
