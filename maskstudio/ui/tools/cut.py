"""Cut annotations along a line."""

from dataclasses import dataclass

from PySide6.QtGui import QPainter

from maskstudio.session import region_operations
from maskstudio.ui.canvas.viewport import Viewport
from maskstudio.ui.key_table import ToolKey
from maskstudio.ui.tools.draft import has_left, paint_draft
from maskstudio.ui.tools.tool import Button, Pointer, Tool


@dataclass(frozen=True)
class _Line:
    """A button is down: where it went down, and where the pointer is."""

    start: tuple[float, float]
    end: tuple[float, float]


class CutTool(Tool):
    """A drag draws a straight line that cuts what is selected, or all it goes across."""

    name = "cut"
    works_on_selection = True
    _line: _Line | None = None

    @property
    def hint(self) -> str:
        """What a line would cut."""
        if self._line is not None:
            return "Let go to cut  ·  Right-click or {escape} drops the line"
        if self.canvas.session.selection:
            return (
                "Drag a line across what is selected  ·  Right-click selects none  ·  {finish} too"
            )
        return "Drag a line right across annotations: each is cut in two  ·  {escape} goes back"

    @property
    def busy(self) -> bool:
        """True while a button is down."""
        return self._line is not None

    def press(self, pointer: Pointer, button: Button) -> None:
        """Begin a line; the right button drops it, or selects none."""
        if button is Button.LEFT:
            self._line = _Line(pointer.point, pointer.point)
        elif self.busy:
            self.cancel()
        else:
            self.canvas.session.select(())

    def double_click(self, pointer: Pointer) -> None:
        """Begin a line: it may begin where another one ended just before."""
        self.press(pointer, Button.LEFT)

    def move(self, pointer: Pointer) -> None:
        """Draw the line to the pointer."""
        if self._line is not None:
            self._line = _Line(self._line.start, pointer.point)
            self.canvas.refresh()

    def release(self, pointer: Pointer, button: Button) -> None:
        """Cut, as one edit; a mere click cuts nothing."""
        line, session = self._line, self.canvas.session
        if line is None or button is not Button.LEFT:
            return
        self._line = None
        if has_left(pointer, line.start):
            visible = self.canvas.visible_annotations()
            unlocked = (i for i, a in visible.items() if not a.locked)
            chosen = session.selection & visible.keys() if session.selection else unlocked
            region_operations.cut(session, sorted(chosen), [line.start, pointer.point])
        self.canvas.refresh()

    def key(self, key: ToolKey) -> bool:
        """Finishing selects none."""
        used = key is ToolKey.FINISH and not self.busy
        if used:
            self.canvas.session.select(())
        return used

    def undo(self) -> bool:
        """Drop the line."""
        busy = self.busy
        self.cancel()
        return busy

    def cancel(self) -> None:
        """Drop the line."""
        self._line = None
        self.canvas.refresh()

    def paint(self, painter: QPainter, viewport: Viewport) -> None:
        """Draw the line."""
        if self._line is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            paint_draft(painter, viewport, [self._line.start, self._line.end])
