"""Regions of annotations put together, cut apart and brushed: one edit each, exactly undone."""

import pytest

from maskstudio.annotation.annotation import Annotation, ImageState
from maskstudio.annotation.edits import add
from maskstudio.annotation.segmentation import Part, Segmentation, as_ring
from maskstudio.session import category_operations, operations, region_operations
from support.outlines import HOLED, SQUARE, corners, put

SMALL = Segmentation.from_rings([(50, 30), (70, 30), (70, 50), (50, 50)])
APART = Segmentation.from_rings([(80, 60), (95, 60), (95, 75), (80, 75)])
TWO_PARTS = Segmentation((*APART.parts, *HOLED.parts))
COMBINE = [
    region_operations.unite_selected,
    region_operations.subtract_selected,
    region_operations.intersect_selected,
]


@pytest.fixture
def session(studio):
    return studio.session


def select(session, *ids):
    session.select(ids)


def outline(session, annotation_id):
    return session.annotations[annotation_id].segmentation


def areas(session):
    return {i: a.segmentation.area for i, a in session.annotations.items()}


def assert_undone_and_redone(session, before):
    """Undo gives back exactly what was, in one step; redo exactly what is."""
    after, done = dict(session.annotations), session.current.status
    session.undo()
    assert dict(session.annotations) == before
    session.redo()
    assert dict(session.annotations) == after
    assert session.current.status == done


def put_in_categories(session, *outlines):
    """Draw each outline in a category of its own."""
    ids = []
    for number, drawn in enumerate(outlines):
        category = category_operations.add_category(session, f"category {number}")
        operations.draw(session, drawn, category.id)
        ids += session.selection
    return ids


# Unite, subtract, intersect


def test_the_topmost_of_those_united_is_kept_with_its_category(session):
    low, top = put_in_categories(session, SQUARE, SMALL)
    before = dict(session.annotations)
    select(session, low, top)
    assert region_operations.unite_selected(session)
    (kept,) = session.annotations.values()
    assert kept.id == top
    assert kept.category_id == before[top].category_id
    assert kept.segmentation.area == 1600 + 400 - 200
    assert session.selection == {top}
    assert session.history().undo == "Unite 2 annotations"
    assert_undone_and_redone(session, before)


def test_what_lies_apart_is_united_to_parts_and_holes_are_kept(session):
    ids = put(session, HOLED, APART)
    select(session, *ids)
    region_operations.unite_selected(session)
    united = outline(session, ids[1])
    assert len(united.parts) == 2
    assert sum(len(part.holes) for part in united.parts) == 1
    assert united.area == HOLED.area + APART.area


@pytest.mark.parametrize("order", [(SQUARE, SMALL), (SMALL, SQUARE)])
def test_the_others_are_subtracted_from_the_largest(session, order):
    ids = put_in_categories(session, *order)
    before = dict(session.annotations)
    select(session, *ids)
    assert region_operations.subtract_selected(session)
    largest = ids[order.index(SQUARE)]
    assert areas(session) == {largest: 1400}
    assert session.annotations[largest].category_id == before[largest].category_id
    assert session.history().undo == "Subtract 2 annotations"
    assert_undone_and_redone(session, before)


def test_of_equally_large_ones_the_lowest_id_is_subtracted_from(session):
    first, second = put(session, SMALL, SMALL.translated(10, 0))
    select(session, first, second)
    region_operations.subtract_selected(session)
    assert areas(session) == {first: 200}


def test_subtracting_what_lies_inside_makes_a_hole(session):
    inner = Segmentation.from_rings([(30, 30), (50, 30), (50, 50), (30, 50)])
    outer, hole = put(session, SQUARE, inner)
    select(session, outer, hole)
    region_operations.subtract_selected(session)
    assert outline(session, outer).area == HOLED.area
    assert len(outline(session, outer).parts[0].holes) == 1


def test_what_several_share_is_kept_in_the_one_of_lowest_id(session):
    wide = Segmentation.from_rings([(10, 35), (90, 35), (90, 45), (10, 45)])
    ids = put_in_categories(session, SQUARE, SMALL, wide)
    before = dict(session.annotations)
    select(session, *ids)
    assert region_operations.intersect_selected(session)
    assert areas(session) == {ids[0]: 100}
    assert outline(session, ids[0]).box == (50, 35, 60, 45)
    assert session.history().undo == "Intersect 3 annotations"
    assert_undone_and_redone(session, before)


@pytest.mark.parametrize(
    ("combine", "other"),
    [
        (region_operations.intersect_selected, APART),
        (region_operations.subtract_selected, SQUARE),
    ],
)
def test_where_nothing_would_be_left_nothing_is_changed(studio, combine, other):
    session = studio.session
    ids = put(session, SQUARE, other)
    before = dict(session.annotations)
    select(session, *ids)
    assert not combine(session)
    assert dict(session.annotations) == before
    assert studio.problems == ["Nothing would be left of these annotations; nothing was changed."]


@pytest.mark.parametrize("combine", COMBINE)
def test_it_takes_two(session, combine):
    (one, _) = put(session, SQUARE, APART)
    assert not combine(session)
    select(session, one)
    assert not region_operations.can_combine(session)
    assert not combine(session)
    assert len(session.annotations) == 2


def put_box(session):
    """Put an annotation that is a box alone on the image, as Faster R-CNN gives it."""
    ids = session.require_database().take_annotation_ids()
    box = Annotation(next(ids), session.categories[0].id, None, (5.0, 5.0, 40.0, 40.0))
    session.edit(add(session.content(session.current.id), [box]))
    return box.id


@pytest.mark.parametrize("combine", COMBINE)
def test_a_box_without_an_outline_is_left_alone(session, combine):
    low, top = put(session, SQUARE, SMALL)
    box = put_box(session)
    before = session.annotations[box]
    select(session, low, box)
    assert not region_operations.can_combine(session)
    assert not combine(session)
    select(session, low, top, box)
    assert region_operations.can_combine(session)
    assert combine(session)
    assert session.annotations[box] is before
    assert len(session.annotations) == 2


def test_a_detection_that_went_is_remembered_and_one_that_was_kept_is_a_persons(studio):
    session = studio.session
    studio.predict_image()
    predicted = dict(session.annotations)
    select(session, *predicted)
    assert region_operations.unite_selected(session)
    (kept,) = session.annotations.values()
    assert kept.touched
    assert kept.score == predicted[kept.id].score
    gone = [(a.category_id, a.box) for i, a in predicted.items() if i != kept.id]
    rejections = session.current.status.rejections
    assert [(r.category_id, r.box) for r in rejections] == gone
    assert session.current.state is ImageState.EDITED
    session.undo()
    assert dict(session.annotations) == predicted
    assert session.current.status.rejections == ()


def test_a_detection_whose_outline_stays_the_same_is_a_persons_too(studio):
    session = studio.session
    studio.predict_image()
    first = next(iter(session.annotations.values()))
    x0, y0, x1, y1 = first.box
    (around,) = put(session, Segmentation.from_rings([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]))
    select(session, first.id, around)
    assert region_operations.intersect_selected(session)
    assert outline(session, first.id).area == pytest.approx(first.segmentation.area)
    assert session.annotations[first.id].touched


def test_subtracting_what_lies_beside_deletes_nothing(studio):
    session = studio.session
    ids = put(session, SQUARE, APART)
    select(session, *ids)
    assert not region_operations.subtract_selected(session)
    assert list(session.annotations) == ids
    assert studio.problems == ["The others do not overlap the largest one; nothing was changed."]


def test_a_verified_image_stays_verified(session):
    ids = put(session, SQUARE, SMALL)
    operations.verify(session)
    select(session, *ids)
    region_operations.unite_selected(session)
    assert session.current.state is ImageState.VERIFIED
    region_operations.cut(session, session.annotations, [(0, 40), (100, 40)])
    assert session.current.state is ImageState.VERIFIED
    (*_, last) = session.annotations
    region_operations.brush(session, last, [(50, 40)], 90, erase=True)
    assert session.current.state is ImageState.VERIFIED


# Split and cut


def test_every_part_becomes_an_annotation_and_the_largest_keeps_the_id(session):
    two, square = put_in_categories(session, TWO_PARTS, SQUARE)
    before = dict(session.annotations)
    select(session, two, square)
    assert region_operations.can_split(session)
    assert region_operations.split_selected(session)
    _, _, new = session.annotations
    assert session.annotations[two].segmentation == HOLED
    assert session.annotations[new].segmentation == APART
    assert session.annotations[new].category_id == before[two].category_id
    assert session.annotations[square] is before[square]
    assert session.selection == {two, new}
    assert session.history().undo == "Split annotation"
    assert_undone_and_redone(session, before)


def test_what_is_split_of_a_detection_is_a_persons(studio):
    session = studio.session
    studio.predict_image()
    select(session, *session.annotations)
    region_operations.unite_selected(session)
    (kept,) = session.annotations.values()
    region_operations.split_selected(session)
    pieces = list(session.annotations.values())
    assert len(pieces) == len(kept.segmentation.parts) > 1
    assert [a.model_id for a in pieces] == ["fake"] + [None] * (len(pieces) - 1)
    assert all(a.touched for a in pieces)


def test_one_part_cannot_be_split(studio):
    session = studio.session
    (square,) = put(session, SQUARE)
    select(session, square)
    assert not region_operations.can_split(session)
    assert not region_operations.split_selected(session)
    assert studio.problems == ["No selected annotation has several parts. Nothing was changed."]
    assert outline(session, square) == SQUARE


def test_a_line_cuts_what_it_goes_across_in_one_step(session):
    square, holed, apart = put_in_categories(session, SQUARE, HOLED, APART)
    before = dict(session.annotations)
    assert region_operations.cut(session, [square, holed, apart], [(25, 0), (25, 80)])
    assert session.history().undo == "Cut 2 annotations"
    assert session.annotations[apart] is before[apart]
    assert areas(session)[square] == 35 * 40
    assert areas(session)[holed] == 35 * 40 - 400
    new = [a for i, a in session.annotations.items() if i not in before]
    assert [a.segmentation.area for a in new] == [200, 200]
    assert [a.category_id for a in new] == [before[i].category_id for i in (square, holed)]
    assert session.selection == {square, holed, *(a.id for a in new)}
    assert_undone_and_redone(session, before)


def test_a_line_that_goes_across_nothing_cuts_nothing_and_says_so(studio):
    session = studio.session
    (square,) = put(session, SQUARE)
    box = put_box(session)
    undo = session.history().undo
    assert not region_operations.cut(session, [square, box], [(0, 10), (100, 10)])
    assert not region_operations.cut(session, [square, 999], [(40, 40), (40, 80)])
    assert len(session.annotations) == 2
    assert session.history().undo == undo
    assert studio.problems == ["The line goes across no annotation. Nothing was changed."] * 2


# The brush


def test_a_stroke_grows_the_annotation_and_keeps_its_hole(session):
    (holed,) = put(session, HOLED)
    before = dict(session.annotations)
    assert region_operations.brush(session, holed, [(60, 25), (60, 55)], 4, erase=False)
    assert outline(session, holed).area > HOLED.area
    (hole,) = outline(session, holed).parts[0].holes
    assert sorted(hole.tolist()) == sorted(corners(HOLED, ring=1))
    assert session.history().undo == "Brush"
    assert_undone_and_redone(session, before)


def test_erasing_everything_deletes_the_annotation_as_deleting_does(studio):
    session = studio.session
    studio.predict_image()
    before = dict(session.annotations)
    first = next(iter(before.values()))
    assert region_operations.brush(session, first.id, [(20, 20)], 90, erase=True)
    assert first.id not in session.annotations
    assert session.history().undo == "Delete annotation"
    assert [r.box for r in session.current.status.rejections] == [first.box]
    assert_undone_and_redone(session, before)


def test_a_stroke_beyond_the_image_ends_at_its_edge(session):
    (square,) = put(session, SQUARE)
    region_operations.brush(session, square, [(40, 40), (40, 200)], 10, erase=False)
    assert outline(session, square).box == (20, 20, 60, 80)
    assert outline(session, square).geometry.is_valid


@pytest.mark.parametrize(("at", "erase"), [((40, 40), False), ((90, 70), True)])
def test_a_stroke_that_changes_nothing_is_no_edit(session, at, erase):
    (square,) = put(session, SQUARE)
    assert region_operations.brush(session, square, [at], 5, erase=erase)
    assert session.history().undo == "Draw"
    assert outline(session, square) == SQUARE


def test_a_box_gets_an_outline_by_brushing_and_cannot_be_erased(session):
    put(session, APART)
    box = put_box(session)
    assert not region_operations.brush(session, box, [(20, 20)], 5, erase=True)
    assert session.annotations[box].segmentation is None
    assert region_operations.brush(session, box, [(20, 20)], 5, erase=False)
    assert session.annotations[box].box_only is None
    assert outline(session, box).box == pytest.approx((15, 15, 25, 25), abs=0.3)


def test_a_hole_is_filled_in_one_step(studio):
    session = studio.session
    (holed,) = put(session, HOLED)
    before = dict(session.annotations)
    assert not region_operations.fill_hole(session, holed, 25, 25)
    assert studio.problems == ["There is no hole there; nothing was changed."]
    assert region_operations.fill_hole(session, holed, 40, 40)
    assert outline(session, holed) == SQUARE
    assert session.history().undo == "Fill hole"
    assert_undone_and_redone(session, before)
    assert not region_operations.fill_hole(session, put_box(session), 20, 20)
    assert not region_operations.fill_hole(session, 999, 20, 20)


def test_what_is_not_there_any_more_cannot_be_brushed(session):
    (square,) = put(session, SQUARE)
    select(session, square)
    operations.delete_selected(session)
    assert not region_operations.brush(session, square, [(20, 20)], 5, erase=False)
    assert not session.annotations


def test_an_outline_that_reaches_beyond_the_image_is_cut_to_it(session):
    ids = session.require_database().take_annotation_ids()
    category = category_operations.add_category(session, "one")
    beyond = Segmentation(
        (
            Part(as_ring([(-20, 10), (30, 10), (30, 30), (-20, 30)])),
            Part(as_ring([(110, 10), (130, 10), (130, 30), (110, 30)])),
        )
    )
    imported = Annotation(next(ids), category.id, beyond)
    session.edit(add(session.content(session.current.id), [imported]))
    select(session, imported.id)
    assert not region_operations.split_selected(session)
    assert region_operations.cut(session, [imported.id], [(15, 0), (15, 80)])
    assert [a.box for a in session.annotations.values()] == [
        pytest.approx((0, 10, 15, 30)),
        pytest.approx((15, 10, 30, 30)),
    ]
