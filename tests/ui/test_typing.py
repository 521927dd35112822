"""While somebody types, or works a control, its keys are its own."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QToolButton,
)

from maskstudio.session import category_operations
from maskstudio.ui.key_presets import PRESETS
from maskstudio.ui.key_table import Where
from support.hand import CTRL
from support.outlines import SQUARE, put

_CHORD = CTRL | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
_FIELDS = (QLineEdit, QAbstractSpinBox, QPlainTextEdit, QTextEdit)


@pytest.fixture
def drawn(program):
    """The program with a square and two categories."""
    put(program.session, SQUARE)
    category_operations.add_category(program.session, "other")
    program.session.select(program.session.annotations)
    return program


def done(program):
    """A list that every action adds its name to when it is triggered."""
    names = []
    for row in program.window.verbs.keymap.rows:
        if row.where in (Where.WINDOW, Where.CANVAS):
            action = program.window.verbs[row.name]
            action.triggered.connect(lambda *_, name=row.name: names.append(name))
    return names


def bare_keys(program):
    """Every key that an action has and that is a letter, a digit or a sign by itself."""
    keymap = program.window.verbs.keymap
    found = {}
    for row in keymap.rows:
        for key in keymap.keys(row.name):
            pressed = QKeySequence(key)[0]
            if not pressed.keyboardModifiers() & _CHORD and pressed.key() < Qt.Key.Key_Escape:
                found[key] = pressed
    return found


def press_all(program, keys):
    for pressed in keys.values():
        program.key(pressed.key(), pressed.keyboardModifiers())


def fields(program):
    """Every field that can be seen and typed in."""
    found = [f for f in program.window.findChildren(_FIELDS[0]) if f.isVisible()]
    for kind in _FIELDS[1:]:
        found += [f for f in program.window.findChildren(kind) if f.isVisible()]
    return [f for f in found if f.isEnabled() and not f.isReadOnly()]


@pytest.mark.parametrize("preset", PRESETS)
def test_no_key_of_an_action_counts_in_any_field(drawn, preset):
    drawn.window.verbs.keymap.use_preset(preset)
    drawn.window.verbs["properties"].trigger()
    keys, triggered = bare_keys(drawn), done(drawn)
    assert {"D", "1", "P"} & keys.keys()
    names = {field.accessibleName() for field in fields(drawn)}
    assert {"Find an image", "Find or add a category"} < names
    assert len(names) >= 3
    for field in fields(drawn):
        field.setFocus()
        assert drawn.focus() is field or field.isAncestorOf(drawn.focus())
        press_all(drawn, keys)
        for key in (Qt.Key.Key_Left, Qt.Key.Key_Backspace, Qt.Key.Key_Home, Qt.Key.Key_Delete):
            drawn.key(key)
    assert triggered == []
    assert len(drawn.annotations) == 1


def test_the_same_keys_count_on_the_canvas(drawn):
    """The test above would notice."""
    triggered = done(drawn)
    drawn.canvas.setFocus()
    drawn.key("p")
    drawn.key("v")
    assert triggered == ["polygon", "select"]


def test_no_key_counts_while_a_name_is_typed_in_a_list(drawn):
    categories = drawn.window.categories.list
    categories.rename(categories.item(0))
    keys, triggered = bare_keys(drawn), done(drawn)
    assert isinstance(drawn.focus(), QLineEdit)
    press_all(drawn, {k: v for k, v in keys.items() if k != "Space"})
    drawn.key(Qt.Key.Key_Space)
    assert triggered == []
    drawn.key(Qt.Key.Key_Escape)


def test_enter_in_a_field_is_the_fields_though_an_action_has_it(drawn):
    drawn.window.verbs.keymap.set_keys("verify", ("Return",))
    triggered = done(drawn)
    field = drawn.window.categories.field
    field.setFocus()
    drawn.type("dog")
    drawn.key(Qt.Key.Key_Return)
    assert triggered == []
    assert "dog" in [c.name for c in drawn.session.categories]


def test_a_key_with_ctrl_still_counts_in_a_field(drawn):
    triggered = done(drawn)
    drawn.window.categories.field.setFocus()
    drawn.key("d", CTRL | Qt.KeyboardModifier.ShiftModifier)
    assert triggered == ["next_unfinished"]


def test_space_presses_a_button_and_verifies_nothing(drawn):
    drawn.window.verbs.keymap.set_keys("pan", ("Q",))
    (button,) = (
        b
        for b in drawn.window.findChildren(QToolButton)
        if b.defaultAction() is drawn.window.verbs["polygon"] and b.isVisible()
    )
    triggered = done(drawn)
    button.setFocus()
    drawn.key(Qt.Key.Key_Space)
    assert triggered == ["polygon"]


def test_arrows_move_a_slider_and_walk_through_a_list_though_actions_have_them(drawn):
    drawn.window.verbs.keymap.set_keys("next", ("Right", "Down"))
    triggered = done(drawn)
    slider = drawn.window.model.filters.score.slider
    slider.setFocus()
    before = slider.value()
    QTest.keyClick(slider, Qt.Key.Key_Right)
    assert slider.value() == before + 1
    drawn.window.images.list.setFocus()
    drawn.key(Qt.Key.Key_Down)
    assert triggered == []
    drawn.until(lambda: drawn.shows("b.png"))
    drawn.canvas.setFocus()
    drawn.key(Qt.Key.Key_Down)
    assert triggered == ["next"]
