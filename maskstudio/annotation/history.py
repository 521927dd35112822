"""What could be undone and redone."""

from dataclasses import dataclass


@dataclass(frozen=True)
class HistoryState:
    """What undo and redo would meet.

    Attributes:
        undo: the title of the edit that undo would take back, or None.
        redo: the title of the one that redo would bring back, or None.
        long_undo: undo would take long.
        long_redo: redo would take long.
    """

    undo: str | None
    redo: str | None
    long_undo: bool = False
    long_redo: bool = False
