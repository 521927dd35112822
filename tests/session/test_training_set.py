"""What of a project is learned from: finished images alone, and what is measured on stays apart."""

from pathlib import Path

import pytest

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.errors import UserError
from maskstudio.formats.coco_reader import CocoFile, read_coco
from maskstudio.progress import TaskContext
from maskstudio.session.splitting import Split, remember, remembered_parts
from maskstudio.session.training_set import freeze_parts, write_training_files
from maskstudio.storage.opening import open_project
from support.labelled import SQUARE, label
from support.pictures import write_picture

CONTEXT = TaskContext()
HOLED = Segmentation.from_rings([(5.5, 5), (40, 5), (40, 40)])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    for n in range(12):
        write_picture(folder / f"{n}.png", 48 + n, 64, n)
    contents = {f"{n}.png": ((1, SQUARE), (2, HOLED)) for n in range(9)}
    label(folder, contents | {"9.png": ()}, (Category(1, "square"), Category(2, "odd")))
    return folder


def files(project: Path, out: Path) -> tuple[CocoFile, CocoFile | None]:
    with open_project(project, read_only=True) as database:
        written = write_training_files(database, out, CONTEXT)
    assert written.images == project
    return read_coco(written.train), read_coco(written.val) if written.val else None


def test_finished_images_alone_are_learned_from_or_measured_on(
    project: Path, tmp_path: Path
) -> None:
    train, val = files(project, tmp_path)
    assert val is not None
    names = {i.file_name for i in (*train.images.values(), *val.images.values())}
    assert names == {f"{n}.png" for n in range(10)}
    assert not train.images.keys() & val.images.keys()
    assert len(val.images) == 2
    assert [c.name for c in train.categories] == [c.name for c in val.categories]
    with open_project(project) as database:
        assert remembered_parts(database) == {}, "reading decides nothing"


def test_what_is_measured_on_is_never_learned_from_later(project: Path, tmp_path: Path) -> None:
    with open_project(project) as database:
        freeze_parts(database, CONTEXT)
        before = dict(remembered_parts(database))
    assert set(before.values()) == {"train", "val"}
    label(project, {f"{n}.png": ((1, SQUARE),) for n in (10, 11)})
    with open_project(project) as database:
        freeze_parts(database, CONTEXT)
        after = remembered_parts(database)
    assert before.items() < after.items()
    train, val = files(project, tmp_path)
    assert val is not None
    assert set(train.images) == {i for i, part in after.items() if part == "train"}
    assert set(val.images) == {i for i, part in after.items() if part == "val"}


def test_parts_must_be_known_where_they_cannot_be_remembered(project: Path) -> None:
    says = "has to choose first what is kept to measure on"
    with (
        open_project(project, read_only=True) as database,
        pytest.raises(UserError, match=says),
    ):
        freeze_parts(database, CONTEXT)
    with open_project(project) as database:
        freeze_parts(database, CONTEXT)
    with open_project(project, read_only=True) as database:
        freeze_parts(database, CONTEXT)


def test_without_a_finished_image_there_is_nothing_to_learn_from(
    project: Path, tmp_path: Path
) -> None:
    with open_project(project) as database:
        parts = {image.id: "val" for image in database.images()}
        remember(database, Split(parts))
    with pytest.raises(UserError, match=r"All verified images of .* are kept to measure on"):
        files(project, tmp_path)
    empty = tmp_path / "new"
    write_picture(empty / "a.png", 48, 64)
    with open_project(empty) as database:
        database.add_images(["a.png"])
    with pytest.raises(UserError, match=r"No image of .*new is verified; verify some"):
        files(empty, tmp_path)
