"""What the levels of an image of more than 8 bits stand for, and which of them are shown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from maskstudio.later import np

if TYPE_CHECKING:
    from numpy.typing import NDArray


LEVELS = 65_536
"""How many levels the values of an image are kept in: all there are, where they are 16 bits."""


@dataclass(frozen=True)
class Window:
    """Which values are shown between black and white, in the image's own units.

    Attributes:
        low: this and all below is black.
        high: this and all above is white; not less than `low`.
    """

    low: float
    high: float


@dataclass(frozen=True)
class StoredValues:
    """What the levels of an image stand for.

    Attributes:
        offset: the value of level 0, in the image's own units.
        step: how much each level is more than the one before.
        whole: values are whole numbers, and each has its level.
        full: the darkest and the brightest value there is; NaN and infinite ones do not count.
        automatic: likewise, without the outermost 0.1 % of all pixels.
    """

    offset: float
    step: float
    whole: bool
    full: Window
    automatic: Window

    @cached_property
    def automatic_table(self) -> NDArray[np.uint8]:
        """65,536 uint8: how light each level is in the automatic window."""
        return np.asarray(np.rint(self.tones(self.automatic) * 255), np.uint8)

    def value(self, level: int) -> float:
        """Return the value of a level."""
        return self.offset + level * self.step

    def level(self, value: float) -> int:
        """Return the level nearest to a value."""
        return round(min(max((value - self.offset) / self.step, 0), LEVELS - 1))

    def text(self, value: float) -> str:
        """Write a value."""
        return f"{value:.0f}" if self.whole else f"{value:.5g}"

    def tones(self, window: Window) -> NDArray[np.float64]:
        """Return how light each level is in a window: (65536,), 0 is black and 1 is white."""
        values = self.offset + np.arange(LEVELS) * self.step
        if window.high <= window.low:
            return np.asarray(values > window.low, np.float64)
        return np.asarray(np.clip((values - window.low) / (window.high - window.low), 0, 1))
