"""`export`: a project becomes a proved COCO file, or the old file stays."""

import json
from pathlib import Path

import pytest

from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation, Category, ImageState
from maskstudio.annotation.edits import CategoryChange, Edit, ImageContent
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.storage.opening import open_project
from support.commands import Run
from support.pictures import write_picture

SQUARE = Segmentation.from_rings([(10, 10), (30, 10), (30, 40), (10, 40)])
NAMES = ["a.png", "b.png", "sub/c.png"]


@pytest.fixture
def project(folder: Path) -> Path:
    """One image verified with a square on it, one verified empty, one untouched."""
    with open_project(folder) as database:
        first, second, _ = database.add_images(NAMES)
        database.commit(Edit("", categories=(CategoryChange(None, Category(1, "Zelle")),)))
        square = Annotation(next(iter(database.take_annotation_ids())), 1, SQUARE)
        content = ImageContent(first, {})
        database.commit(edits.add(content, [square]))
        done = ImageContent(database.images()[0], {square.id: square})
        database.commit(edits.verify(done))
        database.commit(edits.verify(ImageContent(second, {})))
    return folder


def test_what_was_verified_is_exported(process: Run, project: Path, tmp_path: Path) -> None:
    ended = process("export", "--project", project, "--output", "out.json")
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == [
        "wrote out.json",
        "2 images, 1 annotation, 1 category.",
        "Read back with pycocotools: every mask is the one on screen (to the pixel).",
        "Evaluated against itself: AP 1.000.",
        "Not exported because of their state: 1 new.",
    ]
    raw = json.loads((tmp_path / "out.json").read_text())
    assert [image["file_name"] for image in raw["images"]] == ["a.png", "b.png"]
    (annotation,) = raw["annotations"]
    assert annotation["bbox"] == [10, 10, 20, 30]
    assert annotation["area"] == 600
    assert raw["categories"][0]["name"] == "Zelle"


def test_the_states_to_export_can_be_named(command: Run, project: Path, tmp_path: Path) -> None:
    arguments = ("export", "--project", project, "--output", "out.json")
    ended = command(*arguments, "--states", f"{ImageState.NEW}, {ImageState.EMPTY}")
    assert ended.code == 0
    raw = json.loads((tmp_path / "out.json").read_text())
    assert [image["file_name"] for image in raw["images"]] == ["b.png", "sub/c.png"]
    assert "Not exported because of their state: 1 verified." in ended.stdout


def test_for_programs_every_line_is_json(command: Run, project: Path) -> None:
    arguments = ("export", "--project", project, "--output", "out.json", "--progress", "jsonl")
    ended = command(*arguments)
    said = [json.loads(line) for line in ended.stdout.splitlines()]
    assert {one["event"] for one in said} == {"progress", "result"}
    lines = [one["line"] for one in said if one["event"] == "result"]
    assert lines[0] == "wrote out.json"


def test_with_nothing_to_export_the_old_file_stays(
    command: Run, project: Path, tmp_path: Path
) -> None:
    arguments = ("export", "--project", project, "--output", "out.json")
    assert command(*arguments).code == 0
    before = (tmp_path / "out.json").read_bytes()
    ended = command(*arguments, "--states", "skipped")
    assert ended.code == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith("maskstudio: No image of ")
    assert "is skipped; verify an image first" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert (tmp_path / "out.json").read_bytes() == before


def test_a_folder_without_a_project_is_refused_and_left_as_it_is(
    command: Run, folder: Path
) -> None:
    before = sorted(folder.rglob("*"))
    ended = command("export", "--project", folder, "--output", "out.json")
    assert ended.code == 1
    assert "holds no project yet" in ended.stderr
    assert sorted(folder.rglob("*")) == before


def test_a_project_that_is_open_can_be_exported(
    command: Run, project: Path, tmp_path: Path
) -> None:
    with open_project(project):
        ended = command("export", "--project", project, "--output", "out.json")
    assert ended.code == 0
    assert (tmp_path / "out.json").exists()


def test_a_split_is_written_in_the_format_asked_for_and_remembered(
    command: Run, project: Path, tmp_path: Path
) -> None:
    write_picture(project / "b.png", 64, 64, 7)  # that looks like no other
    arguments = ("export", "--project", project, "--output", "out", "--format", "yolo")
    ended = command(*arguments, "--split", "50,50", "--images", "link")
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[:2] == [
        "wrote out", "Images: train 1 (50.0%), val 1 (50.0%).",
    ]  # fmt: skip
    assert (tmp_path / "out" / "data.yaml").exists()
    (image,) = (tmp_path / "out" / "images" / "train").iterdir()
    assert image.samefile(project / image.name)
    looked = command(*arguments, "--split", "50,50", "--dry-run")
    assert looked.stdout.splitlines() == [
        "train: 1 image, 1 annotation; 1 in it before.",
        "val: 1 image, 0 annotations; 1 in it before.",
    ]
    again = command(*arguments, "--split", "0.5,0.5")
    assert "2 stay in the part they were in before, 0 are new." in again.stdout


def test_categories_and_run_lengths_can_be_chosen(
    command: Run, project: Path, tmp_path: Path
) -> None:
    arguments = ("export", "--project", project, "--output", "out.json")
    ended = command(*arguments, "--segmentation", "rle", "--categories", "Zelle")
    assert ended.code == 0
    (annotation,) = json.loads((tmp_path / "out.json").read_text())["annotations"]
    assert annotation["segmentation"]["size"] == [80, 100]
    ended = command(*arguments, "--categories", "Zelle, Kern")
    assert ended.code == 1
    assert "no category 'Kern'; it has: Zelle." in ended.stderr


@pytest.mark.parametrize("split", ["1", "0.5,x", "0,1", "0.5,-0.1,0.6", "a", "1,1,1,1", "nan,1"])
def test_a_split_that_is_none_is_refused(
    command: Run, project: Path, tmp_path: Path, split: str
) -> None:
    ended = command("export", "--project", project, "--output", "out", "--split", split)
    assert ended.code == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("option", "value"),
    [("--format", "bmp"), ("--images", "move"), ("--segmentation", "box"), ("--states", "old")],
)
def test_an_unknown_word_is_wrong_usage(
    command: Run, project: Path, option: str, value: str
) -> None:
    ended = command("export", "--project", project, "--output", "out", option, value)
    assert ended.code == 2


def test_a_folder_without_a_project_is_not_made_one_by_a_split(command: Run, folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    ended = command("export", "--project", folder, "--output", "out", "--split", "80,20")
    assert ended.code == 1
    assert "holds no project yet" in ended.stderr
    assert sorted(folder.rglob("*")) == before
