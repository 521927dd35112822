"""Opens the page that compares models, and shows what another model changed; loaded when asked."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from maskstudio.ui.actions import Actions
from maskstudio.ui.canvas.canvas import Canvas
from maskstudio.ui.services import Services

if TYPE_CHECKING:
    from maskstudio.session.comparing import Comparing
    from maskstudio.session.reannotation import Reannotation
    from maskstudio.ui.blink_view import BlinkView


class ComparingPages:
    """The page of two models side by side, the run that follows it, and the look at the past."""

    def __init__(
        self,
        window: QWidget,
        services: Services,
        canvas: Canvas,
        verbs: Actions,
        say: Callable[[str], object],
    ) -> None:
        """Load nothing yet; the arguments are those of `LearningPages`."""
        self._window = window
        self._services = services
        self._canvas = canvas
        self._verbs = verbs
        self._say = say
        self._rooms: tuple[Comparing, Reannotation] | None = None
        self._blink: BlinkView | None = None

    def handlers(self) -> dict[str, Callable[[], object]]:
        """Return what to call for each action."""
        return {
            "compare": self.compare,
            "predict_again": self._predict_again,
            "show_before": lambda: self._made_blink().switch(),
            "next_changed": lambda: self._made_blink().step(1),
            "previous_changed": lambda: self._made_blink().step(-1),
        }

    def compare(self, model: str | None = None) -> None:
        """Open the page; compare a model, by name or path, with the one in use at once."""
        from maskstudio.ui.dialogs.comparing import show_comparing

        if self._services.session.database is not None:
            page = show_comparing(self._services, *self._made_rooms(), self._say, self._window)
            if model is not None:
                page.compare(model)

    def _predict_again(self) -> None:
        _, again = self._made_rooms()
        if not again.images():
            self._say("There is no image with anything on it that nobody has touched.")
        again.start()

    def _on_began(self, images: int) -> None:
        these = "1 image is" if images == 1 else f"{images:,} images are"
        self._say(
            f"{these} predicted again.  ·  {{show_before}}: what was before  ·  {{next_changed}}: "
            "next changed image"
        )

    def _made_rooms(self) -> "tuple[Comparing, Reannotation]":
        if self._rooms is None:
            from maskstudio.session.comparing import Comparing
            from maskstudio.session.reannotation import Reannotation

            s = self._services
            comparing = Comparing(s.session, s.tasks, s.command, self._window)
            again = Reannotation(s.session, s.annotator, s.models, self._window)
            again.began.connect(self._on_began)
            # Both would want all cores; a person waits for this one.
            comparing.changed.connect(lambda: s.learning.rest("comparing", on=comparing.running))
            self._rooms = comparing, again
        return self._rooms

    def _made_blink(self) -> "BlinkView":
        if self._blink is None:
            from maskstudio.session.past import PastFinding
            from maskstudio.ui.blink_view import BlinkView

            session = self._services.session
            finding = PastFinding(session, self._services.tasks, self._window)
            self._blink = BlinkView(
                self._window, session, finding, self._canvas, self._verbs, self._say
            )
        return self._blink
