"""F1: every key and every gesture, as they are now; found, read and printed."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from maskstudio.ui.dialogs.gestures import GESTURES
from maskstudio.ui.dialogs.help import KeySheet, sheet
from maskstudio.ui.key_table import GROUPS


@pytest.fixture
def opened(program):
    """The sheet, opened by its key."""
    program.key(Qt.Key.Key_F1)
    (found,) = program.window.findChildren(KeySheet)
    program.until(found.isActiveWindow)
    return found


def test_every_row_with_a_key_and_every_gesture_is_in_it(program):
    keymap = program.window.verbs.keymap
    told = [(what, how) for rows in sheet(keymap).values() for what, how in rows]
    for row in keymap.rows:
        if not row.name.startswith(("category_", "nudge_", "offer_")) and keymap.keys(row.name):
            assert (row.text, keymap.all_shown(row.name)) in told
    for _, what, how in GESTURES:
        assert (what, keymap.fill(how)) in told
    assert "1 to 9" in dict(told)["Choose or change"]
    assert not any("{" in how for _, how in told)


def test_groups_stand_in_order(program):
    groups = list(sheet(program.window.verbs.keymap))
    assert groups == [g for g in GROUPS if g in groups]
    assert groups[:2] == ["Draw", "Vertices"]
    assert {group for group, _, _ in GESTURES} <= set(GROUPS)


def test_gestures_name_keys_by_what_they_do(program):
    """A key that is written out would go wrong once it is changed."""
    names = {row.name for row in program.window.verbs.keymap.rows}
    for _, _, how in GESTURES:
        for place in how.split("{")[1:]:
            assert place.split("}")[0] in names


def test_it_shows_keys_as_they_are_and_follows_them(program, opened):
    text = program.text_of(opened)
    for words in ("Pre-annotate folder", "Ctrl+B", "Verify and next", "Space", "Insert a vertex"):
        assert words in text
    program.window.verbs.keymap.use_preset("CVAT")
    assert "Ctrl+Shift+B" in program.text_of(opened)


def test_the_field_finds_what_keys_do_and_which_key_does_it(program, opened):
    assert opened.field.isVisible()
    opened.field.setFocus()
    for letter in "vertex":
        QTest.keyClick(opened.field, letter)
    text = program.text_of(opened)
    assert "Insert a vertex" in text
    assert "Pre-annotate" not in text
    opened.field.setText("ctrl+b")
    assert "Pre-annotate folder" in program.text_of(opened)
    opened.field.setText("nothing of the kind")
    assert "Nothing of that kind." in program.text_of(opened)


def test_enter_in_the_field_closes_nothing_and_esc_does(program, opened):
    opened.field.setFocus()
    QTest.keyClick(opened.field, Qt.Key.Key_Return)
    assert opened.isVisible()
    QTest.keyClick(opened.field, Qt.Key.Key_Escape)
    program.until(lambda: not program.dialogs())


def test_a_second_f1_brings_back_the_one_that_is_open(program, opened):
    program.window.verbs["keys"].trigger()
    assert program.window.findChildren(KeySheet) == [opened]


def test_it_fits_a_small_screen(opened):
    assert opened.width() <= 1366
    assert opened.height() <= 768 - 80
    assert QGuiApplication.primaryScreen() is not None


def test_it_can_be_kept_for_printing(program, opened, tmp_path):
    path = tmp_path / "keys.pdf"
    opened.write_pdf(path)
    assert path.read_bytes().startswith(b"%PDF")
    assert path.stat().st_size > 5_000


def test_a_place_it_cannot_be_written_to_is_told(program, opened, tmp_path, monkeypatch):
    path = tmp_path / "no folder" / "keys.pdf"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    (button,) = (b for b in program.buttons_of(opened) if b.text() == "Save as PDF…")
    button.click()
    assert program.problems == [
        f"{path} cannot be written: its folder does not exist; choose another folder."
    ]
