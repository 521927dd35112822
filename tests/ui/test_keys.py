"""What the keys do, and what they leave alone while somebody types."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from maskstudio.annotation.annotation import ImageState
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.session import category_operations
from support.hand import CTRL, SHIFT
from support.outlines import SQUARE, put

CORNER = Segmentation.from_rings([(80, 5), (95, 5), (95, 15), (80, 15)])


def state(program, name):
    return program.session.record(program.image(name)).state


def names(program):
    """The categories of what stands on the image, back to front."""
    return [program.session.category(a.category_id).name for a in program.annotations]


@pytest.fixture
def drawn(program):
    """The program with two squares and the categories 1 object, 2 other."""
    put(program.session, SQUARE, CORNER)
    category_operations.add_category(program.session, "other")
    program.canvas.setFocus()
    return program


# Categories


def test_a_digit_changes_the_category_of_the_selection_in_one_step(drawn):
    drawn.key("a", CTRL)
    drawn.key("2")
    assert names(drawn) == ["other", "other"]
    assert drawn.titles()[0] == "Change category to other"
    drawn.key("z", CTRL)
    assert names(drawn) == ["object", "object"]


def test_a_digit_without_a_selection_says_what_is_drawn_next(drawn):
    drawn.key("2")
    assert names(drawn) == ["object", "object"]
    drawn.key("p")
    for point in ((70, 50), (90, 50), (80, 70)):
        drawn.hand.click(point)
    drawn.key(Qt.Key.Key_Return)
    assert names(drawn) == ["object", "object", "other"]


def test_a_digit_no_category_has_does_nothing(drawn):
    drawn.key("a", CTRL)
    drawn.key("7")
    assert names(drawn) == ["object", "object"]
    assert drawn.problems == []


def test_digits_work_wherever_the_focus_is(drawn):
    drawn.session.select(drawn.session.annotations)
    for widget in (drawn.window.images.list, drawn.window.annotations.list):
        widget.setFocus()
        drawn.key("2")
        assert names(drawn) == ["other", "other"]
        drawn.key("1")
        assert names(drawn) == ["object", "object"]


def test_a_click_on_a_category_gives_it_to_the_selection(drawn):
    drawn.key("a", CTRL)
    categories = drawn.window.categories.list
    place = categories.visualItemRect(categories.item(1)).center()
    QTest.mouseClick(categories.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert names(drawn) == ["other", "other"]


# Deleting, undo and redo


def test_delete_deletes_the_selection_in_one_step(drawn):
    before = drawn.annotations
    drawn.key("a", CTRL)
    drawn.key(Qt.Key.Key_Delete)
    assert drawn.annotations == []
    assert drawn.titles()[0] == "Delete 2 annotations"
    drawn.key("z", CTRL)
    assert drawn.annotations == before


@pytest.mark.parametrize(("key", "held"), [("z", CTRL | SHIFT), ("y", CTRL)])
def test_redo_brings_back_what_undo_took(drawn, key, held):
    after = drawn.annotations
    drawn.key("z", CTRL)
    drawn.key("z", CTRL)
    assert len(drawn.annotations) == 1
    drawn.key(key, held)
    drawn.key(key, held)
    assert drawn.annotations == after
    assert len(drawn.session.categories) == 2


def test_undo_survives_closing_the_program(start, folder):
    first = start()
    first.open(folder)
    put(first.session, SQUARE, CORNER)
    first.hand.drag((40, 40), (50, 50))
    first.key("z", CTRL)
    first.close()

    second = start()
    second.open(folder)
    assert second.window.verbs["undo"].isEnabled()
    second.key("y", CTRL)
    assert second.annotations[0].segmentation != SQUARE
    for _ in range(3):
        second.key("z", CTRL)
    assert second.annotations == []
    assert not second.window.verbs["undo"].isEnabled()


def test_undo_and_redo_can_be_asked_for_only_when_there_is_something(program):
    undo, redo = program.window.verbs["undo"], program.window.verbs["redo"]
    assert not undo.isEnabled()
    put(program.session, SQUARE)
    assert undo.isEnabled()
    assert "Draw" in undo.toolTip()
    assert not redo.isEnabled()
    program.key("z", CTRL)
    assert not undo.isEnabled()
    assert redo.isEnabled()


# From image to image


@pytest.mark.parametrize(("forth", "back"), [("d", "a"), (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp)])
def test_the_next_image_and_the_one_before(program, forth, back):
    program.key(forth)
    program.until(lambda: program.shows("b.png"))
    program.key(forth)
    program.until(lambda: program.shows("sub/c.png"))
    program.key(forth)
    assert program.session.current.path == "sub/c.png"
    program.key(back)
    program.until(lambda: program.shows("b.png"))


def test_space_verifies_and_goes_on(drawn):
    drawn.key(Qt.Key.Key_Space)
    assert state(drawn, "a.png") is ImageState.VERIFIED
    drawn.until(lambda: drawn.shows("b.png"))
    drawn.key(Qt.Key.Key_Space)
    assert state(drawn, "b.png") is ImageState.EMPTY
    drawn.until(lambda: drawn.shows("sub/c.png"))
    drawn.key(Qt.Key.Key_Space)
    assert state(drawn, "sub/c.png") is ImageState.EMPTY
    assert "last image" in drawn.said
    drawn.key("z", CTRL)
    assert state(drawn, "sub/c.png") is ImageState.NEW


def test_space_accepts_what_the_model_found(predicted):
    predicted.key(Qt.Key.Key_Space)
    stored = predicted.session.content(predicted.image("a.png")).annotations.values()
    assert [a.is_pre_annotation for a in stored] == [False, False]
    assert state(predicted, "a.png") is ImageState.VERIFIED


def test_space_tells_of_what_it_accepted_that_nobody_could_see(predicted):
    predicted.hand.click((20, 20))
    predicted.key("h")
    predicted.key(Qt.Key.Key_Space)
    assert predicted.said == "1 hidden annotation was accepted too."
    stored = predicted.session.content(predicted.image("a.png")).annotations.values()
    assert [a.is_pre_annotation for a in stored] == [False, False]


@pytest.mark.parametrize("hide", ["t", (Qt.Key.Key_H, CTRL | SHIFT)], ids=["all", "category"])
def test_space_tells_of_them_however_they_are_hidden(predicted, hide):
    predicted.key(*hide)
    predicted.key(Qt.Key.Key_Space)
    assert predicted.said == "2 hidden annotations were accepted too."


def test_of_hidden_ones_that_a_person_has_seen_space_says_nothing(drawn):
    drawn.hand.click((40, 40))
    drawn.key("h")
    drawn.key(Qt.Key.Key_Space)
    drawn.until(lambda: drawn.shows("b.png"))
    assert drawn.said == ""


def test_space_verifies_wherever_the_focus_is_but_where_one_types(program):
    program.window.images.list.setFocus()
    program.key(Qt.Key.Key_Space)
    program.until(lambda: program.shows("b.png"))
    program.window.annotations.list.setFocus()
    program.key(Qt.Key.Key_Space)
    program.until(lambda: program.shows("sub/c.png"))
    assert state(program, "b.png") is ImageState.EMPTY


def test_a_space_that_repeats_verifies_once(program):
    QTest.keyPress(program.canvas, Qt.Key.Key_Space)
    for _ in range(3):
        program.repeat(Qt.Key.Key_Space)
    QTest.keyRelease(program.canvas, Qt.Key.Key_Space)
    program.until(lambda: program.shows("b.png"))
    assert state(program, "b.png") is ImageState.NEW


def test_skip_and_the_next_unverified(program):
    program.key("k", CTRL)
    program.until(lambda: program.shows("b.png"))
    assert state(program, "a.png") is ImageState.SKIPPED
    program.key(Qt.Key.Key_Space)
    program.until(lambda: program.shows("sub/c.png"))
    program.key(Qt.Key.Key_Space)
    program.key("d", CTRL | SHIFT)
    assert program.said == "Every image is verified or skipped."


# The walk through annotations


def test_tab_walks_through_the_annotations(drawn):
    first, second = (a.id for a in drawn.annotations)
    walked = []
    for held in (Qt.KeyboardModifier.NoModifier,) * 3:
        drawn.key(Qt.Key.Key_Tab, held)
        walked += drawn.session.selection
    assert walked == [first, second, first]
    drawn.key(Qt.Key.Key_Backtab, SHIFT)
    assert drawn.session.selection == {second}


def test_tab_brings_what_it_selects_into_view(drawn):
    drawn.look_at((20, 60), 12)
    drawn.session.select([drawn.annotations[0].id])
    drawn.key(Qt.Key.Key_Tab)
    assert drawn.canvas.rect().contains(drawn.hand.screen((88, 10)))


def test_tab_goes_from_control_to_control_elsewhere(drawn):
    field = drawn.window.categories.field
    field.setFocus()
    drawn.key(Qt.Key.Key_Tab)
    assert drawn.focus() is not field
    assert drawn.session.selection == set()


# Typing


def test_typing_a_name_triggers_nothing(drawn):
    drawn.key("a", CTRL)
    field = drawn.window.categories.field
    field.setFocus()
    drawn.type("div pat fiz 1 2 9")
    assert field.text() == "div pat fiz 1 2 9"
    assert drawn.session.current.path == "a.png"
    assert names(drawn) == ["object", "object"]
    assert drawn.window.verbs["select"].isChecked()
    assert not drawn.window.verbs["hide"].isChecked()
    assert drawn.app.session.history().undo == "Add category other"
    assert not drawn.app.annotator.running

    drawn.key(Qt.Key.Key_Backspace)
    drawn.key(Qt.Key.Key_Home)
    drawn.key(Qt.Key.Key_Delete)
    assert field.text() == "iv pat fiz 1 2 "
    assert len(drawn.annotations) == 2
    drawn.key("z", CTRL)
    assert len(drawn.annotations) == 2


def test_a_name_that_was_typed_becomes_a_category(drawn):
    field = drawn.window.categories.field
    field.setFocus()
    drawn.type("dog 2")
    drawn.key(Qt.Key.Key_Return)
    assert [c.name for c in drawn.session.categories] == ["object", "other", "dog 2"]
    assert field.text() == ""
    field.setFocus()
    drawn.type("dog 2")
    drawn.key(Qt.Key.Key_Return, CTRL)
    assert drawn.problems == ["There is a category 'dog 2' already."]


def test_a_category_typed_before_a_folder_is_open_says_what_to_do(start):
    program = start()
    program.window.categories.field.setFocus()
    program.type("dog")
    program.key(Qt.Key.Key_Return)
    assert program.problems == ["Open a folder first; categories belong to it."]


def test_letters_work_while_a_list_has_the_focus(drawn):
    drawn.window.images.list.setFocus()
    drawn.key("p")
    assert drawn.window.verbs["polygon"].isChecked()
    drawn.window.images.list.setFocus()
    drawn.key("v")
    assert drawn.window.verbs["select"].isChecked()


def test_the_sheet_of_keys_opens_and_names_every_key(program):
    program.key(Qt.Key.Key_F1)
    (sheet,) = (w for w in program.dialogs() if w.windowTitle() == "Keys and mouse")
    text = program.text_of(sheet)
    for words in ("Pre-annotate folder", "Ctrl+B", "Verify and next", "Space", "Insert a vertex"):
        assert words in text
    sheet.close()


def test_the_list_and_the_canvas_select_the_same(drawn):
    first, second = (a.id for a in drawn.annotations)
    rows = drawn.window.annotations.list
    drawn.hand.click((40, 40))
    assert [i.row() for i in rows.selectionModel().selectedRows()] == [1]
    place = rows.visualRect(rows.model().index(0, 0)).center()
    QTest.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert drawn.session.selection == {second}
    drawn.session.select([first, second])
    drawn.key(Qt.Key.Key_Delete)
    assert rows.model().rowCount() == 0
