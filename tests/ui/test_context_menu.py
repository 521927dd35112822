"""The menus of the right button and of its key: on annotations, on empty ground, in the list."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from maskstudio.annotation.annotation import ImageState
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.session import category_operations
from maskstudio.ui.panels.annotation_model import Column
from support.hand import CTRL, NONE, RIGHT, SHIFT
from support.outlines import SQUARE, put

OTHER = Segmentation.from_rings([(50, 20), (90, 20), (90, 60), (50, 60)])
ON_SQUARE, ON_OTHER, GROUND = (30, 40), (80, 40), (5, 75)


@pytest.fixture
def drawn(program):
    """The program with two squares that overlap from x 50 to 60, and two categories."""
    put(program.session, SQUARE, OTHER)
    category_operations.add_category(program.session, "cell & wall")
    yield program
    while QApplication.activePopupWidget() is not None:
        QApplication.activePopupWidget().close()


def menu():
    found = QApplication.activePopupWidget()
    return found if isinstance(found, QMenu) else None


def names():
    """The names of the actions in the open menu."""
    return [action.objectName() for action in menu().actions() if action.objectName()]


def choose(name):
    """Click an action of the open menu."""
    opened = menu()
    (action,) = (a for a in opened.actions() if name in (a.objectName(), a.text()))
    QTest.mouseClick(
        opened, Qt.MouseButton.LeftButton, NONE, opened.actionGeometry(action).center()
    )


def squares(program):
    return list(program.session.annotations)


# On an annotation


def test_a_right_click_selects_what_is_there_and_opens_its_menu(drawn):
    drawn.hand.click(ON_SQUARE, RIGHT)
    assert drawn.session.selection == {squares(drawn)[0]}
    assert names()[:3] == ["zoom_selection", "hide_selected", "lock"]
    assert "unite" not in names()
    assert names()[-1] == "delete"


def test_it_opens_when_the_button_goes_up(drawn):
    drawn.hand.press(ON_SQUARE, RIGHT)
    assert menu() is None
    drawn.hand.release(ON_SQUARE, RIGHT)
    assert menu() is not None


def test_what_is_selected_stays_so_and_regions_are_offered(drawn):
    for point in (ON_SQUARE, ON_OTHER):
        drawn.hand.click(point, held=CTRL)
    drawn.hand.click(ON_SQUARE, RIGHT)
    assert drawn.session.selection == set(squares(drawn))
    assert {"unite", "subtract", "intersect", "merge_parts"} <= set(names())
    choose("unite")
    assert len(drawn.annotations) == 1
    assert menu() is None


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("delete", lambda program: len(program.annotations) == 1),
        ("lock", lambda program: program.annotations[0].locked),
        ("hide_selected", lambda program: program.annotations[0].hidden),
        ("crowd", lambda program: program.annotations[0].iscrowd),
        ("duplicate", lambda program: len(program.annotations) == 3),
    ],
)
def test_its_actions_do_what_they_do_elsewhere(drawn, name, holds):
    drawn.hand.click(ON_SQUARE, RIGHT)
    choose(name)
    assert holds(drawn)


def test_a_category_is_chosen_by_its_digit_in_the_menu_too(drawn):
    drawn.hand.click(ON_SQUARE, RIGHT)
    QTest.keyClick(menu(), Qt.Key.Key_C)
    rows = [(action.text(), action.isChecked()) for action in menu().actions()]
    assert rows == [("&1   object", True), ("&2   cell && wall", False)]
    QTest.keyClick(menu(), Qt.Key.Key_2)
    first, second = (drawn.session.category(a.category_id).name for a in drawn.annotations)
    assert (first, second) == ("cell & wall", "object")
    assert drawn.titles()[0] == "Change category to cell & wall"


def test_a_drag_with_the_right_button_opens_nothing(drawn):
    drawn.hand.drag(ON_SQUARE, ON_OTHER, button=RIGHT)
    assert menu() is None
    assert drawn.session.selection == frozenset()


def test_while_the_key_that_pans_is_held_it_pans(drawn):
    QTest.keyPress(drawn.canvas, Qt.Key.Key_Space)
    drawn.hand.click(ON_SQUARE, RIGHT)
    QTest.keyRelease(drawn.canvas, Qt.Key.Key_Space)
    assert menu() is None


def test_in_the_middle_of_a_drag_it_opens_nothing(drawn):
    drawn.hand.press(ON_SQUARE)
    drawn.hand.move((35, 45))
    drawn.hand.click((35, 45), RIGHT)
    assert menu() is None
    drawn.hand.release((35, 45))


@pytest.mark.parametrize("tool", ["polygon", "brush", "cut", "magnetic", "hole"])
def test_with_a_tool_that_draws_the_right_button_is_the_tools(drawn, tool):
    drawn.window.verbs[tool].trigger()
    drawn.hand.click(ON_SQUARE, RIGHT)
    assert menu() is None


# On empty ground


def test_beside_the_annotations_it_is_about_the_image(drawn):
    drawn.hand.click(ON_SQUARE)
    drawn.key("c", CTRL)
    drawn.hand.click(GROUND, RIGHT)
    assert names() == ["paste", "select_all", "show_hidden", "fit", "verify"]
    choose("paste")
    assert len(drawn.annotations) == 3


def test_hidden_ones_come_back_from_there(drawn):
    drawn.hand.click(ON_SQUARE)
    drawn.key("h")
    drawn.hand.click(ON_SQUARE, RIGHT)
    choose("show_hidden")
    assert not drawn.annotations[0].hidden


def test_verify_stands_there_too(drawn):
    image = drawn.session.current.id
    drawn.hand.click(GROUND, RIGHT)
    choose("verify")
    assert drawn.session.record(image).state is ImageState.VERIFIED


def test_without_an_image_there_is_no_menu(start):
    program = start()
    QTest.mouseClick(program.canvas, RIGHT, NONE, QPoint(50, 50))
    program.key(Qt.Key.Key_F10, SHIFT)
    assert menu() is None


# By keys


def test_shift_f10_opens_that_of_what_is_selected_beside_it(drawn):
    drawn.hand.click(ON_SQUARE)
    drawn.key(Qt.Key.Key_F10, SHIFT)
    assert names()[-1] == "delete"
    # The screen the tests have is narrower than the window: the menu is pushed sideways.
    middle = drawn.canvas.mapToGlobal(drawn.hand.screen((40, 40)))
    assert abs(menu().pos().y() - middle.y()) < 4
    menu().close()
    drawn.key(Qt.Key.Key_Delete)
    assert len(drawn.annotations) == 1


def test_with_nothing_selected_shift_f10_opens_that_of_the_image(drawn):
    drawn.key(Qt.Key.Key_F10, SHIFT)
    assert names()[-1] == "verify"


# In the list


def ask_in_list(program, row):
    """Press the right button on a row, as Qt tells of it: a press, and then the question."""
    rows = program.window.annotations.list
    at = rows.visualRect(rows.model().index(row, Column.NAME)).center()
    if row < 0:
        at = QPoint(20, rows.viewport().height() - 5)
    QTest.mouseClick(rows.viewport(), RIGHT, NONE, at)
    reason = QContextMenuEvent.Reason.Mouse
    QApplication.sendEvent(
        rows.viewport(), QContextMenuEvent(reason, at, rows.viewport().mapToGlobal(at))
    )


def test_a_row_has_the_same_menu_and_is_selected(drawn):
    ask_in_list(drawn, 1)
    chosen = drawn.session.selection
    assert len(chosen) == 1
    assert names()[-1] == "delete"
    choose("delete")
    assert not chosen & drawn.session.annotations.keys()


def test_below_the_rows_it_is_that_of_the_image(drawn):
    ask_in_list(drawn, -1)
    assert names()[-1] == "verify"


def test_shift_f10_in_the_list_opens_it_at_the_row(drawn):
    rows = drawn.window.annotations.list
    rows.setFocus()
    QTest.keyClick(rows, Qt.Key.Key_Down)
    drawn.key(Qt.Key.Key_F10, SHIFT)
    assert names()[-1] == "delete"
    row = rows.visualRect(rows.selectionModel().selectedRows(Column.NAME)[0])
    assert row.top() <= rows.viewport().mapFromGlobal(menu().pos()).y() <= row.bottom()
