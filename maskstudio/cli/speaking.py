"""What a training run says, on a terminal or as JSON lines, and in the run's log."""

import sys
from collections.abc import Callable
from pathlib import Path

from maskstudio.cli.console import ConsoleContext, ProgressStyle
from maskstudio.storage.training_events import (
    Done,
    Event,
    Plan,
    StateChange,
    Step,
    Validation,
    to_json,
)
from maskstudio.storage.training_runs import note


class Speaker:
    """Tells people or programs of the events of a run."""

    def __init__(self, context: ConsoleContext, style: ProgressStyle) -> None:
        """Say nothing yet."""
        self._context = context
        self._style = style
        self._deaf = False

    def say(self, event: Event) -> None:
        """Tell of one event."""
        if self._style is ProgressStyle.JSONL:
            self._write(to_json(event) + "\n")
        elif isinstance(event, Step):
            left = f"loss {event.loss:.3f}, {_minutes(event.seconds_left)} left"
            self._context.report(event.iteration, event.total, left)
        else:
            for line in _lines(event):
                self._context.produce(line)

    def noting(self, folder: Path) -> Callable[[Event], None]:
        """Return what tells of events of a run and keeps them in its log."""

        def say(event: Event) -> None:
            note(folder, event)
            self.say(event)

        return say

    def _write(self, text: str) -> None:
        if self._deaf:
            return
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            # Nobody listens any more; whether the run is to end is said elsewhere.
            self._deaf = True


def _lines(event: Event) -> list[str]:
    if isinstance(event, Plan):
        return _plan(event)
    if isinstance(event, Validation):
        figures = {"box": event.box} | ({"mask": event.mask} if event.mask else {})
        told = ", ".join(f"{kind} AP {one['AP']:.3f}" for kind, one in figures.items())
        return [f"after {event.iteration:,} steps: {told}{', the best yet' * event.best}"]
    if isinstance(event, Done):
        kinds = [kind for kind in ("box", "mask") if kind in event.metrics]
        told = ", ".join(f"{kind} AP {event.metrics[kind]['AP'] or 0:.3f}" for kind in kinds)
        return [f"wrote {event.model}{': ' * bool(told)}{told}"]
    if isinstance(event, StateChange) and event.state in ("broken_off", "stopping", "paused"):
        return [f"training: {event.state.value.replace('_', ' ')}"]
    return []


def _plan(plan: Plan) -> list[str]:
    objects = ", ".join(f"{count:,} {name}" for name, count in plan.categories.items())
    settings = plan.settings
    lines = [
        f"{plan.images:,} images to learn from ({objects}), {plan.val_images:,} to measure on",
        f"{plan.iterations:,} steps of {settings['batch_size']} views of {settings['crop']} pixels,"
        f" images at {settings['input_size']}, on {plan.device}",
    ]
    return lines + ([f"about {_minutes(plan.seconds)}"] if plan.seconds else [])


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
