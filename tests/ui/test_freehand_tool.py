"""Draw an outline in one stroke."""

import math

import numpy as np
import pytest
import shapely
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from shapely.geometry import Polygon

from support.hand import CTRL, LEFT, NONE, SHIFT
from support.interruptions import DROPS, VIEW_CHANGES, pan
from support.outlines import SQUARE, corners, put
from support.unwritable import break_database, mend_database


def around(x, y, radius, count=120):
    """Points along a circle, as a hand follows it."""
    angles = [2 * math.pi * n / count for n in range(count)]
    return [(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles]


CIRCLE = around(50, 40, 30)


@pytest.fixture
def drawing(program):
    """The program with the freehand tool in hand."""
    program.key("f", SHIFT)
    assert program.window.verbs["freehand"].isChecked()
    return program


def reached(program, points):
    """Where the pointer gets to, within the image of 100 x 80."""
    return np.clip([program.hand.there(point) for point in points], 0, (100, 80))


def drawn(program):
    (annotation,) = program.annotations
    assert program.session.selection == {annotation.id}
    return Polygon(corners(annotation.segmentation))


def begin(program, points=CIRCLE):
    """Press and draw along points, without letting go."""
    program.hand.press(points[0])
    for point in points[1:]:
        QTest.mouseMove(program.canvas, program.hand.screen(point))


@pytest.mark.parametrize("scale", [0.1, 1, 8])
def test_a_stroke_is_closed_in_one_step_and_selected(drawing, scale):
    drawing.look_at((50, 40), scale)
    points = reached(drawing, CIRCLE)
    drawing.hand.drag(*CIRCLE)
    outline = drawn(drawing)
    assert drawing.titles() == ["Draw"]
    # Thinned by a screen point at most, and by vertices that were drawn.
    assert shapely.distance(shapely.points(points), outline.exterior).max() <= 1 / scale + 1e-9
    vertices = {tuple(vertex) for vertex in outline.exterior.coords}
    assert vertices <= {tuple(point) for point in points.tolist()}
    assert len(vertices) < len(CIRCLE) / 2
    assert shapely.hausdorff_distance(outline, Polygon(points)) <= 1 / scale + 1e-9


def test_the_larger_the_magnification_the_more_detail_is_kept(drawing):
    counts = []
    for scale in (0.5, 2, 8):
        drawing.look_at((50, 40), scale)
        drawing.hand.drag(*CIRCLE)
        counts.append(drawing.session.selected()[0].segmentation.vertex_count)
    assert counts == sorted(set(counts))


def test_what_was_drawn_under_magnification_keeps_its_detail(drawing):
    drawing.look_at((50, 40), 8)
    points = reached(drawing, CIRCLE)
    begin(drawing)
    drawing.hand.wheel(CIRCLE[-1], -12)
    assert drawing.canvas.viewport.scale < 1
    drawing.hand.release(CIRCLE[-1])
    far = shapely.distance(shapely.points(points), drawn(drawing).exterior)
    assert far.max() <= 1 / 8 + 1e-9


def test_undo_and_redo_give_back_exactly_what_was(drawing):
    put(drawing.session, SQUARE)
    before = drawing.annotations
    drawing.hand.drag(*CIRCLE)
    after = drawing.annotations
    drawing.key("z", CTRL)
    assert drawing.annotations == before
    drawing.key("y", CTRL)
    assert drawing.annotations == after


@pytest.mark.parametrize("scale", [0.1, 1, 4])
def test_what_leaves_the_image_follows_its_edge(drawing, scale):
    drawing.look_at((90, 70), scale)
    circle = around(90, 70, 40)
    drawing.hand.drag(*circle)
    outline = drawn(drawing)
    assert shapely.box(0, 0, 100, 80).covers(outline)
    wanted = Polygon(reached(drawing, circle))
    assert shapely.hausdorff_distance(outline, wanted) <= 1 / scale + 1e-9


def test_a_stroke_that_crosses_itself_keeps_both_loops(drawing):
    stops = [(20, 20), (80, 60), (80, 20), (20, 60)]
    drawing.hand.drag(*stops)
    (annotation,) = drawing.annotations
    assert annotation.segmentation.geometry.is_valid
    assert annotation.segmentation.area == pytest.approx(1200, rel=0.05)


@pytest.mark.parametrize(
    "stops",
    [
        [(30, 30)],
        [(30, 30), (31, 31)],
        [(30, 30), (32, 30), (32, 32), (30, 32)],
        [(30, 30), (50, 30), (70, 30)],
        [(30, 30), (50, 50), (30, 30)],
        [(-30, 10), (-25, 40), (-30, 70)],
        [(-30, 30)],
    ],
)
@pytest.mark.parametrize("scale", [0.1, 1])
def test_a_stroke_without_area_does_nothing_and_says_nothing(drawing, stops, scale):
    drawing.look_at((50, 40), scale)
    drawing.hand.drag(stops[0], *stops)
    assert drawing.annotations == []
    assert drawing.told == []
    assert not drawing.window.verbs["undo"].isEnabled()
    assert "Press and drag" in drawing.window.status.hint.text()


@pytest.mark.parametrize("drop", DROPS)
def test_a_stroke_can_be_dropped_in_the_middle(drawing, drop):
    put(drawing.session, SQUARE)
    begin(drawing)
    drop(drawing)
    drawing.hand.move((80, 70))
    drawing.hand.release((80, 70))
    assert len(drawing.annotations) == 1
    assert drawing.session.history().undo == "Draw"
    assert drawing.told == []
    drawing.hand.drag(*CIRCLE)
    assert len(drawing.annotations) == 2


def test_esc_drops_the_stroke_then_the_tool(drawing):
    begin(drawing)
    drawing.key(Qt.Key.Key_Escape)
    assert drawing.window.verbs["freehand"].isChecked()
    drawing.key(Qt.Key.Key_Escape)
    assert drawing.window.verbs["select"].isChecked()


@pytest.mark.parametrize("change", VIEW_CHANGES)
def test_the_view_may_move_in_the_middle(drawing, change):
    drawing.look_at((50, 40), 6)
    half = len(CIRCLE) // 2
    before = drawing.canvas.viewport
    begin(drawing, CIRCLE[:half])
    # Panning goes through the middle of the circle; the hand takes the pointer there.
    if change is pan:
        first = drawing.hand.screen(CIRCLE[half])
        QTest.mousePress(drawing.canvas, Qt.MouseButton.MiddleButton, NONE, first)
        last = drawing.hand.screen((CIRCLE[half][0] + 5, CIRCLE[half][1] + 5))
        QTest.mouseMove(drawing.canvas, last)
        QTest.mouseRelease(drawing.canvas, Qt.MouseButton.MiddleButton, NONE, last)
    else:
        change(drawing)
    assert drawing.canvas.viewport != before
    for point in CIRCLE[half:]:
        QTest.mouseMove(drawing.canvas, drawing.hand.screen(point))
    drawing.hand.release(CIRCLE[-1])
    assert shapely.hausdorff_distance(drawn(drawing), Polygon(CIRCLE)) < 0.5


def test_another_stroke_may_begin_at_once_where_one_began(drawing):
    drawing.hand.drag(*CIRCLE)
    QTest.mouseDClick(drawing.canvas, LEFT, NONE, drawing.hand.screen(CIRCLE[0]))
    for point in around(70, 40, 10)[::-1]:
        QTest.mouseMove(drawing.canvas, drawing.hand.screen(point))
    drawing.hand.release(CIRCLE[0])
    assert drawing.titles() == ["Draw", "Draw"]


def test_going_to_another_image_drops_the_stroke(drawing):
    begin(drawing)
    drawing.key("d")
    drawing.until(lambda: drawing.shows("b.png"))
    drawing.hand.release((50, 50))
    assert drawing.annotations == []


def test_what_is_drawn_is_of_the_current_category(drawing):
    for name in ("one", "two"):
        drawing.window.categories.field.setFocus()
        drawing.type(name)
        drawing.key(Qt.Key.Key_Return)
    drawing.canvas.setFocus()
    drawing.key("2")
    drawing.hand.drag(*CIRCLE)
    assert drawing.session.category(drawing.annotations[0].category_id).name == "two"


@pytest.fixture
def unwritten(drawing):
    """The program with a stroke that could not be written."""
    break_database(drawing.session.folder)
    drawing.hand.drag(*CIRCLE)
    assert drawing.annotations == []
    (sentence,) = drawing.problems
    assert "cannot be written" in sentence
    assert "Enter tries again" in drawing.window.status.hint.text()
    return drawing


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_a_stroke_that_cannot_be_written_can_be_tried_again(unwritten, key):
    unwritten.key(key)
    assert len(unwritten.problems) == 2
    mend_database(unwritten.session.folder)
    unwritten.hand.drag((10, 10), (12, 70), (20, 40))
    unwritten.key(key)
    assert shapely.hausdorff_distance(drawn(unwritten), Polygon(CIRCLE)) < 0.5


@pytest.mark.parametrize("drop", DROPS)
def test_a_stroke_that_cannot_be_written_can_be_dropped(unwritten, drop):
    mend_database(unwritten.session.folder)
    drop(unwritten)
    unwritten.key(Qt.Key.Key_Return)
    assert unwritten.annotations == []
    assert "Press and drag" in unwritten.window.status.hint.text()


def test_enter_in_the_middle_of_a_stroke_leaves_it(drawing):
    begin(drawing)
    drawing.key(Qt.Key.Key_Return)
    assert drawing.annotations == []
    drawing.hand.release(CIRCLE[-1])
    assert shapely.hausdorff_distance(drawn(drawing), Polygon(CIRCLE)) < 0.5


def test_the_hint_and_the_pointer_tell_what_to_do(drawing):
    hint = drawing.window.status.hint
    drawing.hand.move(CIRCLE[0])
    assert drawing.canvas.cursor().shape() is Qt.CursorShape.CrossCursor
    assert "Press and drag" in hint.text()
    begin(drawing)
    assert "Let go to close" in hint.text()
    drawing.hand.release(CIRCLE[-1])
    assert "Press and drag" in hint.text()


def test_the_stroke_is_seen_while_it_is_drawn(drawing):
    drawing.look_at((50, 40), 8)
    stops = [(20, 20), (60, 20), (60, 60)]
    plain = drawing.colour((40, 20))
    begin(drawing, stops)
    assert drawing.colour((40, 20)) != plain
    drawing.key(Qt.Key.Key_Escape)
    assert drawing.colour((40, 20)) == plain
