"""The queue of what to label next, in the window: made when the list is first ordered by it."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from maskstudio.session.image_order import SortKey
from maskstudio.ui.panels.images import ImagesPanel
from maskstudio.ui.services import Services

if TYPE_CHECKING:
    from maskstudio.session.queueing import Queueing


class QueuePages:
    """Watches the order of the list; what the queue needs is loaded when it is wanted."""

    def __init__(self, services: Services, images: ImagesPanel) -> None:
        """Load nothing yet.

        Args:
            services: what it works on.
            images: the panel with the list.
        """
        self._services = services
        self._images = images
        self._queueing: Queueing | None = None
        self._shown = False
        services.session.order.renewed.connect(self._on_order)

    def handlers(self) -> dict[str, Callable[[], object]]:
        """Return what to call for each action."""
        return {"what_next": self._show}

    def _show(self) -> None:
        """Order the list by what teaches most; where that is known, go to what comes first."""
        session, queueing = self._services.session, self._made()
        order = session.order
        order.ask(replace(order.query, sort=SortKey.TEACHING, descending=False))
        if queueing.outdated or not order.queue:
            queueing.start()
        elif order.shown:
            session.show(order.shown[0])

    def _on_order(self) -> None:
        before, order = self._shown, self._services.session.order
        self._shown = order.query.sort is SortKey.TEACHING
        if self._shown and not before and not order.queue:
            self._made().start()

    def _made(self) -> "Queueing":
        if self._queueing is None:
            from maskstudio.session.queueing import Queueing
            from maskstudio.ui.panels.queue_bar import QueueBar

            services = self._services
            self._queueing = queueing = Queueing(
                services.session, services.tasks, services.annotator, services.filtering
            )
            queueing.problem.connect(services.notifications.problem)
            self._images.add_above_list(QueueBar(services.session, queueing, self._images))
        return self._queueing
