"""The names a model learns by: those of its own categories, and new ones of the project's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.category_map import (
    IGNORED,
    CategoryMap,
    Goal,
    Rule,
    RuleChange,
    destinations,
)


@dataclass(frozen=True)
class LearningNames:
    """What the categories of a model, and of what it has learned, are in a project.

    Attributes:
        project: the project's categories.
        start: what was decided about the model's.
        learned: what was decided about those of what it has learned; the model's own decisions
            count there until there are others.
    """

    project: tuple[Category, ...]
    start: CategoryMap
    learned: CategoryMap

    def new(self, of_model: Sequence[Category]) -> list[str]:
        """Return the names that a model has to learn: what none of its categories goes to."""
        reached = {int(i) for i in destinations(self.start, of_model, self.project)}
        return [category.name for category in self.project if category.id not in reached]

    def taught(self, of_learner: Sequence[Category]) -> dict[int, str]:
        """Return by which name of a learner's each of the project's categories is taught."""
        names: dict[int, str] = {}
        project = {category.id: category.name for category in self.project}
        goes_to = destinations(self.after(of_learner), of_learner, self.project)
        for category, where in zip(of_learner, goes_to.tolist(), strict=True):
            if where in project and (where not in names or category.name == project[where]):
                names[where] = category.name
        return names

    def shown(self, map_: CategoryMap, of_model: Sequence[Category]) -> list[str | None]:
        """Return what the project calls each of a model's categories; None for what is ignored."""
        project = {category.id: category.name for category in self.project}
        goes_to = destinations(map_, of_model, self.project).tolist()
        return [
            None if where == IGNORED else project.get(where, category.name)
            for category, where in zip(of_model, goes_to, strict=True)
        ]

    def rules(self, of_learner: Sequence[Category]) -> tuple[RuleChange, ...]:
        """Return the changes after which what was learned goes where it was learned from.

        What was decided about the model counts for what it has learned; a name that it learned
        from a category of the project goes there, whatever that is called later.
        """
        ids = {category.name: category.id for category in self.project}
        changes = []
        for name in dict.fromkeys(category.name for category in of_learner):
            rule = self.start.rules.get(name)
            if rule is None and name in ids:
                rule = Rule(Goal.CATEGORY, ids[name])
            if rule is not None and name not in self.learned.rules:
                changes.append(self.learned.change(name, rule))
        return tuple(changes)

    def after(self, of_learner: Sequence[Category]) -> CategoryMap:
        """Return the map of what was learned as it is after `rules`."""
        return self.learned.changed(self.rules(of_learner))
