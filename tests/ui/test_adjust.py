"""Brightness, contrast and gamma: of what is seen, and of nothing else."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QSlider

from maskstudio.session.shown_image import DecodedImage
from maskstudio.storage.settings import Settings, write_settings
from maskstudio.ui.canvas.adjustment import LIMIT, Adjustment
from support.fakes import FakePredictor
from support.hand import CTRL, LEFT, SHIFT
from support.outlines import SQUARE, put

HELD = CTRL | SHIFT
COLOURS = ((200, 0, 60), (0, 120, 255), (30, 90, 160), (255, 255, 0))
MIDDLES = ((25, 20), (75, 20), (25, 60), (75, 60))


@pytest.fixture
def flat(tmp_path):
    """A folder of two pictures (100 x 80): four colours, and the same upside down."""
    pixels = np.zeros((80, 100, 3), np.uint8)
    pixels[:40, :50], pixels[:40, 50:], pixels[40:, :50], pixels[40:, 50:] = COLOURS
    (tmp_path / "flat").mkdir()
    Image.fromarray(pixels).save(tmp_path / "flat" / "a.png")
    Image.fromarray(pixels[::-1].copy()).save(tmp_path / "flat" / "b.png")
    return tmp_path / "flat"


@pytest.fixture
def program(start, flat):
    made = start()
    made.open(flat)
    made.canvas.setFocus()
    return made


def colours(program):
    """The colours in the middles of the four quarters, as they are on the screen."""
    image = program.canvas.grab().toImage()
    ratio = image.devicePixelRatio()
    places = [program.hand.screen(middle) * ratio for middle in MIDDLES]
    return tuple(image.pixelColor(at).getRgb()[:3] for at in places)


def mapped(adjustment, of=COLOURS):
    """The colours as the table of an adjustment says."""
    return tuple(tuple(int(adjustment.table[value]) for value in colour) for colour in of)


def sliders(program):
    """Open the window with the sliders; return them by name."""
    program.key("l", HELD)
    (dialog,) = program.dialogs()
    program.until(dialog.isActiveWindow)
    return {s.accessibleName(): s for s in dialog.findChildren(QSlider) if s.isVisible()}


def push(program, slider, steps):
    """Move a slider with the arrow keys."""
    slider.setFocus()
    for _ in range(abs(steps)):
        program.key(Qt.Key.Key_Right if steps > 0 else Qt.Key.Key_Left)


# What is seen


@pytest.mark.parametrize(
    ("name", "steps", "expected"),
    [
        ("Brightness", 7, Adjustment(brightness=7)),
        ("Brightness", -9, Adjustment(brightness=-9)),
        ("Contrast", 6, Adjustment(contrast=6)),
        ("Gamma", -8, Adjustment(gamma=-8)),
    ],
)
@pytest.mark.parametrize("scale", [None, 0.5, 6])
def test_the_screen_shows_what_the_table_says(program, name, steps, expected, scale):
    if scale:
        program.look_at((50, 40), scale)
    assert colours(program) == COLOURS
    push(program, sliders(program)[name], steps)
    assert colours(program) == mapped(expected) != COLOURS


def test_the_three_together_and_the_mouse_too(program):
    three = sliders(program)
    for name in three:
        push(program, three[name], 3)
        assert colours(program) == mapped(program.canvas.adjustment)
    assert program.canvas.adjustment == Adjustment(3, 3, 3)
    contrast = three["Contrast"]
    right = QPoint(contrast.width() - 5, contrast.height() // 2)
    QTest.mouseClick(contrast, LEFT, pos=right)
    assert program.canvas.adjustment.contrast > 3
    assert colours(program) == mapped(program.canvas.adjustment)


def test_an_image_too_large_to_be_adjusted_as_a_whole_looks_the_same(program):
    level = np.full((4200, 4200, 4), 255, np.uint8)
    level[:2100, :2100, :3], level[2100:, 2100:, :3] = (60, 0, 200), (160, 90, 30)
    program.canvas.show_image(DecodedImage((level,)))
    push(program, sliders(program)["Gamma"], -9)
    for scale in (program.canvas.viewport.scale, 0.3, 1):
        program.look_at((2100, 2100), scale)
        table = Adjustment(gamma=-9).table
        assert program.colour((2000, 2000)) == tuple(table[[200, 0, 60]])
        assert program.colour((2200, 2200)) == tuple(table[[30, 90, 160]])
    program.look_at((0, 0), 3)
    assert program.colour((30, 30)) == tuple(table[[200, 0, 60]])


def test_a_level_that_is_held_is_the_one_of_this_image_and_this_adjustment(program):
    grey = [DecodedImage((np.full((2400, 2400, 4), value, np.uint8),)) for value in (90, 120)]
    brightness = sliders(program)["Brightness"]
    push(program, brightness, 5)
    for image, value in ((grey[0], 103), (grey[1], 133), (grey[0], 103)):
        program.canvas.show_image(image)
        for middle in (1200, 1300):
            program.look_at((middle, 1200), 0.4)
            assert program.colour((1300, 1200)) == (value,) * 3
    push(program, brightness, 3)
    assert program.colour((1300, 1200)) == (110, 110, 110)


def test_panned_and_magnified_it_is_the_same(program):
    push(program, sliders(program)["Brightness"], 8)
    expected = mapped(Adjustment(brightness=8))
    assert colours(program) == expected
    program.look_at((75, 60), 7)
    assert colours(program)[3] == expected[3]
    program.look_at((25, 20), 7)
    assert colours(program)[0] == expected[0]


def test_annotations_are_painted_in_their_own_colours(program):
    put(program.session, SQUARE)
    program.until(lambda: program.canvas.settled)
    push(program, sliders(program)["Brightness"], -100)
    image = program.canvas.grab().toImage()
    edge = image.pixelColor(program.hand.screen((20, 40)) * image.devicePixelRatio())
    assert max(edge.getRgb()[:3]) > 100
    assert colours(program)[3] == (0, 0, 0)


def test_around_the_image_nothing_changes(program):
    corner = program.canvas.grab().toImage().pixelColor(2, 2)
    push(program, sliders(program)["Brightness"], 20)
    assert program.canvas.grab().toImage().pixelColor(2, 2) == corner


# How long it stays


def test_it_stays_from_image_to_image_while_the_sliders_are_open(program):
    push(program, sliders(program)["Gamma"], 5)
    program.key("d")
    program.until(lambda: program.shows("b.png"))
    upside_down = (*COLOURS[2:], *COLOURS[:2])
    assert colours(program) == mapped(Adjustment(gamma=5), upside_down)


def test_it_is_kept_until_the_next_start(start, flat, program):
    three = sliders(program)
    push(program, three["Brightness"], -4)
    push(program, three["Gamma"], 6)
    program.close()
    again = start()
    again.open(flat)
    assert colours(again) == mapped(Adjustment(brightness=-4, gamma=6))


def test_settings_beyond_the_limits_are_taken_to_them(start, flat, tmp_path):
    write_settings(tmp_path / "settings.json", Settings(brightness=10**30, gamma=-(10**30)))
    program = start()
    program.open(flat)
    assert program.canvas.adjustment == Adjustment(LIMIT, 0, -LIMIT)


def test_the_key_shows_the_image_as_it_is_and_the_sliders_follow(program):
    three = sliders(program)
    push(program, three["Contrast"], 9)
    program.key("r", HELD)
    assert colours(program) == COLOURS
    assert [s.value() for s in three.values()] == [0, 0, 0]


def test_so_does_the_button(program):
    push(program, sliders(program)["Contrast"], 9)
    QTest.mouseClick(program.button("Reset"), LEFT)
    assert colours(program) == COLOURS
    assert not program.button("Reset").isEnabled()


def test_the_window_tells_the_values(program):
    three = sliders(program)
    (dialog,) = program.dialogs()
    push(program, three["Brightness"], -2)
    push(program, three["Gamma"], 50)
    for words in ("-2", "+0", "2.00"):
        assert words in program.text_of(dialog).splitlines()


def test_esc_closes_the_sliders_and_leaves_the_tool_in_hand(program):
    program.key("p")
    push(program, sliders(program)["Contrast"], 9)
    program.key(Qt.Key.Key_Escape)
    assert program.dialogs() == []
    assert program.window.verbs["polygon"].isChecked()
    assert program.canvas.adjustment == Adjustment(contrast=9)


def test_the_key_opens_them_once(program):
    sliders(program)
    program.key("l", HELD)
    assert len(program.dialogs()) == 1


# What it leaves alone


class Watching(FakePredictor):
    """Keeps the images it was given."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def see(self, image, context):
        self.seen.append(image.copy())
        return super().see(image, context)


def test_the_model_and_the_files_know_nothing_of_it(start, flat):
    watching = Watching()
    stored = (flat / "a.png").read_bytes()
    program = start(lambda _: watching)
    program.open(flat)
    push(program, sliders(program)["Brightness"], 30)
    program.key("i")
    program.until(lambda: program.annotations and not program.app.annotator.running)
    assert np.array_equal(watching.seen[0], np.asarray(Image.open(flat / "a.png")))
    assert (flat / "a.png").read_bytes() == stored
    assert program.titles() == [program.session.history().undo]


# The table


def test_nothing_changes_by_default():
    assert Adjustment().neutral
    assert Adjustment().table.tolist() == list(range(256))


def test_brightness_adds_contrast_turns_round_the_middle_gamma_keeps_the_ends():
    assert Adjustment(brightness=20).table[[0, 100, 240]].tolist() == [51, 151, 255]
    assert Adjustment(brightness=-20).table[[0, 100, 240]].tolist() == [0, 49, 189]
    assert Adjustment(contrast=50).table[[64, 127, 128, 191]].tolist() == [0, 126, 128, 254]
    assert Adjustment(contrast=-100).table[[0, 255]].tolist() == [96, 159]
    lighter, darker = Adjustment(gamma=50).table, Adjustment(gamma=-50).table
    assert lighter[[0, 64, 255]].tolist() == [0, 128, 255]
    assert darker[[0, 128, 255]].tolist() == [0, 64, 255]


@pytest.mark.parametrize("brightness", [-LIMIT, 0, LIMIT])
@pytest.mark.parametrize("contrast", [-LIMIT, 0, LIMIT])
@pytest.mark.parametrize("gamma", [-LIMIT, 0, LIMIT])
def test_what_is_lighter_stays_lighter(brightness, contrast, gamma):
    table = Adjustment(brightness, contrast, gamma).table
    assert np.all(np.diff(table.astype(int)) >= 0)
