"""Which of a model's detections are shown: one frozen value, and what it lets pass.

All of it works on the arrays of what was kept, so that a slider asks neither the model nor the
outlines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maskstudio.annotation.segmentation import Box
from maskstudio.later import np, shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEFAULT_SCORE = 0.5
"""Score from which a detection is shown until the person moves the slider."""

DEFAULT_NMS_IOU = 0.5
"""torchvision's own (`box_nms_thresh`): what it leaves overlaps by no more than this."""

DEFAULT_MASK_THRESHOLD = 0.5
"""A pixel more likely inside than outside belongs to the instance."""


@dataclass(frozen=True)
class DetectionFilter:
    """What of a model's detections is shown, and how large their outlines are drawn.

    Attributes:
        min_score: lowest score, 0 to 1.
        nms_iou: of two of one category whose boxes overlap by more than this (intersection over
            union), the weaker one is left out.
        min_area: in square pixels; see `mask_areas`.
        max_count: so many at most, the best ones; None for any number.
        mask_threshold: probability from which a pixel belongs to an instance.
        category_scores: name of a model's category and its own lowest score, instead of
            `min_score`; sorted, each name once.
    """

    min_score: float = DEFAULT_SCORE
    nms_iou: float = DEFAULT_NMS_IOU
    min_area: float = 0.0
    max_count: int | None = None
    mask_threshold: float = DEFAULT_MASK_THRESHOLD
    category_scores: tuple[tuple[str, float], ...] = ()

    def score_of(self, name: str) -> float:
        """Return the lowest score that one of the model's categories is shown from."""
        return dict(self.category_scores).get(name, self.min_score)

    def lowest_scores(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Return the lowest score for each name, (n,)."""
        own: Mapping[str, float] = dict(self.category_scores)
        return np.array([own.get(name, self.min_score) for name in names], np.float64)


@dataclass(frozen=True, eq=False)
class Overlaps:
    """The pairs of boxes that overlap, in the order of the better one.

    Attributes:
        better: (m,) int64, position of the one that comes first.
        worse: (m,) int64, position of the other.
        iou: (m,) float64, their intersection over union, more than 0.
    """

    better: NDArray[np.int64]
    worse: NDArray[np.int64]
    iou: NDArray[np.float64]


def overlaps(boxes: NDArray[np.floating]) -> Overlaps:
    """Find the pairs that overlap.

    Only those that meet are compared (an STR tree finds them): of thousands of detections few do.

    Args:
        boxes: (n, 4) xyxy, the best first.
    """
    first, second, iou = overlapping(boxes, boxes)
    later = first < second
    first, second, iou = first[later], second[later], iou[later]
    order = np.argsort(first, kind="stable")
    return Overlaps(first[order], second[order], iou[order])


def overlapping(
    boxes: NDArray[np.floating], others: NDArray[np.floating]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return which boxes (n, 4) share area with which others (m, 4), and the IoU of each pair."""
    if not len(boxes) or not len(others):
        none = np.empty(0, np.int64)
        return none, none, np.empty(0)
    a, b = np.asarray(boxes, np.float64), np.asarray(others, np.float64)
    first, second = shapely.STRtree(np.asarray(shapely.box(*b.T))).query(shapely.box(*a.T))
    a, b = a[first], b[second]
    sides = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    common = np.prod(np.maximum(sides, 0), axis=1)
    union = np.prod(a[:, 2:] - a[:, :2], axis=1) + np.prod(b[:, 2:] - b[:, :2], axis=1) - common
    found = common > 0
    return first[found], second[found], common[found] / union[found]


def passing(
    shown: DetectionFilter,
    scores: NDArray[np.floating],
    lowest: NDArray[np.floating],
    areas: NDArray[np.floating],
    groups: NDArray[np.int64],
    found_overlaps: Overlaps,
) -> NDArray[np.bool_]:
    """Tell which detections are shown.

    In this order: score, area, the suppression of doubles, the number.

    Args:
        shown: what is wanted.
        scores: (n,) 0 to 1, the best first.
        lowest: (n,) the lowest score wanted of each.
        areas: (n,) square pixels.
        groups: (n,) only detections of one group can be doubles of each other.
        found_overlaps: of their boxes; see `overlaps`.

    Returns:
        (n,) true for those that pass.
    """
    # Kept as float32: what a slider shows as 0.9 lets pass what the model gave as 0.9.
    passes = scores.astype(np.float32) >= lowest.astype(np.float32)
    passes &= areas >= shown.min_area
    suppress_doubles(passes, groups, found_overlaps, shown.nms_iou)
    if shown.max_count is not None:
        passes &= np.cumsum(passes) <= shown.max_count
    return passes


def suppress_doubles(
    passes: NDArray[np.bool_], groups: NDArray[np.int64], pairs: Overlaps, max_iou: float
) -> None:
    """Leave out what overlaps with a better one of its group by more than `max_iou`, in place.

    The usual greedy suppression: what is left out itself suppresses nothing.

    Args:
        passes: (n,) bool, those that are in question.
        groups: (n,).
        pairs: what overlaps.
        max_iou: 0 to 1.
    """
    better, worse = pairs.better, pairs.worse
    doubles = (pairs.iou > max_iou) & (groups[better] == groups[worse])
    doubles &= passes[better] & passes[worse]
    better, worse = better[doubles], worse[doubles]
    if not len(better):
        return
    each, first = np.unique(better, return_index=True)
    for one, its_doubles in zip(each, np.split(worse, first[1:]), strict=True):
        if passes[one]:
            passes[its_doubles] = False


def mask_areas(
    boxes: NDArray[np.floating], roi_masks: NDArray[np.uint8] | None, threshold: float
) -> NDArray[np.float64]:
    """Return the area of each instance in square pixels, (n,), without tracing it.

    It is the share of the RoI mask's cells that reach the threshold, of the box; the box where
    there is no mask.

    Args:
        boxes: (n, 4) xyxy.
        roi_masks: (n, cells, cells), probability times 255, or None.
        threshold: probability from which a pixel belongs to an instance.
    """
    whole = np.prod(np.asarray(boxes[:, 2:] - boxes[:, :2], np.float64), axis=1)
    if roi_masks is None:
        return np.asarray(whole, np.float64)
    inside = np.mean(roi_masks >= threshold * 255, axis=(1, 2))
    return np.asarray(whole * inside, np.float64)


def mask_boxes(
    boxes: NDArray[np.floating], roi_masks: NDArray[np.uint8] | None
) -> NDArray[np.float64]:
    """Return the box around what is likely inside of each instance, (n, 4) xyxy.

    The box a model gives is the object's as it guesses; its mask may fill less of it. The edges lie
    where the likeliest cell of each row and column, interpolated, crosses one half; whatever mask
    threshold an outline was drawn at, this is one and the same.

    Args:
        boxes: (n, 4) xyxy.
        roi_masks: (n, cells, cells), probability times 255, or None.
    """
    whole = np.asarray(boxes, np.float64)
    if roi_masks is None or not len(whole):
        return whole
    tight = whole.copy()
    for axis, (low, high) in ((0, (0, 2)), (1, (1, 3))):
        likeliest = roi_masks.max(axis=1 + axis).astype(np.float64)
        begin, end = _crossing(likeliest), 1 - _crossing(likeliest[:, ::-1])
        side = whole[:, high] - whole[:, low]
        inside = (likeliest >= _HALF).any(axis=1)
        tight[:, low] = np.where(inside, whole[:, low] + begin * side, whole[:, low])
        tight[:, high] = np.where(inside, whole[:, low] + end * side, whole[:, high])
    return tight


_HALF = 127.5


def _crossing(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where along a row of cells (n, cells) the values first reach one half, 0 to 1."""
    cells = values.shape[1]
    first = np.argmax(values >= _HALF, axis=1)
    rows = np.arange(len(values))
    here, before = values[rows, first], values[rows, np.maximum(first - 1, 0)]
    rise = np.where(here > before, here - before, 1.0)
    between = np.clip((here - _HALF) / rise, 0, 1)
    # Values stand for the middles of cells; the first cell's outer half is all that is before it.
    return np.asarray(np.where(first == 0, 0.0, (first + 0.5 - between) / cells))


def as_boxes(boxes: Sequence[Box]) -> NDArray[np.float64]:
    """Return boxes as an array (n, 4), also where there are none."""
    return np.array(boxes, np.float64).reshape(-1, 4)
