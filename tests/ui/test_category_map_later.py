"""The category map once the model has run: what is changed is seen, and can be taken back."""

import pytest
from PySide6.QtCore import Qt

from maskstudio.session import category_operations
from support.coco_names import COCO
from support.fakes import CELL, FakePredictor
from support.hand import CTRL
from ui.map_rows import (
    ask,
    back,
    choices,
    choose,
    dialog,
    made,
    open_map,
    press,
    ready,
    row,
    seen,
    send,
    standing,
)


@pytest.fixture
def coco(program, model):
    """The program; its model knows COCO's 80 and finds a dog 0.9, a cat 0.6 and a couch 0.3."""
    model.find_coco("dog", "cat", "couch")
    return program


@pytest.fixture
def asked(coco):
    """The same, asked for pre-annotation: the map is open, and what was found is counted."""
    return ask(coco)


@pytest.fixture
def ran(asked):
    """A dog 0.9 and a cat 0.6 on the image, and the map open again."""
    asked.key(Qt.Key.Key_Return)
    ready(asked)
    open_map(asked)
    return asked


def test_a_change_is_seen_on_the_image_at_once_and_is_one_step(ran):
    choose(ran, "cat")
    send(ran, "ignore")
    assert standing(ran) == ["dog"]
    choose(ran, "dog")
    send(ran, "cat")
    assert standing(ran) == ["cat"]
    ran.session.undo()
    ran.session.undo()
    assert standing(ran) == ["dog", "cat"]
    assert row(ran, "cat")["Goes to"] == "cat"
    ran.session.redo()
    assert standing(ran) == ["dog"]
    assert row(ran, "cat")["Goes to"] == "ignore"


def test_a_name_that_is_there_is_not_offered_as_new(ran):
    choose(ran, "dog")
    assert choices(ran) == ["ignore", "cat", "dog"]
    choose(ran, "couch", CTRL)
    assert choices(ran)[:2] == ["new, each by its own name", "ignore"]


def test_a_category_that_comes_back_is_made(ran):
    choose(ran, "couch")
    dialog(ran).score.setFocus()
    dialog(ran).score.selectAll()
    ran.type("0.2")
    ran.key(Qt.Key.Key_Return)
    assert standing(ran) == ["dog", "cat", "couch"]
    assert row(ran, "couch")["Score from"] == "0.20"
    assert ran.dialogs(), "Enter closed the map"


def test_a_score_of_its_own_counts_from_now_on(ran):
    choose(ran, "cat")
    dialog(ran).score.setFocus()
    dialog(ran).score.selectAll()
    ran.type("0.7")
    ran.key(Qt.Key.Key_Return)
    assert standing(ran) == ["dog"]
    ran.session.undo()
    assert standing(ran) == ["dog", "cat"]
    ran.session.redo()
    dialog(ran).close()
    ran.show("b.png")
    back(ran)
    ran.key("i")
    ready(ran)
    assert standing(ran) == ["dog"]


def test_what_a_person_made_stays_whatever_the_map_says(ran):
    cat = next(a for a in ran.annotations if round(a.score, 1) == 0.6)
    ran.session.select([cat.id])
    back(ran)
    ran.key(Qt.Key.Key_Right)
    choose(ran, "cat")
    send(ran, "ignore")
    assert standing(ran) == ["dog", "cat"]


def test_a_guess_can_be_had_again(coco):
    category_operations.add_category(coco.session, "cats")
    ask(coco)
    choose(coco, "cat")
    send(coco, "new: cat")
    assert row(coco, "cat")["Goes to"] == "new: cat"
    press(coco, "Guess again")
    assert row(coco, "cat")["Goes to"] == "cats"


def test_other_images_follow_when_that_is_asked_for(asked, model):
    asked.key(Qt.Key.Key_Return)
    ready(asked)
    back(asked)
    asked.key("b", CTRL)
    asked.until(lambda: asked.told)
    calls = len(model.calls)
    open_map(asked)
    choose(asked, "cat")
    send(asked, "ignore")
    assert asked.session.count(asked.image("b.png")) == 2
    before = len(asked.told)
    press(asked, "Apply to all images")
    asked.until(lambda: len(asked.told) > before)
    assert [asked.session.count(i) for i in asked.session.image_ids] == [1, 1, 1]
    assert len(model.calls) == calls


def test_the_folder_waits_for_the_map_too(coco):
    ask(coco, "b", CTRL)
    assert [coco.session.count(i) for i in coco.session.image_ids] == [0, 0, 0]
    assert coco.told == []
    choose(coco, "cat")
    coco.key(Qt.Key.Key_Space)
    press(coco, "Pre-annotate folder")
    coco.until(lambda: coco.told)
    assert [coco.session.count(i) for i in coco.session.image_ids] == [1, 1, 1]
    assert coco.said == "3 of 3 images pre-annotated."
    assert made(coco) == ["dog"]


def test_the_key_for_the_folder_runs_too_when_it_is_pressed_again(coco):
    ask(coco, "b", CTRL)
    coco.key("b", CTRL)
    coco.until(lambda: coco.told)
    assert coco.dialogs() == []
    assert [coco.session.count(i) for i in coco.session.image_ids] == [2, 2, 2]


def test_a_model_of_one_category_asks_nothing(predicted):
    assert predicted.dialogs() == []
    assert made(predicted) == [CELL.name]
    open_map(predicted)
    assert seen(predicted) == ["cell"]
    assert "1 category" in predicted.text_of(dialog(predicted))


def test_a_project_that_has_all_the_categories_is_not_asked(coco):
    for category in COCO:
        category_operations.add_category(coco.session, category.name.replace(" ", "_").title())
    back(coco)
    coco.key("i")
    ready(coco)
    assert standing(coco) == ["Dog", "Cat"]
    assert coco.dialogs() == []


def test_a_renamed_category_stays_where_what_the_model_finds_goes(predicted):
    (cell,) = predicted.session.categories
    category_operations.rename_category(predicted.session, cell.id, "nucleus of a cell")
    predicted.show("b.png")
    back(predicted)
    predicted.key("i")
    ready(predicted)
    assert made(predicted) == ["nucleus of a cell"]


def test_a_model_of_other_categories_than_the_projects_asks_and_loses_nothing(start, folder):
    models = {"fake": FakePredictor("fake"), "other": FakePredictor("other")}
    models["other"].find_coco("dog", "cat")
    program = start(lambda name: models.get(name, models["fake"]))
    program.open(folder)
    program.until(lambda: len(program.session.image_ids) == 3)
    back(program)
    program.key("i")
    ready(program)
    before = program.annotations
    program.app.annotator.use_model("other")
    program.until(lambda: program.app.annotator.model.model_id == "other")
    ask(program)
    assert program.annotations == before
    assert row(program, "dog")["Goes to"] == "new: dog"
    choose(program, "dog")
    send(program, "cell")
    press(program, "Pre-annotate")
    program.until(lambda: standing(program) == ["cell", "cat"])
    program.session.undo()
    assert program.annotations == before


def test_another_model_is_shown_when_it_is_loaded(start, folder):
    models = {"fake": FakePredictor("fake"), "other": FakePredictor("other")}
    models["other"].find_coco("dog")
    program = start(lambda name: models.get(name, models["fake"]))
    program.open(folder)
    program.until(lambda: len(program.session.image_ids) == 3)
    program.canvas.setFocus()
    program.key("i")
    ready(program)
    open_map(program)
    assert seen(program) == ["cell"]
    program.app.annotator.use_model("other")
    program.until(lambda: len(seen(program)) == 80)
    assert "other" in program.text_of(dialog(program))


def test_it_closes_with_the_folder(asked):
    asked.session.close()
    asked.until(lambda: not asked.dialogs())
    assert asked.problems == []


def test_it_can_be_opened_once_a_model_is_loaded(program):
    action = program.window.verbs["category_map"]
    assert not action.isEnabled()
    program.app.annotator.use_model("fake")
    program.until(action.isEnabled)
    program.session.close()
    assert not action.isEnabled()
