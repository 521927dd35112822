"""The circle that tools work with which go over an image: how wide it is, and how it looks."""

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from maskstudio.ui.canvas.viewport import Viewport
from maskstudio.ui.key_table import ToolKey

MIN_SIZE, MAX_SIZE = 1.0, 500.0
"""Width of the circle in image pixels, at least and at most."""

_FIRST_SIZE = 20.0
_STEP = 1.2  # how much wider one notch of the wheel makes it


class RoundTip:
    """A circle around the pointer, made wider and narrower by the wheel and by two keys."""

    def __init__(self) -> None:
        self._size = _FIRST_SIZE

    @property
    def size(self) -> float:
        """How wide it is, image pixels."""
        return self._size

    @property
    def radius(self) -> float:
        """Half of its width, image pixels."""
        return self._size / 2

    @property
    def hint(self) -> str:
        """How wide it is and how to change that, for a tool's hint."""
        wheel = f"Wheel makes it wider or narrower ({self._size:.0f} px)"
        return f"{wheel}  ·  {{narrower}} {{wider}} too"

    def turn(self, notches: float) -> None:
        """Make it wider by so many notches of the wheel."""
        self._size = min(max(self._size * _STEP**notches, MIN_SIZE), MAX_SIZE)

    def takes(self, key: ToolKey) -> bool:
        """Tell whether a key changes its width."""
        return key in (ToolKey.WIDER, ToolKey.NARROWER)

    def key(self, key: ToolKey) -> bool:
        """Change the width; False when the key is for something else."""
        if self.takes(key):
            self.turn(1 if key is ToolKey.WIDER else -1)
        return self.takes(key)

    def paint(
        self, painter: QPainter, viewport: Viewport, at: tuple[float, float], *, dashed: bool
    ) -> None:
        """Draw it.

        Args:
            painter: in screen points.
            viewport: where the image is.
            at: its middle, image coordinates.
            dashed: it takes something away.
        """
        middle = QPointF(*viewport.to_screen(*at))
        radius = self.radius * viewport.scale
        line = Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((QColor(0, 0, 0, 150), 3.0), (QColor(255, 255, 255), 1.2)):
            painter.setPen(QPen(colour, width, line))
            painter.drawEllipse(middle, radius, radius)
