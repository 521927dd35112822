"""A hand on the mouse: real events on the canvas, at places given in image coordinates."""

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from maskstudio.ui.canvas.canvas import Canvas

Point = tuple[float, float]

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
MIDDLE = Qt.MouseButton.MiddleButton
NONE = Qt.KeyboardModifier.NoModifier
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier

_NOTCH = 120


class Hand:
    """Moves the mouse over a canvas, clicks, drags and turns the wheel."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas

    def screen(self, point: Point) -> QPoint:
        """The screen pixel nearest to an image point."""
        x, y = self._canvas.viewport.to_screen(*point)
        return QPoint(round(x), round(y))

    def there(self, point: Point) -> Point:
        """The image point under that pixel: where the pointer really is."""
        at = self.screen(point)
        return self._canvas.viewport.to_image(at.x(), at.y())

    def move(self, point: Point) -> None:
        """Move the pointer."""
        at = self.screen(point)
        # Qt says nothing of a pointer that is there already, be it from the test before.
        QTest.mouseMove(self._canvas, at + QPoint(1, 0))
        QTest.mouseMove(self._canvas, at)

    def press(
        self, point: Point, button: Qt.MouseButton = LEFT, held: Qt.KeyboardModifier = NONE
    ) -> None:
        """Move there and press."""
        self.move(point)
        QTest.mousePress(self._canvas, button, held, self.screen(point))

    def release(
        self, point: Point, button: Qt.MouseButton = LEFT, held: Qt.KeyboardModifier = NONE
    ) -> None:
        """Let go."""
        QTest.mouseRelease(self._canvas, button, held, self.screen(point))

    def click(
        self, point: Point, button: Qt.MouseButton = LEFT, held: Qt.KeyboardModifier = NONE
    ) -> None:
        """Move there and click."""
        self.press(point, button, held)
        self.release(point, button, held)

    def double_click(self, point: Point) -> None:
        """Click twice, as Qt tells of it: the second press comes as a double-click."""
        self.click(point)
        QTest.mouseDClick(self._canvas, LEFT, NONE, self.screen(point))
        self.release(point)

    def drag(
        self,
        start: Point,
        *stops: Point,
        button: Qt.MouseButton = LEFT,
        held: Qt.KeyboardModifier = NONE,
    ) -> None:
        """Press, move over all stops, let go at the last."""
        # The pixels are fixed first: panning moves the image under the pointer.
        pixels = [self.screen(stop) for stop in stops]
        self.press(start, button, held)
        for pixel in pixels:
            QTest.mouseMove(self._canvas, pixel)
        QTest.mouseRelease(self._canvas, button, held, pixels[-1])

    def wheel(self, point: Point, notches: float, held: Qt.KeyboardModifier = NONE) -> None:
        """Turn the wheel; away from the hand is positive."""
        at = QPointF(self.screen(point))
        event = QWheelEvent(
            at,
            QPointF(self._canvas.mapToGlobal(at)),
            QPoint(),
            QPoint(0, round(notches * _NOTCH)),
            Qt.MouseButton.NoButton,
            held,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(self._canvas, event)
