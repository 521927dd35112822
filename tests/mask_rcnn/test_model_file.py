"""A model file says all about its model, and nothing but a model file is loaded."""

import json
import pickle
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torchvision.models.detection import FasterRCNN

from maskstudio.annotation.annotation import Category
from maskstudio.errors import UserError
from maskstudio.mask_rcnn.architectures import build, default_architecture
from maskstudio.mask_rcnn.model_file import (
    ModelInfo,
    find_model,
    load_model,
    read_info,
    read_state_dict,
    save_model,
)
from maskstudio.resources import resource_path
from maskstudio.storage.model_folder import embedded_models

INFO = ModelInfo(
    "cells-2",
    replace(default_architecture("fasterrcnn_resnet10t_fpn"), min_size=96, max_size=192),
    (Category(3, "Zelle", "Gewebe"), Category(1, "細胞")),
    {"box": {"AP": 0.5}, "images": 3, "mask": None},
    {"annotations": "train.json", "settings": {"seed": 0}},
    "CC0-1.0",
)


@pytest.fixture(scope="module")
def model() -> FasterRCNN:
    torch.manual_seed(0)
    return build(INFO.architecture, categories=2)


def assert_refused(path: Path, says: str) -> None:
    """Both readers refuse the file with one sentence that names it."""
    for read in (read_info, load_model):
        with pytest.raises(UserError, match=says) as refused:
            read(path)
        assert str(path) in str(refused.value)
        assert "\n" not in str(refused.value)


def write_header(path: Path, header: object, tensors: dict[str, Tensor] | None = None) -> Path:
    text = header if isinstance(header, str) else json.dumps(header)
    save_file(tensors or {"x": torch.zeros(1)}, path, metadata={"maskstudio": text})
    return path


def good_header() -> dict[str, object]:
    return {
        "format": 1,
        "id": "m",
        "architecture": INFO.architecture.to_header(),
        "categories": [{"id": 1, "name": "cell", "supercategory": ""}],
        "metrics": {},
        "training": {},
        "licence": "",
    }


def test_everything_comes_back(model: FasterRCNN, tmp_path: Path) -> None:
    path = tmp_path / "Zellen é.safetensors"
    save_model(path, INFO, model.state_dict())
    assert read_info(path) == INFO
    info, loaded = load_model(path)
    assert info == INFO
    assert not any(module.training for module in loaded.modules())
    assert loaded.state_dict().keys() == model.state_dict().keys()
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_the_old_file_stays_when_the_new_one_cannot_be_written(
    model: FasterRCNN, tmp_path: Path
) -> None:
    path = tmp_path / "m.safetensors"
    save_model(path, INFO, model.state_dict())
    broken = replace(INFO, metrics={"when": object()})
    with pytest.raises(TypeError):
        save_model(path, broken, model.state_dict())
    assert read_info(path) == INFO
    with pytest.raises(UserError, match=r"nowhere.*cannot be written: its folder does not exist"):
        save_model(tmp_path / "nowhere" / "m.safetensors", INFO, {"x": torch.zeros(1)})


def test_files_are_told_from_pickles_whatever_the_length_of_their_header(tmp_path: Path) -> None:
    """A safetensors file begins with that length; one in 32 looks like the start of a pickle."""
    path = tmp_path / "m.safetensors"
    starts = set()
    for length in range(0, 256, 8):
        info = replace(INFO, id="m" * (length + 1))
        save_model(path, info, {"x": torch.zeros(1)})
        starts.add(path.read_bytes()[:1])
        assert read_info(path) == info
    assert b"\x80" in starts


class RunsCode:
    """Pickled, it makes a file when it is loaded."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.marker,)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_code_in_a_pickle_is_never_run(protocol: int, tmp_path: Path) -> None:
    marker = tmp_path / "the code has run"
    path = tmp_path / "m.safetensors"
    path.write_bytes(pickle.dumps(RunsCode(marker), protocol))
    says = "is a pickle, which could run code" if protocol >= 2 else "is damaged or not a model"
    assert_refused(path, says)
    with pytest.raises(UserError, match="is damaged or holds more than weights; not loaded"):
        read_state_dict(path)
    assert not marker.exists()
    pickle.loads(path.read_bytes())
    assert marker.exists(), "this pickle proves nothing"


def test_code_in_a_torch_file_is_never_run(tmp_path: Path) -> None:
    marker = tmp_path / "the code has run"
    path = tmp_path / "m.pth"
    torch.save({"weights": RunsCode(marker)}, path)
    assert_refused(path, r"m\.pth is a pickle, which could run code")
    with pytest.raises(UserError, match=r"m\.pth is damaged or holds more than weights"):
        read_state_dict(path)
    assert not marker.exists()


def test_a_truncated_file_is_refused(model: FasterRCNN, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    save_model(path, INFO, model.state_dict())
    whole = path.read_bytes()
    for length in (0, 5, 200, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert_refused(path, "is damaged or not a model file")


def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"x": torch.zeros(1)}, path)
    assert_refused(path, "has no MaskStudio header")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": 2}, r"was made by a newer program \(format 2\)"),
        ({"categories": []}, "names no categories"),
        ({"categories": [{"id": 1}]}, "has a header that cannot be understood"),
        ({"architecture": None}, "has a header that cannot be understood"),
        ({"architecture": {"name": "maskrcnn_resnet50_fpn"}}, "not one this program knows"),
        (
            {"architecture": {**INFO.architecture.to_header(), "name": "yolo"}},
            "'yolo' is not an architecture",
        ),
    ],
)
def test_a_header_that_is_wrong_is_refused(
    change: dict[str, object], says: str, tmp_path: Path
) -> None:
    assert_refused(write_header(tmp_path / "m.safetensors", good_header() | change), says)


@pytest.mark.parametrize("text", ["{", "[]", "7", "{}"])
def test_a_header_that_is_no_header_is_refused(text: str, tmp_path: Path) -> None:
    path = write_header(tmp_path / "m.safetensors", text)
    assert_refused(path, "has a header that cannot be understood")


def test_an_architecture_that_cannot_be_built_is_refused(tmp_path: Path) -> None:
    architecture = {**INFO.architecture.to_header(), "name": "fasterrcnn_nosuchnet_fpn"}
    path = write_header(tmp_path / "m.safetensors", good_header() | {"architecture": architecture})
    with pytest.raises(UserError, match=r"m\.safetensors: 'nosuchnet' is not a backbone"):
        load_model(path)


def test_weights_of_another_network_are_refused(model: FasterRCNN, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    other = replace(INFO, architecture=default_architecture("fasterrcnn_mobilenetv3_small_050_fpn"))
    save_model(path, other, model.state_dict())
    says = (
        r"m\.safetensors says it is fasterrcnn_mobilenetv3_small_050_fpn, but its weights are of "
        "another network"
    )
    with pytest.raises(UserError, match=says):
        load_model(path)
    fewer = replace(INFO, categories=INFO.categories[:1])
    save_model(path, fewer, model.state_dict())
    with pytest.raises(UserError, match="its weights are of another network"):
        load_model(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert_refused(tmp_path / "none.safetensors", "There is no model at ")
    assert_refused(tmp_path, "cannot be read")


def test_torch_weights_are_read_without_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    torch.save({"a": torch.ones(2), "b": torch.zeros(1)}, path)
    assert {name: tensor.tolist() for name, tensor in read_state_dict(path).items()} == {
        "a": [1, 1],
        "b": [0],
    }
    for content in (torch.ones(3), {"epoch": 3, "a": torch.ones(2)}, [torch.ones(2)]):
        torch.save(content, path)
        with pytest.raises(UserError, match=r"w\.pth holds something else than weights by name"):
            read_state_dict(path)
    path.write_bytes(b"no weights")
    with pytest.raises(UserError, match=r"w\.pth is damaged"):
        read_state_dict(path)
    with pytest.raises(UserError, match=r"none\.pth cannot be read: No such file"):
        read_state_dict(tmp_path / "none.pth")


def test_models_are_found_by_name_and_by_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "nuclei" in embedded_models()
    assert find_model("nuclei") == resource_path("models", "nuclei.safetensors")
    path = write_header(tmp_path / "own.safetensors", good_header())
    assert find_model(str(path)) == path
    monkeypatch.chdir(tmp_path)
    assert find_model("own.safetensors").samefile(path)
    for name in ("nosuch", str(tmp_path)):
        says = f"no model {re.escape(repr(name))}: give the path of a file or one of: .*nuclei"
        with pytest.raises(UserError, match=says):
            find_model(name)


def test_the_embedded_model_knows_nuclei() -> None:
    info = read_info(find_model("nuclei"))
    assert info.id == "nuclei"
    assert [category.name for category in info.categories] == ["nucleus"]
    assert info.architecture.has_masks
