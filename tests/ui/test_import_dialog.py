"""Import from the window: what is dropped is seen first, then taken in, then can be taken back."""

import base64
import json

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from maskstudio.annotation.annotation import ImageState
from maskstudio.session import category_operations
from maskstudio.session.tasks import LaneName
from maskstudio.ui.dialogs.import_images import NameList
from support.gates import Gate
from support.hand import LEFT, NONE
from support.outlines import SQUARE, put
from support.pictures import write_picture
from ui.data_sets import (
    boxes_and_more,
    choose,
    coco,
    count,
    drop,
    find,
    imported,
    pick,
    press,
    row,
    run,
    square,
    told,
)
from ui.test_access import nameless, unreachable

SCREEN = 768 - 70  # what the bars of a screen of 1366 x 768 and a title leave


@pytest.fixture
def data_set(tmp_path):
    """Two squares on a.png, one on b.png; one image missing, one of another size."""
    return boxes_and_more(tmp_path)


# The preview


def test_what_is_dropped_is_told_of_before_anything_comes_in(program, data_set):
    dialog = imported(program, data_set)
    words = told(dialog)
    assert "boxes &amp; more.json" in words
    assert "COCO" in words
    assert "4 images, 5 annotations, 2 categories" in words
    assert "3 of 4 images are in this folder, with 4 annotations" in words
    assert "1 is not in this folder" in words
    assert "1 is of another size here" in words
    assert "3 annotations on 2 images come in" in words
    assert program.session.categories == ()
    assert program.session.history().undo is None


def test_the_preview_has_room_on_a_small_screen_and_can_be_worked_and_heard(program, data_set):
    put(program.session, SQUARE)
    dialog = imported(program, data_set)
    assert dialog.height() <= SCREEN
    assert dialog.minimumSizeHint().height() <= SCREEN
    assert nameless(dialog) == []
    assert unreachable(dialog) == []


def test_what_is_missing_is_listed_on_demand(program, data_set):
    dialog = imported(program, data_set)
    buttons = [b for b in program.buttons_of(dialog) if b.text() == "List…"]
    QTest.mouseClick(buttons[0], LEFT)
    (names,) = (d for d in program.dialogs() if isinstance(d, NameList))
    model = names.list.model()
    assert model.data(model.index(0, 0)) == "lost.png is not in the project."
    QTest.keyClick(names, Qt.Key.Key_Escape)
    assert dialog.isVisible()


# Taking it in, and back


def test_enter_takes_it_in_and_undo_takes_it_back(program, data_set):
    dialog = imported(program, data_set)
    program.key(Qt.Key.Key_Return, on=dialog.preview.categories.table)
    program.until(dialog.undo.isVisible)
    assert len(program.annotations) == 2
    assert [count(program, n) for n in ("a.png", "b.png", "sub/c.png")] == [2, 1, 0]
    assert [c.name for c in program.session.categories] == ["dog", "cat"]
    assert "3 annotations" in dialog.work.said.text()
    assert program.session.history().undo == "Import boxes & more.json"
    press(dialog, "Undo")
    program.until(lambda: "taken back" in dialog.work.said.text())
    assert program.annotations == []
    assert count(program, "b.png") == 0
    assert program.session.categories == ()
    assert not dialog.undo.isEnabled()
    assert program.problems == []


def test_outlines_are_scaled_where_a_person_wants_it(program, data_set):
    dialog = imported(program, data_set)
    pick(dialog.preview.images.other_size, "scale")
    assert "4 annotations on 3 images come in" in told(dialog)
    run(program, dialog)
    program.show("sub/c.png")
    assert [a.box for a in program.annotations] == [(10, 10, 30, 30)]


def test_images_can_be_said_to_be_verified(program, data_set):
    dialog = imported(program, data_set)
    pick(dialog.preview.images.state, "verified")
    run(program, dialog)
    record = program.session.record
    assert record(program.image("a.png")).state is ImageState.VERIFIED
    assert record(program.image("sub/c.png")).state is ImageState.NEW


def test_what_could_not_come_in_is_counted_and_listed(program, tmp_path):
    line = square(1, 5, 5) | {"segmentation": [[1, 1, 9, 1, 5, 1]]}
    path = coco(tmp_path / "lines.json", [("a.png", 100, 80)], [square(1, 40, 40), line])
    dialog = imported(program, path)
    run(program, dialog)
    assert len(program.annotations) == 1
    press(dialog, "List…")
    (names,) = (d for d in program.dialogs() if isinstance(d, NameList))
    model = names.list.model()
    assert "lines.json" in model.data(model.index(0, 0))


# Categories


def test_categories_are_found_left_out_and_sent_elsewhere(program, data_set):
    for name in ("Dogs", "pet"):
        category_operations.add_category(program.session, name)
    dialog = imported(program, data_set)
    assert [row(dialog, name).text(2) for name in ("dog", "cat")] == ["Dogs", "new: cat"]
    choose(dialog, "dog")
    program.key(Qt.Key.Key_Space, on=dialog.preview.categories.table)
    assert row(dialog, "dog").text(2) == "leave out"
    assert "Up to" in told(dialog)
    choose(dialog, "cat")
    goals = dialog.preview.categories.goals.list
    (pet,) = goals.findItems("pet", Qt.MatchFlag.MatchExactly)
    QTest.mouseClick(goals.viewport(), LEFT, NONE, goals.visualItemRect(pet).center())
    run(program, dialog)
    assert [count(program, n) for n in ("a.png", "b.png")] == [0, 1]
    program.show("b.png")
    (annotation,) = program.annotations
    assert program.session.category(annotation.category_id).name == "pet"
    assert [c.name for c in program.session.categories] == ["Dogs", "pet"]


def test_another_name_is_typed_and_nothing_can_be_imported_of_nothing(program, data_set):
    dialog = imported(program, data_set)
    choose(dialog, "dog")
    dialog.preview.categories.goals.field.setFocus()
    program.type("hound")
    program.key(Qt.Key.Key_Return)
    assert row(dialog, "dog").text(2) == "new: hound"
    press(dialog, "Leave out all others")
    assert row(dialog, "dog").text(2) == row(dialog, "cat").text(2) == "leave out"
    assert not dialog.start.isEnabled()
    assert "Nothing of it would come in" in told(dialog)
    press(dialog, "Leave out none")
    assert dialog.start.isEnabled()


# What a person made


def test_images_that_hold_annotations_stay_as_they_are_unless_asked(program, data_set):
    put(program.session, SQUARE)
    dialog = imported(program, data_set)
    assert "1 holds annotations already: 1 of a person" in told(dialog)
    assert "1 annotation on 1 image comes in" in told(dialog)
    run(program, dialog)
    assert [a.segmentation for a in program.annotations] == [SQUARE]
    assert count(program, "b.png") == 1


def test_replacing_says_what_is_lost_and_undo_brings_it_back(program, data_set):
    put(program.session, SQUARE)
    dialog = imported(program, data_set)
    pick(dialog.preview.images.standing, "replace")
    assert "1 annotation of a person will be replaced" in told(dialog)
    run(program, dialog)
    assert len(program.annotations) == 2
    press(dialog, "Undo")
    program.until(lambda: "taken back" in dialog.work.said.text())
    assert [a.segmentation for a in program.annotations] == [SQUARE]


def test_what_was_drawn_meanwhile_is_told_of_before_it_is_replaced(program, data_set):
    put(program.session, SQUARE)
    dialog = imported(program, data_set)
    pick(dialog.preview.images.standing, "replace")
    choose(dialog, "cat")
    program.key(Qt.Key.Key_Space, on=dialog.preview.categories.table)
    put(program.session, SQUARE)
    press(dialog, "Import")
    program.until(lambda: "these are the new numbers" in told(dialog))
    assert "2 of a person" in told(dialog)
    assert row(dialog, "cat").text(2) == "leave out"
    assert count(program, "a.png") == 2


# What the project lacks


def test_images_that_the_data_set_carries_are_put_into_the_folder_if_asked(
    program, tmp_path, folder
):
    (tmp_path / "labelme").mkdir()
    picture = write_picture(tmp_path / "elsewhere.png", 30, 40)
    shape = {"label": "dog", "points": [[5, 5], [20, 5], [20, 20]], "shape_type": "polygon"}
    value = {
        "imagePath": "new.png", "imageHeight": 30, "imageWidth": 40, "shapes": [shape],
        "imageData": base64.b64encode(picture.read_bytes()).decode(),
    }  # fmt: skip
    (tmp_path / "labelme" / "new.json").write_text(json.dumps(value))
    dialog = imported(program, tmp_path / "labelme")
    assert "the data set carries 1 of these itself" in told(dialog)
    assert not dialog.start.isEnabled()
    QTest.mouseClick(dialog.preview.images.embedded, LEFT, pos=QPoint(8, 8))
    run(program, dialog)
    assert (folder / "new.png").read_bytes() == picture.read_bytes()
    program.show("new.png")
    assert len(program.annotations) == 1


def test_what_the_folder_gets_meanwhile_is_counted_too(program, data_set, folder):
    dialog = imported(program, data_set)
    write_picture(folder / "lost.png", 9, 9)
    program.app.open_folder(folder)
    program.until(lambda: "4 of 4 images are in this folder" in told(dialog))
    assert dialog.start.isEnabled()


# What goes wrong, and what is stopped


def test_what_is_no_data_set_is_said_in_the_dialog(program, tmp_path, data_set):
    (tmp_path / "bad.json").write_text('{"images": [')
    drop(program, tmp_path / "bad.json")
    program.until(program.dialogs)
    dialog = find(program)
    program.until(lambda: "bad.json" in dialog.work.said.text() and dialog.again.isVisible())
    assert dialog.work.said.text().count("\n") == 0
    assert program.told == []
    press(dialog, "Choose another…")
    assert dialog.question.isVisible()


def test_closing_while_it_is_read_leaves_nothing(program, data_set):
    drop(program, data_set)
    program.until(program.dialogs)
    QTest.keyClick(find(program), Qt.Key.Key_Escape)
    program.until(lambda: not program.dialogs())
    program.idle()
    assert program.session.history().undo is None
    assert program.told == []


def test_what_is_taken_in_can_be_cancelled_and_leaves_nothing(program, data_set):
    dialog = imported(program, data_set)
    gates = [Gate(), Gate()]
    for gate in gates:
        program.app.tasks.submit(LaneName.FILES, gate)
    press(dialog, "Import")
    assert dialog.running
    assert not dialog.preview.isEnabled()
    assert program.window.status.saved.text() == "saving …"
    press(dialog, "Cancel")
    for gate in gates:
        gate.opened.set()
    program.until(lambda: "nothing came in" in dialog.work.said.text())
    assert program.session.history().undo is None
    run(program, dialog)
    assert count(program, "a.png") == 2
