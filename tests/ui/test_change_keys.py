"""The table of keys: found, changed, asked about, kept; by keys alone."""

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from maskstudio.annotation.annotation import ImageState
from maskstudio.ui.dialogs.keys import KeysDialog
from support.hand import ALT, CTRL, NONE, SHIFT


def open_table(program):
    program.window.verbs["change_keys"].trigger()
    (dialog,) = program.window.findChildren(KeysDialog)
    program.until(dialog.isActiveWindow)
    return dialog


@pytest.fixture
def table(program):
    """The table of keys, open."""
    return open_table(program)


def choose(dialog, text):
    """Go to a row by the field to find it in."""
    dialog.field.setText(text)
    tree = dialog.table
    rows = [
        tree.topLevelItem(n).child(k)
        for n in range(tree.topLevelItemCount())
        for k in range(tree.topLevelItem(n).childCount())
    ]
    (found,) = (r for r in rows if r.text(0) == text)
    assert not found.isHidden()
    tree.setCurrentItem(found)
    tree.setFocus()
    return found


def press(program, dialog, key, held=NONE):
    """Press Enter on the row, then the new key."""
    QTest.keyClick(dialog.table, Qt.Key.Key_Return)
    assert dialog.question.field.isVisible()
    QTest.keyClick(dialog.question.field, key, held)


def back_to_the_window(program, dialog):
    dialog.close()
    program.window.activateWindow()
    program.until(program.window.isActiveWindow)
    program.canvas.setFocus()


def said(dialog):
    return dialog.question.words.text()


def press_button(dialog, text):
    (button,) = (b for b in dialog.findChildren(type(dialog.question.yes)) if b.text() == text)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


# Changing


def test_enter_and_a_key_change_a_row_and_the_key_works(program, table):
    row = choose(table, "Next image")
    press(program, table, Qt.Key.Key_J)
    assert row.text(1) == "J"
    assert row.font(0).bold()
    back_to_the_window(program, table)
    program.key("d")
    assert program.session.current.path == "a.png"
    program.key("j")
    program.until(lambda: program.shows("b.png"))


def test_a_double_click_on_a_row_waits_for_its_key(program, table):
    row = choose(table, "Next image")
    place = table.table.visualItemRect(row).center()
    QTest.mouseClick(table.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseDClick(table.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert said(table) == "Press the new key for “Next image”; Esc leaves it as it is."
    QTest.keyClick(table.question.field, Qt.Key.Key_J)
    assert row.text(1) == "J"


def test_a_second_key_and_none_and_the_old_ones(program, table):
    row = choose(table, "Next image")
    press_button(table, "Add a key…")
    QTest.keyClick(table.question.field, Qt.Key.Key_J)
    assert row.text(1) == "D  or  PgDown  or  J"
    press_button(table, "No key")
    assert row.text(1) == ""
    press_button(table, "Reset")
    assert row.text(1) == "D  or  PgDown"
    assert not row.font(0).bold()


def test_esc_leaves_a_row_as_it_is_and_then_closes(program, table):
    row = choose(table, "Next image")
    press(program, table, Qt.Key.Key_Escape)
    assert row.text(1) == "D  or  PgDown"
    assert not table.question.field.isVisible()
    assert table.table.hasFocus()
    QTest.keyClick(table, Qt.Key.Key_Escape)
    assert not table.isVisible()


@pytest.mark.parametrize(
    ("key", "held", "written"),
    [
        (Qt.Key.Key_J, CTRL | ALT, "Ctrl+Alt+J"),
        (Qt.Key.Key_F9, NONE, "F9"),
        (Qt.Key.Key_Tab, CTRL, "Ctrl+Tab"),
        (Qt.Key.Key_Return, SHIFT, "Shift+Enter"),
        (Qt.Key.Key_5, Qt.KeyboardModifier.KeypadModifier | CTRL, "Ctrl+5"),
    ],
)
def test_any_key_can_be_taken(program, table, key, held, written):
    row = choose(table, "Skip image")
    press(program, table, key, held)
    assert row.text(1) == written


# Conflicts


def test_a_key_that_is_taken_is_asked_about_and_taken_only_then(program, table):
    row = choose(table, "Next image")
    press(program, table, Qt.Key.Key_F)
    assert said(table) == "F is already “Fit image”. Take it from there?"
    assert row.text(1) == "D  or  PgDown"
    QTest.keyClick(table.question.yes, Qt.Key.Key_Space)
    assert row.text(1) == "F"
    assert choose(table, "Fit image").text(1) == "Ctrl+F"


def test_no_is_no(program, table):
    row = choose(table, "Next image")
    press(program, table, Qt.Key.Key_F)
    press_button(table, "Cancel")
    assert row.text(1) == "D  or  PgDown"
    assert choose(table, "Fit image").text(1) == "F  or  Ctrl+F"


@pytest.mark.parametrize(
    ("key", "holder"),
    [
        (Qt.Key.Key_1, "Category 1"),
        (Qt.Key.Key_Left, "Move left by one pixel"),
        (Qt.Key.Key_Tab, "Next annotation"),
        (Qt.Key.Key_Space, "Verify and next"),
        (Qt.Key.Key_Return, "Finish what is drawn"),
        (Qt.Key.Key_Backspace, "Drop the last vertex, or delete the one under the pointer"),
        (Qt.Key.Key_BracketRight, "Wider brush"),
        (Qt.Key.Key_Delete, "Delete"),
    ],
)
def test_what_the_canvas_does_with_keys_is_part_of_the_check(program, table, key, holder):
    choose(table, "Skip image")
    press(program, table, key)
    assert f"“{holder}”" in said(table)
    assert table.question.yes.isVisible()


@pytest.mark.parametrize(
    ("key", "held", "holder"),
    [
        (Qt.Key.Key_F2, NONE, "Rename a category, in their list"),
        (Qt.Key.Key_Menu, NONE, "Menu of what has the focus, as everywhere"),
        (Qt.Key.Key_F, ALT, "Menu File"),
    ],
)
def test_what_belongs_to_a_control_cannot_be_had(program, table, key, held, holder):
    row = choose(table, "Skip image")
    before = row.text(1)
    press(program, table, key, held)
    assert f"“{holder}”, which cannot be changed" in said(table)
    assert not table.question.yes.isVisible()
    assert row.text(1) == before


def test_a_reset_that_would_take_a_key_asks_too(program, table):
    choose(table, "Next image")
    press(program, table, Qt.Key.Key_F)
    press_button(table, "Take it")
    choose(table, "Fit image")
    press_button(table, "Reset")
    assert said(table) == "F is already “Next image”. Take it from there?"
    press_button(table, "Take it")
    assert choose(table, "Fit image").text(1) == "F  or  Ctrl+F"
    assert choose(table, "Next image").text(1) == ""


# Presets


def test_a_preset_counts_at_once(program, table):
    table.preset.setFocus()
    for _ in range(3):
        QTest.keyClick(table.preset, Qt.Key.Key_Down)
    assert table.preset.currentText() == "CVAT"
    assert choose(table, "Next image").text(1) == "F  or  PgDown"
    back_to_the_window(program, table)
    program.key("f")
    program.until(lambda: program.shows("b.png"))
    program.key("d")
    program.until(lambda: program.shows("a.png"))


def test_a_preset_asks_before_own_keys_go(program, table):
    choose(table, "Skip image")
    press(program, table, Qt.Key.Key_J)
    table.preset.setFocus()
    QTest.keyClick(table.preset, Qt.Key.Key_Down)
    assert said(table) == "The key you changed goes with the preset labelme. Take it?"
    press_button(table, "Cancel")
    assert table.preset.currentText() == "MaskStudio"
    assert choose(table, "Skip image").text(1) == "J"
    press_button(table, "Reset all")
    press_button(table, "Take it")
    assert choose(table, "Skip image").text(1) == "Ctrl+K"
    assert program.window.verbs.keymap.changes == {}


# Finding


def test_the_field_finds_by_words_by_group_and_by_key(table):
    def shown():
        tree = table.table
        tops = [tree.topLevelItem(n) for n in range(tree.topLevelItemCount())]
        return [
            top.child(k).text(0)
            for top in tops
            if not top.isHidden()
            for k in range(top.childCount())
            if not top.child(k).isHidden()
        ]

    whole = len(shown())
    assert whole > 60
    table.field.setText("image next")
    assert "Next image" in shown()
    assert "Previous image" not in shown()
    table.field.setText("ctrl+shift+m")
    assert shown() == ["Unite"]
    table.field.setText("model")
    assert "Pre-annotate" in shown()
    table.field.clear()
    assert len(shown()) == whole


# What is kept


def test_preset_and_differences_survive_the_program(start, folder, tmp_path):
    first = start()
    dialog = open_table(first)
    dialog.preset.setFocus()
    for _ in range(3):
        QTest.keyClick(dialog.preset, Qt.Key.Key_Down)
    choose(dialog, "Skip image")
    press(first, dialog, Qt.Key.Key_J)
    first.close()
    stored = json.loads((tmp_path / "settings.json").read_text(encoding="utf-8"))
    assert stored["key_preset"] == "CVAT"
    assert stored["keys"] == {"skip": ["J"]}

    second = start()
    second.open(folder)
    second.canvas.setFocus()
    second.key("f")
    second.until(lambda: second.shows("b.png"))
    second.key("j")
    assert second.session.record(second.image("b.png")).state is ImageState.SKIPPED
    assert second.told == []


@pytest.mark.parametrize(
    ("stored", "sentence"),
    [
        (b"{", "The settings in settings.json cannot be read"),
        (b"[]", "The settings in settings.json cannot be read"),
        (b'{"key_preset": "Vim"}', "There are no keys of 'Vim'"),
        (b'{"keys": {"skip": ["Bla"]}}', "Keys in the settings could not be used: «Skip image»"),
    ],
)
def test_broken_settings_are_told_in_one_sentence_and_the_keys_work(
    start, folder, tmp_path, stored, sentence
):
    (tmp_path / "settings.json").write_bytes(stored)
    program = start()
    assert sentence in program.said
    program.open(folder)
    program.canvas.setFocus()
    program.key("d")
    program.until(lambda: program.shows("b.png"))


def test_the_question_is_a_label_that_can_be_read_aloud(table):
    assert table.question.words.accessibleName() == "Question"
    assert isinstance(table.question.words, QLabel)
