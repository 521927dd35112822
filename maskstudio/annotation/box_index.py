"""Which annotations lie at a place, among thousands, without asking each of them."""

from collections.abc import Iterable

import numpy as np

from maskstudio.annotation.annotation import Annotation

_SMALLEST = 64


class BoxIndex:
    """The boxes of annotations in one array; a change costs what it touches."""

    def __init__(self, annotations: Iterable[Annotation] = ()) -> None:
        known = list(annotations)
        room = max(_SMALLEST, 2 * len(known))
        # Rows that hold no box are nan: they never overlap with anything.
        self._boxes = np.full((room, 4), np.nan)
        self._ids = np.zeros(room, np.int64)
        self._rows: dict[int, int] = {a.id: row for row, a in enumerate(known)}
        self._end = len(known)
        if known:
            self._boxes[: self._end] = [a.box for a in known]
            self._ids[: self._end] = [a.id for a in known]

    def put(self, annotation: Annotation) -> None:
        """Take an annotation in, or note its new box."""
        row = self._rows.get(annotation.id)
        if row is None:
            row = self._new_row()
            self._rows[annotation.id] = row
            self._ids[row] = annotation.id
        self._boxes[row] = annotation.box

    def remove(self, annotation_id: int) -> None:
        """Forget an annotation."""
        self._boxes[self._rows.pop(annotation_id)] = np.nan

    def at(self, x: float, y: float, tolerance: float = 0.0) -> list[int]:
        """Return the ids whose box, grown by a tolerance, holds a point; the highest id first."""
        left, top, right, bottom = self._boxes[: self._end].T
        across = (left - tolerance <= x) & (x <= right + tolerance)
        hit = across & (top - tolerance <= y) & (y <= bottom + tolerance)
        return sorted(self._ids[: self._end][hit].tolist(), reverse=True)

    def _new_row(self) -> int:
        if self._end == len(self._ids):
            self._boxes = np.concatenate([self._boxes, np.full_like(self._boxes, np.nan)])
            self._ids = np.concatenate([self._ids, np.zeros_like(self._ids)])
        self._end += 1
        return self._end - 1
