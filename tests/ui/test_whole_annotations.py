"""Copying, duplicating and moving whole annotations by keys."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from maskstudio.annotation.segmentation import Segmentation
from support.hand import CTRL, NONE, SHIFT
from support.outlines import SQUARE, put

CORNER = Segmentation.from_rings([(80, 5), (95, 5), (95, 15), (80, 15)])


@pytest.fixture
def drawn(program):
    """The program with two squares on `a.png`, the first of them selected by a click."""
    put(program.session, SQUARE, CORNER)
    program.hand.click((40, 40))
    return program


def boxes(program):
    return [a.box for a in program.annotations]


def selected(program):
    return [a.box for a in program.session.selected()]


def test_copy_and_paste(drawn):
    before = drawn.annotations
    drawn.key("c", CTRL)
    drawn.key("v", CTRL)
    assert selected(drawn) == [(28, 28, 68, 68)]
    assert len(drawn.annotations) == 3
    drawn.key("z", CTRL)
    assert drawn.annotations == before
    drawn.key("y", CTRL)
    assert len(drawn.annotations) == 3


def test_paste_on_another_image_survives_closing_the_program(drawn, start, folder):
    drawn.key("a", CTRL)
    drawn.key("c", CTRL)
    drawn.key("d")
    drawn.until(lambda: drawn.shows("b.png"))
    drawn.key("v", CTRL)
    assert selected(drawn) == [(20, 20, 60, 60), (49, 5, 64, 15)]
    pasted = drawn.annotations
    drawn.close()

    again = start()
    again.open(folder)
    again.show("b.png")
    assert again.annotations == pasted
    again.key("z", CTRL)
    assert again.annotations == []
    again.key("y", CTRL)
    assert again.annotations == pasted


def test_paste_before_any_copy_says_what_to_do(drawn):
    drawn.key("v", CTRL)
    assert drawn.said == "Nothing was copied yet; copy what is selected first."
    assert len(drawn.annotations) == 2


def test_duplicate(drawn):
    drawn.key("d", CTRL)
    assert selected(drawn) == [(28, 28, 68, 68)]
    assert drawn.titles()[0] == "Duplicate annotation"


def test_copy_to_the_next_image_and_on(drawn):
    drawn.key("c", CTRL | SHIFT)
    drawn.until(lambda: drawn.shows("b.png"))
    assert selected(drawn) == [(20, 20, 60, 60)]
    drawn.key("c", CTRL | SHIFT)
    drawn.until(lambda: drawn.shows("sub/c.png"))
    assert selected(drawn) == [(20, 20, 60, 60)]
    drawn.key("c", CTRL | SHIFT)
    assert drawn.said == "This is the last image of the list; nothing was copied."


def test_what_can_be_asked_for_with_and_without_a_selection(drawn):
    verbs = drawn.window.verbs
    names = ("copy", "duplicate", "copy_to_next", "paste")
    assert [verbs[name].isEnabled() for name in names] == [True] * 4
    drawn.key(Qt.Key.Key_Escape)
    assert [verbs[name].isEnabled() for name in names] == [False, False, False, True]


def test_a_text_field_keeps_its_own_copy_and_paste(drawn):
    field = drawn.window.categories.field
    field.setFocus()
    drawn.type("cat")
    drawn.key("a", CTRL)
    drawn.key("c", CTRL)
    drawn.key(Qt.Key.Key_End)
    drawn.key("v", CTRL)
    assert QApplication.clipboard().text() == "cat"
    assert field.text() == "catcat"
    assert boxes(drawn) == [(20, 20, 60, 60), (80, 5, 95, 15)]
    drawn.canvas.setFocus()
    drawn.key("v", CTRL)
    assert drawn.said.startswith("Nothing was copied yet")


@pytest.mark.parametrize(
    ("key", "x", "y"),
    [
        (Qt.Key.Key_Left, -1, 0),
        (Qt.Key.Key_Right, 1, 0),
        (Qt.Key.Key_Up, 0, -1),
        (Qt.Key.Key_Down, 0, 1),
    ],
)
def test_an_arrow_moves_by_one_pixel_and_with_shift_by_ten(drawn, key, x, y):
    drawn.key(key)
    assert selected(drawn) == [(20 + x, 20 + y, 60 + x, 60 + y)]
    drawn.key("z", CTRL)
    drawn.key(key, SHIFT)
    assert selected(drawn) == [(20 + 10 * x, 20 + 10 * y, 60 + 10 * x, 60 + 10 * y)]


def test_a_held_arrow_is_one_step(drawn):
    before = drawn.annotations
    drawn.key("a", CTRL)
    for _ in range(4):
        drawn.key(Qt.Key.Key_Down)
    assert boxes(drawn) == [(20, 24, 60, 64), (80, 9, 95, 19)]
    assert len(drawn.session.selection) == 2
    drawn.key("z", CTRL)
    assert drawn.annotations == before


def test_an_arrow_stops_at_the_edge(drawn):
    drawn.hand.click((88, 10))
    for _ in range(2):
        drawn.key(Qt.Key.Key_Right, SHIFT)
    assert selected(drawn) == [(85, 5, 100, 15)]


def test_lists_and_fields_keep_their_arrows(drawn):
    drawn.window.images.list.setFocus()
    drawn.key(Qt.Key.Key_Down)
    drawn.until(lambda: drawn.shows("b.png"))
    drawn.show("a.png")
    drawn.session.select([drawn.annotations[0].id])
    field = drawn.window.categories.field
    field.setFocus()
    drawn.type("ab")
    drawn.key(Qt.Key.Key_Left)
    drawn.type("x")
    assert field.text() == "axb"
    assert boxes(drawn) == [(20, 20, 60, 60), (80, 5, 95, 15)]


@pytest.mark.parametrize("tool", ["v", "B", "K", "X"])
def test_in_the_middle_of_a_gesture_arrows_move_nothing(drawn, tool):
    drawn.key(tool.lower(), SHIFT if tool.isupper() else NONE)
    before = drawn.annotations
    drawn.hand.press((50, 50))
    drawn.hand.move((45, 45))
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Down):
        drawn.key(key)
        drawn.key(key, SHIFT)
    drawn.key(Qt.Key.Key_Escape)
    drawn.hand.release((45, 45))
    assert drawn.annotations == before
    if tool != "v":
        drawn.key("v")
        drawn.session.select([before[0].id])
    drawn.key(Qt.Key.Key_Left)
    assert selected(drawn) == [(19, 20, 59, 60)]
