"""The verbs of the category map: each is one edit, with what it changes on the current image."""

from dataclasses import replace

import pytest

from maskstudio.annotation.category_map import IGNORED, TO_MAKE
from maskstudio.session import category_operations, operations
from maskstudio.session.category_mapping import CategoryMapping


@pytest.fixture
def photos(studio):
    """A studio whose model of 80 categories found a dog 0.9, a cat 0.6 and, unseen, a couch 0.3."""
    studio.model.find_coco("dog", "cat", "couch")
    wanted = []
    studio.annotator.map_wanted.connect(wanted.append)
    studio.annotator.map_wanted.connect(lambda _: studio.annotator.run_current())
    studio.predict_image()
    assert wanted == [False]
    assert standing(studio) == ["dog", "cat"]
    return studio


@pytest.fixture
def mapping(photos):
    return CategoryMapping(photos.session, photos.filtering, photos.annotator.model)


def standing(studio):
    session = studio.session
    shown = sorted(session.annotations.values(), key=lambda a: -(a.score or 1))
    return [session.category(a.category_id).name for a in shown]


def names_in(studio):
    return [category.name for category in studio.session.categories]


def test_sent_elsewhere_the_image_follows_and_one_undo_takes_both_back(photos, mapping):
    animal = category_operations.add_category(photos.session, "animal")
    before = dict(photos.session.annotations)
    assert mapping.send(["dog", "cat"], animal.id)
    assert standing(photos) == ["animal", "animal"]
    assert photos.session.history().undo == "Send 2 categories to animal"
    photos.session.undo()
    assert photos.session.annotations == before
    assert mapping.goes_to()["dog"] != animal.id
    photos.session.redo()
    assert standing(photos) == ["animal", "animal"]


def test_a_new_category_is_made_with_the_same_edit(photos, mapping):
    assert mapping.send_to_new(["dog"], "  hound ")
    assert standing(photos) == ["hound", "cat"]
    photos.session.undo()
    assert names_in(photos) == ["cat", "dog"]
    assert standing(photos) == ["dog", "cat"]


def test_a_name_that_is_there_is_no_new_category_and_none_is_nothing(photos, mapping):
    assert mapping.send_to_new(["dog"], "cat")
    assert names_in(photos) == ["cat", "dog"]
    assert standing(photos) == ["cat", "cat"]
    assert not mapping.send_to_new(["dog"], " ")


def test_ignored_ones_go_and_come_back(photos, mapping):
    assert mapping.ignore(["cat"])
    assert standing(photos) == ["dog"]
    assert mapping.make(["cat"])
    assert standing(photos) == ["dog", "cat"]
    assert names_in(photos) == ["cat", "dog"]


def test_what_comes_back_after_its_category_went_is_made_anew(photos, mapping):
    mapping.ignore(["cat"])
    ids = {category.name: category.id for category in photos.session.categories}
    category_operations.delete_category(photos.session, ids["cat"])
    assert names_in(photos) == ["dog"]
    assert mapping.guess(["cat"])
    assert standing(photos) == ["dog", "cat"]


def test_all_others_are_those_without_a_category_of_the_project(photos, mapping):
    assert mapping.ignore_others()
    goes_to = mapping.goes_to()
    kept = [name for name, i in goes_to.items() if i != IGNORED]
    assert kept == ["cat", "dog"]
    assert standing(photos) == ["dog", "cat"]
    assert mapping.make_all()
    assert IGNORED not in mapping.goes_to().values()
    assert mapping.goes_to()["zebra"] == TO_MAKE


def test_a_score_of_its_own_filters_the_image_and_what_comes_later(photos, mapping):
    assert mapping.set_min_score(["cat"], 0.7)
    assert standing(photos) == ["dog"]
    assert photos.filtering.shown.category_scores == (("cat", 0.7),)
    photos.show("b.png")
    photos.predict_image()
    assert standing(photos) == ["dog"]
    assert mapping.set_min_score(["cat"], None)
    assert standing(photos) == ["dog", "cat"]


def test_the_category_that_a_change_needs_goes_with_it_when_that_is_undone(photos, mapping):
    before = names_in(photos)
    assert mapping.set_min_score(["couch"], 0.2)
    assert standing(photos) == ["dog", "cat", "couch"]
    photos.session.undo()
    assert standing(photos) == ["dog", "cat"]
    assert names_in(photos) == before
    photos.session.redo()
    assert standing(photos) == ["dog", "cat", "couch"]


def test_what_is_so_already_is_no_edit(photos, mapping):
    mapping.ignore(["cat"])
    edits = []
    photos.session.edited.connect(edits.append)
    assert mapping.ignore(["cat"])
    assert mapping.guess([])
    assert edits == []


def test_a_persons_work_stays_whatever_the_map_says(photos, mapping):
    cat = min(photos.session.annotations.values(), key=lambda a: a.score)
    operations.move(photos.session, [cat.id], 3, 2)
    mapping.ignore(["dog", "cat"])
    assert standing(photos) == ["cat"]


def test_another_models_detections_stay(photos, mapping):
    before = dict(photos.session.annotations)
    another = replace(photos.annotator.model, model_id="another")
    stranger = CategoryMapping(photos.session, photos.filtering, another)
    assert stranger.ignore(["dog"])
    assert photos.session.annotations == before
    assert mapping.goes_to()["dog"] != IGNORED
