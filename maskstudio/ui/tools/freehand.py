"""Draw an outline in one stroke."""

from collections.abc import Callable

from PySide6.QtGui import QPainter

from maskstudio.annotation.segmentation import MIN_RING_VERTICES, Segmentation
from maskstudio.annotation.shapes import thinned
from maskstudio.ui.canvas.viewport import Viewport
from maskstudio.ui.key_table import ToolKey
from maskstudio.ui.tools.draft import draw, has_left, paint_draft, within_image
from maskstudio.ui.tools.tool import Button, CanvasPort, Pointer, Tool


class FreehandTool(Tool):
    """A drag draws along the outline; letting go closes it.

    An outline that could not be written stays on the canvas until it is tried again or dropped.
    """

    name = "freehand"

    def __init__(self, canvas: CanvasPort, category_id: Callable[[], int | None]) -> None:
        """Draw into the category that `category_id` names when the outline is closed."""
        super().__init__(canvas)
        self._category_id = category_id
        self._path: list[tuple[float, float]] = []
        self._held = False
        self._moved = False  # the hand has moved on from where it began
        self._tolerance = 0.0

    @property
    def hint(self) -> str:
        """What letting go does, or what can be done with what is left."""
        if not self._path:
            return "Press and drag along the outline  ·  {escape} goes back to selecting"
        if self._held:
            return "Let go to close the outline  ·  Right-click or {escape} drops it"
        keys = "{finish} tries again  ·  {escape} drops it"
        return f"The outline was not kept  ·  Right-click drops it  ·  {keys}"

    @property
    def busy(self) -> bool:
        """True while there is an outline that is not an annotation."""
        return bool(self._path)

    def press(self, pointer: Pointer, button: Button) -> None:
        """Begin an outline; the right button drops it."""
        if button is Button.RIGHT:
            self.cancel()
        elif not self._path:
            self._held, self._moved = True, False
            self._tolerance = pointer.screen_point
            self._path.append(within_image(self.canvas, pointer))
            self.canvas.refresh()

    def move(self, pointer: Pointer) -> None:
        """Draw on to the pointer."""
        if not self._held:
            return
        self._moved = self._moved or has_left(pointer, self._path[0])
        # What was drawn under a large magnification keeps its detail.
        self._tolerance = min(self._tolerance, pointer.screen_point)
        self._path.append(within_image(self.canvas, pointer))
        self.canvas.refresh()

    def release(self, pointer: Pointer, button: Button) -> None:
        """Close the outline."""
        if button is Button.LEFT and self._held:
            self.move(pointer)
            self._held = False
            self._finish()

    def double_click(self, pointer: Pointer) -> None:
        """Begin an outline: it may begin where another one did just before."""
        self.press(pointer, Button.LEFT)

    def key(self, key: ToolKey) -> bool:
        """Finishing tries again to keep an outline."""
        again = key is ToolKey.FINISH and self.busy and not self._held
        if again:
            self._finish()
        return again

    def undo(self) -> bool:
        """Drop the outline."""
        busy = self.busy
        self.cancel()
        return busy

    def cancel(self) -> None:
        """Drop the outline."""
        self._path = []
        self._held = False
        self.canvas.refresh()

    def paint(self, painter: QPainter, viewport: Viewport) -> None:
        """Draw the outline so far."""
        paint_draft(painter, viewport, self._path if self._held else [*self._path, *self._path[:1]])

    def _finish(self) -> None:
        """Make an annotation of the outline; a mere click or line vanishes."""
        vertices = thinned(self._path, self._tolerance)
        nothing = not self._moved or len(vertices) < MIN_RING_VERTICES
        if nothing or draw(self.canvas, Segmentation.from_rings(vertices), self._category_id()):
            self._path = []
        self.canvas.refresh()
