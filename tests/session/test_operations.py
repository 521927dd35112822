"""What a person can do to the current image."""

import numpy as np
import pytest

from maskstudio.annotation.annotation import ImageState
from maskstudio.annotation.segmentation import Part, Segmentation, as_ring
from maskstudio.session import category_operations, operations

SQUARE = Segmentation.from_rings([(10, 10), (30, 10), (30, 30), (10, 30)])
HOLED = Segmentation(
    (
        Part(
            as_ring([(40, 10), (70, 10), (70, 40), (40, 40)]),
            (as_ring([(50, 20), (60, 20), (60, 30), (50, 30)]),),
        ),
    )
)


@pytest.fixture
def session(studio):
    return studio.session


def draw(session, segmentation=SQUARE):
    assert operations.draw(session, segmentation, None)
    (annotation_id,) = session.selection
    return annotation_id


def test_the_first_thing_drawn_makes_a_category_and_one_undo_takes_both_back(session):
    draw(session)
    assert [c.name for c in session.categories] == [operations.FIRST_CATEGORY]
    session.undo()
    assert session.categories == ()
    assert not session.annotations


def test_what_is_drawn_is_exactly_what_is_kept(session):
    outline = Segmentation.from_rings([(1 / 3, 2.2), (30.123456789, 2), (17, 1 / 7 + 20)])
    drawn = draw(session, outline)
    assert session.annotations[drawn].segmentation == outline


def test_what_is_drawn_beyond_the_image_is_cut_to_it(session):
    drawn = draw(session, Segmentation.from_rings([(-10, 70), (50, 70), (50, 90), (-10, 90)]))
    assert session.annotations[drawn].box == (0, 70, 50, 80)


def test_an_outline_that_crosses_itself_is_made_valid(session):
    drawn = draw(session, Segmentation.from_rings([(10, 10), (30, 30), (30, 10), (10, 30)]))
    segmentation = session.annotations[drawn].segmentation
    assert segmentation.geometry.is_valid
    assert len(segmentation.parts) == 2
    assert segmentation.area == pytest.approx(200)


@pytest.mark.parametrize(
    "ring",
    [[(10, 10), (20, 20), (30, 30)], [(200, 200), (220, 200), (220, 220)]],
    ids=["without area", "outside"],
)
def test_nothing_is_drawn_where_nothing_is_left(session, ring):
    assert not operations.draw(session, Segmentation.from_rings(ring), None)
    assert not session.annotations
    assert session.history().undo is None


def test_several_move_together_as_one_edit_and_stop_at_the_edge(session):
    first, second = draw(session), draw(session, HOLED)
    operations.move(session, [first, second], -500, 500)
    assert session.annotations[first].box == (0, 50, 20, 70)
    assert session.annotations[second].box == (30, 50, 60, 80)
    assert session.annotations[second].segmentation.parts[0].holes[0].tolist() == [
        [40, 60], [50, 60], [50, 70], [40, 70],
    ]  # fmt: skip
    session.undo()
    assert session.annotations[first].segmentation == SQUARE
    assert session.annotations[second].segmentation == HOLED


@pytest.mark.parametrize("far", [(1e3, 1e3), (-1e3, -1e3)])
def test_whatever_its_coordinates_what_is_moved_stays_inside(session, far):
    generator = np.random.default_rng(3)
    for _ in range(40):
        x, y = generator.uniform(0, 60, 2)
        corners = [(x, y), (x + 1 / 3, y), (x + 11.1, y + 7.7)]
        drawn = draw(session, Segmentation.from_rings(corners))
        operations.move(session, [drawn], *far)
        x0, y0, x1, y1 = session.annotations[drawn].box
        assert x0 >= 0
        assert y0 >= 0
        assert x1 <= 100
        assert y1 <= 80


def test_an_outline_with_nothing_left_deletes_the_annotation(session):
    drawn = draw(session)
    assert operations.reshape(session, drawn, None, "Delete vertex")
    assert not session.annotations
    session.undo()
    assert session.annotations[drawn].segmentation == SQUARE


def test_an_outline_pressed_flat_is_refused_and_the_old_one_stays(session):
    drawn = draw(session)
    flat = Segmentation.from_rings([(10, 10), (30, 10), (20, 10)])
    assert not operations.reshape(session, drawn, flat, "Move vertex")
    assert session.annotations[drawn].segmentation == SQUARE


def test_a_category_is_given_to_all_selected(session):
    first, second = draw(session), draw(session, HOLED)
    other = category_operations.add_category(session, " other ")
    assert other is not None
    assert other.name == "other"
    session.select([first, second])
    operations.set_category(session, other.id)
    assert {a.category_id for a in session.annotations.values()} == {other.id}
    session.undo()
    assert {a.category_id for a in session.annotations.values()} == {1}


def test_verified_with_something_on_it_and_empty_without(session, studio):
    draw(session)
    operations.verify(session)
    assert studio.state("a.png") is ImageState.VERIFIED
    studio.show("b.png")
    operations.verify(session)
    assert studio.state("b.png") is ImageState.EMPTY
    operations.reopen(session)
    assert studio.state("b.png") is ImageState.NEW
    studio.show("a.png")
    operations.reopen(session)
    assert studio.state("a.png") is ImageState.EDITED


def test_the_last_one_deleted_from_a_verified_image_leaves_it_verified_empty(session, studio):
    draw(session)
    operations.verify(session)
    session.select(session.annotations)
    operations.delete_selected(session)
    assert studio.state("a.png") is ImageState.EMPTY
    session.undo()
    assert studio.state("a.png") is ImageState.VERIFIED


def test_steps_end_at_the_ends_of_the_list(session):
    assert not operations.step(session, -1)
    assert operations.step(session, 1)
    assert operations.step(session, 1)
    assert session.current.path == "sub/c.png"
    assert not operations.step(session, 1)


def test_the_next_unfinished_image_is_found_round_the_end(session, studio):
    studio.show("b.png")
    operations.verify(session)
    studio.show("sub/c.png")
    operations.skip(session)
    assert operations.step_to_unfinished(session)
    assert session.current.path == "a.png"
    operations.verify(session)
    assert not operations.step_to_unfinished(session)
    assert session.current.path == "a.png"


def test_the_walk_through_annotations_goes_round_and_round(session):
    ids = [draw(session), draw(session, HOLED)]
    session.select(())
    walked = []
    for _ in range(3):
        assert operations.walk_annotations(session, 1)
        walked += session.selection
    assert walked == [ids[0], ids[1], ids[0]]
    assert operations.walk_annotations(session, -1)
    assert session.selection == {ids[1]}
