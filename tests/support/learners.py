"""A model that learns, for tests: what it finds after learning is what the test says."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.detections import Detections, Learner, Predictor
from maskstudio.annotation.learning import LearnReport, Truth
from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from support.fakes import FakePredictor, disc_detections
from support.gates import Gate

After = Callable[[tuple[int, int], str, tuple[Category, ...]], Detections]
"""Makes the detections of what was learned: of the size of an image, the id and the categories."""

STEPS = 5
"""Steps that an image is worth."""


class LearningPredictor(FakePredictor):
    """Finds the usual discs, and after learning what `after` says.

    Attributes:
        after: what it finds after learning.
        learners: those that were made, the last one last.
        why_not_learning: empty, or why there is no learner.
    """

    def __init__(self, model_id: str = "fake") -> None:
        super().__init__(model_id)
        self.why_not_learning = ""
        self.learners: list[FakeLearner] = []
        self.after: After = lambda size, own, known: disc_detections(
            size, model_id=own, categories=known
        )

    def learner(self, names: Sequence[str], folder: Path) -> Learner | None:
        if self.why_not_learning:
            return None
        self.learners.append(FakeLearner(self, names, folder))
        return self.learners[-1]


class FakeLearner:
    """Remembers in a folder, as the real one does, and counts its steps.

    Attributes:
        truths: what it was taught, by image, in this session.
        taught: the images, in the order in which they came.
        gate: while there is one, every step waits at it.
        fails: a sentence that `remember` is to fail with.
    """

    def __init__(self, base: LearningPredictor, names: Sequence[str], folder: Path) -> None:
        self.base = base
        known = [category.name for category in base.categories]
        new = [name for name in names if name not in known]
        last = max(category.id for category in base.categories)
        made = (Category(last + n, name) for n, name in enumerate(new, 1))
        self.categories = (*base.categories, *made)
        self.truths: dict[int, list[Truth]] = {}
        self.taught: list[int] = []
        self.steps = 0
        self.gate: Gate | None = None
        self.fails = ""
        self._worth = 0
        self._file = folder / "remembered.json"

    @property
    def remembered(self) -> frozenset[int]:
        return frozenset(json.loads(self._file.read_text())) if self._file.exists() else frozenset()

    @property
    def due(self) -> int:
        return max(0, self._worth - self.steps) if self.remembered else 0

    def remember(
        self, image_id: int, image: NDArray[np.uint8], truth: Sequence[Truth], context: TaskContext
    ) -> None:
        del image
        context.raise_if_cancelled()
        if self.fails:
            raise UserError(self.fails)
        known = {category.name for category in self.categories}
        if not {one.category for one in truth} <= known:
            raise ValueError("unknown category")
        self.truths[image_id] = list(truth)
        self.taught.append(image_id)
        self._worth = self.steps + STEPS
        self._keep(self.remembered | {image_id})

    def forget(self, image_id: int) -> None:
        self.truths.pop(image_id, None)
        self._keep(self.remembered - {image_id})

    def learn(self, seconds: float, context: TaskContext) -> LearnReport:
        del seconds
        made = 0
        while self.due:
            context.raise_if_cancelled()
            if self.gate is not None:
                self.gate(context)
            self.steps += 1
            made += 1
        return LearnReport(made, 0.5, len(self.remembered), 10.0, self.due)

    def predictor(self, model_id: str) -> Predictor:
        made, base, known = FakePredictor(model_id), self.base, self.categories
        made.categories = known
        made.calls = base.calls
        made.detect = lambda size: base.after(size, model_id, known)
        return made

    def save(self, path: Path, name: str) -> None:
        if path.exists():
            raise UserError("the file is there")
        names = [category.name for category in self.categories]
        path.write_text(json.dumps({"name": name, "steps": self.steps, "names": names}))

    def take_up(self, path: Path) -> bool:
        self.steps = self._worth = json.loads(path.read_text())["steps"]
        return True

    def _keep(self, ids: frozenset[int]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps(sorted(ids)))
