"""Mask R-CNN's forward pass opened up: features, proposals, RoIs, RoI masks.

torchvision's modules do the work; what is left out is its last step, which pastes every RoI mask
into a mask of the whole image, and what is added are mask targets sampled exactly.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.roi_heads import fastrcnn_loss
from torchvision.models.detection.transform import resize_boxes
from torchvision.ops import roi_align

from maskstudio.mask_rcnn.scaling import network_image


@dataclass(frozen=True)
class RawDetections:
    """Detections of one image as tensors, best score first.

    Attributes:
        boxes: (n, 4) xyxy in pixels of the image as it was given.
        labels: (n,) 1-based category positions.
        scores: (n,) 0 to 1.
        roi_masks: (n, 28, 28) probabilities 0 to 1, or None for Faster R-CNN.
    """

    boxes: Tensor
    labels: Tensor
    scores: Tensor
    roi_masks: Tensor | None


@dataclass(frozen=True)
class Seen:
    """What the network saw of a batch of images: everything before the heads.

    Attributes:
        features: each level of the pyramid by its name, (N, C, h, w).
        proposals: for each image (n, 4) xyxy in pixels of the network's image, best first.
        scaled: (height, width) of each image as the network sees it, without padding.
        sizes: (height, width) of each image as it was given.
    """

    features: dict[str, Tensor]
    proposals: list[Tensor]
    scaled: list[tuple[int, int]]
    sizes: list[tuple[int, int]]


@torch.inference_mode()
def see(model: FasterRCNN, images: list[Tensor]) -> Seen:
    """Run the backbone, the feature pyramid and the region proposal network.

    Args:
        model: in evaluation mode.
        images: each (3, H, W) on the model's device, uint8 or float 0 to 1.
    """
    scaled = [network_image(model.transform, image) for image in images]
    batch = ImageList(model.transform.batch_images(scaled), [_size(image) for image in scaled])
    features = model.backbone(batch.tensors)
    proposals, _ = model.rpn(batch, features)
    return Seen(features, proposals, batch.image_sizes, [_size(image) for image in images])


@torch.inference_mode()
def propose(model: FasterRCNN, seen: Seen) -> Seen:
    """Return what was seen with this model's proposals; its backbone is the one that saw it."""
    whole = model.transform.size_divisible
    longest = [max(sides) for sides in zip(*seen.scaled, strict=True)]
    padded = [math.ceil(side / whole) * whole for side in longest]
    proposals, _ = model.rpn(stand_in(seen.features, padded, seen.scaled), seen.features)
    return replace(seen, proposals=proposals)


def stand_in(
    features: Mapping[str, Tensor], padded: Sequence[int], scaled: list[tuple[int, int]]
) -> ImageList:
    """Return images of which the region proposal network asks nothing but their sizes.

    Args:
        features: what the backbone made of them.
        padded: (height, width) of the network's images with padding.
        scaled: the same of each without.
    """
    first = next(iter(features.values()))
    return ImageList(first.new_zeros(()).expand(len(scaled), 3, *padded), scaled)


def _size(image: Tensor) -> tuple[int, int]:
    return image.shape[-2], image.shape[-1]


@torch.inference_mode()
def see_scaled(model: FasterRCNN, image: Tensor, size: tuple[int, int], *, propose: bool) -> Seen:
    """Run the same as `see` on one image, or part of one, that is scaled already.

    Args:
        model: in evaluation mode.
        image: (3, H, W) float, 0 to 1, on the model's device.
        size: (height, width) before it was scaled.
        propose: run the region proposal network too; else there are no proposals.
    """
    scaled = [(image.shape[-2], image.shape[-1])]
    tensors = model.transform.batch_images([model.transform.normalize(image)])
    features = model.backbone(tensors)
    proposals = [image.new_zeros((0, 4))]
    if propose:
        proposals, _ = model.rpn(ImageList(tensors, scaled), features)
    return Seen(features, proposals, scaled, [size])


@torch.inference_mode()
def find(model: FasterRCNN, seen: Seen) -> list[RawDetections]:
    """Run the box head, suppress doubles, and run the mask head on what is left."""
    found, _ = model.roi_heads(seen.features, seen.proposals, seen.scaled)
    return [
        RawDetections(
            resize_boxes(one["boxes"], scaled, size),
            one["labels"],
            one["scores"],
            one["masks"][:, 0] if "masks" in one else None,
        )
        for one, scaled, size in zip(found, seen.scaled, seen.sizes, strict=True)
    ]


def detect(model: FasterRCNN, images: list[Tensor]) -> list[RawDetections]:
    """Run everything but the pasting of masks; see `see`."""
    return find(model, see(model, images))


@torch.inference_mode()
def run_box_head(model: FasterRCNN, seen: Seen, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Judge boxes of the one image that was seen.

    Args:
        model: in evaluation mode.
        seen: a batch of one.
        boxes: (n, 4) xyxy in pixels of the network's image.

    Returns:
        Probabilities (n, categories + 1), the first of them that there is nothing, and, for each of
        these, the box that the head would draw instead, (n, categories + 1, 4).
    """
    heads = model.roi_heads
    hidden = heads.box_head(heads.box_roi_pool(seen.features, [boxes], seen.scaled))
    logits, deltas = heads.box_predictor(hidden)
    # Without boxes torchvision gives them one axis less.
    drawn = heads.box_coder.decode(deltas, [boxes]).reshape(*logits.shape, 4)
    return functional.softmax(logits, -1), drawn


@torch.inference_mode()
def run_mask_head(model: FasterRCNN, seen: Seen, boxes: Tensor) -> Tensor:
    """Return the RoI masks of boxes of the one image that was seen.

    Args:
        model: a Mask R-CNN in evaluation mode.
        seen: a batch of one.
        boxes: (n, 4) xyxy in pixels of the network's image.

    Returns:
        Logits (n, categories + 1, 28, 28).
    """
    heads = model.roi_heads
    pooled = heads.mask_roi_pool(seen.features, [boxes], seen.scaled)
    logits: Tensor = heads.mask_predictor(heads.mask_head(pooled))
    return logits


def training_losses(
    model: FasterRCNN, images: list[Tensor], targets: list[dict[str, Tensor]]
) -> dict[str, Tensor]:
    """Run one training step's forward pass.

    It is torchvision's, with two differences: images come already scaled, and mask targets are
    averaged from the masks at their own resolution under the very box (torchvision's sampling is
    half a pixel off and works on masks resized by nearest neighbour).

    Args:
        model: in training mode.
        images: each (3, H, W) float, 0 to 1.
        targets: for each image `boxes` (n, 4) xyxy in pixels of the image, `labels` (n,) 1-based,
            and, for Mask R-CNN, `masks` (n, h, w) uint8 at any resolution, of the whole view or,
            where there are `windows` (n, 4) xyxy in pixels of the image, each of its own part;
            where there is `outlined` (n,) bool, masks teach nothing where that is False.

    Returns:
        The losses by torchvision's names.
    """
    sizes = [(image.shape[-2], image.shape[-1]) for image in images]
    tensors = model.transform.batch_images([model.transform.normalize(i) for i in images])
    batch = ImageList(tensors, sizes)
    features = model.backbone(batch.tensors)
    losses: dict[str, Tensor]
    proposals, losses = model.rpn(batch, features, targets)
    heads = model.roi_heads
    rois, matched, labels, box_targets = heads.select_training_samples(proposals, targets)
    hidden = heads.box_head(heads.box_roi_pool(features, rois, sizes))
    logits, deltas = heads.box_predictor(hidden)
    loss_class, loss_box = fastrcnn_loss(logits, deltas, labels, box_targets)
    losses |= {"loss_classifier": loss_class, "loss_box_reg": loss_box}
    if heads.has_mask():
        chosen = [
            _with_mask(target, one, index)
            for target, one, index in zip(targets, labels, matched, strict=True)
        ]
        positives = [roi[index] for roi, index in zip(rois, chosen, strict=True)]
        classes = torch.cat([one[index] for one, index in zip(labels, chosen, strict=True)])
        pooled = heads.mask_roi_pool(features, positives, sizes)
        masks = heads.mask_predictor(heads.mask_head(pooled))
        wanted = [
            mask_targets(target["masks"], _windows(target, size), one[index], roi, masks.shape[-1])
            for target, one, index, roi, size in zip(
                targets, matched, chosen, positives, sizes, strict=True
            )
        ]
        losses["loss_mask"] = _mask_loss(masks, classes, torch.cat(wanted))
    return losses


@contextmanager
def interrupted_by(model: nn.Module, check: Callable[[], None]) -> Iterator[None]:
    """Call `check` before every layer, so that what it raises ends the forward pass at once.

    A ResNet takes many seconds on a CPU; one layer of it takes a few hundredths.
    """
    hooks = [
        module.register_forward_pre_hook(lambda *_: check())
        for module in model.modules()
        if not any(True for _ in module.children())
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def mask_targets(masks: Tensor, windows: Tensor, index: Tensor, rois: Tensor, cells: int) -> Tensor:
    """Return the share of each cell of a RoI that its instance covers.

    Args:
        masks: (n, h, w) uint8, the instances of one image at any resolution.
        windows: (n, 4) xyxy in pixels of the network's image: what each of the masks shows.
        index: (m,) the instance of each RoI.
        rois: (m, 4) xyxy in pixels of the network's image.
        cells: cells a side.

    Returns:
        (m, cells, cells), 0 to 1.
    """
    used, position = torch.unique(index, return_inverse=True)
    shown = windows[index]
    scale = rois.new_tensor([masks.shape[-1], masks.shape[-2]]) / (shown[:, 2:] - shown[:, :2])
    places = (rois - shown[:, :2].repeat(1, 2)) * scale.repeat(1, 2)
    boxes = torch.cat([position[:, None].to(rois), places], dim=1)
    covered: Tensor = roi_align(
        masks[used, None].to(rois), boxes, (cells, cells), 1.0, aligned=True
    )
    return covered[:, 0]


def _with_mask(target: dict[str, Tensor], labels: Tensor, matched: Tensor) -> Tensor:
    """Return the positions of the RoIs that masks are learned from."""
    positive = torch.where(labels > 0)[0]
    outlined = target.get("outlined")
    return positive if outlined is None else positive[outlined[matched[positive]]]


def _windows(target: dict[str, Tensor], size: tuple[int, int]) -> Tensor:
    """Return what each mask of a target shows of an image of this size."""
    whole = target["boxes"].new_tensor([0.0, 0.0, size[1], size[0]])
    return target.get("windows", whole.expand(len(target["boxes"]), 4))


def _mask_loss(masks: Tensor, classes: Tensor, wanted: Tensor) -> Tensor:
    if not len(classes):
        return masks.sum() * 0
    own = masks[torch.arange(len(classes), device=classes.device), classes]
    return functional.binary_cross_entropy_with_logits(own, wanted)
