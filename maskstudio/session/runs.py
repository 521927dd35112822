"""What is told of a run of the model: how far it is, how it ended."""

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """An image that could not be done, and why in a sentence."""

    image_id: int
    sentence: str


@dataclass(frozen=True)
class RunReport:
    """How a run ended.

    Attributes:
        batch: it was many images, not one.
        total: images it was to go over.
        done: images it has done.
        failed: those that could not be.
        left_alone: images that a person had finished.
        cancelled: a person stopped it before its end.
        broken_off: it could not go on, and `problem` said why.
        words: what was done to an image.
    """

    batch: bool
    total: int
    done: int
    failed: tuple[Failure, ...]
    left_alone: int
    cancelled: bool
    broken_off: bool
    words: str = "pre-annotated"


@dataclass(frozen=True)
class RunProgress:
    """Where a run is, for a progress line.

    Attributes:
        done: images finished.
        total: images in all.
        seconds_left: an estimate; None for a batch until its second image is finished and while it
            is paused, and for one image until the model has run on another before.
        note: what is being done, in words.
        model: the model that runs.
        failed: images that could not be done so far.
        paused: a person lets it wait.
        parts_done: tiles done of the one image at work.
        parts: tiles it is looked at in; 0 when it is looked at whole.
    """

    done: int
    total: int
    seconds_left: float | None
    note: str
    model: str = ""
    failed: int = 0
    paused: bool = False
    parts_done: int = 0
    parts: int = 0


class Pace:
    """How long what is left of a batch will take, by what its images took so far."""

    def __init__(self) -> None:
        self._results = 0
        self._first_at = 0.0
        self._last_at = 0.0

    def note_result(self) -> None:
        """Note that an image is finished."""
        self._results += 1
        self._last_at = time.monotonic()
        # Counted from the first result on: before it lies the loading of the model.
        self._first_at = self._first_at or self._last_at

    def seconds_left(self, images: int) -> float | None:
        """Return the time for so many images.

        None before the second is finished, and once one takes longer than all that are left were
        to: after images whose detections were kept, say.
        """
        if self._results < 2:
            return None
        each = (self._last_at - self._first_at) / (self._results - 1)
        left = each * images - (time.monotonic() - self._last_at)
        return left if left > 0 else None
