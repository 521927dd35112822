"""Select, move and reshape with the mouse; every gesture is one step of undo."""

import pytest
from PySide6.QtCore import Qt

from maskstudio.annotation.segmentation import Segmentation
from support.hand import ALT, CTRL, SHIFT
from support.outlines import HOLED, SQUARE, corners, put
from support.pictures import write_picture

BEHIND = Segmentation.from_rings([(40, 40), (80, 40), (80, 75), (40, 75)])
CORNER = Segmentation.from_rings([(80, 5), (95, 5), (95, 15), (80, 15)])


def outline(program, annotation_id):
    return program.session.annotations[annotation_id].segmentation


# Selecting


def test_a_click_selects_and_a_click_on_empty_ground_lets_go(program):
    (square,) = put(program.session, SQUARE)
    program.hand.click((40, 40))
    assert program.session.selection == {square}
    program.hand.click((90, 70))
    assert program.session.selection == set()


def test_ctrl_click_adds_and_takes_away(program):
    square, corner = put(program.session, SQUARE, CORNER)
    program.hand.click((40, 40))
    program.hand.click((88, 10), held=CTRL)
    assert program.session.selection == {square, corner}
    program.hand.click((40, 40), held=CTRL)
    assert program.session.selection == {corner}


def test_of_two_that_overlap_the_one_in_front_is_taken(program):
    behind, front = put(program.session, BEHIND, SQUARE)
    program.hand.click((50, 50))
    assert program.session.selection == {front}
    program.hand.click((70, 70))
    assert program.session.selection == {behind}


def test_through_a_hole_one_takes_what_lies_behind(program):
    behind, holed = put(program.session, BEHIND, HOLED)
    program.hand.click((45, 45))
    assert program.session.selection == {behind}
    program.hand.click((35, 35))
    assert program.session.selection == set()
    program.hand.click((25, 40))
    assert program.session.selection == {holed}


def test_a_rubber_band_takes_what_lies_wholly_within(program):
    square, corner = put(program.session, SQUARE, CORNER)
    program.hand.drag((75, 2), (98, 30))
    assert program.session.selection == {corner}
    program.hand.drag((98, 70), (50, 30), (5, 2))
    assert program.session.selection == {square, corner}
    program.hand.drag((75, 78), (98, 70))
    assert program.session.selection == set()
    assert program.titles() == ["Draw", "Draw"]


def test_a_rubber_band_with_ctrl_adds(program):
    square, corner = put(program.session, SQUARE, CORNER)
    program.hand.click((40, 40))
    program.hand.drag((75, 2), (98, 30), held=CTRL)
    assert program.session.selection == {square, corner}


def test_what_is_hidden_cannot_be_touched(program):
    put(program.session, SQUARE)
    program.key("t")
    program.hand.click((40, 40))
    assert program.session.selection == set()
    program.key("t")
    program.hand.click((40, 40))
    assert len(program.session.selection) == 1


# Moving


def test_a_drag_moves_by_as_much_as_the_pointer_and_is_one_step(program):
    (square,) = put(program.session, SQUARE)
    start, end = program.hand.there((40, 40)), program.hand.there((52, 47))
    program.hand.drag((40, 40), (45, 70), (10, 10), (52, 47))
    x, y = 20 + end[0] - start[0], 20 + end[1] - start[1]
    assert outline(program, square).box[:2] == pytest.approx((x, y), abs=1e-9)
    assert program.session.selection == {square}
    assert program.titles() == ["Move annotation", "Draw"]

    program.key("z", CTRL)
    assert outline(program, square) == SQUARE


def test_several_move_together_in_one_step(program):
    square, corner = put(program.session, SQUARE, CORNER)
    program.hand.click((40, 40))
    program.hand.click((88, 10), held=CTRL)
    program.hand.drag((40, 40), (40, 50))
    down = outline(program, square).box[1] - 20
    assert down > 9
    assert outline(program, corner).box[1] - 5 == pytest.approx(down)
    assert program.titles()[0] == "Move 2 annotations"


def test_a_drag_beyond_the_edge_stops_there(program):
    (square,) = put(program.session, SQUARE)
    program.hand.drag((40, 40), (-30, 200))
    assert outline(program, square).box == pytest.approx((0, 40, 40, 80))


def test_a_trembling_hand_moves_nothing(program):
    (square,) = put(program.session, SQUARE)
    program.look_at((40, 40), 1)
    program.hand.drag((40, 40), (42, 41), (41, 42))
    assert outline(program, square) == SQUARE
    assert program.session.selection == {square}
    assert program.titles() == ["Draw"]


def test_esc_in_the_middle_of_a_drag_puts_everything_back(program):
    (square,) = put(program.session, SQUARE)
    program.hand.press((40, 40))
    program.hand.move((60, 60))
    program.key(Qt.Key.Key_Escape)
    program.hand.move((70, 70))
    program.hand.release((70, 70))
    assert outline(program, square) == SQUARE
    assert program.session.selection == {square}
    assert program.titles() == ["Draw"]


def test_esc_lets_go_of_the_selection(program):
    put(program.session, SQUARE)
    program.hand.click((40, 40))
    program.key(Qt.Key.Key_Escape)
    assert program.session.selection == set()


def test_a_pre_annotation_that_was_moved_is_a_person_s(predicted):
    best = predicted.annotations[-1]
    assert best.is_pre_annotation
    predicted.hand.drag((20, 20), (25, 24))
    moved = predicted.session.annotations[best.id]
    assert not moved.is_pre_annotation
    assert moved.score == best.score


# Vertices


def drag_vertex(program, annotation_id, vertex, to, ring=0):
    """Select, drag one vertex, and return where it really was dropped."""
    program.session.select([annotation_id])
    x, y = corners(outline(program, annotation_id), ring=ring)[vertex]
    there = program.hand.there(to)
    program.hand.drag((x, y), ((x + to[0]) / 2, (y + to[1]) / 2), to)
    return there


@pytest.mark.parametrize("scale", [1.0, 8.0])
def test_a_vertex_goes_where_it_is_dropped_and_the_others_stay(program, scale):
    (square,) = put(program.session, SQUARE)
    program.look_at((50, 30), scale)
    there = drag_vertex(program, square, 1, (67, 13))
    assert corners(outline(program, square)) == [[20, 20], list(there), [60, 60], [20, 60]]
    assert program.titles() == ["Move vertex", "Draw"]
    program.key("z", CTRL)
    assert outline(program, square) == SQUARE


def test_a_vertex_of_a_large_image_seen_from_afar(start, tmp_path):
    folder = tmp_path / "large"
    write_picture(folder / "large.png", 1200, 1600)
    program = start()
    program.open(folder)
    ring = [(200.5, 200), (1200, 210), (1100, 900), (300, 1000)]
    (drawn,) = put(program.session, Segmentation.from_rings(ring))
    program.look_at((800, 600), 0.1)
    there = drag_vertex(program, drawn, 2, (1400, 1100))
    assert there == pytest.approx((1400, 1100), abs=10)
    assert corners(outline(program, drawn)) == [[200.5, 200], [1200, 210], list(there), [300, 1000]]


def test_a_vertex_of_a_hole(program):
    (holed,) = put(program.session, HOLED)
    there = drag_vertex(program, holed, 2, (55, 54), ring=1)
    assert corners(outline(program, holed), ring=1) == [
        [30, 30], [50, 30], list(there), [30, 50],
    ]  # fmt: skip
    assert corners(outline(program, holed)) == corners(HOLED)


def test_a_vertex_dropped_beyond_the_image_stays_at_its_edge(program):
    (square,) = put(program.session, SQUARE)
    drag_vertex(program, square, 2, (130, 95))
    assert corners(outline(program, square))[2] == [100, 80]


def test_a_vertex_dragged_across_the_outline_leaves_a_valid_one(program):
    (square,) = put(program.session, SQUARE)
    drag_vertex(program, square, 0, (70, 40))
    segmentation = outline(program, square)
    assert segmentation.geometry.is_valid
    assert segmentation != SQUARE


def test_vertices_of_the_selected_one_come_before_bodies_in_front(program):
    square, front = put(program.session, SQUARE, BEHIND)
    there = drag_vertex(program, square, 2, (65, 70))
    assert corners(outline(program, square))[2] == list(there)
    assert outline(program, front) == BEHIND
    assert program.session.selection == {square}


def test_esc_puts_a_vertex_back(program):
    (square,) = put(program.session, SQUARE)
    program.session.select([square])
    program.hand.press((60, 60))
    program.hand.move((70, 70))
    program.key(Qt.Key.Key_Escape)
    program.hand.release((70, 70))
    assert outline(program, square) == SQUARE
    assert program.titles() == ["Draw"]


def test_undo_in_the_middle_of_dragging_a_vertex_does_no_harm(program):
    (square,) = put(program.session, SQUARE)
    program.session.select([square])
    program.hand.click((20, 40), held=ALT)
    assert len(corners(outline(program, square))) == 5
    program.hand.press((20, 40))
    program.hand.move((10, 40))
    program.key("z", CTRL)
    program.hand.move((5, 40))
    program.hand.release((5, 40))
    segmentation = outline(program, square)
    assert segmentation.geometry.is_valid
    assert len(corners(segmentation)) in (4, 5)


# Inserting and deleting vertices


def insert_by_dragging(program, at):
    program.hand.drag(at, (at[0], at[1] - 4), (at[0], at[1] - 8))


def insert_by_alt_click(program, at):
    program.hand.click(at, held=ALT)


def insert_by_double_click(program, at):
    program.hand.double_click(at)


@pytest.mark.parametrize(
    "insert", [insert_by_dragging, insert_by_alt_click, insert_by_double_click]
)
@pytest.mark.parametrize("ring", [0, 1], ids=["outer ring", "hole"])
def test_a_vertex_is_inserted_on_an_edge_in_one_step(program, insert, ring):
    (holed,) = put(program.session, HOLED)
    program.session.select([holed])
    at = ((40, 20), (40, 30))[ring]
    insert(program, at)

    before, after = corners(HOLED, ring=ring), corners(outline(program, holed), ring=ring)
    assert len(after) == 5
    assert [after[0], *after[2:]] == before
    tolerance = 9 if insert is insert_by_dragging else 0.2
    assert after[1] == pytest.approx(at, abs=tolerance)
    assert program.titles() == ["Insert vertex", "Draw"]


def test_a_vertex_inserted_by_a_click_lies_on_the_edge(program):
    (square,) = put(program.session, SQUARE)
    program.session.select([square])
    program.hand.click((60.3, 41), held=ALT)
    x, _ = corners(outline(program, square))[2]
    assert x == 60


def delete_by_alt_click(program, at):
    program.hand.click(at, held=ALT)


def delete_by_shift_click(program, at):
    program.hand.click(at, held=SHIFT)


def delete_by_backspace(program, at):
    program.hand.move(at)
    program.key(Qt.Key.Key_Backspace)


@pytest.mark.parametrize(
    "delete", [delete_by_alt_click, delete_by_shift_click, delete_by_backspace]
)
def test_a_vertex_is_deleted_in_one_step(program, delete):
    (square,) = put(program.session, SQUARE)
    program.session.select([square])
    program.hand.move((40, 40))
    delete(program, (60, 60))
    assert corners(outline(program, square)) == [[20, 20], [60, 20], [20, 60]]
    assert program.titles() == ["Delete vertex", "Draw"]


def test_a_triangle_that_loses_a_vertex_is_deleted_and_comes_back_with_undo(program):
    triangle = Segmentation.from_rings([(20, 20), (60, 20), (20, 60)])
    (drawn,) = put(program.session, triangle)
    program.session.select([drawn])
    program.hand.click((60, 20), held=ALT)
    assert program.annotations == []
    program.key("z", CTRL)
    assert outline(program, drawn) == triangle


def test_a_hole_that_loses_a_corner_too_many_is_filled(program):
    (holed,) = put(program.session, HOLED)
    program.session.select([holed])
    program.hand.click((50, 50), held=ALT)
    program.hand.click((50, 30), held=ALT)
    assert outline(program, holed) == SQUARE


def test_backspace_where_there_is_no_vertex_deletes_nothing(program):
    (square,) = put(program.session, SQUARE)
    program.session.select([square])
    program.hand.move((40, 40))
    program.key(Qt.Key.Key_Backspace)
    assert outline(program, square) == SQUARE


def test_the_hint_says_what_the_mouse_would_do(program):
    put(program.session, SQUARE)
    program.hand.move((40, 40))
    assert "Click selects" in program.window.status.hint.text()
    program.hand.click((40, 40))
    program.hand.move((60, 60))
    assert "Drag the vertex" in program.window.status.hint.text()
    program.hand.move((60, 40))
    assert "insert a vertex" in program.window.status.hint.text()
    program.hand.move((90, 75))
    assert "P draws" in program.window.status.hint.text()
