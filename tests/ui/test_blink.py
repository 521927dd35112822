"""What was before another model ran: shown while a key is held, or until it is pressed again."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from maskstudio.annotation.annotation import ImageState
from maskstudio.session import operations
from support.fakes import FakePredictor, disc_detections
from support.hand import NONE

NEW = "better"
# Of what the fake finds the first as before, the second elsewhere, and one where nothing was.
NEW_BOXES = ((10, 10, 30, 30), (44, 10, 64, 30), (40, 40, 60, 60))


@pytest.fixture
def again(start, folder):
    """The program whose three images another model has predicted again."""
    models = {"nuclei": FakePredictor("nuclei"), NEW: FakePredictor(NEW)}
    models[NEW].detect = lambda size: disc_detections(size, NEW_BOXES, (0.9, 0.8, 0.7), NEW)
    program = start(lambda name: models[name])
    program.open(folder)
    program.until(lambda: len(program.session.image_ids) == 3)
    annotator = program.app.annotator
    annotator.run_folder()
    program.until(lambda: not annotator.running)
    annotator.use_model(NEW)
    program.until(lambda: annotator.model_name == NEW)
    program.window.verbs["predict_again"].trigger()
    program.until(lambda: annotator.running)
    program.until(lambda: not annotator.running)
    program.canvas.setFocus()
    return program


def shown(program):
    return {a.model_id for a in program.canvas.visible_annotations().values()}


def before(program):
    program.key("b")
    program.until(lambda: shown(program) == {"nuclei"})


def test_the_key_shows_what_was_before_and_again_what_is_now(again):
    now = again.colour((50, 50))
    before(again)
    assert "Before (nuclei). Since then: 1 new, 1 changed." in again.said
    assert "as it was before (B)" in again.window.status.modes.text()
    again.until(lambda: again.canvas.settled)
    assert again.colour((50, 50)) != now
    again.key("b")
    assert shown(again) == {NEW}
    again.until(lambda: again.canvas.settled)
    assert again.colour((50, 50)) == now
    assert again.window.status.modes.text() == ""


def test_what_changed_is_marked(again):
    before(again)
    again.until(lambda: again.canvas.settled)
    # The edge of the one that came, and a corner around the one that lay elsewhere.
    for x, y in ((40, 50), (37.8, 10)):
        around = [again.colour((x + dx, y)) for dx in (-0.6, -0.3, 0.0, 0.3, 0.6, 0.9)]
        assert any(min(colour) > 200 for colour in around)


def test_held_it_shows_what_is_now_when_it_is_let_go_of(again):
    before(again)
    QTest.simulateEvent(again.canvas, True, Qt.Key.Key_B.value, NONE, "b", True)
    assert shown(again) == {"nuclei"}
    QTest.simulateEvent(again.canvas, False, Qt.Key.Key_B.value, NONE, "b", False)
    assert shown(again) == {NEW}


def test_nobody_can_take_hold_of_what_was_before(again):
    before(again)
    again.hand.click((42, 20))
    assert shown(again) == {NEW}
    assert again.session.selection == frozenset()
    again.hand.click((62, 20))
    assert len(again.session.selection) == 1


@pytest.mark.parametrize("end", ["edit", "image"])
def test_an_edit_or_another_image_ends_it(again, end):
    before(again)
    if end == "edit":
        operations.verify(again.session)
    else:
        again.show("b.png")
    assert shown(again) == {NEW}
    assert not again.window.verbs["show_before"].isChecked()


def test_categories_that_are_hidden_stay_hidden(again):
    again.window.verbs["hide_category"].trigger()
    assert again.session.shown == {}
    again.key("b")
    again.until(lambda: "Before" in again.said)
    assert shown(again) == set()


def test_the_way_leads_from_changed_image_to_changed_image(again):
    again.key(Qt.Key.Key_F7)
    again.until(lambda: again.shows("b.png"))
    assert "1 new, 1 changed." in again.said
    operations.verify(again.session)
    again.key(Qt.Key.Key_F7)
    again.until(lambda: again.shows("sub/c.png"))
    again.key(Qt.Key.Key_F7)
    again.until(lambda: "No other image" in again.said)
    again.key(Qt.Key.Key_F7, Qt.KeyboardModifier.ShiftModifier)
    again.until(lambda: again.shows("a.png"))
    assert again.session.record(again.image("b.png")).state is ImageState.VERIFIED


def test_where_one_model_ran_there_is_nothing_before(predicted):
    predicted.key("b")
    predicted.until(lambda: "Only one model" in predicted.said)
    assert not predicted.window.verbs["show_before"].isChecked()


def test_with_nothing_untouched_nothing_is_predicted_again(program):
    program.window.verbs["predict_again"].trigger()
    program.until(lambda: "nobody has touched" in program.said)
    assert not program.app.annotator.running
