"""It learns while somebody labels: nothing to press, a quiet line, a switch, and a way back."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton

from maskstudio.session.learning import Learning
from support.fakes import BOXES, disc_detections
from support.learners import LearningPredictor
from support.pictures import write_picture

LEFT = Qt.MouseButton.LeftButton
COUNT = 7
WRONG = (50, 20)
"""In the middle of the disc that the model finds and that is nothing."""


@pytest.fixture
def model():
    learns = LearningPredictor()
    learns.after = lambda size, model_id, known: disc_detections(
        size, BOXES[:1], (0.95,), model_id, categories=known
    )
    return learns


@pytest.fixture
def folder(tmp_path):
    images = tmp_path / "images"
    for number in range(COUNT):
        write_picture(images / f"{number}.png", 80, 100, number)
    return images


@pytest.fixture
def labeler(start, folder, model):
    return opened(start, folder)


def opened(start, folder):
    program = start()
    program.app.start()
    if program.session.database is None:
        program.open(folder)
    program.until(lambda: program.session.current is not None and program.canvas.has_image)
    program.until(lambda: program.app.annotator.model is not None)
    program.canvas.setFocus()
    return program


def learning(program):
    return program.app.findChild(Learning)


def line(program):
    return program.window.model.learning.text


def rested(program):
    return not (program.app.annotator.running or learning(program).busy)


def correct(program):
    """Predict the image, delete the disc that is nothing, and verify: the next image comes."""
    name = program.session.current.path
    program.key("i")
    program.until(lambda: len(program.annotations) == 2)
    program.until(lambda: program.canvas.settled)
    program.hand.click(WRONG)
    program.key(Qt.Key.Key_Delete)
    assert len(program.annotations) == 1
    program.key(Qt.Key.Key_Space)
    program.until(lambda: not program.shows(name) and program.canvas.has_image)
    program.until(lambda: rested(program))


def choose(program, words):
    """Take an entry of the menu beside the line."""
    (button,) = program.window.model.learning.findChildren(QToolButton)
    menu = button.menu()
    (action,) = (a for a in menu.actions() if a.text() == words)
    menu.popup(button.mapToGlobal(button.rect().bottomLeft()))
    QTest.mouseClick(menu, LEFT, pos=menu.actionGeometry(action).center())
    program.until(lambda: rested(program))


@pytest.fixture
def taught(labeler):
    for _ in range(5):
        correct(labeler)
    return labeler


def test_nothing_is_said_before_an_image_was_verified(labeler):
    assert line(labeler) == ""
    correct(labeler)
    assert line(labeler) == "Learns from 1 image"


def test_a_quiet_line_says_what_it_learned_and_what_that_is_worth(taught):
    assert line(taught) == "Learned from 5 images, 50 s: 100 % fewer corrections"
    told = taught.window.model.learning.findChild(QToolButton).accessibleName()
    assert told == "Learn or not, and what runs"
    taught.key("i")
    taught.until(lambda: len(taught.annotations) == 1)
    assert taught.annotations[0].model_id == "fake + images"
    assert taught.problems == []


def test_what_was_learned_stands_in_the_list_of_models(taught):
    choice = taught.window.model.choice
    assert choice.currentData() == "nuclei"
    assert choice.findData("fake + images") >= 0


def test_back_to_the_model_it_began_with(taught):
    assert taught.window.verbs["start_model"].isEnabled()
    choose(taught, "Back to the model I started with")
    assert line(taught) == "Learning is off; fake runs as it came"
    assert not taught.window.verbs["learn"].isChecked()
    assert not taught.window.verbs["start_model"].isEnabled()
    taught.key("i")
    taught.until(lambda: len(taught.annotations) == 2)


def test_the_switch_stays_as_it_was_left(start, folder, model):
    first = opened(start, folder)
    assert first.window.verbs["learn"].isChecked()
    first.window.verbs["learn"].trigger()
    correct(first)
    assert line(first) == ""
    assert model.learners == []
    first.close()
    again = opened(start, folder)
    assert not again.window.verbs["learn"].isChecked()


def test_what_was_learned_runs_again_after_a_start(taught, start, folder):
    taught.close()
    again = opened(start, folder)
    again.until(lambda: learning(again).in_use)
    assert line(again) == "Learned from 5 images, 50 s: 100 % fewer corrections"


def test_a_model_that_cannot_learn_says_why_in_the_line(labeler, model):
    model.why_not_learning = "it finds boxes only"
    correct(labeler)
    assert line(labeler) == "fake cannot learn: it finds boxes only."
    assert labeler.problems == []
