"""The network a run begins with: a model's, with rows for other categories, or a fresh one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torchvision.models.detection import FasterRCNN

from maskstudio.annotation.annotation import Category
from maskstudio.errors import UserError
from maskstudio.mask_rcnn.architectures import (
    Architecture,
    build,
    default_architecture,
    load_backbone_weights,
)
from maskstudio.mask_rcnn.importing import obtain_model
from maskstudio.mask_rcnn.model_file import ModelInfo, load_model, read_info, read_state_dict

_BOX = "roi_heads.box_predictor"
# Tensors with rows for each category, background first, and how many rows each has.
_ROWS: Mapping[str, int] = {
    f"{_BOX}.cls_score": 1,
    f"{_BOX}.bbox_pred": 4,
    "roi_heads.mask_predictor.mask_fcn_logits": 1,
}


def is_architecture(init: str) -> bool:
    """Tell whether a word names an architecture rather than a model."""
    return init.startswith(("maskrcnn_", "fasterrcnn_")) and not Path(init).is_file()


def start_info(init: str) -> ModelInfo:
    """Return what a run begins with says of itself; a fresh network knows no categories.

    Raises:
        UserError: there is no such model or architecture.
    """
    if is_architecture(init):
        return ModelInfo(init, default_architecture(init), ())
    return read_info(obtain_model(init))


def start_model(
    init: str,
    architecture: Architecture,
    categories: Sequence[Category],
    backbone_weights: Path | None,
    seed: int,
) -> FasterRCNN:
    """Build the network of a run.

    Args:
        init: a model's name or path, or an architecture's name.
        architecture: what to build: that of `init`, with other sizes perhaps.
        categories: what it is to find.
        backbone_weights: a classifier's weights, for a fresh network only.
        seed: of fresh weights.

    Raises:
        UserError: the model cannot be read, or weights and network do not fit.
    """
    torch.manual_seed(seed)
    model = build(architecture, len(categories))
    if is_architecture(init):
        if backbone_weights:
            load_backbone_weights(model, read_state_dict(backbone_weights))
        return model
    if backbone_weights:
        raise UserError(f"{init} has its own backbone; give backbone weights with an architecture.")
    info, known = load_model(obtain_model(init))
    weights = with_rows(
        known.state_dict(), [c.name for c in info.categories], [c.name for c in categories]
    )
    model.load_state_dict(weights)
    return model


def fitting(architecture: Architecture, input_size: int, anchors: tuple[int, ...]) -> Architecture:
    """Return an architecture for images of other sizes; outputs without a name are left behind."""
    same = input_size == architecture.min_size
    return replace(
        architecture,
        min_size=input_size,
        max_size=architecture.max_size if same else 2 * input_size,
        anchor_sizes=anchors,
        unnamed=0,
    )


def with_rows(
    weights: Mapping[str, Tensor], known: Sequence[str], wanted: Sequence[str]
) -> dict[str, Tensor]:
    """Return the weights of a network for other categories.

    Rows of categories that are known by name are taken over. New ones begin as the mean of all
    that are known: a box to be drawn better, and something in it to be outlined, whatever it is.

    Args:
        weights: of the whole network.
        known: the names of its categories, in the order of its rows.
        wanted: those it is to have.
    """
    changed = dict(weights)
    taken = [known.index(name) + 1 if name in known else None for name in wanted]
    for name, each in _ROWS.items():
        for kind in ("weight", "bias"):
            tensor = weights.get(f"{name}.{kind}")
            if tensor is None:
                continue
            by_output = tensor.unflatten(0, (len(tensor) // each, each))
            mean = by_output[1 : len(known) + 1].mean(0)
            rows = [by_output[0], *(mean if n is None else by_output[n] for n in taken)]
            changed[f"{name}.{kind}"] = torch.stack(rows).flatten(0, 1)
    return changed
