"""What the heads answer when a person draws a box or points at a place.

The features are those of the whole image, seen once, so that only the heads run, which takes
milliseconds. What is too small in a large image is looked at closer first.
"""

import math
from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import Tensor
from torchvision.models.detection import FasterRCNN
from torchvision.ops import clip_boxes_to_image, nms

from maskstudio.annotation.box_answers import MAX_CHOICES
from maskstudio.mask_rcnn.closer_look import Window, look_closer, window_at, window_for
from maskstudio.mask_rcnn.seen_image import SeenImage, scale_of
from maskstudio.mask_rcnn.stages import Seen, run_box_head, run_mask_head

MASK_REACH = 1.2
"""How many times as wide and high as a box the area is that its answer's masks lie under."""

# The mask head runs on RoIs of these sizes around a box, and what it gives is averaged. A person's
# box cuts off a little of the object here and there, and a RoI no wider than that shows nothing
# beyond; one RoI's grid is coarse, three lie differently. tests/benchmarks/prompts.py measures it.
_REACHES = (1.0, 1.1, MASK_REACH)
_CELLS = 48
# Boxes that go through the mask head at a time: memory stays small whatever is asked.
_AT_ONCE = 32

MAX_CANDIDATES = 6
"""How many objects are offered at a place."""
_LOWEST_CANDIDATE = 0.01
# So many more are outlined, since the outlines of some do not cover the place.
_SPARE = 2
# Candidates that overlap more than this are one object.
_DISTINCT_IOU = 0.6
_INSIDE = 0.5
# A box that ends so near to the border of a window, in pixels of the network's image, is cut off.
_CUT = 3.0


@dataclass(frozen=True)
class RawAnswers:
    """Answers about one image as tensors.

    Attributes:
        boxes: (n, 4) xyxy.
        mask_boxes: (n, 4), the areas that the masks lie under.
        labels: (n, k) 1-based category positions, the likeliest first.
        scores: (n, k) 0 to 1.
        roi_masks: (n, k, m, m) probabilities 0 to 1, or None for Faster R-CNN.
    """

    boxes: Tensor
    mask_boxes: Tensor
    labels: Tensor
    scores: Tensor
    roi_masks: Tensor | None

    def moved(self, scale: Tensor, corner: Tensor) -> "RawAnswers":
        """Return the same in pixels of the image.

        Args:
            scale: (4,) pixels of the network's image for each pixel of the image.
            corner: (4,) where the network's image begins in the image, twice x and y.
        """
        boxes, areas = self.boxes / scale + corner, self.mask_boxes / scale + corner
        return replace(self, boxes=boxes, mask_boxes=areas)

    def chosen(self, index: Tensor) -> "RawAnswers":
        """Return some of the answers, in the order of `index` (m,)."""
        masks = self.roi_masks
        return RawAnswers(
            self.boxes[index],
            self.mask_boxes[index],
            self.labels[index],
            self.scores[index],
            None if masks is None else masks[index],
        )


@torch.inference_mode()
def answer_boxes(model: FasterRCNN, seen: SeenImage, boxes: Tensor) -> RawAnswers:
    """Name and outline what lies in boxes.

    Args:
        model: in evaluation mode.
        seen: the image.
        boxes: (n, 4) xyxy in pixels of the image.

    Returns:
        One answer a box, in pixels of the image.
    """
    windows = [window_for(seen, box) for box in boxes]
    clear = [index for index, window in enumerate(windows) if window is None]
    answers = [_in_view(model, _whole_view(seen), boxes[clear])]
    order = clear
    for index, window in enumerate(windows):
        if window is not None:
            answers.append(
                _in_view(model, _closer_view(model, seen, window, propose=False), boxes[[index]])
            )
            order = [*order, index]
    return _joined(answers).chosen(torch.tensor(order, dtype=torch.long).argsort())


@torch.inference_mode()
def answer_place(model: FasterRCNN, seen: SeenImage, place: Tensor) -> RawAnswers:
    """Find what covers a place among all the network proposed, however unlikely.

    Args:
        model: in evaluation mode.
        seen: the image.
        place: (2,) x and y in pixels of the image.

    Returns:
        Distinct answers in pixels of the image, the likeliest first.
    """
    found = _candidates(model, _whole_view(seen), place)
    window = window_at(seen, place)
    if window is not None:
        closer = _candidates(model, _closer_view(model, seen, window, propose=True), place)
        found = _joined([found, closer])
    kept = nms(found.boxes, found.scores[:, 0], _DISTINCT_IOU)
    return found.chosen(kept[:MAX_CANDIDATES])


@dataclass(frozen=True)
class _View:
    """An image, or a window of it, as the network saw it.

    Attributes:
        seen: a batch of one.
        scale: (4,) pixels of the network's image for each pixel of the image.
        corner: (4,) where it begins in the image, twice x and y.
        whole: (4,) xyxy in pixels of the network's image; an object beyond them may be cut off.
    """

    seen: Seen
    scale: Tensor
    corner: Tensor
    whole: Tensor


def _whole_view(seen: SeenImage) -> _View:
    scale = seen.scale.to(seen.device)
    corner = torch.zeros_like(scale)
    return _View(seen.seen, scale, corner, torch.tensor([-math.inf] * 2 + [math.inf] * 2))


def _closer_view(model: FasterRCNN, seen: SeenImage, window: Window, *, propose: bool) -> _View:
    closer = look_closer(model, seen, window, propose=propose)
    (x, y), (rows, columns) = window.corner, window.size
    (height, width), (last_row, last_column) = closer.scaled[0], seen.size
    # Where a window ends with the image nothing is cut off.
    whole = [
        _CUT if x else -math.inf,
        _CUT if y else -math.inf,
        width - _CUT if x + columns < last_column else math.inf,
        height - _CUT if y + rows < last_row else math.inf,
    ]
    corner = torch.tensor(window.corner, dtype=torch.float32, device=seen.device).repeat(2)
    return _View(closer, scale_of(closer).to(seen.device), corner, torch.tensor(whole))


def _in_view(model: FasterRCNN, view: _View, boxes: Tensor) -> RawAnswers:
    scaled = (boxes - view.corner) * view.scale
    probabilities, _ = run_box_head(model, view.seen, scaled)
    found = _answers(model, view.seen, scaled, probabilities)
    return replace(found.moved(view.scale, view.corner), boxes=boxes)


def _candidates(model: FasterRCNN, view: _View, place: Tensor) -> RawAnswers:
    """Answer about the boxes that the box head draws around a place in one view."""
    seen, here = view.seen, (place - view.corner[:2]) * view.scale[:2]
    proposals = seen.proposals[0]
    probabilities, drawn = run_box_head(model, seen, proposals[_covers(proposals, here)])
    best = probabilities[:, 1:].argmax(dim=1) + 1
    each = torch.arange(len(best), device=best.device)
    scores = probabilities[each, best]
    boxes = clip_boxes_to_image(drawn[each, best], seen.scaled[0])
    whole = view.whole.to(boxes)
    entire = (boxes[:, :2] >= whole[:2]).all(dim=1) & (boxes[:, 2:] <= whole[2:]).all(dim=1)
    kept = torch.where(_covers(boxes, here) & entire & (scores >= _LOWEST_CANDIDATE))[0]
    kept = kept[nms(boxes[kept], scores[kept], _DISTINCT_IOU)][: MAX_CANDIDATES + _SPARE]
    found = _answers(model, seen, boxes[kept], probabilities[kept])
    if found.roi_masks is not None:
        inside = _mask_at(found.roi_masks[:, 0], found.mask_boxes, here) >= _INSIDE
        found = found.chosen(torch.where(inside)[0])
    return found.moved(view.scale, view.corner)


def _joined(answers: list[RawAnswers]) -> RawAnswers:
    masks = [one.roi_masks for one in answers if one.roi_masks is not None]
    return RawAnswers(
        torch.cat([one.boxes for one in answers]),
        torch.cat([one.mask_boxes for one in answers]),
        torch.cat([one.labels for one in answers]),
        torch.cat([one.scores for one in answers]),
        torch.cat(masks) if masks else None,
    )


def _answers(model: FasterRCNN, seen: Seen, boxes: Tensor, probabilities: Tensor) -> RawAnswers:
    choices = min(MAX_CHOICES, probabilities.shape[1] - 1)
    scores, positions = probabilities[:, 1:].topk(choices, dim=1)
    labels = positions + 1
    masks = None
    if model.roi_heads.has_mask():
        parts = zip(boxes.split(_AT_ONCE), labels.split(_AT_ONCE), strict=True)
        masks = torch.cat([_roi_masks(model, seen, *part) for part in parts])
    return RawAnswers(boxes, _scaled(boxes, MASK_REACH), labels, scores, masks)


def _roi_masks(model: FasterRCNN, seen: Seen, boxes: Tensor, labels: Tensor) -> Tensor:
    """Average the masks that RoIs of several sizes give: (n, k, m, m), 0 to 1."""
    rois = torch.cat([_scaled(boxes, reach) for reach in _REACHES])
    logits = run_mask_head(model, seen, rois)
    chosen = labels.repeat(len(_REACHES), 1)[..., None, None].expand(-1, -1, *logits.shape[2:])
    masks = logits.gather(1, chosen).sigmoid()
    summed = boxes.new_zeros((len(boxes), labels.shape[1], _CELLS, _CELLS))
    by_reach = masks.unflatten(0, (len(_REACHES), len(boxes)))
    for reach, some in zip(_REACHES, by_reach, strict=True):
        weights = _resampling(logits.shape[-1], reach).to(masks)
        summed += weights @ some @ weights.T
    return summed / len(_REACHES)


@cache
def _resampling(cells: int, reach: float) -> Tensor:
    """Weights (m, cells) that sample, bilinearly, a RoI at the cells of the widest one.

    Beyond the RoI there is nothing.
    """
    place = (torch.arange(_CELLS) + 0.5) / _CELLS - 0.5
    position = (place * MASK_REACH / reach + 0.5) * cells
    inside = (position >= 0) & (position < cells)
    position = (position - 0.5).clamp(0, cells - 1)
    return (1 - (position[:, None] - torch.arange(cells)).abs()).clamp(min=0) * inside[:, None]


def _mask_at(masks: Tensor, boxes: Tensor, place: Tensor) -> Tensor:
    """Return what masks (n, m, m) under boxes say of a place within all of them: (n,)."""
    cells = masks.shape[-1]
    at = (place - boxes[:, :2]) / (boxes[:, 2:] - boxes[:, :2]) * cells
    column, row = at.long().clamp(0, cells - 1).T
    return masks[torch.arange(len(masks), device=masks.device), row, column]


def _scaled(boxes: Tensor, factor: float) -> Tensor:
    """Make boxes wider and higher around their middles."""
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2 * factor
    return torch.cat([middle - half, middle + half], dim=1)


def _covers(boxes: Tensor, place: Tensor) -> Tensor:
    return (boxes[:, :2] <= place).all(dim=1) & (place < boxes[:, 2:]).all(dim=1)
