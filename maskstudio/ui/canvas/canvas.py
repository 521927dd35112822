"""The canvas: shows the current image and its annotations through a view.

Below the pointer lies a backdrop (image and raster layer), painted once for a view; over it, live,
the selected annotations and what the tool draws. `pointer_input` turns mouse and keys into calls.
"""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.box_index import BoxIndex
from maskstudio.annotation.edits import Edit
from maskstudio.annotation.overlay_request import NO_MARKS, Marks, OverlayRequest, colour_rgb
from maskstudio.annotation.segmentation import Box
from maskstudio.session.detection_filtering import DetectionFiltering
from maskstudio.session.session import Session
from maskstudio.session.shown_image import DeepImage, ShownImage
from maskstudio.session.tasks import Tasks
from maskstudio.ui.canvas.adjustment import Adjustment
from maskstudio.ui.canvas.ground import Ground
from maskstudio.ui.canvas.hit_test import Hit, hit_test
from maskstudio.ui.canvas.instead import Instead
from maskstudio.ui.canvas.layers import OverlayLayer, fitting_level
from maskstudio.ui.canvas.live import Live
from maskstudio.ui.canvas.viewport import Viewport, fitted

_FILL, _LINE = 0.20, 1.2
_MARK = 9  # screen points around a mark of a tool that it never goes beyond


class Canvas(QWidget):
    """The image as large as the window allows.

    Attributes:
        live: what is drawn over the backdrop.
        instead: what is shown in place of the annotations of the image.
        shares_borders: what is drawn is cut at its neighbours.
        draw_tool: paints what belongs to the tool in hand.

    Signals:
        view_changed: another part or magnification is shown.
        adjusted: the image is shown brighter, darker or otherwise than before, or is another one.
    """

    view_changed = Signal()
    adjusted = Signal()

    def __init__(self, session: Session, filtering: DetectionFiltering, tasks: Tasks) -> None:
        super().__init__()
        self._session = session
        self._filter = filtering
        self._image: ShownImage | None = None
        self._message = ""
        self._painted = False
        self._viewport = Viewport()
        self._views: dict[int, Viewport] = {}
        self._fitted = True
        self._hidden = False
        self._marks = NO_MARKS
        self._ground = Ground()
        self._backdrop: QPixmap | None = None
        self._overlay = OverlayLayer(tasks, self._on_overlay, self)
        self.live = Live(session, self.visible_annotations, lambda: self._overlay.left_out)
        self.instead = Instead(self._on_filter)
        self.shares_borders = False
        self.draw_tool: Callable[[QPainter, Viewport], None] = _draw_nothing
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 150)
        self.setAccessibleName("Image")
        session.edited.connect(self._on_edited)
        session.selection_changed.connect(self._on_selection)
        filtering.preview_changed.connect(self._on_filter)

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
    def message(self) -> str:
        """What is said in place of an image."""
        return self._message

    @property
    def image(self) -> ShownImage | None:
        """The image on the canvas, if there is one."""
        return self._image

    @property
    def level(self) -> int:
        """The level of the image that is painted; 0 is full size."""
        scale = self._viewport.scale * self.devicePixelRatioF()
        return fitting_level(self._image, scale) if self._image is not None else 0

    @property
    def deep_image(self) -> DeepImage | None:
        """The image on the canvas, if it has more than 8 bits a value."""
        return self._image if isinstance(self._image, DeepImage) else None

    @property
    def painted(self) -> bool:
        """True when what was put here last has been seen."""
        return self._painted

    @property
    def adjustment(self) -> Adjustment:
        """How bright the image is shown."""
        return self._ground.tones.adjustment

    @property
    def settled(self) -> bool:
        """True when the annotations on the screen are the newest."""
        return self._overlay.up_to_date

    def show_image(self, image: ShownImage | None, message: str = "") -> None:
        """Put another image on the canvas, or a message in its place."""
        self._image = image
        self._message = message
        self._painted = False
        self.live.clear()
        self._overlay.clear()
        self.instead.show(None)
        current = self._session.current
        view = self._views.get(current.id) if current else None
        self._fitted = view is None
        if view is not None and image is not None:
            self._set_viewport(view)
        else:
            self.fit()
        self.adjusted.emit()

    def renew_image(self, image: ShownImage) -> None:
        """Paint the same image again: more of it is there than before."""
        self._image = image
        self._drop_backdrop()

    def set_preview(self, annotations: tuple[Annotation, ...]) -> None:
        """Show these instead of the annotations with their ids, until the next edit."""
        if self.live.preview or annotations:
            self.live.preview = annotations
            self.refresh_live()

    def refresh_live(self) -> None:
        """Paint again what is selected or under the pointer, where it looks otherwise now."""
        ratio = self.devicePixelRatioF()
        for place in self.live.renew(self.font(), self._viewport, self.rect(), ratio):
            self.update(place)

    def refresh(self, mark: tuple[float, float] | None = None) -> None:
        """Paint again what lies over the backdrop, or only what marks one image point."""
        if mark is None:
            self.update()
            return
        at = QPointF(*self._viewport.to_screen(*mark))
        reach = QPointF(_MARK, _MARK)
        self.update(QRectF(at - reach, at + reach).toAlignedRect())

    def visible_annotations(self) -> Mapping[int, Annotation]:
        """Return what is shown and can be touched, back to front."""
        if self._hidden:
            return {}
        if self.instead.annotations is not None:
            return self.instead.annotations
        shown = self._filter.preview
        return self._session.shown if shown is None else shown

    def hit(self, point: tuple[float, float], tolerance: float) -> Hit | None:
        """Find what lies under an image point; see `hit_test`."""
        shown, boxes = self._shown_and_boxes()
        return hit_test(shown, boxes, self._session.selection, point, tolerance)

    def neighbours(self, box: Box) -> tuple[Annotation, ...]:
        """Return what shares borders with what is drawn in a box; nothing, unless it is wanted."""
        if not self.shares_borders:
            return ()
        shown, boxes = self._shown_and_boxes()
        return tuple(shown[i] for i in boxes.meeting(box) if shown[i].segmentation)

    def set_hidden(self, hidden: bool) -> None:
        """Show the image alone, or with its annotations."""
        self._hidden = hidden
        self._renew_overlay()
        self.update()

    def set_marks(self, marks: Marks) -> None:
        """Point something out over the annotations."""
        if marks is not self._marks:
            self._marks = marks
            self._renew_overlay()
            self.update()

    def set_adjustment(self, adjustment: Adjustment) -> None:
        """Show this image and all after it brighter, darker or as they are."""
        self._ground.tones.adjustment = adjustment
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
        self._painted = True
        if self._backdrop and self._backdrop.devicePixelRatio() != self.devicePixelRatioF():
            # The window was moved to another screen.
            self._set_viewport(self._viewport)
        if self._backdrop is None:
            self._backdrop = self._paint_backdrop()
        painter.drawPixmap(0, 0, self._backdrop)
        if self._image is None:
            painter.setPen(self.palette().placeholderText().color())
            middle = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(40, 40, -40, -40), middle, self._message)
        else:
            if not self._hidden:
                self.live.paint(painter, self._viewport, self.rect())
            self.draw_tool(painter, self._viewport)
        painter.end()

    def changeEvent(self, event: QEvent) -> None:
        """Take up the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._drop_backdrop()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the whole image in the window, if it was."""
        super().resizeEvent(event)
        if self._fitted:
            self.fit()
        else:
            self._set_viewport(self._viewport)

    def _paint_backdrop(self) -> QPixmap:
        """Paint the image, unless it is there from before, and over a copy of it the layer."""
        ratio = self.devicePixelRatioF()
        behind = self.palette().dark().color()
        ground = self._ground.painted(self._image, self._viewport, self.size(), ratio, behind)
        if self._image is None or self._hidden or self._overlay.empty:
            return ground
        backdrop = QPixmap(ground)
        painter = QPainter(backdrop)
        self._overlay.paint(painter, self._viewport, ratio)
        painter.end()
        return backdrop

    def _shown_and_boxes(self) -> tuple[Mapping[int, Annotation], BoxIndex]:
        """Return what can be touched, back to front, and where it lies."""
        shown = self.visible_annotations()
        live = shown is self._session.shown
        return shown, self._session.boxes if live else BoxIndex(shown.values())

    def _renew_overlay(self) -> None:
        """Have the raster layer painted for what is shown now."""
        frame = self._overlay.frame
        if self._image is None or frame is None:
            self._drop_backdrop()
            return
        self._overlay.request(
            OverlayRequest(
                dict(self.visible_annotations()),
                {c.id: colour_rgb(c.shown_colour) for c in self._session.categories},
                *frame,
                _FILL,
                max(1, round(_LINE * self.devicePixelRatioF())),
                left_out=self.live.active_ids(),
                marks=self._shown_marks(),
            )
        )

    def _shown_marks(self) -> Marks:
        if self._hidden:
            return NO_MARKS
        if self.instead.annotations is not None:
            return self.instead.marks
        return NO_MARKS if self._filter.preview else self._marks

    def _on_edited(self, edit: Edit) -> None:
        current = self._session.current
        if edit.categories or (current is not None and current.id in edit.image_ids):
            self.live.preview = ()
            self._renew_overlay()
            self.refresh_live()

    def _on_selection(self) -> None:
        self._renew_overlay()
        self.refresh_live()

    def _on_filter(self) -> None:
        self._renew_overlay()
        self.update()

    def _set_view_by_hand(self, viewport: Viewport) -> None:
        if self._image is None:
            return
        self._fitted = False
        self._set_viewport(viewport.kept_in_sight(self._image.size, self._window()))
        if self._session.current is not None:
            self._views[self._session.current.id] = self._viewport

    def _set_viewport(self, viewport: Viewport) -> None:
        ratio = self.devicePixelRatioF()
        self._viewport = viewport.aligned(ratio)
        self._backdrop = None
        self.update()
        if self._overlay.follow(self._viewport, QSizeF(self.size()), ratio):
            self._renew_overlay()
        self.view_changed.emit()

    def _drop_backdrop(self) -> None:
        self._ground.drop()
        self._backdrop = None
        self.update()

    def _on_overlay(self) -> None:
        self._backdrop = None
        self.update()

    def _window(self) -> tuple[float, float]:
        return float(self.width()), float(self.height())


def _draw_nothing(painter: QPainter, viewport: Viewport) -> None:
    """Stand in for a tool until one is in hand."""
