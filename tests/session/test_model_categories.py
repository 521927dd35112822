"""A model's categories in the open project: made when wanted, remembered, followed when merged."""

import numpy as np
import pytest

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.category_map import Goal, Rule, destinations
from maskstudio.annotation.edits import CategoryChange, Edit
from maskstudio.session import category_operations
from maskstudio.session.model_categories import make_categories, settle, with_categories
from support.coco_names import COCO

NAMES = [category.name for category in COCO]
PERSON, DOG, CAT, COUCH = (NAMES.index(name) for name in ("person", "dog", "cat", "couch"))


def decide(session, **rules):
    chosen = session.category_maps.of("m")
    changes = tuple(chosen.change(name, rule) for name, rule in rules.items())
    assert session.edit(Edit("Decide", rules=changes))


def goes_to(session, *positions):
    """The names of the project's categories that these of the model's go to."""
    ids = destinations(session.category_maps.of("m"), COCO, session.categories)
    names = {category.id: category.name for category in session.categories}
    return [names.get(int(i), int(i)) for i in ids[list(positions)]]


def names_in(session):
    return [category.name for category in session.categories]


def test_only_what_is_wanted_is_made_once(studio):
    session = studio.session
    decide(session, cat=Rule(Goal.IGNORE))
    assert make_categories(session, "m", COCO, np.array([DOG, CAT, DOG, PERSON]))
    assert names_in(session) == ["person", "dog"]
    assert make_categories(session, "m", COCO, [DOG, PERSON])
    assert names_in(session) == ["person", "dog"]
    assert goes_to(session, PERSON, DOG, CAT) == ["person", "dog", -1]


def test_what_is_made_is_never_undone(studio):
    make_categories(studio.session, "m", COCO, [DOG])
    assert studio.session.undo() is None
    assert names_in(studio.session) == ["dog"]


def test_a_guess_is_no_new_category(studio):
    session = studio.session
    category_operations.add_category(session, "Sofas")
    make_categories(session, "m", COCO, [COUCH])
    assert names_in(session) == ["Sofas"]
    assert goes_to(session, COUCH) == ["Sofas"]


def test_a_renamed_category_stays_the_models(studio):
    session = studio.session
    make_categories(session, "m", COCO, [DOG])
    (dog,) = session.categories
    category_operations.rename_category(session, dog.id, "hound")
    make_categories(session, "m", COCO, [DOG])
    assert names_in(session) == ["hound"]


def test_a_deleted_category_is_made_again_when_it_is_found(studio):
    session = studio.session
    make_categories(session, "m", COCO, [DOG])
    (dog,) = session.categories
    category_operations.delete_category(session, dog.id)
    assert goes_to(session, DOG) == [0]
    session.undo()
    assert goes_to(session, DOG) == ["dog"]
    session.redo()
    make_categories(session, "m", COCO, [DOG])
    assert names_in(session) == ["dog"]
    assert session.categories[0].id != dog.id


def test_what_went_to_a_merged_category_follows_it_and_comes_back(studio, qtbot):
    session = studio.session
    category_operations.add_category(session, "animal")
    make_categories(session, "m", COCO, [DOG, CAT])
    decide(session, cat=Rule(Goal.IGNORE, min_score=0.7))
    ids = {category.name: category.id for category in session.categories}
    category_operations.merge_categories(session, studio.tasks, [ids["dog"]], ids["animal"])
    qtbot.waitUntil(lambda: not session.writing)
    assert goes_to(session, DOG, CAT) == ["animal", -1]
    session.undo()
    assert goes_to(session, DOG, CAT) == ["dog", -1]
    session.redo()
    assert goes_to(session, DOG, CAT) == ["animal", -1]
    make_categories(session, "m", COCO, [DOG])
    assert "dog" not in names_in(session)


def test_it_is_there_again_when_the_folder_is_opened_again(studio, make_studio):
    decide(studio.session, dog=Rule(Goal.IGNORE), cat=Rule(min_score=0.25))
    folder = studio.session.folder
    studio.session.close()
    again = make_studio(None)
    again.open(folder)
    assert again.session.category_maps.of("m").rules == {
        "dog": Rule(Goal.IGNORE),
        "cat": Rule(min_score=0.25),
    }
    assert again.session.category_maps.of("other").rules == {}


def test_no_other_folder_has_it(studio):
    decide(studio.session, dog=Rule(Goal.IGNORE))
    studio.session.close()
    assert studio.session.category_maps.of("m").rules == {}


def test_what_an_edit_makes_itself_is_counted_with_it(studio):
    session = studio.session
    hound = Category(session.require_database().next_category_id(), "hound")
    rule = session.category_maps.of("m").change("dog", Rule(Goal.CATEGORY, hound.id))
    edit = Edit("Send", categories=(CategoryChange(None, hound),), rules=(rule,))
    assert session.edit(with_categories(session, "m", COCO, [DOG, CAT], edit))
    assert goes_to(session, DOG, CAT) == ["hound", "cat"]
    assert names_in(session) == ["hound", "cat"]
    session.undo()
    assert names_in(session) == []


def test_settling_leaves_nothing_open_and_nothing_to_undo(studio):
    session = studio.session
    decide(session, dog=Rule(Goal.IGNORE))
    assert settle(session, "m", COCO)
    assert len(session.category_maps.of("m").rules) == len(COCO)
    assert session.category_maps.of("m").rule("dog") == Rule(Goal.IGNORE)
    assert session.history().undo == "Decide"


@pytest.fixture
def read_only(studio, make_studio):
    again = make_studio(None)
    again.open(studio.session.folder, read_only=True)
    return again


def test_a_folder_open_for_reading_says_so(read_only):
    assert not make_categories(read_only.session, "m", COCO, [DOG])
    assert "reading only" in read_only.problems[-1]
