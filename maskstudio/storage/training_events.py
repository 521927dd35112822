"""What a training run says while it runs: one JSON object a line, each with its `event`.

The same lines stand in the run's `log.jsonl` and come out of `maskstudio train --progress jsonl`.
`docs/training-events.md` has the table. Needs no torch and no Qt.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from maskstudio.errors import UserError

Ring = tuple[tuple[float, float], ...]
"""Corners x, y in pixels of the image (pixel edges); the last is joined to the first."""
Part = tuple[Ring, ...]
"""An outer ring, then its holes."""


class RunState(StrEnum):
    """Where a run is."""

    TRAINING = "training"
    PAUSED = "paused"
    STOPPING = "stopping"
    """It was asked to stop, and makes a model of the best there is."""
    BROKEN_OFF = "broken_off"
    """It ended before its time, and can go on from its checkpoint."""
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True)
class Plan:
    """What will be done; the first line of a run.

    Attributes:
        images: how many are learned from.
        val_images: how many the result is measured on.
        iterations: steps in all.
        settings: all of them by name, those that were chosen from the data too.
        categories: name to how many annotations of it are learned from, as the model orders them.
        device: where it runs, in words.
        seconds: about how long it will take; None: not known.
    """

    event: ClassVar[str] = "plan"
    images: int
    val_images: int
    iterations: int
    settings: Mapping[str, Any]
    categories: Mapping[str, int]
    device: str = ""
    seconds: float | None = None


@dataclass(frozen=True)
class Step:
    """One step of learning.

    Attributes:
        iteration: from 1.
        total: steps in all.
        loss: the sum.
        losses: its summands by torchvision's names.
        learning_rate: with which this step was made.
        seconds: how long it took, data and all.
        seconds_left: about how long it is to the end, validation and all.
    """

    event: ClassVar[str] = "step"
    iteration: int
    total: int
    loss: float
    losses: Mapping[str, float]
    learning_rate: float
    seconds: float
    seconds_left: float


@dataclass(frozen=True)
class Validation:
    """Figures on images that nothing is learned from.

    Attributes:
        iteration: steps made so far.
        box: `AP`, `AP50` and `AP75` of boxes, 0 to 1.
        mask: of masks; None for Faster R-CNN.
        best: none before was better.
    """

    event: ClassVar[str] = "validation"
    iteration: int
    box: Mapping[str, float]
    mask: Mapping[str, float] | None
    best: bool


@dataclass(frozen=True)
class Outline:
    """One instance of a sample.

    Attributes:
        category: its name.
        score: 0 to 1; 1 for the truth.
        parts: its outline.
    """

    category: str
    score: float
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Sample:
    """An image of the validation set, and what the model finds on it by now.

    Attributes:
        iteration: steps made so far.
        file: the image, as a whole path.
        height: pixels.
        width: pixels.
        truth: what a person drew.
        found: what the model finds, the highest scores first.
    """

    event: ClassVar[str] = "sample"
    iteration: int
    file: str
    height: int
    width: int
    truth: tuple[Outline, ...]
    found: tuple[Outline, ...]


@dataclass(frozen=True)
class StateChange:
    """The run is in another state now.

    Attributes:
        state: the new one.
        sentence: what went wrong and what to do, where something did; else empty.
    """

    event: ClassVar[str] = "state"
    state: RunState
    sentence: str = ""


@dataclass(frozen=True)
class Done:
    """The last line of a run that has made a model.

    Attributes:
        model: its file, as a whole path.
        metrics: the figures it carries: `box` and `mask` with AP, AP50, AP75, ...; empty where
            there was nothing to measure on.
    """

    event: ClassVar[str] = "done"
    model: str
    metrics: Mapping[str, Any] = field(default_factory=dict)


Event = Plan | Step | Validation | Sample | StateChange | Done
_KINDS: Mapping[str, type[Event]] = {
    kind.event: kind for kind in (Plan, Step, Validation, Sample, StateChange, Done)
}


def to_json(event: Event) -> str:
    """Return an event as one line, without its end."""
    return json.dumps({"event": event.event} | asdict(event))


def from_json(line: str) -> Event | None:
    """Read a line; None where it is not of training: other events, or no JSON at all.

    Raises:
        UserError: it is of training but lacks something.
    """
    try:
        told = json.loads(line)
    except ValueError:
        return None
    kind = _KINDS.get(told.pop("event", "")) if isinstance(told, dict) else None
    if kind is None:
        return None
    try:
        if kind is StateChange:
            return StateChange(RunState(told["state"]), str(told.get("sentence", "")))
        if kind is Sample:
            told |= {name: _outlines(told[name]) for name in ("truth", "found")}
        event: Event = kind(**told)
    except (TypeError, ValueError, KeyError) as error:
        raise UserError(f"A line of the training run cannot be understood: {line[:80]}") from error
    return event


def _outlines(told: list[dict[str, Any]]) -> tuple[Outline, ...]:
    return tuple(
        Outline(
            str(one["category"]),
            float(one["score"]),
            tuple(tuple(_ring(ring) for ring in part) for part in one["parts"]),
        )
        for one in told
    )


def _ring(corners: list[list[float]]) -> Ring:
    return tuple((float(x), float(y)) for x, y in corners)
