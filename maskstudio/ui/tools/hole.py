"""Draw a hole into annotations."""

from maskstudio.annotation.draft import Points
from maskstudio.annotation.segmentation import MIN_RING_VERTICES, Segmentation
from maskstudio.annotation.shapes import thinned
from maskstudio.session import region_operations
from maskstudio.ui.tools.draft import has_left, within_image
from maskstudio.ui.tools.outline import OutlineTool
from maskstudio.ui.tools.tool import Button, CanvasPort, Pointer


class HoleTool(OutlineTool):
    """Clicks or one drag outline what is taken out of the selected annotations.

    With nothing selected it is the front-most under the first point.
    """

    name = "hole"
    works_on_selection = True

    def __init__(self, canvas: CanvasPort) -> None:
        super().__init__(canvas)
        self._path: Points = ()  # of a drag that is not over

    @property
    def hint(self) -> str:
        """What the next click does, and into what the hole is drawn."""
        if self._path:
            return "Let go to close the hole  ·  Right-click or {escape} drops it"
        if self._points:
            return super().hint
        selected = self.canvas.session.selection
        where = "in what is selected" if selected else "in the annotation under the pointer"
        return (
            f"Click to set vertices of a hole {where}, or drag around it  ·  {{escape}} goes back"
        )

    def press(self, pointer: Pointer, button: Button) -> None:
        """Set a vertex or begin a drag, close the hole, or drop the last vertex."""
        begins = button is Button.LEFT and not self._points
        super().press(pointer, button)
        self._path = self._points if begins else ()

    def move(self, pointer: Pointer) -> None:
        """Draw on to the pointer."""
        if self._path:
            self._path = (*self._path, within_image(self.canvas, pointer))
        super().move(pointer)

    def release(self, pointer: Pointer, button: Button) -> None:
        """Close what was dragged around; a mere click has set the first vertex."""
        path, self._path = self._path, ()
        if button is not Button.LEFT or not any(has_left(pointer, at) for at in path):
            return
        vertices = thinned(path, pointer.screen_point)
        if len(vertices) >= MIN_RING_VERTICES:
            points = tuple((float(x), float(y)) for x, y in vertices)
            self.resume(points, tuple(range(1, len(points) + 1)))
            self._finish()

    def cancel(self) -> None:
        """Drop the hole."""
        self._path = ()
        super().cancel()

    def _drop_last(self) -> None:
        self._path = ()
        super()._drop_last()

    def _stretch_shown(self, pointer: Pointer) -> Points:
        return self._path or super()._stretch_shown(pointer)

    def _keep(self, drawn: Segmentation) -> bool:
        session, visible = self.canvas.session, self.canvas.visible_annotations()
        chosen = session.selection & visible.keys()
        if not session.selection:
            hit = self.canvas.hit(self._first_of(drawn), 0.0)
            chosen = frozenset([hit.annotation_id] if hit else [])
        return region_operations.punch(session, sorted(chosen), drawn)

    @staticmethod
    def _first_of(drawn: Segmentation) -> tuple[float, float]:
        x, y = drawn.parts[0].outer[0].tolist()
        return x, y
