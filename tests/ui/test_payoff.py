"""«Does it pay?»: the page tells what became of objects, follows the work, and writes it down."""

import csv
from datetime import datetime

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QTabWidget

from maskstudio.annotation.effort import Effort
from maskstudio.annotation.learning_curve import CurvePoint
from maskstudio.storage.settings import ThemeName
from maskstudio.ui.dialogs.payoff import PayoffPage
from maskstudio.ui.dialogs.payoff_charts import LearningChart
from maskstudio.ui.dialogs.payoff_table import PayoffTable
from maskstudio.ui.theme import DARK


def opened(program):
    """Open the page by its menu, and wait until it was read."""
    program.window.verbs["payoff"].trigger()
    (page,) = program.window.findChildren(PayoffPage)
    program.until(page.isActiveWindow)
    return page


def tables(page):
    """Return the rows of each table, by its name."""
    return {
        table.accessibleName(): [
            [table.topLevelItem(row).text(column) for column in range(7)]
            for row in range(table.topLevelItemCount())
        ]
        for table in page.findChildren(PayoffTable)
    }


def test_before_anything_was_done_it_says_so_and_there_is_nothing_to_save(program):
    page = opened(program)
    program.until(lambda: "Nothing to count yet" in program.text_of(page))
    assert not page.said.isVisible()
    assert not program.button("Save as CSV…").isEnabled()


def test_it_tells_what_became_of_what_the_model_found_and_follows_the_work(predicted):
    predicted.hand.click((20, 20))
    predicted.key(Qt.Key.Key_Delete)
    page = opened(predicted)
    predicted.until(lambda: "0 % of 1 object was accepted" in page.said.text())
    assert "1 pre-annotation nobody has looked at yet" in predicted.text_of(page)
    predicted.window.verbs["verify"].trigger()
    predicted.until(lambda: "50 % of 2 objects were accepted" in page.said.text())
    row = ["2", "1 · 50 %", "-", "1 · 50 %", "-", "-"]
    assert tables(page) == {
        "Figures by category": [["cell", *row]],
        "Figures by model": [["fake", *row]],
    }
    predicted.session.undo()
    predicted.until(lambda: "0 % of 1 object was accepted" in page.said.text())


def test_figures_are_chosen_by_period_category_and_model(predicted):
    predicted.window.verbs["verify"].trigger()
    page = opened(predicted)
    predicted.until(lambda: page.said.isVisible())
    assert page.said.text().startswith("In the last 7 days 100 % of 2 objects")
    page.period.setFocus()
    QTest.keyClick(page.period, Qt.Key.Key_Up)
    assert page.said.text().startswith("Today 100 % of 2 objects")
    for choice, names in ((page.category, ["All categories", "cell"]), (page.model, None)):
        told = [choice.itemText(n) for n in range(choice.count())]
        assert told == (names or ["All models", "fake"])
        choice.setFocus()
        QTest.keyClick(choice, Qt.Key.Key_Down)
        assert page.said.text().startswith("Today 100 % of 2 objects")
    assert all(c.accessibleName() for c in (page.period, page.category, page.model))


def test_what_is_chosen_is_written_as_csv(predicted, tmp_path, monkeypatch):
    predicted.window.verbs["verify"].trigger()
    page = opened(predicted)
    predicted.until(lambda: page.said.isVisible())
    for path, said in (
        (tmp_path / "figures.csv", "Saved as figures.csv."),
        (tmp_path / "gone" / "figures.csv", "its folder does not exist"),
    ):
        chosen = (str(path), "")
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, chosen=chosen: chosen)
        QTest.mouseClick(predicted.button("Save as CSV…"), Qt.MouseButton.LeftButton)
        predicted.until(lambda said=said: said in predicted.text_of(page))
    with (tmp_path / "figures.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["category"], r["model"], r["accepted"]) for r in rows] == [("cell", "fake", "2")]


def test_it_shows_what_learning_was_worth(predicted):
    at, images = datetime.now().astimezone(), predicted.session.image_ids
    gestures = ((10, None), (10, 12), (8, 4), (6, 2), (8, 8))
    database = predicted.session.require_database()
    points = [
        CurvePoint(
            images[number % 3], at, "fake", "fake + images", number,
            Effort(accepted=2, gestures=start),
            None if learned is None else Effort(accepted=2, gestures=learned),
        )
        for number, (start, learned) in enumerate(gestures[2:])
    ]  # fmt: skip
    for point in points:
        database.note_learning(point.image_id, point)
    page = opened(predicted)
    words = "What it learned left 36 % fewer gestures than fake on the last images verified"
    predicted.until(lambda: words in predicted.text_of(page))
    (chart,) = page.findChildren(LearningChart)
    start, learned = (line.getData()[1].tolist() for line in chart.listDataItems())
    assert start == pytest.approx([4, 3.5, 22 / 6])
    assert learned == pytest.approx([2, 1.5, 14 / 6])


def test_it_takes_up_another_theme(predicted):
    predicted.window.verbs["verify"].trigger()
    page = opened(predicted)
    predicted.until(lambda: page.said.isVisible())
    page.findChild(QTabWidget).setCurrentIndex(2)
    predicted.window.theme_chosen.emit(ThemeName.DARK)
    (chart,) = page.findChildren(LearningChart)
    assert chart.backgroundBrush().color().name() == DARK.base


def test_esc_closes_it_and_asking_again_brings_back_the_one_there_is(program):
    page = opened(program)
    program.window.activateWindow()
    assert opened(program) is page
    program.key(Qt.Key.Key_Escape, on=page)
    program.until(lambda: not program.window.findChildren(PayoffPage))
    # Nothing is left of it that would hear of what is done from now on.
    program.window.verbs["verify"].trigger()
    program.idle()


def test_a_page_closed_while_it_saves_leaves_the_file_and_says_what_failed(
    predicted, tmp_path, monkeypatch
):
    predicted.window.verbs["verify"].trigger()
    for path in (tmp_path / "figures.csv", tmp_path / "gone" / "figures.csv"):
        page = opened(predicted)
        predicted.until(page.said.isVisible)
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, at=path: (str(at), ""))
        QTest.mouseClick(predicted.button("Save as CSV…"), Qt.MouseButton.LeftButton)
        predicted.key(Qt.Key.Key_Escape, on=page)
        predicted.until(lambda: not predicted.window.findChildren(PayoffPage))
        predicted.idle()
    assert (tmp_path / "figures.csv").is_file()
    assert [one.text for one in predicted.told if "its folder does not exist" in one.text]
