"""How far what a predictor finds in shorter numbers is from what it finds in float32."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from maskstudio.annotation.detections import Detections
from maskstudio.annotation.masks import mask_iou
from maskstudio.formats.coco_reader import read_coco
from maskstudio.progress import TaskContext
from maskstudio.storage.images import read_image

if TYPE_CHECKING:
    from maskstudio.mask_rcnn.predictor import MaskRCNNPredictor

BOX_IOU, MASK_IOU, AP_OFF = 0.98, 0.97, 0.002
"""How near they are to be: mean IoU of matched detections, and difference in mask AP."""

_QUIET = TaskContext()
_SEEN_SCORE = 0.5


def measure_agreement(
    usual: "MaskRCNNPredictor", exact: "MaskRCNNPredictor", pictures: list[Path]
) -> dict[str, Any]:
    """Compare what a predictor finds with what it finds in float32.

    A detection of score over 0.5 is matched with the one of its category that overlaps it most.
    """
    boxes: list[float] = []
    masks: list[float] = []
    lost = 0
    for picture in pictures:
        image = read_image(picture)
        pairs, alone = _compare(exact.predict(image, _QUIET), usual.predict(image, _QUIET))
        boxes += [box for box, _ in pairs]
        masks += [mask for _, mask in pairs]
        lost += alone
    return {
        "precision": usual.facts().precision,
        "pictures": len(pictures),
        "matched": len(boxes),
        "not_matched": lost,
        "box_iou": _figures(boxes, BOX_IOU),
        "mask_iou": _figures(masks, MASK_IOU),
    }


def _compare(expected: Detections, found: Detections) -> tuple[list[tuple[float, float]], int]:
    from torch import from_numpy
    from torchvision.ops import box_iou

    from maskstudio.mask_rcnn.evaluator import detection_rle

    overlap = box_iou(from_numpy(expected.boxes.copy()), from_numpy(found.boxes.copy())).numpy()
    overlap[expected.labels[:, None] != found.labels[None]] = 0
    pairs, lost = [], 0
    for index in np.flatnonzero(expected.scores > _SEEN_SCORE):
        partner = int(overlap[index].argmax())
        if overlap[index, partner] < 0.5:
            lost += 1
            continue
        masks = detection_rle(expected, int(index)), detection_rle(found, partner)
        pairs.append((float(overlap[index, partner]), mask_iou(*masks)))
    return pairs, lost


def _figures(values: list[float], bound: float) -> dict[str, float]:
    array = np.array(values)
    return {
        "mean": float(array.mean()),
        "first_percent": float(np.percentile(array, 1)),
        "least": float(array.min()),
        "below_bound": int((array < bound).sum()),
    }


def measure_ap(
    usual: "MaskRCNNPredictor", exact: "MaskRCNNPredictor", data: Path
) -> dict[str, float]:
    """Return the mask AP with and without shorter numbers."""
    from maskstudio.mask_rcnn.evaluator import evaluate

    coco = read_coco(data / "val.json")
    return {
        name: float(evaluate(predictor, coco, data / "images", _QUIET)["mask"]["AP"])
        for name, predictor in (("usual", usual), ("float32", exact))
    }


def print_agreement(agreement: dict[str, Any]) -> None:
    """Print the second table."""
    print(f"\n{'agreement with float32':24}{'matched':>9}{'lost':>6}", end="")
    print(
        f"{'box IoU: mean':>15}{'1 %':>8}{'least':>8}{'mask IoU: mean':>16}{'1 %':>8}{'least':>8}"
    )
    for name in ("embedded", "random"):
        found = agreement[name]
        print(f"{name:24}{found['matched']:>9}{found['not_matched']:>6}", end="")
        for kind, width in (("box_iou", 15), ("mask_iou", 16)):
            figures = found[kind]
            print(f"{figures['mean']:>{width}.4f}{figures['first_percent']:>8.4f}", end="")
            print(f"{figures['least']:>8.4f}", end="")
        print(f"  {found['precision']}")
    if "ap" in agreement:
        print(f"mask AP {agreement['ap']['usual']:.4f}, float32 {agreement['ap']['float32']:.4f}")
