"""Export from the window: what is chosen at first, what is written where, what is said."""

import json
import re
from contextlib import redirect_stdout
from io import StringIO

import pytest
from pycocotools.coco import COCO
from PySide6.QtCore import QObject, QPoint, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton

from maskstudio.annotation.segmentation import Segmentation
from maskstudio.session import category_operations, operations
from maskstudio.session.tasks import LaneName
from maskstudio.storage.images import read_size
from maskstudio.ui.dialogs.export import ExportDialog
from support.gates import Gate
from support.hand import CTRL
from support.outlines import HOLED, SQUARE, put
from support.pictures import write_picture
from ui.map_rows import back

CORNER = Segmentation.from_rings([(5, 5), (15, 5), (15, 15), (5, 15)])
SCREEN = 768 - 70  # what the bars of a screen of 1366 x 768 and a title leave


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
    return {re.sub(r"\s+\(.*", "", b.text()): b for b in dialog.choice.states.values()}


def press(widget, text):
    (button,) = (
        b for b in widget.findChildren(QAbstractButton) if b.text().replace("&", "") == text
    )
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=QPoint(8, 8))


def said(dialog):
    return dialog.work.said.text()


def counted(program, dialog):
    """What the dialog says goes out, once it was counted."""
    program.until(lambda: not dialog.counting)
    return dialog.counts.text()


def pick(combo, words):
    """Choose in a box with the keys."""
    combo.setFocus()
    QTest.keyClick(combo, Qt.Key.Key_Home)
    for _ in range(combo.findText(words, Qt.MatchFlag.MatchStartsWith)):
        QTest.keyClick(combo, Qt.Key.Key_Down)
    assert combo.currentText().startswith(words)


def tick(box):
    QTest.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))


def unlike(folder):
    """Replace the pictures by others of the same sizes that nobody would take for one another."""
    for seed, path in enumerate(sorted(folder.rglob("*.png"))):
        height, width = read_size(path)
        write_picture(path, height, width, seed)


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
    program.until(lambda: "was written" in said(dialog))
    coco = read(folder / "annotations.json")
    assert sorted(image["file_name"] for image in coco.imgs.values()) == ["a.png", "b.png"]
    assert [a["area"] for a in coco.anns.values()] == [1600, 1200]
    assert "annotations.json was written." in said(dialog)
    assert "Not exported because of their state: 1 new." in said(dialog)
    # All of it can be read: the dialog has grown.
    label = dialog.work.said
    program.until(lambda: label.height() >= label.heightForWidth(label.width()))
    assert program.told == []


def test_other_states_can_be_chosen(program, dialog, folder):
    assert counted(program, dialog) == "2 images, 2 annotations"
    tick(boxes(dialog)["new"])
    assert counted(program, dialog) == "3 images, 2 annotations"
    press(dialog, "Export")
    program.until(lambda: "was written" in said(dialog))
    assert len(read(folder / "annotations.json").imgs) == 3


def test_another_file_can_be_named(program, dialog, tmp_path):
    dialog.path.setFocus()
    dialog.path.selectAll()
    program.type(str(tmp_path / "mine.json"))
    program.key(Qt.Key.Key_Return)
    program.until(lambda: "mine.json was written" in said(dialog))
    assert json.loads((tmp_path / "mine.json").read_text())["images"]


def test_a_file_that_cannot_be_written_gives_a_sentence_in_the_dialog(program, dialog, tmp_path):
    dialog.path.setText(str(tmp_path / "nowhere" / "out.json"))
    press(dialog, "Export")
    program.until(lambda: "its folder does not exist" in said(dialog))
    assert dialog.start.isEnabled()


def test_an_image_that_changed_is_refused_in_the_dialog(program, dialog, folder):
    (folder / "a.png").write_bytes((folder / "b.png").read_bytes())
    press(dialog, "Export")
    program.until(lambda: "was labelled at" in said(dialog))
    assert not (folder / "annotations.json").exists()


def test_the_window_stays_usable_while_the_dialog_is_open(program, dialog):
    program.window.activateWindow()
    program.until(program.window.isActiveWindow)
    program.canvas.setFocus()
    program.key("a")
    program.until(lambda: program.shows("b.png"))
    assert dialog.isVisible()


def test_another_categorys_annotations_stay_behind(program, dialog, folder):
    back(program)
    other = category_operations.add_category(program.session, "other")
    put(program.session, CORNER)
    program.session.select([program.annotations[-1].id])
    operations.set_category(program.session, other.id)
    dialog.activateWindow()
    program.until(lambda: dialog.choice.categories.count() == 2)
    tick(dialog.choice.all)
    rows = dialog.choice.categories
    rows.setFocus()
    QTest.keyClick(rows, Qt.Key.Key_Home)
    QTest.keyClick(rows, Qt.Key.Key_Space)
    assert counted(program, dialog) == "3 images, 1 annotation"
    press(dialog, "Export")
    program.until(lambda: "was written" in said(dialog))
    coco = read(folder / "annotations.json")
    assert [c["name"] for c in coco.cats.values()] == ["other"]
    assert len(coco.anns) == 1


def test_run_lengths_are_written_where_they_are_wanted(program, dialog, folder):
    pick(dialog.choice.style_, "run lengths")
    press(dialog, "Export")
    program.until(lambda: "was written" in said(dialog))
    assert {type(a["segmentation"]) for a in read(folder / "annotations.json").anns.values()} == {
        dict
    }


def test_a_split_is_counted_written_and_remembered(program, dialog, folder):
    unlike(folder)
    tick(boxes(dialog)["new"])
    tick(dialog.choice.splits.on)
    val = dialog.choice.splits.val
    val.setFocus()
    val.selectAll()
    program.type("34")
    assert re.findall(r"(\w+): (?:about )?(\d) image", counted(program, dialog)) == [
        ("train", "2"), ("val", "1"),
    ]  # fmt: skip
    press(dialog, "Export")
    program.until(lambda: "was written" in said(dialog))
    annotations = folder.parent / "images-coco" / "annotations"
    images = [read(annotations / f"{part}.json").imgs for part in ("train", "val")]
    assert [len(one) for one in images] == [2, 1]
    assert "3 of them stay in the part they were in before" in counted(program, dialog)
    assert dialog.choice.splits.anew.isVisible()


def test_only_what_a_format_has_is_offered(program, dialog):
    outlines = dialog.choice.style_
    for number in range(dialog.choice.format.count()):
        dialog.choice.format.setCurrentIndex(number)
        assert outlines.isVisible() is (dialog.choice.format.currentText() == "COCO")
        assert dialog.choice.placement.count() > 0
    assert dialog.height() <= SCREEN


def test_the_next_export_goes_where_the_last_one_went(program, dialog, tmp_path):
    pick(dialog.choice.format, "YOLO")
    dialog.path.setFocus()
    dialog.path.selectAll()
    program.type(str(tmp_path / "for training"))
    press(dialog, "Export")
    program.until(lambda: "was written" in said(dialog))
    assert (tmp_path / "for training" / "data.yaml").is_file()
    press(dialog, "Close")
    program.until(lambda: not program.dialogs())
    back(program)
    program.key("e", CTRL)
    program.until(program.dialogs)
    (again,) = program.dialogs()
    assert again.choice.format.currentText() == "YOLO"
    assert again.path.text() == str(tmp_path / "for training")
    # Every other format has a place of its own.
    pick(again.choice.format, "labelme")
    assert again.path.text().endswith("images-labelme")


class Opened(QObject):
    """Is asked in place of the desktop to open a folder."""

    def __init__(self):
        super().__init__()
        self.urls = []

    @Slot(QUrl)
    def open(self, url):
        self.urls.append(url.toLocalFile())


def test_the_folder_it_went_to_can_be_opened(program, dialog, folder):
    desktop = Opened()
    QDesktopServices.setUrlHandler("file", desktop, "open")
    press(dialog, "Export")
    program.until(lambda: "was written" in said(dialog))
    press(dialog, "Open folder")
    QDesktopServices.unsetUrlHandler("file")
    assert desktop.urls == [str(folder)]


def test_it_can_be_cancelled_and_says_so(program, dialog, folder):
    gates = [Gate(), Gate()]
    for gate in gates:
        program.app.tasks.submit(LaneName.FILES, gate)
    press(dialog, "Export")
    press(dialog, "Cancel")
    for gate in gates:
        gate.opened.set()
    program.until(lambda: "Cancelled" in said(dialog))
    assert not (folder / "annotations.json").exists()
    assert dialog.start.isEnabled()


def test_closing_the_dialog_in_the_middle_cancels_and_leaves_no_trace(program, dialog, folder):
    press(dialog, "Export")
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
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


def test_asked_for_twice_it_is_the_same_dialog(program, dialog):
    back(program)
    program.key("e", CTRL)
    program.until(dialog.isActiveWindow)
    assert program.dialogs() == [dialog]


def test_there_is_nothing_to_export_before_a_folder_is_open(start):
    program = start()
    assert not program.window.verbs["export"].isEnabled()
