"""The category map: shown before a model of other categories first runs."""

import pytest
from PySide6.QtCore import Qt

from maskstudio.session import category_operations
from support.coco_names import COCO
from support.hand import CTRL, SHIFT
from ui.map_rows import (
    ask,
    back,
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
    table,
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


def test_the_map_is_shown_before_the_first_run_and_nothing_is_made_yet(asked):
    assert len(seen(asked)) == 80
    assert "80 categories" in asked.text_of(dialog(asked))
    assert [asked.session.count(i) for i in asked.session.image_ids] == [0, 0, 0]
    assert made(asked) == []
    assert asked.problems == []


def test_what_was_found_comes_first_and_is_counted(asked):
    assert seen(asked)[:3] == ["cat", "dog", "person"]
    assert row(asked, "dog") == {
        "The model's": "dog", "Found": "1", "Goes to": "new: dog", "Score from": "",
    }  # fmt: skip
    assert row(asked, "couch")["Found"] == ""


def test_enter_runs_and_makes_only_what_was_found(asked, model):
    asked.key(Qt.Key.Key_Return)
    ready(asked)
    assert standing(asked) == ["dog", "cat"]
    assert made(asked) == ["cat", "dog"]
    assert asked.dialogs() == []
    # The model looked at the image while the map was open.
    assert model.calls.count((80, 100)) == 1


def test_the_key_of_pre_annotation_runs_too_when_it_is_pressed_again(asked):
    asked.key("i")
    ready(asked)
    assert standing(asked) == ["dog", "cat"]
    assert asked.dialogs() == []


def test_a_second_press_while_the_model_works_is_enough(coco, model):
    model.hold.set()
    coco.key("i")
    coco.until(lambda: coco.dialogs() and model.started.is_set())
    coco.until(dialog(coco).isActiveWindow)
    coco.key("i")
    model.release.set()
    ready(coco)
    assert standing(coco) == ["dog", "cat"]
    assert model.calls.count((80, 100)) == 1


def test_it_is_asked_once(asked):
    asked.key(Qt.Key.Key_Return)
    ready(asked)
    asked.show("b.png")
    back(asked)
    asked.key("i")
    ready(asked)
    assert standing(asked) == ["dog", "cat"]
    assert asked.dialogs() == []


def test_closed_without_running_it_keeps_what_was_chosen_and_has_been_seen(asked):
    choose(asked, "cat")
    asked.key(Qt.Key.Key_Space)
    asked.key(Qt.Key.Key_Escape)
    asked.until(lambda: not asked.dialogs())
    assert asked.annotations == []
    back(asked)
    asked.key("i")
    ready(asked)
    assert standing(asked) == ["dog"]
    assert made(asked) == ["dog"]


def test_seen_from_the_menu_first_it_is_not_asked_again(start, folder, model):
    model.find_coco("dog", "cat")
    program = start()
    program.open(folder)
    program.app.start()
    program.until(program.window.verbs["category_map"].isEnabled)
    open_map(program)
    assert row(program, "dog")["Goes to"] == "new: dog"
    program.key("i")
    ready(program)
    assert program.dialogs() == []
    assert standing(program) == ["dog", "cat"]


def test_the_space_bar_ignores_and_takes_it_back_and_verifies_nothing(asked):
    choose(asked, "cat")
    choose(asked, "dog", SHIFT)
    asked.key(Qt.Key.Key_Space)
    assert row(asked, "cat")["Goes to"] == row(asked, "dog")["Goes to"] == "ignore"
    assert asked.session.history().undo == "Ignore 2 categories"
    asked.key(Qt.Key.Key_Space)
    assert row(asked, "dog")["Goes to"] == "new: dog"
    assert asked.shows("a.png")


def test_all_others_are_ignored_at_once(coco):
    category_operations.add_category(coco.session, "Dogs")
    ask(coco)
    assert row(coco, "dog")["Goes to"] == "Dogs"
    press(coco, "Ignore all others")
    assert row(coco, "dog")["Goes to"] == "Dogs"
    assert row(coco, "cat")["Goes to"] == row(coco, "zebra")["Goes to"] == "ignore"
    press(coco, "Pre-annotate")
    ready(coco)
    assert standing(coco) == ["Dogs"]
    assert made(coco) == ["Dogs"]


def test_what_is_ignored_can_all_be_had_after_all(asked):
    press(asked, "Ignore all others")
    press(asked, "Ignore none")
    assert row(asked, "zebra")["Goes to"] == "new: zebra"
    press(asked, "Pre-annotate")
    ready(asked)
    assert standing(asked) == ["dog", "cat"]


def test_several_are_sent_to_one_by_two_clicks(coco):
    category_operations.add_category(coco.session, "animal")
    ask(coco)
    choose(coco, "dog")
    choose(coco, "cat", CTRL)
    send(coco, "animal")
    assert row(coco, "dog")["Goes to"] == row(coco, "cat")["Goes to"] == "animal"
    press(coco, "Pre-annotate")
    ready(coco)
    assert standing(coco) == ["animal", "animal"]


def test_a_new_category_is_typed(asked):
    choose(asked, "dog")
    choose(asked, "cat", CTRL)
    dialog(asked).goals.field.setFocus()
    asked.type("pet")
    asked.key(Qt.Key.Key_Return)
    assert row(asked, "cat")["Goes to"] == "pet"
    assert made(asked) == ["pet"]
    assert asked.session.history().undo == "Send 2 categories to pet"
    assert asked.dialogs(), "Enter began the run"
    asked.key("z", CTRL, on=table(asked))
    assert row(asked, "cat")["Goes to"] == "new: cat"
    assert made(asked) == []


def test_a_category_of_the_project_is_found_by_typing_a_part_of_it(coco):
    for name in ("wild animal", "vehicle"):
        category_operations.add_category(coco.session, name)
    ask(coco)
    choose(coco, "zebra")
    dialog(coco).goals.field.setFocus()
    coco.type("anim")
    coco.key(Qt.Key.Key_Return)
    assert row(coco, "zebra")["Goes to"] == "wild animal"
    assert made(coco) == ["wild animal", "vehicle"]


def test_it_is_worked_by_keys_alone(coco):
    category_operations.add_category(coco.session, "animal")
    ask(coco)
    assert coco.focus() is table(coco)
    coco.key(Qt.Key.Key_Down)
    coco.key(Qt.Key.Key_Space)
    assert row(coco, "dog")["Goes to"] == "ignore"
    coco.key(Qt.Key.Key_Up)
    coco.key(Qt.Key.Key_Tab)
    assert coco.focus() is dialog(coco).goals.field
    coco.key(Qt.Key.Key_Tab)
    coco.key(Qt.Key.Key_End)
    coco.key(Qt.Key.Key_Return)
    assert row(coco, "cat")["Goes to"] == "animal"
    coco.key(Qt.Key.Key_Return, on=table(coco))
    ready(coco)
    assert standing(coco) == ["animal"]


def test_rows_are_found_by_typing(asked):
    dialog(asked).finder.setFocus()
    asked.type("bear")
    assert seen(asked) == ["bear", "teddy bear"]
    asked.key(Qt.Key.Key_Return)
    assert asked.focus() is table(asked)
    asked.key("a", CTRL)
    asked.key(Qt.Key.Key_Space)
    dialog(asked).finder.clear()
    ignored = [name for name in seen(asked) if row(asked, name)["Goes to"] == "ignore"]
    assert ignored == ["bear", "teddy bear"]


def test_rows_stay_where_they_are_once_they_were_touched(coco, model):
    model.hold.set()
    coco.key("i")
    coco.until(lambda: coco.dialogs() and model.started.is_set())
    coco.until(dialog(coco).isActiveWindow)
    choose(coco, "person")
    before = seen(coco)
    model.release.set()
    coco.until(lambda: row(coco, "dog")["Found"] == "1")
    assert seen(coco) == before == [category.name for category in COCO]
