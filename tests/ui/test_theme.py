"""Every text can be read and every sign be seen, in both themes (WCAG 2.2, 1.4.3 and 1.4.11)."""

import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QWidget,
)

from maskstudio.annotation.annotation import ImageState
from maskstudio.storage.settings import ThemeName
from maskstudio.ui.theme import DARK, LIGHT, apply_theme, colours_now, state_icon

TEXT, SIGN = 4.5, 3.0  # lowest contrast of text, and of signs and edges
GROUNDS = ("window", "base", "canvas", "hover", "chosen")
THEMES = [pytest.param(LIGHT, id="light"), pytest.param(DARK, id="dark")]


def luminance(colour):
    """Relative luminance as WCAG defines it, 0 to 1."""

    def linear(part):
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = map(linear, (colour.redF(), colour.greenF(), colour.blueF()))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    """1 to 21."""
    low, high = sorted((luminance(QColor(one)), luminance(QColor(other))))
    return (high + 0.05) / (low + 0.05)


@pytest.fixture
def themed(qapp):
    """What applies a theme; the system's is back afterwards."""
    yield lambda colours: apply_theme(qapp, ThemeName.DARK if colours is DARK else ThemeName.LIGHT)
    apply_theme(qapp, ThemeName.SYSTEM)


def test_the_measure_is_that_of_wcag():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("text", ["text", "faint"])
def test_text_can_be_read_on_every_ground(theme, ground, text):
    assert contrast(getattr(theme, text), getattr(theme, ground)) >= TEXT


@pytest.mark.parametrize("theme", THEMES)
def test_text_on_the_accent_and_links_can_be_read(theme):
    assert contrast(theme.on_accent, theme.accent) >= TEXT
    assert contrast(theme.accent, theme.base) >= TEXT
    assert contrast(theme.accent, theme.window) >= TEXT
    assert contrast(theme.faint, theme.line) >= TEXT


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("sign", ["good", "bad", "waiting", "predicted", "edited", "accent"])
def test_signs_can_be_seen_in_lists_chosen_or_not(theme, sign):
    for ground in ("base", "window", "chosen"):
        assert contrast(getattr(theme, sign), getattr(theme, ground)) >= SIGN


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("kind", [QLineEdit, QPlainTextEdit, QCheckBox, QComboBox, QSpinBox])
def test_the_edge_of_a_field_can_be_seen(themed, qtbot, theme, kind):
    themed(theme)
    ground = QWidget()
    qtbot.addWidget(ground)
    field = kind(ground)
    ground.resize(80, 40)
    field.setGeometry(10, 10, 60, 20)
    picture = ground.grab().toImage()
    row = [picture.pixelColor(x, 20).name() for x in range(picture.width())]
    assert max(contrast(colour, theme.window) for colour in row[8:20]) >= SIGN


@pytest.mark.parametrize("theme", THEMES)
def test_the_palette_of_the_program_keeps_the_contrast(themed, theme):
    themed(theme)
    palette, role = QApplication.palette(), QPalette.ColorRole
    assert colours_now() is theme
    for text, ground in (
        (role.WindowText, role.Window),
        (role.Text, role.Base),
        (role.ButtonText, role.Button),
        (role.ToolTipText, role.ToolTipBase),
        (role.HighlightedText, role.Highlight),
        (role.PlaceholderText, role.Base),
        (role.PlaceholderText, role.Window),
        (role.Link, role.Base),
    ):
        assert contrast(palette.color(text), palette.color(ground)) >= TEXT, (text, ground)


@pytest.mark.parametrize("state", ImageState)
def test_a_state_has_the_colour_of_its_theme(themed, state):
    def darkest():
        image = state_icon(state).pixmap(32, 32).toImage()
        points = [image.pixelColor(x, y) for x in range(32) for y in range(32)]
        return {c.name() for c in points if c.alpha() == 255}

    themed(LIGHT)
    light = darkest()
    themed(DARK)
    assert light
    assert not light & darkest()


def near(colour, colours):
    """Tell whether a colour is among others: thin lines are smoothed a little."""
    parts = QColor(colour).getRgb()
    differences = (zip(parts, QColor(other).getRgb(), strict=True) for other in colours)
    return min(max(abs(a - b) for a, b in pairs) for pairs in differences) <= 8


def test_the_list_and_the_canvas_follow_the_theme(program):
    def seen():
        images = program.window.images.list
        row = images.visualRect(images.model().index(2, 0))
        picture = images.viewport().grab(row).toImage()
        inside = [picture.pixelColor(x, y).name() for x in range(24) for y in range(row.height())]
        around = program.canvas.grab().toImage().pixelColor(2, 2).name()
        return set(inside), around

    program.app.window.theme_chosen.emit(ThemeName.LIGHT)
    light, around = seen()
    assert around == LIGHT.canvas
    assert near(LIGHT.waiting, light)
    program.app.window.theme_chosen.emit(ThemeName.DARK)
    dark, around = seen()
    assert around == DARK.canvas
    assert near(DARK.waiting, dark)
    program.app.window.theme_chosen.emit(ThemeName.SYSTEM)
