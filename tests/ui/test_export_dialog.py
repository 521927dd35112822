"""Export from the window: what is chosen at first, what is written, what is said."""

import json
import re
from contextlib import redirect_stdout
from io import StringIO

import pytest
from pycocotools.coco import COCO
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QCheckBox

from maskstudio.ui.dialogs.export import ExportDialog
from support.hand import CTRL
from support.outlines import HOLED, SQUARE, put


@pytest.fixture
def dialog(program):
    """The dialog over one drawn, one verified empty and one new image."""
    put(program.session, SQUARE, HOLED)
    program.key("d")
    program.until(lambda: program.shows("b.png"))
    program.key(Qt.Key.Key_Space)
    program.key("e", CTRL)
    program.until(program.dialogs)
    (shown,) = program.dialogs()
    assert isinstance(shown, ExportDialog)
    return shown


def boxes(dialog):
    """Words of a state to its box."""
    return {re.sub(r"\s+\(.*", "", b.text()): b for b in dialog.findChildren(QCheckBox)}


def press(widget, text):
    (button,) = (
        b for b in widget.findChildren(QAbstractButton) if b.text().replace("&", "") == text
    )
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=QPoint(8, 8))


def read(path):
    with redirect_stdout(StringIO()):
        return COCO(str(path))


def test_what_a_person_worked_on_is_chosen_at_first(dialog):
    chosen = {words for words, box in boxes(dialog).items() if box.isChecked()}
    assert chosen == {"edited", "verified", "verified: nothing on it"}
    enabled = {words for words, box in boxes(dialog).items() if box.isEnabled()}
    assert enabled == {"edited", "verified: nothing on it", "new"}


def test_a_file_that_pycocotools_reads_is_written_and_the_result_is_shown(program, dialog, folder):
    press(dialog, "Export")
    program.until(lambda: "was written" in dialog.outcome.text())
    coco = read(folder / "annotations.json")
    assert sorted(image["file_name"] for image in coco.imgs.values()) == ["a.png", "b.png"]
    assert [a["area"] for a in coco.anns.values()] == [1600, 1200]
    assert "annotations.json was written." in dialog.outcome.text()
    assert "Not exported because of their state: 1 new." in dialog.outcome.text()
    # All of it can be read: the dialog has grown.
    label = dialog.outcome
    program.until(lambda: label.height() >= label.heightForWidth(label.width()))
    assert program.told == []


def test_other_states_can_be_chosen(program, dialog, folder):
    press_box = boxes(dialog)["new"]
    QTest.mouseClick(press_box, Qt.MouseButton.LeftButton, pos=QPoint(8, press_box.height() // 2))
    assert press_box.isChecked()
    press(dialog, "Export")
    program.until(lambda: "was written" in dialog.outcome.text())
    assert len(read(folder / "annotations.json").imgs) == 3


def test_another_file_can_be_named(program, dialog, tmp_path):
    dialog.path.setFocus()
    dialog.path.selectAll()
    program.type(str(tmp_path / "mine.json"))
    program.key(Qt.Key.Key_Return)
    program.until(lambda: "mine.json was written" in dialog.outcome.text())
    assert json.loads((tmp_path / "mine.json").read_text())["images"]


def test_a_file_that_cannot_be_written_gives_a_sentence_in_the_dialog(program, dialog, tmp_path):
    dialog.path.setText(str(tmp_path / "nowhere" / "out.json"))
    press(dialog, "Export")
    program.until(lambda: "its folder does not exist" in dialog.outcome.text())
    assert dialog.start.isEnabled()


def test_an_image_that_changed_is_refused_in_the_dialog(program, dialog, folder):
    (folder / "a.png").write_bytes((folder / "b.png").read_bytes())
    press(dialog, "Export")
    program.until(lambda: "was labelled at" in dialog.outcome.text())
    assert not (folder / "annotations.json").exists()


def test_the_window_stays_usable_while_the_dialog_is_open(program, dialog):
    program.window.activateWindow()
    program.until(program.window.isActiveWindow)
    program.canvas.setFocus()
    program.key("a")
    program.until(lambda: program.shows("b.png"))
    assert dialog.isVisible()


def test_closing_the_dialog_in_the_middle_cancels_and_leaves_no_trace(program, dialog, folder):
    press(dialog, "Export")
    press(dialog, "Close")
    program.until(lambda: not program.dialogs())
    program.idle()
    files = sorted(file.name for file in folder.iterdir() if file.is_file())
    assert files in (["a.png", "b.png"], ["a.png", "annotations.json", "b.png"])
    assert program.told == []


def test_opening_another_folder_closes_the_dialog(program, dialog, tmp_path, folder):
    other = tmp_path / "other"
    other.mkdir()
    (other / "z.png").write_bytes((folder / "a.png").read_bytes())
    program.app.open_folder(other)
    program.until(lambda: program.shows("z.png"))
    assert program.dialogs() == []


def test_there_is_nothing_to_export_before_a_folder_is_open(start):
    program = start()
    assert not program.window.verbs["export"].isEnabled()
