"""`train` and `evaluate`: a model comes out, and figures that are its own."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from maskstudio.mask_rcnn.architectures import build, default_architecture
from maskstudio.mask_rcnn.model_file import find_model, load_model, read_info, save_model
from support.coco_sets import NUCLEUS, write_discs, write_json
from support.commands import Run

SHORT = ("--iterations", 2, "--batch-size", 1, "--crop", 64, "--device", "cpu")
FRESH = ("--init", "maskrcnn_resnet10t_fpn", "--input-size", 64)


@pytest.fixture
def data(tmp_path: Path) -> tuple[object, ...]:
    file = write_discs(tmp_path / "discs")
    return ("--annotations", file, "--images", file.parent)


def no_constants(name: str) -> float:
    raise ValueError(name)


def test_an_architecture_becomes_a_model_with_figures(
    command: Run, data: tuple[object, ...], tmp_path: Path
) -> None:
    ended = command("train", *data, *SHORT, *FRESH, "--output", "own.safetensors", "--val", data[1])
    assert (ended.code, ended.stderr) == (0, "")
    first, *summary = ended.stdout.splitlines()
    assert first == "wrote own.safetensors"
    assert [line.split()[0] for line in summary] == ["box", "mask", "2"]
    info, _ = load_model(tmp_path / "own.safetensors")
    assert info.id == "own"
    assert info.architecture.min_size == 64
    assert info.architecture.max_size == 128
    assert [c.name for c in info.categories] == ["nucleus"]
    assert info.metrics["images"] == 2
    assert {"AP", "AP50", "AP75", "per_category"} <= set(info.metrics["mask"])
    assert info.training["annotations"] == "discs.json"
    assert info.training["init"] == "maskrcnn_resnet10t_fpn"
    assert info.training["settings"]["iterations"] == 2
    assert info.training["small_side"] is None  # six discs tell nothing
    assert len(info.training["sha256"]) == 64


def test_the_embedded_model_is_trained_further(
    command: Run, data: tuple[object, ...], tmp_path: Path
) -> None:
    """As the window does it: all that is said is JSON lines."""
    ended = command(
        *("train", *data, *SHORT, "--output", tmp_path / "next.safetensors"),
        *("--init", "nuclei", "--progress", "jsonl"),
    )
    assert ended.code == 0
    said = [json.loads(line) for line in ended.stdout.splitlines()]
    steps = [one for one in said if "iteration" in one]
    assert [one["iteration"] for one in steps] == [1, 2]
    assert all(math.isfinite(one["loss_mask"]) for one in steps)
    assert [one["done"] for one in said if one["event"] == "progress"] == [1, 2]
    assert said[-1]["line"].startswith("wrote ")
    info, model = load_model(tmp_path / "next.safetensors")
    _, before = load_model(find_model("nuclei"))
    assert info.id == "next"
    assert info.metrics == {}
    changed = [
        name
        for name, tensor in model.state_dict().items()
        if not torch.equal(tensor, before.state_dict()[name])
    ]
    assert any("mask_predictor" in name for name in changed)


def test_figures_of_the_model_it_began_as_are_not_taken_over(
    command: Run, data: tuple[object, ...], tiny_model: Path, tmp_path: Path
) -> None:
    info, model = load_model(tiny_model)
    start = tmp_path / "maskrcnn_mine.safetensors"  # its name begins like an architecture's
    save_model(start, replace(info, metrics={"mask": {"AP": 0.9}}), model.state_dict())
    ended = command("train", *data, *SHORT, "--init", start.name, "--output", "own.safetensors")
    assert ended.code == 0
    assert read_info(tmp_path / "own.safetensors").metrics == {}


def test_a_run_is_taken_up_from_its_checkpoint(
    command: Run, data: tuple[object, ...], tmp_path: Path
) -> None:
    arguments = (*data, *SHORT, *FRESH, "--output", "own.safetensors", "--checkpoint", "own.ckpt")
    assert command("train", *arguments).code == 0
    first = (tmp_path / "own.safetensors").read_bytes()
    ended = command("train", *arguments, "--progress", "jsonl")
    assert ended.code == 0
    assert [json.loads(line)["event"] for line in ended.stdout.splitlines()] == ["result"]
    assert (tmp_path / "own.safetensors").read_bytes() == first
    ended = command("train", *arguments, "--seed", 1)
    assert ended.code == 1
    assert "own.ckpt is of a run with other settings" in ended.stderr


def test_a_fresh_backbone_takes_a_classifiers_weights(
    command: Run, data: tuple[object, ...], tmp_path: Path
) -> None:
    torch.manual_seed(7)
    body = build(default_architecture("fasterrcnn_resnet10t_fpn"), 1).backbone.body.state_dict()
    torch.save(body | {"fc.weight": torch.zeros(3, 512)}, tmp_path / "classifier.pth")
    given = ("--backbone-weights", "classifier.pth", "--learning-rate", 0)
    ended = command("train", *data, *SHORT, *FRESH, *given, "--output", "own.safetensors")
    assert ended.code == 0
    _, model = load_model(tmp_path / "own.safetensors")
    learned = dict(model.backbone.body.named_parameters())
    assert all(torch.equal(tensor, body[name]) for name, tensor in learned.items())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--init", "maskrcnn_nosuch_fpn"), "'nosuch' is not a backbone"),
        (("--init", "nosuch"), "There is no model 'nosuch'"),
        (("--input-size", 300), "has its own backbone weights and input size"),
        (("--output", "nowhere/m.safetensors"), "its folder does not exist; make it first"),
        (("--checkpoint", "nowhere/m.ckpt"), "its folder does not exist; make it first"),
        (("--device", "tpu"), "There is no device 'tpu'"),
        (("--val", "none.json"), "none.json cannot be read"),
        (("--images", "."), "discs-1.png is gone"),
    ],
)
def test_what_cannot_be_trained_is_said_before_it_begins(
    arguments: tuple[object, ...], says: str, command: Run, data: tuple[object, ...], tmp_path: Path
) -> None:
    usual = ("train", *data, "--output", tmp_path / "m.safetensors")
    ended = command(*usual, *arguments)
    assert ended.code == 1
    assert says in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert ended.stdout == ""
    assert not (tmp_path / "m.safetensors").exists()


def test_an_image_that_is_not_what_the_file_says_is_found_before_training(
    command: Run, data: tuple[object, ...], tmp_path: Path
) -> None:
    Image.new("RGB", (64, 48)).save(tmp_path / "discs" / "discs-2.png")
    arguments = ("train", *data, *SHORT, *FRESH, "--output", "m.safetensors")
    ended = command(*arguments, "--progress", "jsonl")
    assert ended.code == 1
    assert "discs-2.png is 64 by 48 pixels, but " in ended.stderr
    assert ended.stdout == ""


def test_other_categories_than_the_models_are_refused(
    command: Run, data: tuple[object, ...], tmp_path: Path
) -> None:
    raw = json.loads(Path(str(data[1])).read_text())
    renamed = [NUCLEUS | {"name": "mitochondrion"}]
    file = write_json(tmp_path / "other.json", raw["images"], raw["annotations"], renamed)
    ended = command(
        "train", "--annotations", file, "--images", data[3], "--output", "m.safetensors"
    )
    assert ended.code == 1
    assert "nuclei finds other categories than " in ended.stderr


def test_a_model_is_measured(
    command: Run, data: tuple[object, ...], tiny_model: Path, tmp_path: Path
) -> None:
    arguments = ("evaluate", "--model", tiny_model, *data, "--output", "report.json")
    ended = command(*arguments)
    assert (ended.code, ended.stderr) == (0, "")
    box, mask, last = ended.stdout.splitlines()
    assert box.startswith("box   AP 0.")
    assert mask.startswith("mask  AP 0.")
    assert last.startswith("2 images, ")
    text = (tmp_path / "report.json").read_text()
    report = json.loads(text, parse_constant=no_constants)  # NaN is not JSON
    for kind in ("box", "mask"):
        assert 0 <= report[kind]["AP"] <= report[kind]["AP50"] <= 1
        assert set(report[kind]["per_category"]) == {"nucleus"}
        assert report[kind]["large"] is None, "there is no large disc"
    assert report["images"] == 2

    ended = command(*arguments, "--progress", "jsonl")
    said = [json.loads(line, parse_constant=no_constants) for line in ended.stdout.splitlines()]
    (figures,) = (one for one in said if "box" in one)
    assert figures["mask"]["AP"] == report["mask"]["AP"]
    assert {one["event"] for one in said} == {"progress", "result"}
