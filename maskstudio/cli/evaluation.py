"""The command `evaluate`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskstudio.annotation.tiling import TileChoice, Tiling
from maskstudio.cli.console import (
    ConsoleContext,
    DeviceName,
    ProgressOption,
    ProgressStyle,
    check_folders,
)
from maskstudio.progress import Quiet, TaskContext

if TYPE_CHECKING:
    from maskstudio.annotation.annotation import Category
    from maskstudio.annotation.evaluation import ModelFigures, Report
    from maskstudio.mask_rcnn.measuring import Yardstick
    from maskstudio.session.validation_set import ValidationSet


def evaluate(
    model: Annotated[
        list[str], typer.Option(help="Name or path of the model; once for each to compare.")
    ],
    annotations: Annotated[
        Path | None, typer.Option(help="COCO file with what stands on the images.")
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder its file names are relative to.")
    ] = None,
    project: Annotated[
        Path | None,
        typer.Option(help="Folder of images whose verified ones kept for validation are used."),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Write the report as JSON.")] = None,
    device: DeviceName = "auto",
    progress: ProgressOption = ProgressStyle.BAR,
) -> None:
    """Measure models on the same images: AP, confusion, and what a person would still have to do.

    On a COCO file, or on the images of a project that are kept apart for validation.
    """
    from maskstudio.mask_rcnn.importing import obtain_model
    from maskstudio.storage.files import replaced_file

    _check(annotations, images, project)
    check_folders(output)
    paths = [obtain_model(one) for one in model]
    with ConsoleContext("Evaluating", progress) as context:
        data = _of_project(project, context) if project else _of_file(annotations, images)
        report = _report(data, list(zip(model, paths, strict=True)), device, context)
        for one in report.models:
            context.produce({"model": one.model, "source": one.source, **one.summary()})
        if output:
            with replaced_file(output) as beside:
                beside.write_text(report.to_json(), encoding="utf-8")
        _show(report, context)


def _check(annotations: Path | None, images: Path | None, project: Path | None) -> None:
    """Refuse options that do not go together.

    Raises:
        BadParameter: they do not.
    """
    if (project is None) == (annotations is None):
        raise typer.BadParameter("Give --project, or --annotations with --images.")
    if (annotations is None) != (images is None):
        raise typer.BadParameter("--annotations and --images go together.")


@dataclass(frozen=True)
class _Data:
    """What is measured on.

    Attributes:
        words: it, for a person.
        yardstick: its images.
        project: where its categories come from; None for a COCO file.
    """

    words: str
    yardstick: "Yardstick"
    project: "ValidationSet | None" = None

    def names(self, model_id: str, of_model: "Sequence[Category]") -> Mapping[str, str]:
        """Return what each of a model's categories is called in the data where that differs."""
        return {} if self.project is None else self.project.names(model_id, of_model)

    @property
    def tiling(self) -> Tiling:
        """As the project wants it; figures on COCO files are of whole images."""
        return Tiling(TileChoice.NEVER) if self.project is None else self.project.tiling


def _of_file(annotations: Path | None, images: Path | None) -> _Data:
    from maskstudio.formats.coco_reader import read_coco
    from maskstudio.mask_rcnn.measuring import Yardstick

    if annotations is None or images is None:
        raise AssertionError("the options were checked")
    return _Data(annotations.name, Yardstick(read_coco(annotations), images))


def _of_project(folder: Path, context: TaskContext) -> _Data:
    from maskstudio.mask_rcnn.measuring import Yardstick
    from maskstudio.session.validation_set import validation_set

    # What it reads is not the work that the command is about.
    found = validation_set(folder, Quiet(context))
    words = f"{folder.resolve().name}, verified images kept for validation"
    return _Data(words, Yardstick(found.coco, folder), found)


def _report(
    data: _Data, models: list[tuple[str, Path]], device: str, context: TaskContext
) -> "Report":
    figures = [
        _measured(data, source, path, device, _OfOneModel(context, source, number, len(models)))
        for number, (source, path) in enumerate(models)
    ]
    return data.yardstick.report(data.words, tuple(figures))


def _measured(
    data: _Data, source: str, path: Path, device: str, context: TaskContext
) -> "ModelFigures":
    from maskstudio.mask_rcnn.measuring import measure
    from maskstudio.mask_rcnn.predictor import MaskRCNNPredictor

    # One at a time: two may not fit into the memory of a graphics card.
    predictor = MaskRCNNPredictor.load(path, device)
    info = predictor.info
    names = data.names(info.id, info.categories)
    found = measure(predictor, data.yardstick, context, names=names, tiling=data.tiling)
    return replace(found, source=source, training=info.training)


def _show(report: "Report", context: TaskContext) -> None:
    from maskstudio.cli.evaluation_table import table

    context.produce(table(report))


class _OfOneModel(TaskContext):
    """Progress of one model among several, all of them together."""

    def __init__(self, context: TaskContext, model: str, number: int, count: int) -> None:
        self._context = context
        self._model = model
        self._number = number
        self._count = count

    def report(self, done: int, total: int, note: str = "") -> None:
        note = f"{self._model}: {note}" if self._count > 1 else note
        self._context.report(self._number * total + done, self._count * total, note)

    def raise_if_cancelled(self) -> None:
        self._context.raise_if_cancelled()
