"""Draw an outline vertex by vertex, while the view moves under it."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from maskstudio.session import category_operations
from support.hand import MIDDLE, RIGHT
from support.outlines import SQUARE, corners, put

POINTS = ((15, 15), (70, 20), (60, 65), (20, 60))


@pytest.fixture
def drawing(program):
    """The program with the polygon tool in hand and four vertices set."""
    program.key("p")
    for point in POINTS:
        program.hand.click(point)
    return program


def expected(program, points=POINTS):
    return [list(program.hand.there(point)) for point in points]


def drawn(program):
    (annotation,) = program.annotations
    return corners(annotation.segmentation)


def by_first_vertex(program):
    program.hand.click(POINTS[0])


def by_enter(program):
    program.key(Qt.Key.Key_Return)


def by_keypad_enter(program):
    program.key(Qt.Key.Key_Enter)


@pytest.mark.parametrize("close", [by_first_vertex, by_enter, by_keypad_enter])
def test_an_outline_is_closed_in_one_step_and_selected(drawing, close):
    close(drawing)
    assert drawn(drawing) == expected(drawing)
    assert drawing.session.selection == {drawing.annotations[0].id}
    assert drawing.titles() == ["Draw"]
    drawing.session.undo()
    assert drawing.annotations == []


def test_a_double_click_sets_the_last_vertex_once_and_closes(program):
    program.key("p")
    for point in POINTS[:-1]:
        program.hand.click(point)
    program.hand.double_click(POINTS[-1])
    assert drawn(program) == expected(program)


def test_fewer_than_three_vertices_cannot_be_closed(program):
    program.key("p")
    for point in POINTS[:2]:
        program.hand.click(point)
    program.key(Qt.Key.Key_Return)
    program.hand.click(POINTS[0])
    assert program.annotations == []
    program.hand.click(POINTS[2])
    program.key(Qt.Key.Key_Return)
    assert drawn(program) == expected(program, POINTS[:3])


def by_backspace(program):
    program.key(Qt.Key.Key_Backspace)


def by_right_click(program):
    program.hand.click((50, 50), RIGHT)


@pytest.mark.parametrize("drop", [by_backspace, by_right_click])
def test_the_last_vertex_is_dropped(drawing, drop):
    drop(drawing)
    drawing.key(Qt.Key.Key_Return)
    assert drawn(drawing) == expected(drawing, POINTS[:3])


@pytest.mark.parametrize("drop", [by_backspace, by_right_click])
def test_dropping_every_vertex_begins_anew(drawing, drop):
    for _ in range(6):
        drop(drawing)
    for point in POINTS[:3]:
        drawing.hand.click(point)
    drawing.key(Qt.Key.Key_Return)
    assert drawn(drawing) == expected(drawing, POINTS[:3])


def test_ctrl_z_while_drawing_drops_the_last_vertex_and_undoes_nothing(program):
    put(program.session, SQUARE)
    program.show("b.png")
    program.key("p")
    for point in POINTS[:2]:
        program.hand.click((point[0] / 2, point[1] / 2))
    program.key("z", Qt.KeyboardModifier.ControlModifier)
    assert program.session.current.path == "b.png"
    assert program.session.history().undo == "Draw"


def pan_by_middle_button(program):
    program.hand.drag((50, 40), (30, 20), button=MIDDLE)


def pan_by_space(program):
    QTest.keyPress(program.canvas, Qt.Key.Key_Space)
    program.hand.drag((50, 40), (30, 20))
    QTest.keyRelease(program.canvas, Qt.Key.Key_Space)


def zoom_in(program):
    program.hand.wheel((50, 40), 5)


def zoom_out(program):
    program.hand.wheel((50, 40), -5)


@pytest.mark.parametrize("change", [pan_by_middle_button, pan_by_space, zoom_in, zoom_out])
def test_moving_the_view_in_the_middle_of_drawing_keeps_the_vertices(program, change):
    program.key("p")
    first = expected(program, POINTS[:2])
    for point in POINTS[:2]:
        program.hand.click(point)
    before = program.canvas.viewport
    change(program)
    assert program.canvas.viewport != before
    program.hand.click(POINTS[2])
    last = expected(program, POINTS[2:3])
    program.key(Qt.Key.Key_Return)
    assert drawn(program) == first + last
    assert program.session.current.path == "a.png"


def test_space_while_drawing_verifies_nothing(drawing):
    drawing.key(Qt.Key.Key_Space)
    assert drawing.session.current.path == "a.png"
    drawing.key(Qt.Key.Key_Return)
    assert drawn(drawing) == expected(drawing)


def test_esc_drops_the_outline_then_the_tool_then_the_selection(drawing):
    drawing.key(Qt.Key.Key_Return)
    (done,) = drawing.annotations
    drawing.hand.click((80, 70))
    drawing.key(Qt.Key.Key_Escape)
    assert drawing.window.verbs["polygon"].isChecked()
    drawing.key(Qt.Key.Key_Escape)
    assert drawing.window.verbs["select"].isChecked()
    assert drawing.session.selection == {done.id}
    drawing.key(Qt.Key.Key_Escape)
    assert drawing.session.selection == set()
    assert drawing.titles() == ["Draw"]


def test_a_new_outline_may_start_on_top_of_another(program):
    put(program.session, SQUARE)
    program.key("p")
    for point in ((30, 30), (50, 30), (40, 50)):
        program.hand.click(point)
    program.key(Qt.Key.Key_Return)
    assert len(program.annotations) == 2
    assert program.annotations[0].segmentation == SQUARE


def test_vertices_beyond_the_image_are_set_at_its_edge(program):
    program.key("p")
    program.look_at((50, 40), 4)
    for point in ((-5, -5), (120, -5), (120, 90)):
        program.hand.click(point)
    program.key(Qt.Key.Key_Return)
    assert drawn(program) == [[0, 0], [100, 0], [100, 80]]


def test_the_tool_stays_in_hand_for_the_next_one(drawing):
    drawing.key(Qt.Key.Key_Return)
    for point in ((75, 50), (90, 50), (85, 70)):
        drawing.hand.click(point)
    drawing.key(Qt.Key.Key_Return)
    assert len(drawing.annotations) == 2


def test_what_is_drawn_is_of_the_current_category(drawing):
    category_operations.add_category(drawing.session, "one")
    two = category_operations.add_category(drawing.session, "two")
    drawing.key("2")
    drawing.key(Qt.Key.Key_Return)
    assert drawing.annotations[0].category_id == two.id


def test_on_another_image_there_is_no_outline_to_close(drawing):
    drawing.key("d")
    drawing.until(lambda: drawing.shows("b.png"))
    drawing.key(Qt.Key.Key_Return)
    assert drawing.annotations == []


def test_an_outline_is_drawn_to_the_pixel_at_any_magnification(program):
    program.look_at((20, 20), 32)
    program.key("p")
    points = ((15, 15), (25.5, 15.25), (20, 26))
    for point in points:
        program.hand.click(point)
    program.key(Qt.Key.Key_Return)
    for vertex, point in zip(drawn(program), points, strict=True):
        assert vertex == pytest.approx(point, abs=0.5 / 32)
