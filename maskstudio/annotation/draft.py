"""An outline that is being drawn and not finished."""

from dataclasses import dataclass
from typing import TypeAlias

Points: TypeAlias = tuple[tuple[float, float], ...]
"""(x, y) in image coordinates."""


Ends: TypeAlias = tuple[int, ...]
"""How many points of an outline there were after each click: one click may set many."""


@dataclass(frozen=True)
class Draft:
    """An unfinished outline.

    Attributes:
        tool: name of the tool that draws it.
        category_id: the category it will have; None before there is any.
        points: what was set of it, in that order.
        ends: increasing, the last is the number of points.
    """

    tool: str
    category_id: int | None
    points: Points
    ends: Ends
