"""How far a model is in doubt about a whole image: what a person's answer would teach it.

The usual measures of active learning, each between 0 and 1 for an instance: its score near the
threshold (least confidence), a second category nearly as likely at the same place (margin), a mask
without a clear edge (entropy of the RoI mask). See Settles, «Active Learning Literature Survey»
(2009), section 3.1; and Elezi et al. (CVPR 2022) for what a mirrored image tells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from maskstudio.annotation.detection_filter import DetectionFilter, overlapping
from maskstudio.annotation.detections import Detections
from maskstudio.later import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A score this far from the threshold is decided.
_DECIDED = 0.35
# Two boxes of two categories that overlap so far are of one object; the model's own suppression
# looks at each category alone.
_SAME_OBJECT_IOU = 0.6
# Of two categories whose scores differ by more, one is decided.
_CLOSE = 0.3
# The band in which a mask is in doubt, in cells of the RoI mask. Of the outlines the embedded model
# shows on its validation images half have one narrower than 3 cells, 19 of 20 than 6.
_SHARP_CELLS, _WIDE_CELLS = 3.0, 6.0
# From so much doubt on an instance is counted where words say how many.
_COUNTED = 0.5
# Found in the mirrored image again: the boxes overlap by so much.
_FOUND_AGAIN_IOU = 0.5


@dataclass(frozen=True)
class ImageDoubt:
    """What a model doubts on one image.

    Attributes:
        found: instances that are sure enough to be shown.
        near: instances whose score is near the threshold, on either side.
        close: instances that are nearly as likely of another category.
        unclear: instances whose mask has no clear edge.
        amount: the sum over all instances of what is doubted most of each, 0 or more.
        unsteady: instances found in the image or in its mirror image and not in both; None where
            nobody looked.
    """

    found: int = 0
    near: int = 0
    close: int = 0
    unclear: int = 0
    amount: float = 0.0
    unsteady: int | None = None

    @property
    def weight(self) -> float:
        """All of it in one figure, 0 or more."""
        return self.amount + (self.unsteady or 0)


def doubt_of(detections: Detections, shown: DetectionFilter) -> ImageDoubt:
    """Measure what a model doubts on an image.

    Args:
        detections: all it found, from a low score on.
        shown: what of it is shown: its scores are the thresholds.
    """
    if not len(detections):
        return ImageDoubt()
    lowest = shown.lowest_scores([category.name for category in detections.categories])
    lowest = lowest[detections.labels]
    away = np.abs(detections.scores - lowest)
    near = np.clip(1 - away / _DECIDED, 0, 1)
    # What is nowhere near being shown matters to nobody, whatever else is doubtful of it.
    counts = detections.scores >= lowest - _DECIDED
    close = np.where(counts, _closeness(detections), 0)
    certain = detections.scores >= lowest
    unclear = np.where(certain, _unclearness(detections.roi_masks, shown.mask_threshold), 0)
    most = np.maximum(np.maximum(near, close), unclear)
    return ImageDoubt(
        int(certain.sum()),
        _count(near),
        _count(close),
        _count(unclear),
        float(most.sum()),
    )


def with_mirrored(
    doubt: ImageDoubt, found: Detections, mirrored: Detections, shown: DetectionFilter
) -> ImageDoubt:
    """Add what a look at the mirror image tells.

    Args:
        doubt: of the image.
        found: what was found in it.
        mirrored: what was found in its mirror image, left to right, in pixels of that.
        shown: what of either is shown.
    """
    width = found.size[1]
    boxes = mirrored.mask_boxes[:, [2, 1, 0, 3]].copy()
    boxes[:, [0, 2]] = width - boxes[:, [0, 2]]
    lost = _not_again(found, found.mask_boxes, mirrored, boxes, shown)
    new = _not_again(mirrored, boxes, found, found.mask_boxes, shown)
    return replace(doubt, unsteady=lost + new)


def _count(doubts: NDArray[np.floating]) -> int:
    return int((doubts >= _COUNTED).sum())


def _closeness(detections: Detections) -> NDArray[np.float64]:
    """Return for each instance how close the next likely category is, 0 to 1."""
    found = np.zeros(len(detections))
    pairs = detections.overlaps
    same = (pairs.iou >= _SAME_OBJECT_IOU) & (
        detections.labels[pairs.better] != detections.labels[pairs.worse]
    )
    better, worse = pairs.better[same], pairs.worse[same]
    margin = detections.scores[better] - detections.scores[worse]
    np.maximum.at(found, better, np.clip(1 - margin / _CLOSE, 0, 1))
    return found


def _unclearness(
    roi_masks: NDArray[np.uint8] | None, threshold: float
) -> NDArray[np.float64] | float:
    """Return for each instance how wide the doubtful band along its edge is, 0 to 1.

    The entropy of the cells is shared out along an edge as long as that of a disc of the mask's
    area: a cell that is inside as likely as outside has an entropy of 1 bit.
    """
    if roi_masks is None:
        return 0.0
    probability = np.clip(roi_masks.astype(np.float32) / 255, 1e-4, 1 - 1e-4)
    entropy = -(
        probability * np.log2(probability) + (1 - probability) * np.log2(1 - probability)
    ).sum(axis=(1, 2))
    area = np.maximum((roi_masks >= threshold * 255).sum(axis=(1, 2)), 1)
    band = entropy / (2 * np.sqrt(np.pi * area))
    return np.asarray(np.clip((band - _SHARP_CELLS) / (_WIDE_CELLS - _SHARP_CELLS), 0, 1))


def _not_again(
    found: Detections,
    boxes: NDArray[np.float64],
    others: Detections,
    other_boxes: NDArray[np.float64],
    shown: DetectionFilter,
) -> int:
    """Count what is shown of one and not found among all of the others."""
    lowest = shown.lowest_scores([category.name for category in found.categories])
    wanted = found.scores >= lowest[found.labels]
    first, second, iou = overlapping(boxes, other_boxes)
    # Near the threshold the same object may be shown in one and not in the other: that is counted
    # as a doubtful score already.
    near = others.scores[second] >= lowest[others.labels[second]] - _DECIDED
    again = (iou >= _FOUND_AGAIN_IOU) & (found.labels[first] == others.labels[second]) & near
    wanted[first[again]] = False
    return int(wanted.sum())
