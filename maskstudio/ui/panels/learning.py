"""What the model has learned from the person's work, and what that is worth, in a quiet line."""

from collections.abc import Sequence

from PySide6.QtGui import QAction

from maskstudio.annotation.learning_curve import LEAST_JUDGED
from maskstudio.session.learning import Learning, LearningState
from maskstudio.ui.panels.quiet_row import QuietRow, RowNames
from maskstudio.ui.panels.run_progress import duration

_NAMES = RowNames(
    "What the model has learned",
    "Learning",
    "Learn or not, and what runs",
    "Switch learning on or off, or go back to the model without it",
)


class LearningRow(QuietRow):
    """Seen once there is something to say."""

    def __init__(self, learning: Learning, choices: Sequence[QAction]) -> None:
        """Say nothing yet.

        Args:
            learning: what is told of.
            choices: what a person may do about it.
        """
        super().__init__(_NAMES, choices)
        self._learning = learning
        learning.changed.connect(self._renew)

    def _renew(self) -> None:
        state = self._learning.state
        self.say(_words(state), _tip(state))


def _words(state: LearningState) -> str:
    if state.problem:
        return state.problem
    images = _count(state.images, "image")
    if state.in_use:
        worth = _worth(state)
        return f"Learned from {images}, {duration(state.seconds)}: {worth}"
    if not state.images:
        return ""
    if not state.on:
        return f"Learning is off; {state.start} runs as it came"
    if state.comparison.images >= LEAST_JUDGED:
        return f"Learned from {images}: no better yet, so {state.start} runs as it came"
    return f"Learns from {images}"


def _worth(state: LearningState) -> str:
    saved = round(100 * state.comparison.saved)
    return f"{saved} % fewer corrections" if saved > 0 else "as many corrections as before"


def _tip(state: LearningState) -> str:
    compared = state.comparison
    told = (
        "What you verify is learned while the computer is idle. On every image the models are "
        "compared before it is learned from."
    )
    if not compared.images:
        return told
    return (
        f"{told}\nOn the last {_count(compared.images, 'image')}: {compared.start:,} clicks and "
        f"drags to correct what {state.start} finds, {compared.learned:,} with what it has learned."
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
