"""A studio with somebody who asks the model."""

from collections.abc import Callable
from functools import partial

from pytestqt.qtbot import QtBot

from maskstudio.annotation.annotation import Annotation, Category
from maskstudio.annotation.segmentation import Box
from maskstudio.session import category_operations
from maskstudio.session.prompting import Prompter
from support.fakes import disc_detections
from support.studio import Studio

BOX: Box = (20.0, 15.0, 70.0, 60.0)
OTHER: Box = (5.0, 5.0, 40.0, 40.0)
KINDS = tuple(Category(n, name) for n, name in enumerate(("cell", "debris", "scratch"), 1))


class Desk:
    """A studio with somebody who asks the model.

    Attributes:
        chosen: the category in use.
        told: every sentence of the prompter so far.
    """

    def __init__(self, studio: Studio, qtbot: QtBot) -> None:
        self.studio, self.session, self.model = studio, studio.session, studio.model
        self.chosen: int | None = None
        self.told: list[str] = []
        self._qtbot = qtbot
        self.prompter = Prompter(
            studio.session, studio.tasks, studio.annotator, lambda: self.chosen, lambda _: ()
        )
        self.prompter.told.connect(self.told.append)

    def until(self, condition: Callable[[], object]) -> None:
        """Let the program work until a condition holds."""
        self._qtbot.waitUntil(lambda: bool(condition()))

    def answered(self) -> None:
        """Wait until nothing waits for the model."""
        self.until(lambda: not self.prompter.waiting)

    def ask(self, box: Box = BOX) -> None:
        """Ask about a box and wait for the answer."""
        self.prompter.ask(box)
        self.answered()

    def hold(self) -> None:
        """Have the model look at an image until it is released."""
        self.model.hold.set()

    def release(self) -> None:
        """Let the model go on."""
        self.model.release.set()

    @property
    def annotations(self) -> list[Annotation]:
        """What stands on the current image."""
        return list(self.session.annotations.values())

    def knows(self, *categories: Category) -> None:
        """Give the model these categories."""
        self.model.categories = categories
        self.model.detect = partial(disc_detections, categories=categories)

    def add_categories(self, *names: str) -> list[int]:
        """Give the project categories; return their ids."""
        made = [category_operations.add_category(self.session, name) for name in names]
        return [category.id for category in made if category is not None]

    def name(self, annotation: Annotation) -> str:
        """Return the name of an annotation's category."""
        return self.session.category(annotation.category_id).name
