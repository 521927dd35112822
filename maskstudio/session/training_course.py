"""What is known of a training run from what it told: its curves, its samples, where it is."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable

from maskstudio.storage.training_events import (
    Done,
    Event,
    Plan,
    RunState,
    Sample,
    StateChange,
    Step,
    Validation,
)

_LIVE = (RunState.TRAINING, RunState.PAUSED, RunState.STOPPING)


class TrainingCourse:
    """A run so far; it grows by one event after the other.

    Attributes:
        plan: what will be done; None as long as that was not told.
        step: the latest; None before the first.
        iterations: of the steps known, ascending.
        losses: as many.
        rates: as many, the learning rates.
        validations: those known, in order.
        samples: the latest sample of each image, by its file.
        state: where the run is; None before it said so.
        sentence: what went wrong and what to do; empty where nothing did.
        done: the model that was made; None before.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        """Take the events of a run so far."""
        self.plan: Plan | None = None
        self.step: Step | None = None
        self.iterations = array("l")
        self.losses = array("d")
        self.rates = array("d")
        self.validations: list[Validation] = []
        self.samples: dict[str, Sample] = {}
        self.state: RunState | None = None
        self.sentence = ""
        self.done: Done | None = None
        for event in events:
            self.take(event)

    @property
    def live(self) -> bool:
        """True while a process works on it, or did when it last told."""
        return self.state in _LIVE

    @property
    def total(self) -> int:
        """Steps in all; 0 as long as it is not known."""
        if self.step is not None:
            return self.step.total
        return 0 if self.plan is None else self.plan.iterations

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1."""
        if self.done is not None:
            return 1.0
        return self.step.iteration / self.total if self.step is not None and self.total else 0.0

    @property
    def best(self) -> Validation | None:
        """The validation that was the best; what it measured is what is kept."""
        return next((one for one in reversed(self.validations) if one.best), None)

    def take(self, event: Event) -> None:
        """Note what was told."""
        match event:
            case Plan():
                self.plan = event
            case Step():
                self._take_step(event)
            case Validation():
                kept = [v for v in self.validations if v.iteration < event.iteration]
                self.validations = [*kept, event]
            case Sample():
                self.samples[event.file] = event
            case StateChange():
                self.state, self.sentence = event.state, event.sentence
            case Done():
                self.done = event

    def break_off(self, sentence: str) -> None:
        """Note that its process has ended without saying so."""
        self.state, self.sentence = RunState.BROKEN_OFF, sentence

    def _take_step(self, step: Step) -> None:
        # A run that goes on from its checkpoint does some steps a second time.
        first = bisect_left(self.iterations, step.iteration)
        for row in (self.iterations, self.losses, self.rates):
            del row[first:]
        self.iterations.append(step.iteration)
        self.losses.append(step.loss)
        self.rates.append(step.learning_rate)
        self.step = step
