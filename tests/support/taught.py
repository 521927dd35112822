"""Somebody who labels in front of a model that learns, without a window."""

from pathlib import Path

from pytestqt.qtbot import QtBot

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.detections import Detections
from maskstudio.session import operations
from maskstudio.session.learning import Learning
from support.fakes import BOXES, disc_detections
from support.learners import After, LearningPredictor
from support.pictures import write_picture
from support.studio import Studio

COUNT = 8
"""Pictures there are."""


def one_disc(size: tuple[int, int], model_id: str, known: tuple[Category, ...]) -> Detections:
    """What is right: the model finds one disc too many before it has learned."""
    return disc_detections(size, BOXES[:1], (0.95,), model_id, categories=known)


def many_discs(size: tuple[int, int], model_id: str, known: tuple[Category, ...]) -> Detections:
    """What is worse than what the model found before it learned."""
    discs = [(x, y, x + 15, y + 15) for x in range(10, 80, 17) for y in (40, 57)]
    return disc_detections(size, discs, [0.9] * len(discs), model_id, categories=known)


def write_pictures(folder: Path) -> Path:
    """Write `COUNT` pictures, `0.png` and so on, and return their folder."""
    for name in pictures(COUNT):
        write_picture(folder / name, 80, 100)
    return folder


def pictures(count: int, start: int = 0) -> list[str]:
    """Return the names of pictures."""
    return [f"{n}.png" for n in range(start, start + count)]


class Labeler(Studio):
    """Corrects what the model finds.

    Attributes:
        model: it learns.
        learning: has it learn.
    """

    model: LearningPredictor

    def __init__(self, qtbot: QtBot, after: After = one_disc) -> None:
        """Load the model; no folder is open.

        Args:
            qtbot: lets the program run until something has happened.
            after: what the model finds after learning.
        """
        model = LearningPredictor()
        model.after = after
        super().__init__(qtbot, lambda _: model)
        self.model = model
        self.learning = Learning(self.session, self.tasks, self.annotator, self.filtering)
        with qtbot.waitSignal(self.annotator.model_loaded):
            self.annotator.use_model("fake")

    def rest(self) -> None:
        """Let it learn all there is."""
        self.until(lambda: not self.learning.busy)

    def finish(self, *names: str, keep: int = 1) -> None:
        """Predict images, delete all but some of what was found, verify, and let it learn."""
        for name in names:
            self.show(name)
            self.predict_image()
            wrong = self.by_score(name)[keep:]
            if wrong:
                self.session.select(a.id for a in wrong)
                operations.delete_selected(self.session)
            operations.verify(self.session)
            self.rest()
