"""A person's own weights are recognised, named and taken in; what is none of ours is refused."""

import argparse
import json
import pickle
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torchvision.models import resnet18

from maskstudio.errors import UserError
from maskstudio.mask_rcnn.importing import import_model, look_into, names_from_coco
from maskstudio.mask_rcnn.model_file import find_model, load_model, read_info
from maskstudio.mask_rcnn.recognition import recognise
from maskstudio.resources import resource_path
from maskstudio.storage.model_folder import (
    Kind,
    State,
    list_models,
    model_file,
    models_dir,
    remove_model,
)
from support.weights import random_weights, with_old_names

MOBILENET = "fasterrcnn_mobilenet_v3_large_fpn"
BIKES = ("bike", "rider", "helmet")


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    """Weights of the smallest model of the family, with three categories."""
    drawn = random_weights(MOBILENET, outputs=4)
    narrow = 16
    head = "roi_heads.box_head"
    drawn[f"{head}.fc6.weight"] = drawn[f"{head}.fc6.weight"][:narrow].clone()
    drawn[f"{head}.fc7.weight"] = drawn[f"{head}.fc7.weight"][:narrow, :narrow].clone()
    for name in (f"{head}.fc6.bias", f"{head}.fc7.bias"):
        drawn[name] = drawn[name][:narrow].clone()
    for part in ("cls_score", "bbox_pred"):
        name = f"roi_heads.box_predictor.{part}.weight"
        drawn[name] = drawn[name][:, :narrow].clone()
    return drawn


def plain(weights: dict[str, Tensor]) -> object:
    return weights


def of_torchvisions_script(weights: dict[str, Tensor]) -> object:
    optimizer = {"state": {0: {"momentum_buffer": torch.ones(2)}}, "param_groups": [{"lr": 0.02}]}
    args = argparse.Namespace(epochs=26, data_path="coco", lr=0.02)
    return {"model": weights, "optimizer": optimizer, "args": args, "epoch": 25}


def of_lightning(weights: dict[str, Tensor]) -> object:
    inner = {f"model.{name}": tensor for name, tensor in weights.items()}
    return {"epoch": 3, "state_dict": inner | {"loss.weight": torch.ones(4)}}


def of_averaged(weights: dict[str, Tensor]) -> object:
    averaged = {f"module.{name}": tensor for name, tensor in weights.items()}
    return {"n_averaged": torch.tensor(7)} | averaged


def of_older_torchvision(weights: dict[str, Tensor]) -> object:
    return with_old_names(weights)


@pytest.mark.parametrize(
    "wrap", [plain, of_torchvisions_script, of_lightning, of_averaged, of_older_torchvision]
)
def test_weights_are_found_among_what_scripts_keep(
    wrap: Callable[[dict[str, Tensor]], object], weights: dict[str, Tensor], tmp_path: Path
) -> None:
    path = tmp_path / "Fahrräder.pth"
    torch.save(wrap(weights), path)
    found = look_into(path)
    assert found.architecture == MOBILENET
    assert found.names == ("category 1", "category 2", "category 3")
    assert not found.is_named
    imported = import_model(path, "bikes", BIKES)
    assert imported == model_file("bikes") == find_model("bikes")
    info, model = load_model(imported)
    assert info.id == "bikes"
    assert [(c.id, c.name) for c in info.categories] == [(1, "bike"), (2, "rider"), (3, "helmet")]
    assert info.training == {"imported_from": "Fahrräder.pth"}
    loaded = model.state_dict()
    assert loaded.keys() == weights.keys()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in weights.items())


def test_half_precision_and_safetensors_are_taken_in_as_float(
    weights: dict[str, Tensor], tmp_path: Path
) -> None:
    path = tmp_path / "own.safetensors"
    save_file({name: tensor.half() for name, tensor in weights.items()}, path)
    assert look_into(path).architecture == MOBILENET
    info, model = load_model(import_model(path, "own"))
    assert [c.name for c in info.categories] == ["category 1", "category 2", "category 3"]
    for name, tensor in model.state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, weights[name].half().float()), name


def test_a_model_of_this_program_keeps_what_it_says_of_itself(tmp_path: Path) -> None:
    path = tmp_path / "copy.safetensors"
    path.write_bytes(resource_path("models", "nuclei.safetensors").read_bytes())
    found = look_into(path)
    assert found.is_named
    assert found.names == ("nucleus",)
    imported = import_model(path, "my nuclei")
    own, before = read_info(imported), read_info(path)
    assert (own.id, own.categories, own.metrics) == ("my nuclei", before.categories, before.metrics)
    with pytest.raises(UserError, match="names its categories itself; import it without names"):
        import_model(path, "again", ["cell"])


def test_outputs_that_stand_for_nothing_keep_the_scores_of_the_others(
    weights: dict[str, Tensor], tmp_path: Path
) -> None:
    path = tmp_path / "own.pth"
    torch.save(weights, path)
    all_named = load_model(import_model(path, "all", BIKES))[1]
    info, some_named = load_model(import_model(path, "some", ("bike", "N/A", "helmet")))
    assert [(c.id, c.name) for c in info.categories] == [(1, "bike"), (3, "helmet")]
    hidden = torch.randn(5, 16, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        logits, deltas = all_named.roi_heads.box_predictor(hidden)
        fewer, fewer_deltas = some_named.roi_heads.box_predictor(hidden)
    scores = logits.softmax(dim=1)
    expected = torch.stack([scores[:, 0] + scores[:, 2], scores[:, 1], scores[:, 3]], dim=1)
    torch.testing.assert_close(fewer.softmax(dim=1), expected)
    by_output = deltas.unflatten(1, (4, 4))
    assert torch.equal(fewer_deltas, by_output[:, [0, 1, 3]].flatten(1))


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("bike", "rider"), r"own has 3 categories; 2 names were given"),
        (("bike", "bike", "rider"), "Two categories cannot both be called 'bike'"),
        (("N/A", "", " "), "No category has a name"),
    ],
)
def test_names_that_do_not_fit_are_refused(
    names: tuple[str, ...], says: str, weights: dict[str, Tensor], tmp_path: Path
) -> None:
    path = tmp_path / "own.pth"
    torch.save(weights, path)
    with pytest.raises(UserError, match=says):
        import_model(path, "own", names)
    assert not model_file("own").exists()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nuclei", "There is a model called 'nuclei' already"),
        ("Maskrcnn_resnet50_FPN", "There is a model called"),
        ("../own", "A model cannot be called '../own'"),
        ("", "A model cannot be called ''"),
        (".own", "A model cannot be called"),
        ("own ", "A model cannot be called"),
        ("x" * 81, "A model cannot be called"),
    ],
)
def test_a_model_needs_a_name_of_its_own(name: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=says):
        import_model(tmp_path / "any.pth", name)


def write_coco(path: Path, categories: object) -> Path:
    path.write_text(json.dumps({"categories": categories}), encoding="utf-8")
    return path


def listed(names: Mapping[int, str]) -> list[dict[str, object]]:
    return [{"id": number, "name": name} for number, name in names.items()]


@pytest.mark.parametrize(
    ("categories", "names"),
    [
        ({1: "a", 2: "b", 3: "c"}, ("a", "b", "c")),
        ({7: "c", 0: "a", 5: "b"}, ("a", "b", "c")),
        ({1: "a", 3: "c"}, ("a", "N/A", "c")),
        ({0: "background", 1: "a", 2: "b", 3: "c"}, ("a", "b", "c")),
    ],
    ids=["in order", "by id", "with gaps", "with background"],
)
def test_names_are_read_from_a_coco_file(
    categories: dict[int, str], names: tuple[str, ...], tmp_path: Path
) -> None:
    assert names_from_coco(write_coco(tmp_path / "c.json", listed(categories)), 3) == names


@pytest.mark.parametrize(
    ("categories", "says"),
    [
        ({1: "a", 4: "b"}, r"has 2 categories, the model 3\."),
        ({n: str(n) for n in range(1, 6)}, r"has 5 categories, the model 3\."),
        ({}, r"has 0 categories, the model 3\."),
    ],
)
def test_a_coco_file_of_other_categories_is_refused(
    categories: dict[int, str], says: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=says):
        names_from_coco(write_coco(tmp_path / "c.json", listed(categories)), 3)


class RunsCode:
    """Pickled, it makes a file when it is loaded."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.marker,)


def refusal(path: Path) -> str:
    """Return the one sentence both ways in give; nothing is taken in."""
    said = set()
    for take in (look_into, lambda one: import_model(one, "own")):
        with pytest.raises(UserError) as refused:
            take(path)
        said.add(str(refused.value))
    (sentence,) = said
    assert path.name in sentence
    assert "\n" not in sentence
    assert len(sentence) < 400
    assert not model_file("own").exists()
    return sentence


def test_code_in_a_checkpoint_is_never_run(weights: dict[str, Tensor], tmp_path: Path) -> None:
    marker = tmp_path / "the code has run"
    path = tmp_path / "own.pth"
    for content in (RunsCode(marker), {"model": weights, "args": RunsCode(marker)}):
        for zipped in (True, False):
            torch.save(content, path, _use_new_zipfile_serialization=zipped)
            assert refusal(path) == f"{path} is damaged or holds more than weights; not loaded."
    path.write_bytes(pickle.dumps(RunsCode(marker)))
    assert refusal(path) == f"{path} is damaged or holds more than weights; not loaded."
    renamed = path.rename(tmp_path / "own.safetensors")
    assert "is a pickle, which could run code when it is loaded" in refusal(renamed)
    assert not marker.exists()


def test_a_whole_model_is_refused_for_the_code_it_names(tmp_path: Path) -> None:
    torch.save(resnet18(), tmp_path / "model.pth")
    assert "holds more than weights" in refusal(tmp_path / "model.pth")


def test_damaged_files_are_refused(weights: dict[str, Tensor], tmp_path: Path) -> None:
    path, other = tmp_path / "own.pth", tmp_path / "own.safetensors"
    torch.save(weights, path)
    save_file(weights, other)
    whole, whole_other = path.read_bytes(), other.read_bytes()
    for share in (0, 0.3, 0.99):
        path.write_bytes(whole[: int(len(whole) * share)])
        other.write_bytes(whole_other[: int(len(whole_other) * share)])
        assert "is damaged" in refusal(path)
        assert "is damaged" in refusal(other)
    assert "cannot be read: No such file" in refusal(tmp_path / "none.pth")


def test_a_header_that_claims_to_be_huge_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    for length in (1 << 40, (1 << 63) - 1):
        path.write_bytes(struct.pack("<Q", length) + b"{}" * 1000)
        assert "is damaged or not a model file" in refusal(path)


@pytest.mark.parametrize("content", [[1, 2], {}, {"epoch": 3}, {"model": {"model": {}}}, None])
def test_a_file_without_weights_is_refused(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "own.pth")
    assert "holds something else than weights by name" in refusal(tmp_path / "own.pth")


def test_numbers_that_are_none_are_refused(weights: dict[str, Tensor], tmp_path: Path) -> None:
    name = "roi_heads.box_predictor.bbox_pred.bias"
    spoilt = weights | {name: torch.full_like(weights[name], torch.nan)}
    torch.save(spoilt, tmp_path / "own.pth")
    assert f"holds numbers that are none (in {name})" in refusal(tmp_path / "own.pth")


@pytest.mark.parametrize(
    ("name", "shape", "says"),
    [
        ("rpn.head.cls_logits.weight", (9, 256, 1, 1), "(9, 256, 1, 1) instead of (15, 256, 1, 1)"),
        ("backbone.body.3.block.0.0.weight", None, "nothing instead of (72, 24, 1, 1)"),
        ("backbone.extra.weight", (3,), "(3,) instead of nothing"),
    ],
)
def test_weights_of_another_shape_are_refused(
    name: str,
    shape: tuple[int, ...] | None,
    says: str,
    weights: dict[str, Tensor],
    tmp_path: Path,
) -> None:
    others = {n: t for n, t in weights.items() if n != name}
    if shape is not None:
        others[name] = torch.zeros(shape)
    torch.save(others, tmp_path / "own.pth")
    said = refusal(tmp_path / "own.pth")
    assert f"looks like {MOBILENET}, but 1 of its tensors are not as in torchvision's" in said
    assert f"(first {name}: {says}); it cannot be used." in said


def test_a_backbone_that_is_not_known_is_said(weights: dict[str, Tensor]) -> None:
    others = {n.replace("backbone.body", "backbone.net"): t for n, t in weights.items()}
    with pytest.raises(UserError, match="on a backbone that is not known here; known are resnet18"):
        recognise(others, "own.pth")


def test_own_models_are_listed_and_can_be_removed(
    weights: dict[str, Tensor], tmp_path: Path
) -> None:
    torch.save(weights, tmp_path / "own.pth")
    import_model(tmp_path / "own.pth", "Fahrräder 2", BIKES)
    (own,) = (model for model in list_models() if model.kind is Kind.OWN)
    assert (own.name, own.state) == ("Fahrräder 2", State.READY)
    assert own.size == model_file("Fahrräder 2").stat().st_size
    remove_model("Fahrräder 2")
    assert not any(model.kind is Kind.OWN for model in list_models())
    assert list(models_dir().iterdir()) == []
    with pytest.raises(UserError, match="There is no model 'Fahrräder 2'"):
        remove_model("Fahrräder 2")
    with pytest.raises(UserError, match="nuclei ships with the program and stays"):
        remove_model("nuclei")
