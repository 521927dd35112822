"""The two layers below the pointer: the image, and the annotations not being edited.

Both are painted once for a view and then copied to the screen, so that moving the pointer or
dragging a vertex costs one copy.
"""

import weakref
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSizeF
from PySide6.QtGui import QImage, QPainter

from maskstudio.annotation.overlay import OverlayRequest, render, render_after
from maskstudio.progress import TaskContext
from maskstudio.session.images import DecodedImage
from maskstudio.session.tasks import Callbacks, Job, LaneName, Tasks
from maskstudio.ui.canvas.adjustment import Adjustment
from maskstudio.ui.canvas.viewport import Viewport

# From this magnification on single pixels are shown as squares, not smoothed.
_SHOW_PIXELS_FROM = 2.0
# So much is adjusted at each repaint; beyond it a level is adjusted as a whole and held, if that
# does not take more than the second number.
_QUICK_BYTES = 8 * 1024 * 1024
_MOST_HELD_BYTES = 64 * 1024 * 1024
# The unused byte of a pixel of four, as one number of the machine's byte order.
_OPAQUE = np.array([0, 0, 0, 255], np.uint8).view(np.uint32)


class ImageLayer:
    """The image itself, as bright as the person wants to see it.

    Attributes:
        adjustment: how bright to show it.
    """

    def __init__(self) -> None:
        self.adjustment = Adjustment()
        # Taking fresh memory each time would cost more than filling it.
        self._room: NDArray[np.uint8] = np.empty(0, np.uint8)
        self._held: tuple[weakref.ref[NDArray[np.uint8]], Adjustment] | None = None

    def paint(
        self, painter: QPainter, image: DecodedImage, viewport: Viewport, window: QSizeF
    ) -> None:
        """Paint the visible part of an image from the level that fits the magnification.

        Args:
            painter: in screen points.
            image: what to paint.
            viewport: the view, in screen points.
            window: size of what is seen, in screen points.
        """
        ratio = painter.device().devicePixelRatioF()
        pixels = _fitting_level(image, viewport.scale * ratio)
        rows, columns = pixels.shape[:2]
        height, width = image.size
        x0, y0 = viewport.to_image(0, 0)
        x1, y1 = viewport.to_image(window.width(), window.height())
        # Whole pixels of the level, one more on each side, so that smoothing has neighbours.
        left = max(0, int(x0 * columns / width) - 1)
        top = max(0, int(y0 * rows / height) - 1)
        right = min(columns, int(x1 * columns / width) + 2)
        bottom = min(rows, int(y1 * rows / height) + 2)
        if right <= left or bottom <= top:
            return
        corner = viewport.to_screen(left * width / columns, top * height / rows)
        other = viewport.to_screen(right * width / columns, bottom * height / rows)
        target = QRectF(*corner, other[0] - corner[0], other[1] - corner[1])
        smooth = viewport.scale * ratio < _SHOW_PIXELS_FROM
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        source = QRectF(left, top, right - left, bottom - top)
        if not self.adjustment.neutral:
            seen = pixels[top:bottom, left:right]
            if seen.nbytes > _QUICK_BYTES and pixels.nbytes <= _MOST_HELD_BYTES:
                pixels = self._held_level(pixels)
            else:
                pixels = self._adjusted(seen)
                source.moveTo(0, 0)
        painter.drawImage(target, as_qimage(pixels, QImage.Format.Format_RGB32), source)

    def _held_level(self, level: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Map a whole level, unless it was the last one mapped: panning then costs nothing."""
        held = self._held
        if held is None or held[0]() is not level or held[1] != self.adjustment:
            self._adjusted(level)
            self._held = (weakref.ref(level), self.adjustment)
        return self._room[: level.size].reshape(level.shape)

    def _adjusted(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Map pixels; the result is good until the next call."""
        self._held = None
        if self._room.size < pixels.size:
            self._room = np.empty(pixels.size, np.uint8)
        room = self._room[: pixels.size].reshape(pixels.shape)
        cv2.LUT(pixels, self.adjustment.table, room)
        # Qt copies the unused byte along and takes it for opacity in the end.
        whole = room.view(np.uint32)
        np.bitwise_or(whole, _OPAQUE, out=whole)
        return room


def _fitting_level(image: DecodedImage, scale: float) -> NDArray[np.uint8]:
    """Return the smallest level that need not be magnified.

    Args:
        image: an image.
        scale: device pixels for one of its pixels.
    """
    level = 0
    while level + 1 < len(image.levels) and scale * 2 ** (level + 1) <= 1:
        level += 1
    return image.levels[level]


def as_qimage(pixels: NDArray[np.uint8], form: QImage.Format) -> QImage:
    """Return an image that shares the memory of an array (height, width, 4); keep the array."""
    height, width = pixels.shape[:2]
    return QImage(pixels.data, width, height, pixels.strides[0], form)


class OverlayLayer:
    """The raster of the annotations, as new as lane PAINT could make it.

    While a new one is being painted, the old one is shown moved and scaled to the new view.
    """

    def __init__(self, tasks: Tasks, on_ready: Callable[[], None]) -> None:
        self._tasks = tasks
        self._on_ready = on_ready
        self._job: Job | None = None
        self._wanted: OverlayRequest | None = None
        self._shown: tuple[OverlayRequest, NDArray[np.uint8]] | None = None

    @property
    def up_to_date(self) -> bool:
        """True when nothing newer is being painted."""
        return self._job is None

    @property
    def left_out(self) -> frozenset[int]:
        """Annotations that the layer on the screen does not hold."""
        return self._shown[0].left_out if self._shown else frozenset()

    def clear(self) -> None:
        """Show nothing until the next request is painted."""
        self._shown = None

    def request(self, request: OverlayRequest) -> None:
        """Paint this next; what was asked for before and is not done is dropped."""
        self._wanted = request
        if self._job is None:
            self._start()

    def paint(self, painter: QPainter, viewport: Viewport, ratio: float) -> None:
        """Copy the layer to the screen.

        Args:
            painter: in screen points.
            viewport: the view now, in screen points.
            ratio: device pixels for one screen point.
        """
        if self._shown is None:
            return
        request, layer = self._shown
        image = as_qimage(layer, QImage.Format.Format_ARGB32_Premultiplied)
        grown = viewport.scale * ratio / request.scale
        left = viewport.left - request.left * grown / ratio
        top = viewport.top - request.top * grown / ratio
        size = QSizeF(image.width() * grown / ratio, image.height() * grown / ratio)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, grown != 1)
        painter.drawImage(QRectF(left, top, size.width(), size.height()), image)

    def _start(self) -> None:
        request, self._wanted = self._wanted, None
        if request is None:
            return

        def done(layer: NDArray[np.uint8]) -> None:
            self._job = None
            self._shown = (request, layer)
            self._start()
            self._on_ready()

        shown = self._shown

        def work(context: TaskContext) -> NDArray[np.uint8]:
            return render_after(*shown, request, context) if shown else render(request, context)

        self._job = self._tasks.submit(LaneName.PAINT, work, Callbacks(done))
