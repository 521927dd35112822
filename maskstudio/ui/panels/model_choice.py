"""The list to choose the model from that pre-annotates."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox

from maskstudio.session.model_store import ModelStore
from maskstudio.session.preannotation import PreAnnotator
from maskstudio.ui.model_words import choice_words, tip

_LETTERS_SEEN = 12
_OPENING = {
    Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown, Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter,
}  # fmt: skip


class ModelChoice(QComboBox):
    """Every model there is; one that is not here is downloaded and then used.

    Signals:
        models_wanted: the person asks for all about the models.
    """

    models_wanted = Signal()

    def __init__(self, annotator: PreAnnotator, store: ModelStore) -> None:
        super().__init__()
        self._annotator = annotator
        self._store = store
        self.setAccessibleName("Model")
        # The names are longer than the panel is wide; the open list shows them whole.
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(_LETTERS_SEEN)
        self.renew()
        self.activated.connect(self._on_chosen)
        store.changed.connect(self.renew)
        annotator.model_loaded.connect(self.renew)
        annotator.problem.connect(self.renew)

    def renew(self) -> None:
        """List the models, the one in use chosen."""
        self.clear()
        for model in self._store.models():
            self._add(choice_words(model), model.name, tip(model))
        used = self._annotator.model_name
        if self.findData(used) < 0:
            self._add(used.replace("\\", "/").rsplit("/", 1)[-1], used, used)
        self.addItem("Models…", None)
        self._show_used()

    def showPopup(self) -> None:
        """Open the list, as wide as its names are."""
        view = self.view()
        view.setMinimumWidth(
            view.sizeHintForColumn(0) + view.verticalScrollBar().sizeHint().width()
        )
        super().showPopup()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to others: a turn too many would load a model, or download one."""
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open the list rather than walk through it, for the same reason."""
        if event.key() in _OPENING:
            self.showPopup()
        else:
            event.ignore()

    def _add(self, words: str, name: str, words_of_tip: str) -> None:
        self.addItem(words, name)
        self.setItemData(self.count() - 1, words_of_tip, Qt.ItemDataRole.ToolTipRole)

    def _show_used(self) -> None:
        self.setCurrentIndex(self.findData(self._annotator.model_name))
        self.setToolTip(f"The model that pre-annotates: {self._annotator.model_name}")

    def _on_chosen(self, row: int) -> None:
        name = self.itemData(row)
        if name is None:
            self._show_used()
            self.models_wanted.emit()
        elif name != self._annotator.model_name:
            self._store.choose(name)
            if self._store.downloading == name:
                # Until it is here the one before goes on.
                self._show_used()
