"""Which network weights belong to is told from their names and shapes."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import detection, resnet18
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

from maskstudio.errors import UserError
from maskstudio.mask_rcnn.recognition import recognise
from maskstudio.storage.catalogue import coco_categories

MOBILENET = "fasterrcnn_mobilenet_v3_large_fpn"


def of(model: Callable[[], nn.Module]) -> dict[str, Tensor]:
    """Return weights of a model's names and shapes that take no memory; every one is 1."""
    with torch.device("meta"):
        shapes = {name: t.shape for name, t in model().state_dict().items()}
    return {name: torch.ones(()).expand(shape) for name, shape in shapes.items()}


def torchvisions(name: str, outputs: int) -> dict[str, Tensor]:
    def make() -> nn.Module:
        made = getattr(detection, name)
        model: nn.Module = made(weights=None, weights_backbone=None, num_classes=outputs)
        return model

    return of(make)


@pytest.mark.parametrize(
    "name",
    [
        "maskrcnn_resnet50_fpn",
        "maskrcnn_resnet50_fpn_v2",
        "fasterrcnn_resnet50_fpn",
        "fasterrcnn_resnet50_fpn_v2",
        MOBILENET,
    ],
)
def test_torchvisions_models_of_any_number_of_categories_are_recognised(name: str) -> None:
    found = recognise(torchvisions(name, 8), "own.pth")
    assert found.architecture.name == name
    assert found.outputs == 8
    assert found.architecture.norm == "batch"


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_resnets_of_any_depth_are_recognised(depth: int) -> None:
    def make() -> nn.Module:
        backbone = resnet_fpn_backbone(backbone_name=f"resnet{depth}", weights=None)
        model: nn.Module = detection.MaskRCNN(backbone, 3)
        return model

    found = recognise(of(make), "own.pth")
    assert found.architecture.name == f"maskrcnn_resnet{depth}_fpn"
    assert found.architecture.norm == "frozen"
    # Only from torchvision's ResNet-50 of COCO does one start whose norm adds nothing.
    assert found.architecture.norm_eps == (0.0 if depth == 50 else 1e-5)


def test_a_channel_that_never_varied_is_not_divided_by_nothing() -> None:
    weights = torchvisions("maskrcnn_resnet50_fpn", 2)
    frozen = {n: t for n, t in weights.items() if not n.endswith("num_batches_tracked")}
    assert recognise(frozen, "own.pth").architecture.norm_eps == 0
    frozen["backbone.body.bn1.running_var"] = torch.zeros(64)
    assert recognise(frozen, "own.pth").architecture.norm_eps == 1e-5


def test_the_widths_of_the_heads_are_recognised() -> None:
    def make() -> nn.Module:
        model: Any = detection.maskrcnn_resnet50_fpn(weights=None, weights_backbone=None)
        heads = model.roi_heads
        heads.box_head = detection.faster_rcnn.TwoMLPHead(256 * 49, 96)
        heads.box_predictor = detection.faster_rcnn.FastRCNNPredictor(96, 3)
        heads.mask_head = detection.mask_rcnn.MaskRCNNHeads(256, [48] * 4, 1)
        heads.mask_predictor = detection.mask_rcnn.MaskRCNNPredictor(48, 48, 3)
        made: nn.Module = model
        return made

    architecture = recognise(of(make), "own.pth").architecture
    assert (architecture.box_features, architecture.mask_channels) == (96, 48)


def test_ninety_categories_are_taken_for_cocos() -> None:
    found = recognise(torchvisions(MOBILENET, 91), "own.pth")
    assert found.outputs - 1 == len(coco_categories())


@pytest.mark.parametrize(
    ("model", "seen"),
    [
        (
            lambda: detection.retinanet_resnet50_fpn(weights=None, weights_backbone=None),
            "RetinaNet",
        ),
        (
            lambda: detection.keypointrcnn_resnet50_fpn(weights=None, weights_backbone=None),
            "a Keypoint R-CNN",
        ),
        (resnet18, "a classifier"),
        (lambda: nn.Linear(3, 2), "2 tensors, first weight of shape (2, 3)"),
    ],
    ids=["RetinaNet", "keypoints", "classifier", "anything"],
)
def test_another_network_is_named_as_what_it_seems(
    model: Callable[[], nn.Module], seen: str
) -> None:
    with pytest.raises(UserError) as refused:
        recognise(of(model), "own.pth")
    assert seen in str(refused.value)
