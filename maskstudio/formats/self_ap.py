"""Evaluate annotations against themselves: what pycocotools does not know again, nobody will."""

import contextlib
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from maskstudio.annotation.masks import Rle
from maskstudio.formats.coco_lines import Entry

PERFECT = 1 - 1e-9
"""An AP that is 1: COCOeval adds an epsilon to the denominator of precision."""

OfCategory = tuple[float, int]
"""Mean precision over all thresholds of IoU and of recall, and of how many annotations."""

# COCOeval goes over every pair of a group in Python: a thousand annotations on an image would take
# seconds and megabytes, and a single one takes as long as ten together. The quickest by trial.
_AT_ONCE = 16

_PIECE = 10_000


def self_ap(coco: COCO, entries: Sequence[Entry]) -> float | None:
    """Return the AP (0.50:0.95) of annotations as detections of themselves; None without any.

    Args:
        coco: the file they stand in.
        entries: annotations that pycocotools can read, of different ids.
    """
    starts = range(0, len(entries), _PIECE)
    return average(self_precision(coco, entries[start : start + _PIECE]) for start in starts)


def average(pieces: Iterable[Mapping[int, OfCategory]]) -> float | None:
    """Return the AP of what was evaluated in pieces: the mean over the categories."""
    gathered: defaultdict[int, list[OfCategory]] = defaultdict(list)
    for piece in pieces:
        for category_id, found in piece.items():
            gathered[category_id].append(found)
    if not gathered:
        return None
    means = []
    for of_pieces in gathered.values():
        precisions, counts = zip(*of_pieces, strict=True)
        means.append(np.average(precisions, weights=counts))
    return float(np.mean(means))


def self_precision(coco: COCO, entries: Sequence[Entry]) -> dict[int, OfCategory]:
    """Return for each category how well annotations do as detections of themselves.

    Args:
        coco: the file they stand in.
        entries: annotations that pycocotools can read, of different ids.
    """
    truth = COCO()
    dealt: Any = _dealt_out(coco, entries)
    truth.dataset = dealt
    # A crowd is truth that nothing has to match; as a detection it could take what is another's.
    detections = [entry for entry in dealt["annotations"] if not entry["iscrowd"]]
    if not detections:
        return {}
    asked = ("image_id", "category_id", "segmentation", "bbox")
    results = [{key: entry[key] for key in asked} | {"score": 1.0} for entry in detections]
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results), "segm")
        evaluation.params.maxDets = [_AT_ONCE]
        evaluation.params.areaRng = evaluation.params.areaRng[:1]  # all sizes
        # What finds its like at the strictest threshold of IoU finds the same at all: the best
        # match is taken first. So the other nine are asked only where something does not.
        every, evaluation.params.iouThrs = evaluation.params.iouThrs, evaluation.params.iouThrs[-1:]
        precision = _precision(evaluation)
        if precision[precision > -1].min(initial=1) < PERFECT:
            evaluation.params.iouThrs = every
            precision = _precision(evaluation)
    counts = Counter(entry["category_id"] for entry in detections)
    return {
        category_id: (float(precision[:, :, place].mean()), counts[category_id])
        for place, category_id in enumerate(evaluation.params.catIds)
        if counts[category_id]
    }


def _precision(evaluation: COCOeval) -> NDArray[np.float64]:
    """Return the precision: thresholds of IoU, of recall, categories, sizes, detections at most.

    Of a category that has crowds alone it is -1.
    """
    evaluation.evaluate()
    evaluation.accumulate()
    # Not summarize(): it knows no other number of detections than 100.
    return np.asarray(evaluation.eval["precision"], np.float64)


def mask_of(coco: COCO, entry: Entry) -> Rle:
    """Return the mask of an entry by pycocotools, and let the entry keep that in place of rings."""
    anything: Any = entry  # the stubs of pycocotools take its own type only
    read: Rle = coco.annToRLE(anything)
    entry["segmentation"] = read
    return read


def _dealt_out(coco: COCO, entries: Sequence[Entry]) -> dict[str, list[Any]]:
    """Deal annotations out to images so that each has a few of each category.

    A detection that equals its annotation matches it, whatever else stands on the image: nothing
    has a higher IoU, and masks of images of different sizes have none. So as long as the two stay
    together the AP is what it is on their own images.
    """
    seen: Counter[int] = Counter()
    annotations = []
    for entry in entries:
        category_id = entry["category_id"]
        image_id = seen[category_id] // _AT_ONCE + 1
        seen[category_id] += 1
        # With a box it need not work one out of each mask; masks are what is compared.
        kept = {key: entry[key] for key in ("id", "category_id", "area", "bbox", "iscrowd")}
        annotations.append(kept | {"image_id": image_id, "segmentation": mask_of(coco, entry)})
    groups = -(-max(seen.values(), default=0) // _AT_ONCE)
    # The masks bring their own sizes.
    images = [{"id": number + 1, "height": 1, "width": 1} for number in range(groups)]
    categories = [category for key, category in coco.cats.items() if seen[key]]
    return {"images": images, "annotations": annotations, "categories": categories}
