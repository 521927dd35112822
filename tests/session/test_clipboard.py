"""Copies of whole annotations, on the same image and on others."""

from dataclasses import replace

import pytest

from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation, ImageState
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.session import category_operations, clipboard, operations
from maskstudio.session.clipboard import Clipboard
from support.outlines import HOLED, SQUARE, corners, put
from support.pictures import write_picture

CORNER = Segmentation.from_rings([(80, 5), (95, 5), (95, 15), (80, 15)])
WIDE = Segmentation.from_rings([(0, 10), (100, 10), (100, 20), (0, 20)])
# Its box is larger than 64 x 64, and of the middle nothing lies in the corner it is moved to.
BENT = Segmentation.from_rings([(98, 0), (100, 0), (100, 80), (0, 80), (0, 78), (98, 78)])


@pytest.fixture
def session(studio):
    return studio.session


@pytest.fixture
def board(session):
    return Clipboard(session)


def copied(session, board, *outlines):
    """Draw, select and copy; return the ids."""
    ids = put(session, *outlines)
    session.select(ids)
    board.copy()
    return ids


def boxes(session):
    return [a.box for a in session.selected()]


def test_what_is_pasted_lies_beside_what_was_copied_and_is_selected(session, board):
    (old,) = copied(session, board, SQUARE)
    assert board.paste()
    (new,) = session.selected()
    assert new.id != old
    assert corners(new.segmentation) == [[28, 28], [68, 28], [68, 68], [28, 68]]
    assert session.annotations[old].segmentation == SQUARE
    assert session.history().undo == "Paste annotation"


def test_each_paste_lies_beside_the_one_before(session, board):
    copied(session, board, CORNER)
    places = set()
    for _ in range(5):
        board.paste()
        places |= {a.box for a in session.annotations.values()}
    assert len(places) == 6
    assert all(b[0] >= 0 and b[1] >= 0 and b[2] <= 100 and b[3] <= 80 for b in places)


def test_what_was_deleted_is_pasted_where_it_was(session, board):
    copied(session, board, SQUARE)
    operations.delete_selected(session)
    board.paste()
    assert boxes(session) == [(20, 20, 60, 60)]


def test_several_keep_their_places_to_each_other(session, board):
    ids = copied(session, board, HOLED, CORNER)
    board.paste()
    # The corner stands 5 pixels from the right edge.
    assert boxes(session) == [(25, 28, 65, 68), (85, 13, 100, 23)]
    assert session.history().undo == "Paste 2 annotations"
    assert len(session.annotations) == 4
    session.undo()
    assert list(session.annotations) == ids
    session.redo()
    assert len(session.annotations) == 4


def test_a_hole_is_pasted_too(session, board):
    copied(session, board, HOLED)
    board.paste()
    (new,) = session.selected()
    assert corners(new.segmentation, ring=1) == [[38, 38], [58, 38], [58, 58], [38, 58]]


def test_on_another_image_it_lies_where_it_lay(session, board, studio):
    copied(session, board, SQUARE)
    studio.show("b.png")
    board.paste()
    assert boxes(session) == [(20, 20, 60, 60)]
    assert studio.state("b.png") is ImageState.EDITED


def test_on_a_smaller_image_it_is_moved_inside(session, board, studio):
    copied(session, board, CORNER)
    studio.show("b.png")
    board.paste()
    assert boxes(session) == [(49, 5, 64, 15)]
    assert studio.problems == []


def test_those_too_far_apart_for_a_smaller_image_move_each_by_itself(session, board, studio):
    copied(session, board, SQUARE, CORNER)
    studio.show("b.png")
    board.paste()
    assert boxes(session) == [(20, 20, 60, 60), (49, 5, 64, 15)]


def test_what_is_larger_than_the_image_is_cut_to_it(session, board, studio):
    copied(session, board, WIDE)
    studio.show("b.png")
    board.paste()
    (new,) = session.selected()
    assert new.box == (0, 10, 64, 20)
    assert new.segmentation.geometry.is_valid


def test_a_box_without_an_outline_is_cut_too(session, board, studio):
    put(session, SQUARE)
    box = Annotation(1000, 1, None, box_only=(10, 10, 95, 30))
    session.edit(edits.add(session.content(session.current.id), [box]))
    session.select([1000])
    board.copy()
    studio.show("b.png")
    board.paste()
    (new,) = session.selected()
    assert new.box_only == (0, 10, 64, 30)


def test_what_does_not_fit_at_all_is_left_out_and_said(session, board, studio):
    copied(session, board, SQUARE, BENT)
    studio.show("b.png")
    assert board.paste()
    assert boxes(session) == [(20, 20, 60, 60)]
    assert studio.problems == ["1 of 2 annotations do not fit on b.png and were left out."]
    assert session.history().undo == "Paste annotation"


def test_where_nothing_fits_nothing_is_changed(session, board, studio):
    copied(session, board, BENT)
    studio.show("b.png")
    title = session.history().undo
    assert not board.paste()
    assert studio.problems == ["Nothing of that fits on b.png; nothing was changed."]
    assert session.history().undo == title


def test_a_copy_of_what_a_model_found_is_a_persons(studio, board):
    session = studio.session
    studio.predict_image()
    session.select(session.annotations)
    found = session.selected()
    board.copy()
    board.paste()
    for copy, original in zip(session.selected(), found, strict=True):
        assert (copy.model_id, copy.score, copy.touched) == (None, None, True)
        assert copy.category_id == original.category_id
        assert session.annotations[original.id] == original


def test_the_category_is_the_one_at_the_time_of_the_copy(session, board):
    copied(session, board, SQUARE)
    other = category_operations.add_category(session, "other")
    operations.set_category(session, other.id)
    board.paste()
    assert [a.category_id for a in session.annotations.values()] == [other.id, 1]


def test_a_category_that_is_gone_comes_back_with_the_paste_and_goes_with_its_undo(
    studio, board, qtbot
):
    session = studio.session
    copied(session, board, SQUARE)
    other = category_operations.add_category(session, "other")
    with qtbot.waitSignal(session.edited):
        category_operations.merge_categories(session, studio.tasks, [1], other.id)
    board.paste()
    (new,) = session.selected()
    assert session.category(new.category_id).name == operations.FIRST_CATEGORY
    session.undo()
    assert [c.name for c in session.categories] == ["other"]


def test_in_another_project_the_category_is_found_by_its_name(studio, board, tmp_path):
    session = studio.session
    put(session, SQUARE)
    other = category_operations.add_category(session, "other")
    third = category_operations.add_category(session, "third")
    ids = put(session, CORNER, HOLED)
    session.select(ids)
    session.edit(
        edits.change(
            session.content(session.current.id),
            [
                replace(a, category_id=category.id)
                for a, category in zip(session.selected(), (other, third), strict=True)
            ],
            "Change category",
        )
    )
    board.copy()
    write_picture(tmp_path / "second" / "z.png", 80, 100)
    studio.open(tmp_path / "second")
    category_operations.add_category(session, "third")
    assert board.paste()
    names = [session.category(a.category_id).name for a in session.selected()]
    assert names == ["other", "third"]
    assert [c.name for c in session.categories] == ["third", "other"]


def test_nothing_selected_leaves_what_was_copied(session, board):
    copied(session, board, SQUARE)
    session.select(())
    board.copy()
    assert len(board) == 1


def test_before_anything_is_copied_nothing_is_pasted(session, board):
    put(session, SQUARE)
    assert not board.paste()
    assert len(session.annotations) == 1


def test_an_image_whose_size_is_not_known_yet_is_measured(session, board, studio, folder):
    copied(session, board, CORNER)
    write_picture(folder / "z.png", 30, 40)
    session.add_images(session.require_database().add_images(["z.png"]))
    studio.show("z.png")
    board.paste()
    assert boxes(session) == [(25, 5, 40, 15)]


def test_an_image_that_cannot_be_read_says_so(session, board, studio, folder):
    copied(session, board, CORNER)
    session.add_images(session.require_database().add_images(["gone.png"]))
    studio.show("gone.png")
    assert not board.paste()
    assert len(studio.problems) == 1
    assert "gone.png" in studio.problems[0]


def test_a_duplicate_lies_beside_and_leaves_what_was_copied(session, board):
    copied(session, board, CORNER)
    (square,) = put(session, SQUARE)
    session.select([square])
    assert clipboard.duplicate(session)
    assert boxes(session) == [(28, 28, 68, 68)]
    assert session.history().undo == "Duplicate annotation"
    board.paste()
    assert boxes(session) == [(85, 13, 100, 23)]


def test_a_copy_goes_to_the_next_image(session, studio):
    ids = put(session, SQUARE, CORNER)
    session.select(ids)
    assert clipboard.copy_to_next(session)
    assert session.current.path == "b.png"
    assert boxes(session) == [(20, 20, 60, 60), (49, 5, 64, 15)]
    assert session.history().undo == "Copy 2 annotations"
    assert list(studio.on("a.png")) == ids
    session.undo()
    assert session.current.path == "b.png"
    assert studio.on("b.png") == {}
    assert studio.state("b.png") is ImageState.NEW


def test_there_is_no_image_after_the_last(session, studio):
    studio.show("sub/c.png")
    session.select(put(session, SQUARE))
    assert not clipboard.copy_to_next(session)
    assert studio.problems == ["This is the last image of the list; nothing was copied."]


def test_without_a_selection_nothing_is_copied_to_the_next_image(session):
    put(session, SQUARE)
    assert not clipboard.copy_to_next(session)
    assert not clipboard.duplicate(session)
    assert session.current.path == "a.png"


def test_a_project_that_is_read_only_keeps_what_it_has(session, board, studio, folder):
    copied(session, board, SQUARE)
    session.close()
    studio.open(folder, read_only=True)
    assert not board.paste()
    assert len(session.annotations) == 1
    assert len(studio.problems) == 1
