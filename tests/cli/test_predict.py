"""`predict` and `demo`: images in, a COCO file and overlays out."""

import contextlib
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image
from pycocotools.coco import COCO

from maskstudio.resources import resource_path
from support.commands import Run
from support.pictures import write_picture

NAMES = ["a.png", "b.png", "sub/c.png"]


def read(path: Path) -> COCO:
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


def test_a_folder_and_a_file_become_one_coco_file(
    command: Run, folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    single = write_picture(tmp_path / "other" / "d.png", 50, 60)
    ended = command(
        *("predict", folder, single, folder / "a.png"),
        *("--output", tmp_path / "out.json", "--model", tiny_model, "--score", 0.1),
        *("--device", "cpu"),
    )
    assert (ended.code, ended.stderr) == (0, "tiny on CPU, 1 thread\n")
    coco = read(tmp_path / "out.json")
    names = [f"images/{name}" for name in NAMES] + ["other/d.png"]
    assert [image["file_name"] for image in coco.dataset["images"]] == names
    assert [(i["height"], i["width"]) for i in coco.dataset["images"]] == [
        (80, 100),
        (64, 64),
        (64, 64),
        (50, 60),
    ]
    assert [category["name"] for category in coco.dataset["categories"]] == ["nucleus"]
    assert coco.anns
    assert all(0.1 <= annotation["score"] <= 1 for annotation in coco.anns.values())
    assert all(coco.annToMask(one).any() for one in coco.anns.values())
    lines = ended.stdout.splitlines()
    assert [line.split(": ")[0] for line in lines] == names
    assert all(line.endswith(" s") and " annotations, " in line for line in lines)


def test_names_are_relative_and_plain_whatever_way_the_images_are_given(
    command: Run, folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    paths = ("images/sub/../b.png", "./images/a.png", folder / "sub")
    ended = command("predict", *paths, "--output", "out.json", "--model", tiny_model)
    assert ended.code == 0
    names = [image["file_name"] for image in read(tmp_path / "out.json").dataset["images"]]
    assert names == ["b.png", "a.png", "sub/c.png"]


def test_a_damaged_image_is_named_and_the_rest_goes_on(
    process: Run, folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    whole = (folder / "b.png").read_bytes()
    (folder / "b.png").write_bytes(whole[: len(whole) // 2])
    ended = process(
        *("predict", folder, "--output", tmp_path / "out.json", "--model", tiny_model),
        *("--overlay", tmp_path / "overlays", "--score", 0.1, "--device", "cpu"),
    )
    assert ended.code == 1
    device, error = ended.stderr.splitlines()
    assert device == "tiny on CPU, 1 thread"
    assert error.startswith("maskstudio: 1 of 3 images could not be predicted; the first: ")
    assert "b.png is damaged" in error
    assert len(ended.stdout.splitlines()) == 3
    coco = read(tmp_path / "out.json")
    assert [image["file_name"] for image in coco.dataset["images"]] == ["a.png", "sub/c.png"]
    overlays = tmp_path / "overlays"
    painted = sorted(p.relative_to(overlays).as_posix() for p in overlays.rglob("*.png"))
    assert painted == ["a.png", "sub/c.png"]
    with Image.open(overlays / "a.png") as overlay, Image.open(folder / "a.png") as image:
        assert overlay.size == image.size
        assert np.any(np.asarray(overlay) != np.asarray(image))


def test_where_nothing_can_be_predicted_an_old_file_stays(
    command: Run, tiny_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(b"no image")
    (tmp_path / "out.json").write_text("old")
    ended = command("predict", "a.png", "--output", "out.json", "--model", tiny_model)
    assert ended.code == 1
    assert "1 of 1 images could not be predicted; the first: " in ended.stderr
    assert (tmp_path / "out.json").read_text() == "old"


def test_overlays_over_the_images_themselves_are_refused(
    command: Run, folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    before = {name: (folder / name).read_bytes() for name in NAMES}
    ended = command(
        *("predict", folder, "--output", tmp_path / "out.json", "--model", tiny_model),
        *("--overlay", folder),
    )
    assert ended.code == 1
    assert "would be painted over; choose another folder for overlays" in ended.stderr
    assert {name: (folder / name).read_bytes() for name in NAMES} == before


def test_for_programs_every_line_is_json(
    command: Run, folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    ended = command(
        *("predict", folder, "--output", tmp_path / "out.json", "--model", tiny_model),
        *("--progress", "jsonl"),
    )
    assert ended.code == 0
    said = [json.loads(line) for line in ended.stdout.splitlines()]
    results = [one["line"] for one in said if one["event"] == "result"]
    assert [line.split(": ")[0] for line in results] == NAMES
    progress = [one for one in said if one["event"] == "progress"]
    assert progress[0] == {"event": "progress", "done": 0, "total": 3, "note": "a.png"}
    assert {one["event"] for one in said} == {"result", "progress"}


def test_the_embedded_model_finds_nuclei_on_a_sample(command: Run, tmp_path: Path) -> None:
    name = "fluorescence-1.png"
    sample = resource_path("samples", "nuclei", name)
    ended = command("predict", sample, "--output", "out.json")
    assert ended.code == 0
    coco = read(tmp_path / "out.json")
    assert len(coco.anns) >= 15
    assert all(annotation["score"] >= 0.5 for annotation in coco.anns.values())
    assert f"{name}: {len(coco.anns)} annotations, " in ended.stdout


def test_the_demo_predicts_the_samples_without_a_display(command: Run, tmp_path: Path) -> None:
    samples = sorted(p.name for p in resource_path("samples", "nuclei").glob("*.png"))
    ended = command("demo", "--headless", "--output", "deep/demo")
    assert ended.code == 0
    output = tmp_path / "deep" / "demo"
    *lines, last = ended.stdout.splitlines()
    assert sorted(line.split(": ")[0] for line in lines) == samples
    assert last.startswith("Wrote ")
    coco = read(output / "annotations.json")
    assert sorted(image["file_name"] for image in coco.dataset["images"]) == samples
    counts = [len(coco.getAnnIds(imgIds=[image])) for image in coco.imgs]
    assert sum(counts) >= 100
    assert sorted(p.name for p in output.glob("*.png")) == samples
    first = coco.dataset["images"][0]
    with Image.open(output / first["file_name"]) as overlay:
        assert overlay.size == (first["width"], first["height"])


def test_a_demo_folder_that_cannot_be_made_is_said(command: Run, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    ended = command("demo", "--headless", "--output", "taken")
    assert ended.code == 1
    assert "taken cannot be made: " in ended.stderr
    assert ended.stderr.count("\n") == 1
