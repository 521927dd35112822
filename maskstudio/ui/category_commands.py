"""What is done to the categories of the panel, and what is asked of the person for it."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog, QInputDialog, QWidget

from maskstudio.session import category_operations
from maskstudio.session.preannotation import PreAnnotator
from maskstudio.session.session import Session
from maskstudio.session.tasks import Tasks
from maskstudio.ui.panels.categories import CategoriesPanel


class CategoryCommands:
    """Changes the categories that are selected in the panel."""

    def __init__(
        self,
        session: Session,
        tasks: Tasks,
        annotator: PreAnnotator,
        panel: CategoriesPanel,
        window: QWidget,
    ) -> None:
        self._session = session
        self._tasks = tasks
        self._annotator = annotator
        self._panel = panel
        self._window = window
        panel.renamed.connect(self._rename)
        panel.moved.connect(self._move)
        panel.hiding.connect(lambda category_id: self._hide_or_show([category_id]))
        panel.colour_wanted.connect(self._ask_colour)
        panel.delete_wanted.connect(self._ask_delete)

    def handlers(self) -> dict[str, Callable[[], object]]:
        """Return what to call for each action."""
        session, panel = self._session, self._panel
        return {
            "category_up": lambda: self._step(-1),
            "category_down": lambda: self._step(1),
            "hide_category": lambda: self._hide_or_show(panel.chosen_ids),
            "only_category": lambda: category_operations.show_only(session, panel.chosen_ids),
            "show_categories": lambda: category_operations.set_categories_hidden(
                session, [c.id for c in session.categories], hidden=False
            ),
            "merge_category": self._ask_merge,
        }

    def _rename(self, category_id: int, name: str) -> None:
        category_operations.rename_category(self._session, category_id, name)

    def _move(self, category_id: int, place: int) -> None:
        category_operations.move_category(self._session, category_id, place)

    def _step(self, by: int) -> None:
        """Move the first of the selected categories up or down."""
        chosen = self._panel.chosen_ids
        if chosen:
            ids = [category.id for category in self._session.categories]
            self._move(chosen[0], ids.index(chosen[0]) + by)

    def _hide_or_show(self, category_ids: Sequence[int]) -> None:
        """Hide categories; show them if they are hidden, all of them."""
        session = self._session
        hidden = not all(session.category(i).hidden for i in category_ids)
        category_operations.set_categories_hidden(session, category_ids, hidden=hidden)

    def _ask_colour(self, category_id: int) -> None:
        session, category = self._session, self._session.category(category_id)
        dialog = QColorDialog(QColor(category.shown_colour), self._window)
        dialog.setWindowTitle(f"Colour of {category.name}")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.colorSelected.connect(
            lambda colour: category_operations.recolour_category(
                session, category_id, colour.name()
            )
        )
        dialog.open()

    def _ask_delete(self, category_id: int) -> None:
        """Ask what the annotations of a category get, where it has any, and delete it."""
        session = self._session
        name = session.category(category_id).name
        others = {c.name: c.id for c in session.categories if c.id != category_id}
        if not session.require_database().category_uses([category_id]).annotations:
            category_operations.delete_category(session, category_id)
        elif not others:
            session.problem.emit(f"{name!r} is in use and the only category; add another first.")
        else:
            self._ask_into("Delete", [category_id], others)

    def _ask_merge(self) -> None:
        """Ask into which category the selected ones go: one of them, or another if it is one."""
        session, chosen = self._session, self._panel.chosen_ids
        several = len(chosen) > 1
        into = {c.name: c.id for c in session.categories if (c.id in chosen) is several}
        if chosen and into:
            self._ask_into("Merge", chosen, into)

    def _ask_into(self, verb: str, category_ids: Sequence[int], into: dict[str, int]) -> None:
        session = self._session
        names = ", ".join(session.category(i).name for i in category_ids)
        uses = session.require_database().category_uses(category_ids)
        count = f"{uses.annotations:,} (images: {uses.images:,})"
        dialog = QInputDialog(self._window)
        dialog.setWindowTitle(f"{verb} {names}")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setLabelText(f"Annotations of {names}: {count}. They become:")
        dialog.setComboBoxItems(list(into))
        dialog.setOkButtonText(verb)
        title = f"Delete category {names}" if verb == "Delete" else ""
        dialog.textValueSelected.connect(
            lambda name: self._merge(category_ids, into[name], title=title)
        )
        dialog.open()

    def _merge(self, category_ids: Sequence[int], into_id: int, *, title: str) -> None:
        session = self._session
        known = {category.id for category in session.categories}
        if self._annotator.running:
            session.problem.emit("The model is running: merge when it is done, or cancel it.")
        elif {*category_ids, into_id} <= known:
            # Else one went while the question was open.
            category_operations.merge_categories(session, self._tasks, category_ids, into_id, title)
