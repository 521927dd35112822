"""Read and write a model: architecture, weights, categories and figures in one safetensors file.

A safetensors file cannot run code. Its header holds, under the key `maskstudio`, the JSON of
everything but the tensors.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor
from torchvision.models.detection import FasterRCNN

from maskstudio.annotation.annotation import Category
from maskstudio.errors import UserError
from maskstudio.mask_rcnn.architectures import Architecture, build
from maskstudio.resources import resource_path
from maskstudio.storage.catalogue import catalogue
from maskstudio.storage.files import replaced_file
from maskstudio.storage.model_folder import embedded_models, list_models, model_file

_HEADER = "maskstudio"
_FORMAT = 1

SMALL_SIDE = "small_side"
"""Under this name `ModelInfo.training` has the side of the small objects that were learned from, in
pixels of their images: `annotation.tiling.small_side`."""

# How a pickle and a zip (torch.save's container of pickles) begin.
_PICKLES = (b"\x80", b"PK\x03\x04")


@dataclass(frozen=True)
class ModelInfo:
    """What a model says of itself.

    Attributes:
        id: its name; annotations made by it carry it.
        architecture: the network.
        categories: position i (0-based) is label i + 1 of the network.
        metrics: figures by name, for example `mask_ap`, with what they were measured on.
        training: the data and settings it came from.
        licence: of the weights, as an SPDX expression where there is one.
    """

    id: str
    architecture: Architecture
    categories: tuple[Category, ...]
    metrics: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    licence: str = ""


def save_model(path: Path, info: ModelInfo, weights: Mapping[str, Tensor]) -> None:
    """Write a model; the old file stays until the new one is whole.

    Raises:
        UserError: the file cannot be written.
    """
    header = {
        "format": _FORMAT,
        "id": info.id,
        "architecture": info.architecture.to_header(),
        "categories": [
            {"id": c.id, "name": c.name, "supercategory": c.supercategory} for c in info.categories
        ],
        "metrics": dict(info.metrics),
        "training": dict(info.training),
        "licence": info.licence,
    }
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    content = save(tensors, metadata={_HEADER: json.dumps(header)})
    # Written here, not by safetensors, whose own errors do not say that a disk is full.
    with replaced_file(path) as beside:
        beside.write_bytes(content)


def read_info(path: Path) -> ModelInfo:
    """Read what a model says of itself, without its weights.

    Raises:
        UserError: the file is missing, damaged, a pickle, no model of this program, or names no
            categories.
    """
    metadata = _metadata(path)
    if _HEADER not in metadata:
        raise UserError(
            f"{path} has no MaskStudio header, so its architecture and categories are unknown; "
            "import it with Models…."
        )
    return _parse_header(path, metadata[_HEADER])


def load_model(path: Path) -> tuple[ModelInfo, FasterRCNN]:
    """Build a model and fill it with its weights, on the CPU, in evaluation mode.

    Raises:
        UserError: as `read_info`, or the weights are not of the architecture the file names.
    """
    info = read_info(path)
    try:
        model = build(info.architecture, len(info.categories))
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    try:
        with safe_open(path, framework="pt") as file:
            # What safetensors opens is no dict: it cannot be walked through itself.
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        model.load_state_dict(weights)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path} is damaged ({error}).") from error
    except RuntimeError as error:
        raise UserError(
            f"{path} says it is {info.architecture.name}, but its weights are of another network."
        ) from error
    return info, model.eval()


def has_header(path: Path) -> bool:
    """Tell whether a safetensors file says of itself, as this program's do, what it is.

    Raises:
        UserError: it is missing, damaged or no safetensors file.
    """
    return _HEADER in _metadata(path)


def load_torch_file(path: Path) -> object:
    """Read what `torch.save` wrote; code inside it is never run.

    Raises:
        UserError: the file is missing, damaged, or holds what only code could bring back.
    """
    try:
        content: object = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    except Exception as error:  # torch names no errors of its own: whatever the bytes lead it to
        raise UserError(f"{path} is damaged or holds more than weights; not loaded.") from error
    return content


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Read a torch weights file (`.pth`); code inside it is never run.

    Raises:
        UserError: the file is missing, damaged, or holds more than tensors.
    """
    weights = load_torch_file(path)
    if not isinstance(weights, dict) or not all(map(torch.is_tensor, weights.values())):
        raise UserError(f"{path} holds something else than weights by name; not loaded.")
    return {str(name): tensor for name, tensor in weights.items()}


def find_model(name: str) -> Path:
    """Return the file of a model by name (embedded, downloaded or imported) or by path.

    Raises:
        UserError: there is none, or it has not been downloaded yet.
    """
    path = Path(name).expanduser()
    if path.is_file():
        return path
    if name in embedded_models():
        return resource_path("models", f"{name}.safetensors")
    if path.name == name and model_file(name).is_file():
        return model_file(name)
    if name in catalogue():
        raise UserError(
            f"{name} is not here yet: `maskstudio models download {name}` fetches it "
            f"({catalogue()[name].size / 1e6:.0f} MB), and so does Models… in the window."
        )
    known = ", ".join(model.name for model in list_models() if model.is_here)
    raise UserError(f"There is no model {name!r}: give the path of a file or one of: {known}.")


def _metadata(path: Path) -> dict[str, str]:
    _refuse_pickle(path)
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path} is damaged or not a model file ({error}).") from error


def _refuse_pickle(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(9)
    except FileNotFoundError as error:
        raise UserError(f"There is no model at {path}.") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    # A safetensors file begins with a length, which may look like anything, and then its JSON.
    if start.startswith(_PICKLES) and start[8:] != b"{":
        raise UserError(
            f"{path} is a pickle, which could run code when it is loaded; "
            "import it with Models…, or use a model in .safetensors form."
        )


def _architecture(path: Path, header: Mapping[str, object]) -> Architecture:
    try:
        return Architecture.from_header(header)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _parse_header(path: Path, text: str) -> ModelInfo:
    try:
        header = json.loads(text)
        if header["format"] != _FORMAT:
            raise UserError(f"{path} was made by a newer program (format {header['format']}).")
        categories = tuple(
            Category(int(c["id"]), str(c["name"]), str(c["supercategory"]))
            for c in header["categories"]
        )
        info = ModelInfo(
            str(header["id"]),
            _architecture(path, header["architecture"]),
            categories,
            dict(header["metrics"]),
            dict(header["training"]),
            str(header["licence"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} has a header that cannot be understood ({error!r}).") from error
    if not categories:
        raise UserError(f"{path} names no categories; a model must know what it finds.")
    return info
