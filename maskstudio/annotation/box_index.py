"""Which annotations lie at a place, among thousands, without asking each of them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.segmentation import Box
from maskstudio.later import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SMALLEST = 64


class BoxIndex:
    """The boxes of annotations in one array; a change costs what it touches."""

    def __init__(self, annotations: Iterable[Annotation] = ()) -> None:
        known = list(annotations)
        self._rows: dict[int, int] = {a.id: row for row, a in enumerate(known)}
        self._end = len(known)
        self._room = max(_SMALLEST, 2 * len(known))
        self._free: list[int] = []
        if known:
            self._boxes[: self._end] = [a.box for a in known]
            self._stacking[: self._end] = [(a.z, a.id) for a in known]

    @cached_property
    def _boxes(self) -> NDArray[np.float64]:
        # Rows that hold no box are nan: they never overlap with anything.
        return np.full((self._room, 4), np.nan)

    @cached_property
    def _stacking(self) -> NDArray[np.int64]:
        """What they are stacked by: z, id."""
        return np.zeros((self._room, 2), np.int64)

    def put(self, annotation: Annotation) -> None:
        """Take an annotation in, or note its new box and place in the stack."""
        row = self._rows.get(annotation.id)
        if row is None:
            row = self._new_row()
            self._rows[annotation.id] = row
        self._boxes[row] = annotation.box
        self._stacking[row] = annotation.stacking

    def remove(self, annotation_id: int) -> None:
        """Forget an annotation."""
        row = self._rows.pop(annotation_id)
        self._boxes[row] = np.nan
        self._free.append(row)

    def at(self, x: float, y: float, tolerance: float = 0.0) -> list[int]:
        """Return the ids whose box, grown by a tolerance, holds a point; front to back."""
        return self.meeting((x - tolerance, y - tolerance, x + tolerance, y + tolerance))

    def meeting(self, box: Box) -> list[int]:
        """Return the ids whose box has a point in common with a box; front to back."""
        x0, y0, x1, y1 = box
        left, top, right, bottom = self._boxes[: self._end].T
        hit = (left <= x1) & (x0 <= right) & (top <= y1) & (y0 <= bottom)
        return self._front_to_back(hit)

    def inside(self, box: Box) -> list[int]:
        """Return the ids whose box lies wholly within a box; front to back."""
        x0, y0, x1, y1 = box
        left, top, right, bottom = self._boxes[: self._end].T
        return self._front_to_back((x0 <= left) & (y0 <= top) & (right <= x1) & (bottom <= y1))

    def _front_to_back(self, found: NDArray[np.bool_]) -> list[int]:
        z, ids = self._stacking[: self._end][found].T
        ordered: list[int] = ids[np.lexsort((ids, z))[::-1]].tolist()
        return ordered

    def _new_row(self) -> int:
        if self._free:
            return self._free.pop()
        if self._end == len(self._boxes):
            self._boxes = np.concatenate([self._boxes, np.full_like(self._boxes, np.nan)])
            self._stacking = np.concatenate([self._stacking, np.zeros_like(self._stacking)])
        self._end += 1
        return self._end - 1
