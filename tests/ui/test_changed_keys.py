"""Keys that were changed: the window tells of them, the tools and the hand follow them."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest

from maskstudio.annotation.annotation import ImageState
from support.hand import ALT, CTRL, SHIFT
from support.outlines import SQUARE, put

# What the window says


def test_hints_tips_menus_and_the_sheet_show_the_keys_as_they_are_now(program):
    window, keymap = program.window, program.window.verbs.keymap
    program.hand.move((5, 5))
    assert window.status.hint.text().endswith(
        "P draws  ·  I pre-annotates  ·  Space verifies and goes on"
    )
    keymap.set_keys("polygon", ("Ctrl+Alt+P",))
    keymap.set_keys("predict", ())
    keymap.set_keys("verify", ("Return",))
    assert window.status.hint.text().endswith("Ctrl+Alt+P draws  ·  Enter verifies and goes on")
    assert window.verbs["polygon"].toolTip().endswith("(Ctrl+Alt+P)")
    assert window.verbs["predict"].toolTip() == "Run the model on this image"
    put(program.session, SQUARE)
    keymap.set_keys("undo", ("Ctrl+J",))
    assert "Draw" in window.verbs["undo"].toolTip()
    assert window.verbs["undo"].toolTip().endswith("(Ctrl+J)")


def test_the_welcome_shows_the_key_to_open(start):
    program = start()
    keymap = program.window.verbs.keymap
    keymap.set_keys("open", ("Ctrl+Alt+O",))
    program.window.verbs["keys"].trigger()
    (sheet,) = program.dialogs()
    assert "Ctrl+Alt+O" in program.text_of(sheet)


# Keys of the tools and of the hand


def test_the_keys_of_tools_can_be_changed(program):
    keymap = program.window.verbs.keymap
    keymap.set_keys("finish", ("E",))
    keymap.set_keys("drop_vertex", ("Ctrl+Alt+Z",))
    program.key("p")
    for point in ((10, 10), (60, 10), (60, 60), (10, 60), (5, 70)):
        program.hand.click(point)
    program.key("z", CTRL | ALT)
    program.key(Qt.Key.Key_Return)
    assert program.annotations == []
    program.key("e")
    (made,) = program.annotations
    (ring,) = (ring for _, _, ring in made.segmentation.rings())
    assert len(ring) == 4


def test_a_brush_has_its_brackets_though_an_action_has_them_elsewhere(program):
    put(program.session, SQUARE)
    program.session.select(program.session.annotations)
    program.key("b", SHIFT)
    program.hand.move((50, 50))
    before = program.window.status.hint.text()
    program.key(Qt.Key.Key_BracketRight)
    assert program.window.status.hint.text() != before
    assert program.session.history().undo == "Draw"


def test_another_key_pans_while_it_is_held_and_what_it_does_besides_when_tapped(program):
    keymap = program.window.verbs.keymap
    keymap.set_keys("pan", ("Q",))
    program.look_at((50, 40), 8)
    left = program.canvas.viewport.left
    QTest.keyPress(program.canvas, Qt.Key.Key_Q)
    program.hand.drag((50, 40), (60, 40))
    QTest.keyRelease(program.canvas, Qt.Key.Key_Q)
    assert program.canvas.viewport.left == pytest.approx(left + 80)
    keymap.set_keys("next", ("Q",))
    program.key("q")
    program.until(lambda: program.shows("b.png"))
    program.key(Qt.Key.Key_Space)
    assert program.session.record(program.image("b.png")).state is ImageState.EMPTY


def test_space_closes_a_polygon_as_in_labelme_and_verifies_when_there_is_none(program):
    program.window.verbs.keymap.use_preset("labelme")
    program.key("n", CTRL)
    for point in ((10, 10), (60, 10), (60, 60)):
        program.hand.click(point)
    program.key(Qt.Key.Key_Space)
    assert len(program.annotations) == 1
    assert program.session.current.path == "a.png"
    program.key(Qt.Key.Key_Space)
    program.until(lambda: program.shows("b.png"))


def test_verify_on_another_key_is_not_repeated_while_it_is_held(program):
    program.window.verbs.keymap.set_keys("verify", ("Return",))
    assert not program.window.verbs["verify"].autoRepeat()
    program.key(Qt.Key.Key_Return)
    program.until(lambda: program.shows("b.png"))
    assert program.session.record(program.image("a.png")).state is ImageState.EMPTY


def test_digits_and_arrows_and_esc_can_be_changed(program):
    keymap = program.window.verbs.keymap
    put(program.session, SQUARE)
    keymap.set_keys("nudge_right", ("Ctrl+Right",))
    keymap.set_keys("escape", ("Ctrl+Alt+X",))
    program.canvas.setFocus()
    program.key("a", CTRL)
    program.key(Qt.Key.Key_Right)
    assert program.annotations[0].segmentation == SQUARE
    program.key(Qt.Key.Key_Right, CTRL)
    assert program.annotations[0].box[0] == SQUARE.box[0] + 1
    program.key(Qt.Key.Key_Escape)
    assert program.session.selection
    program.key("x", CTRL | ALT)
    assert not program.session.selection


def test_n_finishes_and_takes_the_tool_used_last(program):
    program.key("e", SHIFT)
    program.key("v")
    program.key("n")
    assert program.window.verbs["ellipse"].isChecked()
    program.key("p")
    for point in ((10, 10), (60, 10), (60, 60)):
        program.hand.click(point)
    program.key("n")
    assert len(program.annotations) == 1
    assert program.window.verbs["polygon"].isChecked()


def test_every_action_can_be_reached_without_its_key(program):
    """Each is in a menu, or is told of in the sheet as what keys alone do."""
    in_menus = set()

    def walk(actions):
        for action in actions:
            in_menus.add(action.objectName())
            if action.menu() is not None:
                walk(action.menu().actions())

    walk(program.window.menuBar().actions())
    names = {a.objectName() for a in program.window.verbs.findChildren(QAction)}
    left = {n for n in names - in_menus if not n.startswith(("nudge_", "category_"))}
    assert left <= {"escape", ""}
