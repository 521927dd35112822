"""The image as it was painted for a view: where only the view was moved, it is moved along."""

from PySide6.QtCore import QRect, QRectF, QSize, QSizeF
from PySide6.QtGui import QColor, QPainter, QPixmap

from maskstudio.session.shown_image import ShownImage
from maskstudio.ui.canvas.layers import ImageLayer
from maskstudio.ui.canvas.tones import Tones
from maskstudio.ui.canvas.viewport import Viewport


class Ground:
    """All that is seen of the image, as a picture of the size of the window."""

    def __init__(self) -> None:
        self._layer = ImageLayer()
        self._pixmap: QPixmap | None = None
        self._image: ShownImage | None = None
        self._background = QColor()
        # The view it was painted for as a whole, and how far it was moved since, in device pixels.
        self._viewport = Viewport()
        self._moved = (0, 0)

    @property
    def tones(self) -> Tones:
        """How bright the image is shown; `drop` what was painted otherwise."""
        return self._layer.tones

    def drop(self) -> None:
        """Paint all of it the next time: the image, its tones or the colours are others."""
        self._pixmap = self._image = None

    def painted(
        self,
        image: ShownImage | None,
        viewport: Viewport,
        window: QSize,
        ratio: float,
        background: QColor,
    ) -> QPixmap:
        """Return the picture for a view; what lies in the one before too is not painted again.

        Args:
            image: what to paint; nothing where it is None.
            viewport: the view, in screen points.
            window: size of what is seen, in screen points.
            ratio: device pixels for one screen point.
            background: the colour around the image.
        """
        size = window * ratio
        shift = self._shift(image, viewport, size, ratio)
        if self._pixmap is None or shift is None:
            self._pixmap = QPixmap(size)
            self._pixmap.setDevicePixelRatio(ratio)
            self._image, self._viewport, self._moved = image, viewport, (0, 0)
            self._paint(self._pixmap, [self._pixmap.rect()], viewport, background)
        elif shift != (0, 0):
            self._pixmap.scroll(*shift, self._pixmap.rect())
            self._moved = (self._moved[0] + shift[0], self._moved[1] + shift[1])
            self._paint(self._pixmap, _bared(size, *shift), viewport, background)
        return self._pixmap

    def _shift(
        self, image: ShownImage | None, viewport: Viewport, size: QSize, ratio: float
    ) -> tuple[int, int] | None:
        """Return by how many device pixels to move it; None where all is to be painted."""
        pixmap, first = self._pixmap, self._viewport
        if pixmap is None or self._image is not image or pixmap.size() != size:
            return None
        if pixmap.devicePixelRatio() != ratio:
            return None
        steps = viewport.steps_from(first, ratio)
        if steps is None:
            return None
        shift = (steps[0] - self._moved[0], steps[1] - self._moved[1])
        return shift if QRect(pixmap.rect()).translated(*shift).intersects(pixmap.rect()) else None

    def _paint(
        self, pixmap: QPixmap, parts: list[QRect], viewport: Viewport, background: QColor
    ) -> None:
        """Paint some parts, in device pixels, of a picture."""
        ratio = pixmap.devicePixelRatio()
        painter = QPainter(pixmap)
        for part in parts:
            points = QRectF(
                part.x() / ratio, part.y() / ratio, part.width() / ratio, part.height() / ratio
            )
            painter.setClipRect(points)
            painter.fillRect(points, background)
            if self._image is not None:
                window = QSizeF(pixmap.size()) / ratio
                self._layer.paint(painter, self._image, viewport, window, points)
        painter.end()


def _bared(size: QSize, dx: int, dy: int) -> list[QRect]:
    """Return where nothing lies any more in a picture that was moved."""
    width, height = size.width(), size.height()
    rows = QRect(0, 0 if dy > 0 else height + dy, width, abs(dy))
    columns = QRect(0 if dx > 0 else width + dx, 0, abs(dx), height)
    return [part for part in (rows, columns) if not part.isEmpty()]
