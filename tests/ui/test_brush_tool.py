"""Paint with a brush: one step of undo for each stroke, exact where it did not go."""

import math

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from maskstudio.annotation.segmentation import Part, Segmentation, as_ring
from maskstudio.session import category_operations
from support.hand import CTRL, LEFT, NONE, RIGHT, SHIFT
from support.outlines import HOLED, SQUARE, corners, put
from support.pictures import write_picture

SCALES = [0.1, 1.0, 8.0]
CORNER = Segmentation.from_rings([(80, 5), (95, 5), (95, 15), (80, 15)])
# A large outline with a hole, for strokes that can be seen from afar.
WIDE = Segmentation(
    (
        Part(
            as_ring([(500, 300), (900, 300), (900, 700), (500, 700)]),
            (as_ring([(680, 480), (720, 480), (720, 520), (680, 520)]),),
        ),
    )
)


def outline(program, annotation_id):
    return program.session.annotations[annotation_id].segmentation


def hint(program):
    return program.window.status.hint.text()


def capsule(start, end, radius):
    return math.dist(start, end) * 2 * radius + math.pi * radius**2


@pytest.fixture
def brush(program):
    """The program with the brush in hand, 20 pixels wide, over `a.png` (100 x 80)."""
    program.key("b", SHIFT)
    assert program.window.verbs["brush"].isChecked()
    return program


@pytest.fixture
def large(start, tmp_path):
    """The program with an image of 1600 x 1200 and the brush in hand."""
    write_picture(tmp_path / "large" / "large.png", 1200, 1600)
    program = start()
    program.open(tmp_path / "large")
    program.canvas.setFocus()
    program.key("b", SHIFT)
    return program


def widen(program, size):
    """Turn the wheel until the brush is that wide or wider; return how wide it is drawn."""
    steps = math.ceil(math.log(size / 20, 1.2))
    program.hand.wheel((700, 500), steps)
    return 20 * 1.2**steps


# Strokes


@pytest.mark.parametrize("scale", SCALES)
def test_a_stroke_over_empty_ground_begins_an_annotation_in_one_step(large, scale):
    category_operations.add_category(large.session, "one")
    two = category_operations.add_category(large.session, "two")
    large.key("2")
    large.look_at((700, 500), scale)
    start, end = large.hand.there((690, 500)), large.hand.there((720, 510))
    large.hand.drag((690, 500), (705, 505), (720, 510))
    (drawn,) = large.annotations
    assert drawn.category_id == two.id
    assert large.session.selection == {drawn.id}
    assert drawn.segmentation.area == pytest.approx(capsule(start, end, 10), rel=0.06)
    assert drawn.segmentation.contains(*start)
    assert drawn.segmentation.contains(*end)
    assert large.titles()[0] == "Draw"
    large.key("z", CTRL)
    assert large.annotations == []
    large.key("y", CTRL)
    assert large.annotations == [drawn]


@pytest.mark.parametrize("scale", SCALES)
def test_a_stroke_adds_to_the_selected_one_and_keeps_its_hole(large, scale):
    (wide,) = put(large.session, WIDE)
    before = large.annotations
    large.session.select([wide])
    large.look_at((890, 500), scale)
    large.hand.drag((890, 480), (905, 490), (890, 520))
    after = outline(large, wide)
    assert after.box[2] > 900
    assert after.area > WIDE.area
    (hole,) = after.parts[0].holes
    assert sorted(hole.tolist()) == sorted(corners(WIDE, ring=1))
    assert {tuple(v) for v in corners(WIDE)} <= {tuple(v) for v in corners(after)}
    assert large.titles() == ["Brush", "Draw"]
    large.key("z", CTRL)
    assert large.annotations == before
    large.key("z", CTRL | SHIFT)
    assert outline(large, wide) == after


@pytest.mark.parametrize("scale", SCALES)
def test_with_ctrl_a_stroke_erases(large, scale):
    (wide,) = put(large.session, WIDE)
    before = large.annotations
    large.session.select([wide])
    large.look_at((890, 500), scale)
    there = large.hand.there((890, 500))
    large.hand.drag((890, 500), (890, 500), held=CTRL)
    after = outline(large, wide)
    assert not after.contains(*there)
    assert after.area < WIDE.area
    assert {tuple(v) for v in corners(WIDE)} <= {tuple(v) for v in corners(after)}
    assert large.titles() == ["Erase", "Draw"]
    large.key("z", CTRL)
    assert large.annotations == before


@pytest.mark.parametrize("scale", SCALES)
def test_erasing_everything_deletes_the_annotation(large, scale):
    small = Segmentation.from_rings([(690, 490), (710, 490), (710, 510), (690, 510)])
    (drawn,) = put(large.session, small)
    before = large.annotations
    large.session.select([drawn])
    large.look_at((700, 500), scale)
    widen(large, 60)
    large.hand.click((700, 500), held=CTRL)
    assert large.annotations == []
    assert large.titles() == ["Delete annotation", "Draw"]
    large.key("z", CTRL)
    assert large.annotations == before


def by_enter(program):
    program.key(Qt.Key.Key_Return)


def by_right_click(program):
    QTest.mouseClick(program.canvas, RIGHT, NONE, program.hand.screen((70, 40)))


@pytest.mark.parametrize("end", [by_enter, by_right_click])
def test_every_stroke_is_a_step_and_all_go_to_one_annotation_until_it_is_ended(brush, end):
    for x in (20, 30, 40):
        brush.hand.drag((x, 30), (x, 50))
    (first,) = brush.annotations
    assert brush.titles() == ["Brush", "Brush", "Draw"]
    brush.session.select([first.id])
    end(brush)
    assert brush.session.selection == set()
    brush.hand.click((80, 60))
    kept, _ = brush.annotations
    assert kept == first


def test_the_second_of_two_quick_dabs_is_painted_too(brush):
    (square,) = put(brush.session, SQUARE)
    brush.session.select([square])
    brush.hand.click((60, 30))
    # What Qt tells of when the second press comes soon, even at another place.
    QTest.mouseDClick(brush.canvas, LEFT, NONE, brush.hand.screen((60, 50)))
    brush.hand.release((60, 50))
    assert outline(brush, square).contains(65, 30)
    assert outline(brush, square).contains(65, 50)
    assert brush.titles() == ["Brush", "Brush", "Draw"]


def test_what_was_selected_stays_selected_with_the_brush_in_hand(program):
    square, _ = put(program.session, SQUARE, CORNER)
    program.hand.click((40, 40))
    program.key("b", SHIFT)
    assert program.session.selection == {square}
    program.hand.drag((60, 40), (65, 40))
    assert outline(program, square).box[2] > 65


def test_what_was_hovered_before_the_brush_is_forgotten(program):
    (square,) = put(program.session, SQUARE)
    program.session.select([square])
    program.hand.move((60, 60))
    program.key("b", SHIFT)
    program.hand.move((40, 40))
    program.key("v")
    program.key(Qt.Key.Key_Backspace)
    assert outline(program, square) == SQUARE


def test_several_selected_are_left_alone(brush):
    ids = put(brush.session, SQUARE, CORNER)
    brush.session.select(ids)
    before = brush.annotations
    assert "Select one annotation" in hint(brush)
    brush.hand.drag((60, 40), (70, 40))
    brush.hand.drag((60, 40), (70, 40), held=CTRL)
    assert brush.annotations == before


def test_there_is_nothing_to_erase_where_nothing_is_selected(brush):
    put(brush.session, SQUARE)
    brush.hand.drag((60, 40), (70, 40), held=CTRL)
    assert [a.segmentation for a in brush.annotations] == [SQUARE]
    assert brush.titles() == ["Draw"]


def test_a_stroke_over_the_edge_of_the_image_ends_there(brush):
    brush.hand.drag((90, 40), (130, 40))
    (drawn,) = brush.annotations
    assert drawn.box[2] == 100
    assert drawn.segmentation.geometry.is_valid


def test_a_hole_can_be_painted_shut_and_made_anew(brush):
    (holed,) = put(brush.session, HOLED)
    brush.session.select([holed])
    brush.hand.drag((35, 35), (45, 35), (45, 45), (35, 45), (35, 38))
    assert [len(part.holes) for part in outline(brush, holed).parts] == [0]
    brush.hand.click((40, 40), held=CTRL)
    assert [len(part.holes) for part in outline(brush, holed).parts] == [1]


def test_h_fills_the_hole_under_the_brush(brush):
    (holed,) = put(brush.session, HOLED)
    brush.hand.move((40, 40))
    brush.key("h")
    assert outline(brush, holed) == HOLED
    brush.session.select([holed])
    brush.key("h")
    assert outline(brush, holed) == SQUARE
    assert brush.titles() == ["Fill hole", "Draw"]


def test_a_pre_annotation_that_was_brushed_is_a_persons(predicted):
    best = predicted.annotations[-1]
    predicted.session.select([best.id])
    predicted.key("b", SHIFT)
    predicted.hand.drag((best.box[2], best.box[3]), (best.box[2] + 5, best.box[3]))
    assert not predicted.session.annotations[best.id].is_pre_annotation


# Dropping a stroke


def by_esc(program):
    program.key(Qt.Key.Key_Escape)


def by_undo(program):
    program.key("z", CTRL)


@pytest.mark.parametrize("drop", [by_esc, by_undo, by_right_click])
@pytest.mark.parametrize("held", [NONE, CTRL])
def test_a_stroke_can_be_dropped(brush, drop, held):
    (square,) = put(brush.session, SQUARE)
    brush.session.select([square])
    brush.hand.press((60, 40), held=held)
    brush.hand.move((70, 40))
    assert "drops the stroke" in hint(brush)
    drop(brush)
    brush.hand.move((75, 40))
    brush.hand.release((75, 40))
    assert outline(brush, square) == SQUARE
    assert brush.session.selection == {square}
    assert brush.window.verbs["brush"].isChecked()
    assert brush.titles() == ["Draw"]
    brush.hand.drag((60, 40), (70, 40))
    assert brush.titles() == ["Brush", "Draw"]


def test_going_to_another_image_drops_the_stroke(brush):
    brush.hand.press((40, 40))
    brush.hand.move((60, 40))
    brush.key("d")
    brush.until(lambda: brush.shows("b.png"))
    brush.hand.release((50, 40))
    assert brush.annotations == []


def test_an_annotation_that_went_under_the_stroke_is_not_brought_back(brush):
    (square,) = put(brush.session, SQUARE)
    brush.session.select([square])
    brush.hand.press((60, 40))
    brush.hand.move((70, 40))
    brush.key(Qt.Key.Key_Delete)
    brush.hand.release((70, 40))
    assert brush.annotations == []


def test_esc_puts_the_brush_down_and_leaves_the_selection(brush):
    brush.hand.click((40, 40))
    brush.key(Qt.Key.Key_Escape)
    assert brush.window.verbs["select"].isChecked()
    assert brush.session.selection == {brush.annotations[0].id}


# The width


@pytest.mark.parametrize("scale", SCALES)
def test_the_wheel_changes_the_width_in_image_pixels_at_any_zoom(large, scale):
    large.look_at((700, 500), scale)
    before = large.canvas.viewport
    width = widen(large, 50)
    assert large.canvas.viewport == before
    assert f"({width:.0f} px)" in hint(large)
    for y in (400, 600):
        large.hand.click((700, y))
        x0, y0, x1, y1 = large.annotations[-1].box
        assert (x1 - x0, y1 - y0) == pytest.approx((width, width), abs=0.5)
        large.key(Qt.Key.Key_Return)


def test_keys_change_the_width_within_bounds(brush):
    brush.hand.move((50, 40))
    brush.key(Qt.Key.Key_BracketRight)
    assert "(24 px)" in hint(brush)
    brush.key(Qt.Key.Key_BracketLeft)
    assert "(20 px)" in hint(brush)
    for _ in range(30):
        brush.key(Qt.Key.Key_BracketLeft)
    assert "(1 px)" in hint(brush)
    for _ in range(60):
        brush.key(Qt.Key.Key_BracketRight)
    assert "(500 px)" in hint(brush)


def test_the_wheel_magnifies_during_a_stroke_and_with_ctrl(brush):
    scale = brush.canvas.viewport.scale
    brush.hand.wheel((50, 40), 1, held=CTRL)
    assert brush.canvas.viewport.scale > scale
    scale = brush.canvas.viewport.scale
    brush.hand.press((50, 40))
    brush.hand.wheel((50, 40), 2)
    assert brush.canvas.viewport.scale > scale
    brush.hand.move((54, 40))
    brush.hand.release((54, 40))
    x0, y0, x1, y1 = brush.annotations[0].box
    assert (x1 - x0, y1 - y0) == pytest.approx((24, 20), abs=1)


# What is seen


def colour_at(program, point):
    return program.canvas.grab().toImage().pixelColor(program.hand.screen(point))


def brightest_near(program, point):
    image, at = program.canvas.grab().toImage(), program.hand.screen(point)
    return max(image.pixelColor(at.x() + dx, at.y()).lightness() for dx in range(-3, 4))


@pytest.mark.parametrize("held", [NONE, CTRL])
def test_the_stroke_is_seen_before_it_is_done(brush, held):
    (square,) = put(brush.session, SQUARE)
    brush.session.select([square])
    brush.until(lambda: brush.canvas.settled)
    at = (36, 44)
    before = colour_at(brush, at)
    brush.hand.press((36, 36), held=held)
    brush.hand.move((36, 48))
    assert colour_at(brush, at) != before
    brush.key(Qt.Key.Key_Escape)
    assert colour_at(brush, at) == before


def test_the_brush_is_seen_around_the_pointer(brush):
    brush.hand.move((20, 40))
    edge = (60, 40)
    before = brightest_near(brush, edge)
    brush.hand.move((50, 40))
    assert brightest_near(brush, edge) > max(200, before)
    brush.hand.move((20, 40))
    assert brightest_near(brush, edge) == before


def test_the_hint_says_what_a_drag_does(brush):
    brush.hand.move((50, 40))
    assert "Drag to paint an annotation" in hint(brush)
    brush.hand.press((50, 40))
    assert "Let go to keep" in hint(brush)
    brush.hand.release((50, 40))
    assert "Drag adds" in hint(brush)
    brush.hand.press((50, 40), held=CTRL)
    assert "Let go to erase" in hint(brush)
