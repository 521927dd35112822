"""The canvas: shows the current image and its annotations through a view.

Below the pointer lies a backdrop (image and raster layer), painted once for a view; over it, live,
the selected annotations and what the tool draws. `pointer_input` turns mouse and keys into calls.
"""

from collections.abc import Callable, Iterable, Mapping

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.box_index import BoxIndex
from maskstudio.annotation.edits import Edit
from maskstudio.annotation.overlay import OverlayRequest, colour_rgb
from maskstudio.annotation.segmentation import Box
from maskstudio.session.images import DecodedImage
from maskstudio.session.score_filter import ScoreFilter
from maskstudio.session.session import Session
from maskstudio.session.tasks import Tasks
from maskstudio.ui.canvas.active import ActiveLayer, paint_active, paint_hover, paint_tag
from maskstudio.ui.canvas.adjustment import Adjustment
from maskstudio.ui.canvas.hit_test import Hit, hit_test
from maskstudio.ui.canvas.layers import ImageLayer, OverlayLayer
from maskstudio.ui.canvas.viewport import Viewport, fitted

_FILL, _LINE = 0.20, 1.2
# More selected annotations than this are left to the raster layer, like all others.
_MOST_ACTIVE = 100
_ROOM_AROUND = 0.25  # of the window: how much more the raster layer holds, for panning


class Canvas(QWidget):
    """The image as large as the window allows.

    Signals:
        view_changed: another part or magnification is shown.
        adjusted: the image is shown brighter, darker or otherwise than before.
    """

    view_changed = Signal()
    adjusted = Signal()

    def __init__(self, session: Session, score_filter: ScoreFilter, tasks: Tasks) -> None:
        super().__init__()
        self._session = session
        self._filter = score_filter
        self._image: DecodedImage | None = None
        self._message = ""
        self._viewport = Viewport()
        self._views: dict[int, Viewport] = {}
        self._fitted = True
        self._hidden = False
        self._picture = ImageLayer()
        self._backdrop: QPixmap | None = None
        self._overlay = OverlayLayer(tasks, self._drop_backdrop)
        self._active = ActiveLayer()
        self._preview: tuple[Annotation, ...] = ()
        self.hovered: int | None = None
        self.hover_at = QPointF()
        self.draw_tool: Callable[[QPainter, Viewport], None] = _draw_nothing
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 150)
        self.setAccessibleName("Image")
        session.edited.connect(self._on_edited)
        session.selection_changed.connect(self._renew_overlay)
        score_filter.preview_changed.connect(self._renew_overlay)

    @property
    def session(self) -> Session:
        """The open project."""
        return self._session

    @property
    def viewport(self) -> Viewport:
        """Which part of the image is shown."""
        return self._viewport

    @property
    def has_image(self) -> bool:
        """True when an image is on the canvas."""
        return self._image is not None

    @property
    def adjustment(self) -> Adjustment:
        """How bright the image is shown."""
        return self._picture.adjustment

    @property
    def settled(self) -> bool:
        """True when the annotations on the screen are the newest."""
        return self._overlay.up_to_date

    def show_image(self, image: DecodedImage | None, message: str = "") -> None:
        """Put another image on the canvas, or a message in its place."""
        self._image = image
        self._message = message
        self._preview = ()
        self.hovered = None
        self._overlay.clear()
        current = self._session.current
        view = self._views.get(current.id) if current else None
        self._fitted = view is None
        if view is not None and image is not None:
            self._set_viewport(view)
        else:
            self.fit()

    def set_preview(self, annotations: tuple[Annotation, ...]) -> None:
        """Show these instead of the annotations with their ids, until the next edit."""
        self._preview = annotations
        self.update()

    def refresh(self) -> None:
        """Paint again what lies over the backdrop."""
        self.update()

    def visible_annotations(self) -> Mapping[int, Annotation]:
        """Return what is shown and can be touched, back to front."""
        if self._hidden:
            return {}
        shown = self._filter.preview
        return self._session.annotations if shown is None else shown

    def hit(self, point: tuple[float, float], tolerance: float) -> Hit | None:
        """Find what lies under an image point; see `hit_test`."""
        shown = self.visible_annotations()
        live = shown is self._session.annotations
        boxes = self._session.boxes if live else BoxIndex(shown.values())
        return hit_test(shown, boxes, self._session.selection, point, tolerance)

    def set_hidden(self, hidden: bool) -> None:
        """Show the image alone, or with its annotations."""
        self._hidden = hidden
        self._renew_overlay()

    def set_adjustment(self, adjustment: Adjustment) -> None:
        """Show this image and all after it brighter, darker or as they are."""
        self._picture.adjustment = adjustment
        self._drop_backdrop()
        self.adjusted.emit()

    def fit(self) -> None:
        """Show the whole image."""
        self._fitted = True
        if self._image is not None:
            height, width = self._image.size
            self._set_viewport(fitted((0, 0, width, height), self._window()))
        else:
            self._drop_backdrop()

    def show_box(self, box: Box) -> None:
        """Show a part of the image as large as it fits, with room around it."""
        room = 0.6 * max(box[2] - box[0], box[3] - box[1], 16)
        around = (box[0] - room, box[1] - room, box[2] + room, box[3] + room)
        self._set_view_by_hand(fitted(around, self._window()))

    def bring_into_view(self, box: Box) -> None:
        """Move the view if a part of the image cannot be seen."""
        x0, y0 = self._viewport.to_screen(box[0], box[1])
        x1, y1 = self._viewport.to_screen(box[2], box[3])
        if not QRectF(self.rect()).contains(QRectF(QPointF(x0, y0), QPointF(x1, y1))):
            dx, dy = self.width() / 2 - (x0 + x1) / 2, self.height() / 2 - (y0 + y1) / 2
            self._set_view_by_hand(self._viewport.moved(dx, dy))

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Magnify around a point of the screen, the middle by default."""
        at = at or QPointF(self.width() / 2, self.height() / 2)
        self._set_view_by_hand(self._viewport.zoomed(factor, at.x(), at.y()))

    def zoom_to_pixels(self) -> None:
        """Show one image pixel as one pixel of the screen."""
        self.zoom(1 / self.devicePixelRatioF() / self._viewport.scale)

    def pan(self, dx: float, dy: float) -> None:
        """Move the image by screen points."""
        self._set_view_by_hand(self._viewport.moved(dx, dy))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Copy the backdrop and draw what is live over it."""
        del event
        painter = QPainter(self)
        if self._backdrop is None:
            self._backdrop = self._paint_backdrop()
        painter.drawPixmap(0, 0, self._backdrop)
        if self._image is None:
            painter.setPen(self.palette().placeholderText().color())
            middle = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(40, 40, -40, -40), middle, self._message)
        elif not self._hidden:
            self._paint_live(painter)
        self.draw_tool(painter, self._viewport)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the whole image in the window, if it was."""
        super().resizeEvent(event)
        if self._fitted:
            self.fit()
        else:
            self._set_viewport(self._viewport)

    def _paint_backdrop(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        backdrop = QPixmap(self.size() * ratio)
        backdrop.setDevicePixelRatio(ratio)
        backdrop.fill(self.palette().dark().color())
        painter = QPainter(backdrop)
        if self._image is not None:
            self._picture.paint(painter, self._image, self._viewport, QSizeF(self.size()))
            if not self._hidden:
                self._overlay.paint(painter, self._viewport, ratio)
        painter.end()
        return backdrop

    def _paint_live(self, painter: QPainter) -> None:
        active = self._active_ids()
        colours = {c.id: QColor(c.shown_colour) for c in self._session.categories}
        # What was selected until now and is not yet in the raster layer.
        for left in self._find(self._overlay.left_out - active):
            paint_hover(painter, left, colours[left.category_id], self._viewport)
        hovered = self._find(() if self.hovered is None else (self.hovered,))
        for one in hovered:
            if one.id not in active:
                paint_hover(painter, one, colours[one.category_id], self._viewport)
        selected = [(one, colours[one.category_id]) for one in self._find(sorted(active))]
        if self._preview:
            # Another one with every move: nothing to keep.
            paint_active(painter, selected, self._viewport)
        else:
            self._active.paint(painter, selected, self._viewport, self.rect())
        if hovered and not self._preview:
            paint_tag(painter, self._tag(hovered[0]), self.hover_at, QRectF(self.rect()))

    def _find(self, annotation_ids: Iterable[int]) -> list[Annotation]:
        """Return those of the annotations that are shown, as they are shown now."""
        preview = {a.id: a for a in self._preview}
        shown = self.visible_annotations()
        found = (preview.get(i) or shown.get(i) for i in annotation_ids)
        return [annotation for annotation in found if annotation is not None]

    def _tag(self, annotation: Annotation) -> str:
        name = self._session.category(annotation.category_id).name
        return name if annotation.score is None else f"{name}  {annotation.score:.2f}"

    def _active_ids(self) -> frozenset[int]:
        selection = self._session.selection
        active = selection if len(selection) <= _MOST_ACTIVE else frozenset()
        return active | {annotation.id for annotation in self._preview}

    def _renew_overlay(self) -> None:
        """Have the raster layer painted for what is shown now, a little beyond the window."""
        if self._image is None:
            self._drop_backdrop()
            return
        ratio = self.devicePixelRatioF()
        dx, dy = self.width() * _ROOM_AROUND, self.height() * _ROOM_AROUND
        active = self._active_ids()
        self._overlay.request(
            OverlayRequest(
                tuple(a for i, a in self.visible_annotations().items() if i not in active),
                {c.id: colour_rgb(c.shown_colour) for c in self._session.categories},
                self._viewport.scale * ratio,
                (self._viewport.left + dx) * ratio,
                (self._viewport.top + dy) * ratio,
                (round((self.height() + 2 * dy) * ratio), round((self.width() + 2 * dx) * ratio)),
                _FILL,
                max(1, round(_LINE * ratio)),
                active,
            )
        )
        self.update()

    def _on_edited(self, edit: Edit) -> None:
        current = self._session.current
        if edit.categories or (current is not None and current.id in edit.image_ids):
            self._preview = ()
            self._renew_overlay()

    def _set_view_by_hand(self, viewport: Viewport) -> None:
        if self._image is None:
            return
        self._fitted = False
        self._set_viewport(viewport.kept_in_sight(self._image.size, self._window()))
        if self._session.current is not None:
            self._views[self._session.current.id] = self._viewport

    def _set_viewport(self, viewport: Viewport) -> None:
        self._viewport = viewport
        self._drop_backdrop()
        self._renew_overlay()
        self.view_changed.emit()

    def _drop_backdrop(self) -> None:
        self._backdrop = None
        self.update()

    def _window(self) -> tuple[float, float]:
        return float(self.width()), float(self.height())


def _draw_nothing(painter: QPainter, viewport: Viewport) -> None:
    """Stand in for a tool until one is in hand."""
