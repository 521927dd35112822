"""What the heads get wrong about one view: the losses of a step where the backbone is frozen.

They are torchvision's losses at a fraction of their cost, for a step is to take a few tenths of a
second on one core:

* RoIs are pooled from what they lie on alone (`roi_align`);
* the region proposal network is judged by 256 anchors, and only what its head sees around those is
  run with a gradient;
* its proposals change slowly: those of a view are used more than once.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.roi_heads import fastrcnn_loss
from torchvision.ops import box_iou, clip_boxes_to_image, remove_small_boxes

from maskstudio.mask_rcnn.stages import mask_targets, stand_in

ROIS = 128
"""RoIs that the box head learns from in one step; a quarter of them positive."""

# Proposals of the region proposal network, the likeliest, in one view.
_PROPOSALS = 500
# The mask head is the dearest: it learns from so many RoIs at most.
_MASKS = 24
_ANCHORS, _POSITIVE_ANCHORS = 256, 128
# Proposals of a view are used so often before they are made anew.
_USES = 2
# Boxes drawn around every object that miss it a little, for the heads to mend: with a few images
# the proposals alone are too few. Normal error, as a share of width and height.
_DRAWN, _MISS = 8, 0.12
_MOST_DRAWN = 256
# Objects whose overlap with all anchors is held in memory at a time.
_AT_ONCE = 32
_NOTHING, _OBJECT, _LEFT_OUT = 0, 1, -1
# So much of a box in a crowd, and nothing is learned from it.
_IN_CROWD = 0.5


@dataclass(eq=False)
class Known:
    """What is known of a view from earlier steps; small, so that it can be kept for many.

    Attributes:
        kinds: (anchors,) int8: an object's, nothing's, or left out; None before the first step.
        matched: (m,) the object of each anchor that is one's, in their order.
        proposals: (n, 4) xyxy.
        uses: how often the proposals may still be used.
    """

    kinds: Tensor | None = None
    matched: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.int64))
    proposals: Tensor = field(default_factory=lambda: torch.zeros(0, 4))
    uses: int = 0


@dataclass(frozen=True, eq=False)
class Page:
    """A view, ready to be learned from: all on the model's device, in pixels of its image.

    Attributes:
        features: each level of the pyramid by its name, (1, C, h, w) float32, where gradients end.
        scaled: (height, width) of the network's image, without padding.
        padded: the same with padding.
        boxes: (n, 4) xyxy.
        labels: (n,) 1-based.
        grids: (n, g, g) float, the share of each cell of a window that an outline covers.
        windows: (n, 4) xyxy.
        outlined: (n,) bool.
        left_out: (k, 4) xyxy: boxes where nothing is learned.
        known: what earlier steps left.
    """

    features: dict[str, Tensor]
    scaled: tuple[int, int]
    padded: tuple[int, int]
    boxes: Tensor
    labels: Tensor
    grids: Tensor
    windows: Tensor
    outlined: Tensor
    left_out: Tensor
    known: Known


def head_losses(
    model: FasterRCNN, page: Page, check: Callable[[], None]
) -> Iterator[dict[str, Tensor]]:
    """Run the forward pass of a step, one head after the other.

    What one head gives can go backward before the next is run: they share the features alone.

    Args:
        model: in evaluation mode; its backbone is not run.
        page: what to learn from.
        check: called now and then; what it raises ends the step.

    Yields:
        The losses of a head by torchvision's names.
    """
    yield _anchor_losses(model, page)
    check()
    rois, matched, labels, targets = _chosen(model, page, check)
    if not len(rois):
        return
    heads = model.roi_heads
    pooled = heads.box_roi_pool(page.features, [rois], [page.scaled])
    check()
    logits, deltas = heads.box_predictor(heads.box_head(pooled))
    loss_class, loss_box = fastrcnn_loss(logits, deltas, [labels], [targets])
    yield {"loss_classifier": loss_class, "loss_box_reg": loss_box}
    check()
    drawn = torch.where((labels > 0) & page.outlined[matched])[0] if len(page.boxes) else labels[:0]
    if len(drawn):
        drawn = drawn[torch.randperm(len(drawn), device=drawn.device)[:_MASKS]]
        yield {"loss_mask": _mask_loss(model, page, rois[drawn], matched[drawn])}


def _anchor_losses(model: FasterRCNN, page: Page) -> dict[str, Tensor]:
    """Judge anchors drawn at random: how likely each is an object, and how far it is off."""
    rpn, levels = model.rpn, list(page.features.values())
    (anchors,) = rpn.anchor_generator(_images(page), levels)
    known = page.known
    if known.kinds is None:
        known.kinds, known.matched = matched_anchors(model, page, anchors)
    positive, negative = (torch.where(known.kinds == kind)[0] for kind in (_OBJECT, _NOTHING))
    some = torch.randperm(len(positive), device=positive.device)[:_POSITIVE_ANCHORS]
    more = min(len(negative), _ANCHORS - len(some))
    others = torch.randint(max(1, len(negative)), (more,), device=negative.device)
    objectness, deltas = judged_anchors(
        model, levels, torch.cat([positive[some], negative[others]])
    )
    wanted = torch.zeros_like(objectness)
    wanted[: len(some)] = 1
    targets = rpn.box_coder.encode_single(page.boxes[known.matched[some]], anchors[positive[some]])
    off = functional.smooth_l1_loss(deltas[: len(some)], targets, beta=1 / 9, reduction="sum")
    wrong = functional.binary_cross_entropy_with_logits(objectness, wanted, reduction="sum")
    judged = max(1, len(objectness))
    return {"loss_objectness": wrong / judged, "loss_rpn_box_reg": off / judged}


def judged_anchors(
    model: FasterRCNN, levels: list[Tensor], chosen: Tensor
) -> tuple[Tensor, Tensor]:
    """Run the RPN's head for single anchors: objectness (n,) and deltas (n, 4), in their order.

    It is run on the few places around each anchor that it sees, all in one batch.
    """
    head = model.rpn.head
    each = head.cls_logits.out_channels
    reach = sum(1 for layer in head.conv.modules() if isinstance(layer, torch.nn.Conv2d))
    place, kind = chosen // each, chosen % each
    patches: list[Tensor] = []
    order: list[Tensor] = []
    begin = 0
    for level in levels:
        height, width = level.shape[-2:]
        here = torch.where((place >= begin) & (place < begin + height * width))[0]
        at = place[here] - begin
        patches.append(_patches(level, at // width, at % width, reach))
        order.append(here)
        begin += height * width
    batch = torch.cat(patches).contiguous(memory_format=torch.channels_last)
    (objectness,), (deltas,) = head([batch])
    back = torch.cat(order).argsort()
    each_one = torch.arange(len(chosen), device=chosen.device)
    middle = objectness[back, :, reach, reach]
    moved = deltas[back, :, reach, reach].unflatten(1, (each, 4))
    return middle[each_one, kind], moved[each_one, kind]


def _patches(level: Tensor, rows: Tensor, columns: Tensor, reach: int) -> Tensor:
    """Cut the places around places: (n, C, 2 reach + 1, 2 reach + 1), nothing beyond the border."""
    around = functional.pad(level[0], (reach,) * 4)
    steps = torch.arange(2 * reach + 1, device=level.device)
    cut = around[:, rows[:, None, None] + steps[:, None], columns[:, None, None] + steps]
    return cut.transpose(0, 1)


def matched_anchors(model: FasterRCNN, page: Page, anchors: Tensor) -> tuple[Tensor, Tensor]:
    """Tell which anchors are an object's, as torchvision does, a few objects at a time.

    Returns:
        Kinds (anchors,) and, for those that are an object's, which.
    """
    best = anchors.new_zeros(len(anchors))
    owner = torch.zeros(len(anchors), dtype=torch.int64, device=anchors.device)
    nearest = torch.zeros(len(anchors), dtype=torch.bool, device=anchors.device)
    for first in range(0, len(page.boxes), _AT_ONCE):
        overlap = box_iou(page.boxes[first : first + _AT_ONCE], anchors)
        value, which = overlap.max(dim=0)
        better = value > best
        best[better], owner[better] = value[better], which[better] + first
        # An object that no anchor overlaps enough has at least its nearest ones.
        nearest |= (overlap == overlap.max(dim=1, keepdim=True).values).any(dim=0)
    matcher = model.rpn.proposal_matcher
    kinds = torch.full((len(anchors),), _LEFT_OUT, dtype=torch.int8, device=anchors.device)
    kinds[best < matcher.low_threshold] = _NOTHING
    kinds[(kinds == _NOTHING) & _inside(anchors, page.left_out)] = _LEFT_OUT
    kinds[(best >= matcher.high_threshold) | (nearest & (best > 0))] = _OBJECT
    return kinds, owner[kinds == _OBJECT]


def _chosen(
    model: FasterRCNN, page: Page, check: Callable[[], None]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return RoIs (n, 4), the object of each, its label and its box deltas."""
    known = page.known
    if known.uses <= 0:
        with torch.no_grad():
            (proposals,), _ = model.rpn(_images(page), page.features)
        known.proposals = proposals[:_PROPOSALS].clone()
        known.uses = _USES
        check()
    known.uses -= 1
    boxes = torch.cat([known.proposals, _drawn(page)])
    overlap = box_iou(boxes, page.boxes).amax(1) if len(page.boxes) else boxes.new_zeros(len(boxes))
    useless = _inside(boxes, page.left_out) & (overlap < _IN_CROWD)
    target = {"boxes": page.boxes, "labels": page.labels, "masks": page.grids}
    heads = model.roi_heads
    rois, matched, labels, targets = heads.select_training_samples([boxes[~useless]], [target])
    return rois[0], matched[0], labels[0], targets[0]


def _drawn(page: Page) -> Tensor:
    """Draw boxes that miss the objects a little."""
    boxes = page.boxes
    if len(boxes) * _DRAWN > _MOST_DRAWN:
        boxes = boxes[torch.randperm(len(boxes), device=boxes.device)[: _MOST_DRAWN // _DRAWN]]
    boxes = boxes.repeat(_DRAWN, 1)
    sides = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
    moved = clip_boxes_to_image(boxes + torch.randn_like(boxes) * _MISS * sides, page.scaled)
    kept: Tensor = moved[remove_small_boxes(moved, 1.0)]
    return kept


def _mask_loss(model: FasterRCNN, page: Page, rois: Tensor, matched: Tensor) -> Tensor:
    heads = model.roi_heads
    pooled = heads.mask_roi_pool(page.features, [rois], [page.scaled])
    logits = heads.mask_predictor(heads.mask_head(pooled))
    own = logits[torch.arange(len(rois), device=rois.device), page.labels[matched]]
    wanted = mask_targets(page.grids, page.windows, matched, rois, logits.shape[-1])
    return functional.binary_cross_entropy_with_logits(own, wanted)


def _inside(boxes: Tensor, crowds: Tensor) -> Tensor:
    """Tell of which boxes (n, 4) the larger part lies in one of others (k, 4): (n,)."""
    if not len(crowds):
        return torch.zeros(len(boxes), dtype=torch.bool, device=boxes.device)
    low = torch.maximum(boxes[:, None, :2], crowds[None, :, :2])
    high = torch.minimum(boxes[:, None, 2:], crowds[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(dim=2)
    whole = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1).clamp(min=math.ulp(1.0))
    inside: Tensor = shared.amax(dim=1) > _IN_CROWD * whole
    return inside


def _images(page: Page) -> ImageList:
    return stand_in(page.features, page.padded, [page.scaled])
