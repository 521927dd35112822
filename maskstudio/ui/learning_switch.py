"""The actions that have the model learn from the work, and leave away what it has learned."""

from collections.abc import Callable

from maskstudio.session.learning import Learning
from maskstudio.session.model_store import ModelStore
from maskstudio.ui.actions import Actions


class LearningSwitch:
    """Does what they say, and has them say what is done."""

    def __init__(self, verbs: Actions, learning: Learning, store: ModelStore) -> None:
        self._verbs = verbs
        self._learning = learning
        learning.changed.connect(self._show)
        # What was learned is a model of its own, to be chosen from the list like any other.
        learning.saved.connect(store.changed)

    def handlers(self) -> dict[str, Callable[[], object]]:
        """Return what to call for each action."""
        return {"learn": self._switch, "start_model": self._learning.back_to_start}

    def _switch(self) -> None:
        self._learning.switch(on=self._verbs["learn"].isChecked())

    def _show(self) -> None:
        self._verbs["learn"].setChecked(self._learning.on)
