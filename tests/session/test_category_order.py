"""Categories in the order a person gave them, hidden ones, and several merged into one."""

import json
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskstudio.annotation.annotation import Category
from maskstudio.formats.coco import write_coco
from maskstudio.session import category_operations, clipboard, operations
from maskstudio.session.category_operations import moved
from support.datasets import whole_dataset
from support.fakes import CELL
from support.outlines import HOLED, SQUARE

NAMES = ["ant", "bee", "cat", "dog"]


@pytest.fixture
def session(studio):
    """A session with four categories; an ant and a bee on `a.png`, a cat and a bee on `b.png`."""
    session = studio.session
    for name in NAMES:
        category_operations.add_category(session, name)
    operations.draw(session, SQUARE, 1)
    operations.draw(session, HOLED, 2)
    studio.show("b.png")
    operations.draw(session, SQUARE, 3)
    operations.draw(session, HOLED, 2)
    studio.show("a.png")
    return session


def names(session):
    return [c.name for c in session.categories]


def everything(session):
    return whole_dataset(session.require_database())


def coco(session):
    file = BytesIO()
    write_coco(everything(session), file)
    return json.loads(file.getvalue())


def merge(studio, qtbot, gone, into, title=""):
    with qtbot.waitSignal(studio.session.edited):
        category_operations.merge_categories(studio.session, studio.tasks, gone, into, title)


def reopen(studio, folder):
    studio.session.close()
    studio.open(folder)


# Order


@pytest.mark.parametrize(
    ("category_id", "place", "expected"),
    [
        (4, 0, ["dog", "ant", "bee", "cat"]),
        (1, 3, ["bee", "cat", "dog", "ant"]),
        (2, 2, ["ant", "cat", "bee", "dog"]),
        (1, 99, ["bee", "cat", "dog", "ant"]),
        (3, -5, ["cat", "ant", "bee", "dog"]),
    ],
)
def test_a_category_is_put_at_a_place(session, studio, folder, category_id, place, expected):
    assert category_operations.move_category(session, category_id, place)
    assert names(session) == expected
    reopen(studio, folder)
    assert names(session) == expected
    assert session.undo().title == f"Move category {NAMES[category_id - 1]}"
    assert names(session) == NAMES
    session.redo()
    assert names(session) == expected


def test_at_its_own_place_it_is_no_change(session):
    title = session.history().undo
    assert category_operations.move_category(session, 2, 1)
    assert session.history().undo == title


def test_a_new_one_comes_last_and_one_that_comes_back_where_it_was(session):
    category_operations.move_category(session, 4, 0)
    category_operations.move_category(session, 1, 3)
    category_operations.add_category(session, "emu")
    assert names(session) == ["dog", "bee", "cat", "ant", "emu"]
    category_operations.delete_category(session, 4)
    category_operations.add_category(session, "fox")
    assert names(session) == ["bee", "cat", "ant", "emu", "fox"]
    session.undo()
    session.undo()
    assert names(session) == ["dog", "bee", "cat", "ant", "emu"]


@given(st.permutations(range(1, 7)), st.integers(0, 5), st.integers(-2, 8))
def test_moving_one_leaves_the_others_in_their_order(ids, which, place):
    before = [Category(i, str(i), position=n + 1) for n, i in enumerate(ids)]
    one = before[which]
    changed = {c.id: c for c in moved(before, one.id, place)}
    after = sorted((changed.get(c.id, c) for c in before), key=lambda c: c.place)
    assert [c.id for c in after if c.id != one.id] == [c.id for c in before if c.id != one.id]
    assert [c.id for c in after].index(one.id) == max(0, min(place, 5))
    assert sorted(c.place for c in after) == sorted(c.place for c in before)


def test_exports_hold_the_categories_by_id_whatever_their_order(session):
    before = coco(session)
    category_operations.move_category(session, 4, 0)
    category_operations.set_categories_hidden(session, [2, 3], hidden=True)
    assert coco(session) == before
    assert [entry["id"] for entry in before["categories"]] == [1, 2, 3, 4]


# Hidden


def test_hidden_ones_are_neither_shown_nor_selected_nor_walked(session, studio, folder):
    ant, bee = session.annotations
    session.select([ant, bee])
    assert category_operations.set_categories_hidden(session, [2], hidden=True)
    assert list(session.shown) == [ant]
    assert session.boxes.at(25, 25) == [ant]
    assert session.selection == {ant}
    session.select([bee])
    assert session.selection == frozenset()
    for _ in range(3):
        operations.walk_annotations(session, 1)
        assert session.selection == {ant}
    studio.show("b.png")
    assert [a.category_id for a in session.shown.values()] == [3]
    reopen(studio, folder)
    assert [a.category_id for a in session.shown.values()] == [1]
    assert session.undo().title == "Hide category bee"
    assert list(session.shown) == [ant, bee]


def test_only_some_are_shown_and_all_again(session):
    category_operations.set_categories_hidden(session, [1], hidden=True)
    category_operations.show_only(session, [1, 3])
    assert [c.name for c in session.categories if not c.hidden] == ["ant", "cat"]
    assert session.history().undo == "Show only ant, cat"
    category_operations.set_categories_hidden(session, [1, 2, 3, 4], hidden=False)
    assert not any(c.hidden for c in session.categories)
    assert session.history().undo == "Show 2 categories"
    session.undo()
    session.undo()
    assert [c.name for c in session.categories if c.hidden] == ["ant"]


def test_what_is_drawn_into_a_hidden_category_shows_it_in_the_same_step(session):
    category_operations.set_categories_hidden(session, [2], hidden=True)
    operations.draw(session, SQUARE, 2)
    assert not session.category(2).hidden
    assert len(session.selection) == 1
    session.undo()
    assert session.category(2).hidden
    assert len(session.annotations) == 2


def test_giving_the_selection_a_hidden_category_shows_it(session):
    ant, _ = session.annotations
    category_operations.set_categories_hidden(session, [4], hidden=True)
    session.select([ant])
    operations.set_category(session, 4)
    assert not session.category(4).hidden
    assert session.selection == {ant}


def test_what_is_pasted_into_a_hidden_category_shows_it(session):
    copied = clipboard.Clipboard(session)
    session.select(session.annotations)
    copied.copy()
    category_operations.set_categories_hidden(session, [2], hidden=True)
    assert copied.paste()
    assert not session.category(2).hidden
    assert len(session.selection) == 2


def test_what_the_model_finds_of_a_hidden_category_stays_hidden(session, studio):
    category = category_operations.add_category(session, CELL.name)
    category_operations.set_categories_hidden(session, [category.id], hidden=True)
    studio.predict_image()
    assert len(session.annotations) == 4
    assert len(session.shown) == 2
    assert session.category(category.id).hidden


# Merging


def test_several_become_one_in_one_step(session, studio, qtbot, folder):
    before = everything(session)
    merge(studio, qtbot, [1, 2, 3], 3)
    assert names(session) == ["cat", "dog"]
    assert {a.category_id for a in session.annotations.values()} == {3}
    assert {a.category_id for a in studio.on("b.png").values()} == {3}
    assert session.history().undo == "Merge ant, bee into cat"
    after = everything(session)
    reopen(studio, folder)
    assert everything(session) == after
    session.undo()
    assert everything(session) == before
    assert [a.category_id for a in session.annotations.values()] == [1, 2]
    session.redo()
    assert everything(session) == after
    assert studio.problems == []


def test_merging_keeps_every_coordinate(session, studio, qtbot):
    before = {i: a.segmentation.wkb for i, a in session.annotations.items()}
    merge(studio, qtbot, [1, 2], 3)
    database = session.require_database()
    stored = {a.id: a.segmentation.wkb for a in database.annotations(session.current.id)}
    assert stored == before


def test_nothing_else_is_changed_while_it_is_written(session, studio, qtbot):
    heard = []
    session.edited.connect(heard.append)
    with qtbot.waitSignal(session.edited):
        category_operations.merge_categories(session, studio.tasks, [1], 2)
        assert session.writing
        assert category_operations.add_category(session, "emu") is None
        assert session.undo() is None
        studio.annotator.run_current()
        category_operations.merge_categories(session, studio.tasks, [3], 2)
    assert not session.writing
    assert [edit.title for edit in heard] == ["Merge ant into bee"]
    assert len(studio.problems) == 4
    assert names(session) == ["bee", "cat", "dog"]


def test_another_project_opened_meanwhile_is_left_alone(session, studio, tmp_path, folder):
    category_operations.merge_categories(session, studio.tasks, [1], 2)
    studio.open(folder / "sub")
    assert not session.writing
    assert names(session) == []
    assert category_operations.add_category(session, "emu")
    studio.session.close()
    studio.open(folder)
    assert names(session) == ["bee", "cat", "dog"]
    assert {a.category_id for a in session.annotations.values()} == {2}


def test_one_that_a_person_changed_before_goes_all_the_way_back(session, studio, qtbot):
    ant = next(iter(session.annotations))
    session.select([ant])
    operations.set_category(session, 4)
    before = everything(session)
    merge(studio, qtbot, [1, 4], 2)
    session.select([ant])
    operations.set_category(session, 3)
    session.undo()
    session.undo()
    assert everything(session) == before
    session.undo()
    assert session.annotations[ant].category_id == 1


def test_what_a_run_found_since_keeps_the_category_it_has(session, studio, qtbot):
    studio.predict_image()
    cell = next(c for c in session.categories if c.name == CELL.name)
    merge(studio, qtbot, [cell.id], 1)
    studio.predict_folder()
    session.undo()
    session.redo()
    assert studio.problems == []
    known = {c.id for c in session.categories}
    for name in ("a.png", "b.png"):
        assert {a.category_id for a in studio.on(name).values()} <= known


def test_an_edit_says_which_annotations_it_reassigns(session, studio, qtbot):
    heard = []
    session.edited.connect(heard.append)
    bees = session.require_database().annotation_ids(2)
    merge(studio, qtbot, [2], 1)
    session.undo()
    edit = heard[-1]
    assert edit.reassigned[0].annotation_ids == bees
    assert edit.annotations == ()
    assert edit.inverse().inverse() == edit
