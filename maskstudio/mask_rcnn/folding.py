"""Batch norms folded into the convolutions before them: the same numbers, fewer passes.

A norm of a trained network multiplies by one number a channel and adds another. Done to the weights
of the convolution once, that need not be done to every pixel, which on a CPU costs as long as
moving the pixels through memory twice: `maskrcnn_resnet50_fpn` spends a tenth of its backbone so.
"""

from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.resnet import BasicBlock, Bottleneck
from torchvision.ops import FrozenBatchNorm2d

# Modules that call their parts in the order in which they name them.
_IN_ORDER = (nn.Sequential, IntermediateLayerGetter, BasicBlock, Bottleneck)
# Not what is derived from them: timm's norms have an activation in them.
_NORMS = (nn.BatchNorm2d, FrozenBatchNorm2d)


def fold_norms(model: nn.Module) -> None:
    """Fold the norms of a model in evaluation mode, where both parts are float32.

    What calculates in shorter numbers stays as it is: its norms keep float32 figures.
    """
    in_order = [module for module in model.modules() if isinstance(module, _IN_ORDER)]
    for parent in in_order:
        for (_, conv), (name, norm) in pairwise(list(parent.named_children())):
            if isinstance(conv, nn.Conv2d) and type(norm) in _NORMS and _fold(conv, norm):
                setattr(parent, name, nn.Identity())


def _fold(conv: nn.Conv2d, norm: Any) -> bool:
    figures = norm.running_mean, norm.running_var, norm.weight, norm.bias
    if conv.weight.dtype is not torch.float32 or not all(map(torch.is_tensor, figures)):
        return False
    mean, variance, weight, bias = figures
    conv.weight, conv.bias = fuse_conv_bn_weights(
        conv.weight, conv.bias, mean, variance, norm.eps, weight, bias
    )
    return True
