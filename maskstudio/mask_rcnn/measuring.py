"""Measure a model as a person would feel it: figures, confusion, and what is left to do."""

import hashlib
import json
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from maskstudio.annotation.category_map import IGNORED
from maskstudio.annotation.confusion import Shapes, confusions, ious
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.detections import Detections, Predictor
from maskstudio.annotation.effort import (
    IN_CROWD,
    Effort,
    Instance,
    Truth,
    covers_pixels,
    effort,
)
from maskstudio.annotation.evaluation import (
    ALL,
    CURVE_IOUS,
    Confusion,
    Curve,
    Figures,
    ModelFigures,
    Report,
)
from maskstudio.annotation.prompted import box_prompt
from maskstudio.annotation.refiltering import chosen
from maskstudio.annotation.tile_run import find_instances
from maskstudio.annotation.tiling import PixelBox, TileChoice, Tiling
from maskstudio.errors import UserError
from maskstudio.formats.coco_reader import CocoFile
from maskstudio.mask_rcnn.coco_dataset import read_listed_image
from maskstudio.mask_rcnn.evaluator import (
    MAX_DETECTIONS,
    averages,
    category_names,
    detection_rle,
    ground_truth,
    precisions,
    results_of,
)
from maskstudio.progress import Quiet, TaskContext

SHOWN = DetectionFilter()
"""What a person is shown of a model as long as she moves no slider."""

WHOLE = Tiling(TileChoice.NEVER)
"""As the figures of the field are measured."""

_FIRST_IOU, _IOU_STEP = 0.5, 0.05  # pycocotools' own thresholds
_DIGITS = 4


@dataclass(frozen=True, eq=False)
class Yardstick:
    """Images with all that stands on them; the same for every model that is measured on them.

    Attributes:
        coco: what stands there.
        folder: that the file names of the images are relative to.
    """

    coco: CocoFile
    folder: Path

    @cached_property
    def truth(self) -> COCO:
        """The same for pycocotools."""
        return ground_truth(self.coco)

    @cached_property
    def truths(self) -> Mapping[int, Truth]:
        """The same as objects, by image id."""
        names = {category.id: category.name for category in self.coco.categories}
        return {
            image_id: Truth(
                tuple(
                    Instance(names[a["category_id"]], a["segmentation"], bool(a["iscrowd"]))
                    for a in self.truth.imgToAnns[image_id]
                )
            )
            for image_id in self.coco.images
        }

    @cached_property
    def sha256(self) -> str:
        """Hash of the images' names and of all objects, whatever their ids and order."""
        files = sorted(
            [
                image.file_name,
                image.height,
                image.width,
                sorted(
                    (one.category, one.mask["counts"].decode("ascii"), one.crowd)
                    for one in self.truths[image.id].instances
                ),
            ]
            for image in self.coco.images.values()
        )
        return hashlib.sha256(json.dumps(files).encode("ascii")).hexdigest()

    def report(self, data: str, models: tuple[ModelFigures, ...]) -> Report:
        """Return the figures of models with what they were measured on, in words."""
        objects = sum(len(truth.wanted) for truth in self.truths.values())
        images = len(self.coco.images)
        return Report(data, self.sha256, images, objects, SHOWN.min_score, MAX_DETECTIONS, models)


def measure(
    predictor: Predictor,
    yardstick: Yardstick,
    context: TaskContext,
    *,
    names: Mapping[str, str] | None = None,
    tiling: Tiling = WHOLE,
) -> ModelFigures:
    """Predict every image and compare.

    Args:
        predictor: the model.
        yardstick: the images.
        context: told how far it is.
        names: of the model's categories, those of the images that they stand for; what is missing
            stands for that of its own name, and what leads nowhere is left out.
        tiling: whether large images are looked at in tiles; each is looked at whole by default.

    Raises:
        UserError: there is no image, one cannot be read or has another size than was said, or the
            device does not allow it.
        CancelledError: the person asked to stop.
    """
    coco = yardstick.coco
    if not coco.images:
        raise UserError(f"{coco.path} lists no image to evaluate on.")
    work = _Measuring(predictor, yardstick, names or {}, tiling)
    for number, image in enumerate(coco.images.values()):
        context.report(number, len(coco.images), image.file_name)
        work.add(image.id, read_listed_image(coco, image, yardstick.folder), context)
    context.report(len(coco.images), len(coco.images), "comparing")
    return ModelFigures(
        model=predictor.model_id,
        source=predictor.model_id,
        box=figures(yardstick.truth, work.results, "box"),
        mask=figures(yardstick.truth, work.results, "mask") if predictor.draws_outlines else None,
        confusion=Confusion(work.categories, tuple(map(tuple, work.confusions.tolist()))),
        effort=work.effort if predictor.draws_outlines else None,
        images=len(coco.images),
        unknown=work.unknown,
        seconds_per_image=float(np.median(work.seconds)),
        device=predictor.device_name,
        sha256=yardstick.sha256,
    )


def figures(truth: COCO, results: list[dict[str, Any]], kind: str) -> Figures:
    """Compare results with the truth; see `evaluator.score`."""
    precision = precisions(truth, results, kind)
    names = category_names(truth)
    found = averages(precision, names)
    return Figures(
        ap=_known(found["AP"]),
        ap50=_known(found["AP50"]),
        ap75=_known(found["AP75"]),
        small=_known(found["small"]),
        medium=_known(found["medium"]),
        large=_known(found["large"]),
        per_category={name: _known(value) for name, value in found["per_category"].items()},
        curves=tuple(
            curve for iou in CURVE_IOUS for curve in _curves(precision[..., 0], names, iou)
        ),
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _curves(precision: NDArray[np.float64], names: list[str], iou: float) -> Iterator[Curve]:
    """Yield the mean curve and those of the categories that are there.

    Args:
        precision: (10 IoU thresholds, 101, categories), -1 where a category is not there.
        names: of the categories.
        iou: the threshold that is wanted.
    """
    at_iou = precision[round((iou - _FIRST_IOU) / _IOU_STEP)]
    there = [n for n in range(len(names)) if at_iou[0, n] > -1]
    if there:
        yield Curve(ALL, iou, _rounded(at_iou[:, there].mean(axis=1)))
    for n in there:
        yield Curve(names[n], iou, _rounded(at_iou[:, n]))


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    rounded: list[float] = values.round(_DIGITS).tolist()
    return tuple(rounded)


class _Measuring:
    """What was found so far, image by image."""

    def __init__(
        self,
        predictor: Predictor,
        yardstick: Yardstick,
        names: Mapping[str, str],
        tiling: Tiling,
    ) -> None:
        self._predictor = predictor
        self._tiling = tiling
        self._truths = yardstick.truths
        ids = {category.name: category.id for category in yardstick.coco.categories}
        self.categories = tuple(ids)
        self._places = {name: place for place, name in enumerate(self.categories)}
        known = [category.name for category in predictor.categories]
        self._names = {name: names.get(name, name) for name in known}
        self._ids = {name: ids[goal] for name, goal in self._names.items() if goal in ids}
        # To the filter a category is one of ids from 1.
        goals = [self._places.get(self._names[name]) for name in known]
        self._destinations = np.array(
            [IGNORED if goal is None else goal + 1 for goal in goals], np.int64
        )
        asked = {one.category for truth in self._truths.values() for one in truth.wanted}
        met = set(self._names.values())
        self.unknown = tuple(n for n in self.categories if n in asked and n not in met)
        self.results: list[dict[str, Any]] = []
        self.seconds: list[float] = []
        self.effort = Effort()
        side = len(self.categories) + 1
        self.confusions = np.zeros((side, side), np.int64)

    def add(self, image_id: int, pixels: NDArray[np.uint8], context: TaskContext) -> None:
        """Look at one image, and compare what is found on it with what is there."""
        predictor = self._predictor
        started = time.perf_counter()
        # A tile tells nothing of how far the whole is.
        quiet = Quiet(context)
        features = predictor.see(pixels, quiet)
        detections = find_instances(
            predictor,
            _Pixels(pixels),
            self._tiling,
            quiet,
            lambda: predictor.find(features, quiet),
        )
        self.seconds.append(time.perf_counter() - started)
        self.results += results_of(image_id, detections, self._ids)
        truth = self._truths[image_id]
        shown = np.flatnonzero(chosen(detections, SHOWN, self._destinations))
        if predictor.draws_outlines:
            masks = {n: detection_rle(detections, n) for n in shown.tolist()}
            # Of what has no likely pixel a person is shown nothing.
            shown = np.array([n for n, mask in masks.items() if covers_pixels(mask)], np.int64)
            found = [Instance(self._name(detections, n), masks[n]) for n in shown.tolist()]
            boxed = box_prompt(predictor, features, truth, self._names, context)
            self.effort += effort(truth, found, boxed)
            self._count(truth, detections.labels[shown], [one.mask for one in found])
        else:
            self._count(truth, detections.labels[shown], _as_xywh(detections.boxes[shown]))

    def _name(self, detections: Detections, index: int) -> str:
        return self._names[detections.categories[detections.labels[index]].name]

    def _count(self, truth: Truth, labels: NDArray[np.int64], shapes: Shapes) -> None:
        """Count what is shown of an image for the confusion of categories."""
        wanted: Shapes = [one.mask for one in truth.wanted]
        crowds: Shapes = [one.mask for one in truth.crowds]
        if isinstance(shapes, np.ndarray):
            wanted, crowds = (coco_mask.toBbox(masks).reshape(-1, 4) for masks in (wanted, crowds))
        in_crowd = ious(shapes, crowds, crowds=True).max(axis=1, initial=0) >= IN_CROWD
        self.confusions += confusions(
            np.array([self._places[one.category] for one in truth.wanted], np.int64),
            self._destinations[labels] - 1,
            ious(shapes, wanted),
            in_crowd,
            len(self.categories),
        )


class _Pixels:
    """An image in memory, to be looked at in parts; see `tile_run.ImageSource`."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self._pixels = pixels

    @property
    def size(self) -> tuple[int, int]:
        return self._pixels.shape[0], self._pixels.shape[1]

    def window(self, box: PixelBox) -> NDArray[np.uint8]:
        left, top, right, bottom = box
        return self._pixels[top:bottom, left:right]

    def reduced(self, side: int, context: TaskContext) -> tuple[NDArray[np.uint8], int]:
        del side, context
        return self._pixels, 1


def _as_xywh(boxes: NDArray[np.float32]) -> NDArray[np.float64]:
    sides = boxes.astype(np.float64)
    sides[:, 2:] -= sides[:, :2]
    return sides
