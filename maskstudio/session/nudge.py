"""Moving the selection by the arrow keys, so that a held key is one step to take back."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from maskstudio.annotation.edits import Edit
from maskstudio.session import operations
from maskstudio.session.session import Session

_TOGETHER = 1.0
"""Seconds between two presses that still belong together."""


@dataclass(frozen=True)
class _Step:
    """The last move: what was moved, how far in all (pixels), when (seconds), and its number."""

    moved: frozenset[int]
    dx: float
    dy: float
    at: float
    number: int


class Nudge:
    """Moves the selected annotations by a few pixels.

    A press soon after another takes the other back and moves by the sum of both: the journal keeps
    one edit, and coordinates do not gather rounding errors.
    """

    def __init__(self, session: Session, clock: Callable[[], float] = time.monotonic) -> None:
        """Move in a session.

        Args:
            session: what is open.
            clock: seconds since some moment.
        """
        self._session = session
        self._clock = clock
        self._edits = 0
        self._last: _Step | None = None
        session.edited.connect(self._on_edited)
        session.current_changed.connect(self._on_current)

    def by(self, dx: float, dy: float) -> bool:
        """Move the selection by (dx, dy) image pixels, as far as it stays within the image."""
        session = self._session
        image, chosen = session.current, session.selection
        if image is None or not chosen:
            return False
        last = self._last
        if last is not None and self._continues(last):
            if session.undo() is None:
                return False
            # Undoing selects what it brought back when that is one annotation, and else nothing.
            session.select(chosen)
            dx, dy = last.dx + dx, last.dy + dy
        dx, dy = operations.clamped_shift(image, session.selected(), dx, dy)
        before = self._edits
        done = operations.move(session, sorted(chosen), dx, dy)
        moved = self._edits != before
        self._last = _Step(chosen, dx, dy, self._clock(), self._edits) if moved else None
        return done

    def _continues(self, last: _Step) -> bool:
        """Tell whether a press belongs to the last: soon after it, and nothing came between."""
        return (
            last.number == self._edits
            and last.moved == self._session.selection
            and self._clock() - last.at <= _TOGETHER
        )

    def _on_edited(self, edit: Edit) -> None:
        current = self._session.current
        # What a batch does to other images does not come between.
        if edit.undoable or (current is not None and current.id in edit.image_ids):
            self._edits += 1

    def _on_current(self) -> None:
        self._last = None
