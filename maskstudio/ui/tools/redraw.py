"""Draw a stretch of an outline anew: a gesture of the select tool."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.shapes import thinned_line
from maskstudio.annotation.vertices import OutlinePlace, Redrawn, nearest_place, redrawn
from maskstudio.later import np
from maskstudio.session import vertex_operations
from maskstudio.ui.canvas.viewport import Viewport
from maskstudio.ui.tools.draft import has_left, paint_draft, within_image
from maskstudio.ui.tools.tool import CanvasPort, Pointer

_MARK = 6.0  # screen points from the middle of a marked place to its rim
# Loops that a trembling hand draws are smaller: screen points, a side of a square.
_SPECK = 4.0
_FADED = ((QColor(0, 0, 0, 90), 3.0), (QColor(255, 255, 255, 150), 1.4))  # colour, width
_DASHES = [3.0, 4.0]


@dataclass(frozen=True)
class _Line:
    """The button is down.

    Attributes:
        of: whose outline is drawn anew, as it was.
        start: where on it the line begins.
        points: where the pointer went, image coordinates; grows.
        thinness: how far from the line one of its points may lie, image pixels.
        moving: the pointer has left the place.
        longer: the longer stretch of the old outline goes.
        end: where on the outline the pointer is; None away from it.
        result: what letting go would make of it; None away from the outline.
    """

    of: Annotation
    start: OutlinePlace
    points: list[tuple[float, float]]
    thinness: float
    moving: bool = False
    longer: bool = False
    end: OutlinePlace | None = None
    result: Redrawn | None = None


class RedrawGesture:
    """A line from one place of an outline to another takes the place of the stretch between."""

    def __init__(self, canvas: CanvasPort) -> None:
        self._canvas = canvas
        self._line: _Line | None = None

    @property
    def busy(self) -> bool:
        """True while a line is being drawn."""
        return self._line is not None

    @property
    def hint(self) -> str:
        """Where the line may end, or what letting go does."""
        if self._line is None or self._line.result is None:
            return "Draw to another place of the same outline  ·  Right-click or {escape} drops it"
        return (
            "Let go to replace the dashed stretch  ·  {other_side} takes the other side"
            "  ·  Right-click or {escape} drops it"
        )

    def begin(self, of: Annotation, start: OutlinePlace, pointer: Pointer) -> None:
        """Begin a line at a place of an annotation's outline."""
        self._line = _Line(of, start, [pointer.point], pointer.screen_point)

    def move(self, pointer: Pointer) -> None:
        """Draw on to the pointer; where that is on the outline show what letting go would do."""
        line = self._current()
        if line is None:
            return
        moving = line.moving or has_left(pointer, line.points[0])
        # What was drawn under a large magnification keeps its detail.
        thinness = min(line.thinness, pointer.screen_point)
        line = replace(line, moving=moving, thinness=thinness)
        at = within_image(self._canvas, pointer)
        if at != line.points[-1]:
            line.points.append(at)
        self._show(replace(line, end=self._end(line, pointer) if moving else None))

    def take_other_side(self) -> None:
        """Take the other of the two stretches away."""
        if self._line is not None:
            self._show(replace(self._line, longer=not self._line.longer))

    def finish(self, pointer: Pointer) -> bool:
        """End the line, as one edit; False when it was a mere click."""
        self.move(pointer)
        line = self._current()
        self.cancel()
        if line is None or not line.moving:
            return line is None
        session = self._canvas.session
        if line.result is None:
            if _length(line) > pointer.tolerance:
                session.problem.emit(
                    "The line has to end on the outline it begins on, at another place; nothing "
                    "was changed."
                )
        elif line.result.outline is None:
            session.problem.emit("That outline encloses nothing of the image; nothing was changed.")
        else:
            speck = (_SPECK * pointer.screen_point) ** 2
            vertex_operations.redraw(session, line.of.id, line.result.outline, speck)
        return True

    def cancel(self) -> None:
        """Drop the line."""
        if self._line is not None:
            self._line = None
            self._canvas.set_preview(())
            self._canvas.refresh()

    def paint(self, painter: QPainter, viewport: Viewport) -> None:
        """Draw the line, the stretch that goes, and the places where the line meets the outline."""
        line = self._line
        if line is None or not line.moving:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ends = [line.start] if line.end is None else [line.start, line.end]
        if line.result is None:
            paint_draft(painter, viewport, [line.start.point, *line.points])
        else:
            _paint_faded(painter, viewport, line.result, line.thinness)
        painter.setPen(QPen(QColor(20, 20, 20), 1.5))
        painter.setBrush(QColor(255, 255, 255))
        for place in ends:
            painter.drawEllipse(QPointF(*viewport.to_screen(*place.point)), _MARK, _MARK)

    def _current(self) -> _Line | None:
        """Return the line; drop it when the annotation was changed meanwhile."""
        line = self._line
        if line is not None and self._canvas.session.annotations.get(line.of.id) is not line.of:
            self.cancel()
        return self._line

    def _end(self, line: _Line, pointer: Pointer) -> OutlinePlace | None:
        outline = line.of.segmentation
        if outline is None:
            return None
        end = nearest_place(outline, line.start.at, pointer.point, pointer.tolerance)
        return None if end is None or end.point == line.start.point else end

    def _show(self, line: _Line) -> None:
        """Work out what letting go would do, and preview it."""
        outline, result = line.of.segmentation, None
        if line.end is not None and outline is not None:
            way = thinned_line([line.start.point, *line.points, line.end.point], line.thinness)
            result = redrawn(outline, line.start, line.end, way, longer=line.longer)
        self._line = replace(line, result=result)
        if result is None or result.outline is None:
            self._canvas.set_preview(())
            self._canvas.refresh()
        else:
            new = replace(line.of, segmentation=result.outline, touched=True)
            self._canvas.set_preview((new,))
            self._canvas.refresh()


def _length(line: _Line) -> float:
    return float(np.hypot(*np.diff(line.points, axis=0).T).sum())


def _paint_faded(painter: QPainter, viewport: Viewport, result: Redrawn, thinness: float) -> None:
    # Thinned, or thousands of vertices would be turned into screen points one by one.
    gone = thinned_line(result.gone.tolist(), thinness / 2)
    points = QPolygonF([QPointF(*viewport.to_screen(x, y)) for x, y in gone.tolist()])
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in _FADED:
        pen = QPen(colour, width)
        pen.setDashPattern([dash / width * 2 for dash in _DASHES])
        painter.setPen(pen)
        painter.drawPolyline(points)
