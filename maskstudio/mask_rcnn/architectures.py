"""Build every member of the Mask R-CNN and Faster R-CNN family from its name.

The parts are torchvision's: backbone, feature pyramid, region proposal network, RoI Align, box
head and mask head. A name reads `<head>_<backbone>_fpn[_v2]`:

* head: `maskrcnn` (boxes, categories and RoI masks) or `fasterrcnn` (boxes and categories only);
* backbone: `resnet18` to `resnet152` or `mobilenet_v3_large` (torchvision's), or any timm model
  that offers its features;
* `_v2`: torchvision's improved heads and region proposal network (ResNets only).
"""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN, MaskRCNN, faster_rcnn, mask_rcnn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.rpn import RPNHead
from torchvision.ops import RoIPool
from torchvision.ops.poolers import initLevelMapper

from maskstudio.errors import UserError
from maskstudio.mask_rcnn.backbones import MOBILENET, RESNETS, Norm, build_backbone
from maskstudio.mask_rcnn.roi_align import QuickRoIAlign

ROI_OPS = ("align", "pool")
_NAME = re.compile(r"(maskrcnn|fasterrcnn)_(.+?)_fpn(_v2)?")
# Proposals below this score are dropped by torchvision's MobileNet.
_MOBILENET_RPN_SCORE = 0.05
# Cells a side that torchvision's own models pool for the box head and for the mask head.
_BOX_POOL, _MASK_POOL = 7, 14
_ASPECT_RATIOS = (0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Architecture:
    """Everything that must be known to build a network before its weights are loaded.

    Attributes:
        name: `<head>_<backbone>_fpn[_v2]`, see the module's text.
        min_size: pixels the shorter side of an image is scaled to.
        max_size: pixels the longer side may then have at most.
        anchor_sizes: one side length in (scaled) pixels for each level of the pyramid; with
            `mobilenet_v3_large` every level has all of them.
        fpn_channels: channels of every pyramid level.
        mask_channels: channels of each of the four convolutions of the mask head.
        box_features: width of the two hidden layers of the box head (first version).
        roi_op: `align` (RoI Align) or `pool` (RoI pooling, on the finest fitting level).
        max_detections: detections kept in one image.
        norm: `batch`, or `frozen`: batch norm whose figures no training changes (torchvision's
            backbones that started from other weights; timm's have their own).
        norm_eps: what the backbone adds to a variance before it divides by its root.
        unnamed: last outputs of the classifier that stand for no category; they count as
            background.
    """

    name: str
    min_size: int = 800
    max_size: int = 1333
    anchor_sizes: tuple[int, ...] = (32, 64, 128, 256, 512)
    fpn_channels: int = 256
    mask_channels: int = 256
    box_features: int = 1024
    roi_op: str = "align"
    max_detections: int = 100
    norm: str = "batch"
    norm_eps: float = 1e-5
    unnamed: int = 0

    @property
    def backbone(self) -> str:
        """Name of the backbone inside `name`."""
        return _parse(self.name)[1]

    @property
    def has_masks(self) -> bool:
        """True for Mask R-CNN, False for Faster R-CNN."""
        return _parse(self.name)[0] == "maskrcnn"

    def to_header(self) -> dict[str, object]:
        """Return the fields as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_header(cls, header: Mapping[str, object]) -> "Architecture":
        """Read back what `to_header` gave.

        Raises:
            UserError: a field is missing, unknown or of the wrong type.
        """
        defaults = cls("").to_header()
        header = {name: defaults[name] for name in _NOT_IN_ALL_FILES} | dict(header)
        if set(header) != set(defaults):
            odd = ", ".join(sorted(set(header) ^ set(defaults)))
            raise UserError(f"The model's architecture is not one this program knows ({odd}).")
        values: dict[str, Any] = {}
        for key, default in defaults.items():
            value = header[key]
            if isinstance(default, tuple) and isinstance(value, list):
                value = tuple(value)
            if not isinstance(value, type(default)):
                raise UserError(f"The model's architecture has a bad value for {key!r}: {value!r}.")
            values[key] = value
        architecture = cls(**values)
        _parse(architecture.name)
        return architecture


# The embedded model is older than these, and has their usual values.
_NOT_IN_ALL_FILES = ("norm", "norm_eps", "unnamed")


def default_architecture(name: str) -> Architecture:
    """Return the usual settings for a name: torchvision's for ResNets, lean ones for the rest.

    Raises:
        UserError: the name is not one of the family.
    """
    architecture = Architecture(name)
    if architecture.backbone in (*RESNETS, MOBILENET):
        return architecture
    return replace(
        architecture,
        min_size=512,
        max_size=1024,
        anchor_sizes=(8, 16, 32, 64, 128),
        fpn_channels=96,
        mask_channels=64,
        box_features=256,
        max_detections=500,
    )


def build(architecture: Architecture, categories: int) -> FasterRCNN:
    """Build the network with fresh weights.

    Args:
        architecture: what to build.
        categories: number of categories, background not counted.

    Returns:
        A `MaskRCNN` (which is a `FasterRCNN`) or a `FasterRCNN`, in training mode. Its label `i`
        (1-based, 0 is background) is the model's category at position `i - 1`.

    Raises:
        UserError: the backbone is unknown or the architecture does not fit together.
    """
    head, _, v2 = _parse(architecture.name)
    if architecture.roi_op not in ROI_OPS:
        raise UserError(f"RoI operation {architecture.roi_op!r} is neither 'align' nor 'pool'.")
    backbone, strides = build_backbone(
        architecture.backbone,
        architecture.fpn_channels,
        Norm(architecture.norm, architecture.norm_eps),
        v2=v2,
    )
    anchors = _anchors(architecture, len(strides) + 1)
    channels = architecture.fpn_channels
    box_head, width = _box_head(architecture, v2=v2)
    # More proposals than detections, or the last objects of a crowded image are never seen.
    proposals = max(1000, 2 * architecture.max_detections)
    arguments: dict[str, Any] = {
        "min_size": architecture.min_size,
        "max_size": architecture.max_size,
        "rpn_anchor_generator": anchors,
        "rpn_head": RPNHead(
            channels, anchors.num_anchors_per_location()[0], conv_depth=2 if v2 else 1
        ),
        "rpn_pre_nms_top_n_test": proposals,
        "rpn_post_nms_top_n_test": proposals,
        "rpn_score_thresh": _MOBILENET_RPN_SCORE if architecture.backbone == MOBILENET else 0.0,
        "box_head": box_head,
        "box_predictor": _BoxPredictor(width, categories + 1, architecture.unnamed),
        "box_detections_per_img": architecture.max_detections,
    }
    if head == "fasterrcnn":
        model = FasterRCNN(backbone, **arguments)
    else:
        hidden = architecture.mask_channels
        norm = nn.BatchNorm2d if v2 else None
        model = MaskRCNN(
            backbone,
            mask_head=mask_rcnn.MaskRCNNHeads(channels, [hidden] * 4, 1, norm_layer=norm),
            mask_predictor=mask_rcnn.MaskRCNNPredictor(hidden, hidden, categories + 1),
            **arguments,
        )
    # Set afterwards: the constructors accept nothing but torchvision's own RoI Align.
    roi_op = _MultiScaleRoIPool if architecture.roi_op == "pool" else QuickRoIAlign
    model.roi_heads.box_roi_pool = roi_op(_BOX_POOL, strides)
    if architecture.has_masks:
        model.roi_heads.mask_roi_pool = roi_op(_MASK_POOL, strides)
    return model


def load_backbone_weights(model: FasterRCNN, weights: Mapping[str, Tensor]) -> None:
    """Fill the backbone from a classifier's weights, by name or else by order.

    Weight files of one network go by several names; the tensors and their order are the same, so
    where the names do not match the tensors are taken in order and every shape must agree.

    Args:
        model: what `build` gave.
        weights: names to tensors; the classifier's last tensors may be left over.

    Raises:
        UserError: the tensors are not those of this backbone.
    """
    body = model.backbone.body
    wanted = {k: v for k, v in body.state_dict().items() if "num_batches_tracked" not in k}
    given = {k: v for k, v in weights.items() if "num_batches_tracked" not in k}
    if not set(wanted) <= set(given):
        given = dict(zip(wanted, given.values(), strict=False))
    if [v.shape for v in wanted.values()] != [given[k].shape for k in wanted if k in given]:
        raise UserError("The backbone weights do not fit: they are of another network.")
    body.load_state_dict({k: given[k] for k in wanted}, strict=False)


class _BoxPredictor(nn.Module):
    """torchvision's `FastRCNNPredictor`, with outputs at the end that stand for no category.

    They take part in the softmax as they did when the model was trained, as background: their
    probabilities add up, so that the score of every category is exactly what it was.
    """

    def __init__(self, width: int, outputs: int, unnamed: int) -> None:
        super().__init__()
        self._outputs = outputs
        self.cls_score = nn.Linear(width, outputs + unnamed)
        self.bbox_pred = nn.Linear(width, 4 * outputs)

    def forward(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (n, outputs) and box deltas (n, 4 * outputs) of hidden (n, width)."""
        hidden = hidden.flatten(1)
        logits: Tensor = self.cls_score(hidden)
        if logits.shape[1] > self._outputs:
            nothing = torch.cat([logits[:, :1], logits[:, self._outputs :]], dim=1)
            background = nothing.logsumexp(dim=1, keepdim=True)
            logits = torch.cat([background, logits[:, 1 : self._outputs]], dim=1)
        return logits, self.bbox_pred(hidden)


class _MultiScaleRoIPool(nn.Module):
    """RoI pooling (whole cells, no interpolation) on the level that fits each box."""

    def __init__(self, size: int, strides: list[int]) -> None:
        super().__init__()
        self.output_size = (size, size)
        self.pools = nn.ModuleList(RoIPool(size, 1 / stride) for stride in strides)
        self.level_of = initLevelMapper(round(math.log2(strides[0])), round(math.log2(strides[-1])))

    def forward(
        self, features: dict[str, Tensor], boxes: list[Tensor], image_shapes: list[tuple[int, int]]
    ) -> Tensor:
        """Pool every box (list of (n, 4) per image) to (sum n, channels, size, size)."""
        del image_shapes  # MultiScaleRoIAlign infers the strides from them; here they are known.
        image_of = [torch.full_like(b[:, :1], i) for i, b in enumerate(boxes)]
        rois = torch.cat([torch.cat(image_of), torch.cat(boxes)], dim=1)
        levels = self.level_of(boxes)
        channels = features["0"].shape[1]
        pooled = features["0"].new_zeros((len(rois), channels, *self.output_size))
        for number, pool in enumerate(self.pools):
            chosen = levels == number
            pooled[chosen] = pool(features[str(number)], rois[chosen])
        return pooled


def _parse(name: str) -> tuple[str, str, bool]:
    found = _NAME.fullmatch(name)
    if found is None:
        raise UserError(
            f"{name!r} is not an architecture: expected maskrcnn_BACKBONE_fpn or "
            "fasterrcnn_BACKBONE_fpn, for example maskrcnn_resnet50_fpn."
        )
    if found[3] and found[2] not in RESNETS:
        raise UserError(f"{name!r} is not an architecture: _v2 exists only for ResNets.")
    return found[1], found[2], found[3] is not None


def _anchors(architecture: Architecture, levels: int) -> AnchorGenerator:
    sizes = architecture.anchor_sizes
    if architecture.backbone == MOBILENET:
        return AnchorGenerator((sizes,) * levels, (_ASPECT_RATIOS,) * levels)
    if len(sizes) != levels:
        raise UserError(
            f"{architecture.name} has {levels} pyramid levels, but "
            f"{len(sizes)} anchor sizes were given."
        )
    return AnchorGenerator(tuple((size,) for size in sizes), (_ASPECT_RATIOS,) * levels)


def _box_head(architecture: Architecture, *, v2: bool) -> tuple[nn.Module, int]:
    channels = architecture.fpn_channels
    if v2:
        head = faster_rcnn.FastRCNNConvFCHead(
            (channels, _BOX_POOL, _BOX_POOL), [channels] * 4, [1024], norm_layer=nn.BatchNorm2d
        )
        return head, 1024
    width = architecture.box_features
    return faster_rcnn.TwoMLPHead(channels * _BOX_POOL**2, width), width
