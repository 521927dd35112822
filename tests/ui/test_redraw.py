"""Shift+drag draws a stretch of an outline anew: one step of undo, the rest stays to the bit."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from maskstudio.annotation.segmentation import Part, Segmentation, as_ring
from maskstudio.session import arranging
from support.hand import ALT, CTRL, NONE, RIGHT, SHIFT
from support.outlines import HOLED, SQUARE, corners, put
from support.pictures import write_picture

WIDE = Segmentation(
    (
        Part(
            as_ring([(400, 300), (1000, 300), (1000, 900), (400, 900)]),
            (as_ring([(600, 500), (800, 500), (800, 700), (600, 700)]),),
        ),
        Part(as_ring([(1100, 300), (1300, 300), (1300, 500), (1100, 500)])),
    )
)
SMALL = Segmentation.from_rings([(670, 470), (730, 470), (730, 530), (670, 530)])
BESIDE = Segmentation.from_rings([(60, 20), (90, 20), (90, 60), (60, 60)])


def outline(program, annotation_id):
    return program.session.annotations[annotation_id].segmentation


def hint(program):
    return program.window.status.hint.text()


def select(program, *segmentations):
    """Draw them and select the first."""
    ids = put(program.session, *segmentations)
    program.session.select(ids[:1])
    return ids[0]


@pytest.fixture
def large(start, tmp_path):
    """The program with an image of 1600 x 1200."""
    write_picture(tmp_path / "large" / "large.png", 1200, 1600)
    program = start()
    program.open(tmp_path / "large")
    program.canvas.setFocus()
    return program


def redraw(program, *stops):
    """Drag along with Shift held, which may be let go of on the way; return the stops as drawn."""
    program.hand.drag(*stops, held=SHIFT)
    return [list(program.hand.there(stop)) for stop in stops[1:-1]]


# From vertex to vertex


@pytest.mark.parametrize("scale", [0.1, 1.0, 8.0])
def test_the_shorter_side_between_two_vertices_is_replaced(large, scale):
    of = SMALL if scale == 8 else WIDE
    drawn = select(large, of)
    before = large.annotations
    (x0, y0), (x1, _), *rest = (tuple(v) for v in corners(of))
    large.look_at(((x0 + x1) / 2, y0), scale)
    way = redraw(large, (x0, y0), ((x0 + x1) / 2, y0 - 20 - (x1 - x0) / 6), (x1, y0))
    after = outline(large, drawn)
    assert corners(after) == [[x0, y0], *way, [x1, y0], *(list(v) for v in rest)]
    if of is WIDE:
        assert corners(after, ring=1) == corners(WIDE, ring=1)
        assert corners(after, part=1) == corners(WIDE, part=1)
    assert large.titles() == ["Redraw outline", "Draw"]
    large.key("z", CTRL)
    assert large.annotations == before
    large.key("y", CTRL)
    assert outline(large, drawn) == after


@pytest.mark.parametrize("tab", [Qt.Key.Key_Tab, Qt.Key.Key_Backtab], ids=["Tab", "Shift+Tab"])
def test_tab_takes_the_other_side_and_walks_no_annotations(program, tab):
    drawn = select(program, SQUARE, BESIDE)
    held = SHIFT if tab == Qt.Key.Key_Backtab else NONE
    program.hand.press((20, 20), held=SHIFT)
    program.hand.move((40, 8))
    program.key(tab, held)
    program.hand.move((60, 20))
    assert "Let go to replace" in hint(program)
    program.hand.release((60, 20))
    assert program.session.selection == {drawn}
    after = corners(outline(program, drawn))
    assert sorted(corner for corner in after if corner in corners(SQUARE)) == [[20, 20], [60, 20]]
    drawn_there = [corner for corner in after if corner not in corners(SQUARE)]
    assert drawn_there
    assert all(corner == pytest.approx((40, 8), abs=0.5) for corner in drawn_there)


def test_tab_twice_is_the_shorter_side_again_and_the_next_line_begins_with_it(program):
    drawn = select(program, SQUARE)
    program.hand.press((20, 20), held=SHIFT)
    program.hand.move((40, 8))
    program.hand.move((60, 20))
    program.key(Qt.Key.Key_Tab)
    program.key(Qt.Key.Key_Tab)
    program.key(Qt.Key.Key_Tab)
    program.key(Qt.Key.Key_Escape)
    program.hand.release((60, 20))
    assert outline(program, drawn) == SQUARE
    redraw(program, (20, 20), (40, 8), (60, 20))
    assert outline(program, drawn).vertex_count == 5


def test_tab_walks_again_once_the_line_is_drawn(program):
    drawn = select(program, SQUARE, BESIDE)
    redraw(program, (20, 20), (10, 40), (20, 60))
    program.key(Qt.Key.Key_Tab)
    assert program.session.selection != {drawn}


# From anywhere on the outline


def test_a_line_may_begin_and_end_on_edges(program):
    drawn = select(program, SQUARE)
    program.look_at((40, 40), 8)
    x0, x1 = program.hand.there((30, 20))[0], program.hand.there((50, 20))[0]
    (deep,) = redraw(program, (30, 20), (40, 32), (50, 20))
    begun, *middle, ended = corners(outline(program, drawn))[:3]
    assert middle == [deep]
    assert [begun, ended] == [pytest.approx((x0, 20)), pytest.approx((x1, 20))]
    assert corners(outline(program, drawn))[3:] == [[60, 20], [60, 60], [20, 60], [20, 20]]


def test_a_line_along_the_edge_of_a_neighbour_leaves_the_neighbour(program):
    drawn = select(program, SQUARE, BESIDE)
    (x,) = redraw(program, (60, 20), (72, 40), (60, 60))
    assert outline(program, drawn).contains(65, 40)
    assert x in corners(outline(program, drawn))
    assert [a.segmentation for a in program.annotations[1:]] == [BESIDE]


def test_a_hole_is_redrawn(program):
    drawn = select(program, HOLED)
    (way,) = redraw(program, (30, 30), (40, 38), (50, 30))
    after = outline(program, drawn)
    assert sorted(corners(after, ring=1)) == sorted([way, [30, 30], [50, 30], [50, 50], [30, 50]])
    assert corners(after) == corners(HOLED)


def test_a_line_drawn_by_hand_is_thinned(large):
    drawn = select(large, WIDE)
    large.look_at((700, 400), 1)
    straight = [(400 + n * 6, 300 - n * 4) for n in range(1, 50)]
    back = [(700 + n * 6, 104 + n * 4) for n in range(49)]
    redraw(large, (400, 300), *straight, *back, (1000, 300))
    assert 5 <= len(corners(outline(large, drawn))) <= 8


def test_a_line_beyond_the_image_stays_within_it_and_one_across_is_repaired(program):
    drawn = select(program, SQUARE)
    redraw(program, (20, 20), (-20, 40), (20, 60))
    assert outline(program, drawn).box == (0, 20, 60, 60)
    redraw(program, (60, 20), (30, 50), (30, 30), (60, 60))
    assert outline(program, drawn).geometry.is_valid
    assert program.titles() == ["Redraw outline", "Redraw outline", "Draw"]


def test_the_loops_of_a_trembling_hand_leave_no_specks_and_what_was_small_stays(program):
    speck = Part(as_ring([(80, 70), (80.2, 70), (80.2, 70.2)]))
    drawn = select(program, Segmentation((*HOLED.parts, speck)))
    program.look_at((40, 30), 8)
    redraw(program, (20, 20), (40.4, 10), (39.6, 10), (60, 20))  # a loop at the top
    after = outline(program, drawn)
    assert [len(part.holes) for part in after.parts] == [1, 0]
    assert sorted(corners(after, part=1)) == sorted(speck.outer.tolist())
    assert after.area == pytest.approx(HOLED.area + speck_area(speck) + 200, abs=8)


def speck_area(part):
    return Segmentation((part,)).area


def test_a_redrawn_pre_annotation_is_a_persons(predicted):
    best = predicted.annotations[-1]
    predicted.session.select([best.id])
    vertices = corners(best.segmentation)
    far = vertices[len(vertices) // 2]
    redraw(predicted, vertices[0], (20, 20), far)
    after = predicted.session.annotations[best.id]
    assert after.segmentation != best.segmentation
    assert not after.is_pre_annotation


# What it leaves alone


@pytest.mark.parametrize("end", [(40, 40), (90, 75), (50, 30)], ids=["inside", "outside", "hole"])
def test_a_line_that_ends_away_from_its_ring_changes_nothing_and_says_where_to_end(program, end):
    drawn = select(program, HOLED)
    program.look_at((40, 40), 8)
    program.hand.press((60, 60), held=SHIFT)
    program.hand.move(((60 + end[0]) / 2, (60 + end[1]) / 2 + 2))
    program.hand.move(end)
    assert "another place of the same outline" in hint(program)
    program.hand.release(end)
    assert outline(program, drawn) == HOLED
    (problem,) = program.problems
    assert "has to end on the outline it begins on" in problem
    assert program.titles() == ["Draw"]


def test_a_line_back_to_where_it_began_changes_nothing(program):
    drawn = select(program, SQUARE)
    redraw(program, (60, 60), (80, 70), (60, 60))
    assert outline(program, drawn) == SQUARE
    assert len(program.problems) == 1


@pytest.mark.parametrize("held", [SHIFT, ALT, SHIFT | ALT])
def test_a_click_still_deletes_a_vertex_and_on_an_edge_inserts_one(program, held):
    drawn = select(program, SQUARE)
    program.hand.click((60, 60), held=held)
    assert corners(outline(program, drawn)) == [[20, 20], [60, 20], [20, 60]]
    program.hand.click((40, 20), held=held)
    assert len(corners(outline(program, drawn))) == 4
    assert program.titles() == ["Insert vertex", "Delete vertex", "Draw"]


def test_a_trembling_hand_clicks(program):
    drawn = select(program, SQUARE)
    program.look_at((60, 60), 1)
    program.hand.drag((60, 60), (61, 62), (61, 60), held=SHIFT)
    assert corners(outline(program, drawn)) == [[20, 20], [60, 20], [20, 60]]


def test_shift_over_a_body_moves_it_as_ever(program):
    drawn = select(program, SQUARE)
    redraw(program, (40, 40), (45, 45), (50, 50))
    assert program.titles()[0] == "Move annotation"
    assert outline(program, drawn).vertex_count == 4


def by_esc(program):
    program.key(Qt.Key.Key_Escape)


def by_undo(program):
    program.key("z", CTRL)


def by_right_click(program):
    QTest.mouseClick(program.canvas, RIGHT, NONE, program.hand.screen((60, 20)))


@pytest.mark.parametrize("drop", [by_esc, by_undo, by_right_click])
def test_a_line_can_be_dropped(program, drop):
    drawn = select(program, SQUARE)
    program.hand.press((20, 20), held=SHIFT)
    program.hand.move((40, 8))
    program.hand.move((60, 20))
    drop(program)
    program.hand.move((60, 22))
    program.hand.release((60, 22))
    assert outline(program, drawn) == SQUARE
    assert program.session.selection == {drawn}
    assert program.titles() == ["Draw"]


def test_an_edit_in_the_middle_drops_the_line(program):
    drawn = select(program, SQUARE)
    program.hand.press((20, 20), held=SHIFT)
    program.hand.move((40, 8))
    program.session.undo()
    program.hand.move((60, 20))
    program.hand.release((60, 20))
    assert drawn not in program.session.annotations
    assert program.problems == []


# Seen


def test_line_and_new_outline_are_seen_before_it_is_let_go_of(program):
    select(program, SQUARE)
    program.hand.move((95, 75))
    program.until(lambda: program.canvas.settled)
    inside, above = (40, 24), (40, 15)
    before = program.colour(inside), program.colour(above)
    program.hand.press((20, 20), held=SHIFT)
    program.hand.move((40, 5))
    program.hand.move((60, 5))
    assert program.colour(above) == before[1]  # not yet on the outline
    program.hand.move((60, 20))
    assert program.colour(above) != before[1]
    program.key(Qt.Key.Key_Tab)
    assert program.colour(inside) != before[0]
    program.key(Qt.Key.Key_Escape)
    program.hand.release((60, 20))
    program.hand.move((95, 75))
    assert (program.colour(inside), program.colour(above)) == before


def test_the_hint_tells_of_it_over_vertices_and_edges(program):
    select(program, SQUARE)
    for place in ((60, 60), (40, 20)):
        program.hand.move(place)
        assert "Shift+drag redraws" in hint(program)


def test_of_a_locked_one_nothing_is_redrawn(program):
    drawn = select(program, SQUARE)
    arranging.set_locked(program.session, [drawn], locked=True)
    redraw(program, (20, 20), (40, 8), (60, 20))
    assert outline(program, drawn) == SQUARE
    assert program.titles() == ["Lock annotation", "Draw"]
