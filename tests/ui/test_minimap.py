"""The small picture of the whole image: when it is there, and what the mouse does on it."""

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from support.hand import LEFT, MIDDLE, NONE, SHIFT
from support.outlines import SQUARE, put
from support.pictures import write_picture


@pytest.fixture
def near(program):
    """The program with the middle of `a.png` (100 x 80) seen at 40 points a pixel."""
    program.look_at((50, 40), 40)
    return program


def minimap(program):
    return program.window.minimap


def on_map(program, point):
    """Return where an image point is on the minimap."""
    small = minimap(program)
    return QPoint(round(point[0] / 100 * small.width()), round(point[1] / 80 * small.height()))


def middle(program):
    """Return the image point in the middle of the canvas."""
    canvas = program.canvas
    return canvas.viewport.to_image(canvas.width() / 2, canvas.height() / 2)


def slide(widget, at, buttons=LEFT):
    """Move the mouse with a button down: Qt's own helper forgets the button."""
    where = QPointF(at), QPointF(widget.mapToGlobal(at))
    kind, none = QEvent.Type.MouseMove, Qt.MouseButton.NoButton
    QApplication.sendEvent(widget, QMouseEvent(kind, *where, none, buttons, NONE))


def test_it_is_there_only_while_the_image_is_larger_than_the_window(program):
    assert not minimap(program).isVisible()
    program.look_at((50, 40), 40)
    assert minimap(program).isVisible()
    program.key("f")
    assert not minimap(program).isVisible()
    program.look_at((50, 40), 2)
    assert not minimap(program).isVisible()


def test_it_keeps_the_shape_of_the_image_and_its_corner(near):
    small, canvas = minimap(near), near.canvas
    assert small.width() / small.height() == pytest.approx(100 / 80, abs=0.02)
    assert canvas.rect().contains(small.geometry())
    near.window.resize(1200, 800)
    near.until(lambda: canvas.rect().contains(small.geometry()))
    corner = canvas.rect().bottomRight() - small.geometry().bottomRight()
    assert 0 < corner.x() < 30
    assert 0 < corner.y() < 30


def test_it_shows_which_part_is_seen(near):
    seen, small = minimap(near).seen, minimap(near)
    canvas = near.canvas
    assert seen.center().x() == pytest.approx(small.width() / 2, abs=1)
    assert seen.width() / small.width() == pytest.approx(canvas.width() / 40 / 100, abs=0.01)
    near.canvas.pan(-400, 0)
    assert minimap(near).seen.center().x() == pytest.approx(0.6 * small.width(), abs=1)


def test_a_click_shows_what_lies_there(near):
    QTest.mouseClick(minimap(near), LEFT, NONE, on_map(near, (90, 10)))
    assert middle(near) == pytest.approx((90, 10), abs=1)


def test_a_drag_of_the_part_that_is_seen_moves_the_view_along(near):
    small = minimap(near)
    start = on_map(near, (55, 45))
    QTest.mousePress(small, LEFT, NONE, start)
    assert middle(near) == pytest.approx((50, 40), abs=1)
    for step in range(1, 11):
        slide(small, start + QPoint(-step, -step))
    QTest.mouseRelease(small, LEFT, NONE, start - QPoint(10, 10))
    moved = 10 * 100 / small.width()
    assert middle(near) == pytest.approx((50 - moved, 40 - moved), abs=1)
    slide(small, start, Qt.MouseButton.NoButton)
    assert middle(near) == pytest.approx((50 - moved, 40 - moved), abs=1)


def test_a_click_changes_neither_annotations_nor_selection(near):
    ids = put(near.session, SQUARE)
    near.session.select(ids)
    title = near.session.history().undo
    QTest.mouseClick(minimap(near), LEFT, NONE, on_map(near, (20, 20)))
    assert near.session.selection == set(ids)
    assert near.session.history().undo == title


def test_the_other_buttons_and_the_wheel_are_the_canvas(near):
    small, scale = minimap(near), near.canvas.viewport.scale
    start = small.rect().center()
    QTest.mousePress(small, MIDDLE, NONE, start)
    slide(small, start + QPoint(-40, 0), MIDDLE)
    QTest.mouseRelease(small, MIDDLE, NONE, start + QPoint(-40, 0))
    assert middle(near) == pytest.approx((51, 40), abs=0.1)
    assert near.canvas.viewport.scale == scale


def test_while_a_tool_draws_the_mouse_goes_through(near):
    near.key("r", SHIFT)
    small = minimap(near)
    near.hand.press(near.canvas.viewport.to_image(100, 100))
    assert small.isVisible()
    at = small.geometry().center()
    assert near.canvas.childAt(at) is not small
    near.hand.release(near.canvas.viewport.to_image(at.x(), at.y()))
    assert len(near.annotations) == 1
    assert near.canvas.childAt(at) is small


def test_the_key_hides_it_for_good(near, start, folder):
    near.canvas.setFocus()
    near.key("m")
    assert not minimap(near).isVisible()
    near.close()
    again = start()
    again.open(folder)
    again.look_at((50, 40), 40)
    assert not minimap(again).isVisible()
    assert not again.window.verbs["minimap"].isChecked()
    again.canvas.setFocus()
    again.key("m")
    assert minimap(again).isVisible()


def test_it_goes_with_the_image_and_shows_the_next(program, folder):
    write_picture(folder / "wide.png", 20, 400)
    program.app.open_folder(folder)
    program.until(lambda: len(program.session.image_ids) == 4)
    program.look_at((50, 40), 40)
    tall = minimap(program).size()
    program.show("wide.png")
    assert not minimap(program).isVisible()
    program.look_at((200, 10), 10)
    assert minimap(program).isVisible()
    assert minimap(program).height() < tall.height() / 2


def test_it_shows_the_picture_as_bright_as_the_canvas(near):
    def shade():
        image = minimap(near).grab().toImage()
        colour = image.pixelColor(image.width() // 2, image.height() // 2)
        return colour.red() + colour.green() + colour.blue()

    before = shade()
    near.canvas.set_adjustment(type(near.canvas.adjustment)(brightness=-60))
    assert shade() < before


def test_it_leaves_most_of_a_small_window_free(near):
    near.window.resize(760, 500)
    near.until(lambda: near.canvas.width() < 450)
    assert minimap(near).width() <= near.canvas.width() / 3 + 1
    assert minimap(near).height() <= near.canvas.height() / 3 + 1
