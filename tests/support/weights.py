"""Weights of torchvision's own layout, drawn at random."""

import math
import re

import torch
from torch import Tensor
from torchvision.models import detection

# What the names were before torchvision 0.13; its file of the first Mask R-CNN has them.
_OLD_NAMES = (
    (re.compile(r"(rpn\.head\.conv)\.0\.0\."), r"\1."),
    (re.compile(r"(backbone\.fpn\.(?:inner|layer)_blocks\.\d+)\.0\."), r"\1."),
)
LIKELY = (1, 3, 12, 18, 26, 62, 83, 90)
"""Outputs that random weights prefer; 12, 26 and 83 stand for nothing in COCO."""

_MASK_HEAD = re.compile(r"roi_heads\.mask_head\.(\d)\.0\.")


_COCO = 91


def random_weights(name: str, outputs: int = _COCO, *, seed: int = 0) -> dict[str, Tensor]:
    """Return weights as torchvision's file of a model has them.

    Of 91 outputs some are preferred. Backbones that started from other weights have a frozen norm,
    so that the number of batches is missing; some variances are so small that it shows what is
    added to them.

    Args:
        name: of torchvision's function that builds the model.
        outputs: of its classifier, background included.
        seed: of all that is drawn.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.device("meta"):
        model = getattr(detection, name)(weights=None, weights_backbone=None, num_classes=outputs)
    frozen = not name.endswith("_v2")
    weights = {
        key: _drawn(key, tensor, generator)
        for key, tensor in model.state_dict().items()
        if not (frozen and key.endswith("num_batches_tracked"))
    }
    # A few outputs are likely enough to be seen, some of them without a name in COCO.
    weights["roi_heads.box_predictor.cls_score.bias"][[n for n in LIKELY if outputs == _COCO]] = 2.5
    return weights


def with_old_names(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights under the names that torchvision gave them before 0.13."""
    renamed = {}
    for name, tensor in weights.items():
        for new, old in _OLD_NAMES:
            name = new.sub(old, name)
        found = _MASK_HEAD.match(name)
        if found:
            name = _MASK_HEAD.sub(f"roi_heads.mask_head.mask_fcn{int(found[1]) + 1}.", name)
        renamed[name] = tensor
    return renamed


def _drawn(name: str, like: Tensor, generator: torch.Generator) -> Tensor:
    if not like.is_floating_point():
        return torch.zeros(like.shape, dtype=like.dtype)
    drawn = torch.randn(like.shape, generator=generator)
    if name.endswith("running_var"):
        drawn = drawn.abs() + 0.5
        drawn[0] = 2e-5
        return drawn
    if like.dim() == 1:
        is_norm = name.endswith("weight")
        # What is divided by the root of a tiny variance must not drown the rest.
        drawn = 0.5 + 0.1 * drawn if is_norm else 0.1 * drawn
        if is_norm:
            drawn[0] = 0.005
        return drawn
    spread = math.sqrt(2 / like[0].numel()) * (0.5 if "cls_score" in name else 1)
    return drawn * spread
