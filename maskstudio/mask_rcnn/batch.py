"""Predict many files without a window: a COCO file and, if wanted, painted overlays."""

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from maskstudio.annotation.annotation import Annotation, Category, Dataset, ImageRecord
from maskstudio.annotation.detections import Detections, Predictor, outline, pre_annotation
from maskstudio.annotation.overlay import blended, render
from maskstudio.annotation.overlay_request import OverlayRequest, colour_rgb
from maskstudio.annotation.tile_run import find_instances
from maskstudio.annotation.tiling import AUTOMATIC, MANY_TILES, Tiling
from maskstudio.errors import UserError
from maskstudio.formats.coco import write_coco
from maskstudio.progress import TaskContext
from maskstudio.storage.files import replaced_file, why
from maskstudio.storage.image_source import open_source
from maskstudio.storage.images import read_image

_FILL = 0.3


@dataclass
class Results:
    """What was found on many images.

    Attributes:
        categories: the model's.
        images: those that could be read.
        annotations: image id to its pre-annotations.
        failed: a sentence for each image that could not be predicted.
    """

    categories: tuple[Category, ...] = ()
    images: list[ImageRecord] = field(default_factory=list)
    annotations: dict[int, tuple[Annotation, ...]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


def predict_files(
    predictor: Predictor,
    folder: Path,
    names: Sequence[str],
    score: float,
    context: TaskContext,
    tiling: Tiling = AUTOMATIC,
) -> Results:
    """Predict images one after the other; what fails is noted and the rest goes on.

    Args:
        predictor: the model.
        folder: what the names are relative to.
        names: POSIX paths.
        score: lowest score to keep.
        context: hears of each image through `produce` of one line, and of one more before an image
            is looked at in many tiles.
        tiling: whether images are looked at in tiles.

    Raises:
        CancelledError: the person asked to stop.
    """
    results = Results()
    ids = itertools.count(1)
    for number, name in enumerate(names, start=1):
        context.report(number - 1, len(names), name)
        started = time.perf_counter()
        try:
            of_image = _OfOneImage(context, number - 1, len(names), name)
            with open_source(folder / name, context) as source:
                detections = find_instances(predictor, source, tiling, of_image)
            found = _annotations(detections, score, ids, context)
        except UserError as error:
            sentence = str(error) if name in str(error) else f"{name}: {error}"
            results.failed.append(sentence)
            context.produce(sentence)
            continue
        results.categories = detections.categories
        results.images.append(ImageRecord(number, name, *detections.size))
        results.annotations[number] = found
        seconds = time.perf_counter() - started
        context.produce(f"{name}: {len(found)} annotations, {seconds:.2f} s")
    context.report(len(names), len(names), "")
    return results


class _OfOneImage(TaskContext):
    """Tells of the tiles of one image among many."""

    def __init__(self, context: TaskContext, done: int, total: int, name: str) -> None:
        self._context = context
        self._images = done, total
        self._name = name
        self._told = False

    def report(self, done: int, total: int, note: str = "") -> None:
        del done
        if not self._told and total >= MANY_TILES:
            self._told = True
            self._context.produce(f"{self._name}: {total:,} tiles")
        self._context.report(*self._images, f"{self._name}, {note}")

    def raise_if_cancelled(self) -> None:
        self._context.raise_if_cancelled()


def _annotations(
    detections: Detections, score: float, ids: Iterator[int], context: TaskContext
) -> tuple[Annotation, ...]:
    """Return what reaches a score, of the model's own categories; the best lies in front."""
    wanted = np.flatnonzero(detections.scores >= score)[::-1].tolist()
    outlines = outline(detections, context, wanted=wanted).outlines
    return tuple(
        pre_annotation(
            detections, index, traced, detections.categories[detections.labels[index]].id, next(ids)
        )
        for index, traced in outlines.items()
        if traced is not None or detections.roi_masks is None
    )


def write_results(results: Results, output: Path, context: TaskContext) -> None:
    """Write what was found as a COCO file; every annotation carries its score.

    Raises:
        UserError: the file cannot be written.
    """
    dataset = Dataset(results.categories, tuple(results.images), results.annotations)
    with replaced_file(output) as beside, beside.open("wb") as file:
        write_coco(dataset, file, context=context)


def write_overlays(results: Results, folder: Path, output: Path) -> None:
    """Paint the outlines over the images, one PNG each, in folders like those of the images.

    A PNG keeps its name, `a.jpg` becomes `a.jpg.png`: beside it there may be an `a.png`.

    Args:
        results: what was found.
        folder: what the images' paths are relative to.
        output: the folder to write to; made if need be.

    Raises:
        UserError: a file cannot be written, or would replace one of the images.
    """
    sources = {(folder / record.path).resolve() for record in results.images}
    colours = {c.id: colour_rgb(c.shown_colour) for c in results.categories}
    for record in results.images:
        image = read_image(folder / record.path)
        request = OverlayRequest(
            {a.id: a for a in results.annotations[record.id]},
            colours,
            scale=1,
            left=0,
            top=0,
            size=(record.height, record.width),
            fill=_FILL,
            line=1,
        )
        path = output / record.path
        if path.suffix != ".png":
            path = path.with_name(f"{path.name}.png")
        if path.resolve() in sources:
            raise UserError(f"{path} would be painted over; choose another folder for overlays.")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"{path.parent} cannot be made: {why(error)}.") from error
        painted = blended(image, render(request, TaskContext()))
        with replaced_file(path) as beside:
            beside.write_bytes(cv2.imencode(".png", painted[:, :, ::-1])[1].tobytes())
