"""`train`: a model comes out, and figures that are its own; it obeys, and goes on."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.mask_rcnn.architectures import build, default_architecture
from maskstudio.mask_rcnn.model_file import find_model, load_model, read_info, save_model
from maskstudio.session.splitting import remembered_parts
from maskstudio.storage.model_folder import model_file
from maskstudio.storage.opening import open_project
from maskstudio.storage.training_events import Done, Plan, RunState, Step, from_json
from maskstudio.storage.training_runs import list_runs, read_run, runs_folder
from support.coco_sets import NUCLEUS, write_discs, write_json
from support.commands import Run
from support.labelled import label
from support.pictures import write_picture

SHORT = ("--iterations", 2, "--batch-size", 1, "--crop", 64, "--device", "cpu")
FRESH = ("--init", "maskrcnn_resnet10t_fpn", "--input-size", 64)
JSONL = ("--progress", "jsonl")


@pytest.fixture
def data(tmp_path: Path) -> tuple[object, ...]:
    file = write_discs(tmp_path / "discs")
    return ("--annotations", file, "--images", file.parent)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Six verified pictures with a square on each, and one that is new."""
    folder = tmp_path / "squares"
    folder.mkdir()
    square = Segmentation.from_rings([(10, 10), (40, 10), (40, 40), (10, 40)])
    for n in range(7):
        write_picture(folder / f"{n}.png", 64, 64, n)
    label(folder, {f"{n}.png": ((3, square),) for n in range(6)}, (Category(3, "square"),))
    return folder


def events(text: str) -> list:
    return [from_json(line) for line in text.splitlines()]


def test_an_architecture_becomes_a_model_with_figures(
    command: Run, data: tuple[object, ...], tiny_model: Path, tmp_path: Path
) -> None:
    ended = command(
        *("train", *data, *SHORT, "--init", tiny_model, "--output", "own.safetensors"),
        *("--val", data[1], "--licence", "CC0-1.0"),
    )
    assert (ended.code, ended.stderr) == (0, "")
    images, steps, *measured, wrote = ended.stdout.splitlines()
    assert images == "2 images to learn from (6 nucleus), 2 to measure on"
    assert steps.startswith("2 steps of 1 views of 64 pixels, images at 64, on CPU")
    assert [line.split(":")[0] for line in measured] == ["after 1 steps", "after 2 steps"]
    assert wrote.startswith(f"wrote {tmp_path / 'own.safetensors'}: box AP 0.")
    info, _ = load_model(tmp_path / "own.safetensors")
    assert (info.id, info.licence) == ("own", "CC0-1.0")
    assert [c.name for c in info.categories] == ["nucleus"]
    assert info.metrics["images"] == 2
    assert info.training["annotations"] == "discs.json"
    assert info.training["objects"] == {"nucleus": 6}
    assert info.training["small_side"] is None  # six discs tell nothing
    assert read_run(tmp_path / "own-training").state is RunState.FINISHED


def test_the_embedded_model_is_trained_further(
    command: Run, data: tuple[object, ...], tmp_path: Path
) -> None:
    """As the window does it: all that is said is JSON lines."""
    output = tmp_path / "next.safetensors"
    ended = command("train", *data, *SHORT, "--output", output, *JSONL)
    assert ended.code == 0
    told = events(ended.stdout)
    assert [one.iteration for one in told if isinstance(one, Step)] == [1, 2]
    (plan,) = (one for one in told if isinstance(one, Plan))
    assert plan.settings["augmentation"] == "microscopy", "as its own was"
    assert plan.settings["input_size"] == 512
    (done,) = (one for one in told if isinstance(one, Done))
    assert (done.model, done.metrics) == (str(output), {})
    info, model = load_model(output)
    _, before = load_model(find_model("nuclei"))
    assert info.metrics == {}, "the figures it began with are not its own"
    changed = [
        name
        for name, tensor in model.state_dict().items()
        if not torch.equal(tensor, before.state_dict()[name])
    ]
    assert any("mask_predictor" in name for name in changed)


def test_a_model_learns_a_category_it_never_saw(
    command: Run, data: tuple[object, ...], tiny_model: Path, tmp_path: Path
) -> None:
    raw = json.loads(Path(str(data[1])).read_text())
    renamed = [NUCLEUS | {"name": "mitochondrion"}]
    file = write_json(tmp_path / "other.json", raw["images"], raw["annotations"], renamed)
    ended = command(
        *("train", "--annotations", file, "--images", data[3], *SHORT, "--init", tiny_model),
        *("--output", "own.safetensors", "--anchors", "4,8,16,32,64"),
    )
    assert (ended.code, ended.stderr) == (0, "")
    info = read_info(tmp_path / "own.safetensors")
    assert [c.name for c in info.categories] == ["mitochondrion"]
    assert info.architecture.anchor_sizes == (4, 8, 16, 32, 64)


def test_a_project_is_learned_from_and_its_parts_stay(
    command: Run, project: Path, tiny_model: Path
) -> None:
    arguments = ("train", "--project", project, *SHORT, "--init", tiny_model, *JSONL)
    plan = command(*arguments, "--plan")
    assert plan.code == 0
    (told,) = events(plan.stdout)
    assert (told.images + told.val_images, told.categories) == (6, {"square": told.images})
    assert told.seconds is not None
    with open_project(project) as database:
        assert remembered_parts(database) == {}, "nothing has been decided"
    assert not runs_folder(project).exists()

    # The window has the project open meanwhile, and has chosen the parts.
    ended = command(*arguments)
    assert ended.code == 0
    with open_project(project) as database:
        parts = remembered_parts(database)
    assert sorted(set(parts.values())) == ["train", "val"]
    (run,) = list_runs(project)
    assert (run.name, run.state, run.iteration) == ("squares", RunState.FINISHED, 2)
    assert run.model == str(model_file("squares"))
    first = model_file("squares").read_bytes()

    with open_project(project):
        assert command(*arguments).code == 0
    assert model_file("squares").read_bytes() == first
    assert read_info(model_file("squares 2")).id == "squares 2"
    with open_project(project) as database:
        assert remembered_parts(database) == parts


def test_a_project_that_another_window_holds_must_have_its_parts(
    command: Run, project: Path, tiny_model: Path
) -> None:
    with open_project(project):
        ended = command("train", "--project", project, *SHORT, "--init", tiny_model)
    assert ended.code == 1
    assert "is open in another window, which has to choose first" in ended.stderr
    assert list_runs(project) == [], "what was begun is cleared away"


def test_a_run_obeys_and_is_taken_up_where_it_was_left(
    command: Run, data: tuple[object, ...], tiny_model: Path, tmp_path: Path
) -> None:
    """Words on its standard input; the end of that is the end of who would say them."""
    words = ("train", *data, *SHORT, "--iterations", 6, "--init", tiny_model, *JSONL)
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "maskstudio", *map(str, words)),
            *("--control", "--output", "own.safetensors", "--run-folder", "run"),
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write("pause\n")
        child.stdin.flush()
        states = []
        for event in map(from_json, child.stdout):
            state = getattr(event, "state", None)
            states += [state] * (state is not None)
            if state is RunState.PAUSED:
                child.stdin.close()
    assert child.returncode == 0
    assert states == [RunState.TRAINING, RunState.PAUSED, RunState.BROKEN_OFF]
    left = read_run(tmp_path / "run")
    assert left.can_go_on
    assert 1 <= left.iteration < 6

    ended = command("train", "--resume", "run", *JSONL)
    assert ended.code == 0
    steps = [one.iteration for one in events(ended.stdout) if isinstance(one, Step)]
    assert steps == list(range(left.iteration + 1, 7))
    assert read_run(tmp_path / "run").state is RunState.FINISHED
    assert (tmp_path / "own.safetensors").exists()


def test_a_run_that_fails_says_why_in_its_log_too(
    command: Run, data: tuple[object, ...], tmp_path: Path
) -> None:
    given = ("--learning-rate", 1e9, "--iterations", 50, "--output", "own.safetensors")
    ended = command("train", *data, *SHORT, *FRESH, *given)
    assert ended.code == 1
    assert "train with a lower learning rate" in ended.stderr
    run = read_run(tmp_path / "own-training")
    assert run.state is RunState.FAILED
    assert run.sentence in ended.stderr


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
        (("--output", "nowhere/m.safetensors"), "its folder does not exist; make it first"),
        (("--output", "discs/discs.json"), "is there already and stays; give another name"),
        (("--run-folder", "discs"), "discs is there already; go on with --resume, or give another"),
        (("--run-folder", "nowhere/run"), "its folder does not exist; make it first"),
        (("--device", "tpu"), "There is no device 'tpu'"),
        (("--val", "none.json"), "none.json cannot be read"),
        (("--images", "."), "discs-1.png is gone"),
        (("--anchors", "8,16"), "has 5 levels; give as many anchor sizes"),
        (("--backbone-weights", "a.pth"), "nuclei has its own backbone"),
        (("--resume", "nowhere"), "nowhere is no training run: it has no settings.json; give"),
        (("--resume", "discs"), "discs is no training run: it has no settings.json; give"),
    ],
)
def test_what_cannot_be_trained_is_said_before_it_begins(
    arguments: tuple[object, ...], says: str, command: Run, data: tuple[object, ...], tmp_path: Path
) -> None:
    usual = ("train", *data, "--output", tmp_path / "m.safetensors")
    ended = command(*usual, *arguments, "--progress", "none")
    assert ended.code == 1
    assert says in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "m.safetensors").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--annotations", "a.json"),
        ("--project", ".", "--annotations", "a.json", "--images", "."),
        ("--project", ".", "--val", "a.json"),
        ("--project", ".", "--name", "a", "--output", "a.safetensors"),
        ("--project", ".", "--anchors", "a,b"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(
    arguments: tuple[object, ...], command: Run
) -> None:
    assert command("train", *arguments).code == 2


def test_an_image_that_is_not_what_the_file_says_is_found_before_training(
    command: Run, data: tuple[object, ...], tmp_path: Path
) -> None:
    Image.new("RGB", (64, 48)).save(tmp_path / "discs" / "discs-2.png")
    arguments = ("train", *data, *SHORT, *FRESH, "--output", "m.safetensors")
    ended = command(*arguments, *JSONL)
    assert ended.code == 1
    assert "discs-2.png is 64 by 48 pixels, but " in ended.stderr
    assert not any(isinstance(one, Step) for one in events(ended.stdout))


def test_a_model_may_be_called_like_an_architecture(
    command: Run, data: tuple[object, ...], tiny_model: Path, tmp_path: Path
) -> None:
    info, model = load_model(tiny_model)
    start = tmp_path / "maskrcnn_mine.safetensors"
    save_model(start, replace(info, metrics={"mask": {"AP": 0.9}}), model.state_dict())
    ended = command("train", *data, *SHORT, "--init", start.name, "--output", "own.safetensors")
    assert ended.code == 0
    assert read_info(tmp_path / "own.safetensors").metrics == {}
