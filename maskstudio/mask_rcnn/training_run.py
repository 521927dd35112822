"""A training run from its first step to its model: measures, keeps the best, can go on later."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum, auto
from pathlib import Path
from typing import Any

from torch import Tensor

from maskstudio.errors import CancelledError, UserError
from maskstudio.mask_rcnn.model_file import ModelInfo, load_model, save_model
from maskstudio.mask_rcnn.trainer import StepTaken, Trainer
from maskstudio.mask_rcnn.validation import Validator, figure_of
from maskstudio.mask_rcnn.world import World
from maskstudio.progress import TaskContext
from maskstudio.storage.training_events import Done, Event, RunState, StateChange, Step, Validation
from maskstudio.storage.training_runs import BEST_NAME, CHECKPOINT_NAME, read_log, rewind

# Seconds between two checkpoints; longer where writing one takes long, as on a slow disk.
_BETWEEN_CHECKPOINTS, _TIMES_A_CHECKPOINT = 60.0, 20.0
_PAUSED_LOOKS = 0.2
_STEPS_AVERAGED = 50


class Wish(IntEnum):
    """What a person wants of a run that is under way."""

    GO_ON = auto()
    PAUSE = auto()
    STOP = auto()
    """End now, with the best there is."""
    LEAVE = auto()
    """End now, to go on another time."""


@dataclass(frozen=True)
class Surroundings:
    """What a run has around it.

    Attributes:
        folder: of the run.
        output: the model to write.
        say: hears every event.
        wish: asked after every step.
        world: the processes that train together.
        context: hears how far the measuring at the end is.
    """

    folder: Path
    output: Path
    say: Callable[[Event], None]
    wish: Callable[[], Wish]
    world: World
    context: TaskContext


class _Leaving(TaskContext):
    """Breaks off measuring when the run is to be left."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    def report(self, done: int, total: int, note: str = "") -> None:
        self._around.context.report(done, total, note)

    def raise_if_cancelled(self) -> None:
        # Of several processes the others would wait for this one for ever.
        if self._around.world.size == 1 and self._around.wish() is Wish.LEAVE:
            raise CancelledError


class TrainingRun:
    """Takes a trainer through a run."""

    def __init__(
        self,
        trainer: Trainer,
        iterations: int,
        validate_every: int,
        info: ModelInfo,
        validator: Validator | None,
        around: Surroundings,
    ) -> None:
        """Begin nothing yet.

        Args:
            trainer: makes the steps.
            iterations: steps in all.
            validate_every: steps between two measurements.
            info: what the model will say of itself, without figures.
            validator: measures; None where there is nothing to measure on.
            around: what the run has around it.
        """
        self._trainer = trainer
        self._iterations = iterations
        self._every = validate_every
        self._info = info
        self._validator = validator
        self._around = around
        self._context = _Leaving(around)
        self._best = -1.0
        self._lately: deque[float] = deque(maxlen=_STEPS_AVERAGED)
        self._measuring = 0.0
        self._measured_at = 0
        self._kept_at = time.monotonic()
        self._keeping = 0.0

    def resume(self) -> None:
        """Go on from the run's checkpoint.

        Raises:
            UserError: it is damaged or does not fit.
        """
        folder = self._around.folder
        self._best = self._trainer.resume(folder / CHECKPOINT_NAME)
        if not self._around.world.leads:
            return
        iteration = self._trainer.iteration
        rewind(folder, iteration)
        measured = [e.iteration for e in read_log(folder) if isinstance(e, Validation)]
        self._measured_at = max(measured, default=0)

    def run(self) -> bool:
        """Train; return False where it was left to go on another time.

        Raises:
            UserError: what `Trainer.steps` raises, or a file cannot be written.
        """
        self._say(StateChange(RunState.TRAINING))
        try:
            return self._train()
        except CancelledError:
            # While it was measuring. What was learned until then is kept already.
            self._say(StateChange(RunState.BROKEN_OFF))
            return False

    def _train(self) -> bool:
        if self._trainer.iteration:
            self._measure_if_due()
        for step in self._trainer.steps():
            self._after(step)
            wish = self._obeyed()
            if wish is Wish.LEAVE:
                self._keep()
                self._say(StateChange(RunState.BROKEN_OFF))
                return False
            if wish is Wish.STOP:
                self._say(StateChange(RunState.STOPPING))
                break
        if self._around.world.leads:
            self._finish()
        return True

    def _after(self, step: StepTaken) -> None:
        self._lately.append(step.seconds)
        left = self._iterations - step.iteration
        seconds = left * sum(self._lately) / len(self._lately)
        if self._validator is not None:
            seconds += (left // self._every + 2) * self._measuring
        self._say(
            Step(
                step.iteration,
                self._iterations,
                sum(step.losses.values()),
                step.losses,
                step.learning_rate,
                round(step.seconds, 4),
                round(seconds, 1),
            )
        )
        if not self._around.world.leads:
            return
        if self._is_due():
            # Kept first: measuring may be broken off, and is done anew then.
            self._keep()
            self._measure_if_due()
            self._keep()
        elif time.monotonic() - self._kept_at > max(
            _BETWEEN_CHECKPOINTS, _TIMES_A_CHECKPOINT * self._keeping
        ):
            self._keep()

    def _obeyed(self) -> Wish:
        """Wait as long as the run is to pause; return what is wanted then."""
        wish = self._wish()
        if wish is not Wish.PAUSE:
            return wish
        self._keep()
        self._say(StateChange(RunState.PAUSED))
        while wish is Wish.PAUSE:
            time.sleep(_PAUSED_LOOKS)
            wish = self._wish()
        if wish is Wish.GO_ON:
            self._say(StateChange(RunState.TRAINING))
        return wish

    def _wish(self) -> Wish:
        wanted = self._around.wish() if self._around.world.leads else Wish.GO_ON
        return Wish(self._around.world.agreed(wanted))

    def _is_due(self) -> bool:
        done = self._trainer.iteration
        return done % self._every == 0 or done == self._iterations

    def _measure_if_due(self) -> None:
        if self._is_due() and self._around.world.leads:
            self._measure()

    def _measure(self) -> None:
        """Measure, unless that has been done at this step."""
        if self._validator is None or self._measured_at == self._trainer.iteration:
            return
        started = time.monotonic()
        weights = self._trainer.weights()
        told, samples = self._validator.measure(
            weights, self._trainer.iteration, self._best, self._context
        )
        if told.best:
            self._best = figure_of(told)
            save_model(self._around.folder / BEST_NAME, self._info, weights)
        self._say(told)
        for sample in samples:
            self._say(sample)
        self._measuring = time.monotonic() - started
        self._measured_at = self._trainer.iteration

    def _keep(self) -> None:
        if not self._around.world.leads:
            return
        started = time.monotonic()
        self._trainer.save(self._around.folder / CHECKPOINT_NAME, self._best)
        self._kept_at = time.monotonic()
        self._keeping = self._kept_at - started

    def _finish(self) -> None:
        """Write the model, measured on all there is to measure on."""
        # What is kept first can be gone on from, should the measuring or the writing fail.
        self._keep()
        self._measure()
        weights, metrics = self._best_weights(), {}
        if self._validator is not None:
            metrics = self._validator.evaluate(weights, self._context)
        output = self._around.output
        if output.exists():
            raise UserError(f"{output} is there already; move it away and resume the run.")
        save_model(output, replace(self._info, metrics=metrics), weights)
        self._say(Done(str(output.absolute()), metrics))
        self._say(StateChange(RunState.FINISHED))
        for name in (CHECKPOINT_NAME, BEST_NAME):
            (self._around.folder / name).unlink(missing_ok=True)

    def _best_weights(self) -> Mapping[str, Tensor]:
        path = self._around.folder / BEST_NAME
        if not path.exists():
            return self._trainer.weights()
        _, model = load_model(path)
        weights: dict[str, Any] = model.state_dict()
        return weights

    def _say(self, event: Event) -> None:
        if self._around.world.leads:
            self._around.say(event)
