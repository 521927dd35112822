"""Draw rectangles and ellipses by the box around them."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from shapely.geometry import Polygon

from maskstudio.annotation.shapes import ellipse_vertices
from support.hand import ALT, CTRL, LEFT, MIDDLE, NONE, SHIFT
from support.interruptions import DROPS, VIEW_CHANGES
from support.outlines import SQUARE, corners, put
from support.unwritable import break_database, mend_database

KEYS = {"rectangle": "r", "ellipse": "e"}
START, END = (20, 15), (75, 60)


@pytest.fixture(params=list(KEYS))
def drawing(program, request):
    """The program with the rectangle or the ellipse tool in hand."""
    program.key(KEYS[request.param], SHIFT)
    assert program.window.verbs[request.param].isChecked()
    return program


def box_of(program, start=START, end=END):
    """The box between the two places the pointer gets to, within the image of 100 x 80."""
    ends = np.clip([program.hand.there(start), program.hand.there(end)], 0, (100, 80))
    return (*ends.min(axis=0).tolist(), *ends.max(axis=0).tolist())


def outline(program, box):
    """The vertices that the tool in hand makes in a box."""
    if program.window.verbs["ellipse"].isChecked():
        return ellipse_vertices(box).tolist()
    x0, y0, x1, y1 = box
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]


def drawn(program):
    (annotation,) = program.annotations
    assert program.session.selection == {annotation.id}
    return corners(annotation.segmentation)


def sides(program):
    x0, y0, x1, y1 = Polygon(drawn(program)).bounds
    return x1 - x0, y1 - y0


def middle(program):
    x0, y0, x1, y1 = Polygon(drawn(program)).bounds
    return (x0 + x1) / 2, (y0 + y1) / 2


def by_drag(program, start=START, end=END, held=NONE):
    program.hand.drag(start, end, held=held)


def by_clicks(program, start=START, end=END, held=NONE):
    program.hand.click(start)
    program.hand.click(end, held=held)


GESTURES = pytest.mark.parametrize("gesture", [by_drag, by_clicks])


@GESTURES
@pytest.mark.parametrize("scale", [0.1, 1, 8])
def test_a_shape_is_drawn_in_one_step_and_selected(drawing, gesture, scale):
    drawing.look_at((50, 40), scale)
    box = box_of(drawing)
    gesture(drawing)
    assert drawn(drawing) == outline(drawing, box)
    assert drawing.titles() == ["Draw"]


@GESTURES
def test_undo_and_redo_give_back_exactly_what_was(drawing, gesture):
    put(drawing.session, SQUARE)
    before = drawing.annotations
    gesture(drawing)
    after = drawing.annotations
    drawing.key("z", CTRL)
    assert drawing.annotations == before
    drawing.key("y", CTRL)
    assert drawing.annotations == after


@GESTURES
@pytest.mark.parametrize("end", [(75, 60), (75, 5), (5, 60), (5, 5)])
def test_the_second_corner_may_lie_on_any_side(drawing, gesture, end):
    start = (40, 30)
    box = box_of(drawing, start, end)
    gesture(drawing, start, end)
    assert drawn(drawing) == outline(drawing, box)


@GESTURES
@pytest.mark.parametrize("scale", [0.1, 1, 8])
def test_shift_makes_both_sides_alike(drawing, gesture, scale):
    drawing.look_at((45, 40), scale)
    start, end = drawing.hand.there((10, 10)), drawing.hand.there((70, 30))
    gesture(drawing, (10, 10), (70, 30), SHIFT)
    width, height = sides(drawing)
    assert width == pytest.approx(height)
    assert width == pytest.approx(end[0] - start[0], rel=0.01)


@GESTURES
@pytest.mark.parametrize("scale", [0.1, 1, 8])
def test_alt_draws_from_the_centre(drawing, gesture, scale):
    drawing.look_at((50, 40), scale)
    start, end = drawing.hand.there((30, 40)), drawing.hand.there((80, 60))
    gesture(drawing, (30, 40), (80, 60), ALT)
    assert middle(drawing) == pytest.approx(start)
    # To the left there is less room than the hand went to the right.
    wanted = 2 * start[0], 2 * (end[1] - start[1])
    assert sides(drawing) == pytest.approx(wanted, rel=0.01)


@GESTURES
def test_shift_and_alt_draw_both_sides_alike_from_the_centre(drawing, gesture):
    start, end = drawing.hand.there((50, 40)), drawing.hand.there((75, 45))
    gesture(drawing, (50, 40), (75, 45), SHIFT | ALT)
    assert middle(drawing) == pytest.approx(start)
    side = 2 * (end[0] - start[0])
    assert sides(drawing) == pytest.approx((side, side), rel=0.01)


@GESTURES
@pytest.mark.parametrize("scale", [0.1, 1, 4])
def test_what_leaves_the_image_ends_at_its_edge(drawing, gesture, scale):
    drawing.look_at((80, 60), scale)
    start = (70, 50)
    box = box_of(drawing, start, (150, 110))
    assert box[2:] == (100, 80)
    gesture(drawing, start, (150, 110))
    assert drawn(drawing) == outline(drawing, box)


@GESTURES
def test_what_begins_beyond_the_image_begins_at_its_edge(drawing, gesture):
    drawing.look_at((50, 40), 4)
    gesture(drawing, (-10, -10), (140, 100))
    assert drawn(drawing) == outline(drawing, (0, 0, 100, 80))


@GESTURES
@pytest.mark.parametrize("held", [SHIFT, ALT, SHIFT | ALT])
def test_what_shift_and_alt_make_stays_within_the_image(drawing, gesture, held):
    drawing.look_at((80, 60), 4)
    gesture(drawing, (80, 50), (120, 90), held)
    x0, y0, x1, y1 = Polygon(drawn(drawing)).bounds
    assert x0 >= 0
    assert y0 >= 0
    assert x1 <= 100
    assert y1 <= 80


@pytest.mark.parametrize("end", [(-30, 60), (-10, -20)])
def test_a_drag_beside_the_image_draws_nothing_and_says_nothing(drawing, end):
    drawing.look_at((0, 40), 4)
    drawing.hand.drag((-20, 20), end)
    assert drawing.annotations == []
    assert drawing.told == []


def test_a_trembling_hand_clicks(drawing):
    drawing.look_at((50, 40), 1)
    start = (30, 30)
    box = box_of(drawing, start, END)
    drawing.hand.drag(start, (32, 31))
    assert drawing.annotations == []
    drawing.hand.click((31, 30))
    assert drawing.annotations == []
    drawing.hand.click(END)
    assert drawn(drawing) == outline(drawing, box)


def test_the_second_corner_is_where_the_button_is_let_go(drawing):
    box = box_of(drawing)
    drawing.hand.click(START)
    drawing.hand.drag((50, 50), END)
    assert drawn(drawing) == outline(drawing, box)


def test_a_double_click_is_two_clicks_on_one_spot(drawing):
    box = box_of(drawing)
    drawing.hand.double_click(START)
    assert drawing.annotations == []
    drawing.hand.click(END)
    assert drawn(drawing) == outline(drawing, box)


def test_another_shape_may_begin_at_once_where_one_began(drawing):
    at = drawing.hand.screen(START)
    by_drag(drawing)
    QTest.mouseDClick(drawing.canvas, LEFT, NONE, at)
    drawing.hand.release((40, 40))
    assert len(drawing.annotations) == 2
    assert drawing.titles() == ["Draw", "Draw"]


@pytest.mark.parametrize("drop", DROPS)
def test_a_drag_can_be_dropped(drawing, drop):
    put(drawing.session, SQUARE)
    drawing.hand.press(START)
    drawing.hand.move(END)
    drop(drawing)
    drawing.hand.release(END)
    drawing.hand.move((90, 70))
    assert len(drawing.annotations) == 1
    assert drawing.session.history().undo == "Draw"
    assert drawing.told == []
    by_drag(drawing)
    assert len(drawing.annotations) == 2


@pytest.mark.parametrize("drop", DROPS)
def test_the_first_corner_can_be_dropped(drawing, drop):
    put(drawing.session, SQUARE)
    drawing.hand.click(START)
    drop(drawing)
    drawing.hand.click(END)
    assert len(drawing.annotations) == 1
    assert drawing.session.history().undo == "Draw"
    drawing.hand.click((90, 70))
    assert len(drawing.annotations) == 2


def test_esc_drops_the_shape_then_the_tool(drawing):
    drawing.hand.click(START)
    drawing.key(Qt.Key.Key_Escape)
    assert not drawing.window.verbs["select"].isChecked()
    drawing.key(Qt.Key.Key_Escape)
    assert drawing.window.verbs["select"].isChecked()


def test_undo_is_offered_while_there_is_something_to_drop(drawing):
    undo = drawing.window.verbs["undo"]
    assert not undo.isEnabled()
    drawing.hand.press(START)
    assert undo.isEnabled()
    drawing.key("z", CTRL)
    assert not undo.isEnabled()


@pytest.mark.parametrize("change", VIEW_CHANGES)
@pytest.mark.parametrize("finish", ["drag", "click"])
def test_the_view_may_move_in_the_middle(drawing, change, finish):
    first = drawing.hand.there(START)
    drawing.hand.press(START)
    if finish == "click":
        drawing.hand.release(START)
    before = drawing.canvas.viewport
    change(drawing)
    assert drawing.canvas.viewport != before
    last = drawing.hand.there(END)
    if finish == "click":
        drawing.hand.click(END)
    else:
        drawing.hand.move(END)
        drawing.hand.release(END)
    assert drawn(drawing) == outline(drawing, (*first, *last))


def test_space_and_drag_pan_between_the_two_clicks(drawing):
    first = drawing.hand.there(START)
    drawing.hand.click(START)
    QTest.keyPress(drawing.canvas, Qt.Key.Key_Space)
    drawing.hand.drag((50, 40), (30, 20))
    QTest.keyRelease(drawing.canvas, Qt.Key.Key_Space)
    assert drawing.annotations == []
    last = drawing.hand.there(END)
    drawing.hand.click(END)
    assert drawn(drawing) == outline(drawing, (*first, *last))


def test_letting_go_while_the_middle_button_pans_ends_the_drag(drawing):
    box = box_of(drawing)
    drawing.hand.press(START)
    drawing.hand.press(END, MIDDLE)
    drawing.hand.release(END)
    assert drawn(drawing) == outline(drawing, box)
    before = drawing.canvas.viewport
    drawing.hand.move((50, 40))
    assert drawing.canvas.viewport != before
    drawing.hand.release((50, 40), MIDDLE)
    after = drawing.canvas.viewport
    drawing.hand.move((60, 50))
    assert drawing.canvas.viewport == after


def test_going_to_another_image_drops_the_shape(drawing):
    drawing.hand.click(START)
    drawing.key("d")
    drawing.until(lambda: drawing.shows("b.png"))
    drawing.hand.click((50, 50))
    assert drawing.annotations == []


def test_what_is_drawn_is_of_the_current_category(drawing):
    for name in ("one", "two"):
        drawing.window.categories.field.setFocus()
        drawing.type(name)
        drawing.key(Qt.Key.Key_Return)
    drawing.canvas.setFocus()
    drawing.key("1")
    by_drag(drawing)
    drawing.session.select(())
    drawing.key("2")
    by_drag(drawing, (30, 30), (50, 50))
    names = [drawing.session.category(a.category_id).name for a in drawing.annotations]
    assert names == ["one", "two"]


def test_a_shape_that_cannot_be_written_waits_for_another_click(drawing):
    box = box_of(drawing)
    break_database(drawing.session.folder)
    by_drag(drawing)
    assert drawing.annotations == []
    (sentence,) = drawing.problems
    assert "cannot be written" in sentence
    assert "opposite corner" in drawing.window.status.hint.text()
    mend_database(drawing.session.folder)
    drawing.hand.click(END)
    assert drawn(drawing) == outline(drawing, box)


def test_the_hint_and_the_pointer_tell_what_to_do(drawing):
    hint = drawing.window.status.hint
    drawing.hand.move(START)
    assert drawing.canvas.cursor().shape() is Qt.CursorShape.CrossCursor
    assert "Drag" in hint.text()
    drawing.hand.press(START)
    assert "Let go" in hint.text()
    drawing.hand.release(START)
    assert "Click the opposite corner" in hint.text()
    drawing.hand.click(END)
    assert "Drag" in hint.text()
    for words in ("Shift", "Alt"):
        assert words in hint.text()


def test_the_shape_is_seen_before_it_is_set(drawing):
    drawing.look_at((50, 40), 8)
    top = ((START[0] + END[0]) / 2, min(y for _, y in outline(drawing, box_of(drawing))))
    plain = drawing.colour(top)
    drawing.hand.press(START)
    drawing.hand.move(END)
    assert drawing.colour(top) != plain
    drawing.key(Qt.Key.Key_Escape)
    assert drawing.colour(top) == plain


@pytest.mark.parametrize("key", [Qt.Key.Key_Shift, Qt.Key.Key_Alt])
def test_what_shift_and_alt_make_is_seen_while_the_mouse_rests(drawing, key):
    drawing.hand.press(START)
    drawing.hand.move(END)
    plain = drawing.canvas.grab().toImage()
    QTest.keyPress(drawing.canvas, key)
    assert drawing.canvas.grab().toImage() != plain
    QTest.keyRelease(drawing.canvas, key)
    assert drawing.canvas.grab().toImage() == plain


def test_capital_letters_are_typed_where_one_types(program):
    field = program.window.categories.field
    field.setFocus()
    for letter in ("r", "e", "f"):
        program.key(letter, SHIFT)
    assert len(field.text()) == 3
    assert program.window.verbs["select"].isChecked()
