"""What a large image will take is said before the run, and less can be chosen before and in it."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton

from maskstudio.annotation.tiling import Sight
from support.fakes import disc_detections
from support.hand import CTRL

LEFT = Qt.MouseButton.LeftButton
TILES = 12


@pytest.fixture
def model(model):
    """To it the image of 80 by 100 pixels is one of twelve tiles; in each it finds a disc."""
    model.sight = Sight(32, 64, 4)
    model.detect = lambda size: disc_detections(size, [(12, 12, 20, 20)], [0.9])
    return model


@pytest.fixture
def program(unhurried):
    """The program once it knows the model."""
    program = unhurried
    program.app.annotator.use_model("fake")
    program.until(lambda: program.app.annotator.model)
    program.until(lambda: program.window.model.tiles.text)
    return program


def line(program):
    return program.window.model.tiles.text


def at_rest(program):
    return not program.app.annotator.running


def test_what_it_takes_is_said_before_the_run(program):
    assert line(program) == "100 by 80: up to 12 tiles, if what it finds is small"
    assert program.window.model.tiles.isVisible()
    # An image of one tile needs no words.
    program.show("b.png")
    program.until(lambda: not line(program))


def test_the_time_is_said_once_the_model_has_run(program):
    program.key("i")
    program.until(lambda: program.annotations and at_rest(program))
    assert len(program.annotations) == TILES
    assert line(program).startswith("100 by 80: up to 12 tiles, about ")


def test_another_choice_is_said_and_kept(program, start, folder):
    verbs = program.window.verbs
    assert verbs["tiles_auto"].isChecked()
    verbs["tiles_always"].trigger()
    assert line(program) == "100 by 80: 12 tiles"
    verbs["tiles_never"].trigger()
    assert line(program) == "100 by 80, looked at whole: what is small may be missed"
    # Chosen again, it stays chosen.
    verbs["tiles_never"].trigger()
    assert [verbs[f"tiles_{name}"].isChecked() for name in ("auto", "always", "never")] == [
        False,
        False,
        True,
    ]
    program.key("i")
    program.until(lambda: program.annotations and at_rest(program))
    assert len(program.annotations) == 1


def test_the_choice_is_beside_the_words(program):
    (button,) = program.window.model.tiles.findChildren(QToolButton)
    words = [action.text() for action in button.menu().actions()]
    assert words == ["Tiles: where needed", "Tiles: always", "Tiles: never"]


def test_the_whole_image_can_be_had_in_the_middle_of_the_tiles(program, model):
    model.hold.set()
    program.key("i")
    model.let_through(4)
    program.until(lambda: len(model.calls) == 5)
    run = program.window.model.run
    program.until(lambda: run.bar.maximum() == TILES)
    program.until(lambda: run.bar.value() == 3)
    assert run.line.text().startswith("tile 4 of 12, ")
    QTest.mouseClick(program.button("Whole image"), LEFT)
    model.release.set()
    program.until(lambda: program.annotations and at_rest(program))
    assert len(program.annotations) == 1
    assert not program.window.verbs["whole_image"].isEnabled()


def test_a_run_over_the_folder_tells_of_the_tiles_too(program, model):
    model.hold.set()
    program.key("b", CTRL)
    model.let_through(3)
    program.until(lambda: len(model.calls) == 4)
    run = program.window.model.run
    program.until(lambda: run.line.text() == "0 of 3 images, tile 3 of 12")
    assert not program.window.verbs["whole_image"].isEnabled()
    model.release.set()
    program.until(lambda: at_rest(program) and len(program.annotations) == TILES)
