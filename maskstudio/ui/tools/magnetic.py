"""Draw an outline that clings to the edges in the image."""

from collections.abc import Callable

from maskstudio.annotation.draft import Points
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.session.tasks import Tasks
from maskstudio.session.tracing import Tracer, edge_near
from maskstudio.ui.tools.draft import draw, within_image
from maskstudio.ui.tools.outline import OutlineTool
from maskstudio.ui.tools.tool import Button, CanvasPort, Pointer


class MagneticTool(OutlineTool):
    """Each click fixes the stretch of outline that follows the edges to the pointer.

    Until the ways along the edges are worked out, a straight line is shown; what is shown is what
    a click fixes. Only closing waits for the way back to the first point.
    """

    name = "magnetic"

    def __init__(
        self, canvas: CanvasPort, category_id: Callable[[], int | None], tasks: Tasks
    ) -> None:
        """Draw into the category that `category_id` names when the outline is closed.

        Args:
            canvas: what it works on.
            category_id: the category; None before there is any.
            tasks: where the ways are worked out.
        """
        super().__init__(canvas)
        self._category_id = category_id
        self._tracer = Tracer(tasks, self._on_ways)
        self._waits_to_close = False
        self._live: Points = ()  # from the last point to the pointer

    @property
    def hint(self) -> str:
        """What the next click does."""
        if self._waits_to_close:
            return "Closing along the edge  ·  Right-click or {drop_vertex} goes on drawing"
        if not self._points:
            return "Click on the edge of what is to be outlined  ·  {escape} goes back to selecting"
        keys = "Ctrl: straight  ·  {drop_vertex} drops the last stretch"
        if len(self._ends) == 1:
            return (
                f"Move along the edge, click to fix the stretch  ·  {keys}  ·  {{escape}} cancels"
            )
        return (
            f"Click fixes the stretch  ·  First point, double-click or {{finish}} closes  ·  {keys}"
        )

    def press(self, pointer: Pointer, button: Button) -> None:
        """Fix a stretch, close the outline, or drop the last stretch."""
        if self._waits_to_close:
            self._waits_to_close = button is not Button.RIGHT
        else:
            super().press(pointer, button)

    def move(self, pointer: Pointer) -> None:
        """Follow the edges to the pointer."""
        if self._points and not self._waits_to_close:
            self._live = self._stretch(pointer)
        super().move(pointer)

    def _stretch(self, pointer: Pointer) -> Points:
        to = self._place(pointer)
        straight = pointer.ctrl or not self._points
        return (None if straight else self._way(to)) or (to,)

    def _stretch_shown(self, pointer: Pointer) -> Points:
        del pointer
        return self._points[:1] if self._waits_to_close else self._live

    def _closing(self) -> Points:
        if len(self._ends) < 2:
            return ()
        return (self._way(self._points[0]) or ())[:-1]

    def _keep(self, drawn: Segmentation) -> bool:
        return draw(self.canvas, drawn, self._category_id())

    def _finish(self) -> None:
        """Close the outline, once the way back is known."""
        self._closing()
        self._waits_to_close = self._tracer.working and len(self._ends) > 1
        if not self._waits_to_close:
            super()._finish()

    def _drop_last(self) -> None:
        if self._waits_to_close:
            self._waits_to_close = False
        else:
            super()._drop_last()

    def _on_stretches(self) -> None:
        self._waits_to_close, self._live = False, ()
        if not self._points:
            self._tracer.drop()
        else:
            # The ways from here are wanted as soon as the pointer moves on.
            self._way(self._points[-1])

    def _on_ways(self) -> None:
        if self._waits_to_close:
            self._finish()
        elif self._points and self._pointer is not None:
            self._live = self._stretch(self._pointer)
        self.canvas.refresh()

    def _way(self, to: tuple[float, float]) -> Points | None:
        """Return the way along the edges from the last point; None while it is not known."""
        image = self.canvas.image
        if image is None:
            return None
        return self._tracer.way(image, self._points[-1], to, self.canvas.level)

    def _place(self, pointer: Pointer) -> tuple[float, float]:
        """Return where a click sets a point: on the edge near the pointer, if there is one."""
        at, image = within_image(self.canvas, pointer), self.canvas.image
        if self._on_first(pointer):
            return self._points[0]
        if pointer.ctrl or image is None:
            return at
        return edge_near(image, at, pointer.tolerance, self.canvas.level) or at
