"""Tell from the names and shapes of tensors which network of the family they belong to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from maskstudio.errors import UserError
from maskstudio.mask_rcnn.architectures import Architecture, build, default_architecture
from maskstudio.mask_rcnn.backbones import MOBILENET

# Blocks in each of the four layers, and whether a block has three convolutions.
_RESNETS = {
    (2, 2, 2, 2, False): "resnet18",
    (3, 4, 6, 3, False): "resnet34",
    (3, 4, 6, 3, True): "resnet50",
    (3, 4, 23, 3, True): "resnet101",
    (3, 8, 36, 3, True): "resnet152",
}
# Names of torchvision before 0.13, which its older files have; it renames them likewise.
_RENAMED = (
    (re.compile(r"(rpn\.head\.conv)\.(weight|bias)"), r"\1.0.0.\2"),
    (re.compile(r"(backbone\.fpn\.(?:inner|layer)_blocks\.\d+)\.(weight|bias)"), r"\1.0.\2"),
)
_OLD_MASK_HEAD = re.compile(r"(roi_heads\.mask_head)\.mask_fcn(\d)\.(weight|bias)")
_LAST = "roi_heads.box_predictor.cls_score.weight"
_KEYPOINTS = "roi_heads.keypoint_head"
# What else is often in such a file, by a piece of a name.
_OTHERS = {
    _KEYPOINTS: "a Keypoint R-CNN",
    "head.classification_head": "a RetinaNet, SSD or FCOS",
    "bottom_up": "a model of detectron2",
    "bbox_head": "a model of MMDetection",
    "transformer.": "a DETR",
    "model.0.conv": "a YOLO",
    "fc.weight": "a classifier",
    "classifier.": "a classifier",
}


@dataclass(frozen=True)
class Recognised:
    """A network and its weights.

    Attributes:
        architecture: what they are of.
        outputs: of the classifier, background included.
        weights: by the names that `build` gives, float32 where they are no counts.
    """

    architecture: Architecture
    outputs: int
    weights: Mapping[str, Tensor]


def recognise(given: Mapping[str, Tensor], file: str) -> Recognised:
    """Find the network that weights belong to.

    What no weights tell is taken to be torchvision's: the sizes of anchors and of the input, and
    that a frozen norm of a ResNet-50 adds nothing to a variance, as in the models trained on COCO,
    from which such models are usually trained on.

    Args:
        given: names to tensors; the names may have a prefix, or be those of older torchvision.
        file: the file's name, for messages.

    Raises:
        UserError: they are of another network, or are no numbers.
    """
    weights = {_new_name(name): tensor for name, tensor in _without_prefix(given).items()}
    keypoints = any(_KEYPOINTS in name for name in weights)
    if keypoints or _LAST not in weights or weights[_LAST].dim() != 2:
        raise UserError(_unknown(given, file))
    architecture = _architecture(weights, file)
    outputs = len(weights[_LAST])
    _check_fit(architecture, outputs, weights, file)
    check_numbers(weights, file)
    return Recognised(
        architecture,
        outputs,
        {n: t.detach().float() if t.is_floating_point() else t for n, t in weights.items()},
    )


def check_numbers(weights: Mapping[str, Tensor], file: str) -> None:
    """Refuse weights that are not finite.

    Raises:
        UserError: one is not.
    """
    for name, tensor in weights.items():
        if not bool(torch.isfinite(tensor).all()):
            raise UserError(
                f"{file} holds numbers that are none (in {name}): its training had gone wrong; "
                "take an earlier one."
            )


def _without_prefix(given: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Leave off what wrappers put before every name (`module.`, `model.`)."""
    prefixes = [name.removesuffix(_LAST) for name in given if name.endswith(_LAST)]
    if not prefixes:
        return given
    first = prefixes[0]
    return {n.removeprefix(first): tensor for n, tensor in given.items() if n.startswith(first)}


def _new_name(name: str) -> str:
    for old, new in _RENAMED:
        if old.fullmatch(name):
            return old.sub(new, name)
    found = _OLD_MASK_HEAD.fullmatch(name)
    return f"{found[1]}.{int(found[2]) - 1}.0.{found[3]}" if found else name


def _architecture(weights: Mapping[str, Tensor], file: str) -> Architecture:
    backbone = _backbone(weights)
    if backbone is None:
        raise UserError(
            f"{file} holds a Faster or Mask R-CNN on a backbone that is not known here; known are "
            f"{', '.join(_RESNETS.values())} and {MOBILENET}, with torchvision's names."
        )
    masks = any(name.startswith("roi_heads.mask_predictor.") for name in weights)
    v2 = any(name.startswith("roi_heads.box_head.0.") for name in weights)
    head = "maskrcnn" if masks else "fasterrcnn"
    architecture = default_architecture(f"{head}_{backbone}_fpn{'_v2' if v2 else ''}")
    body = [name for name in weights if name.startswith("backbone.body.")]
    if not any(name.endswith("num_batches_tracked") for name in body):
        eps = 0.0 if backbone == "resnet50" and _all_vary(weights) else architecture.norm_eps
        architecture = replace(architecture, norm="frozen", norm_eps=eps)
    width = weights.get("roi_heads.box_head.fc6.weight")
    hidden = weights.get("roi_heads.mask_predictor.conv5_mask.weight")
    return replace(
        architecture,
        box_features=architecture.box_features if width is None else len(width),
        mask_channels=architecture.mask_channels if hidden is None else len(hidden),
    )


def _backbone(weights: Mapping[str, Tensor]) -> str | None:
    if "backbone.body.16.0.weight" in weights and "backbone.body.0.0.weight" in weights:
        return MOBILENET
    names = "\n".join(weights)
    blocks = [
        len(set(re.findall(rf"^backbone\.body\.layer{layer}\.(\d+)\.", names, re.MULTILINE)))
        for layer in range(1, 5)
    ]
    three = "backbone.body.layer1.0.conv3.weight" in weights
    return _RESNETS.get((blocks[0], blocks[1], blocks[2], blocks[3], three))


def _all_vary(weights: Mapping[str, Tensor]) -> bool:
    """Tell whether every channel may be divided by the root of its variance."""
    return all(bool((t > 0).all()) for n, t in weights.items() if n.endswith("running_var"))


def _check_fit(
    architecture: Architecture, outputs: int, weights: Mapping[str, Tensor], file: str
) -> None:
    with torch.device("meta"):
        wanted = build(architecture, outputs - 1).state_dict() if outputs > 1 else {}
    given = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    odd = [n for n in {**wanted, **given} if n not in wanted or given.get(n) != wanted[n].shape]
    if odd:
        name = odd[0]
        there = given.get(name, "nothing")
        here = tuple(wanted[name].shape) if name in wanted else "nothing"
        raise UserError(
            f"{file} looks like {architecture.name}, but {len(odd)} of its tensors are not as in "
            f"torchvision's (first {name}: {there} instead of {here}); it cannot be used."
        )


def _unknown(given: Mapping[str, Tensor], file: str) -> str:
    names = "\n".join(given)
    what = next((word for piece, word in _OTHERS.items() if piece in names), "")
    if what:
        seen = f"what seems to be {what}"
    else:
        name, tensor = next(iter(given.items()))
        seen = f"{len(given):,} tensors, first {name[:60]} of shape {tuple(tensor.shape)}"
    return f"{file} holds {seen}, no Mask R-CNN or Faster R-CNN with torchvision's names."
