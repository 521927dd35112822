"""What is drawn live over the backdrop, where it is, and what is said of it."""

from collections.abc import Callable, Iterable, Mapping

from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QColor, QFont, QPainter

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.stack import back_to_front
from maskstudio.session.session import Session
from maskstudio.ui.annotation_words import origin_words, state_words
from maskstudio.ui.canvas.active import (
    HOVERED,
    SELECTED,
    Coloured,
    LiveLayer,
    paint_tag,
    tag_plate,
)
from maskstudio.ui.canvas.viewport import Viewport

# More selected annotations than this are left to the raster layer, like all others.
_MOST_ACTIVE = 100


class Live:
    """The selected annotations, what stands in for them in a drag, and what the pointer is on.

    Attributes:
        preview: annotations shown instead of those with their ids.
        hovered: the annotation under the pointer.
        hover_at: where the pointer is, screen points; None: nothing is said of what lies there.
    """

    def __init__(
        self,
        session: Session,
        shown: Callable[[], Mapping[int, Annotation]],
        left_out: Callable[[], frozenset[int]],
    ) -> None:
        """Draw nothing yet.

        Args:
            session: the open project.
            shown: gives what is shown, back to front.
            left_out: gives what the raster layer on the screen does not hold.
        """
        self._session = session
        self._shown = shown
        self._left_out = left_out
        self._active, self._lit = LiveLayer(SELECTED), LiveLayer(HOVERED)
        self.preview: tuple[Annotation, ...] = ()
        self.hovered: int | None = None
        self.hover_at: QPointF | None = None
        self._said = QRect()

    def clear(self) -> None:
        """Forget what was in a drag or under the pointer."""
        self.preview = ()
        self.hovered = None

    def active_ids(self) -> frozenset[int]:
        """Return what is drawn as selected."""
        selection = self._session.selection
        active = selection if len(selection) <= _MOST_ACTIVE else frozenset()
        return active | {annotation.id for annotation in self.preview}

    def paint(self, painter: QPainter, viewport: Viewport, window: QRect) -> None:
        """Draw all of it, in screen points."""
        lit, active = self._layers()
        self._lit.paint(painter, lit, viewport, window)
        self._active.paint(painter, active, viewport, window)
        plate = self._plate(painter.font(), window)
        if not plate.isEmpty():
            paint_tag(painter, self._words(), plate)
        self._said = plate.toAlignedRect()

    def renew(self, font: QFont, viewport: Viewport, window: QRect, ratio: float) -> list[QRect]:
        """Take up what has changed since it was drawn last.

        Args:
            font: of the words beside the pointer.
            viewport: the view.
            window: what can be seen, in screen points.
            ratio: device pixels for one screen point.

        Returns:
            where it looks otherwise now, in screen points: little of a long outline of which a
            vertex was moved.
        """
        lit, active = self._layers()
        return [
            self._lit.renew(lit, viewport, window, ratio),
            self._active.renew(active, viewport, window, ratio),
            self._said,
            self._plate(font, window).toAlignedRect(),
        ]

    def _layers(self) -> tuple[list[Coloured], list[Coloured]]:
        """Return what is drawn as lit, and over it what is drawn as selected."""
        active = self.active_ids()
        return self._coloured(self._lit_ids() - active), self._coloured(active)

    def _lit_ids(self) -> frozenset[int]:
        """Return what the pointer is on, and what is not selected now but not in the layer yet."""
        return self._left_out().union(() if self.hovered is None else (self.hovered,))

    def _coloured(self, annotation_ids: Iterable[int]) -> list[Coloured]:
        colours = {c.id: QColor(c.shown_colour) for c in self._session.categories}
        shown = back_to_front(self._find(annotation_ids))
        return [(one, colours[one.category_id]) for one in shown]

    def _find(self, annotation_ids: Iterable[int]) -> list[Annotation]:
        """Return those of the annotations that are shown, as they are shown now."""
        preview = {a.id: a for a in self.preview}
        shown = self._shown()
        found = (preview.get(i) or shown.get(i) for i in annotation_ids)
        return [annotation for annotation in found if annotation is not None]

    def _plate(self, font: QFont, window: QRect) -> QRectF:
        """Return where the words beside the pointer stand; empty where there are none."""
        text = "" if self.preview or self.hover_at is None else self._words()
        if not text or self.hover_at is None:
            return QRectF()
        return tag_plate(font, text, self.hover_at, QRectF(window))

    def _words(self) -> str:
        """Return what is said of what the pointer is on."""
        words: list[str] = []
        for annotation in self._find(() if self.hovered is None else (self.hovered,)):
            words.append(self._session.category(annotation.category_id).name)
            if annotation.is_pre_annotation:
                words.append(origin_words(annotation))
            words += state_words(annotation)
        return "  ".join(words)
