"""What could be undone and redone."""

from dataclasses import dataclass


@dataclass(frozen=True)
class HistoryState:
    """The titles of the edits that undo and redo would meet, or None."""

    undo: str | None
    redo: str | None
