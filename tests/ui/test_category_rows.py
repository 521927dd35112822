"""The rows of the list of categories: dragged, clicked, hidden, renamed by their signs."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from maskstudio.session import category_operations
from support.hand import ALT, CTRL, LEFT, NONE, SHIFT
from ui.category_rows import (
    NAMES,
    SIGN,
    choose,
    click,
    come_back,
    drag,
    edge,
    hidden,
    menu_of,
    names,
    place,
    shown,
    sign,
    the_list,
    with_categories,
)


@pytest.fixture
def drawn(program):
    return with_categories(program)


# Order


def test_a_row_is_dragged_to_another_place(drawn):
    drag(drawn, 3, place(drawn, 2), edge(drawn, 1, above=True))
    assert names(drawn) == ["object", "dog", "bee", "cat"]
    assert shown(drawn) == ["1   object", "2   dog", "3   bee", "4   cat"]
    drag(drawn, 0, edge(drawn, 3, above=False))
    assert names(drawn) == ["dog", "bee", "cat", "object"]
    drawn.key("z", CTRL)
    drawn.key("z", CTRL)
    assert names(drawn) == NAMES


def test_a_row_that_is_dropped_where_it_was_stays(drawn):
    title = drawn.session.history().undo
    drag(drawn, 1, place(drawn, 2), edge(drawn, 2, above=True))
    drag(drawn, 1, place(drawn, 2), edge(drawn, 1, above=True))
    assert names(drawn) == NAMES
    assert drawn.session.history().undo == title


def test_a_drag_leaves_what_is_selected_and_what_is_drawn_next(drawn):
    drawn.session.select(drawn.session.annotations)
    before = drawn.annotations
    current = drawn.window.categories.current
    drag(drawn, 3, edge(drawn, 0, above=True))
    assert drawn.annotations == before
    assert drawn.window.categories.current == current


def test_a_drag_below_the_last_row_goes_to_the_end(drawn):
    below = QPoint(20, the_list(drawn).viewport().height() - 2)
    drag(drawn, 0, below)
    assert names(drawn) == ["bee", "cat", "dog", "object"]


def test_digits_follow_the_order(drawn):
    drag(drawn, 3, edge(drawn, 0, above=True))
    drawn.session.select(drawn.session.annotations)
    drawn.canvas.setFocus()
    drawn.key("1")
    assert {drawn.session.category(a.category_id).name for a in drawn.annotations} == {"dog"}


def test_alt_and_arrows_move_the_selected_one_step_by_step(drawn):
    click(drawn, place(drawn, 2))
    drawn.key(Qt.Key.Key_Up, ALT)
    assert names(drawn) == ["object", "cat", "bee", "dog"]
    drawn.key(Qt.Key.Key_Up, ALT)
    drawn.key(Qt.Key.Key_Up, ALT)
    assert names(drawn) == ["cat", "object", "bee", "dog"]
    drawn.key(Qt.Key.Key_Down, ALT)
    assert names(drawn) == ["object", "cat", "bee", "dog"]
    assert drawn.problems == []


def test_the_menu_moves_a_row(drawn):
    choose(menu_of(drawn, 1), "Move category up")
    assert names(drawn) == ["bee", "object", "cat", "dog"]


def test_the_order_is_there_when_the_folder_is_opened_again(drawn, start, folder):
    drag(drawn, 3, edge(drawn, 0, above=True))
    drawn.close()
    again = start()
    again.open(folder)
    assert names(again) == ["dog", "object", "bee", "cat"]
    assert shown(again)[0] == "1   dog"


# Clicks


def test_a_click_gives_the_selection_the_category_at_once(drawn):
    drawn.session.select(drawn.session.annotations)
    click(drawn, place(drawn, 2))
    assert {a.category_id for a in drawn.annotations} == {3}
    assert drawn.window.categories.current == 3


def test_ctrl_and_shift_clicks_select_rows_and_nothing_else(drawn):
    drawn.session.select(drawn.session.annotations)
    before = drawn.annotations
    click(drawn, place(drawn, 2), CTRL)
    click(drawn, place(drawn, 3), SHIFT)
    assert drawn.annotations == before
    assert len(the_list(drawn).selectedItems()) > 1


def test_the_pencil_renames_and_leaves_the_selection_as_it_is(drawn):
    drawn.session.select(drawn.session.annotations)
    before = drawn.annotations
    click(drawn, sign(drawn, 3, 2))
    editor = drawn.focus()
    assert isinstance(editor, QLineEdit)
    assert editor.text() == "dog"
    editor.selectAll()
    drawn.type("wolf")
    drawn.key(Qt.Key.Key_Return)
    drawn.until(lambda: names(drawn)[3] == "wolf")
    assert drawn.annotations == before
    assert drawn.window.categories.current != 4


def test_f2_renames_without_touching_the_selection(drawn):
    drawn.session.select(drawn.session.annotations)
    before = drawn.annotations
    the_list(drawn).setFocus()
    the_list(drawn).setCurrentRow(2)
    drawn.key(Qt.Key.Key_F2)
    assert isinstance(drawn.focus(), QLineEdit)
    drawn.key(Qt.Key.Key_Escape)
    assert drawn.annotations == before


def test_a_double_click_is_two_clicks(drawn):
    drawn.session.select(drawn.session.annotations)
    view = the_list(drawn).viewport()
    click(drawn, place(drawn, 2))
    title = drawn.session.history().undo
    QTest.mouseDClick(view, LEFT, NONE, place(drawn, 2))
    assert not isinstance(drawn.focus(), QLineEdit)
    assert drawn.session.history().undo == title


def test_a_press_that_is_let_go_of_elsewhere_does_nothing(drawn):
    drawn.session.select(drawn.session.annotations)
    before, view = drawn.annotations, the_list(drawn).viewport()
    QTest.mousePress(view, LEFT, NONE, sign(drawn, 2, 1))
    QTest.mouseRelease(view, LEFT, NONE, place(drawn, 3))
    assert drawn.annotations == before
    assert hidden(drawn) == []


# Visibility


def test_the_eye_hides_a_category_and_shows_it_again(drawn):
    click(drawn, sign(drawn, 1, 1))
    assert hidden(drawn) == ["bee"]
    assert the_list(drawn).item(1).data(Qt.ItemDataRole.AccessibleTextRole) == "bee, hidden"
    click(drawn, sign(drawn, 1, 1))
    assert hidden(drawn) == []
    drawn.key("z", CTRL)
    assert hidden(drawn) == ["bee"]


def test_the_eye_stands_at_the_edge_however_long_the_name_is(drawn):
    category_operations.rename_category(drawn.session, 2, "a name that is too long " * 5)
    eye = QPoint(the_list(drawn).viewport().width() - SIGN // 2, place(drawn, 1).y())
    click(drawn, eye)
    assert [c.id for c in drawn.session.categories if c.hidden] == [2]


def test_a_hidden_category_is_neither_painted_nor_hit_nor_banded_nor_walked(drawn):
    # The square of `object` lies below the holed one of `bee`, and both hold (25, 25).
    object_, bee = drawn.annotations
    drawn.hand.click((25, 25))
    assert drawn.session.selection == {bee.id}
    drawn.session.select(())
    drawn.until(lambda: drawn.canvas.settled)
    click(drawn, sign(drawn, 0, 1))
    click(drawn, sign(drawn, 1, 1))
    drawn.until(lambda: drawn.canvas.settled)
    plain = drawn.colour((55, 55))
    drawn.window.verbs["hide"].trigger()
    assert drawn.colour((55, 55)) == plain
    drawn.window.verbs["hide"].trigger()
    drawn.hand.click((25, 25))
    drawn.hand.drag((5, 5), (70, 70))
    drawn.key("a", CTRL)
    drawn.canvas.setFocus()
    drawn.key(Qt.Key.Key_Tab)
    assert drawn.session.selection == frozenset()
    click(drawn, sign(drawn, 0, 1))
    drawn.until(lambda: drawn.canvas.settled)
    assert drawn.colour((55, 55)) != plain
    drawn.hand.click((25, 25))
    assert drawn.session.selection == {object_.id}


def test_hiding_takes_the_selection_away(drawn):
    drawn.session.select(drawn.session.annotations)
    click(drawn, sign(drawn, 1, 1))
    assert drawn.session.selection == {drawn.annotations[0].id}


def test_the_key_hides_and_shows_what_is_selected_in_the_list(drawn):
    click(drawn, place(drawn, 2))
    click(drawn, place(drawn, 3), CTRL)
    drawn.key("h", CTRL | SHIFT)
    assert hidden(drawn) == ["cat", "dog"]
    drawn.key("h", CTRL | SHIFT)
    assert hidden(drawn) == []


def test_the_menu_shows_only_one_and_all_again(drawn):
    choose(menu_of(drawn, 1), "Show only this category")
    assert hidden(drawn) == ["object", "cat", "dog"]
    come_back(drawn)
    choose(menu_of(drawn, 0), "Show all categories")
    assert hidden(drawn) == []
    come_back(drawn)
    drawn.key("z", CTRL)
    assert hidden(drawn) == ["object", "cat", "dog"]


def test_drawing_in_a_hidden_category_shows_it_in_one_step(drawn):
    click(drawn, place(drawn, 2))
    click(drawn, sign(drawn, 2, 1))
    drawn.canvas.setFocus()
    drawn.key("r", SHIFT)
    drawn.hand.drag((5, 5), (15, 15))
    assert hidden(drawn) == []
    assert len(drawn.annotations) == 3
    drawn.key("z", CTRL)
    assert hidden(drawn) == ["cat"]
    assert len(drawn.annotations) == 2
