"""What a person does in the middle of a gesture: drop it, or move the view."""

from PySide6.QtCore import Qt

from support.hand import CTRL, MIDDLE, RIGHT
from support.program import Program


def by_esc(program: Program) -> None:
    """Drop the gesture by Esc."""
    program.key(Qt.Key.Key_Escape)


def by_ctrl_z(program: Program) -> None:
    """Drop the gesture by undo."""
    program.key("z", CTRL)


def by_right_click(program: Program) -> None:
    """Drop the gesture by the right button."""
    program.hand.click((50, 50), RIGHT)


def pan(program: Program) -> None:
    """Move the image with the middle button."""
    program.hand.drag((50, 40), (30, 20), button=MIDDLE)


def zoom_in(program: Program) -> None:
    """Magnify by the wheel."""
    program.hand.wheel((50, 40), 3)


def zoom_out(program: Program) -> None:
    """Make smaller by the wheel."""
    program.hand.wheel((50, 40), -3)


DROPS = (by_esc, by_ctrl_z, by_right_click)
VIEW_CHANGES = (pan, zoom_in, zoom_out)
