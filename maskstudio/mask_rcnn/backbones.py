"""Backbones with a feature pyramid on top: torchvision's own, and timm's."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import timm
import torch
import torchvision
from torch import Tensor, nn
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.ops import FeaturePyramidNetwork, FrozenBatchNorm2d
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from maskstudio.errors import UserError

RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
MOBILENET = "mobilenet_v3_large"
# Of torchvision's own pyramids.
_PYRAMID_CHANNELS = 256
# The layers torchvision takes, the channels they give, and their strides; they are as coarse as
# each other, so that its RoI Align takes every box from the first.
_MOBILENET_LAYERS = {"13": "0", "16": "1"}
_MOBILENET_CHANNELS = [160, 960]
_MOBILENET_STRIDES = [32, 32]


@dataclass(frozen=True)
class Norm:
    """How a backbone of torchvision's normalises.

    Attributes:
        kind: `batch` or `frozen`.
        eps: added to a variance before it is divided by its root.
    """

    kind: str = "batch"
    eps: float = 1e-5


def build_backbone(
    name: str, channels: int, norm: Norm, *, v2: bool
) -> tuple[nn.Module, list[int]]:
    """Build a backbone and the pyramid on top of it.

    Args:
        name: of a ResNet, of torchvision's MobileNet, or of one of timm's models.
        channels: of every level of the pyramid.
        norm: of torchvision's backbones; timm's have their own.
        v2: the pyramid normalises too.

    Returns:
        What turns images into levels, and the strides of all but the last, which is pooled.

    Raises:
        UserError: there is no such backbone, or it cannot be built so.
    """
    if name not in (*RESNETS, MOBILENET):
        pyramid = TimmPyramid(name, channels)
        return pyramid, pyramid.strides
    if channels != _PYRAMID_CHANNELS:
        raise UserError(f"A pyramid on {name} has {_PYRAMID_CHANNELS} channels, always.")
    body = torchvision.models.get_model(name, weights=None, norm_layer=_norm_layer(norm))
    if name == MOBILENET:
        layers, given, strides = _MOBILENET_LAYERS, _MOBILENET_CHANNELS, _MOBILENET_STRIDES
        body = body.features
    else:
        layers = {f"layer{level + 1}": str(level) for level in range(4)}
        widest = body.fc.in_features
        given, strides = [widest // 8, widest // 4, widest // 2, widest], [4, 8, 16, 32]
    backbone = BackboneWithFPN(
        body,
        return_layers=layers,
        in_channels_list=given,
        out_channels=_PYRAMID_CHANNELS,
        norm_layer=nn.BatchNorm2d if v2 else None,
    )
    return backbone, strides


def _norm_layer(norm: Norm) -> Callable[[int], nn.Module]:
    kinds = {"batch": nn.BatchNorm2d, "frozen": FrozenBatchNorm2d}
    if norm.kind not in kinds:
        raise UserError(f"Norm {norm.kind!r} is neither 'batch' nor 'frozen'.")
    return partial(kinds[norm.kind], eps=norm.eps)


class TimmPyramid(nn.Module):
    """A timm feature extractor below a feature pyramid, shaped like torchvision's own."""

    def __init__(self, name: str, channels: int) -> None:
        super().__init__()
        try:
            body: Any = timm.create_model(name, features_only=True, pretrained=False)
        except (RuntimeError, AttributeError, TypeError, AssertionError) as error:
            raise UserError(
                f"{name!r} is not a backbone: it is neither a ResNet nor {MOBILENET} nor a timm "
                f"model that offers its features ({error})."
            ) from error
        self.body = body
        info = body.feature_info
        _check_features(name, body)
        # The finest level of the paper has stride 4; finer ones cost much and find nothing more.
        self.used = [i for i, stride in enumerate(info.reduction()) if stride >= 4]
        self.strides = [info.reduction()[i] for i in self.used]
        channels_in = [info.channels()[i] for i in self.used]
        self.fpn = FeaturePyramidNetwork(channels_in, channels, LastLevelMaxPool())
        self.out_channels = channels

    def look(self, images: Tensor) -> dict[str, Tensor]:
        """Return what enters the pyramid of a batch (N, 3, H, W): name to (N, C, H/s, W/s)."""
        features = self.body(images)
        return {str(number): features[index] for number, index in enumerate(self.used)}

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return the pyramid of a batch (N, 3, H, W): name to (N, channels, H/s, W/s)."""
        levels: dict[str, Tensor] = self.fpn(self.look(images))
        return levels


def _check_features(name: str, body: Any) -> None:
    """Refuse a backbone that takes one size of image only or puts channels last."""
    try:
        with torch.no_grad():
            found = body.eval()(torch.zeros(1, 3, 96, 160))
    except (RuntimeError, AssertionError, ValueError) as error:
        raise UserError(f"{name!r} cannot be a backbone: {error}") from error
    finally:
        body.train()
    if [feature.shape[1] for feature in found] != body.feature_info.channels():
        raise UserError(f"{name!r} cannot be a backbone: it does not put channels first.")
