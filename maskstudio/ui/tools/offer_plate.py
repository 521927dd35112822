"""How an offer of the model looks: its outline, and the categories to take it as, at the pointer.

The plate takes no mouse: the next box may begin below it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen

from maskstudio.annotation.segmentation import Segmentation
from maskstudio.ui.canvas.viewport import Viewport

_PLATE, _TEXT, _FAINT = QColor(20, 22, 26, 230), QColor(240, 240, 240), QColor(170, 176, 186)
_KEY = QColor(255, 255, 255, 40)
_ROOM, _GAP, _SWATCH = 8.0, 8.0, 10.0
_BESIDE = 14.0  # of what is offered, screen points
_LONGEST = 220.0  # of a name, screen points
_FILL, _HALO, _LINE = 80, 4.0, 2.0
_FADED = 0.2


@dataclass(frozen=True)
class PlateRow:
    """One line of the plate.

    Attributes:
        key: what takes it, as it is written for people.
        colour: of the category; empty for a line without one.
        name: of the category, or what is said.
        share: probability as it is shown.
    """

    key: str
    colour: str
    name: str
    share: str


def paint_outline(
    painter: QPainter, viewport: Viewport, outline: Segmentation, colour: QColor
) -> None:
    """Draw an outline that nobody has taken yet.

    Args:
        painter: in screen points.
        viewport: where the image is.
        outline: in image coordinates.
        colour: of its category.
    """
    path = QPainterPath()
    path.setFillRule(Qt.FillRule.OddEvenFill)
    for _, _, ring in outline.rings():
        points = ring * viewport.scale + (viewport.left, viewport.top)
        (x, y), *rest = points.tolist()
        path.moveTo(x, y)
        for x, y in rest:
            path.lineTo(x, y)
        path.closeSubpath()
    fill = QColor(colour)
    fill.setAlpha(_FILL)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillPath(path, fill)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for line, width in ((QColor(255, 255, 255, 200), _HALO), (colour, _LINE)):
        painter.setPen(QPen(line, width))
        painter.drawPath(path)
    painter.restore()


class Plate:
    """The lines beside what is offered; it fades while the pointer is on it."""

    def __init__(self) -> None:
        self._place = QRectF()
        self._faded = False

    def hide(self) -> None:
        """It is not shown."""
        self._place, self._faded = QRectF(), False

    def goes_over(self, at: QPointF) -> bool:
        """Take note of the pointer; True when the plate is to be painted otherwise by that."""
        was = self._faded
        self._faded = self._place.adjusted(-_GAP, -_GAP, _GAP, _GAP).contains(at)
        return was != self._faded

    def paint(self, painter: QPainter, rows: Sequence[PlateRow], of: QRectF, at: QPointF) -> None:
        """Write the rows beside what is offered, level with a point.

        Args:
            painter: in screen points.
            rows: the first is what Enter takes.
            of: the rectangle of what is offered.
            at: where the pointer was when it was offered.
        """
        metrics = QFontMetricsF(painter.font())
        columns = _columns(rows, metrics)
        line = metrics.height() + 6
        size = QSizeF(sum(map(_with_gap, columns)) - _GAP + 2 * _ROOM, len(rows) * line + _ROOM)
        self._place = _placed(size, of, at, QRectF(painter.window()))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        # What lies below may be what the hand goes to next.
        painter.setOpacity(_FADED if self._faded else 1)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_PLATE)
        painter.drawRoundedRect(self._place, 5, 5)
        cell = QRectF(self._place.topLeft() + QPointF(_ROOM, _ROOM / 2), QSizeF(0, line))
        for number, row in enumerate(rows):
            _paint_row(painter, row, cell.translated(0, number * line), columns)
        painter.restore()


def _columns(rows: Sequence[PlateRow], metrics: QFontMetricsF) -> tuple[float, float, float, float]:
    """Return the widths of key, swatch, name and share; 0 where no row has any."""
    keys = max(metrics.horizontalAdvance(row.key) for row in rows)
    swatch = _SWATCH if any(row.colour for row in rows) else 0
    names = max(metrics.horizontalAdvance(row.name) for row in rows)
    shares = max(metrics.horizontalAdvance(row.share) for row in rows)
    return keys + 8 if keys else 0, swatch, min(names, _LONGEST), shares


def _with_gap(width: float) -> float:
    return width + _GAP if width else 0


def _paint_row(
    painter: QPainter, row: PlateRow, place: QRectF, columns: tuple[float, float, float, float]
) -> None:
    cells = []
    left = place.left()
    for width in columns:
        cells.append(QRectF(left, place.top(), width, place.height()))
        left += _with_gap(width)
    key, swatch, name, share = cells
    painter.setPen(Qt.PenStyle.NoPen)
    if row.key:
        painter.setBrush(_KEY)
        painter.drawRoundedRect(key.adjusted(0, 3, 0, -3), 3, 3)
    if row.colour:
        painter.setBrush(QColor(row.colour))
        painter.drawEllipse(swatch.center(), _SWATCH / 2, _SWATCH / 2)
    metrics = QFontMetricsF(painter.font())
    short = metrics.elidedText(row.name, Qt.TextElideMode.ElideRight, name.width() + 1)
    painter.setPen(_TEXT)
    painter.drawText(key, Qt.AlignmentFlag.AlignCenter, row.key)
    painter.drawText(name, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, short)
    painter.setPen(_FAINT)
    painter.drawText(share, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, row.share)


def _placed(size: QSizeF, of: QRectF, at: QPointF, window: QRectF) -> QRectF:
    """Return where a plate stands: beside what is offered if there is room, on the pointer's side.

    It never leaves the window.
    """
    right = QPointF(of.right() + _BESIDE, at.y())
    left = QPointF(of.left() - _BESIDE - size.width(), at.y())
    by_pointer = [right, left] if at.x() >= of.center().x() else [left, right]
    last = window.right() - size.width()
    fits = [place for place in by_pointer if window.left() <= place.x() <= last]
    place = fits[0] if fits else at + QPointF(_BESIDE, _BESIDE)
    x = min(max(place.x(), window.left()), last)
    y = min(max(place.y(), window.top()), window.bottom() - size.height())
    return QRectF(QPointF(x, y), size)
