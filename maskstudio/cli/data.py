"""The commands `predict` and `demo`, and opening the window."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskstudio.annotation.tiling import TileChoice, Tiling
from maskstudio.cli import has_display, open_window
from maskstudio.cli.console import (
    ConsoleContext,
    DeviceName,
    ProgressOption,
    ProgressStyle,
    check_folders,
)
from maskstudio.errors import UserError

if TYPE_CHECKING:
    from maskstudio.progress import TaskContext

Model = Annotated[str, typer.Option(help="Name or path of the model.")]
Score = Annotated[float, typer.Option(min=0.0, max=1.0, help="Lowest score to keep.")]
Tiles = Annotated[
    TileChoice,
    typer.Option(help="Look at large images in tiles; auto: where objects are too small."),
]
_DEFAULT_MODEL = "nuclei"
_DEFAULT_SCORE = 0.5


def gui(
    folder: Annotated[Path | None, typer.Argument(help="Folder of images to open.")] = None,
) -> None:
    """Open the window (what `maskstudio [FOLDER]` does)."""
    raise typer.Exit(open_window(folder))


def predict(
    paths: Annotated[list[Path], typer.Argument(help="Images, or folders of them.")],
    output: Annotated[Path, typer.Option(help="The COCO file to write.")],
    model: Model = _DEFAULT_MODEL,
    score: Score = _DEFAULT_SCORE,
    overlay: Annotated[
        Path | None, typer.Option(help="Also paint the outlines over the images, into this folder.")
    ] = None,
    device: DeviceName = "auto",
    tiles: Tiles = TileChoice.AUTO,
    progress: ProgressOption = ProgressStyle.BAR,
) -> None:
    """Find the instances of images and write them as a COCO file."""
    check_folders(output)
    with ConsoleContext("Predicting", progress) as context:
        _predict(paths, output, (model, device, score, tiles), overlay, context)


def demo(
    headless: Annotated[bool, typer.Option(help="Open no window even where there is one.")] = False,
    output: Annotated[Path, typer.Option(help="Where the headless demo writes.")] = Path(
        "demo-output"
    ),
) -> None:
    """Show the program on its sample images; without a display, predict them into a folder."""
    from maskstudio.resources import resource_path

    samples = resource_path("samples", "nuclei")
    if not headless and has_display():
        from maskstudio.storage.samples import demo_project

        raise typer.Exit(open_window(demo_project(samples)))
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{output} cannot be made: {error.strerror}; choose another.") from error
    options = (_DEFAULT_MODEL, "auto", _DEFAULT_SCORE, TileChoice.AUTO)
    with ConsoleContext("Predicting", ProgressStyle.NONE) as context:
        _predict([samples], output / "annotations.json", options, output, context)
    typer.echo(f"Wrote {output / 'annotations.json'} and an overlay for each image.")


def _predict(
    paths: Iterable[Path],
    output: Path,
    options: tuple[str, str, float, TileChoice],
    overlay: Path | None,
    context: "TaskContext",
) -> None:
    """Predict images into a COCO file, and say at the end if some failed."""
    from maskstudio.mask_rcnn.batch import predict_files, write_overlays, write_results
    from maskstudio.mask_rcnn.importing import obtain_model
    from maskstudio.mask_rcnn.predictor import MaskRCNNPredictor

    model, device, score, tiles = options
    folder, names = _find(paths)
    predictor = MaskRCNNPredictor.load(obtain_model(model), device)
    typer.echo(f"{predictor.model_id} on {predictor.device_name}", err=True)
    results = predict_files(predictor, folder, names, score, context, Tiling(tiles))
    if results.images:
        write_results(results, output, context)
    if overlay:
        write_overlays(results, folder, overlay)
    failed = results.failed
    if failed:
        raise UserError(
            f"{len(failed)} of {len(names)} images could not be predicted; the first: {failed[0]}"
        )


def _find(paths: Iterable[Path]) -> tuple[Path, list[str]]:
    """Return the folder all images lie under, and their POSIX paths relative to it."""
    from maskstudio.storage.folder import list_images

    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += [path / image.path for image in list_images(path)]
        elif path.is_file():
            files.append(path)
        else:
            raise UserError(f"{path} does not exist; give images or folders of images.")
    if not files:
        raise UserError("There is no image to predict in the folders given.")
    # Without `..` in them, or an overlay could land outside its folder; each file once.
    absolute = list(dict.fromkeys(Path(os.path.normpath(file.absolute())) for file in files))
    try:
        folder = Path(os.path.commonpath([file.parent for file in absolute]))
    except ValueError as error:
        raise UserError(
            "The images lie on several drives; predict each drive by itself."
        ) from error
    return folder, [file.relative_to(folder).as_posix() for file in absolute]
