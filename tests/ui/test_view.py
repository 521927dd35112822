"""Zoom and pan; what is on the screen is the image and what stands on it."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from support.hand import CTRL, MIDDLE, SHIFT
from support.outlines import SQUARE, put


@pytest.mark.parametrize("held", [Qt.KeyboardModifier.NoModifier, CTRL], ids=["plain", "Ctrl"])
@pytest.mark.parametrize("notches", [3, -3, 0.25])
def test_the_wheel_magnifies_at_the_pointer(program, held, notches):
    before = program.canvas.viewport
    at = program.hand.screen((30, 50))
    there = before.to_image(at.x(), at.y())
    program.hand.wheel((30, 50), notches, held)
    after = program.canvas.viewport
    assert (after.scale > before.scale) == (notches > 0)
    assert after.to_image(at.x(), at.y()) == pytest.approx(there)


def test_shift_and_wheel_go_sideways(program):
    before = program.canvas.viewport
    program.hand.wheel((30, 50), 1, SHIFT)
    after = program.canvas.viewport
    assert (after.scale, after.top) == (before.scale, before.top)
    assert after.left > before.left


def test_the_middle_button_drags_the_image_along(program):
    program.look_at((50, 40), 4)
    before = program.canvas.viewport
    start, end = program.hand.screen((50, 40)), program.hand.screen((60, 25))
    program.hand.drag((50, 40), (80, 70), (60, 25), button=MIDDLE)
    after = program.canvas.viewport
    assert after.left - before.left == pytest.approx(end.x() - start.x())
    assert after.top - before.top == pytest.approx(end.y() - start.y())


def test_space_and_drag_pan_and_verify_nothing(program):
    put(program.session, SQUARE)
    before = program.canvas.viewport
    QTest.keyPress(program.canvas, Qt.Key.Key_Space)
    program.hand.drag((40, 40), (50, 45))
    QTest.keyRelease(program.canvas, Qt.Key.Key_Space)
    assert program.canvas.viewport.left > before.left
    assert program.session.current.path == "a.png"
    assert program.session.selection == set()
    assert program.titles() == ["Draw"]

    program.hand.click((40, 40))
    assert len(program.session.selection) == 1


def test_space_let_go_of_elsewhere_does_not_leave_the_hand_panning(program):
    put(program.session, SQUARE)
    QTest.keyPress(program.canvas, Qt.Key.Key_Space)
    program.window.categories.field.setFocus()
    QTest.keyRelease(program.window.categories.field, Qt.Key.Key_Space)
    program.hand.click((40, 40))
    assert len(program.session.selection) == 1


def test_fit_and_one_to_one(program):
    fitted = program.canvas.viewport
    program.hand.wheel((30, 50), 4)
    program.key("0", CTRL)
    assert program.canvas.viewport.scale == pytest.approx(1 / program.canvas.devicePixelRatioF())
    program.key("f")
    assert program.canvas.viewport == fitted
    left_top = program.hand.screen((0, 0))
    right_bottom = program.hand.screen((100, 80))
    assert program.canvas.rect().contains(left_top)
    assert program.canvas.rect().contains(right_bottom)


def test_the_status_bar_tells_place_and_magnification(program):
    program.look_at((50, 40), 4)
    assert program.window.status.zoom.text() == "400 %"
    program.hand.move((50.5, 40.5))
    assert program.window.status.place.text() == "x 50  y 40"


def test_a_fitted_image_stays_fitted_when_the_window_changes(program):
    program.window.resize(1200, 700)
    for corner in ((0, 0), (100, 80)):
        assert program.canvas.rect().contains(program.hand.screen(corner))
    scale = program.canvas.viewport.scale
    program.key("f")
    assert program.canvas.viewport.scale == scale


def test_some_of_the_image_stays_in_the_window_however_far_it_is_pushed(program):
    for _ in range(5):
        program.hand.drag((50, 40), (-400, -400), button=MIDDLE)
    corner = program.hand.screen((100, 80))
    assert corner.x() > 0
    assert corner.y() > 0


def test_each_image_keeps_its_view(program):
    program.look_at((20, 20), 6)
    before = program.canvas.viewport
    program.key("d")
    program.until(lambda: program.shows("b.png"))
    assert program.canvas.viewport != before
    program.key("a")
    program.until(lambda: program.shows("a.png"))
    assert program.canvas.viewport == before


def test_zoom_to_selection_fills_the_window_with_it(program):
    put(program.session, SQUARE)
    program.hand.click((40, 40))
    program.key("z")
    canvas = program.canvas
    assert canvas.viewport.scale > 8
    for corner in ((20, 20), (60, 60)):
        assert canvas.rect().contains(program.hand.screen(corner))


@pytest.mark.parametrize("scale", [0.5, 1, 8])
def test_every_pixel_of_the_image_is_where_it_belongs(start, tmp_path, scale):
    pixels = np.zeros((80, 100, 3), np.uint8)
    pixels[:40, :50], pixels[:40, 50:], pixels[40:, :50] = (200, 0, 0), (0, 200, 0), (0, 0, 200)
    (tmp_path / "four").mkdir()
    Image.fromarray(pixels).save(tmp_path / "four" / "four.png")
    program = start()
    program.open(tmp_path / "four")
    program.look_at((50, 40), scale)
    near = 3 / scale
    assert program.colour((50 - near, 40 - near)) == (200, 0, 0)
    assert program.colour((50 + near, 40 - near)) == (0, 200, 0)
    assert program.colour((50 - near, 40 + near)) == (0, 0, 200)
    assert program.colour((50 + near, 40 + near)) == (0, 0, 0)


def test_annotations_are_painted_over_the_image_and_can_be_hidden(program):
    plain = program.colour((40, 40))
    put(program.session, SQUARE)
    program.until(lambda: program.canvas.settled)
    filled = program.colour((40, 40))
    assert filled != plain
    edge = program.colour((20, 40))
    assert edge not in (plain, filled)
    program.key("t")
    program.until(lambda: program.canvas.settled)
    assert program.colour((40, 40)) == plain
    program.key("t")
    program.until(lambda: program.canvas.settled)
    assert program.colour((40, 40)) == filled


def test_what_is_dragged_is_seen_where_the_pointer_is(program):
    put(program.session, SQUARE)
    program.until(lambda: program.canvas.settled)
    under = program.colour((80, 40))
    program.hand.press((40, 40))
    program.hand.move((80, 40))
    program.until(lambda: program.canvas.settled)
    assert program.colour((80, 40)) != under
    program.hand.release((80, 40))


def test_the_message_over_the_canvas_can_be_closed(program):
    program.app.notifications.problem("Something failed.")
    bar = program.bar
    assert bar.isVisible()
    (close,) = (b for b in program.buttons_of(bar) if b.accessibleName() == "Close this message")
    QTest.mouseClick(close, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    assert not bar.isVisible()


def test_the_name_beside_the_pointer_is_out_of_the_way_of_work_on_an_outline(program):
    put(program.session, SQUARE)
    program.hand.click((40, 40))
    program.hand.move((42, 41))
    assert program.canvas.live.hover_at == program.hand.screen((42, 41))
    program.hand.move((20, 20))
    assert program.canvas.live.hovered is not None
    assert program.canvas.live.hover_at is None
    for tool in ("brush", "hole", "erase_vertices"):
        program.window.verbs[tool].trigger()
        program.hand.move((40, 40))
        assert program.canvas.live.hover_at is None
