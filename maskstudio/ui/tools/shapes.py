"""Draw a rectangle or an ellipse by the box around it."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QPainter

from maskstudio.annotation.segmentation import Box, Segmentation
from maskstudio.annotation.shapes import dragged_box, ellipse_vertices, rectangle_vertices
from maskstudio.ui.canvas.viewport import Viewport
from maskstudio.ui.tools.draft import draw, has_left, paint_draft, within_image
from maskstudio.ui.tools.tool import Button, CanvasPort, Pointer, Tool


class _BoxTool(Tool):
    """A drag, or two clicks, span the box; Shift makes it square, Alt puts its centre first.

    Attributes:
        noun: what is drawn.
        regular: what Shift makes of it.
    """

    noun = ""
    regular = ""

    def __init__(
        self,
        canvas: CanvasPort,
        category_id: Callable[[], int | None],
        vertices: Callable[[Box], NDArray[np.float64]],
    ) -> None:
        """Draw into the category that `category_id` names when the shape is finished.

        Args:
            canvas: what it works on.
            category_id: the category; None before there is any.
            vertices: gives the outline, (n, 2), of the shape in a box.
        """
        super().__init__(canvas)
        self._vertices = vertices
        self._category_id = category_id
        self._start: tuple[float, float] | None = None
        self._pointer: Pointer | None = None
        self._held = False

    @property
    def hint(self) -> str:
        """What the button does now."""
        keys = f"Shift: {self.regular}  ·  Alt: from the centre"
        if self._start is None:
            return f"Drag, or click two opposite corners  ·  {keys}"
        if self._held:
            return f"Let go to set the {self.noun}  ·  {keys}  ·  {{escape}} cancels"
        return f"Click the opposite corner  ·  {keys}  ·  {{escape}} cancels"

    @property
    def busy(self) -> bool:
        """True once the first corner is set."""
        return self._start is not None

    def press(self, pointer: Pointer, button: Button) -> None:
        """Set the first corner, if it is not set; the right button drops the shape."""
        if button is Button.RIGHT:
            self.cancel()
            return
        if self._start is None:
            self._start = within_image(self.canvas, pointer)
        self._held = True
        self.move(pointer)

    def move(self, pointer: Pointer) -> None:
        """Draw the shape as far as the pointer."""
        self._pointer = pointer
        self.canvas.refresh()

    def release(self, pointer: Pointer, button: Button) -> None:
        """Set the opposite corner; on the first one wait for another click."""
        if button is not Button.LEFT or not self._held or self._start is None:
            return
        self._held = False
        if has_left(pointer, self._start):
            self._finish(self._box(self._start, pointer))
        self.move(pointer)

    def double_click(self, pointer: Pointer) -> None:
        """Take it for a click: two shapes may begin at one corner, one soon after the other."""
        self.press(pointer, Button.LEFT)

    def undo(self) -> bool:
        """Drop the shape."""
        busy = self.busy
        self.cancel()
        return busy

    def cancel(self) -> None:
        """Drop the shape."""
        self._start = None
        self._held = False
        self.canvas.refresh()

    def paint(self, painter: QPainter, viewport: Viewport) -> None:
        """Draw the shape as it would be set now."""
        if self._start is not None and self._pointer is not None:
            vertices = self._vertices(self._box(self._start, self._pointer)).tolist()
            paint_draft(painter, viewport, [*vertices, vertices[0]])

    def _box(self, start: tuple[float, float], pointer: Pointer) -> Box:
        image = self.canvas.session.current
        size = (image.height, image.width) if image else (0, 0)
        return dragged_box(start, pointer.point, size, square=pointer.shift, centred=pointer.alt)

    def _finish(self, box: Box) -> None:
        """Draw the shape; the first corner stays set when that fails or the box is empty."""
        x0, y0, x1, y1 = box
        if x0 < x1 and y0 < y1:
            drawn = Segmentation.from_rings(self._vertices(box))
            if draw(self.canvas, drawn, self._category_id()):
                self._start = None


class RectangleTool(_BoxTool):
    """Draws four vertices."""

    name = "rectangle"
    noun = "rectangle"
    regular = "square"

    def __init__(self, canvas: CanvasPort, category_id: Callable[[], int | None]) -> None:
        super().__init__(canvas, category_id, rectangle_vertices)


class EllipseTool(_BoxTool):
    """Draws the ellipse that fills the box."""

    name = "ellipse"
    noun = "ellipse"
    regular = "circle"

    def __init__(self, canvas: CanvasPort, category_id: Callable[[], int | None]) -> None:
        super().__init__(canvas, category_id, ellipse_vertices)
