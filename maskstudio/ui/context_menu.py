"""The menus of the right mouse button: on annotations, and on empty ground."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

from maskstudio.session.session import Session
from maskstudio.ui.actions import Actions
from maskstudio.ui.panels.annotation_model import colour_icon

_ON_ANNOTATIONS = (
    "zoom_selection", None,
    "hide_selected", "lock", "to_front", "to_back", "crowd", "properties", None,
    "unite", "subtract", "intersect", "merge_parts", "split_parts", "fill_holes", "trim",
    "simplify", "outline_boxes", None,
    "copy", "duplicate", "copy_to_next", None,
    "delete",
)  # fmt: skip
_ON_GROUND = ("paste", "select_all", "show_hidden", None, "fit", None, "verify")
# Of these there are many, and most need a selection of their own kind.
_IF_POSSIBLE = {
    "unite", "subtract", "intersect", "merge_parts", "split_parts", "fill_holes", "trim",
    "outline_boxes",
}  # fmt: skip


class ContextMenu(QMenu):
    """The actions that have to do with what was clicked; it goes when it is closed."""

    def __init__(
        self,
        window: QWidget,
        session: Session,
        actions: Actions,
        use_category: Callable[[int], object],
        *,
        on_annotations: bool,
    ) -> None:
        """Fill the menu.

        Args:
            window: what it belongs to.
            session: the open project.
            actions: all that can be done.
            use_category: gives the selection the category with an id.
            on_annotations: it is about what is selected; else about the image.
        """
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if on_annotations:
            self._add_categories(session, use_category)
        self._add(_ON_ANNOTATIONS if on_annotations else _ON_GROUND, actions)

    def _add_categories(self, session: Session, use_category: Callable[[int], object]) -> None:
        menu = self.addMenu("&Category")
        worn = {annotation.category_id for annotation in session.selected()}
        for place, category in enumerate(session.categories, 1):
            # The digit is that of its key, and chooses it in the open menu too.
            digit = f"&{place}   " if place <= 9 else ""
            action = menu.addAction(
                colour_icon(category.shown_colour), digit + category.name.replace("&", "&&")
            )
            action.setCheckable(True)
            action.setChecked(worn == {category.id})
            action.triggered.connect(lambda *_, chosen=category.id: use_category(chosen))

    def _add(self, names: Iterable[str | None], actions: Actions) -> None:
        for name in names:
            if name is None:
                self.addSeparator()
            elif name not in _IF_POSSIBLE or actions[name].isEnabled():
                self.addAction(actions[name])
