"""Only what looks otherwise is painted again, and the screen is then as if all of it were."""

import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from maskstudio.annotation.segmentation import Segmentation
from support.hand import ALT
from support.outlines import put


def star(vertices):
    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    reach = 30 * (1 + 0.15 * np.sin(5 * angle))
    return Segmentation.from_rings(np.c_[50 + reach * np.cos(angle), 45 + reach * np.sin(angle)])


def pixels(image):
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    return np.array(image.constBits(), np.uint8).reshape(image.height(), -1, 4)[..., :3].copy()


def assert_the_screen_is_whole(program):
    """Compare what stands on the screen with a picture of the canvas that is painted as a whole."""
    canvas = program.canvas
    program.until(lambda: canvas.settled)
    QApplication.processEvents()
    corner = canvas.mapTo(canvas.window(), canvas.rect().topLeft())
    size = canvas.size()
    seen = canvas.screen().grabWindow(
        canvas.window().winId(), corner.x(), corner.y(), size.width(), size.height()
    )
    differs = (pixels(seen.toImage()) != pixels(canvas.grab().toImage())).any(axis=2)
    assert not np.argwhere(differs).tolist()


@pytest.mark.parametrize("vertices", [12, 900])
@pytest.mark.parametrize("zoom", [1, 8])
def test_the_screen_is_whole_after_every_step_of_correcting(program, vertices, zoom):
    put(program.session, star(vertices))
    outline = program.annotations[0].segmentation.ring(0, 0)
    corner = tuple(outline[0].tolist())
    program.look_at(corner, zoom)
    program.session.select([program.annotations[0].id])
    hand = program.hand
    for at in ((50, 45), corner, (corner[0] - 3, corner[1] + 4), corner):
        hand.move(at)
        assert_the_screen_is_whole(program)
    hand.press(corner)
    assert_the_screen_is_whole(program)
    for step in range(1, 4):
        hand.move((corner[0] + 3 * step, corner[1] + step))
        assert_the_screen_is_whole(program)
    hand.release((corner[0] + 9, corner[1] + 3))
    assert_the_screen_is_whole(program)
    for step in (program.session.undo, program.session.redo, program.session.undo):
        step()
        assert_the_screen_is_whole(program)
    hand.click(corner, held=ALT)
    assert_the_screen_is_whole(program)
    program.session.select([])
    assert_the_screen_is_whole(program)
