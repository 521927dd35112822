"""A training run looked at: its line, its curves, its samples, and what can be done with it."""

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from maskstudio.session import category_operations, operations
from maskstudio.session.training import Training
from maskstudio.ui.dialogs.training import TrainingDialog
from maskstudio.ui.dialogs.training_samples import SamplePair
from maskstudio.ui.dialogs.training_watch import TrainingWatch
from support.outlines import SQUARE, put
from support.training import end_all
from ui.test_access import nameless, unreachable
from ui.test_training_dialog import ask, click, known, opened


def begun(program, name="cells"):
    """The page of a run of this name, as soon as there is one."""
    put(program.session, SQUARE)
    category_operations.add_category(program.session, "cell")
    operations.verify(program.session)
    dialog = ask(program)
    known(program, dialog)
    dialog.name.setFocus()
    dialog.name.selectAll()
    program.type(name)
    click(dialog.start)
    return opened(program, TrainingWatch)


def line_of(program):
    """The words of the status bar."""
    button = program.window.status.training
    return button.text() if button.isVisible() else ""


def finish(program, page):
    click(page.stop)
    program.until(page.compare.isVisible)


@pytest.fixture(autouse=True)
def _ended(start):
    yield
    end_all()


@pytest.fixture
def page(program):
    """A run that has told of three steps and a validation."""
    shown = begun(program)
    program.until(lambda: "step 3 of 10" in shown.line.text())
    program.until(lambda: shown.samples.findChildren(SamplePair))
    return shown


def hue(picture, x, y):
    """The hue of a sample at a place of its image of 100 x 80, the strongest near there."""
    image = picture.pixmap().toImage()
    column, row = round(x / 100 * image.width()), round(y / 80 * image.height())
    near = [image.pixelColor(column + dx, row) for dx in range(-3, 4)]
    return max(near, key=QColor.saturation).hue()


def points(chart):
    """The curves of a chart by their names."""
    return {item.name(): item.getData() for item in chart.listDataItems()}


def test_it_shows_where_it_is_its_curves_and_what_it_finds(program, page):
    assert nameless(page) == []
    assert unreachable(page) == []
    assert page.line.text() == "Training: step 3 of 10, 2 min left"
    assert line_of(program) == "Training 30%, 2 min left"
    assert page.bar.value() == 300
    assert "mask AP 0.50, AP50 0.75 at step 3" in page.said.text()
    program.until(lambda: len(points(page.charts.loss)["loss"][0]) == 3)
    assert list(points(page.charts.rate)[None][1]) == [1e-3] * 3
    precision = points(page.charts.precision)
    assert list(precision["mask AP"][0]) == [3]
    assert list(precision["mask AP50"][1]) == [0.75]
    (pair,) = page.samples.findChildren(SamplePair)
    program.until(lambda: not pair.found.pixmap().isNull())
    # The weaker of the two that were found is left out, as it is when a person pre-annotates.
    assert "the model finds 1" in program.text_of(pair)
    colour = next(c.shown_colour for c in program.session.categories if c.name == "cell")
    for picture in (pair.truth, pair.found):
        assert hue(picture, 10, 25) == pytest.approx(QColor(colour).hue(), abs=8)


def test_it_is_paused_goes_on_and_stopped_keeps_the_best(program, page):
    click(page.pause)
    program.until(lambda: page.pause.text() == "Continue")
    assert line_of(program) == "Training paused, 30%"
    click(page.pause)
    program.until(lambda: page.pause.text() == "Pause" and "step 4 of 10" in page.line.text())
    finish(program, page)
    assert "called cells" in page.said.text()
    assert page.line.text() == "Done"
    assert line_of(program) == ""
    assert program.told == []
    click(page.compare)
    program.until(lambda: len(program.dialogs()) == 2)
    click(page.again)
    dialog = opened(program, TrainingDialog)
    assert not page.isVisible()
    program.until(dialog.start.isEnabled)


def test_closing_the_page_stops_nothing_and_its_end_takes_no_keys(program, page):
    program.window.verbs["train"].trigger()
    assert program.dialogs() == [page]
    page.close()
    program.until(lambda: not program.dialogs())
    click(program.window.status.training)
    again = opened(program, TrainingWatch)
    assert "step 3 of 10" in again.line.text()
    again.close()
    program.until(lambda: not program.dialogs())
    program.window.activateWindow()
    program.canvas.setFocus()
    program.window.findChild(Training).stop()
    program.until(lambda: line_of(program) == "Training done: compare")
    assert "cells is among the models" in program.told[-1].text
    assert program.canvas.hasFocus()
    assert program.dialogs() == []
    click(program.window.status.training)
    assert opened(program, TrainingWatch).compare.isVisible()
    assert line_of(program) == ""


def test_a_failure_is_one_sentence_with_what_to_do(program):
    page = begun(program, "fails")
    program.until(lambda: "lower the learning rate" in page.said.text())
    assert page.line.text().startswith("Failed")
    assert page.again.isVisible()
    assert not page.resume.isVisible()
    assert line_of(program) == ""


def test_a_run_that_died_goes_on_from_its_checkpoint(program):
    page = begun(program, "dies")
    program.until(page.resume.isVisible)
    assert line_of(program) == "Training interrupted at 30%"
    click(page.resume)
    # It dies again, further on.
    program.until(lambda: "step 5 of 10" in page.line.text() and page.resume.isVisible())
    click(page.aside)
    program.until(lambda: line_of(program) == "")
    assert not page.aside.isVisible()
    page.close()
    program.window.verbs["train"].trigger()
    opened(program, TrainingDialog)


def answer(words):
    """Press a button of the question that comes."""

    def press():
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        (button,) = (b for b in box.buttons() if b.text() == words)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    QTimer.singleShot(0, press)


def test_closed_in_the_middle_it_asks_and_the_next_start_goes_on(start, program, page, folder):
    answer("Keep training")
    program.window.close()
    assert program.window.isVisible()
    answer("Close")
    program.close()
    later = start()
    later.open(folder)
    later.until(lambda: line_of(later) == "Training interrupted at 30%")
    click(later.window.status.training)
    again = opened(later, TrainingWatch)
    click(again.resume)
    later.until(lambda: "step 5 of 10" in again.line.text())
    finish(later, again)
