"""The two layers below the pointer: the image, and the annotations not being edited.

Both are painted once for a view and then copied to the screen, so that moving the pointer or
dragging a vertex costs one copy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QObject, QPointF, QRectF, QSizeF, QTimer
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
# How much more than the window the raster layer shows on each side, as a share of it, so that the
# view can be moved; when so much of that is used, the next one is begun.
_ROOM, _ROOM_USED = 0.25, 0.4


class ImageLayer:
    """The image itself.

    Attributes:
        tones: how bright to show it.
    """

    def __init__(self) -> None:
        self.tones = Tones()

    def paint(
        self,
        painter: QPainter,
        image: ShownImage,
        viewport: Viewport,
        window: QSizeF,
        part: QRectF | None = None,
    ) -> None:
        """Paint the visible part of an image from the level that fits the magnification.

        Args:
            painter: in screen points.
            image: what to paint.
            viewport: the view, in screen points.
            window: size of what is seen, in screen points.
            part: what of the window is to be painted; clip the painter to it.
        """
        part = part or QRectF(QPointF(), window)
        ratio = painter.device().devicePixelRatioF()
        smooth = viewport.scale * ratio < _SHOW_PIXELS_FROM
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        seen = _seen(viewport, QRectF(QPointF(), window))
        level = fitting_level(image, viewport.scale * ratio)
        box = _whole_pixels(seen, level, (0, 0, *image.level_sizes[level][::-1]))
        if box[2] > box[0] and box[3] > box[1]:
            for piece in image.pieces(level, box):
                self._paint_piece(painter, piece, image.size, viewport, _seen(viewport, part))

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


def _seen(viewport: Viewport, part: QRectF) -> Box:
    """Return what of the image is seen in a part of the window."""
    return (
        *viewport.to_image(part.left(), part.top()),
        *viewport.to_image(part.right(), part.bottom()),
    )


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


class Frame(NamedTuple):
    """What a raster layer shows: more than the window does; see `OverlayRequest`."""

    scale: float
    left: float
    top: float
    size: tuple[int, int]


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
        self._frame: tuple[Frame, Viewport] | None = None

    @property
    def frame(self) -> Frame | None:
        """What the next request is to show; None until there is a view."""
        return self._frame[0] if self._frame is not None else None

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
        if self._job is not None:
            self._job.cancel()
        self._job = self._wanted = self._shown = self._frame = None

    def follow(self, viewport: Viewport, window: QSizeF, ratio: float) -> bool:
        """Follow the view; return whether a layer is to be requested for it.

        Args:
            viewport: the view, in screen points.
            window: size of what is seen, in screen points.
            ratio: device pixels for one screen point.
        """
        room = window * _ROOM
        whole = (window + room * 2.0) * ratio
        size = round(whole.height()), round(whole.width())
        if self._frame is not None and self._frame[0].size == size:
            steps = viewport.steps_from(self._frame[1], ratio)
            near = room * (ratio * _ROOM_USED)
            if (
                steps is not None
                and abs(steps[0]) <= near.width()
                and abs(steps[1]) <= near.height()
            ):
                return False
        left, top = viewport.left + room.width(), viewport.top + room.height()
        self._frame = Frame(viewport.scale * ratio, left * ratio, top * ratio, size), viewport
        return True

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
            if self._job is not job:
                return
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

        job = self._job = self._tasks.submit(LaneName.PAINT, work, Callbacks(done))
