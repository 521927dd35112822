"""What is dropped on the window or asked for is opened, or shown before it is imported."""

from functools import partial

import pytest
from PySide6.QtWidgets import QFileDialog

from maskstudio.storage.opening import open_project
from support.hand import CTRL, SHIFT
from ui.data_sets import boxes_and_more, drop, find, imported, press, told


@pytest.fixture
def data_set(tmp_path):
    """Two squares on a.png, one on b.png; one image missing, one of another size."""
    return boxes_and_more(tmp_path)


def test_the_key_asks_for_a_file_or_a_folder(program, data_set, monkeypatch):
    program.key("e", CTRL | SHIFT)
    program.until(program.dialogs)
    dialog = find(program)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(data_set), ""))
    press(dialog, "File…")
    program.until(dialog.preview.isVisible)
    assert "4 images" in told(dialog)


def test_a_file_can_be_dropped_on_the_question(program, data_set):
    program.window.verbs["import"].trigger()
    drop(program, data_set, find(program).question)
    program.until(find(program).preview.isVisible)


def test_a_folder_of_images_is_opened_when_it_is_dropped(program, folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "z.png").write_bytes((folder / "a.png").read_bytes())
    drop(program, other)
    program.until(lambda: program.shows("z.png"))
    assert program.dialogs() == []


@pytest.fixture
def yolo(tmp_path, folder):
    """A folder of another program: its own copy of an image, and what stands on it."""
    (tmp_path / "yolo" / "images").mkdir(parents=True)
    (tmp_path / "yolo" / "labels").mkdir()
    (tmp_path / "yolo" / "images" / "a.png").write_bytes((folder / "a.png").read_bytes())
    (tmp_path / "yolo" / "labels" / "a.txt").write_text("0 0.1 0.1 0.5 0.1 0.5 0.5 0.1 0.5\n")
    (tmp_path / "yolo" / "data.yaml").write_text("train: images\nval: images\nnames: [dog]\n")
    return tmp_path / "yolo"


def test_a_folder_of_another_program_is_imported_or_opened_instead(program, yolo):
    dialog = imported(program, yolo)
    assert "1 of 1 image is in this folder, with 1 annotation" in told(dialog)
    press(dialog, "Open as images instead")
    program.until(lambda: program.session.folder == yolo)
    assert program.dialogs() == []


def test_without_a_folder_a_data_set_says_what_to_do_first(start, data_set):
    program = start()
    drop(program, data_set)
    assert program.problems == [
        "Open the folder of images that boxes & more.json is about, then drop it again."
    ]
    assert not program.window.verbs["import"].isEnabled()


def test_nothing_is_imported_into_what_is_open_for_reading_only(start, folder, data_set):
    with open_project(folder):
        pass
    program = start()
    program.session.open(open_project(folder, read_only=True))
    drop(program, data_set)
    assert "open for reading only" in program.problems[0]
    assert program.dialogs() == []


def test_opening_another_folder_closes_the_dialog(program, data_set, tmp_path, folder):
    imported(program, data_set)
    other = tmp_path / "other"
    other.mkdir()
    (other / "z.png").write_bytes((folder / "a.png").read_bytes())
    program.app.open_folder(other)
    program.until(partial(program.shows, "z.png"))
    assert program.dialogs() == []
