"""What a person can do to the map of a model's categories, one short function for each verb.

Each is one edit, with what it changes on the current image.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.category_map import (
    IGNORED,
    TO_MAKE,
    CategoryMap,
    Goal,
    Rule,
    destinations,
)
from maskstudio.annotation.edits import CategoryChange, Edit
from maskstudio.session.detection_filtering import DetectionFiltering
from maskstudio.session.model_lane import LoadedModel
from maskstudio.session.session import Session


class CategoryMapping:
    """The map of one model in the open project, and the verbs on it.

    They take names of the model's categories, and return False when nothing could be written.
    """

    def __init__(self, session: Session, filtering: DetectionFiltering, model: LoadedModel) -> None:
        self._session = session
        self._filtering = filtering
        self.model = model

    @property
    def names(self) -> tuple[str, ...]:
        """The model's categories, each name once."""
        return tuple(dict.fromkeys(category.name for category in self.model.categories))

    @property
    def chosen(self) -> CategoryMap:
        """What was decided."""
        return self._session.category_maps.of(self.model.model_id)

    def goes_to(self) -> dict[str, int]:
        """Return where each of the model's categories goes; see `category_map.destinations`."""
        ids = self._destinations().tolist()
        return dict(zip((c.name for c in self.model.categories), ids, strict=True))

    def send(self, names: Collection[str], category_id: int) -> bool:
        """Have what the model finds of some categories become another of the project."""
        title = f"Send {_some(names)} to {self._session.category(category_id).name}"
        return self._set(names, lambda rule: rule.to(Goal.CATEGORY, category_id), title)

    def send_to_new(self, names: Collection[str], name: str) -> bool:
        """Have them become a category that is made now, or that has this name already."""
        session, name = self._session, name.strip()
        there = [category.id for category in session.categories if category.name == name]
        if there or not name:
            return bool(there) and self.send(names, there[0])
        made = Category(session.require_database().next_category_id(), name)
        return self._set(
            names,
            lambda rule: rule.to(Goal.CATEGORY, made.id),
            f"Send {_some(names)} to {name}",
            [made],
        )

    def make(self, names: Collection[str]) -> bool:
        """Have them become the project's categories of the same names, made when first found."""
        return self._set(names, lambda rule: rule.to(Goal.NEW), f"Keep {_some(names)}")

    def ignore(self, names: Collection[str]) -> bool:
        """Leave out what the model finds of them."""
        return self._set(names, lambda rule: rule.to(Goal.IGNORE), f"Ignore {_some(names)}")

    def ignore_others(self) -> bool:
        """Leave out what goes to no category that the project has."""
        return self.ignore([name for name, i in self.goes_to().items() if i == TO_MAKE])

    def make_all(self) -> bool:
        """Leave nothing out."""
        return self.make([name for name, i in self.goes_to().items() if i == IGNORED])

    def guess(self, names: Collection[str]) -> bool:
        """Forget where they were sent: it is guessed from the names again."""
        return self._set(names, lambda rule: rule.to(Goal.GUESS), f"Guess {_some(names)}")

    def set_min_score(self, names: Collection[str], min_score: float | None) -> bool:
        """Show what is found of them from a score of their own, or from that of all."""
        title = f"Score of {_some(names)}"
        return self._set(names, lambda rule: replace(rule, min_score=min_score), title)

    def _destinations(self) -> NDArray[np.int64]:
        return destinations(self.chosen, self.model.categories, self._session.categories)

    def _set(
        self,
        names: Iterable[str],
        after: Callable[[Rule], Rule],
        title: str,
        made: Iterable[Category] = (),
    ) -> bool:
        chosen = self.chosen
        rules = [(name, chosen.rule(name), after(chosen.rule(name))) for name in names]
        changes = tuple(chosen.change(name, new) for name, old, new in rules if new != old)
        categories = tuple(CategoryChange(None, category) for category in made)
        edit = Edit(title, categories=categories, rules=changes)
        return self._filtering.apply_rules(edit) if edit else True


def _some(names: Collection[str]) -> str:
    few: Iterator[str] = iter(names)
    return next(few) if len(names) == 1 else f"{len(names)} categories"
