"""`check`: what is wrong with a project, a file or a folder, and an exit code that says whether."""

import json
from pathlib import Path

import pytest

from maskstudio.annotation.annotation import Annotation, Category, ImageState
from maskstudio.annotation.edits import (
    AnnotationChange,
    CategoryChange,
    Edit,
    ImageContent,
    set_state,
    verify,
)
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.storage.opening import open_project
from support.coco_sets import write_discs
from support.commands import Run
from support.pictures import write_picture

SQUARE = Segmentation.from_rings([(10, 10), (30, 10), (30, 40), (10, 40)])
BOWTIE = Segmentation.from_rings([(10, 10), (30, 30), (30, 10), (10, 30)])


@pytest.fixture
def project(folder: Path) -> Path:
    """A project of three different pictures, a square on the first, the others verified empty."""
    write_picture(folder / "b.png", 64, 64, seed=1)
    write_picture(folder / "sub" / "c.png", 64, 64, seed=2)
    with open_project(folder) as database:
        records = database.add_images(["a.png", "b.png", "sub/c.png"])
        database.commit(Edit("", categories=(CategoryChange(None, Category(1, "cell")),)))
        for record in records[1:]:
            database.commit(verify(ImageContent(record, {})))
        square = Annotation(next(database.take_annotation_ids()), 1, SQUARE)
        database.commit(Edit("", annotations=(AnnotationChange(records[0].id, None, square),)))
    return folder


def spoil(folder: Path) -> None:
    """Put an outline that crosses itself on the first image of a project."""
    with open_project(folder) as database:
        bowtie = Annotation(next(database.take_annotation_ids()), 1, BOWTIE)
        database.commit(Edit("", annotations=(AnnotationChange(1, None, bowtie),)))


def test_a_clean_project_ends_with_0(process: Run, project: Path) -> None:
    ended = process("check", project)
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == ["3 images, 1 annotation.", "Nothing is wrong."]


def test_a_project_with_a_problem_ends_with_1_and_says_where(
    command: Run, project: Path, tmp_path: Path
) -> None:
    spoil(project)
    before = (project / ".maskstudio" / "project.db").read_bytes()
    ended = command("check", project, "--json", "out.json")
    assert ended.code == 1
    assert ended.stdout.splitlines() == [
        "3 images, 2 annotations.",
        "Outlines that cross themselves: 1",
        "  a.png: annotation 2: The outline crosses itself, or its parts and holes overlap.",
    ]
    plain = json.loads((tmp_path / "out.json").read_text())
    assert (plain["ok"], plain["images"], plain["annotations"]) == (False, 3, 2)
    (finding,) = plain["findings"]
    assert finding | {"box": None} == {
        "kind": "crossing",
        "severity": "problem",
        "sentence": "The outline crosses itself, or its parts and holes overlap.",
        "image": "a.png",
        "annotations": [2],
        "box": None,
        "category_id": None,
        "fixable": True,
    }
    assert finding["box"] == [8, 8, 32, 32]
    assert (project / ".maskstudio" / "project.db").read_bytes() == before


def test_what_is_only_doubtful_is_told_and_no_problem(command: Run, project: Path) -> None:
    with open_project(project) as database:
        edited = ImageContent(database.images()[1], {})
        database.commit(set_state(edited, ImageState.EDITED, "Reopen"))
    ended = command("check", project)
    assert ended.code == 0
    assert "b.png: It is edited, but nothing stands on it" in ended.stdout
    assert ended.stdout.endswith("Nothing is wrong for sure, 1 to look at.\n")


def test_notes_alone_are_no_problem(command: Run, folder: Path) -> None:
    with open_project(folder) as database:
        database.add_images(["a.png"])
    ended = command("check", folder)
    assert ended.code == 0
    assert "Images without annotations: 1" in ended.stdout
    assert ended.stdout.endswith("Nothing is wrong.\n")


def test_a_project_that_is_open_can_be_checked(command: Run, project: Path) -> None:
    with open_project(project):
        assert command("check", project).code == 0


def test_a_coco_file_is_checked_with_its_images(command: Run, tmp_path: Path) -> None:
    path = write_discs(tmp_path / "set")
    raw = json.loads(path.read_text()) | {"info": {}, "licenses": []}
    path.write_text(json.dumps(raw))
    ended = command("check", path)
    assert ended.stdout.splitlines()[-2:] == [
        "Evaluated against itself: AP 1.000.",
        "Nothing is wrong.",
    ]
    assert ended.code == 0
    (tmp_path / "set" / "discs-1.png").unlink()
    write_picture(tmp_path / "set" / "discs-1.png", 32, 32)
    raw["annotations"][0]["id"] = 0
    path.write_text(json.dumps(raw))
    ended = command("check", path, "--json", "out.json")
    assert ended.code == 1
    assert "Ids: 1\n  Annotation id 0 is not a whole number from 1." in ended.stdout
    assert "Labelled at another size: 1" in ended.stdout
    plain = json.loads((tmp_path / "out.json").read_text())
    assert plain["problems"][0]["rule"] == "Ids"
    assert plain["ap"] < 1


def test_a_broken_coco_file_is_told_not_raised(command: Run, tmp_path: Path) -> None:
    path = write_discs(tmp_path)
    raw = json.loads(path.read_text())
    raw["annotations"][0]["image_id"] = 77
    path.write_text(json.dumps(raw))
    ended = command("check", path)
    assert (ended.code, ended.stderr) == (1, "")
    assert "refers to image 77, which is not listed." in ended.stdout


def test_a_folder_of_another_program_is_checked(command: Run, tmp_path: Path) -> None:
    folder = tmp_path / "yolo"
    write_picture(folder / "images" / "a.png", 60, 80)
    (folder / "labels").mkdir()
    (folder / "data.yaml").write_text("path: .\ntrain: images\nval: images\nnames: [cell]\n")
    same = "0 0.25 0.25 0.75 0.25 0.75 0.75 0.25 0.75\n"
    (folder / "labels" / "a.txt").write_text(same + same)
    ended = command("check", folder)
    assert ended.code == 1
    assert "Labelled twice: 1" in ended.stdout
    (folder / "labels" / "a.txt").write_text(same)
    assert command("check", folder).code == 0


def test_what_is_no_data_set_is_one_line_on_stderr(command: Run, tmp_path: Path) -> None:
    for name, words in (("nowhere", "does not exist"), ("empty", "no data set")):
        if name == "empty":
            (tmp_path / name).mkdir()
        ended = command("check", name)
        assert (ended.code, ended.stdout) == (1, "")
        assert words in ended.stderr
        assert ended.stderr.count("\n") == 1
