"""Measure a model on a COCO file with pycocotools."""

import contextlib
import io
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from maskstudio.annotation.detections import Detections, Predictor
from maskstudio.annotation.masks import Rle, place, sample_roi_mask
from maskstudio.errors import UserError
from maskstudio.formats.coco_reader import CocoFile, segmentation_to_rle
from maskstudio.formats.coco_writing import raster_area, raster_box_xywh
from maskstudio.mask_rcnn.coco_dataset import read_listed_image
from maskstudio.progress import TaskContext

MAX_DETECTIONS = 500
"""Detections counted in one image; COCO's own 100 is less than many images of cells hold."""


def evaluate(
    predictor: Predictor, coco: CocoFile, images_dir: Path, context: TaskContext
) -> dict[str, Any]:
    """Predict every image and compare.

    Categories are matched by name.

    Returns:
        `box` and (for Mask R-CNN) `mask`, each with AP, AP50, AP75, small, medium, large and
        `per_category`; `images`; `seconds_per_image` (prediction alone, median).

    Raises:
        UserError: the file has annotations of a category that the model does not know, or an image
            cannot be read or has another size than the file says.
        CancelledError: the person asked to stop.
    """
    category_ids = {category.name: category.id for category in coco.categories}
    results: list[dict[str, Any]] = []
    seconds: list[float] = []
    masks = True
    for number, image in enumerate(coco.images.values()):
        context.report(number, len(coco.images), image.file_name)
        pixels = read_listed_image(coco, image, images_dir)
        started = time.perf_counter()
        detections = predictor.predict(pixels, context)
        seconds.append(time.perf_counter() - started)
        _check_categories(coco, detections)
        masks = detections.roi_masks is not None
        results += results_of(image.id, detections, category_ids)
    context.report(len(coco.images), len(coco.images), "comparing")
    if not seconds:
        raise UserError(f"{coco.path} lists no image to evaluate on.")
    truth = ground_truth(coco)
    report: dict[str, Any] = {
        kind: score(truth, results, kind) for kind in ("box", "mask")[: 1 + masks]
    }
    return report | {
        "images": len(seconds),
        "max_detections": MAX_DETECTIONS,
        "seconds_per_image": float(np.median(seconds)),
        "device": predictor.device_name,
    }


def ground_truth(coco: CocoFile) -> COCO:
    """Return a COCO file for pycocotools, every segmentation as RLE."""
    annotations: list[dict[str, Any]] = []
    for image in coco.images.values():
        for annotation in coco.annotations[image.id]:
            if annotation.segmentation is None:
                continue
            rle = segmentation_to_rle(annotation.segmentation, image.height, image.width)
            known = min(annotation.bbox_xywh[2:]) > 0
            annotations.append(
                {
                    # pycocotools takes id 0 for «no match», whatever the file says.
                    "id": len(annotations) + 1,
                    "image_id": image.id,
                    "category_id": annotation.category_id,
                    "segmentation": rle,
                    "area": raster_area(rle),
                    "bbox": list(annotation.bbox_xywh if known else raster_box_xywh(rle)),
                    "iscrowd": int(annotation.iscrowd),
                }
            )
    truth = COCO()
    truth.dataset = {
        "images": [
            {"id": i.id, "height": i.height, "width": i.width} for i in coco.images.values()
        ],
        "annotations": annotations,
        "categories": [{"id": c.id, "name": c.name} for c in coco.categories],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
    return truth


def score(truth: COCO, results: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Compare results with the truth.

    Args:
        truth: what `ground_truth` gave.
        results: COCO results with `bbox` (xywh) and, for `mask`, `segmentation` (RLE).
        kind: `box` or `mask`.

    Returns:
        AP (0.50:0.95), AP50, AP75, small, medium, large, and `per_category` by name; nan where
        there is nothing to measure.
    """
    return averages(precisions(truth, results, kind), category_names(truth))


def averages(precision: NDArray[np.float64], names: Sequence[str]) -> dict[str, Any]:
    """Return what `score` says of what `precisions` gave for categories of these names."""
    return {
        "AP": _mean(precision[..., 0]),
        "AP50": _mean(precision[0, ..., 0]),
        "AP75": _mean(precision[5, ..., 0]),
        "small": _mean(precision[..., 1]),
        "medium": _mean(precision[..., 2]),
        "large": _mean(precision[..., 3]),
        "per_category": {name: _mean(precision[:, :, n, 0]) for n, name in enumerate(names)},
    }


def category_names(truth: COCO) -> list[str]:
    """Return the names of the categories in their order in the file."""
    return [str(category["name"]) for category in truth.dataset["categories"]]


def precisions(truth: COCO, results: list[dict[str, Any]], kind: str) -> NDArray[np.float64]:
    """Return pycocotools' precision, -1 where nothing is; see `score`.

    Returns:
        (10 IoU thresholds 0.50 to 0.95, 101 recalls 0 to 1, categories in the order of the truth, 4
        sizes: all, small, medium, large).
    """
    found = COCO()
    found.dataset = {
        "images": truth.dataset["images"],
        "categories": truth.dataset["categories"],
        "annotations": [
            {**r, "id": n + 1, "iscrowd": 0, "area": _result_area(r, kind)}
            for n, r in enumerate(results)
        ],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        found.createIndex()
        run = COCOeval(truth, found, {"box": "bbox", "mask": "segm"}[kind])
        run.params.maxDets = [1, 10, MAX_DETECTIONS]
        run.evaluate()
        run.accumulate()
    ids = [category["id"] for category in truth.dataset["categories"]]
    order = [list(run.params.catIds).index(i) for i in ids]
    return np.asarray(run.eval["precision"][..., -1][:, :, order], np.float64)


def _check_categories(coco: CocoFile, detections: Detections) -> None:
    used = {a.category_id for annotations in coco.annotations.values() for a in annotations}
    known = {category.name for category in detections.categories}
    unknown = [c.name for c in coco.categories if c.id in used and c.name not in known]
    if unknown:
        raise UserError(
            f"{coco.path} has annotations of {', '.join(unknown)}, which {detections.model_id} "
            "does not know; take a model trained for it."
        )


def results_of(
    image_id: int, detections: Detections, category_ids: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Return the best detections of an image, at most `MAX_DETECTIONS`, as results for `score`.

    Args:
        image_id: the image.
        detections: what was found on it.
        category_ids: name of a model's category to the truth's; those of no other are left out.
    """
    results = []
    for index in range(min(len(detections), MAX_DETECTIONS)):
        name = detections.categories[detections.labels[index]].name
        if name not in category_ids:
            continue
        x0, y0, x1, y1 = detections.box(index)
        result: dict[str, Any] = {
            "image_id": image_id,
            "category_id": category_ids[name],
            "score": float(detections.scores[index]),
            "bbox": [x0, y0, x1 - x0, y1 - y0],
        }
        if detections.roi_masks is not None:
            result["segmentation"] = detection_rle(detections, index)
        results.append(result)
    return results


def detection_rle(detections: Detections, index: int) -> Rle:
    """Return the mask of one detection, sampled exactly, before any tracing."""
    if detections.roi_masks is None:
        raise AssertionError("Faster R-CNN has no masks")
    height, width = detections.size
    sampled, left, top = sample_roi_mask(
        detections.roi_masks[index], detections.box(index), height, width
    )
    return place(sampled >= 0.5 * 255, left, top, height, width)


def _mean(precision: NDArray[np.float64]) -> float:
    known = precision[precision > -1]
    return float(known.mean()) if len(known) else float("nan")


def _result_area(result: dict[str, Any], kind: str) -> float:
    if kind == "mask":
        return raster_area(result["segmentation"])
    return float(result["bbox"][2] * result["bbox"][3])
