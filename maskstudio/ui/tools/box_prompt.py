"""A box becomes an outline: the model draws what a person spans a box around, or points at."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from maskstudio.annotation.annotation import PALETTE
from maskstudio.annotation.offers import Offer
from maskstudio.annotation.segmentation import Box
from maskstudio.annotation.shapes import dragged_box
from maskstudio.session.prompting import Prompter
from maskstudio.ui.canvas.viewport import Viewport
from maskstudio.ui.key_table import ToolKey
from maskstudio.ui.tools.box_handles import Handle, handle_at, paint_box
from maskstudio.ui.tools.draft import has_left, within_image
from maskstudio.ui.tools.offer_plate import Plate, PlateRow, paint_outline
from maskstudio.ui.tools.tool import Button, CanvasPort, Pointer, Tool

_DIGITS = (ToolKey.OFFER_1, ToolKey.OFFER_2, ToolKey.OFFER_3)
_LOOKING = "The model looks at the image first; the box waits"


@dataclass(frozen=True)
class _Gesture:
    """A box is being spanned, or one that is there is dragged by a handle.

    Attributes:
        start: where it began.
        by_clicks: the opposite corner is set by another click.
        handle: what is dragged; None: the box is spanned.
        box: what it is dragged of.
        annotation_id: whose box that is; None: that of the offer.
    """

    start: tuple[float, float]
    by_clicks: bool = False
    handle: Handle | None = None
    box: Box = (0.0, 0.0, 0.0, 0.0)
    annotation_id: int | None = None


class BoxPromptTool(Tool):
    """Asks the model about boxes and places; what it offers is taken unless it is dropped."""

    name = "box_prompt"
    works_on_selection = True

    def __init__(
        self, canvas: CanvasPort, prompter: Prompter, shown_key: Callable[[str], str]
    ) -> None:
        """Offer nothing yet.

        Args:
            canvas: what it works on.
            prompter: asks the model.
            shown_key: gives the key of an action or a `ToolKey` as it is written for people.
        """
        super().__init__(canvas)
        self._prompter = prompter
        self._shown_key = shown_key
        self._gesture: _Gesture | None = None
        self._held = False
        self._pointer: Pointer | None = None
        self._offered: Offer | None = None
        self._offered_at = (0.0, 0.0)  # where the pointer was when the offer came
        self._turned = 0.0
        self._viewport = Viewport()  # as it was painted last
        self._plate = Plate()
        self._tell: Callable[[], None] = lambda: None
        prompter.changed.connect(self._on_changed)

    @property
    def hint(self) -> str:
        """What the mouse and the keys do now."""
        gesture = self._gesture
        if gesture is not None and gesture.handle is not None:
            return "Let go to have it outlined again in this box  ·  {escape} cancels"
        if gesture is not None and gesture.by_clicks and not self._held:
            return "Click the opposite corner  ·  {escape} cancels"
        if gesture is not None:
            return "Let go to have what is in the box outlined  ·  {escape} cancels"
        if self._prompter.offer is not None:
            return self._offer_hint(self._prompter.offer)
        if self._prompter.waiting:
            first = "Outlining" if self._prompter.has_looked else _LOOKING
            return f"{first}  ·  Draw the next one, or {{escape}} drops it"
        again = "  ·  Drag a handle of the box: outline again" if self._handled() else ""
        more = "Click inside a missed one: the model's guesses  ·  Shift+click: a corner"
        return f"Drag a box around an object: the model outlines it  ·  {more}{again}"

    @property
    def cursor(self) -> Qt.CursorShape:
        """A cross; over a handle the ways it can be dragged."""
        handle = self._gesture.handle if self._gesture else self._handle_under_pointer()
        return handle.cursor if handle else Qt.CursorShape.CrossCursor

    @property
    def busy(self) -> bool:
        """True while there is something that can be dropped."""
        return self._gesture is not None or self._prompter.open

    def take_up(self, tell: Callable[[], None]) -> None:
        """Have the model look at the image, so that the first box need not wait."""
        self._tell = tell
        self._prompter.set_in_hand(True)

    def put_away(self) -> None:
        """Take what is offered; boxes that wait become annotations when they are answered."""
        self._drop_gesture()
        self._prompter.settle()
        self._prompter.set_in_hand(False)

    def settle(self) -> bool:
        """Take what is offered; False in the middle of a box."""
        return self._gesture is None and self._prompter.settle()

    def use_category(self, category_id: int) -> bool:
        """Take what is offered as this one."""
        return self._prompter.take_as(category_id)

    def press(self, pointer: Pointer, button: Button) -> None:
        """Begin a box, take hold of a handle, or set the opposite corner."""
        if button is Button.RIGHT:
            self.undo()
            return
        self._pointer = pointer
        self._held = True
        if self._gesture is None:
            self._gesture = self._gripped(pointer) or _Gesture(
                within_image(self.canvas, pointer), by_clicks=pointer.shift
            )
        self.canvas.refresh()

    def move(self, pointer: Pointer) -> None:
        """Draw the box as far as the pointer."""
        self._pointer = pointer
        at = QPointF(*self._viewport.to_screen(*pointer.point))
        if self._plate.goes_over(at) or self._gesture is not None:
            self.canvas.refresh()

    def release(self, pointer: Pointer, button: Button) -> None:
        """Ask about the box, or about the place that was clicked."""
        gesture = self._gesture
        if button is not Button.LEFT or not self._held or gesture is None:
            return
        self._held = False
        self._pointer = pointer
        if has_left(pointer, gesture.start):
            self._gesture = None
            self._ask(gesture, pointer)
        elif not gesture.by_clicks:
            self._gesture = None
            if gesture.handle is None:
                self._click(pointer)
        self.canvas.refresh()

    def double_click(self, pointer: Pointer) -> None:
        """Take it for a press: one box may begin where another ended."""
        self.press(pointer, Button.LEFT)

    def wheel(self, notches: float) -> bool:
        """Walk through the offers, where there are several."""
        if not self._walks():
            return False
        self._turned += notches
        while abs(self._turned) >= 1:
            forward = self._turned < 0
            self._turned += 1 if forward else -1
            self._prompter.walk(1 if forward else -1)
        return True

    def takes(self, key: ToolKey) -> bool:
        """While something is offered, Enter, digits and the keys to walk are for that."""
        offer = self._prompter.offer
        if offer is None or self._gesture is not None:
            return False
        if key in _DIGITS:
            return _DIGITS.index(key) < len(offer.choices)
        if key is ToolKey.NEXT_OFFER:
            return self._walks()
        return key in (ToolKey.FINISH, ToolKey.DROP_VERTEX)

    def key(self, key: ToolKey) -> bool:
        """Take what is offered, drop it, or walk on."""
        if not self.takes(key):
            return False
        if key is ToolKey.NEXT_OFFER:
            self._prompter.walk(1)
        elif key is ToolKey.DROP_VERTEX:
            self._prompter.drop()
        else:
            self._prompter.take(_DIGITS.index(key) if key in _DIGITS else 0)
        return True

    def undo(self) -> bool:
        """Drop the box that is being drawn, what is offered, or the last box that waits."""
        return self._drop_gesture() or self._prompter.drop()

    def cancel(self) -> None:
        """Drop the same."""
        self.undo()

    def paint(self, painter: QPainter, viewport: Viewport) -> None:
        """Draw the box, those that wait, and what is offered."""
        self._viewport = viewport
        drawn = self._drawn_box()
        for prompt in self._prompter.waiting:
            if prompt.box is not None:
                paint_box(painter, viewport, prompt.box, handles=False)
        offer = self._prompter.offer
        if offer is not None:
            outline, colour = offer.likeliest, _colour(offer, 0)
            paint_outline(painter, viewport, outline, QColor(colour))
        handled = self._handled()
        if drawn is not None:
            paint_box(painter, viewport, drawn, handles=False)
            self._plate.hide()
            return
        if handled is not None:
            paint_box(painter, viewport, handled[0], handles=True)
        self._paint_words(painter, viewport)

    def _paint_words(self, painter: QPainter, viewport: Viewport) -> None:
        offer = self._prompter.offer
        if offer is not None:
            rows, box = self._rows(offer), offer.likeliest.box
            at = QPointF(*viewport.to_screen(*self._offered_at))
        else:
            waiting = [p.box for p in self._prompter.waiting if p.box is not None]
            if not waiting or self._prompter.has_looked:
                self._plate.hide()
                return
            rows, box = [PlateRow("", "", "The model looks at the image …", "")], waiting[-1]
            at = QPointF(*viewport.to_screen(box[2], box[1]))
        low, high = viewport.to_screen(box[0], box[1]), viewport.to_screen(box[2], box[3])
        self._plate.paint(painter, rows, QRectF(QPointF(*low), QPointF(*high)), at)

    def _rows(self, offer: Offer) -> list[PlateRow]:
        rows = [
            PlateRow(self._shown_key(key), _colour(offer, n), c.category.name, _share(c.score))
            for n, (key, c) in enumerate(zip(_DIGITS, offer.choices, strict=False))
        ] or [PlateRow(self._shown_key(ToolKey.FINISH), "", "take it", "")]
        number, of = self._prompter.place
        if of > 1:
            key = self._shown_key(ToolKey.NEXT_OFFER)
            rows.append(PlateRow(key, "", f"next  ({number} of {of})", ""))
        return rows

    def _offer_hint(self, offer: Offer) -> str:
        names = [f"«{choice.category.name}»" for choice in offer.choices] or ["it"]
        parts = [f"{{finish}} or the next box takes {names[0]}"]
        parts += [f"{{{key}}} {name}" for key, name in zip(_DIGITS[1:], names[1:], strict=False)]
        if self._walks():
            parts.append("{next_offer} or the wheel: the next guess")
        return "  ·  ".join([*parts, "A category of the list: as that", "{escape} drops it"])

    def _walks(self) -> bool:
        return self._gesture is None and self._prompter.place[1] > 1

    def _ask(self, gesture: _Gesture, pointer: Pointer) -> None:
        box = self._box(gesture, pointer)
        if gesture.handle is None:
            self._prompter.ask(box)
        elif gesture.annotation_id is not None:
            self._prompter.ask_again(gesture.annotation_id, box)
        else:
            self._prompter.ask_instead(box)

    def _click(self, pointer: Pointer) -> None:
        """Take what is offered there, select what stands there, or ask what might be there."""
        offer, session = self._prompter.offer, self.canvas.session
        if offer is not None and offer.likeliest.contains(*pointer.point):
            self._prompter.take()
            return
        hit = self.canvas.hit(pointer.point, pointer.tolerance)
        if hit is not None and hit.annotation_id not in session.selection:
            if self._prompter.settle():
                session.select([hit.annotation_id])
        elif within_image(self.canvas, pointer) == pointer.point:
            self._prompter.ask_at(pointer.point)

    def _gripped(self, pointer: Pointer) -> _Gesture | None:
        """Return the dragging of the handle under the pointer, if there is one."""
        handled = self._handled()
        handle = handle_at(handled[0], pointer) if handled else None
        if handled is None or handle is None:
            return None
        return _Gesture(pointer.point, handle=handle, box=handled[0], annotation_id=handled[1])

    def _handle_under_pointer(self) -> Handle | None:
        handled = self._handled()
        return handle_at(handled[0], self._pointer) if handled and self._pointer else None

    def _handled(self) -> tuple[Box, int | None] | None:
        """Return the box that can be dragged by handles, and whose it is: None for the offer's."""
        offer, chosen = self._prompter.offer, self.canvas.session.selected()
        if offer is not None:
            return offer.box, None
        if len(chosen) != 1 or chosen[0].locked or self._prompter.waiting:
            return None
        return chosen[0].box, chosen[0].id

    def _drawn_box(self) -> Box | None:
        """Return the box as it would be set now; None while none is drawn."""
        gesture, pointer = self._gesture, self._pointer
        if gesture is None or pointer is None:
            return None
        if not (gesture.by_clicks or has_left(pointer, gesture.start)):
            return gesture.box if gesture.handle else None
        return self._box(gesture, pointer)

    def _box(self, gesture: _Gesture, pointer: Pointer) -> Box:
        to = within_image(self.canvas, pointer)
        if gesture.handle is not None:
            return gesture.handle.dragged(gesture.box, to)
        image = self.canvas.session.current
        size = (image.height, image.width) if image else (0, 0)
        return dragged_box(gesture.start, pointer.point, size, square=False, centred=False)

    def _drop_gesture(self) -> bool:
        dropped = self._gesture is not None
        self._gesture, self._held = None, False
        self.canvas.refresh()
        return dropped

    def _on_changed(self) -> None:
        offer = self._prompter.offer
        if offer is not self._offered:
            self._offered, self._turned = offer, 0.0
            self._plate.hide()
            if offer is not None and self._pointer is not None:
                self._offered_at = self._pointer.point
        self.canvas.refresh()
        self._tell()


def _share(score: float) -> str:
    return f"{score:.0%}".replace("%", " %")


def _colour(offer: Offer, choice: int) -> str:
    """Return the colour of a category; of one that is to be made, that of the first of all."""
    if choice >= len(offer.choices) or offer.choices[choice].to_be_made:
        return PALETTE[choice]
    return offer.choices[choice].category.shown_colour
