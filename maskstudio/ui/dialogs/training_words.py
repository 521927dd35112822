"""What the window says of a training run."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maskstudio.session.training import Training
from maskstudio.session.training_course import TrainingCourse
from maskstudio.session.training_outlook import Outlook
from maskstudio.storage.training_events import Plan, RunState, Validation
from maskstudio.ui.panels.run_progress import duration

_STATES = {
    RunState.TRAINING: "Training",
    RunState.PAUSED: "Paused",
    RunState.STOPPING: "Stopping, making a model of the best so far",
    RunState.BROKEN_OFF: "Interrupted",
    RunState.FAILED: "Failed",
    RunState.FINISHED: "Done",
}


def outlook_words(outlook: Outlook) -> str:
    """Return what would be trained on, in a sentence."""
    about = "" if outlook.exact else "about "
    annotations = sum(category.learned for category in outlook.categories)
    words = (
        f"Learns from {about}{_count(outlook.learned, 'verified image')} with "
        f"{_count(annotations, 'annotation')}"
    )
    if outlook.measured:
        others = _count(outlook.measured, "other")
        words += f"; the result is measured on {about}{others} that it never sees"
    words += "."
    if outlook.empty:
        are = "is" if outlook.empty == 1 else "are"
        words += f" {outlook.empty:,} of them {are} verified as empty, which teaches too."
    if outlook.left_out:
        words += f" {_count(outlook.left_out, 'image')} kept for the test by an export stay out."
    return words


def plan_words(plan: Plan | None, failure: str, share: float = 1.0) -> str:
    """Return how long it would take.

    Args:
        plan: what was found out; None while that is on its way, or where it failed.
        failure: why it failed; empty else.
        share: of the steps planned, so many are made.
    """
    if plan is None:
        return failure or "Finding out how long it will take …"
    words = f"{_count(round(plan.iterations * share), 'step')}"
    if plan.device:
        words += f" on {plan.device}"
    if plan.seconds is not None:
        words += f": about {duration(plan.seconds * share)}"
    return f"{words}."


def state_words(training: Training) -> str:
    """Return where a run is, in one line."""
    course = training.course
    if course is None:
        return "Nothing was trained in this project yet."
    if training.preparing is not None:
        return "Dividing the images into those it learns from and those it is measured on …"
    if training.elsewhere:
        return f"Another process is training: step {_step(course):,} of {course.total:,}"
    if training.running and (course.state is None or course.step is None):
        return "Starting …"
    if course.state is None:
        return course.sentence or "It ended before it began."
    words = _STATES[course.state]
    if course.step is not None and course.state is not RunState.FINISHED:
        words += f": step {course.step.iteration:,} of {course.total:,}"
        if course.state is RunState.TRAINING:
            words += f", {duration(course.step.seconds_left)} left"
    return words


def status_words(training: Training) -> str:
    """Return the quiet line of the status bar; empty where there is nothing to say."""
    course = training.course
    if course is None:
        return ""
    if training.running:
        if course.step is None or course.state is None:
            return "Training starts"
        share = f"{course.share:.0%}"
        if course.state is RunState.TRAINING:
            return f"Training {share}, {duration(course.step.seconds_left)} left"
        return f"Training {'paused' if course.state is RunState.PAUSED else 'stops'}, {share}"
    if training.elsewhere:
        return f"Training elsewhere, {course.share:.0%}"
    return f"Training interrupted at {course.share:.0%}" if training.offered else ""


def figures(validation: Validation | None) -> str:
    """Return the figures of a validation in words; empty without one."""
    if validation is None:
        return ""
    return _figures({"mask": validation.mask, "box": validation.box})


def best_words(course: TrainingCourse | None) -> str:
    """Return what the best so far is worth; empty before anything was measured."""
    best = None if course is None else course.best
    worth = figures(best)
    return f"Best so far: {worth} at step {best.iteration:,}." if best and worth else ""


def done_words(course: TrainingCourse) -> str:
    """Return what came out of a run that is done; empty of any other."""
    if course.done is None:
        return ""
    # The figures of the model itself are of all images that are kept for that.
    worth = _figures(course.done.metrics) or figures(course.best)
    return f"The new model is called {Path(course.done.model).stem}{f': {worth}' if worth else ''}."


def _step(course: TrainingCourse) -> int:
    return 0 if course.step is None else course.step.iteration


def _figures(measured: Mapping[str, Any]) -> str:
    """Return the figures of masks, or of boxes where there are none, as far as they are known."""
    kind = "mask" if measured.get("mask") else "box"
    found = measured.get(kind) or {}
    known = [
        f"{name} {value:.2f}"
        for name in ("AP", "AP50")
        # Of images without objects there is none.
        if (value := found.get(name)) is not None and math.isfinite(value)
    ]
    return f"{kind} {', '.join(known)}" if known else ""


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
