"""How exact a model calculates on its device: in half the bits where they are good enough.

What is good enough was measured with the embedded model (docs/decisions/0020): bfloat16 keeps 8
bits, and a whole backbone in it moves the boxes by 3 %; its coarse half, the pyramid and the heads
move them by 0.4 %. float16 keeps 11 bits and is used throughout where a GPU has it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN

# From this generation on (Volta) NVIDIA's GPUs calculate faster in float16 than in float32.
_FLOAT16_SINCE = (7, 0)
_WEIGHTED = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)


@dataclass(frozen=True)
class Precision:
    """How exact a model calculates.

    Attributes:
        name: what a person reads.
        half: the shorter numbers; None where all is float32.
        throughout: the fine half of the backbone, too, has the shorter numbers.
    """

    name: str
    half: torch.dtype | None = None
    throughout: bool = False


FLOAT32 = Precision("float32")
FLOAT16 = Precision("float16", torch.float16, throughout=True)
MOSTLY_BFLOAT16 = Precision("bfloat16, fine layers float32", torch.bfloat16)


def choose_precision(device: torch.device) -> Precision:
    """Take the fastest numbers that agree with float32 on this device.

    Apple's GPUs stay at float32: nobody has yet measured that they agree in less.
    """
    if device.type == "cuda":
        modern = torch.cuda.get_device_capability(device) >= _FLOAT16_SINCE
        return FLOAT16 if modern else FLOAT32
    return MOSTLY_BFLOAT16 if device.type == "cpu" and _cpu_has_bfloat16() else FLOAT32


def lower(model: FasterRCNN, precision: Precision) -> None:
    """Change a model on its device to a precision; what comes out of each part stays float32.

    Args:
        model: in evaluation mode; its weights in shorter numbers replace those it had.
        precision: what `choose_precision` gave.
    """
    half = precision.half
    if half is None:
        return
    if precision.throughout:
        model.backbone = _Lowered(model.backbone, half)
    else:
        _lower_coarse_half(model.backbone.body, half)
        lower_pyramid(model, precision)
    lower_heads(model, precision)


def lower_pyramid(model: FasterRCNN, precision: Precision) -> None:
    """Change the pyramid alone, where it is apart from the rest of the backbone; see `lower`."""
    if precision.half is not None:
        model.backbone.fpn = _Lowered(model.backbone.fpn, precision.half)


def lower_heads(model: FasterRCNN, precision: Precision) -> None:
    """Change the heads alone; see `lower`."""
    half = precision.half
    if half is None:
        return
    # The layers that give scores and distances stay: they cost next to nothing.
    for layers in model.rpn.head.conv:
        layers[0] = _Lowered(layers[0], half)
    heads = model.roi_heads
    heads.box_head = _Lowered(heads.box_head, half)
    if heads.has_mask():
        heads.mask_head = _Lowered(heads.mask_head, half)
        heads.mask_predictor = _Lowered(heads.mask_predictor, half)


def _lower_coarse_half(body: nn.Module, half: torch.dtype) -> None:
    """Lower the layers of a backbone that see an image at a sixteenth of its size and less.

    In a ResNet these are the last two of four, in timm's EfficientNets and MobileNets the last
    four of seven; other backbones stay as they are.
    """
    if isinstance(blocks := getattr(body, "blocks", None), nn.Sequential) and len(blocks) == 7:
        for number in range(3, 7):
            blocks[number] = _Lowered(blocks[number], half)
    for name in ("layer3", "layer4"):
        if isinstance(layer := getattr(body, name, None), nn.Module):
            setattr(body, name, _Lowered(layer, half))


class _Lowered(nn.Module):
    """A part of a network that calculates in shorter numbers between neighbours in float32.

    Batch norms keep their float32 figures: a variance may be larger than a float16 can be.
    """

    def __init__(self, inner: nn.Module, half: torch.dtype) -> None:
        super().__init__()
        for module in inner.modules():
            if isinstance(module, _WEIGHTED):
                module.to(half)
        self.inner = inner
        self._half = half

    def forward(self, given: Tensor | Mapping[str, Tensor]) -> Any:
        """Return what the part gives, a tensor or tensors by name, in float32."""
        device = given if isinstance(given, Tensor) else next(iter(given.values()))
        with torch.autocast(device.device.type, self._half):
            found = self.inner(given)
        if isinstance(found, Tensor):
            return found.float()
        return {name: tensor.float() for name, tensor in found.items()}


def _cpu_has_bfloat16() -> bool:
    """Tell whether the CPU multiplies bfloat16 itself; where it does not, they are slower."""
    known = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return known is not None and bool(known())
