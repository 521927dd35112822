"""What learning while a person labels is worth: predict first, learn after, and count what is left.

Every image a person verified was predicted before anything was learned from it, by the model the
person began with and by what it had learned until then. What a person had to do after either is
the curve, and it alone decides which of the two runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from maskstudio.annotation.effort import Effort

WINDOW = 10
"""So many images, the last ones, say which of two models is better now."""

LEAST_JUDGED = 3
"""From so many images on the curve says anything: one easy image is no proof."""

LEAST_LEARNED = 2
"""What was learned from fewer images is not judged yet: it is bad, and soon is not any more."""


@dataclass(frozen=True)
class CurvePoint:
    """What one image that a person verified said of two models that had not learned from it.

    Attributes:
        image_id: the image.
        at: when that was found out, UTC.
        start_id: the model the person began with.
        shown_id: the model whose pre-annotations the person had before him.
        images: from how many images the other one had learned.
        start: what the model the person began with left to do.
        learned: what was left to do after what it had learned; None before it had learned enough.
        counts: False once the person took back that the image was verified.
    """

    image_id: int
    at: datetime
    start_id: str
    shown_id: str
    images: int
    start: Effort
    learned: Effort | None = None
    counts: bool = True

    @property
    def shown(self) -> Effort:
        """What the model that the person saw at work left to do."""
        if self.learned is not None and self.shown_id != self.start_id:
            return self.learned
        return self.start


@dataclass(frozen=True)
class Comparison:
    """Two models on the same images.

    Attributes:
        images: on how many.
        start: gestures that the model the person began with left to do.
        learned: gestures that were left after what it has learned.
    """

    images: int
    start: int
    learned: int

    @property
    def saved(self) -> float:
        """Which share of the gestures what was learned saves; less than 0 where it costs more."""
        return 1 - self.learned / self.start if self.start else 0.0

    def prefers_learned(self, *, in_use: bool) -> bool:
        """Tell whether what was learned should run.

        It has to be better to come into use, and to be worse to go again.

        Args:
            in_use: it runs now.
        """
        if self.images < LEAST_JUDGED:
            return in_use
        return self.learned <= self.start if in_use else self.learned < self.start


def compare(points: Iterable[CurvePoint], start_id: str) -> Comparison:
    """Compare a model with what it has learned, on the last images that say anything of both.

    Args:
        points: the oldest first.
        start_id: the model the person began with.
    """
    own = (point for point in points if point.start_id == start_id and point.counts)
    judged: Sequence[tuple[int, int]] = [
        (point.start.gestures, point.learned.gestures) for point in own if point.learned is not None
    ][-WINDOW:]
    return Comparison(len(judged), sum(s for s, _ in judged), sum(n for _, n in judged))
