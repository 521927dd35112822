"""`import`: a data set of another program comes into a project, or says why it does not."""

import json
from pathlib import Path

import pytest

from maskstudio.annotation.annotation import ImageState
from maskstudio.storage.opening import open_project
from support.commands import Run

RING = [10.5, 10, 30, 10, 30, 40.25]
NAMES = ("a.png", "D:\\photos\\b.png", "gone.png")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A COCO file with a triangle on each of three images, of which the project has two."""
    sizes = ((80, 100), (64, 64), (5, 5))
    raw = {
        "images": [
            {"id": n, "file_name": name, "height": height, "width": width}
            for n, (name, (height, width)) in enumerate(zip(NAMES, sizes, strict=True))
        ],
        "categories": [{"id": 0, "name": "cell"}, {"id": 9, "name": "dog"}],
        "annotations": [
            {"image_id": n, "category_id": (0, 9, 0)[n], "segmentation": [RING]} for n in range(3)
        ],
    }
    path = tmp_path / "set.json"
    path.write_text(json.dumps(raw))
    return path


def standing(folder: Path) -> dict[str, list[str]]:
    """Return for each image the categories of what stands on it."""
    with open_project(folder, read_only=True) as project:
        names = {one.id: one.name for one in project.categories()}
        return {
            image.path: [names[a.category_id] for a in project.annotations(image.id)]
            for image in project.images()
        }


def test_a_data_set_comes_into_the_project_of_a_folder(
    process: Run, file: Path, folder: Path
) -> None:
    ended = process("import", file, "--project", folder)
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == [
        "2 annotations taken in on 2 images: 2 of people, 0 of models.",
        "Categories made: cell, dog.",
        "1 image not in the project.",
    ]
    assert standing(folder) == {"a.png": ["cell"], "b.png": ["dog"], "sub/c.png": []}


def test_a_dry_run_says_what_would_happen_and_changes_nothing(
    command: Run, file: Path, folder: Path
) -> None:
    ended = command("import", file, "--project", folder, "--dry-run")
    assert ended.code == 0
    assert ended.stdout.splitlines()[:2] == [
        "2 of 3 images are in the project, with 2 annotations.",
        "1 image not in the project: gone.png.",
    ]
    assert not any(standing(folder).values())


def test_categories_and_states_are_chosen(command: Run, file: Path, folder: Path) -> None:
    wishes = ("--category", "cell=Zelle", "--category", "dog=-", "--state", "verified")
    assert command("import", file, "--project", folder, *wishes).code == 0
    assert standing(folder) == {"a.png": ["Zelle"], "b.png": [], "sub/c.png": []}
    with open_project(folder, read_only=True) as project:
        assert project.images()[0].state is ImageState.VERIFIED


def test_what_stands_there_is_left_unless_told_otherwise(
    command: Run, file: Path, folder: Path
) -> None:
    arguments = ("import", file, "--project", folder)
    assert command(*arguments).code == 0
    raw = json.loads(file.read_text())
    raw["annotations"][0]["segmentation"][0][0] = 11
    file.write_text(json.dumps(raw))
    assert "2 images left as they are" in command(*arguments).stdout
    assert "1 stood there already." in command(*arguments, "--existing", "add").stdout
    assert standing(folder)["a.png"] == ["cell", "cell"]
    assert "1 annotation replaced." in command(*arguments, "--existing", "replace").stdout
    assert standing(folder)["a.png"] == ["cell"]


def test_progress_is_json_lines_for_programs(command: Run, file: Path, folder: Path) -> None:
    ended = command("import", file, "--project", folder, "--progress", "jsonl")
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    assert {event["event"] for event in events} == {"progress", "result"}
    assert events[-1]["line"] == "1 image not in the project."


@pytest.mark.parametrize("wish", ["cell", "bird=Vogel", "cell="])
def test_a_wish_that_is_none_is_wrong_usage(
    command: Run, file: Path, folder: Path, wish: str
) -> None:
    ended = command("import", file, "--project", folder, "--category", wish)
    assert ended.code == 2
    assert "cell, dog" in ended.stderr


def test_a_data_set_of_other_images_is_an_error(command: Run, file: Path, folder: Path) -> None:
    raw = json.loads(file.read_text()) | {"annotations": []}
    raw["images"] = raw["images"][2:]
    file.write_text(json.dumps(raw))
    ended = command("import", file, "--project", folder)
    assert ended.code == 1
    assert "none of its images was found in the project" in ended.stderr
    assert "gone.png is not in the project." in ended.stderr


def test_a_file_that_is_wrong_is_named_in_one_line(command: Run, file: Path, folder: Path) -> None:
    file.write_text('{"images": [], "annotations": [{"bbox": [NaN]}], "categories": []}')
    ended = command("import", file, "--project", folder)
    assert ended.code == 1
    assert f"maskstudio: {file}: annotations[0].bbox[0]" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert not (folder / ".maskstudio").exists()
