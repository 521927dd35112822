"""A small picture of the whole image in a corner of the canvas, with the part that is seen."""

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from maskstudio.ui.canvas.adjustment import Adjustment
from maskstudio.ui.canvas.canvas import Canvas
from maskstudio.ui.canvas.layers import ImageLayer
from maskstudio.ui.canvas.viewport import Viewport

_LARGEST = QSize(180, 140)
_SHARE = 3  # of the canvas one third at most, each way
_SMALLEST_SIDE = 12
_MARGIN = 12
_SHADE = QColor(0, 0, 0, 120)
_FADED = 0.25


class Minimap(QWidget):
    """Lies over the canvas while the image is larger than the window.

    A click shows what lies there, a drag moves the view along. While a tool draws it fades, and
    the mouse goes through it.
    """

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._wanted = True
        self._faded = False
        self._layer = ImageLayer()
        self._picture: tuple[tuple[object, QSize, float, Adjustment], QPixmap] | None = None
        self._whole: tuple[object, QPixmap] | None = None
        self._grip: QPointF | None = None
        self.setAccessibleName("Minimap")
        self.setToolTip("Click: show what lies there; drag: move the view")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.hide()
        canvas.view_changed.connect(self._renew)
        canvas.adjusted.connect(self._renew)

    @property
    def wanted(self) -> bool:
        """True when it is shown whenever the image is larger than the window."""
        return self._wanted

    @wanted.setter
    def wanted(self, wanted: bool) -> None:
        self._wanted = wanted
        self._renew()

    def set_faded(self, faded: bool) -> None:
        """Let what lies below be seen, and let the mouse through."""
        self._faded = faded
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, faded)
        self.update()

    @property
    def seen(self) -> QRectF:
        """The part of the image that is seen, on the minimap, in screen points."""
        height, width = self._image_size()
        view, window = self._canvas.viewport, self._canvas.size()
        x0, y0 = view.to_image(0, 0)
        x1, y1 = view.to_image(window.width(), window.height())
        scale_x, scale_y = self.width() / width, self.height() / height
        part = QRectF(QPointF(x0 * scale_x, y0 * scale_y), QPointF(x1 * scale_x, y1 * scale_y))
        return part & QRectF(self.rect())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Copy the picture, and darken what is not seen."""
        del event
        composed = self._composed()
        painter = QPainter(self)
        painter.setOpacity(_FADED if self._faded else 1)
        painter.drawPixmap(0, 0, composed)
        painter.end()

    def _composed(self) -> QPixmap:
        """Return all of it, painted once for a view: what moves below has it copied each time."""
        picture, seen = self._painted(), self.seen
        key = picture.cacheKey(), seen, self.palette().cacheKey()
        if self._whole is not None and self._whole[0] == key:
            return self._whole[1]
        composed = QPixmap(picture)
        painter = QPainter(composed)
        for rest in _around(QRectF(self.rect()), seen):
            painter.fillRect(rest, _SHADE)
        painter.setPen(QPen(self.palette().highlight().color(), 2))
        painter.drawRect(seen.adjusted(1, 1, -1, -1))
        painter.setPen(QPen(self.palette().mid().color(), 1))
        painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        painter.end()
        self._whole = key, composed
        return composed

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the part that is seen, or show what lies under the pointer."""
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        at, seen = event.position(), self.seen
        self._grip = at - seen.center() if seen.contains(at) else QPointF()
        self._show(at - self._grip)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the view along."""
        if self._grip is None:
            event.ignore()
        else:
            self._show(event.position() - self._grip)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._grip = None
        else:
            event.ignore()

    def _show(self, at: QPointF) -> None:
        """Bring what lies at a point of the minimap to the middle of the canvas."""
        height, width = self._image_size()
        canvas = self._canvas
        x, y = canvas.viewport.to_screen(
            at.x() / self.width() * width, at.y() / self.height() * height
        )
        canvas.pan(canvas.width() / 2 - x, canvas.height() / 2 - y)

    def _renew(self) -> None:
        """Follow the view: take the place that fits, or go."""
        image, canvas = self._canvas.image, self._canvas
        if self._picture is not None and self._picture[0][0] is not image:
            self._picture = None
        if image is None or not self._wanted or not self._image_is_larger():
            self.hide()
            return
        height, width = image.size
        room = _LARGEST.boundedTo(canvas.size() / _SHARE)
        size = QSize(width, height).scaled(room, Qt.AspectRatioMode.KeepAspectRatio)
        self.resize(size.expandedTo(QSize(_SMALLEST_SIDE, _SMALLEST_SIDE)))
        corner = QPoint(canvas.width() - self.width(), canvas.height() - self.height())
        self.move(corner - QPoint(_MARGIN, _MARGIN))
        self.show()
        self.update()

    def _image_is_larger(self) -> bool:
        height, width = self._image_size()
        scale = self._canvas.viewport.scale
        return width * scale > self._canvas.width() or height * scale > self._canvas.height()

    def _image_size(self) -> tuple[int, int]:
        image = self._canvas.image
        return (1, 1) if image is None else image.size

    def _painted(self) -> QPixmap:
        """Return the whole image as small as it is shown here, painted once."""
        canvas, ratio = self._canvas, self.devicePixelRatioF()
        wanted = (canvas.image, self.size(), ratio, canvas.adjustment)
        if self._picture is None or self._picture[0] != wanted:
            pixmap = QPixmap(self.size() * ratio)
            pixmap.setDevicePixelRatio(ratio)
            pixmap.fill(self.palette().dark().color())
            painter = QPainter(pixmap)
            if canvas.image is not None:
                self._layer.tones.adjustment = canvas.adjustment
                scale = self.width() / canvas.image.size[1]
                view = Viewport(min(scale, self.height() / canvas.image.size[0]))
                self._layer.paint(painter, canvas.image, view, QSizeF(self.size()))
            painter.end()
            self._picture = (wanted, pixmap)
        return self._picture[1]


def _around(whole: QRectF, hole: QRectF) -> tuple[QRectF, ...]:
    """Return four rectangles that cover what a hole leaves of a rectangle."""
    return (
        QRectF(whole.topLeft(), QPointF(whole.right(), hole.top())),
        QRectF(QPointF(whole.left(), hole.bottom()), whole.bottomRight()),
        QRectF(QPointF(whole.left(), hole.top()), hole.bottomLeft()),
        QRectF(hole.topRight(), QPointF(whole.right(), hole.bottom())),
    )
