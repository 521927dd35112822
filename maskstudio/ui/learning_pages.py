"""What the model learns from the work, in the window: opens its pages when they are asked for."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from maskstudio.ui.actions import Actions
from maskstudio.ui.canvas.canvas import Canvas
from maskstudio.ui.services import Services


class LearningPages:
    """Training, comparing, the queue and the account of what it pays; each loaded when opened."""

    def __init__(
        self,
        window: QWidget,
        services: Services,
        canvas: Canvas,
        verbs: Actions,
        say: Callable[[str], object],
    ) -> None:
        """Load nothing yet.

        Args:
            window: what the pages stand before.
            services: what they work on.
            canvas: shows the image.
            verbs: the actions.
            say: shows a sentence.
        """
        self._window = window
        self._services = services
        self._canvas = canvas
        self._verbs = verbs
        self._say = say

    def handlers(self) -> dict[str, Callable[[], object]]:
        """Return what to call for each action."""
        return {}
