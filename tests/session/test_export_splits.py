"""Train, val and test: what looks alike stays together, and what was once divided stays so."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from maskstudio.annotation.annotation import Category, ImageState
from maskstudio.annotation.edits import Edit, ImageChange
from maskstudio.errors import CancelledError, UserError
from maskstudio.formats.options import ExportFormat, ExportOptions, SplitRatios
from maskstudio.progress import TaskContext
from maskstudio.session.alike import find_alike
from maskstudio.session.exporting import count_parts, export
from maskstudio.session.splitting import remembered_parts
from maskstudio.storage.opening import open_project
from support.labelled import SQUARE, label
from support.pictures import write_picture

HALVES = SplitRatios(0.5, 0.5)
TENTHS = SplitRatios(0.8, 0.1, 0.1)


def noise(path, seed):
    """Write a picture that looks like no other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 255, (16, 16, 3), np.uint8)
    Image.fromarray(coarse).resize((64, 48), Image.Resampling.NEAREST).save(path)


@pytest.fixture
def folder(tmp_path):
    """Twenty pictures, every fourth with the rare category; `film1.png` to `film4.png` alike."""
    folder = tmp_path / "project"
    contents = {}
    for n in range(16):
        noise(folder / f"{n}.png", n)
        contents[f"{n}.png"] = ((1, SQUARE),) + (((2, SQUARE),) if n % 4 == 0 else ())
    for n in range(1, 5):
        write_picture(folder / f"film{n}.png", 48 + n, 64 + n, 99)
        contents[f"film{n}.png"] = ((1, SQUARE),)
    label(folder, contents, (Category(1, "common"), Category(2, "rare")))
    return folder


def options_of(splits, **more):
    states = (ImageState.EDITED, ImageState.VERIFIED, ImageState.EMPTY)
    return ExportOptions(ExportFormat.COCO, states, splits=splits, **more)


def run(folder, out, splits, **more):
    with open_project(folder) as database:
        return export(database, out, options_of(splits, **more), TaskContext())


def parts(out):
    """Return image name to part, out of the files."""
    found = {}
    for path in (out / "annotations").glob("*.json"):
        for image in json.loads(path.read_text())["images"]:
            assert image["file_name"] not in found
            found[image["file_name"]] = path.stem
    return found


def sizes(out):
    names = list(parts(out).values())
    return {name: names.count(name) for name in sorted(set(names))}


def test_the_parts_have_their_shares_and_their_share_of_a_rare_category(folder, tmp_path):
    run(folder, tmp_path / "out", HALVES)
    assert sizes(tmp_path / "out") == {"train": 10, "val": 10}
    found = parts(tmp_path / "out")
    rare = [found[f"{n}.png"] for n in range(0, 16, 4)]
    assert sorted(rare) == ["train", "train", "val", "val"]


def test_images_that_look_alike_are_in_one_part(folder, tmp_path):
    for draw in range(4):
        report = run(folder, tmp_path / "out", HALVES, draw_anew=draw > 0)
        found = parts(tmp_path / "out")
        assert len({found[f"film{n}.png"] for n in range(1, 5)}) == 1
    assert "1 group of images that look alike: each is in one part." in report.sentences()


def test_tomorrow_the_parts_are_the_same(folder, tmp_path):
    run(folder, tmp_path / "one", HALVES)
    shutil.rmtree(tmp_path / "one" / "annotations")
    (folder / ".maskstudio" / "likeness.db").unlink()
    report = run(folder, tmp_path / "two", SplitRatios(0.8, 0.1, 0.1))
    # Other shares move no image either: only new ones could make up for it.
    with open_project(folder, read_only=True) as database:
        remembered = remembered_parts(database)
        names = {record.id: record.path for record in database.images()}
    assert {names[i]: part for i, part in remembered.items()} == parts(tmp_path / "two")
    assert sizes(tmp_path / "two") == {"train": 10, "val": 10}
    assert "20 stay in the part they were in before, 0 are new." in report.sentences()
    assert any("Nothing is in test" in sentence for sentence in report.sentences())


def test_new_images_fill_the_parts_and_join_what_they_look_like(folder, tmp_path):
    run(folder, tmp_path / "out", HALVES)
    before = parts(tmp_path / "out")
    for n in range(20, 30):
        noise(folder / f"{n}.png", n)
    with Image.open(folder / "film2.png") as image:
        image.resize((200, 150)).save(folder / "film9.jpg", quality=70)
    label(folder, {f"{n}.png": ((1, SQUARE),) for n in range(20, 30)} | {"film9.jpg": ()})
    run(folder, tmp_path / "out", HALVES)
    after = parts(tmp_path / "out")
    assert {name: after[name] for name in before} == before
    assert after["film9.jpg"] == before["film1.png"]
    assert sorted(sizes(tmp_path / "out").values()) == [15, 16]


def test_an_image_that_is_left_out_once_keeps_its_part(folder, tmp_path):
    run(folder, tmp_path / "one", HALVES)
    with open_project(folder) as database:
        fewer = ExportOptions(ExportFormat.COCO, (ImageState.EMPTY,), splits=HALVES)
        record = database.images()[0]
        status = replace(record.status, state=ImageState.EMPTY)
        database.commit(Edit("", images=(ImageChange(record.id, record.status, status),)))
        export(database, tmp_path / "two", fewer, TaskContext())
        assert len(remembered_parts(database)) == 20
    run(folder, tmp_path / "three", HALVES)
    assert parts(tmp_path / "three") == parts(tmp_path / "one")


def test_drawn_anew_only_when_asked_for(folder, tmp_path):
    run(folder, tmp_path / "out", HALVES)
    first = parts(tmp_path / "out")
    run(folder, tmp_path / "out", HALVES, draw_anew=True)
    second = parts(tmp_path / "out")
    assert second != first
    run(folder, tmp_path / "out", HALVES)
    assert parts(tmp_path / "out") == second


def test_what_was_torn_apart_before_stays_and_is_told(folder, tmp_path):
    with open_project(folder) as database:
        ids = {record.path: record.id for record in database.images()}
        stored = {"train": [ids["film1.png"]], "val": [ids["film2.png"]]}
        database.set_setting("parts", {"draw": 0, "parts": stored})
    report = run(folder, tmp_path / "out", HALVES)
    found = parts(tmp_path / "out")
    assert (found["film1.png"], found["film2.png"]) == ("train", "val")
    assert any("draw the parts anew to bring them together" in s for s in report.sentences())


@pytest.mark.parametrize("after", [0, 3, 9])
def test_what_was_not_exported_is_not_remembered(folder, tmp_path, after):
    class Cancelled(TaskContext):
        left = after

        def raise_if_cancelled(self):
            self.left -= 1
            if self.left < 0:
                raise CancelledError

    with open_project(folder) as database:
        with pytest.raises(CancelledError):
            export(database, tmp_path / "out", options_of(HALVES), Cancelled())
        assert remembered_parts(database) == {}
    assert [path.name for path in tmp_path.iterdir()] == ["project"]


def test_nor_what_something_was_in_the_way_of(folder, tmp_path):
    mine = tmp_path / "out" / "annotations" / "val.json"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with open_project(folder) as database:
        with pytest.raises(UserError, match=r"val\.json was not written by an earlier export"):
            export(database, tmp_path / "out", options_of(HALVES), TaskContext())
        assert remembered_parts(database) == {}
    assert [path.name for path in (tmp_path / "out").rglob("*.json")] == ["val.json"]
    assert mine.read_text() == "mine"


def test_a_project_that_cannot_be_written_is_not_divided(folder, tmp_path):
    with (
        open_project(folder, read_only=True) as database,
        pytest.raises(UserError, match="could not be remembered"),
    ):
        export(database, tmp_path / "out", options_of(HALVES), TaskContext())


def test_the_counts_before_an_export_are_those_of_it(folder, tmp_path):
    with open_project(folder) as database:
        about = count_parts(database, options_of(TENTHS), TaskContext())
        assert not about.exact
        find_alike(folder, database.images(), TaskContext())
        counts = count_parts(database, options_of(TENTHS), TaskContext())
        assert counts.exact
        export(database, tmp_path / "out", options_of(TENTHS), TaskContext())
        again = count_parts(database, options_of(TENTHS), TaskContext())
        chosen = options_of(None, categories=frozenset({2}))
        whole = count_parts(database, chosen, TaskContext())
    assert {part.name: part.images for part in counts.parts} == sizes(tmp_path / "out")
    assert sum(part.annotations for part in counts.parts) == 24
    assert [part.remembered for part in counts.parts] == [0, 0, 0]
    assert [part.remembered for part in again.parts] == [part.images for part in counts.parts]
    assert [(p.name, p.images, p.annotations) for p in whole.parts] == [("", 20, 4)]


def test_the_same_file_twice_and_what_looks_alike_are_told_apart(folder):
    shutil.copy(folder / "3.png", folder / "again.png")
    label(folder, {})
    with open_project(folder) as database:
        ids = {record.path: record.id for record in database.images()}
        found = find_alike(folder, database.images(), TaskContext())
    assert [set(group) for group in found.exact] == [{ids["3.png"], ids["again.png"]}]
    film = {ids[f"film{n}.png"] for n in range(1, 5)}
    assert {frozenset(group) for group in found.near} == {
        frozenset({ids["3.png"], ids["again.png"]}), frozenset(film),
    }  # fmt: skip


def test_images_of_a_camera_that_never_moves_can_be_divided_all_the_same(tmp_path):
    folder = tmp_path / "project"
    background = np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8)
    for n in range(40):
        image = np.asarray(Image.fromarray(background).resize((64, 48))).copy()
        image[n : n + 8, n : n + 12] = 255
        folder.mkdir(exist_ok=True)
        Image.fromarray(image).save(folder / f"{n}.png")
        Image.fromarray(image).save(folder / f"{n}.bmp")
    contents = {f"{n}.{ending}": ((1, SQUARE),) for n in range(40) for ending in ("png", "bmp")}
    label(folder, contents)
    report = run(folder, tmp_path / "out", HALVES)
    assert min(sizes(tmp_path / "out").values()) >= 20
    found = parts(tmp_path / "out")
    assert all(found[f"{n}.png"] == found[f"{n}.bmp"] for n in range(40))
    assert any("look like so many others" in sentence for sentence in report.sentences())


def test_pictures_with_nothing_on_them_can_be_divided_and_the_same_file_stays_together(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    for n in range(40):
        Image.new("RGB", (64 + n // 2, 48)).save(folder / f"{n}.png")
    label(folder, {f"{n}.png": () for n in range(40)})
    run(folder, tmp_path / "out", HALVES)
    found = parts(tmp_path / "out")
    assert all(found[f"{n}.png"] == found[f"{n + 1}.png"] for n in range(0, 40, 2))
    assert sizes(tmp_path / "out") == {"train": 20, "val": 20}
