"""What the menu of a category does, and what is asked of the person for it."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog, QInputDialog, QWidget

from maskstudio.session import category_operations
from maskstudio.session.session import Session
from maskstudio.ui.panels.categories import CategoriesPanel


class CategoryCommands:
    """Renames, recolours and deletes the categories of the panel."""

    def __init__(self, session: Session, panel: CategoriesPanel, window: QWidget) -> None:
        self._session = session
        self._window = window
        panel.renamed.connect(self._rename)
        panel.colour_wanted.connect(self._ask_colour)
        panel.delete_wanted.connect(self._ask_delete)

    def _rename(self, category_id: int, name: str) -> None:
        category_operations.rename_category(self._session, category_id, name)

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
        uses = session.require_database().category_uses(category_id)
        name = session.category(category_id).name
        others = {c.name: c.id for c in session.categories if c.id != category_id}
        if not uses:
            category_operations.delete_category(session, category_id)
        elif not others:
            session.problem.emit(f"{name!r} is in use and the only category; add another first.")
        else:
            count = f"{sum(uses.values()):,} (images: {len(uses):,})"
            dialog = QInputDialog(self._window)
            dialog.setWindowTitle(f"Delete {name}")
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.setLabelText(f"Annotations of {name}: {count}. They become:")
            dialog.setComboBoxItems(list(others))
            dialog.setOkButtonText("Delete")
            dialog.textValueSelected.connect(
                lambda into: category_operations.delete_category(session, category_id, others[into])
            )
            dialog.open()
