"""`effort`: what models' work was worth, out of the journal, for people and for programs."""

import csv
import json
from pathlib import Path

import pytest

from maskstudio.annotation.annotation import Annotation, Category
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.edits import (
    AnnotationChange,
    CategoryChange,
    Edit,
    ImageContent,
    by_batch,
    pre_annotate,
    verify,
)
from maskstudio.storage.opening import open_project
from support.commands import Run


@pytest.fixture
def project(folder: Path) -> Path:
    """A project: a model found two, one was accepted and one deleted; a third was drawn."""
    with open_project(folder) as database:
        record, *_ = database.add_images(["a.png"])
        made = CategoryChange(None, Category(1, "cell"))
        database.commit(by_batch(Edit("Add category", categories=(made,))))
        found = [
            Annotation(n, 1, None, (n, n, n + 9, n + 9), "fine", 0.5, touched=False) for n in (1, 2)
        ]
        image = ImageContent(record, {})
        database.commit(by_batch(pre_annotate(image, "fine", found, DetectionFilter())))
        gone = AnnotationChange(record.id, found[0], None)
        drawn = AnnotationChange(record.id, None, Annotation(3, 1, None, (0, 0, 5, 5)))
        for change in (gone, drawn):
            database.commit(Edit("", annotations=(change,)))
        database.commit(verify(ImageContent(record, {2: found[1]})))
    return folder


def test_it_tells_a_sentence_and_two_tables(process: Run, project: Path) -> None:
    ended = process("effort", "--project", project)
    assert (ended.code, ended.stderr) == (0, "")
    said, *more = ended.stdout.splitlines()
    assert said.startswith("So far 33 % of 3 objects were accepted as the model left them; 0.")
    assert "A pause of more than a minute counts as one minute." in more
    head, row = (line.split("  ") for line in more[more.index("") + 1 :][:2])
    assert head[0] == "model"
    assert [cell.strip() for cell in row if cell.strip()][:-1] == [
        *("fine", "3", "1 · 33 %", "-", "1 · 33 %", "-", "1 · 33 %"),
    ]


def test_figures_are_written_for_programs(command: Run, project: Path, tmp_path: Path) -> None:
    ended = command("effort", "--project", project, "--csv", "out.csv", "--json", "out.json")
    assert ended.code == 0
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    counts = {"accepted": 1, "adjusted": 0, "deleted": 1, "boxed": 0, "drawn": 1}
    assert {name: int(row[name]) for name in counts} == counts
    assert (row["category"], row["model"]) == ("cell", "fine")
    (told,) = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert told | counts == told
    assert told["day"] == row["day"]


def test_a_category_or_model_that_is_not_there_is_said(command: Run, project: Path) -> None:
    for option, there in (("--category", "'cell'"), ("--model", "'fine'")):
        ended = command("effort", "--project", project, option, "nix")
        assert ended.code == 1
        assert f"'nix'; choose of {there}." in ended.stderr


def test_a_project_that_nothing_was_done_to_has_nothing_to_tell(command: Run, folder: Path) -> None:
    with open_project(folder):
        pass
    ended = command("effort", "--project", folder, "--days", "3")
    assert ended.code == 0
    assert ended.stdout.startswith("In the last 3 days nothing was accepted, corrected or drawn.")
    missing = command("effort", "--project", folder.parent)
    assert (missing.code, "holds no project yet" in missing.stderr) == (1, True)
