"""Figures amid a training run, on a bounded number of images, and a few of them to look at."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from maskstudio.annotation.detections import Detections, Predictor, outline_of
from maskstudio.annotation.masks import decode, simplify_traced, trace
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.formats.coco_reader import CocoFile, CocoImage, segmentation_to_rle
from maskstudio.mask_rcnn.architectures import build
from maskstudio.mask_rcnn.coco_dataset import read_listed_image
from maskstudio.mask_rcnn.device import Device
from maskstudio.mask_rcnn.evaluator import evaluate
from maskstudio.mask_rcnn.model_file import ModelInfo
from maskstudio.mask_rcnn.predictor import MaskRCNNPredictor
from maskstudio.progress import TaskContext
from maskstudio.storage.training_events import Outline, Part, Ring, Sample, Validation

MOST_IMAGES = 40
"""On which a run is measured meanwhile; at its end it is on all."""

_SAMPLES, _MOST_OUTLINES, _SHOWN_SCORE = 3, 60, 0.5
_MASK_THRESHOLD = 0.5


class _Quiet(TaskContext):
    """Passes on whether to stop, and no progress."""

    def __init__(self, context: TaskContext) -> None:
        self.raise_if_cancelled = context.raise_if_cancelled  # type: ignore[method-assign]


class Validator:
    """Measures a network while it is trained."""

    def __init__(self, info: ModelInfo, coco: CocoFile, images_dir: Path, device: Device) -> None:
        """Choose the images; the same are chosen every time.

        Args:
            info: of the model that is trained.
            coco: what it is measured on.
            images_dir: folder that its file names are relative to.
            device: where to run.
        """
        self._info = info
        self._whole = coco
        self._images_dir = images_dir
        self._device = device
        ids = list(coco.images)
        places = np.linspace(0, len(ids) - 1, min(len(ids), MOST_IMAGES)).round().astype(int)
        self._few = _only(coco, [ids[place] for place in places])
        self._truth: dict[int, tuple[Outline, ...]] = {}

    def measure(
        self, weights: Mapping[str, Tensor], iteration: int, best: float, context: TaskContext
    ) -> tuple[Validation, list[Sample]]:
        """Measure weights on some of the images.

        Args:
            weights: of the whole network.
            iteration: steps made so far.
            best: the best figure so far.
            context: asked whether to stop.

        Raises:
            UserError: an image cannot be read.
            CancelledError: the person asked to stop.
        """
        predictor = self._predictor(weights)
        figures = without_nan(evaluate(predictor, self._few, self._images_dir, _Quiet(context)))
        box, mask = _averages(figures["box"]), None
        if "mask" in figures:
            mask = _averages(figures["mask"])
        told = Validation(iteration, box, mask, best=False)
        shown = list(self._few.images.values())[:_SAMPLES]
        samples = [self._sample(predictor, image, iteration, context) for image in shown]
        return replace(told, best=figure_of(told) > best), samples

    def evaluate(self, weights: Mapping[str, Tensor], context: TaskContext) -> dict[str, Any]:
        """Measure weights on all images; see `evaluator.evaluate`.

        Raises:
            UserError: an image cannot be read.
            CancelledError: the person asked to stop.
        """
        predictor = self._predictor(weights)
        told: dict[str, Any] = without_nan(
            evaluate(predictor, self._whole, self._images_dir, context)
        )
        return told

    def _predictor(self, weights: Mapping[str, Tensor]) -> MaskRCNNPredictor:
        model = build(self._info.architecture, len(self._info.categories))
        model.load_state_dict(weights)
        return MaskRCNNPredictor(self._info, model.eval(), self._device)

    def _sample(
        self, predictor: Predictor, image: CocoImage, iteration: int, context: TaskContext
    ) -> Sample:
        pixels = read_listed_image(self._few, image, self._images_dir)
        if image.id not in self._truth:
            self._truth[image.id] = _truth(self._few, image)
        return Sample(
            iteration,
            str((self._images_dir / image.file_name).absolute()),
            image.height,
            image.width,
            self._truth[image.id],
            _found(predictor.predict(pixels, context)),
        )


def figure_of(validation: Validation) -> float:
    """Return what tells which of two is better: the AP of masks, or of boxes without masks."""
    return (validation.mask or validation.box)["AP"]


def without_nan(value: Any) -> Any:
    """Return figures with None for what could not be measured: JSON knows no nan."""
    if isinstance(value, dict):
        return {key: without_nan(one) for key, one in value.items()}
    return None if isinstance(value, float) and np.isnan(value) else value


def _averages(figures: Mapping[str, Any]) -> dict[str, float]:
    # Nothing to measure, where no image holds anything, is as good as nothing found.
    return {name: float(figures[name] or 0.0) for name in ("AP", "AP50", "AP75")}


def _only(coco: CocoFile, ids: list[int]) -> CocoFile:
    return CocoFile(
        coco.path,
        {image_id: coco.images[image_id] for image_id in ids},
        {image_id: coco.annotations[image_id] for image_id in ids},
        coco.categories,
    )


def _truth(coco: CocoFile, image: CocoImage) -> tuple[Outline, ...]:
    names = {category.id: category.name for category in coco.categories}
    drawn = []
    for annotation in coco.annotations[image.id][:_MOST_OUTLINES]:
        if annotation.segmentation is None:
            continue
        rle = segmentation_to_rle(annotation.segmentation, image.height, image.width)
        traced = trace(decode(rle))
        if traced is not None:
            outline = simplify_traced(traced, image.height, image.width)
            drawn.append(Outline(names[annotation.category_id], 1.0, _parts(outline)))
    return tuple(drawn)


def _found(detections: Detections) -> tuple[Outline, ...]:
    drawn = []
    for index in range(min(len(detections), _MOST_OUTLINES)):
        score = float(detections.scores[index])
        outline = outline_of(detections, index, _MASK_THRESHOLD) if score >= _SHOWN_SCORE else None
        if outline is not None:
            name = detections.categories[detections.labels[index]].name
            drawn.append(Outline(name, round(score, 3), _parts(outline)))
    return tuple(drawn)


def _parts(outline: Segmentation) -> tuple[Part, ...]:
    return tuple(tuple(_ring(ring) for ring in part.rings()) for part in outline.parts)


def _ring(ring: Any) -> Ring:
    return tuple((round(float(x), 1), round(float(y), 1)) for x, y in ring)
