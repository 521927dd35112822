"""Training in the window: what is opened for it, and its quiet line; loaded when it is needed."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMessageBox, QToolButton, QWidget

from maskstudio.storage.places import FOLDER_NAME
from maskstudio.ui.services import Services

if TYPE_CHECKING:
    from maskstudio.session.training import Training

_FOLDER = "training"
_PATIENCE = 20.0
"""Seconds that the process of a training gets to write its checkpoint when the window closes."""
_LEAVE = (
    "Training is under way. Close now, and it keeps what it has learned: open this folder again, "
    "and Train… goes on from there."
)


class TrainingPages:
    """The dialog, the page of a run, and the line in the status bar."""

    def __init__(
        self,
        window: QWidget,
        services: Services,
        say: Callable[[str], object],
        compare: Callable[[str], object],
    ) -> None:
        """Load nothing yet.

        Args:
            window: what they stand before.
            services: what they work on.
            say: shows a sentence.
            compare: compares a new model, by its path, with the one in use.
        """
        self._window = window
        self._services = services
        self._line: QToolButton | None = None
        self._say = say
        self._compare = compare
        self._training: Training | None = None
        self._news = ""
        services.session.opened.connect(self._on_opened)

    def handlers(self) -> dict[str, Callable[[], object]]:
        """Return what to call for each action."""
        return {"train": self._train}

    def tell_in(self, line: QToolButton) -> None:
        """Say in this button where a training is; it opens the page."""
        self._line = line
        line.clicked.connect(self.watch)

    def watch(self) -> None:
        """Show the page of the latest run."""
        from maskstudio.ui.dialogs.training_watch import show_watch

        self._news = ""
        show_watch(self._services, self._made(), self._window, self._compare, self._ask)
        self._renew()

    def may_close(self) -> bool:
        """Have a training end before the window does, if the person agrees; else it stays."""
        training = self._training
        if training is None or not training.running:
            return True
        box = QMessageBox(
            QMessageBox.Icon.Question, "Training is under way", _LEAVE, parent=self._window
        )
        close = box.addButton("Close", QMessageBox.ButtonRole.AcceptRole)
        stay = box.addButton("Keep training", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(stay)
        box.exec()
        if box.clickedButton() is not close:
            return False
        # Nobody need look at a window that waits for a file to be written.
        self._window.hide()
        training.let_go(_PATIENCE)
        return True

    def _train(self) -> None:
        """Show the run there is, or ask what to train."""
        training = self._made()
        if training.running or training.offered or training.elsewhere:
            self.watch()
        else:
            self._ask()

    def _ask(self) -> None:
        from maskstudio.ui.dialogs.training import show_training

        if self._services.session.database is not None:
            show_training(self._services, self._made(), self._window, self.watch)

    def _made(self) -> "Training":
        if self._training is None:
            from maskstudio.session.training import Training

            services = self._services
            training = Training(services.session, services.tasks, services.command, self._window)
            training.changed.connect(self._renew)
            training.changed.connect(self._let_learning_rest)
            training.progressed.connect(self._renew)
            training.left.connect(self._say)
            training.finished.connect(self._on_finished)
            training.failed.connect(self._on_failed)
            self._training = training
        return self._training

    def _on_opened(self) -> None:
        """Look for a run that was not finished, where there was any at all."""
        self._news = ""
        folder = self._services.session.folder
        if folder is not None and (folder / FOLDER_NAME / _FOLDER).is_dir():
            self._made()

    def _renew(self) -> None:
        from maskstudio.ui.dialogs.training_words import status_words

        if self._line is not None and self._training is not None:
            words = status_words(self._training) or self._news
            self._line.setText(words)
            self._line.setVisible(bool(words))

    def _let_learning_rest(self) -> None:
        """Leave the processor to the training: two that learn at once take twice as long."""
        training = self._training
        if training is not None:
            self._services.learning.rest("training", on=training.working)

    def _on_finished(self, model: str) -> None:
        self._services.models.changed.emit()
        self._tell(
            "Training done: compare",
            f"The training is done: {Path(model).stem} is among the models. Compare it with the "
            "one in use: click on it in the status bar.",
        )

    def _on_failed(self, sentence: str) -> None:
        self._tell("Training failed", f"The training ended: {sentence}")

    def _tell(self, line: str, sentence: str) -> None:
        """Say that it came to an end, where nobody is looking; it takes no keys from the work."""
        from maskstudio.ui.dialogs.training_watch import TrainingWatch

        if any(page.isVisible() for page in self._window.findChildren(TrainingWatch)):
            return
        self._news = line
        self._say(sentence)
        self._renew()
