"""What a person can do to the categories of a project."""

import pytest

from maskstudio.annotation.annotation import ImageState, Rejection
from maskstudio.annotation.edits import Edit
from maskstudio.session import category_operations, operations
from support.datasets import whole_dataset
from support.fakes import CELL
from support.outlines import HOLED, SQUARE, put


@pytest.fixture
def session(studio):
    return studio.session


@pytest.fixture
def pets(studio):
    """A session with dog (1) and cat (2): a dog and a cat on `a.png`, a cat on `b.png`."""
    session = studio.session
    dog = category_operations.add_category(session, "dog")
    cat = category_operations.add_category(session, "cat")
    operations.draw(session, SQUARE, dog.id)
    operations.draw(session, HOLED, cat.id)
    studio.show("b.png")
    operations.draw(session, SQUARE, cat.id)
    studio.show("a.png")
    return session


def names(session):
    return [c.name for c in session.categories]


def merge(studio, qtbot, gone, into, title=""):
    """Merge and wait until it is done."""
    with qtbot.waitSignal(studio.session.edited):
        category_operations.merge_categories(studio.session, studio.tasks, gone, into, title)


def everything(session):
    """The whole data set as it is on the disk."""
    return whole_dataset(session.require_database())


def assert_undo_and_redo(studio, folder, before):
    """Undo one step, redo it, both exactly, also after opening the project again."""
    session = studio.session
    after = everything(session)
    session.close()
    studio.open(folder)
    assert everything(session) == after
    session.undo()
    assert everything(session) == before
    assert session.categories == before.categories
    session.close()
    studio.open(folder)
    session.redo()
    assert everything(session) == after
    assert studio.problems == []


# Adding


def test_a_category_is_added(session):
    added = category_operations.add_category(session, " dog ")
    assert added == session.categories[0]
    assert added.name == "dog"
    assert session.history().undo == "Add category dog"


@pytest.mark.parametrize("name", ["dog", " dog "])
def test_two_categories_of_one_name_are_refused(session, studio, name):
    category_operations.add_category(session, "dog")
    assert category_operations.add_category(session, name) is None
    assert names(session) == ["dog"]
    assert studio.problems == ["There is a category 'dog' already."]


@pytest.mark.parametrize("name", ["", "  "])
def test_a_category_needs_a_name(session, studio, name):
    assert category_operations.add_category(session, name) is None
    assert names(session) == []
    assert studio.problems == []


def test_the_id_of_a_category_that_is_gone_is_not_given_again(pets, studio, folder):
    bird = category_operations.add_category(pets, "bird")
    category_operations.delete_category(pets, bird.id)
    pets.close()
    studio.open(folder)
    assert category_operations.add_category(pets, "fish").id > bird.id


# Renaming and recolouring


def test_rename(pets, studio, folder):
    before = everything(pets)
    assert category_operations.rename_category(pets, 2, " kitten ")
    assert names(pets) == ["dog", "kitten"]
    assert pets.history().undo == "Rename category cat to kitten"
    assert_undo_and_redo(studio, folder, before)


def test_a_name_another_category_has_is_refused(pets, studio):
    assert not category_operations.rename_category(pets, 2, "dog")
    assert names(pets) == ["dog", "cat"]
    assert studio.problems == ["There is a category 'dog' already."]


def test_a_name_is_not_taken_away(pets, studio):
    assert not category_operations.rename_category(pets, 2, "  ")
    assert names(pets) == ["dog", "cat"]
    assert studio.problems == []


def test_the_same_name_is_no_change(pets):
    title = pets.history().undo
    assert category_operations.rename_category(pets, 2, "cat")
    assert pets.history().undo == title


def test_recolour(pets, studio, folder):
    before = everything(pets)
    assert category_operations.recolour_category(pets, 2, "#123456")
    assert pets.category(2).shown_colour == "#123456"
    assert pets.history().undo == "Recolour category cat"
    assert_undo_and_redo(studio, folder, before)


def test_the_same_colour_is_no_change(pets):
    title = pets.history().undo
    assert category_operations.recolour_category(pets, 2, pets.category(2).shown_colour)
    assert pets.history().undo == title


# Deleting and merging


def test_merge_gives_the_annotations_in_the_whole_project_to_another(pets, studio, qtbot, folder):
    before = everything(pets)
    merge(studio, qtbot, [2], 1)
    assert names(pets) == ["dog"]
    assert [a.category_id for a in pets.annotations.values()] == [1, 1]
    assert [a.category_id for a in studio.on("b.png").values()] == [1]
    assert pets.history().undo == "Merge cat into dog"
    assert_undo_and_redo(studio, folder, before)


def test_delete_of_one_that_is_not_used(pets, studio, folder):
    bird = category_operations.add_category(pets, "bird")
    before = everything(pets)
    assert category_operations.delete_category(pets, bird.id)
    assert names(pets) == ["dog", "cat"]
    assert_undo_and_redo(studio, folder, before)


def test_one_that_is_used_is_not_deleted_without_another(pets, studio):
    before = everything(pets)
    assert not category_operations.delete_category(pets, 2)
    assert everything(pets) == before
    assert studio.problems == ["Category 'cat' is in use: choose what its annotations get."]


def test_merge_leaves_states_and_what_the_model_found_as_they_are(studio, qtbot, folder):
    session = studio.session
    studio.predict_folder()
    operations.verify(session)
    other = category_operations.add_category(session, "other")
    studio.show("b.png")
    before = everything(session)
    cell = next(c for c in session.categories if c.name == CELL.name)
    merge(studio, qtbot, [cell.id], other.id)
    assert studio.state("a.png") is ImageState.VERIFIED
    assert studio.state("b.png") is ImageState.PREDICTED
    assert all(a.is_pre_annotation for a in session.annotations.values())
    assert {a.category_id for a in session.annotations.values()} == {other.id}
    assert_undo_and_redo(studio, folder, before)


@pytest.mark.parametrize("into", [True, False], ids=["into another", "into none"])
def test_what_was_rejected_goes_along(studio, qtbot, folder, into):
    session = studio.session
    studio.predict_image()
    session.select(session.annotations)
    rejected = [(a.box, a.score) for a in session.selected()]
    operations.delete_selected(session)
    other = category_operations.add_category(session, "other")
    before = everything(session)
    cell = next(c for c in session.categories if c.name == CELL.name)
    if into:
        merge(studio, qtbot, [cell.id], other.id)
    else:
        assert category_operations.delete_category(session, cell.id)
    expected = tuple(Rejection(other.id, *one) for one in rejected) if into else ()
    assert session.current.status.rejections == expected
    assert_undo_and_redo(studio, folder, before)


# What the model makes in between


def test_a_name_the_model_took_since_does_not_stand_in_the_way_of_undo(studio):
    session = studio.session
    own = category_operations.add_category(session, CELL.name)
    category_operations.rename_category(session, own.id, "organ")
    studio.predict_folder()
    assert sorted(names(session)) == [CELL.name, "organ"]
    session.undo()
    assert studio.problems == []
    assert session.category(own.id).name == f"{CELL.name} (2)"


def test_a_category_the_model_made_since_keeps_its_annotations_when_undo_brings_one_back(studio):
    session = studio.session
    category_operations.add_category(session, "dog")
    dog = category_operations.add_category(session, "hound")
    category_operations.delete_category(session, dog.id)
    studio.predict_folder()
    found = {a.category_id for a in session.annotations.values()}
    session.undo()
    assert sorted(names(session)) == [CELL.name, "dog", "hound"]
    assert {session.category(i).name for i in found} == {CELL.name}


def test_nothing_is_left_half_done_when_it_cannot_be_written(studio, qtbot, folder):
    session = studio.session
    put(session, SQUARE)
    category_operations.add_category(session, "other")
    session.close()
    studio.open(folder, read_only=True)
    assert not category_operations.rename_category(session, 1, "thing")
    assert not category_operations.recolour_category(session, 1, "#123456")
    assert not category_operations.move_category(session, 2, 0)
    assert not category_operations.set_categories_hidden(session, [1], hidden=True)
    assert not category_operations.delete_category(session, 2)
    category_operations.merge_categories(session, studio.tasks, [1], 2)
    qtbot.waitUntil(lambda: not session.writing and len(studio.problems) == 6)
    assert names(session) == ["object", "other"]
    assert all(studio.problems)
    assert isinstance(session.history().undo, str)


def test_each_verb_is_one_edit(pets, studio, qtbot):
    heard: list[Edit] = []
    pets.edited.connect(heard.append)
    category_operations.rename_category(pets, 1, "hound")
    category_operations.recolour_category(pets, 1, "#123456")
    category_operations.move_category(pets, 1, 1)
    category_operations.show_only(pets, [1])
    category_operations.set_categories_hidden(pets, [1, 2], hidden=False)
    merge(studio, qtbot, [1], 2)
    assert len(heard) == 6


# A folder run between


def test_a_category_that_a_run_uses_by_now_stays_and_the_undo_goes_on(studio):
    session = studio.session
    category_operations.add_category(session, "before")
    category_operations.add_category(session, CELL.name)
    studio.predict_folder()
    session.undo()
    session.undo()
    assert studio.problems == []
    assert names(session) == [CELL.name]
    assert len(studio.on("a.png")) == 2
    session.redo()
    session.redo()
    assert studio.problems == []
    assert sorted(names(session)) == ["before", CELL.name]


def test_deleting_a_category_again_leaves_it_where_a_run_uses_it_by_now(studio):
    session = studio.session
    cell = category_operations.add_category(session, CELL.name)
    category_operations.delete_category(session, cell.id)
    session.undo()
    studio.predict_folder()
    session.redo()
    assert studio.problems == []
    assert names(session) == [CELL.name]
