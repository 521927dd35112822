"""`evaluate`: figures of models on the same images, for people and for programs."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.evaluation import Confusion, Figures, ModelFigures, Report
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.cli.evaluation_table import table
from maskstudio.mask_rcnn.model_file import load_model, save_model
from maskstudio.session.splitting import remembered_parts
from maskstudio.storage.opening import open_project
from support.coco_sets import write_discs
from support.commands import Run
from support.labelled import label

Words = tuple[object, ...]


@pytest.fixture
def data(tmp_path: Path) -> Words:
    file = write_discs(tmp_path / "discs")
    return ("--annotations", file, "--images", file.parent)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Six pictures, verified; the model's nuclei are called cells in it."""
    folder = write_discs(tmp_path / "project", images=6).parent
    names = [f"discs-{number}.png" for number in range(1, 7)]
    corners = [(10 + 2 * number, 10) for number in range(6)]
    squares = [
        Segmentation.from_rings([(x, y), (x + 12, y), (x + 12, y + 12), (x, y + 12)])
        for x, y in corners
    ]
    contents = {name: ((1, square),) for name, square in zip(names, squares, strict=True)}
    label(folder, contents, (Category(1, "Nuclei"),))
    return folder


def no_constants(name: str) -> float:
    raise ValueError(name)


def json_lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line, parse_constant=no_constants) for line in text.splitlines()]


def rows_of(lines: list[str]) -> dict[str, list[str]]:
    """The lines of a table by their words."""
    return {words: cells for words, *cells in (re.split(r"\s{2,}", one.strip()) for one in lines)}


def test_two_models_stand_in_one_table(
    command: Run, data: Words, tiny_model: Path, tmp_path: Path
) -> None:
    info, model = load_model(tiny_model)
    training = {"sha256": "ab", "init": "tiny"}
    other = replace(info, id="other", categories=(Category(1, "dust"),), training=training)
    save_model(tmp_path / "other.safetensors", other, model.state_dict())
    models = ("--model", tiny_model, "--model", "other.safetensors")
    ended = command("evaluate", *models, *data, "--output", "report.json")
    assert (ended.code, ended.stderr) == (0, "")
    first, heads, *rows, last = ended.stdout.splitlines()
    assert first == "discs.json: 2 images, 6 objects"
    assert heads.split() == ["tiny", "other"]
    by_name = rows_of(rows)
    assert by_name["mask AP, large"] == ["-", "-"], "there is no large disc"
    assert len(by_name["gestures an object"]) == 2
    assert last == "other does not know nucleus: counted as missed."
    text = (tmp_path / "report.json").read_text(encoding="utf-8")
    json.loads(text, parse_constant=no_constants)  # NaN is not JSON
    report = Report.from_json(text)
    assert [model.model for model in report.models] == ["tiny", "other"]
    assert [model.source for model in report.models] == [str(tiny_model), "other.safetensors"]
    assert report.models[1].unknown == ("nucleus",)
    assert report.models[1].training == training
    assert [f"{model.best.ap:.3f}" for model in report.models] == by_name["mask AP"]


def test_what_is_taken_for_what_stands_under_the_figures() -> None:
    names = ("cat", "dog", "cow")
    figures = Figures(0.5, 0.9, None, None, None, None, dict.fromkeys(names))
    counts = ((5, 3, 0, 1), (7, 9, 0, 0), (0, 0, 2, 2), (1, 1, 1, 0))
    one = ModelFigures("one", "one", figures, None, Confusion(names, counts), None)
    none = Confusion(names, tuple((0,) * 4 for _ in range(4)))
    two = replace(one, model="two", confusion=none)
    lines = table(Report("val.json", "", 1, 1, 0.5, 500, (one, two))).splitlines()
    at = lines.index("taken for another")
    assert [re.split(r"\s{2,}", line.strip()) for line in lines[at + 1 :]] == [
        ["dog for cat", "7", "0"],
        ["cat for dog", "3", "0"],
    ]
    assert rows_of(lines[2:at])["mask AP"] == ["-", "-"]


def test_a_program_hears_how_far_it_is_over_all_models(
    command: Run, data: Words, tiny_model: Path
) -> None:
    models = ("--model", tiny_model, "--model", tiny_model)
    ended = command("evaluate", *models, *data, "--progress", "jsonl")
    assert (ended.code, ended.stderr) == (0, "")
    said = json_lines(ended.stdout)
    progress = [(one["done"], one["total"]) for one in said if one["event"] == "progress"]
    assert progress == [(0, 4), (1, 4), (2, 4), (2, 4), (3, 4), (4, 4)]
    figures = [one for one in said if "box" in one]
    assert [one["model"] for one in figures] == ["tiny", "tiny"]
    assert {"AP", "AP50", "AP75", "per_category"} <= set(figures[0]["mask"])
    assert {one["event"] for one in said} == {"progress", "result"}


def test_a_project_is_measured_on_what_it_keeps_for_that(
    command: Run, project: Path, tiny_model: Path, tmp_path: Path
) -> None:
    arguments = ("evaluate", "--model", tiny_model, "--project", project)
    ended = command(*arguments, "--output", "report.json")
    assert (ended.code, ended.stderr) == (0, "")
    with open_project(project) as database:
        kept = [part for part in remembered_parts(database).values() if part == "val"]
    report = Report.from_json((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report.images == report.objects == len(kept)
    assert 0 < len(kept) < 6
    assert report.data == "project, verified images kept for validation"
    # The names say that it is one and the same category.
    assert report.models[0].unknown == ()
    assert list(report.models[0].best.per_category) == ["Nuclei"]


def test_a_project_that_a_window_has_open_is_only_read(
    command: Run, project: Path, tiny_model: Path
) -> None:
    arguments = ("evaluate", "--model", tiny_model, "--project", project)
    with open_project(project) as database:
        refused = command(*arguments)
        assert refused.code == 1
        assert "No verified image of " in refused.stderr
        assert "export it with a split once, or close it" in refused.stderr
        assert remembered_parts(database) == {}
    assert command(*arguments).code == 0
    with open_project(project):
        assert command(*arguments).code == 0


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ((), 2, "Give --project, or --annotations with --images."),
        (("--annotations", "a.json"), 2, "--annotations and --images go together."),
        (("--project", ".", "--images", "."), 2, "--annotations and --images go together."),
        (("--project", "."), 1, "holds no project yet"),
        (("--annotations", "none.json", "--images", "."), 1, "none.json cannot be read"),
    ],
)
def test_what_cannot_be_measured_is_said(
    words: Words, code: int, says: str, command: Run, tiny_model: Path
) -> None:
    ended = command("evaluate", "--model", tiny_model, *words)
    assert ended.code == code
    assert says in ended.stderr
    assert ended.stdout == ""


def test_a_project_without_a_verified_image_says_so(
    command: Run, folder: Path, tiny_model: Path
) -> None:
    open_project(folder).close()
    ended = command("evaluate", "--model", tiny_model, "--project", folder)
    assert ended.code == 1
    assert "is verified; verify some, then evaluate on them." in ended.stderr
