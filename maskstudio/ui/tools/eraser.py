"""Erase many vertices at once."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QPainter

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.segmentation import nearest_edge
from maskstudio.annotation.vertices import swept, without_vertices
from maskstudio.session import vertex_operations
from maskstudio.ui.canvas.viewport import Viewport
from maskstudio.ui.key_table import ToolKey
from maskstudio.ui.tools.round_tip import RoundTip
from maskstudio.ui.tools.tool import Button, CanvasPort, Pointer, Tool


@dataclass(frozen=True)
class _Sweep:
    """A button is down.

    Attributes:
        at: where the middle of the circle is, image coordinates.
        of: what is swept over, as it was; by id.
        gone: which vertices went, of those that lost any; grows.
        left: those annotations as they are now; changes.
    """

    at: tuple[float, float]
    of: dict[int, Annotation]
    gone: dict[int, NDArray[np.bool_]] = field(default_factory=dict)
    left: dict[int, Annotation] = field(default_factory=dict)


class EraserTool(Tool):
    """A drag takes every vertex out that the circle sweeps over.

    It works on what is selected, or with nothing selected on the annotation in front where it
    begins, which is selected then.
    """

    name = "erase_vertices"
    works_on_selection = True

    def __init__(self, canvas: CanvasPort) -> None:
        super().__init__(canvas)
        self._tip = RoundTip()
        self._sweep: _Sweep | None = None
        self._pointer: Pointer | None = None

    @property
    def hint(self) -> str:
        """What a drag does, and how wide the circle is."""
        if self._sweep is not None:
            return "Let go to erase these vertices  ·  Right-click or {escape} puts them back"
        if self.canvas.session.selection:
            none = "{finish} selects none"
            return f"Drag over vertices to erase them  ·  {none}  ·  {self._tip.hint}"
        return f"Drag over an annotation to erase its vertices  ·  {self._tip.hint}"

    @property
    def busy(self) -> bool:
        """True during a sweep."""
        return self._sweep is not None

    def press(self, pointer: Pointer, button: Button) -> None:
        """Begin a sweep; the right button drops it, or selects none."""
        if button is Button.LEFT:
            self._sweep = _Sweep(pointer.point, self._chosen(pointer))
            self.move(pointer)
        elif self.busy:
            self.cancel()
        else:
            self.canvas.session.select(())

    def double_click(self, pointer: Pointer) -> None:
        """Begin a sweep: the second of two quick dabs."""
        self.press(pointer, Button.LEFT)

    def move(self, pointer: Pointer) -> None:
        """Sweep on to the pointer and show what is left."""
        self._pointer = pointer
        sweep = self._current_sweep()
        if sweep is not None:
            found = [i for i in self._near(sweep, pointer) if self._take_out(sweep, i, pointer)]
            self._sweep = replace(sweep, at=pointer.point)
            if found:
                self.canvas.set_preview(tuple(sweep.left.values()))
        self.canvas.refresh()

    def release(self, pointer: Pointer, button: Button) -> None:
        """Erase, as one edit."""
        if button is not Button.LEFT:
            return
        self.move(pointer)
        sweep, self._sweep = self._sweep, None
        if sweep is not None and sweep.left:
            outlines = {i: a.segmentation for i, a in sweep.left.items() if a.segmentation}
            vertex_operations.reshape_each(self.canvas.session, outlines, "Erase vertices")
            self.canvas.set_preview(())
        self.canvas.refresh()

    def wheel(self, notches: float) -> bool:
        """Make the circle wider or narrower; during a sweep the wheel magnifies as ever."""
        if self.busy:
            return False
        self._tip.turn(notches)
        self.canvas.refresh()
        return True

    def takes(self, key: ToolKey) -> bool:
        """Between sweeps the width comes first."""
        return self._tip.takes(key) and not self.busy

    def key(self, key: ToolKey) -> bool:
        """Change the width, or select none."""
        if self.busy:
            return False
        if key is ToolKey.FINISH:
            self.canvas.session.select(())
            return True
        used = self._tip.key(key)
        self.canvas.refresh()
        return used

    def undo(self) -> bool:
        """Put back what the sweep took out."""
        busy = self.busy
        self.cancel()
        return busy

    def cancel(self) -> None:
        """Put back what the sweep took out."""
        if self._sweep is not None:
            self._sweep = None
            self.canvas.set_preview(())
        self.canvas.refresh()

    def paint(self, painter: QPainter, viewport: Viewport) -> None:
        """Draw the circle around the pointer."""
        if self._pointer is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._tip.paint(painter, viewport, self._pointer.point, dashed=True)

    def _chosen(self, pointer: Pointer) -> dict[int, Annotation]:
        """Return what a sweep from here takes vertices of."""
        session, visible = self.canvas.session, self.canvas.visible_annotations()
        if not session.selection:
            front = self._in_front(pointer)
            session.select(() if front is None else [front])
        chosen = {a.id: a for a in vertex_operations.changeable(session) if a.id in visible}
        if not chosen:
            session.allows_changing(a for a in session.selected() if a.id in visible)
        return chosen

    def _in_front(self, pointer: Pointer) -> int | None:
        """Return the annotation under the pointer, or else the first one that the circle meets."""
        hit = self.canvas.hit(pointer.point, pointer.tolerance)
        if hit is not None:
            return hit.annotation_id
        session, visible = self.canvas.session, self.canvas.visible_annotations()
        for near in session.boxes.at(*pointer.point, self._tip.radius):
            outline = session.annotations[near].segmentation
            if near in visible and outline is not None:
                _, _, distance = nearest_edge(outline, *pointer.point)
                if distance <= self._tip.radius:
                    return near
        return None

    def _current_sweep(self) -> _Sweep | None:
        """Return the sweep; drop it when what it has changed was changed meanwhile."""
        sweep, known = self._sweep, self.canvas.session.annotations
        if sweep is not None and any(known.get(i) is not sweep.of[i] for i in sweep.left):
            self.cancel()
        return self._sweep

    def _near(self, sweep: _Sweep, pointer: Pointer) -> list[int]:
        """Return the annotations whose box the circle may meet on its way to the pointer."""
        across, down = zip(sweep.at, pointer.point, strict=True)
        room = self._tip.radius
        session = self.canvas.session
        near = session.boxes.meeting(
            (min(across) - room, min(down) - room, max(across) + room, max(down) + room)
        )
        return [i for i in near if i in sweep.of and session.annotations[i] is sweep.of[i]]

    def _take_out(self, sweep: _Sweep, annotation_id: int, pointer: Pointer) -> bool:
        """Take the vertices of one annotation out that lie under the circle's way; False if none.

        Which of a ring's last vertices stay depends on all that were swept, not on their order.
        """
        one = sweep.of[annotation_id]
        if one.segmentation is None:
            return False
        old = sweep.gone.get(annotation_id)
        new = swept(one.segmentation, sweep.at, pointer.point, self._tip.radius)
        gone = new if old is None else old | new
        if not new.any() or (old is not None and np.array_equal(gone, old)):
            return False
        sweep.gone[annotation_id] = gone
        left = without_vertices(one.segmentation, gone)
        sweep.left[annotation_id] = replace(one, segmentation=left, touched=True)
        return True
