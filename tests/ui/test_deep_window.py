"""Images of more than 8 bits: the values between black and white, chosen by hand."""

import cv2
import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDoubleSpinBox, QLabel, QSlider

from maskstudio.storage.images import read_image
from maskstudio.storage.settings import Settings, write_settings
from maskstudio.storage.stored_values import Window
from maskstudio.ui.canvas.adjustment import Adjustment
from support.fakes import FakePredictor
from support.hand import CTRL, LEFT, SHIFT

HELD = CTRL | SHIFT
# A ramp in steps: 50 columns of 2 pixels, from 1,000 in steps of 100.
FIRST, STEP, COLUMNS = 1_000, 100, 50
RAMP = np.repeat((FIRST + STEP * np.arange(COLUMNS, dtype=np.uint16))[None, :], 2, axis=1)
RAMP = np.repeat(RAMP, 80, axis=0)
LAST = FIRST + STEP * (COLUMNS - 1)


@pytest.fixture
def deep(tmp_path):
    """A folder: the ramp, the ramp half as bright, 8 bits, floats (0 to 1), and colours."""
    folder = tmp_path / "deep"
    folder.mkdir()
    Image.fromarray(RAMP).save(folder / "a.png")
    Image.fromarray(RAMP // 2).save(folder / "b.tif")
    Image.fromarray(np.full((80, 100, 3), 90, np.uint8)).save(folder / "c.png")
    floats = np.repeat(np.linspace(0, 1, 100, dtype=np.float32)[None, :], 80, axis=0)
    floats[:, :3] = np.nan, np.inf, -np.inf
    Image.fromarray(floats).save(folder / "d.tif")
    bgr = np.dstack([RAMP, RAMP // 2, np.full_like(RAMP, 3_000)])
    cv2.imwrite(str(folder / "e.png"), bgr)
    return folder


@pytest.fixture
def program(start, deep):
    made = start()
    made.open(deep)
    made.until(lambda: len(made.session.image_ids) == 5)
    made.canvas.setFocus()
    return made


def opened(program):
    """Open the window with the sliders."""
    program.key("l", HELD)
    (dialog,) = program.dialogs()
    program.until(dialog.isActiveWindow)
    return dialog


def part(dialog, kind, name):
    (found,) = (one for one in dialog.findChildren(kind) if one.accessibleName() == name)
    return found


def greys(program, values):
    """The greys on the screen at the columns of some values of the ramp, in the middle."""
    columns = [2 * (value - FIRST) // STEP + 1 for value in values]
    colours = [program.colour((column, 40)) for column in columns]
    assert all(len(set(colour)) == 1 for colour in colours)
    return [colour[0] for colour in colours]


def type_into(program, field, text):
    field.setFocus()
    field.selectAll()
    program.type(text)
    program.key(Qt.Key.Key_Return)


def shown_in(window, values):
    """What a window makes of values, worked out anew."""
    within = (np.array(values, float) - window.low) / (window.high - window.low)
    return np.rint(np.clip(within, 0, 1) * 255).astype(int).tolist()


# What is seen


def test_at_first_each_image_fills_the_range_from_black_to_white(program):
    middle = (1_000, 2_000, 3_500, LAST)
    assert greys(program, middle) == shown_in(Window(FIRST, LAST), middle)
    program.show("b.tif")
    assert greys(program, middle) == shown_in(Window(FIRST, LAST), middle)


@pytest.mark.parametrize("scale", [None, 2, 6])
def test_a_window_typed_in_shows_its_values_exactly(program, scale):
    dialog = opened(program)
    type_into(program, part(dialog, QDoubleSpinBox, "Black at, value"), "2000")
    type_into(program, part(dialog, QDoubleSpinBox, "White at, value"), "3000")
    assert program.canvas.adjustment.window == Window(2_000, 3_000)
    if scale:
        program.look_at((50, 40), scale)
    middle = (2_000, 2_200, 2_400, 2_600, 3_000)
    assert greys(program, middle) == shown_in(Window(2_000, 3_000), middle)
    if not scale:
        assert greys(program, (1_000, 1_900)) == [0, 0]
        assert greys(program, (3_100, LAST)) == [255, 255]


def test_brightness_and_the_others_turn_the_tones_of_the_window(program):
    dialog = opened(program)
    type_into(program, part(dialog, QDoubleSpinBox, "Black at, value"), "2000")
    type_into(program, part(dialog, QDoubleSpinBox, "White at, value"), "2200")
    gamma = part(dialog, QSlider, "Gamma")
    gamma.setFocus()
    for _ in range(50):
        program.key(Qt.Key.Key_Right)
    # Gamma 2: the root. From 8 bits of the stored range not one of these tones would be left.
    assert greys(program, (2_000, 2_100, 2_200)) == [0, round(255 * 0.5**0.5), 255]


def test_the_sliders_move_it_by_keys_and_mouse_and_never_cross(program):
    dialog = opened(program)
    low, high = (part(dialog, QSlider, name) for name in ("Black at", "White at"))
    assert (low.value(), high.value()) == (FIRST, LAST)
    low.setFocus()
    for _ in range(3):
        program.key(Qt.Key.Key_Right)
    step = (LAST - FIRST) // 256
    assert program.canvas.adjustment.window == Window(FIRST + 3 * step, LAST)
    QTest.mouseClick(high, LEFT, pos=QPoint(5, high.height() // 2))
    moved = program.canvas.adjustment.window
    assert moved.low == FIRST + 3 * step
    assert moved.high < LAST
    low.setFocus()
    program.key(Qt.Key.Key_End)
    assert program.canvas.adjustment.window == Window(LAST, LAST)
    assert (low.value(), high.value()) == (LAST, LAST)
    assert greys(program, (FIRST, LAST - STEP, LAST)) == [0, 0, 0]


def test_full_range_and_auto(program):
    dialog = opened(program)
    type_into(program, part(dialog, QDoubleSpinBox, "White at, value"), "20000")
    assert "Level 10500, width 19000" in program.text_of(dialog)
    QTest.mouseClick(program.button("Full range"), LEFT)
    assert program.canvas.adjustment.window == Window(FIRST, LAST)
    assert not program.button("Full range").isEnabled()
    QTest.mouseClick(program.button("Auto"), LEFT)
    assert program.canvas.adjustment.window is None
    assert not program.button("Auto").isEnabled()


def test_floats_are_shown_in_their_own_units(program):
    program.show("d.tif")
    assert program.colour((50.5, 40))[0] == round(255 * (50 - 3) / (99 - 3))
    # What is no number is black, infinity lies at its end.
    assert [program.colour((x, 40))[0] for x in (0.5, 1.5, 2.5)] == [0, 255, 0]
    dialog = opened(program)
    type_into(program, part(dialog, QDoubleSpinBox, "Black at, value"), "0.25")
    type_into(program, part(dialog, QDoubleSpinBox, "White at, value"), "0.75")
    assert program.canvas.adjustment.window == Window(0.25, 0.75)
    assert program.colour((50.5, 40))[0] == pytest.approx(255 * (50 / 99 - 0.25) * 2, abs=1)
    assert program.colour((20.5, 40))[0] == 0


def test_colours_of_16_bits_too(program):
    program.show("e.png")
    dialog = opened(program)
    type_into(program, part(dialog, QDoubleSpinBox, "Black at, value"), "1000")
    type_into(program, part(dialog, QDoubleSpinBox, "White at, value"), "5000")
    window = Window(1_000, 5_000)
    for value in (1_000, 3_400, LAST):
        column = 2 * (value - FIRST) // STEP + 1
        expected = shown_in(window, (3_000, value // 2, value))
        assert list(program.colour((column, 40))) == expected


# How long it stays


def test_a_chosen_window_stays_the_same_from_image_to_image(program):
    dialog = opened(program)
    type_into(program, part(dialog, QDoubleSpinBox, "White at, value"), "3000")
    program.show("b.tif")
    window = Window(FIRST, 3_000)
    middle = (1_000, 2_000, LAST)
    assert greys(program, middle) == shown_in(window, [value // 2 for value in middle])
    assert part(dialog, QDoubleSpinBox, "White at, value").value() == 3_000


def test_of_8_bits_nothing_changes_and_the_sliders_are_gone(program):
    dialog = opened(program)
    type_into(program, part(dialog, QDoubleSpinBox, "White at, value"), "3000")
    low = part(dialog, QSlider, "Black at")
    program.show("c.png")
    assert program.colour((50, 40)) == (90, 90, 90)
    assert not low.isVisible()
    program.show("a.png")
    assert low.isVisible()


def test_it_is_kept_until_the_next_start(start, deep, program):
    dialog = opened(program)
    type_into(program, part(dialog, QDoubleSpinBox, "White at, value"), "3000")
    program.close()
    again = start()
    again.open(deep)
    assert again.canvas.adjustment == Adjustment(window=Window(FIRST, 3_000))


@pytest.mark.parametrize(("low", "high"), [(5.0, 5.0), (9.0, 1.0), (float("nan"), 3.0)])
def test_a_stored_window_that_is_none_is_left_out(start, deep, tmp_path, low, high):
    write_settings(tmp_path / "settings.json", Settings(black_at=low, white_at=high))
    program = start()
    program.open(deep)
    assert program.canvas.adjustment == Adjustment()


def test_the_key_for_the_display_as_it_is_takes_it_back(program):
    dialog = opened(program)
    type_into(program, part(dialog, QDoubleSpinBox, "White at, value"), "3000")
    program.key("r", HELD)
    assert program.canvas.adjustment == Adjustment()
    assert part(dialog, QDoubleSpinBox, "White at, value").value() == LAST


def test_enter_in_a_field_presses_no_button(program):
    dialog = opened(program)
    gamma = part(dialog, QSlider, "Gamma")
    gamma.setFocus()
    program.key(Qt.Key.Key_Right)
    type_into(program, part(dialog, QDoubleSpinBox, "White at, value"), "3000")
    assert program.canvas.adjustment == Adjustment(gamma=1, window=Window(FIRST, 3_000))
    assert dialog.isVisible()


# The status bar, and what it leaves alone


def place(program):
    (label,) = (
        label for label in program.window.status.findChildren(QLabel) if "x " in label.text()
    )
    return label.text()


def test_the_status_bar_tells_the_value_under_the_pointer(program):
    program.hand.move((41, 40))
    assert place(program).endswith("value 3000")
    program.show("d.tif")
    program.hand.move((50.5, 40))
    assert place(program).endswith("value 0.50505")
    program.show("e.png")
    program.hand.move((41, 40))
    assert place(program).endswith("value 3000 1500 3000")
    program.look_at((10, 40), 3)
    program.hand.move((-3, 40))
    assert "value" not in place(program)
    program.show("c.png")
    program.hand.move((41, 40))
    assert "value" not in place(program)


class Watching(FakePredictor):
    """Keeps the images it was given."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def see(self, image, context):
        self.seen.append(image.copy())
        return super().see(image, context)


def test_the_model_sees_what_it_always_saw(start, deep):
    watching = Watching()
    program = start(lambda _: watching)
    program.open(deep)
    dialog = opened(program)
    type_into(program, part(dialog, QDoubleSpinBox, "White at, value"), "1500")
    program.key(Qt.Key.Key_Escape)
    program.window.activateWindow()
    program.until(program.window.isActiveWindow)
    program.canvas.setFocus()
    program.key("i")
    program.until(lambda: program.annotations and not program.app.annotator.running)
    assert np.array_equal(watching.seen[0], read_image(deep / "a.png"))
