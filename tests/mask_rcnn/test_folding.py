"""A model whose norms are folded into its convolutions says what it said before."""

import copy

import pytest
import torch
from torch import nn
from torchvision.models.detection import maskrcnn_resnet50_fpn, maskrcnn_resnet50_fpn_v2
from torchvision.ops import FrozenBatchNorm2d

from maskstudio.mask_rcnn.folding import fold_norms
from maskstudio.mask_rcnn.model_file import find_model, load_model
from maskstudio.mask_rcnn.precision import MOSTLY_BFLOAT16, lower

NORMS = nn.BatchNorm2d, FrozenBatchNorm2d


def trained(model: nn.Module) -> nn.Module:
    """Give every norm figures of its own, as training does."""
    torch.manual_seed(0)
    for norm in (m for m in model.modules() if isinstance(m, NORMS)):
        for figures, low, high in (
            (norm.weight.data, 0.5, 1.5),
            (norm.bias.data, -0.2, 0.2),
            (norm.running_mean, -0.2, 0.2),
            (norm.running_var, 0.5, 2.0),
        ):
            figures.uniform_(low, high)
    return model.eval()


def norms(model: nn.Module) -> int:
    return sum(isinstance(m, NORMS) for m in model.modules())


@pytest.mark.parametrize("build", [maskrcnn_resnet50_fpn, maskrcnn_resnet50_fpn_v2])
@torch.inference_mode()
def test_the_features_stay_what_they_were(build) -> None:
    model = trained(build(weights=None, weights_backbone=None)).backbone
    folded = copy.deepcopy(model)
    fold_norms(folded)
    assert norms(model) >= 53
    assert norms(folded) == 0
    image = torch.rand(1, 3, 96, 128)
    for before, after in zip(model(image).values(), folded(image).values(), strict=True):
        assert (before - after).abs().max() < 1e-4 * before.abs().max()


def test_norms_between_shorter_numbers_keep_their_figures() -> None:
    model = trained(maskrcnn_resnet50_fpn(weights=None, weights_backbone=None))
    lower(model, MOSTLY_BFLOAT16)
    coarse = [norms(getattr(model.backbone.body, name)) for name in ("layer3", "layer4")]
    fold_norms(model)
    body = model.backbone.body
    assert [norms(getattr(body, name)) for name in ("layer3", "layer4")] == coarse
    assert norms(body) == sum(coarse)


def test_norms_with_an_activation_in_them_are_left_alone() -> None:
    _, model = load_model(find_model("nuclei"))
    before = norms(model)
    fold_norms(model)
    assert norms(model) == before > 0
