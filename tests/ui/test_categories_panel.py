"""The list of categories: finding, adding, renaming, recolouring, deleting."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QColorDialog,
    QComboBox,
    QInputDialog,
    QLineEdit,
    QMenu,
    QPushButton,
)

from maskstudio.session import category_operations
from support.hand import CTRL
from support.outlines import HOLED, SQUARE, put
from support.pictures import write_picture

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def drawn(program):
    """The program with two squares of the category object; there are cat and catfish too."""
    put(program.session, SQUARE, HOLED)
    for name in ("catfish", "cat"):
        category_operations.add_category(program.session, name)
    program.canvas.setFocus()
    return program


def names(program):
    return [c.name for c in program.session.categories]


def shown(program):
    rows = program.window.categories.list
    items = [rows.item(row) for row in range(rows.count())]
    return [item.text().split()[-1] for item in items if not item.isHidden()]


def place(program, row):
    rows = program.window.categories.list
    return rows.visualItemRect(rows.item(row)).center()


def type_to_find(program, text):
    program.window.categories.field.setFocus()
    program.type(text)


def begin_renaming(program, row):
    rows = program.window.categories.list
    rows.setFocus()
    rows.setCurrentRow(row)
    program.key(Qt.Key.Key_F2)


def rename(program, text):
    """Type a name into the field that lies over the row."""
    editor = program.focus()
    assert isinstance(editor, QLineEdit)
    editor.selectAll()
    program.type(text)
    program.key(Qt.Key.Key_Return)
    # Qt takes the name over only after the key has been dealt with.
    program.until(lambda: program.focus() is program.window.categories.list)


def open_menu(program, row):
    """Right-click a row; return the menu."""
    rows = program.window.categories.list
    at = place(program, row)
    reason = QContextMenuEvent.Reason.Mouse
    event = QContextMenuEvent(reason, at, rows.viewport().mapToGlobal(at))
    QApplication.sendEvent(rows.viewport(), event)
    return the_menu(program)


def the_menu(program):
    program.until(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    return QApplication.activePopupWidget()


def choose(menu, words):
    (action,) = (a for a in menu.actions() if a.text() == words)
    QTest.mouseClick(menu, LEFT, pos=menu.actionGeometry(action).center())


def dialog_of(program, kind):
    program.until(lambda: any(isinstance(d, kind) for d in program.dialogs()))
    (dialog,) = (d for d in program.dialogs() if isinstance(d, kind))
    program.until(dialog.isActiveWindow)
    return dialog


def come_back(program):
    """Make the window the active one again, as a desktop does when a menu or dialog closes."""
    program.window.activateWindow()
    program.until(program.window.isActiveWindow)


def press(dialog, words):
    (button,) = (b for b in dialog.findChildren(QPushButton) if b.text().replace("&", "") == words)
    QTest.mouseClick(button, LEFT)


# Finding and adding


def test_the_list_is_filtered_as_one_types(drawn):
    type_to_find(drawn, "CAT")
    assert shown(drawn) == ["catfish", "cat"]
    drawn.type("f")
    assert shown(drawn) == ["catfish"]
    for _ in range(4):
        drawn.key(Qt.Key.Key_Backspace)
    assert shown(drawn) == ["object", "catfish", "cat"]


def test_enter_takes_the_first_that_is_found(drawn):
    drawn.key("a", CTRL)
    type_to_find(drawn, "ca")
    drawn.key(Qt.Key.Key_Return)
    assert drawn.window.categories.field.text() == ""
    assert shown(drawn) == ["object", "catfish", "cat"]
    assert names(drawn) == ["object", "catfish", "cat"]
    assert drawn.window.categories.current == 2
    assert {a.category_id for a in drawn.annotations} == {2}


def test_with_one_found_the_next_key_is_the_canvas_s_again(drawn):
    type_to_find(drawn, "cat")
    drawn.key(Qt.Key.Key_Return)
    assert drawn.canvas.hasFocus()
    drawn.key("d")
    drawn.until(lambda: drawn.shows("b.png"))


def test_enter_takes_the_one_of_that_very_name_before_others(drawn):
    type_to_find(drawn, "cat")
    drawn.key(Qt.Key.Key_Return)
    assert drawn.session.category(drawn.window.categories.current).name == "cat"


def test_the_one_that_enter_takes_is_marked(drawn):
    rows = drawn.window.categories.list
    type_to_find(drawn, "cat")
    assert rows.currentRow() == 2
    drawn.key(Qt.Key.Key_Backspace)
    assert rows.currentRow() == 1
    drawn.type("x")
    assert rows.currentRow() == 0


def test_enter_adds_what_is_not_found(drawn):
    type_to_find(drawn, "dog")
    assert shown(drawn) == []
    drawn.key(Qt.Key.Key_Return)
    assert names(drawn) == ["object", "catfish", "cat", "dog"]
    assert shown(drawn) == names(drawn)


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_ctrl_enter_adds_a_name_that_is_a_part_of_another(drawn, key):
    type_to_find(drawn, "fish")
    held = CTRL if key == Qt.Key.Key_Return else CTRL | Qt.KeyboardModifier.KeypadModifier
    drawn.key(key, held)
    assert names(drawn) == ["object", "catfish", "cat", "fish"]


def test_a_digit_means_the_place_in_the_whole_list(drawn):
    drawn.session.select(drawn.session.annotations)
    type_to_find(drawn, "catf")
    drawn.canvas.setFocus()
    drawn.key("3")
    assert {a.category_id for a in drawn.annotations} == {3}


def test_a_click_in_a_filtered_list_takes_what_was_clicked(drawn):
    type_to_find(drawn, "catf")
    view = drawn.window.categories.list.viewport()
    QTest.mouseClick(view, LEFT, pos=place(drawn, 1))
    assert drawn.window.categories.current == 2


# Renaming


def test_a_name_is_typed_in_place(drawn):
    begin_renaming(drawn, 1)
    assert drawn.focus().text() == "catfish"
    rename(drawn, "trout 2")
    assert names(drawn) == ["object", "trout 2", "cat"]
    assert shown(drawn) == ["object", "2", "cat"]
    drawn.key("z", CTRL)
    assert names(drawn) == ["object", "catfish", "cat"]


def test_f2_renames_the_current_one(drawn):
    rows = drawn.window.categories.list
    rows.setFocus()
    rows.setCurrentRow(2)
    drawn.key(Qt.Key.Key_F2)
    rename(drawn, "kitten")
    assert names(drawn) == ["object", "catfish", "kitten"]
    assert drawn.focus() is rows


def test_a_name_another_has_is_said_and_the_old_one_stays(drawn):
    begin_renaming(drawn, 1)
    rename(drawn, "cat")
    assert drawn.problems == ["There is a category 'cat' already."]
    assert shown(drawn) == ["object", "catfish", "cat"]


def test_escape_leaves_the_name_as_it_was(drawn):
    title = drawn.session.history().undo
    begin_renaming(drawn, 1)
    drawn.type("trout")
    drawn.key(Qt.Key.Key_Escape)
    assert names(drawn) == ["object", "catfish", "cat"]
    assert drawn.session.history().undo == title


def test_a_category_the_model_makes_meanwhile_leaves_what_is_typed(drawn):
    begin_renaming(drawn, 1)
    drawn.type("tr")
    drawn.window.verbs["predict"].trigger()
    drawn.until(lambda: "cell" in names(drawn))
    drawn.type("out")
    drawn.key(Qt.Key.Key_Return)
    drawn.until(lambda: "trout" in names(drawn))
    assert names(drawn) == ["object", "trout", "cat", "cell"]
    assert shown(drawn) == names(drawn)


def test_what_is_typed_is_not_taken_for_another_category_when_its_own_goes(drawn):
    begin_renaming(drawn, 2)
    drawn.type("trout")
    category_operations.delete_category(drawn.session, 2)
    assert names(drawn) == shown(drawn) == ["object", "cat"]
    editors = drawn.window.categories.list.findChildren(QLineEdit)
    assert not any(editor.isVisible() for editor in editors)


def test_what_is_typed_is_dropped_when_another_folder_is_opened(drawn, tmp_path):
    write_picture(tmp_path / "second" / "z.png", 40, 40)
    begin_renaming(drawn, 1)
    drawn.type("trout")
    drawn.app.open_folder(tmp_path / "second")
    drawn.until(lambda: drawn.shows("z.png"))
    for name in ("one", "two"):
        category_operations.add_category(drawn.session, name)
    assert names(drawn) == shown(drawn) == ["one", "two"]
    assert drawn.problems == []


def test_closing_the_program_drops_a_name_that_is_being_typed(drawn, start, folder):
    begin_renaming(drawn, 1)
    drawn.type("trout")
    drawn.close()
    again = start()
    again.open(folder)
    assert names(again) == ["object", "catfish", "cat"]


def test_the_annotations_show_the_new_name(drawn):
    begin_renaming(drawn, 0)
    rename(drawn, "thing")
    rows = drawn.window.annotations.list.model()
    texts = [rows.index(row, 0).data() for row in range(rows.rowCount())]
    assert [text.split()[0] for text in texts] == ["thing", "thing"]


# The menu


def test_the_menu_renames(drawn):
    choose(open_menu(drawn, 1), "Rename")
    come_back(drawn)
    drawn.until(lambda: isinstance(drawn.focus(), QLineEdit))
    rename(drawn, "trout")
    assert names(drawn) == ["object", "trout", "cat"]


def test_the_menu_key_opens_the_menu_of_the_current_one(drawn):
    rows = drawn.window.categories.list
    rows.setCurrentRow(2)
    rows.setFocus()
    at = rows.rect().bottomRight()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, at, rows.mapToGlobal(at))
    QApplication.sendEvent(rows, event)
    choose(the_menu(drawn), "Delete…")
    assert names(drawn) == ["object", "catfish"]


def test_beside_the_rows_there_is_no_menu(drawn):
    rows = drawn.window.categories.list
    at = rows.viewport().rect().bottomLeft()
    assert rows.itemAt(at) is None
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, rows.viewport().mapToGlobal(at))
    QApplication.sendEvent(rows.viewport(), event)
    assert QApplication.activePopupWidget() is None


def test_the_menu_recolours(drawn):
    choose(open_menu(drawn, 1), "Colour…")
    dialog = dialog_of(drawn, QColorDialog)
    assert dialog.currentColor() == QColor(drawn.session.category(2).shown_colour)
    dialog.setCurrentColor(QColor("#123456"))
    press(dialog, "OK")
    assert drawn.session.category(2).colour == "#123456"
    come_back(drawn)
    drawn.key("z", CTRL)
    assert drawn.session.category(2).colour == ""


def test_one_that_is_not_used_is_deleted_at_once(drawn):
    choose(open_menu(drawn, 1), "Delete…")
    assert names(drawn) == ["object", "cat"]
    assert shown(drawn) == ["object", "cat"]
    assert drawn.dialogs() == []
    come_back(drawn)
    drawn.key("z", CTRL)
    assert shown(drawn) == ["object", "catfish", "cat"]


def test_for_one_that_is_used_another_is_asked_for(drawn, start, folder):
    before = drawn.annotations
    choose(open_menu(drawn, 0), "Delete…")
    dialog = dialog_of(drawn, QInputDialog)
    assert "Annotations of object: 2 (images: 1)" in drawn.text_of(dialog)
    (box,) = dialog.findChildren(QComboBox)
    assert [box.itemText(n) for n in range(box.count())] == ["catfish", "cat"]
    QTest.keyClick(box, Qt.Key.Key_Down)
    assert box.currentText() == "cat"
    press(dialog, "Delete")
    drawn.until(lambda: names(drawn) == ["catfish", "cat"])
    assert {a.category_id for a in drawn.annotations} == {3}
    drawn.close()

    again = start()
    again.open(folder)
    again.key("z", CTRL)
    assert again.annotations == before
    assert names(again) == ["object", "catfish", "cat"]


def test_nothing_is_deleted_when_the_person_thinks_better_of_it(drawn):
    choose(open_menu(drawn, 0), "Delete…")
    press(dialog_of(drawn, QInputDialog), "Cancel")
    assert names(drawn) == ["object", "catfish", "cat"]


def test_the_only_category_in_use_stays(program):
    put(program.session, SQUARE)
    choose(open_menu(program, 0), "Delete…")
    assert program.problems == ["'object' is in use and the only category; add another first."]
    assert names(program) == ["object"]


def test_what_is_drawn_next_is_of_a_category_that_is_there(drawn):
    drawn.key("2")
    choose(open_menu(drawn, 1), "Delete…")
    assert drawn.window.categories.current == 1
