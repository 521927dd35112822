"""The filters behind the fold, under the mouse and the keys."""

from functools import partial

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QSlider, QStyle, QStyleOptionSlider

from maskstudio.annotation.annotation import Category
from support.fakes import CELL, disc_detections

BOXES = ((10, 10, 30, 30), (40, 10, 60, 30), (10, 40, 18, 48), (40, 40, 60, 60))


@pytest.fixture
def filters(program, model):
    """The panel of the filters, unfolded, over four detections: 0.9, 0.8, 0.7 of a dog, 0.6."""
    model.detect = partial(
        disc_detections,
        boxes=BOXES,
        scores=(0.9, 0.8, 0.7, 0.6),
        labels=(0, 0, 1, 0),
        categories=(CELL, Category(7, "dog")),
    )
    program.key("i")
    program.until(lambda: len(program.annotations) == 4 and not program.app.annotator.running)
    panel = program.window.model.filters
    QTest.mouseClick(panel.fold, Qt.MouseButton.LeftButton)
    return panel


def scores(program):
    return sorted(round(a.score, 2) for a in program.annotations)


def seen(program):
    return sorted(round(a.score, 2) for a in program.canvas.visible_annotations().values())


def handle(slider):
    option = QStyleOptionSlider()
    slider.initStyleOption(option)
    control, part = QStyle.ComplexControl.CC_Slider, QStyle.SubControl.SC_SliderHandle
    return slider.style().subControlRect(control, option, part, slider).center()


def drag(slider, by):
    """Drag the handle by pixels; return what is to be called to let go."""
    start = handle(slider)
    QTest.mousePress(slider, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(slider, start + QPoint(by // 2, 0))
    QTest.mouseMove(slider, start + QPoint(by, 0))
    return lambda: QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=start + QPoint(by, 0))


def to_the_end(row):
    return drag(row.slider, 400)


def test_a_drag_previews_and_letting_go_is_one_step_that_undo_takes_back(program, filters):
    row = filters.more["min_area"]
    before = row.slider.value()
    let_go = to_the_end(row)
    program.until(lambda: seen(program) == [])
    assert scores(program) == [0.6, 0.7, 0.8, 0.9]
    let_go()
    assert scores(program) == []
    assert row.value_label.text() == "100,000 px²"
    assert program.titles() == ["Move smallest area", "Pre-annotate"]
    program.session.undo()
    assert scores(program) == [0.6, 0.7, 0.8, 0.9]
    assert row.slider.value() == before
    assert row.value_label.text() == "0 px²"


def test_the_number_is_moved_by_keys(program, filters):
    row = filters.more["max_count"]
    assert row.value_label.text() == "all"
    row.slider.setFocus()
    program.key(Qt.Key.Key_Home)
    program.until(lambda: scores(program) == [0.9])
    assert row.value_label.text() == "1"
    assert program.titles() == ["Move largest number", "Pre-annotate"]


@pytest.mark.parametrize("way", ["double-click", "button"])
def test_there_is_a_way_back_to_the_usual(program, filters, way):
    row = filters.more["max_count"]
    assert not row.back.isVisible()
    row.slider.setFocus()
    program.key(Qt.Key.Key_Home)
    program.until(lambda: scores(program) == [0.9])
    assert row.back.isVisible()
    if way == "button":
        QTest.mouseClick(row.back, Qt.MouseButton.LeftButton)
    else:
        QTest.mouseDClick(row.slider, Qt.MouseButton.LeftButton, pos=handle(row.slider))
    program.until(lambda: scores(program) == [0.6, 0.7, 0.8, 0.9])
    assert row.value_label.text() == "all"
    assert not row.back.isVisible()


def test_outlines_follow_the_mask_threshold(program, filters):
    before = {a.id: a.segmentation.area for a in program.annotations}
    let_go = to_the_end(filters.more["mask_threshold"])
    program.until(
        lambda: all(
            a.segmentation.area < before[i] for i, a in program.canvas.visible_annotations().items()
        )
    )
    assert {a.id: a.segmentation.area for a in program.annotations} == before
    let_go()
    program.until(lambda: program.session.history().undo == "Move mask threshold")
    assert all(a.segmentation.area < before[a.id] for a in program.annotations)
    assert len(program.titles()) == 2


def test_undo_right_after_letting_go_takes_that_back_and_no_more(program, filters):
    before = program.annotations
    to_the_end(filters.more["mask_threshold"])()
    program.key("z", Qt.KeyboardModifier.ControlModifier)
    program.idle()
    assert program.annotations == before
    assert program.session.history().undo == "Pre-annotate"
    assert filters.more["mask_threshold"].value_label.text() == "0.50"


def test_each_category_found_here_has_a_score_of_its_own(program, filters):
    assert list(filters.categories) == ["cell", "dog"]
    row = filters.categories["dog"]
    to_the_end(row)()
    assert scores(program) == [0.6, 0.8, 0.9]
    # The others go on following the score for all.
    drag(filters.score.slider, 400)()
    program.until(lambda: scores(program) == [])
    assert filters.categories["cell"].value_label.text() == "0.99"
    QTest.mouseClick(row.back, Qt.MouseButton.LeftButton)
    assert row.value_label.text() == "0.99"
    program.session.undo()
    program.session.undo()
    program.session.undo()
    assert scores(program) == [0.6, 0.7, 0.8, 0.9]
    assert row.value_label.text() == "0.50"


def test_the_rows_are_those_of_the_image_in_front(program, filters, model):
    model.detect = partial(disc_detections, categories=(CELL, Category(7, "dog")))
    program.show("b.png")
    program.canvas.setFocus()
    program.key("i")
    program.until(lambda: list(filters.categories) == ["cell"])
    program.show("a.png")
    program.until(lambda: list(filters.categories) == ["cell", "dog"])


def test_a_model_of_one_category_has_the_one_slider(predicted):
    filters = predicted.window.model.filters
    QTest.mouseClick(filters.fold, Qt.MouseButton.LeftButton)
    assert filters.categories == {}


def test_eighty_categories_can_be_scrolled_to(program, filters, model):
    many = tuple(Category(n + 1, f"kind {n:02}") for n in range(80))
    model.detect = lambda size: disc_detections(
        size,
        [(n, 10, n + 15, 30) for n in range(80)],
        [0.9] * 80,
        labels=range(80),
        categories=many,
    )
    before = program.window.model.height()
    program.show("b.png")
    program.canvas.setFocus()
    program.window.verbs["predict"].trigger()
    program.until(lambda: len(filters.categories) == 80)
    assert program.window.model.height() < before + 80
    names = {row.slider.accessibleName() for row in filters.categories.values()}
    assert len(names) == 80


def test_whether_they_are_unfolded_is_remembered(start, folder):
    first = start()
    panel = first.window.model.filters
    assert not panel.fold.isChecked()
    assert panel.more == {}
    QTest.mouseClick(panel.fold, Qt.MouseButton.LeftButton)
    first.close()
    assert start().window.model.filters.more["nms_iou"].slider.isVisible()


def test_every_slider_says_what_it_is_and_does(program, filters):
    sliders = [s for s in filters.findChildren(QSlider) if s.isVisible()]
    assert len(sliders) == 1 + 4 + 2
    assert len({s.accessibleName() for s in sliders}) == len(sliders)
    assert all(s.toolTip() and s.accessibleDescription() for s in sliders)
