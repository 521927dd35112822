"""Categories merged from the list; and the key that finds images where panels are folded."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QPushButton

from support.hand import CTRL, LEFT, SHIFT
from ui.category_rows import (
    NAMES,
    answer,
    choose,
    click,
    menu_of,
    names,
    place,
    question,
    with_categories,
)


@pytest.fixture
def drawn(program):
    return with_categories(program)


def test_one_is_merged_into_another(drawn, start, folder):
    before = drawn.annotations
    choose(menu_of(drawn, 1), "Merge category into…")
    assert "Annotations of bee: 1 (images: 1)" in drawn.text_of(question(drawn))
    answer(drawn, "cat", "Merge")
    assert names(drawn) == ["object", "cat", "dog"]
    assert [a.category_id for a in drawn.annotations] == [1, 3]
    assert drawn.session.history().undo == "Merge bee into cat"
    drawn.close()
    again = start()
    again.open(folder)
    again.key("z", CTRL)
    assert again.annotations == before
    assert names(again) == NAMES


def test_several_are_merged_into_one_of_them(drawn):
    click(drawn, place(drawn, 0))
    click(drawn, place(drawn, 2), SHIFT)
    choose(menu_of(drawn, 1), "Merge category into…")
    (box,) = question(drawn).findChildren(QComboBox)
    assert [box.itemText(n) for n in range(box.count())] == ["object", "bee", "cat"]
    answer(drawn, "cat", "Merge")
    assert names(drawn) == ["cat", "dog"]
    assert {a.category_id for a in drawn.annotations} == {3}
    drawn.key("z", CTRL)
    assert names(drawn) == NAMES


def test_while_it_is_written_nothing_can_be_undone_and_the_window_says_so(drawn):
    choose(menu_of(drawn, 1), "Merge category into…")
    dialog = question(drawn)
    (push,) = (b for b in dialog.findChildren(QPushButton) if b.text() == "Merge")
    QTest.mouseClick(push, LEFT)
    assert drawn.session.writing
    assert drawn.window.status.saved.text() == "saving …"
    assert not drawn.window.verbs["undo"].isEnabled()
    drawn.until(lambda: not drawn.session.writing)
    assert drawn.window.status.saved.text() == "saved"
    assert drawn.window.verbs["undo"].isEnabled()


def test_nothing_is_merged_while_the_model_runs(drawn):
    choose(menu_of(drawn, 1), "Merge category into…")
    drawn.app.annotator.run_folder()
    dialog = question(drawn)
    (push,) = (b for b in dialog.findChildren(QPushButton) if b.text() == "Merge")
    QTest.mouseClick(push, LEFT)
    assert drawn.problems == ["The model is running: merge when it is done, or cancel it."]
    assert names(drawn)[:4] == NAMES
    drawn.until(lambda: not drawn.app.annotator.running)


def test_the_key_for_finding_unfolds_the_panels(drawn):
    drawn.key(Qt.Key.Key_F11)
    assert not drawn.window.images.isVisible()
    drawn.key("l", CTRL)
    assert drawn.window.images.isVisible()
    assert not drawn.window.verbs["only_image"].isChecked()
    drawn.type("sub")
    assert drawn.window.images.filter.field.text() == "sub"
