"""The page of two models: compared by a process, looked at, and one of them chosen by a click."""

import shutil
from dataclasses import replace

import pytest
from PySide6.QtWidgets import QTableWidget, QTreeWidgetItemIterator

from maskstudio.resources import resource_path
from maskstudio.session import operations
from maskstudio.storage.model_folder import model_file
from maskstudio.ui.charts import Chart
from maskstudio.ui.dialogs.comparing import ComparingPage
from maskstudio.ui.dialogs.comparing_figures import headline, notes, rows
from support.fakes import FakePredictor, disc_detections
from support.reports import keep_apart, model_figures, refusing, report, stand_in

OLD, NEW = "nuclei", "better"
ANSWER = report(model_figures(OLD, 0.5, 60), model_figures(NEW, 0.6, 80))


@pytest.fixture
def models():
    made = {OLD: FakePredictor(OLD), NEW: FakePredictor(NEW)}
    made[NEW].detect = lambda size: disc_detections(size, ((0, 0, 20, 20),), (0.9,), NEW)
    return made


@pytest.fixture
def compared(start, folder, models, tmp_path):
    """What opens the page in a program that compares by a command; the folder is predicted."""

    def begin(command=None):
        file = model_file(NEW)
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(resource_path("models", "nuclei.safetensors"), file)
        made = start(lambda name: models[name], command or stand_in(tmp_path, ANSWER))
        made.open(folder)
        made.until(lambda: len(made.session.image_ids) == 3)
        keep_apart(made.session, made.image("sub/c.png"))
        made.app.annotator.run_folder()
        made.until(lambda: made.annotations and not made.app.annotator.running)
        made.window.verbs["compare"].trigger()
        return made

    return begin


def page(program):
    return next(d for d in program.dialogs() if isinstance(d, ComparingPage))


def tables(program):
    return page(program).confusion.findChildren(QTableWidget)


def run(program):
    page(program).start.click()
    program.until(lambda: page(program).use.isVisible())


def listed(tree):
    found, walk = {}, QTreeWidgetItemIterator(tree)
    while item := walk.value():
        found.setdefault(item.text(0), [item.text(column) for column in (1, 2, 3)])
        walk += 1
    return found


def test_before_it_has_run_it_says_what_it_would_do(compared):
    program = compared()
    assert "kept apart" in page(program).notes.text()
    assert page(program).new.currentData() == NEW
    assert not page(program).use.isVisible()


def test_figures_of_both_stand_side_by_side(compared):
    program = compared()
    run(program)
    assert "50 % fewer gestures: 0.40 an object" in page(program).said.text()
    shown = listed(page(program).figures)
    assert shown["Accepted as they are"] == ["60", "80", "+20  better"]
    assert shown["Gestures an object"] == ["0.80", "0.40", "-0.40  better"]
    assert shown["AP"] == ["0.500", "0.600", "+0.100  better"]
    assert shown["dust"] == ["0.250", "0.300", "+0.050  better"]
    assert shown["settings: iterations"] == ["600", "600", ""]


def test_what_was_taken_for_what_stands_in_a_table_of_each(compared):
    program = compared()
    run(program)
    for table, accepted in zip(tables(program), ("60", "80"), strict=True):
        names = [table.horizontalHeaderItem(n).text() for n in range(table.columnCount())]
        assert names == ["cell", "dust", "missed"]
        assert table.item(0, 0).text() == accepted
        assert table.item(0, 1).text() == "3"
        assert table.verticalHeaderItem(2).text() == "nothing there"
        assert table.item(2, 0).text() == "5"


def drawn(program):
    (chart,) = page(program).curves.findChildren(Chart)
    return [list(item.getData()[1]) for item in chart.listDataItems()]


def test_curves_are_drawn_as_far_as_they_reach(compared):
    program = compared()
    run(program)
    assert [len(line) for line in drawn(program)] == [51, 61]
    page(program).curves.category.setCurrentIndex(2)
    page(program).curves.iou.setCurrentIndex(1)
    program.idle()
    assert [set(line) for line in drawn(program)] == [{1.0}, {1.0}]


def test_one_click_takes_the_new_model_and_predicts_again_what_nobody_touched(compared):
    program = compared()
    program.show("b.png")
    operations.verify(program.session)
    verified = program.annotations
    program.show("a.png")
    run(program)
    assert page(program).predict.text().endswith("(1 image)")
    page(program).use.click()
    program.until(lambda: program.app.annotator.model_name == NEW)
    program.until(lambda: not program.app.annotator.running)
    assert {a.model_id for a in program.annotations} == {NEW}
    assert not program.dialogs()
    program.show("b.png")
    assert program.annotations == verified


def test_without_the_tick_the_model_is_taken_and_nothing_is_predicted(compared):
    program = compared()
    run(program)
    before = program.annotations
    page(program).predict.click()
    page(program).use.click()
    program.until(lambda: program.app.annotator.model_name == NEW)
    program.idle()
    assert program.annotations == before


def test_one_click_keeps_the_old_one(compared):
    program = compared()
    run(program)
    page(program).keep.click()
    program.idle()
    assert program.app.annotator.model_name == OLD
    assert not program.dialogs()


def test_what_is_wrong_is_said_on_the_page(compared):
    program = compared(refusing("No verified image is kept to measure on; verify more images."))
    page(program).start.click()
    program.until(lambda: "verify more" in page(program).notes.text())
    assert page(program).start.isVisible()
    assert not page(program).use.isVisible()


def test_it_can_be_stopped(compared, tmp_path):
    program = compared(stand_in(tmp_path, ANSWER, hangs=True))
    page(program).start.click()
    program.until(lambda: "3 of 7" in page(program).line.text())
    page(program).stop.click()
    assert page(program).start.isVisible()


def test_a_window_closed_meanwhile_ends_it(compared, tmp_path):
    program = compared(stand_in(tmp_path, ANSWER, hangs=True))
    page(program).start.click()
    program.until(lambda: "3 of 7" in page(program).line.text())
    program.close()


def test_figures_stay_when_the_page_is_closed_and_opened_again(compared):
    program = compared()
    run(program)
    page(program).close()
    program.window.verbs["compare"].trigger()
    assert page(program).use.isVisible()


def pair(old, new, **more):
    return report(model_figures("A", 0.5, old, **more), model_figures("B", 0.6, new, **more))


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        (pair(60, 80), "With B a person needs 50 % fewer gestures: 0.40 an object; A takes 0.80."),
        (pair(80, 60), "With B a person needs 100 % more gestures"),
        (pair(60, 60), "Both leave about as much to do: 0.80 an object."),
        (report(*(model_figures(n, 0.5, 50) for n in "AB"), images=4), "So few may mislead"),
    ],
)
def test_the_headline_says_what_a_person_gets(told, wanted):
    assert wanted in headline(told)


def test_a_category_that_a_model_does_not_know_is_told():
    told = report(model_figures("A", 0.5, 50, unknown=("dust",)), model_figures("B", 0.5, 50))
    assert notes(told) == "A does not know dust: all of these count as missed."
    assert notes(pair(50, 50)) == ""


def test_a_model_that_may_have_seen_the_images_is_told():
    learned = replace(model_figures("A + mine", 0.5, 50), training={"learning": {"images": 12}})
    assert "may flatter it" in notes(report(model_figures("A", 0.5, 50), learned))


def test_what_could_not_be_measured_is_left_open():
    told = {row.name: row for section in rows(pair(50, 50)) for row in section.rows}
    assert "AP of small objects" not in told
    boxes_only = replace(model_figures("A", 0.5, 50), mask=None, effort=None)
    other = report(boxes_only, model_figures("B", 0.6, 50))
    assert headline(other).startswith("B is better than A: AP 0.600 and 0.500.")
    (masks,) = (section for section in rows(other) if section.name == "Masks")
    assert [(row.old, row.verdict) for row in masks.rows[:2]] == [("-", 0), ("-", 0)]
