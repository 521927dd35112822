"""Every icon is a drawing that ships with the program, and every drawing is used."""

from pathlib import Path

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QIcon

import maskstudio
from maskstudio.resources import resource_path
from maskstudio.ui.icons import drawn_icon

PACKAGE = Path(maskstudio.__file__).parent
DRAWINGS = sorted(path.stem for path in resource_path("icons").glob("*.svg"))


def painted(icon: QIcon, mode: QIcon.Mode = QIcon.Mode.Normal) -> set[str]:
    """Return the colours of its opaque pixels."""
    image = icon.pixmap(QSize(24, 24), 1.0, mode).toImage()
    pixels = [image.pixelColor(x, y) for x in range(24) for y in range(24)]
    return {pixel.name() for pixel in pixels if pixel.alpha() == 255}


def test_every_action_with_an_icon_has_its_drawing(program):
    icons = {
        action.objectName(): action.icon()
        for action in program.window.findChildren(type(program.window.verbs["undo"]))
        if not action.icon().isNull()
    }
    assert len(icons) > 20
    blank = [name for name, icon in icons.items() if not painted(icon)]
    assert not blank


def test_it_is_painted_in_its_colour_and_in_another_where_it_cannot_be_used(qapp):
    icon = drawn_icon("undo", "#ff8000", "#00ff00")
    assert "#ff8000" in painted(icon)
    assert "#00ff00" not in painted(icon)
    assert "#00ff00" in painted(icon, QIcon.Mode.Disabled)


def test_every_drawing_is_used():
    sources = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    assert [name for name in DRAWINGS if f'"{name}"' not in sources] == []


def test_a_drawing_that_does_not_ship_is_an_error(qapp):
    with pytest.raises(FileNotFoundError, match="no-such-thing"):
        drawn_icon("no-such-thing", "#000000", "#000000")
