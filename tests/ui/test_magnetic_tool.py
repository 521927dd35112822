"""Draw outlines that follow the edges in the image, while the view moves under them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import shapely
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from maskstudio.session.tasks import LaneName
from support.hand import CTRL, LEFT, MIDDLE, NONE, RIGHT, SHIFT

CENTRE, RADIUS = (800.0, 600.0), {0.1: 400.0, 1.0: 150.0, 8.0: 20.0}
ANGLES = (0.3, 1.6, 2.9, 4.1, 5.3)


def write_disc(path: Path, radius: float) -> None:
    """Write a bright disc on darker ground: pixels whose centre lies inside it."""
    rows, columns = np.indices((1200, 1600))
    inside = np.hypot(columns + 0.5 - CENTRE[0], rows + 0.5 - CENTRE[1]) < radius
    noise = np.random.default_rng(0).normal(0, 4, inside.shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(np.where(inside, 200, 80) + noise, 0, 255).astype(np.uint8)).save(path)


def around(radius: float, angle: float) -> tuple[float, float]:
    return CENTRE[0] + radius * np.cos(angle), CENTRE[1] + radius * np.sin(angle)


def iou(a: shapely.Geometry, b: shapely.Geometry) -> float:
    return float(shapely.intersection(a, b).area / shapely.union(a, b).area)


def hint(program) -> str:
    return program.window.status.hint.text()


def set_point(program, at, **held) -> None:
    """Move to a place, wait until the ways from the last point are known, and click."""
    program.hand.move(at)
    program.idle()
    program.hand.click(at, **held)


@contextmanager
def busy_files(program) -> Iterator[None]:
    """Keep both threads of lane FILES from taking anything up."""
    over = threading.Event()
    for _ in range(2):
        program.app.tasks.submit(LaneName.FILES, lambda _: over.wait(10))
    try:
        yield
    finally:
        over.set()


@pytest.fixture
def open_disc(start, tmp_path):
    """Return what opens a picture of a disc and takes the tool in hand."""

    def begin(scale: float = 1.0):
        write_disc(tmp_path / "discs" / "disc.png", RADIUS[scale])
        program = start()
        program.open(tmp_path / "discs")
        program.canvas.setFocus()
        program.look_at(CENTRE, scale)
        program.key("m", SHIFT)
        assert program.window.verbs["magnetic"].isChecked()
        return program

    return begin


@pytest.fixture
def disc(open_disc):
    """The program at 100 % over a disc of radius 150."""
    return open_disc()


def by_first_point(program, radius):
    program.hand.move(around(radius, ANGLES[0]))
    program.idle()
    program.hand.click(around(radius, ANGLES[0]))


def by_enter(program, radius):
    program.key(Qt.Key.Key_Return)


def by_double_click(program, radius):
    QTest.mouseDClick(program.canvas, LEFT, NONE, program.hand.screen(around(radius, ANGLES[-1])))


CLOSE = [by_first_point, by_enter, by_double_click]


@pytest.mark.parametrize(
    ("scale", "close"),
    [(0.1, by_first_point), (8.0, by_first_point), *((1.0, close) for close in CLOSE)],
)
def test_five_clicks_outline_a_disc_in_one_step(open_disc, scale, close):
    program, radius = open_disc(scale), RADIUS[scale]
    clicks = [around(radius, angle) for angle in ANGLES]
    for at in clicks:
        set_point(program, at)
    close(program, radius)
    program.until(lambda: program.annotations)
    (drawn,) = program.annotations
    true = shapely.Point(CENTRE).buffer(radius, quad_segs=64)
    assert iou(drawn.segmentation.geometry, true) > 0.95
    assert iou(shapely.Polygon(clicks), true) < 0.8
    assert drawn.segmentation.geometry.is_valid
    assert drawn.segmentation.vertex_count < 120
    assert program.session.selection == {drawn.id}
    assert program.titles() == ["Draw"]
    program.key("z", CTRL)
    assert program.annotations == []


def test_a_click_beside_the_edge_sets_a_point_on_it(disc):
    for angle in ANGLES:
        set_point(disc, around(RADIUS[1.0] + 5, angle))
    disc.key(Qt.Key.Key_Return)
    disc.until(lambda: disc.annotations)
    true = shapely.Point(CENTRE).buffer(RADIUS[1.0], quad_segs=64)
    assert iou(disc.annotations[0].segmentation.geometry, true) > 0.97


def test_with_ctrl_a_stretch_is_straight_and_ends_at_the_pointer(disc):
    corners = [around(RADIUS[1.0] + 5, angle) for angle in ANGLES]
    for at in corners:
        set_point(disc, at, held=CTRL)
    assert disc.window.input.tool.draft == tuple(disc.hand.there(at) for at in corners)


def by_backspace(program):
    program.key(Qt.Key.Key_Backspace)


def by_right_click(program):
    QTest.mouseClick(program.canvas, RIGHT, NONE, program.hand.screen(CENTRE))


def by_undo(program):
    program.key("z", CTRL)


@pytest.mark.parametrize("drop", [by_backspace, by_right_click, by_undo])
def test_the_last_stretch_is_dropped_with_all_its_points(disc, drop):
    radius = RADIUS[1.0]
    for angle in ANGLES[:3]:
        set_point(disc, around(radius, angle))
    before = len(disc.window.input.tool.draft)
    set_point(disc, (1000, 300))
    assert len(disc.window.input.tool.draft) > before
    drop(disc)
    assert len(disc.window.input.tool.draft) == before
    for angle in ANGLES[3:]:
        set_point(disc, around(radius, angle))
    disc.key(Qt.Key.Key_Return)
    disc.until(lambda: disc.annotations)
    true = shapely.Point(CENTRE).buffer(radius, quad_segs=64)
    assert iou(disc.annotations[0].segmentation.geometry, true) > 0.95
    assert disc.titles() == ["Draw"]


def test_the_view_may_move_in_the_middle_of_it(disc):
    radius = RADIUS[1.0]
    for number, angle in enumerate(ANGLES):
        set_point(disc, around(radius, angle))
        disc.hand.wheel(CENTRE, 1 if number % 2 else -2)
        disc.hand.drag((800, 600), (780 + 20 * number, 590), button=MIDDLE)
    disc.key(Qt.Key.Key_Return)
    disc.until(lambda: disc.annotations)
    true = shapely.Point(CENTRE).buffer(radius, quad_segs=64)
    assert iou(disc.annotations[0].segmentation.geometry, true) > 0.95


def test_the_way_is_seen_before_it_is_fixed(disc):
    radius = RADIUS[1.0]
    set_point(disc, around(radius, 0.0))
    disc.hand.move(around(radius, 1.2))
    disc.idle()
    on_way, on_chord = disc.colour(around(radius, 0.6)), None
    chord = np.mean([around(radius, 0.0), around(radius, 1.2)], axis=0)
    on_chord = disc.colour(tuple(chord))
    disc.key(Qt.Key.Key_Escape)
    assert disc.colour(tuple(chord)) == on_chord
    assert disc.colour(around(radius, 0.6)) != on_way


def test_a_stretch_clicked_before_the_ways_are_known_is_straight_as_shown(disc):
    with busy_files(disc):
        disc.hand.click(around(150, 0.3))
        disc.hand.click(around(150, 2.0))
        assert len(disc.window.input.tool.draft) == 2


def test_hints_say_what_a_click_does(disc):
    assert "Click on the edge" in hint(disc)
    set_point(disc, around(150, 0.3))
    assert "fix the stretch" in hint(disc)
    assert "Ctrl: straight" in hint(disc)
    set_point(disc, around(150, 1.3))
    assert "closes" in hint(disc)


def test_esc_and_another_image_drop_it(disc):
    for angle in ANGLES[:3]:
        set_point(disc, around(150, angle))
    disc.key(Qt.Key.Key_Escape)
    disc.key(Qt.Key.Key_Return)
    disc.idle()
    assert disc.annotations == []
    assert disc.window.verbs["magnetic"].isChecked()
    assert disc.problems == []


def test_closing_waits_for_the_way_back_and_can_be_taken_back(disc):
    for angle in ANGLES[:4]:
        set_point(disc, around(150, angle))
    with busy_files(disc):
        disc.hand.click(around(150, ANGLES[4]))
        disc.key(Qt.Key.Key_Return)
        assert "Closing" in hint(disc)
        by_right_click(disc)
    disc.idle()
    assert disc.annotations == []
    assert "closes" in hint(disc)
    disc.key(Qt.Key.Key_Return)
    disc.until(lambda: disc.annotations)


def test_a_double_click_on_the_first_point_closes_it_once(disc):
    for angle in ANGLES:
        set_point(disc, around(150, angle))
    disc.hand.move(around(150, ANGLES[0]))
    disc.idle()
    disc.hand.double_click(around(150, ANGLES[0]))
    disc.idle()
    assert len(disc.annotations) == 1
    assert disc.problems == []


def test_an_unfinished_one_is_there_again_after_a_restart(disc, start):
    for angle in ANGLES:
        set_point(disc, around(150, angle))
    drawn, folder = disc.window.input.tool.draft, disc.session.folder
    disc.close()
    again = start()
    again.open(folder)
    again.until(lambda: again.window.verbs["magnetic"].isChecked())
    assert again.window.input.tool.draft == drawn
    again.canvas.setFocus()
    again.key(Qt.Key.Key_Return)
    again.until(lambda: again.annotations)
    true = shapely.Point(CENTRE).buffer(150, quad_segs=64)
    assert iou(again.annotations[0].segmentation.geometry, true) > 0.95


def test_with_shared_borders_it_ends_at_its_neighbours(disc):
    disc.key("s", SHIFT)
    disc.key("r", SHIFT)
    disc.hand.drag((500, 400), (800, 800))
    disc.key("m", SHIFT)
    for angle in ANGLES:
        set_point(disc, around(150, angle))
    disc.key(Qt.Key.Key_Return)
    disc.until(lambda: len(disc.annotations) == 2)
    neighbour, drawn = (a.segmentation for a in disc.annotations)
    assert shapely.intersection(neighbour.geometry, drawn.geometry).area < 1e-6
    assert drawn.area == pytest.approx(np.pi * 150**2 / 2, rel=0.03)
