"""What every tool is to the canvas, and what the canvas is to a tool."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.draft import Ends, Points
from maskstudio.annotation.segmentation import Box
from maskstudio.session.session import Session
from maskstudio.session.shown_image import ShownImage
from maskstudio.ui.canvas.hit_test import Hit
from maskstudio.ui.canvas.viewport import Viewport
from maskstudio.ui.key_table import ToolKey

TOLERANCE = 8.0
"""Screen points that count as «on it»."""


class Button(Enum):
    """Mouse buttons a tool hears of; the middle one always pans."""

    LEFT = auto()
    RIGHT = auto()


@dataclass(frozen=True)
class Pointer:
    """The pointer over the image.

    Attributes:
        x: image coordinate.
        y: image coordinate.
        tolerance: how many image pixels count as «on it» at this zoom.
        ctrl: held down (Command on a Mac).
        shift: held down.
        alt: held down.
    """

    x: float
    y: float
    tolerance: float
    ctrl: bool = False
    shift: bool = False
    alt: bool = False

    @property
    def point(self) -> tuple[float, float]:
        """(x, y)."""
        return self.x, self.y

    @property
    def screen_point(self) -> float:
        """How many image pixels one screen point is at this zoom."""
        return self.tolerance / TOLERANCE


class CanvasPort(Protocol):
    """What a tool may ask of the canvas."""

    @property
    def session(self) -> Session:
        """The open project."""

    @property
    def image(self) -> ShownImage | None:
        """The image on the canvas, if there is one."""

    @property
    def level(self) -> int:
        """The level of the image that is painted; 0 is full size."""

    def refresh(self) -> None:
        """Paint again: the tool's own drawing changed."""

    def refresh_live(self) -> None:
        """Paint again what is selected or under the pointer, where it looks otherwise now."""

    def set_preview(self, annotations: tuple[Annotation, ...]) -> None:
        """Show these instead of the annotations with their ids, until the next edit."""

    def visible_annotations(self) -> Mapping[int, Annotation]:
        """Return what can be touched, back to front."""

    def neighbours(self, box: Box) -> tuple[Annotation, ...]:
        """Return what shares borders with what is drawn in a box; nothing, unless it is wanted."""

    def hit(self, point: tuple[float, float], tolerance: float) -> Hit | None:
        """Find what lies under an image point, within a tolerance in image pixels."""


class Tool:
    """Base of all tools: does nothing with anything.

    Attributes:
        name: of the tool and of its action.
        works_on_selection: taking it in hand leaves selected what is selected.
    """

    name = ""
    works_on_selection = False

    def __init__(self, canvas: CanvasPort) -> None:
        self.canvas = canvas

    @property
    def hint(self) -> str:
        """One line: what the mouse and keys do now.

        Keys can be changed: `{polygon}` stands for the key of that action, `{finish}` for that of a
        `ToolKey`. A part between two «  ·  » goes if nothing is bound to its key.
        """
        return ""

    @property
    def cursor(self) -> Qt.CursorShape:
        """The pointer's shape now: a cross, unless the tool has another."""
        return Qt.CursorShape.CrossCursor

    @property
    def busy(self) -> bool:
        """True in the middle of a gesture."""
        return False

    @property
    def mark(self) -> tuple[float, float] | None:
        """The image point that `paint` marks, if any; it is painted again when it changes."""
        return None

    @property
    def draft(self) -> Points:
        """The points that were set of an outline that takes many clicks; it survives a crash.

        Another value with every change and the same one without; empty when there is nothing that
        is worth keeping.
        """
        return ()

    @property
    def draft_ends(self) -> Ends:
        """How many of these points there were after each click."""
        return ()

    def resume(self, points: Points, ends: Ends) -> None:
        """Take up an outline that was kept, as `draft` and `draft_ends` told of it."""

    def take_up(self, tell: Callable[[], None]) -> None:
        """It was put in hand.

        Args:
            tell: to be called when its hint changes, or it becomes busy or free, by itself.
        """
        del tell

    def put_away(self) -> None:
        """Another tool is taken: what is half done is dropped."""
        self.cancel()

    def settle(self) -> bool:
        """The person goes on: take what needs no more than a nod; False in mid-gesture."""
        return not self.busy

    def use_category(self, category_id: int) -> bool:
        """The person chose a category; return True when it was for what the tool shows."""
        del category_id
        return False

    def press(self, pointer: Pointer, button: Button) -> None:
        """A button went down."""

    def move(self, pointer: Pointer) -> None:
        """The pointer moved, a button down or not."""

    def release(self, pointer: Pointer, button: Button) -> None:
        """A button went up."""

    def double_click(self, pointer: Pointer) -> None:
        """The left button was clicked twice."""

    def wheel(self, notches: float) -> bool:
        """The wheel turned without a modifier, away from the hand; return True when it was used."""
        del notches
        return False

    def takes(self, key: ToolKey) -> bool:
        """Tell whether the tool has a use for a key now that may be that of an action too."""
        del key
        return False

    def key(self, key: ToolKey) -> bool:
        """A key was pressed that is bound to this; return True when the tool used it."""
        del key
        return False

    def undo(self) -> bool:
        """Take back the last step of a gesture; False when there is none in progress."""
        return False

    def cancel(self) -> None:
        """Drop what is half done."""

    def paint(self, painter: QPainter, viewport: Viewport) -> None:
        """Draw what belongs to the tool, in screen points, over everything."""
