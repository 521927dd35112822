"""How bright the image is shown: a table from each stored value to the one on the screen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from maskstudio.later import np
from maskstudio.storage.stored_values import StoredValues, Window

if TYPE_CHECKING:
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
        window: the values shown between black and white where an image has more than 8 bits; None
            takes for each image what suits it.
    """

    brightness: int = 0
    contrast: int = 0
    gamma: int = 0
    window: Window | None = None

    @property
    def neutral(self) -> bool:
        """True when there is nothing to take back."""
        return self == Adjustment()

    @property
    def keeps_tones(self) -> bool:
        """True when every tone between black and white is shown as it is."""
        return not (self.brightness or self.contrast or self.gamma)

    @property
    def gamma_exponent(self) -> float:
        """The gamma as people write it: 1 changes nothing, 2 lightens."""
        return float(_STEEPEST ** (self.gamma / LIMIT))

    @cached_property
    def table(self) -> NDArray[np.uint8]:
        """256 uint8: what is shown for each stored value of 8 bits."""
        return self._shown(np.linspace(0, 1, _VALUES))

    def deep_table(self, values: StoredValues) -> NDArray[np.uint8]:
        """Return 65,536 uint8: what is shown for each level of an image of more than 8 bits."""
        return self._shown(values.tones(self.window or values.automatic))

    def clamped(self) -> Adjustment:
        """Return the nearest adjustment within the limits."""
        return replace(
            self,
            brightness=_within_limits(self.brightness),
            contrast=_within_limits(self.contrast),
            gamma=_within_limits(self.gamma),
        )

    def _shown(self, tone: NDArray[np.float64]) -> NDArray[np.uint8]:
        tone = tone ** (1 / self.gamma_exponent)
        tone = (tone - 0.5) * _STEEPEST ** (self.contrast / LIMIT) + 0.5 + self.brightness / LIMIT
        return np.asarray(np.rint(np.clip(tone, 0, 1) * (_VALUES - 1)), np.uint8)


def _within_limits(value: int) -> int:
    return max(-LIMIT, min(LIMIT, value))
