"""Ctrl+G: to an image by its place in the list or by a part of its name."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

from support.hand import CTRL

ENTER, ESCAPE = Qt.Key.Key_Return, Qt.Key.Key_Escape


@pytest.fixture
def asked(program):
    """The program with the field open."""
    program.key("g", CTRL)
    program.until(lambda: isinstance(program.focus(), QLineEdit))
    return program


@pytest.mark.parametrize("typed", ["3", "sub", "C.PNG", "c"])
def test_enter_goes_there_and_closes(asked, typed):
    asked.type(typed)
    asked.key(ENTER)
    asked.until(lambda: asked.shows("sub/c.png"))
    assert asked.dialogs() == []


def test_esc_closes_and_nothing_changes(asked):
    asked.type("3")
    asked.key(ESCAPE)
    assert asked.dialogs() == []
    assert asked.shows("a.png")


@pytest.mark.parametrize("typed", ["4", "0", "cat"])
def test_what_is_not_there_gets_one_sentence_and_the_field_stays(asked, typed):
    asked.type(typed)
    asked.key(ENTER)
    (dialog,) = asked.dialogs()
    assert asked.text_of(dialog) == f"The list holds 3 images and nothing named '{typed}'."
    assert asked.shows("a.png")
    asked.type("2")
    asked.key(ENTER)
    asked.until(lambda: asked.shows("b.png"))
    assert asked.dialogs() == []


def test_an_empty_field_says_what_to_type(asked):
    asked.key(ENTER)
    (dialog,) = asked.dialogs()
    assert asked.text_of(dialog) == "Type the number of an image, or a part of its name."


def test_a_number_counts_the_list_as_shown(program):
    program.key("l", CTRL)
    program.type("sub")
    program.key("g", CTRL)
    program.until(lambda: program.focus().window() in program.dialogs())
    program.type("2")
    program.key(ENTER)
    (dialog,) = program.dialogs()
    assert "The list as filtered now holds 1 image and nothing" in program.text_of(dialog)
    program.type("1")
    program.key(ENTER)
    program.until(lambda: program.shows("sub/c.png"))


def test_without_a_folder_there_is_nowhere_to_go(start):
    program = start()
    program.key("g", CTRL)
    assert program.dialogs() == []
