"""Panning moves what is painted along; the screen is then as if all of it were painted anew."""

import threading

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QTimer

from maskstudio.session.tasks import Callbacks, LaneName
from maskstudio.ui.canvas.adjustment import Adjustment
from support.outlines import SQUARE, put

# Where a picture is scaled, strips painted on their own may be rounded otherwise.
ROUNDED = 2
STEPS = ((9, 5), (-30, 0), (0, 17), (-4, -41), (2000, 1500), (-1960, -1490), (35, -8))


def screen(program):
    """The pixels of the canvas, (height, width, 3)."""
    image = program.canvas.grab().toImage()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)
    return rows[..., :3].astype(int)


def painted_anew(program):
    """The pixels of the canvas once nothing of them is from before."""
    canvas = program.canvas
    adjustment = canvas.adjustment
    canvas.set_adjustment(Adjustment(brightness=50))
    screen(program)
    canvas.set_adjustment(adjustment)
    return screen(program)


@pytest.fixture
def photo(tmp_path, start):
    """The program with a picture of fine detail, 1000 x 700, on the canvas."""
    folder = tmp_path / "photos"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (88, 125, 3), np.uint8)
    picture = Image.fromarray(pixels).resize((1000, 700), Image.Resampling.BICUBIC)
    picture.save(folder / "one.png")
    Image.new("RGB", (1000, 700), "black").save(folder / "two.png")
    program = start()
    program.open(folder)
    program.until(lambda: program.canvas.has_image and len(program.session.image_ids) == 2)
    return program


@pytest.mark.parametrize("scale", [0.3, 0.77, 1, 1.7, 3])
@pytest.mark.parametrize("adjustment", [Adjustment(), Adjustment(gamma=40, contrast=-20)])
def test_every_step_of_panning_shows_what_painting_anew_does(photo, scale, adjustment):
    photo.canvas.set_adjustment(adjustment)
    photo.look_at((500, 350), scale)
    # Where edges of the image's pixels lie on the middle of the screen's, either side may be shown.
    view = photo.canvas.viewport
    photo.canvas.pan(round(view.left) - view.left + 0.2, round(view.top) - view.top + 0.2)
    screen(photo)
    for step in STEPS:
        photo.canvas.pan(*step)
        moved = screen(photo)
        assert np.abs(moved - painted_anew(photo)).max() <= ROUNDED, step


def test_by_parts_of_a_pixel_it_is_painted_anew(photo):
    photo.look_at((500, 350), 0.77)
    screen(photo)
    photo.canvas.pan(3.5, 0)
    moved = screen(photo)
    assert np.array_equal(moved, painted_anew(photo))


@pytest.mark.parametrize("scale", [0.3, 1, 3])
def test_annotations_move_along_with_the_image(photo, scale):
    put(photo.session, SQUARE.translated(450, 300))
    photo.look_at((500, 350), scale)
    for step in (*STEPS[:4], (200, 150), (-380, -240), STEPS[-1]):
        photo.canvas.pan(*step)
        photo.until(lambda: photo.canvas.settled)
        moved = screen(photo)
        # Another window is another layer.
        photo.canvas.set_hidden(True)
        photo.canvas.zoom(1.5)
        photo.canvas.set_hidden(False)
        photo.canvas.zoom(1 / 1.5)
        photo.until(lambda: photo.canvas.settled)
        assert np.abs(moved - screen(photo)).max() <= ROUNDED, step


def test_a_short_way_takes_no_new_layer_and_a_long_way_does(photo):
    put(photo.session, SQUARE)
    photo.look_at((500, 350), 1)
    photo.until(lambda: photo.canvas.settled)
    photo.canvas.pan(20, -10)
    assert photo.canvas.settled
    photo.canvas.pan(photo.canvas.width(), 0)
    assert not photo.canvas.settled


def test_annotations_of_the_image_before_are_never_seen_on_the_next(photo):
    put(photo.session, SQUARE.translated(460, 310))
    photo.until(lambda: photo.canvas.settled)
    held, held_again, seen = threading.Event(), threading.Event(), []
    tasks = photo.app.tasks
    tasks.submit(LaneName.PAINT, lambda _: held.wait(10))
    photo.canvas.zoom(2)
    # By then a layer of another size is wanted; it has to wait for the lane.
    QTimer.singleShot(50, lambda: seen.append("layer wanted"))
    photo.until(lambda: seen)
    photo.session.show(photo.session.image_ids[1])
    photo.until(lambda: photo.canvas.painted)
    bare = screen(photo)
    tasks.submit(LaneName.PAINT, lambda _: None, Callbacks(lambda _: seen.append("layer painted")))
    tasks.submit(LaneName.PAINT, lambda _: held_again.wait(10))
    held.set()
    photo.until(lambda: len(seen) == 2)
    assert np.array_equal(screen(photo), bare)
    held_again.set()
    photo.until(lambda: photo.canvas.settled)
    assert np.array_equal(screen(photo), bare)
