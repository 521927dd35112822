"""What the model learns from the work, in the window: opens its pages when they are asked for."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from maskstudio.ui.actions import Actions
from maskstudio.ui.canvas.canvas import Canvas
from maskstudio.ui.comparing_pages import ComparingPages
from maskstudio.ui.learning_switch import LearningSwitch
from maskstudio.ui.panels.images import ImagesPanel
from maskstudio.ui.queue_pages import QueuePages
from maskstudio.ui.services import Services
from maskstudio.ui.training_pages import TrainingPages


class LearningPages:
    """Training, comparing, the queue and the account of what it pays; each loaded when opened."""

    def __init__(
        self,
        window: QWidget,
        services: Services,
        canvas: Canvas,
        verbs: Actions,
        say: Callable[[str], object],
        images: ImagesPanel,
    ) -> None:
        """Load nothing yet.

        Args:
            window: what the pages stand before.
            services: what they work on.
            canvas: shows the image.
            verbs: the actions.
            say: shows a sentence.
            images: the panel with the list.
        """
        self._window = window
        self._services = services
        self._canvas = canvas
        self._verbs = verbs
        self._say = say
        self._queue = QueuePages(services, images)
        self._comparing = ComparingPages(window, services, canvas, verbs, say)
        self._switch = LearningSwitch(verbs, services.learning, services.models)
        self.training = TrainingPages(window, services, say, self._comparing.compare)

    def handlers(self) -> dict[str, Callable[[], object]]:
        """Return what to call for each action."""
        own = {"payoff": self._show_payoff} | self._switch.handlers()
        return own | self._comparing.handlers() | self._queue.handlers() | self.training.handlers()

    def _show_payoff(self) -> None:
        from maskstudio.ui.dialogs.payoff import show_payoff

        show_payoff(self._services.session, self._services.tasks, self._window)
