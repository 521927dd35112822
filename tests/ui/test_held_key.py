"""A key that is held steps from picture to picture: none is passed by unseen."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from support.pictures import write_picture

NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def many(start, tmp_path):
    """The program with the first of twelve pictures on the screen."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(12):
        write_picture(folder / f"{number:02}.png", 100, 80)
    program = start()
    program.open(folder)
    program.until(lambda: len(program.session.image_ids) == 12)
    program.canvas.setFocus()
    return program


def name(program):
    return program.session.current.path


def press(program, *, repeat):
    QTest.simulateEvent(program.canvas, True, Qt.Key.Key_D.value, NONE, "d", repeat)


def test_repeats_step_on_while_the_pictures_come(many):
    press(many, repeat=False)
    for number in range(2, 6):
        many.until(lambda: many.canvas.has_image and many.canvas.painted)
        press(many, repeat=True)
        assert name(many) == f"{number:02}.png"


def test_a_repeat_is_passed_over_until_the_picture_was_seen(many):
    many.until(lambda: many.canvas.painted)
    press(many, repeat=False)
    assert name(many) == "01.png"
    # Nothing was painted between.
    press(many, repeat=True)
    assert name(many) == "01.png"


def test_keys_pressed_one_by_one_all_count(many):
    for _ in range(4):
        press(many, repeat=False)
    assert name(many) == "04.png"
