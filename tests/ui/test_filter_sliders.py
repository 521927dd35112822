"""The slider under the mouse: it previews while it moves and commits once when let go."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QStyle, QStyleOptionSlider

from maskstudio.storage.opening import open_project


def handle(slider):
    """Where the slider's handle is."""
    option = QStyleOptionSlider()
    slider.initStyleOption(option)
    control, part = QStyle.ComplexControl.CC_Slider, QStyle.SubControl.SC_SliderHandle
    return slider.style().subControlRect(control, option, part, slider).center()


def stop(score):
    """Where the score slider stands at a score: its first stop is 0.05, the next 0.06."""
    return round(score * 100) - 5


def drag_to(slider, *stops):
    """Drag the handle over stops; return what is to be called to let go."""
    span = slider.maximum() - slider.minimum()
    start = handle(slider)
    QTest.mousePress(slider, Qt.MouseButton.LeftButton, pos=start)
    place = start
    for value in stops:
        width = slider.width() - 12
        place = QPoint(round(6 + (value - slider.minimum()) / span * width), start.y())
        QTest.mouseMove(slider, place)
    return lambda: QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=place)


@pytest.fixture
def slider(predicted):
    return predicted.window.model.filters.score.slider


def scores(program):
    return sorted(round(a.score, 2) for a in program.annotations)


def visible(program):
    return sorted(round(a.score, 2) for a in program.canvas.visible_annotations().values())


def test_dragging_previews_and_letting_go_is_one_step(predicted, slider, model):
    before = predicted.annotations
    let_go = drag_to(slider, *map(stop, (0.4, 0.3, 0.2)))
    predicted.until(lambda: visible(predicted) == [0.3, 0.6, 0.9])
    assert scores(predicted) == [0.6, 0.9]
    assert predicted.session.history().undo == "Pre-annotate"

    let_go()
    assert scores(predicted) == [0.3, 0.6, 0.9]
    assert predicted.titles() == ["Move score threshold", "Pre-annotate"]
    assert model.calls.count((80, 100)) == 1

    predicted.session.undo()
    assert predicted.annotations == before
    assert slider.value() == stop(0.5)
    predicted.session.redo()
    assert slider.value() < stop(0.3)


def test_dragging_there_and_back_is_no_step(predicted, slider):
    start = handle(slider)
    QTest.mousePress(slider, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(slider, start - QPoint(30, 0))
    QTest.mouseMove(slider, start)
    QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=start)
    assert visible(predicted) == [0.6, 0.9]
    assert predicted.titles() == ["Pre-annotate"]


def test_keys_commit_once_the_hand_rests(predicted, slider):
    slider.setFocus()
    for _ in range(30):
        predicted.key(Qt.Key.Key_Left)
    assert scores(predicted) == [0.6, 0.9]
    predicted.until(lambda: scores(predicted) == [0.3, 0.6, 0.9])
    assert predicted.titles() == ["Move score threshold", "Pre-annotate"]


def test_leaving_the_image_before_the_hand_rests_changes_neither_image(predicted, slider):
    slider.setFocus()
    predicted.key(Qt.Key.Key_Home)
    predicted.canvas.setFocus()
    predicted.key("d")
    predicted.until(lambda: predicted.shows("b.png"))
    assert slider.value() == stop(0.5)
    assert predicted.titles() == ["Pre-annotate"]


def test_the_slider_shows_the_score_of_the_image_after_a_restart(start, folder, model):
    first = start()
    first.open(folder)
    first.canvas.setFocus()
    first.key("i")
    first.until(lambda: len(first.annotations) == 2 and not first.app.annotator.running)
    drag_to(first.window.model.filters.score.slider, 35, 15)()
    first.close()

    second = start()
    second.open(folder)
    second.until(lambda: second.filtering.available)
    slider = second.window.model.filters.score.slider
    assert slider.value() < stop(0.3)
    drag_to(slider, stop(0.95))()
    assert second.annotations == []
    assert model.calls.count((80, 100)) == 1


def test_what_a_preview_shows_can_be_selected_only_once_it_is_real(predicted, slider):
    let_go = drag_to(slider, stop(0.2))
    predicted.hand.move((20, 50))
    let_go()
    predicted.until(lambda: scores(predicted) == visible(predicted) == [0.3, 0.6, 0.9])
    predicted.hand.click((20, 50))
    (selected,) = predicted.session.selected()
    assert round(selected.score, 2) == 0.3


def test_what_could_not_be_written_leaves_the_slider_where_it_was(predicted, slider, start):
    folder = predicted.session.folder
    predicted.close()
    reader = start()
    reader.session.open(open_project(folder, read_only=True))
    reader.until(lambda: reader.filtering.available)
    slider = reader.window.model.filters.score.slider
    drag_to(slider, stop(0.2))()
    reader.until(lambda: reader.filtering.preview is None)
    assert scores(reader) == [0.6, 0.9]
    assert slider.value() == stop(0.5)
    assert len(reader.problems) == 1
