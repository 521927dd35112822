"""Take in a model that another program wrote: torchvision's own, or a person's.

What is taken in becomes a model file of this program in the person's folder of models.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from maskstudio.annotation.annotation import Category
from maskstudio.errors import UserError
from maskstudio.formats.coco_reader import read_categories
from maskstudio.mask_rcnn.model_file import (
    ModelInfo,
    find_model,
    has_header,
    load_model,
    load_torch_file,
    save_model,
)
from maskstudio.mask_rcnn.recognition import Recognised, check_numbers, recognise
from maskstudio.progress import TaskContext
from maskstudio.storage.catalogue import UNNAMED, CatalogueEntry, catalogue, coco_categories
from maskstudio.storage.downloads import prove
from maskstudio.storage.model_folder import (
    ImportCandidate,
    check_new_name,
    model_file,
    weights_file,
)

_SAFETENSORS = ".safetensors"
_BOX = "roi_heads.box_predictor"
_MASK = "roi_heads.mask_predictor.mask_fcn_logits"
# Under what training scripts keep the weights among other things; the first found is taken.
_WRAPPERS = ("model", "state_dict", "model_state_dict", "net", "weights")
# torchvision's, from its model card and repository.
_LICENCE = "BSD-3-Clause"
_ORIGIN = "torchvision, trained on COCO train2017"


def obtain_model(name: str) -> Path:
    """Return the file of a model as `find_model`, taking it in if its weights were downloaded.

    Raises:
        UserError: as `find_model`, or the weights are damaged or cannot be taken in.
    """
    entry = catalogue().get(name)
    if entry is not None and not model_file(name).exists() and weights_file(entry).exists():
        return take_in(entry, TaskContext())
    return find_model(name)


def take_in(entry: CatalogueEntry, context: TaskContext) -> Path:
    """Make a model file of the downloaded weights of a model of the catalogue; they are removed.

    Raises:
        UserError: the weights are others than their name says, or the disk is full.
    """
    weights = weights_file(entry)
    context.report(0, 2, f"checking {entry.file_name}")
    digest = prove(weights, context)
    context.report(1, 2, f"taking in {entry.name}")
    given = _read_weights(weights)
    if not entry.name.endswith("_v2"):
        # torchvision gives these frozen norms, whatever else stands in the file.
        given = {n: t for n, t in given.items() if not n.endswith("num_batches_tracked")}
    found = recognise(given, weights.name)
    metrics = {"box": {"AP": entry.box_ap}, "measured_on": "COCO val2017"}
    if entry.mask_ap is not None:
        metrics["mask"] = {"AP": entry.mask_ap}
    path = _write(
        found,
        coco_categories(),
        ModelInfo(
            entry.name,
            found.architecture,
            (),
            metrics,
            {"from": _ORIGIN, "url": entry.url, "sha256": digest},
            _LICENCE,
        ),
    )
    weights.unlink()
    return path


def look_into(path: Path) -> ImportCandidate:
    """Say what a file holds, before it is imported.

    Raises:
        UserError: it holds no model that this program can run.
    """
    if path.suffix == _SAFETENSORS and has_header(path):
        info, _ = load_model(path)
        names = tuple(category.name for category in info.categories)
        return ImportCandidate(path, info.architecture.name, names, is_named=True)
    found = recognise(_read_weights(path), path.name)
    names = _usual_names(found.outputs - 1)
    return ImportCandidate(path, found.architecture.name, names, is_named=False)


def import_model(path: Path, name: str, names: Sequence[str] | None = None) -> Path:
    """Make a model of this program of a file.

    Args:
        path: torchvision weights (`.pth`) or a `.safetensors` file.
        name: what to call the model.
        names: of its categories in the order of its outputs, `N/A` where an output stands for
            none; None for the usual ones.

    Raises:
        UserError: one sentence on what is wrong with the file, the name or the categories.
    """
    check_new_name(name)
    if path.suffix == _SAFETENSORS and has_header(path):
        if names is not None:
            raise UserError(f"{path} names its categories itself; import it without names.")
        info, model = load_model(path)
        check_numbers(model.state_dict(), path.name)
        save_model(_folder_made(name), replace(info, id=name), model.state_dict())
        return model_file(name)
    found = recognise(_read_weights(path), path.name)
    names = _usual_names(found.outputs - 1) if names is None else names
    info = ModelInfo(name, found.architecture, (), training={"imported_from": path.name})
    return _write(found, names, info)


def names_from_coco(path: Path, count: int) -> tuple[str, ...]:
    """Return the names of a COCO file's categories for the outputs of a model.

    Where there are as many as outputs they are taken in the order of their ids; else the ids are
    the outputs' numbers, as in torchvision's models of COCO, and 0 is background.

    Raises:
        UserError: the file cannot be read, or its categories are not the model's.
    """
    categories = read_categories(path)
    if len(categories) == count:
        return tuple(category.name for category in categories)
    by_id = {category.id: category.name for category in categories}
    if not categories or not all(0 <= number <= count for number in by_id):
        raise UserError(f"{path} has {len(categories):,} categories, the model {count:,}.")
    return tuple(by_id.get(number, UNNAMED) for number in range(1, count + 1))


def _usual_names(count: int) -> tuple[str, ...]:
    """Return what to call categories that nobody named; as many as COCO's are COCO's."""
    coco = coco_categories()
    return coco if count == len(coco) else tuple(f"category {n + 1}" for n in range(count))


def _read_weights(path: Path) -> Mapping[str, Tensor]:
    """Read weights by name from a file of torch's or of safetensors; code in it is never run."""
    if path.suffix == _SAFETENSORS:
        try:
            tensors: dict[str, Tensor] = load_file(path)
        except (OSError, SafetensorError) as error:
            raise UserError(f"{path} is damaged or not a model file ({error}).") from error
    else:
        # The settings of a script, which those of torchvision keep beside the weights: plain data.
        with torch.serialization.safe_globals([argparse.Namespace]):
            tensors = _weights_in(load_torch_file(path))
    if not tensors:
        raise UserError(f"{path} holds something else than weights by name; not loaded.")
    return tensors


def _weights_in(content: object) -> dict[str, Tensor]:
    """Find the weights by name among what a training script has kept."""
    if not isinstance(content, Mapping):
        return {}
    for name in _WRAPPERS:
        if isinstance(content.get(name), Mapping):
            return _weights_in(content[name])
    return {str(name): value for name, value in content.items() if torch.is_tensor(value)}


def _write(found: Recognised, names: Sequence[str], info: ModelInfo) -> Path:
    """Write a model whose outputs stand for these names, those that stand for nothing last."""
    names = [name.strip() for name in names]
    if len(names) != found.outputs - 1:
        raise UserError(
            f"{info.id} has {found.outputs - 1:,} categories; {len(names):,} names were given."
        )
    named = [n for n, name in enumerate(names, 1) if name not in ("", UNNAMED)]
    again = {names[n - 1] for n in named if names.index(names[n - 1]) != n - 1}
    if again:
        raise UserError(f"Two categories cannot both be called {min(again)!r}.")
    if not named:
        raise UserError("No category has a name; a model must know what it finds.")
    unnamed = [n for n in range(1, found.outputs) if n not in set(named)]
    info = replace(
        info,
        architecture=replace(found.architecture, unnamed=len(unnamed)),
        categories=tuple(Category(n, names[n - 1]) for n in named),
    )
    save_model(_folder_made(info.id), info, _reordered(found, [0, *named], unnamed))
    return model_file(info.id)


def _reordered(found: Recognised, kept: list[int], unnamed: list[int]) -> dict[str, Tensor]:
    """Return the weights with the outputs in another order.

    The classifier keeps all of them, for its softmax counts them all; boxes and masks of those
    that stand for nothing are left out.
    """
    weights = dict(found.weights)
    for name in (f"{_BOX}.cls_score.weight", f"{_BOX}.cls_score.bias"):
        weights[name] = weights[name][[*kept, *unnamed]]
    for name in (f"{_BOX}.bbox_pred.weight", f"{_BOX}.bbox_pred.bias"):
        by_output = weights[name].unflatten(0, (found.outputs, 4))
        weights[name] = by_output[kept].flatten(0, 1)
    for name in (f"{_MASK}.weight", f"{_MASK}.bias"):
        if name in weights:
            weights[name] = weights[name][kept]
    return weights


def _folder_made(name: str) -> Path:
    path = model_file(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{path.parent} cannot be made: {error.strerror}.") from error
    return path
