"""Neighbours that share borders: one edit, exactly undone, all else left as it is."""

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation.shapes import places, stars
from maskstudio.annotation.annotation import ImageState
from maskstudio.annotation.borders import overlap
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.session import arranging, border_operations, operations, region_operations
from support.outlines import HOLED, SQUARE, put

RIGHT = Segmentation.from_rings([(50, 25), (90, 25), (90, 55), (50, 55)])
FAR = Segmentation.from_rings([(2, 2), (12, 2), (7, 12.123456789)])


@pytest.fixture
def session(studio):
    return studio.session


@pytest.fixture
def trim_selected(studio, qtbot):
    """Return what trims the selection and tells whether anything was changed by it."""

    def trim(session):
        edited = []
        session.edited.connect(edited.append)
        border_operations.trim_selected(session, session.shown, studio.tasks)
        if len(session.selection) > 20:
            qtbot.waitUntil(lambda: bool(edited or studio.problems))
        session.edited.disconnect(edited.append)
        return bool(edited)

    return trim


def outline(session, annotation_id):
    return session.annotations[annotation_id].segmentation


def vertices(segmentation):
    return {tuple(v) for _, _, ring in segmentation.rings() for v in ring.tolist()}


def test_what_is_drawn_and_its_neighbour_are_one_edit(session):
    holed, far = put(session, HOLED, FAR)
    before = dict(session.annotations)
    assert operations.draw(session, RIGHT, None, list(before.values()))
    assert outline(session, holed).vertex_count == HOLED.vertex_count + 2
    assert session.annotations[far] is before[far]
    after = dict(session.annotations)
    session.undo()
    assert dict(session.annotations) == before
    session.redo()
    assert dict(session.annotations) == after


def test_a_neighbour_that_is_not_on_the_image_is_only_cut_at(session):
    (square,) = put(session, SQUARE)
    shown = session.annotations[square]
    session.undo()
    assert operations.draw(session, RIGHT, None, [shown])
    (drawn,) = session.annotations.values()
    assert drawn.segmentation.box[0] == 60


def test_trimming_all_leaves_no_overlap_and_covers_the_same_ground(session, trim_selected):
    shift = [SQUARE.translated(dx, dy) for dx, dy in ((0, 0), (15, 5), (-10, 12), (30, -8))]
    put(session, *shift)
    before = dict(session.annotations)
    ground = shapely.union_all([a.segmentation.geometry for a in before.values()])
    session.select(session.annotations)
    assert trim_selected(session)
    left = [a.segmentation.geometry for a in session.annotations.values()]
    assert sum(g.area for g in left) == pytest.approx(ground.area, abs=1e-6)
    assert shapely.union_all(left).area == pytest.approx(ground.area, abs=1e-6)
    assert all(g.is_valid for g in left)
    session.undo()
    assert dict(session.annotations) == before


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(stars(), places(0, 55), places(0, 55)), min_size=2, max_size=4))
def test_any_outlines_can_be_trimmed_and_given_back(session, trim_selected, placed):
    drawn = [one.translated(x, y) for one, x, y in placed]
    ids = put(session, *drawn)
    before = dict(session.annotations)
    apart = [
        (i, own)
        for i, own in zip(ids, drawn, strict=True)
        if not any(overlap(own, other) for other in drawn if other is not own)
    ]
    session.select(ids)
    changed = trim_selected(session)
    now = [a.segmentation for a in session.annotations.values()]
    assert all(s.geometry.is_valid for s in now)
    assert all(len(ring) >= 3 for s in now for _, _, ring in s.rings())
    assert all(outline(session, i) == own for i, own in apart)
    if changed:
        session.undo()
    assert dict(session.annotations) == before
    session.select(ids)
    operations.delete_selected(session)


def test_a_locked_one_is_not_trimmed_but_cut_at(studio, trim_selected):
    session = studio.session
    square, right = put(session, SQUARE, RIGHT)
    session.select([right])
    arranging.lock_selected(session)
    before = dict(session.annotations)
    assert not trim_selected(session)
    assert dict(session.annotations) == before
    assert "locked" in studio.problems[0]
    session.select([square])
    assert trim_selected(session)
    assert outline(session, square).area == SQUARE.area - 10 * 30
    assert session.annotations[right] is before[right]


def test_one_that_only_gets_vertices_is_no_persons_and_the_image_is_edited_once(
    session, trim_selected
):
    square, right = put(session, SQUARE, RIGHT)
    session.select([right])
    trim_selected(session)
    assert vertices(outline(session, square)) == vertices(SQUARE) | {(60, 25), (60, 55)}
    assert session.current.state is ImageState.EDITED


def test_a_stroke_beside_keeps_off_and_one_inside_a_neighbour_says_so(studio):
    session = studio.session
    square, right = put(session, SQUARE, RIGHT.translated(15, 0))
    near = [session.annotations[square]]
    assert region_operations.brush_beside(session, right, [(55, 40), (70, 40)], 4, near)
    assert outline(session, right).box[0] == 60
    near = [session.annotations[square]]
    assert not region_operations.brush_beside(session, right, [(40, 40)], 4, near)
    assert len(studio.problems) == 1


def test_many_are_trimmed_off_the_gui_thread(session, trim_selected):
    ids = put(session, *(SQUARE.translated(2 * n - 20, 0) for n in range(30)))
    before = dict(session.annotations)
    ground = shapely.union_all([a.segmentation.geometry for a in before.values()])
    session.select(ids)
    assert trim_selected(session)
    left = [a.segmentation.geometry for a in session.annotations.values()]
    assert sum(g.area for g in left) == pytest.approx(ground.area, abs=1e-6)
    assert session.history().undo == "Trim 29 annotations"
    session.undo()
    assert dict(session.annotations) == before


def test_what_changes_while_many_are_trimmed_is_not_overwritten(studio, qtbot):
    session = studio.session
    ids = put(session, *(SQUARE.translated(2 * n - 20, 0) for n in range(30)))
    session.select(ids)
    border_operations.trim_selected(session, session.shown, studio.tasks)
    session.select(ids[3:4])
    operations.delete_selected(session)
    left = dict(session.annotations)
    qtbot.waitUntil(lambda: bool(studio.problems))
    assert studio.problems == ["The annotations changed meanwhile; nothing was trimmed."]
    assert dict(session.annotations) == left
