"""Every member of the family is built by name, with torchvision's own parts and names."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torchvision.models import detection

from maskstudio.errors import UserError
from maskstudio.mask_rcnn.architectures import (
    Architecture,
    build,
    default_architecture,
    load_backbone_weights,
)

SMALL = "fasterrcnn_resnet10t_fpn"


def shapes(model: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize(
    "name",
    [
        "maskrcnn_resnet50_fpn",
        "maskrcnn_resnet50_fpn_v2",
        "fasterrcnn_resnet50_fpn",
        "fasterrcnn_resnet50_fpn_v2",
    ],
)
def test_weights_have_the_names_and_shapes_of_torchvisions_own_files(name: str) -> None:
    with torch.device("meta"):
        own = getattr(detection, name)(weights=None, weights_backbone=None, num_classes=91)
        ours = build(default_architecture(name), categories=90)
    assert shapes(ours) == shapes(own)
    assert ours.transform.min_size == own.transform.min_size
    assert ours.transform.max_size == own.transform.max_size
    anchors = ours.rpn.anchor_generator
    assert anchors.sizes == own.rpn.anchor_generator.sizes
    assert anchors.aspect_ratios == own.rpn.anchor_generator.aspect_ratios
    assert type(ours) is type(own)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("resnet50", "'resnet50' is not an architecture: expected maskrcnn_BACKBONE_fpn"),
        ("maskrcnn_resnet50", "expected maskrcnn_BACKBONE_fpn"),
        ("retinanet_resnet50_fpn", "expected maskrcnn_BACKBONE_fpn"),
        ("maskrcnn_resnet10t_fpn_v2", "_v2 exists only for ResNets"),
    ],
)
def test_a_name_outside_the_family_is_refused(name: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        default_architecture(name)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("maskrcnn_nosuchnet_fpn", "'nosuchnet' is not a backbone"),
        # Takes images of one size only.
        ("maskrcnn_swin_tiny_patch4_window7_224_fpn", "cannot be a backbone: Input height"),
    ],
)
def test_a_backbone_that_cannot_be_one_is_refused(name: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        build(default_architecture(name), categories=1)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"anchor_sizes": (8, 16)}, "has 5 pyramid levels, but 2 anchor sizes were given"),
        ({"roi_op": "warp"}, "'warp' is neither 'align' nor 'pool'"),
        (
            {"name": "maskrcnn_resnet50_fpn", "fpn_channels": 64},
            "A pyramid on resnet50 has 256 channels, always",
        ),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(
    values: dict[str, object], says: str
) -> None:
    architecture = replace(default_architecture(SMALL), **values)
    with pytest.raises(UserError, match=says):
        build(architecture, categories=1)


def test_a_fresh_network_is_in_training_mode_and_the_same_for_the_same_seed() -> None:
    torch.manual_seed(3)
    model = build(default_architecture(SMALL), categories=1)
    assert all(module.training for module in model.modules())
    counters = [v for k, v in model.state_dict().items() if k.endswith("num_batches_tracked")]
    assert counters
    assert not any(counters), "a batch has passed through it"
    torch.manual_seed(3)
    again = build(default_architecture(SMALL), categories=1)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name


def test_roi_pooling_takes_the_level_that_roi_align_takes() -> None:
    pooling = replace(default_architecture(SMALL), roi_op="pool")
    pool = build(pooling, categories=1).roi_heads.box_roi_pool
    align = build(default_architecture(SMALL), categories=1).roi_heads.box_roi_pool
    # Each level holds its own number; an image of 512 x 512.
    levels = {str(n): torch.full((1, 1, 128 >> n, 128 >> n), float(n)) for n in range(4)}
    sides = [20.0, 100, 120, 200, 240, 440, 460, 510]
    boxes = [torch.tensor([[1.0, 1.0, side, side] for side in sides])]
    pooled = pool(levels, boxes, [(512, 512)])
    assert pooled.shape == (len(sides), 1, 7, 7)
    torch.testing.assert_close(pooled, align(levels, boxes, [(512, 512)]))
    assert set(pooled.flatten().tolist()) == {0, 1, 2, 3}


def test_roi_pooling_takes_whole_cells_under_the_box_of_the_right_image() -> None:
    pooling = replace(default_architecture(SMALL), roi_op="pool")
    pool = build(pooling, categories=1).roi_heads.box_roi_pool
    columns = torch.arange(16.0).expand(16, 16)  # of 4 pixels
    levels = {str(n): torch.zeros(2, 1, 16 >> n, 16 >> n) for n in range(4)}
    levels["0"] = torch.stack([columns, 100 + columns])[:, None]
    boxes = [torch.tensor([[16.0, 16, 48, 48]]), torch.tensor([[0.0, 0, 24, 24]])]
    first, second = pool(levels, boxes, [(64, 64), (64, 64)])[:, 0]
    assert first[0].tolist() == sorted(first[0].tolist())
    assert 4 <= first[0, 0] <= 5
    assert first[0, -1] == 12
    assert second[0].tolist() == [100 + n for n in range(7)]


def test_an_architecture_survives_its_header() -> None:
    architecture = replace(
        default_architecture("maskrcnn_tf_efficientnet_lite0_fpn"), roi_op="pool", min_size=300
    )
    header = architecture.to_header()
    as_json = {key: list(v) if isinstance(v, tuple) else v for key, v in header.items()}
    assert Architecture.from_header(as_json) == architecture
    assert architecture.backbone == "tf_efficientnet_lite0"
    assert architecture.has_masks
    assert not default_architecture(SMALL).has_masks


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"stride": 4}, r"not one this program knows \(stride\)"),
        ({"min_size": "800"}, "a bad value for 'min_size': '800'"),
        ({"anchor_sizes": 8}, "a bad value for 'anchor_sizes': 8"),
        ({"name": "yolo"}, "'yolo' is not an architecture"),
    ],
)
def test_a_header_that_is_wrong_is_refused(change: dict[str, object], says: str) -> None:
    header = default_architecture(SMALL).to_header() | change
    with pytest.raises(UserError, match=says):
        Architecture.from_header(header)


def test_backbone_weights_are_taken_by_name_with_the_classifier_left_over() -> None:
    model = build(default_architecture(SMALL), categories=1)
    source = build(default_architecture(SMALL), categories=1).backbone.body.state_dict()
    load_backbone_weights(model, {**source, "fc.weight": torch.zeros(10, 512)})
    loaded = model.backbone.body.state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in source.items())


def test_backbone_weights_under_other_names_are_taken_in_order() -> None:
    model = build(default_architecture(SMALL), categories=1)
    before = model.backbone.body.state_dict()
    source = {
        f"module.{number}": torch.rand_like(tensor) + 1
        for number, (name, tensor) in enumerate(before.items())
        if "num_batches_tracked" not in name
    }
    load_backbone_weights(model, source | {"head.weight": torch.zeros(10, 512)})
    names = [name for name in before if "num_batches_tracked" not in name]
    loaded = model.backbone.body.state_dict()
    for name, tensor in zip(names, source.values(), strict=True):
        assert torch.equal(loaded[name], tensor), name


def test_backbone_weights_of_another_network_are_refused() -> None:
    model = build(default_architecture(SMALL), categories=1)
    other = build(default_architecture("fasterrcnn_mobilenetv3_small_050_fpn"), categories=1)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    for weights in (other.backbone.body.state_dict(), {"fc.weight": torch.zeros(10, 512)}, {}):
        with pytest.raises(UserError, match="they are of another network"):
            load_backbone_weights(model, weights)
    assert all(torch.equal(before[name], v) for name, v in model.state_dict().items())
