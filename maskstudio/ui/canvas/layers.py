"""The two layers below the pointer: the image, and the annotations not being edited.

Both are painted once for a view and then copied to the screen, so that moving the pointer or
dragging a vertex costs one copy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRectF, QSizeF, QTimer
from PySide6.QtGui import QImage, QPainter

from maskstudio.annotation.overlay import render, render_after
from maskstudio.annotation.overlay_request import OverlayRequest
from maskstudio.annotation.segmentation import Box
from maskstudio.later import np
from maskstudio.progress import TaskContext
from maskstudio.session.shown_image import Piece, PixelBox, ShownImage
from maskstudio.session.tasks import Callbacks, Job, LaneName, Tasks
from maskstudio.ui.canvas.tones import Tones
from maskstudio.ui.canvas.viewport import Viewport

if TYPE_CHECKING:
    from numpy.typing import NDArray

# From this magnification on single pixels are shown as squares, not smoothed.
_SHOW_PIXELS_FROM = 2.0
# By then the window has painted what it has: a layer in the making would take its lock meanwhile.
_AFTER_FRAME_MS = 4


class ImageLayer:
    """The image itself.

    Attributes:
        tones: how bright to show it.
    """

    def __init__(self) -> None:
        self.tones = Tones()

    def paint(
        self, painter: QPainter, image: ShownImage, viewport: Viewport, window: QSizeF
    ) -> None:
        """Paint the visible part of an image from the level that fits the magnification.

        Args:
            painter: in screen points.
            image: what to paint.
            viewport: the view, in screen points.
            window: size of what is seen, in screen points.
        """
        ratio = painter.device().devicePixelRatioF()
        smooth = viewport.scale * ratio < _SHOW_PIXELS_FROM
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        seen = (*viewport.to_image(0, 0), *viewport.to_image(window.width(), window.height()))
        level = fitting_level(image, viewport.scale * ratio)
        box = _whole_pixels(seen, level, (0, 0, *image.level_sizes[level][::-1]))
        if box[2] > box[0] and box[3] > box[1]:
            for piece in image.pieces(level, box):
                self._paint_piece(painter, piece, image.size, viewport, seen)

    def _paint_piece(
        self,
        painter: QPainter,
        piece: Piece,
        size: tuple[int, int],
        viewport: Viewport,
        seen: Box,
    ) -> None:
        rows, columns = piece.pixels.shape[:2]
        there = (piece.left, piece.top, piece.left + columns, piece.top + rows)
        left, top, right, bottom = _whole_pixels(seen, piece.level, there)
        if right <= left or bottom <= top:
            return
        pixels = self.tones.shown(
            piece,
            slice(top - piece.top, bottom - piece.top),
            slice(left - piece.left, right - piece.left),
        )
        # The last pixels of a level may reach out of the image.
        covered = 2**piece.level
        x1, y1 = min(right * covered, size[1]), min(bottom * covered, size[0])
        corner = viewport.to_screen(left * covered, top * covered)
        other = viewport.to_screen(x1, y1)
        target = QRectF(*corner, other[0] - corner[0], other[1] - corner[1])
        source = QRectF(0, 0, x1 / covered - left, y1 / covered - top)
        painter.drawImage(target, as_qimage(pixels, QImage.Format.Format_RGB32), source)


def fitting_level(image: ShownImage, scale: float) -> int:
    """Return the smallest level that need not be magnified.

    Args:
        image: an image.
        scale: device pixels for one of its pixels.
    """
    level = 0
    while level + 1 < len(image.level_sizes) and scale * 2 ** (level + 1) <= 1:
        level += 1
    return level


def _whole_pixels(seen: Box, level: int, within: PixelBox) -> PixelBox:
    """Return the pixels of a level that are seen, one more on each side for smoothing."""
    x0, y0, x1, y1 = (math.floor(edge / 2**level) for edge in seen)
    left, top, right, bottom = within
    return max(left, x0 - 1), max(top, y0 - 1), min(right, x1 + 2), min(bottom, y1 + 2)


def as_qimage(pixels: NDArray[np.uint8], form: QImage.Format) -> QImage:
    """Return an image that shares the memory of an array; keep the array.

    Args:
        pixels: (height, width, 4) uint8, whole or cut out of a larger one.
        form: what Qt is to take them for.
    """
    height, width = pixels.shape[:2]
    stride = pixels.strides[0]
    # Qt wants the memory in one stretch: for a cut, with what lies between its rows.
    length = (height - 1) * stride + width * pixels.shape[2]
    stretch = np.lib.stride_tricks.as_strided(pixels, (length,), (1,), writeable=False)
    return QImage(stretch.data, width, height, stride, form)


class OverlayLayer:
    """The raster of the annotations, as new as lane PAINT could make it.

    While a new one is being painted, the old one is shown moved and scaled to the new view.
    """

    def __init__(self, tasks: Tasks, on_ready: Callable[[], None], parent: QObject) -> None:
        """Paint nothing yet.

        Args:
            tasks: the lanes.
            on_ready: called when there is a new layer.
            parent: whose layer it is.
        """
        self._tasks = tasks
        self._on_ready = on_ready
        self._job: Job | None = None
        self._wanted: OverlayRequest | None = None
        self._soon = QTimer(parent, interval=_AFTER_FRAME_MS, singleShot=True)
        self._soon.timeout.connect(self._start)
        self._shown: tuple[OverlayRequest, NDArray[np.uint8]] | None = None

    @property
    def up_to_date(self) -> bool:
        """True when nothing newer is being painted."""
        return self._job is None and self._wanted is None

    @property
    def empty(self) -> bool:
        """True when there is nothing in it to paint."""
        return self._shown is None or not self._shown[0].annotations

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
        if self._job is None and not self._soon.isActive():
            self._soon.start()

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
        # Another size is shown until the layer of the right one is there; smoothed it would take
        # longer than it is seen.
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(QRectF(left, top, size.width(), size.height()), image)

    def _start(self) -> None:
        request, self._wanted = self._wanted, None
        if request is None:
            return

        def done(layer: NDArray[np.uint8]) -> None:
            self._job = None
            # What is drawn live is not in the layer: where nothing else changed it is the same one.
            same = shown is not None and layer is shown[1] and self._shown is shown
            self._shown = (request, layer)
            self._start()
            if not same:
                self._on_ready()

        shown = self._shown

        def work(context: TaskContext) -> NDArray[np.uint8]:
            return render_after(*shown, request, context) if shown else render(request, context)

        self._job = self._tasks.submit(LaneName.PAINT, work, Callbacks(done))
