"""Opens the quality page below the image; all it needs is loaded when it is first asked for."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QWidget

from maskstudio.ui.canvas.canvas import Canvas
from maskstudio.ui.services import Services

if TYPE_CHECKING:
    from maskstudio.session.auditing import Auditing
    from maskstudio.session.quality import Quality
    from maskstudio.ui.finding_walk import FindingWalk
    from maskstudio.ui.panels.quality import QualityPanel

_SHARES = (400, 220)


class QualityPages:
    """The page, and the walk through what it lists, which needs no page to be open.

    Attributes:
        column: the canvas, and below it the page while it is open.
    """

    def __init__(
        self,
        services: Services,
        canvas: Canvas,
        say: Callable[[str], object],
        made: Callable[[QWidget, QWidget], object],
    ) -> None:
        """Load nothing yet.

        Args:
            services: the open project, the lanes and the model.
            canvas: shows the image.
            say: given what the walk has to say.
            made: told of the page once there is one, and which of its controls gets the focus.
        """
        self._services = services
        self._canvas = canvas
        self._say = say
        self._made = made
        self._rooms: tuple[Quality, FindingWalk, Auditing] | None = None
        self._page: QualityPanel | None = None
        self._open = False
        self.column = QSplitter(Qt.Orientation.Vertical)
        self.column.addWidget(canvas)
        self.column.setHandleWidth(3)
        self.column.setChildrenCollapsible(False)

    def handlers(self) -> dict[str, Callable[[], object]]:
        """Return what to call for each action."""
        return {
            "quality": self._show,
            "audit": self._ask,
            "next_finding": lambda: self._step(1),
            "previous_finding": lambda: self._step(-1),
        }

    def fold(self, folded: bool) -> None:
        """Leave only the image, or bring the page back if it was open."""
        if self._page is not None:
            self._page.setVisible(self._open and not folded)

    def _show(self) -> None:
        """Open the page; the first time the project is checked."""
        quality, *_ = self._made_rooms()
        page = self._made_page()
        self._open = quality.watched = True
        page.show()
        page.list.setFocus()
        if not quality.checked:
            quality.start()

    def _ask(self) -> None:
        """Open the page and ask the model about what is verified."""
        self._show()
        *_, auditing = self._made_rooms()
        auditing.start()

    def _close(self) -> None:
        quality, *_ = self._made_rooms()
        self._open = quality.watched = False
        self._made_page().hide()
        self._canvas.setFocus()

    def _step(self, by: int) -> None:
        quality, walk, _ = self._made_rooms()
        if quality.checked:
            walk.step(by)
        else:
            self._show()

    def _made_rooms(self) -> "tuple[Quality, FindingWalk, Auditing]":
        if self._rooms is None:
            from maskstudio.session.auditing import Auditing
            from maskstudio.session.quality import Quality
            from maskstudio.ui.finding_walk import FindingWalk

            services, session = self._services, self._services.session
            quality = Quality(session, services.tasks)
            walk = FindingWalk(session, quality, self._canvas, self._say)
            model = services.annotator, services.filtering
            self._rooms = quality, walk, Auditing(session, services.tasks, *model, quality)
        return self._rooms

    def _made_page(self) -> "QualityPanel":
        if self._page is None:
            from maskstudio.ui.panels.quality import QualityPanel

            self._page = page = QualityPanel(self._services.session, *self._made_rooms())
            page.closed.connect(self._close)
            self.column.addWidget(page)
            self.column.setStretchFactor(0, 1)
            self.column.setSizes(list(_SHARES))
            self._made(page, page.list)
        return self._page
