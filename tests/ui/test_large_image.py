"""A very large image on the canvas: the same picture from tiles, and the same work on it."""

import json
import threading

import numpy as np
import pytest
from PIL import Image

from maskstudio.formats.options import ExportFormat, ExportOptions
from maskstudio.progress import TaskContext
from maskstudio.session.exporting import DEFAULT_STATES, export
from maskstudio.session.image_opening import decode
from maskstudio.session.images import ImageLoader
from maskstudio.session.tiled_image import TiledImage
from maskstudio.storage.pyramids import Pyramids
from maskstudio.ui.canvas.adjustment import Adjustment

SIZE = (2403, 3001)
VIEWS = (
    ((1500, 1200), 0.2), ((1500, 1200), 0.5), ((800, 900), 0.77), ((0, 0), 1.0),
    ((3001, 2403), 0.41), ((2000, 1000), 3.0), ((5, 2400), 9.0),
)  # fmt: skip


@pytest.fixture
def picture(tmp_path):
    """A picture with fine detail and nothing dark."""
    coarse = np.random.default_rng(0).integers(120, 256, (240, 300, 3), np.uint8)
    path = tmp_path / "picture.png"
    image = Image.fromarray(coarse).resize(SIZE[::-1], Image.Resampling.BILINEAR)
    image.save(path, compress_level=1)
    return path


@pytest.fixture
def tiled(program, picture, tmp_path):
    """The picture as tiles of 64 pixels, on the canvas of a program."""
    pyramids = Pyramids(tmp_path / "kept", tile=64)
    loader = ImageLoader(program.app.tasks, None, pyramids=pyramids, large_pixels=300_000)
    loader.renewed.connect(lambda one: program.canvas.renew_image(loader.get(one)))
    loader.request(1, picture)
    program.until(lambda: loader.get(1) is not None)
    image = loader.get(1)
    program.until(lambda: image.complete)
    program.canvas.show_image(image)
    yield image
    loader.clear()


def screen(program):
    """The pixels of the canvas, (height, width, 4) uint8."""
    image = program.canvas.grab().toImage()
    assert image.depth() == 32
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)
    return rows.copy()


def look(program, image, view):
    """Show a part of an image; return the screen once all of it is read."""
    if program.canvas.image is not image:
        program.canvas.show_image(image)
    program.look_at(*view)
    program.canvas.grab()
    program.until(lambda: not isinstance(image, TiledImage) or image.settled)
    return screen(program)


@pytest.mark.parametrize("adjustment", [Adjustment(), Adjustment(gamma=40, contrast=-20)])
def test_from_tiles_it_is_the_same_picture(program, tiled, picture, adjustment):
    program.canvas.set_adjustment(adjustment)
    whole = decode(picture, TaskContext())
    for view in VIEWS:
        expected = look(program, whole, view)
        assert np.array_equal(look(program, tiled, view), expected), view


def test_it_is_never_blank_while_tiles_are_read(program, tiled):
    for view in VIEWS[1:4]:
        program.look_at(*view)
        seen = screen(program)[:, :, :3]
        # The minimap lies in a corner; in the middle there is nothing but the image.
        height, width = seen.shape[:2]
        middle = seen[height // 2 : height * 3 // 4, width // 2 : width * 3 // 4]
        assert middle.min() >= 100, view


def test_what_is_read_is_painted_without_being_asked(program, tiled):
    program.canvas.show_image(tiled)
    program.look_at((1000, 1000), 1)
    coarse = screen(program)
    program.until(lambda: tiled.settled)
    program.until(lambda: not np.array_equal(screen(program), coarse))


def test_panning_and_zooming_end_where_a_view_set_at_once_does(program, tiled, picture):
    program.canvas.show_image(tiled)
    program.look_at((1500, 1200), 1)
    for step in range(30):
        program.canvas.pan(-20 if step < 20 else 35, 14)
        program.canvas.grab()
    for factor in (1.25, 1.25, 0.64, 0.8, 1.25):
        program.canvas.zoom(factor)
        program.canvas.grab()
    program.until(lambda: tiled.settled)
    at_once = screen(program)
    viewport = program.canvas.viewport
    whole = decode(picture, TaskContext())
    program.canvas.show_image(whole)
    program.canvas.zoom(viewport.scale / program.canvas.viewport.scale)
    now = program.canvas.viewport
    program.canvas.pan(viewport.left - now.left, viewport.top - now.top)
    assert program.canvas.viewport == viewport
    assert np.array_equal(screen(program), at_once)


# Work on a real one


@pytest.fixture
def huge(tmp_path):
    """A folder with one grey image of 8,100 x 8,000, lighter to the right."""
    (tmp_path / "huge").mkdir()
    row = np.linspace(50, 250, 8100).astype(np.uint8)
    Image.fromarray(np.tile(row, (8000, 1))).save(tmp_path / "huge" / "a.png", compress_level=1)
    return tmp_path / "huge"


def test_a_person_can_label_a_large_image(start, huge, tmp_path):
    program = start()
    program.open(huge)
    program.canvas.setFocus()
    image = program.canvas.image
    assert isinstance(image, TiledImage)
    program.until(lambda: image.complete)

    program.look_at((7000, 6000), 1)
    program.canvas.grab()
    program.until(lambda: image.settled)
    assert program.colour((7000, 6000)) == (int(50 + 200 * 7000 / 8099),) * 3

    program.key("p")
    for corner in ((6900, 5900), (7100, 5900), (7100, 6100), (6900, 6100), (6900, 5900)):
        program.hand.click(corner)
    (drawn,) = program.annotations
    assert np.abs(np.array(drawn.box) - (6900, 5900, 7100, 6100)).max() < 2
    program.session.undo()
    assert program.annotations == []
    program.session.redo()
    assert program.annotations == [drawn]
    assert program.problems == []

    options = ExportOptions(ExportFormat.COCO, DEFAULT_STATES)
    export(program.session.require_database(), tmp_path / "out.json", options, TaskContext())
    written = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert [(i["height"], i["width"]) for i in written["images"]] == [(8000, 8100)]
    assert np.abs(np.array(written["annotations"][0]["bbox"]) - (6900, 5900, 200, 200)).max() < 3


def test_while_it_is_prepared_the_canvas_says_how_far_it_is(start, huge, monkeypatch):
    go_on, make = threading.Event(), Pyramids.make

    def held(self, path, context):
        context.report(3, 4)
        assert go_on.wait(10)
        return make(self, path, context)

    monkeypatch.setattr(Pyramids, "make", held)
    program = start()
    program.app.open_folder(huge)
    program.until(lambda: program.canvas.message == "Opening a.png … 75%")
    go_on.set()
    program.until(lambda: program.canvas.has_image)


def test_one_that_is_damaged_gives_a_sentence(start, huge):
    data = (huge / "a.png").read_bytes()
    (huge / "a.png").write_bytes(data[: len(data) // 2])
    program = start()
    program.app.open_folder(huge)
    program.until(lambda: "damaged" in program.canvas.message)
    assert not program.canvas.has_image
