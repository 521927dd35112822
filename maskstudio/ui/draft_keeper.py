"""Between the tool in hand and the unfinished outlines: kept at each click, brought back later."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Signal

from maskstudio.annotation.draft import Draft
from maskstudio.session.drafts import Drafts
from maskstudio.session.session import Session
from maskstudio.ui.panels.categories import CategoriesPanel
from maskstudio.ui.tools.pointer_input import PointerInput

BROUGHT_BACK = (
    "An unfinished outline was brought back  ·  {finish} finishes it  ·  {escape} drops it"
)
"""What a person is told, with the keys in the place of their names."""

KEPT = "The unfinished outline is kept  ·  %s takes it up again"
"""The same, when another tool is taken in the middle of one; with the key of its own, in braces."""


class DraftKeeper(QObject):
    """Keeps the outline in hand; it is in hand again with its tool, or when its image is shown.

    Signals:
        brought_back: an outline is in hand that was begun before.
    """

    brought_back = Signal()

    def __init__(
        self,
        session: Session,
        drafts: Drafts,
        pointer_input: PointerInput,
        categories: CategoriesPanel,
        tools: Mapping[str, Callable[[], None]],
    ) -> None:
        """Watch the tool in hand.

        Args:
            session: the open project.
            drafts: where unfinished outlines are kept.
            pointer_input: knows the tool in hand; it hears of another image before this does.
            categories: tells what is drawn in.
            tools: by name, what puts a tool in hand.
        """
        super().__init__(pointer_input)
        self._session = session
        self._drafts = drafts
        self._input = pointer_input
        self._categories = categories
        self._tools = tools
        pointer_input.draft_changed.connect(self._keep)
        pointer_input.taken.connect(self._take_up)
        categories.current_changed.connect(self._keep)
        session.current_changed.connect(self._bring_back)

    def _keep(self) -> None:
        current, tool = self._session.current, self._input.tool
        if current is None:
            return
        if tool.draft:
            draft = Draft(tool.name, self._categories.current, tool.draft, tool.draft_ends)
            self._drafts.keep(current.id, draft)
        else:
            self._drafts.drop(current.id, tool.name)

    def _bring_back(self) -> None:
        current = self._session.current
        draft = None if current is None else self._drafts.of(current.id)
        if draft is None or draft.tool not in self._tools:
            return
        self._tools[draft.tool]()

    def _take_up(self) -> None:
        """Go on with what the tool in hand has not finished on this image."""
        current, tool = self._session.current, self._input.tool
        draft = None if current is None else self._drafts.by(current.id, tool.name)
        if draft is None or tool.draft:
            return
        self._input.resume(draft.points, draft.ends)
        if draft.category_id in [category.id for category in self._session.categories]:
            self._categories.choose(draft.category_id)
        self.brought_back.emit()
