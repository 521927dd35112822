"""How bright the image is shown: a table from each stored value to the one on the screen."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

LIMIT = 100
"""Each value of an adjustment runs from minus this to this."""

# At the limits contrast and gamma are this many times, or one part of this many.
_STEEPEST = 4.0
_VALUES = 256


@dataclass(frozen=True)
class Adjustment:
    """A person's view of the image; stored pixels and the model's input know nothing of it.

    Attributes:
        brightness: added, in hundredths of the whole range.
        contrast: slope around the middle grey, 4 to the power of so many hundredths.
        gamma: lightens (above 0) or darkens the tones between black and white, which stay.
    """

    brightness: int = 0
    contrast: int = 0
    gamma: int = 0

    @property
    def neutral(self) -> bool:
        """True when every value is shown as it is stored."""
        return self == Adjustment()

    @property
    def gamma_exponent(self) -> float:
        """The gamma as people write it: 1 changes nothing, 2 lightens."""
        return float(_STEEPEST ** (self.gamma / LIMIT))

    @cached_property
    def table(self) -> NDArray[np.uint8]:
        """256 uint8: what is shown for each stored value."""
        tone = np.linspace(0, 1, _VALUES) ** (1 / self.gamma_exponent)
        tone = (tone - 0.5) * _STEEPEST ** (self.contrast / LIMIT) + 0.5 + self.brightness / LIMIT
        return np.asarray(np.rint(np.clip(tone, 0, 1) * (_VALUES - 1)), np.uint8)

    def clamped(self) -> "Adjustment":
        """Return the nearest adjustment within the limits."""
        values = (self.brightness, self.contrast, self.gamma)
        return Adjustment(*(max(-LIMIT, min(LIMIT, value)) for value in values))
