"""What becomes of each of a model's categories in a project.

A model knows its own categories by name (COCO's 80, say), a project has its own. The map holds what
a person decided; what nobody decided is guessed from the names, and what has no like in the project
is made when the model first finds one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from maskstudio.annotation.annotation import Category
from maskstudio.later import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TO_MAKE = 0
"""Stands for a category the project does not have yet; no category has this id."""

IGNORED = -1
"""Stands for no category: what the model finds of this one is left out."""

# Names of the same things, nothing wider or narrower; in the form `_key` gives them.
_SYNONYMS = tuple(
    frozenset(group.split())
    for group in (
        "person people human",
        "bicycle bike",
        "motorcycle motorbike",
        "airplane aeroplane plane aircraft",
        "couch sofa",
        "tv television tvmonitor",
        "cellphone mobilephone smartphone",
        "donut doughnut",
        "hairdrier hairdryer",
        "refrigerator fridge",
        "nucleus nuclei",
    )
)


class Goal(StrEnum):
    """Where what the model finds of a category goes."""

    GUESS = "guess"
    CATEGORY = "category"
    NEW = "new"
    IGNORE = "ignore"


@dataclass(frozen=True)
class Rule:
    """What becomes of one of a model's categories.

    Attributes:
        goal: `GUESS` while nobody decided; `NEW` for the project's category of the model's own
            name, made when it is first needed.
        category_id: the project's category where the goal is `CATEGORY`; 0 elsewhere.
        min_score: score from which it is shown, 0 to 1; None for the one that counts for all.
    """

    goal: Goal = Goal.GUESS
    category_id: int = TO_MAKE
    min_score: float | None = None

    def __post_init__(self) -> None:
        if (self.goal is Goal.CATEGORY) != (self.category_id > 0):
            raise ValueError("a rule has a category exactly when it goes to one")
        if self.min_score is not None and not 0 <= self.min_score <= 1:
            raise ValueError("a score lies between 0 and 1")

    def to(self, goal: Goal, category_id: int = TO_MAKE) -> Rule:
        """Return it going elsewhere, from the same score."""
        return replace(self, goal=goal, category_id=category_id)


_NOT_DECIDED = Rule()


@dataclass(frozen=True)
class RuleChange:
    """One rule of a model's map before and after; None where nothing was or is decided."""

    model_id: str
    name: str
    before: Rule | None
    after: Rule | None


@dataclass(frozen=True)
class CategoryMap:
    """What was decided about the categories of one model in a project.

    Attributes:
        model_id: the model.
        rules: name of a model's category to what becomes of it; the others are guessed.
    """

    model_id: str
    rules: Mapping[str, Rule] = field(default_factory=dict)

    def rule(self, name: str) -> Rule:
        """Return what becomes of one of the model's categories."""
        return self.rules.get(name, _NOT_DECIDED)

    @property
    def category_scores(self) -> tuple[tuple[str, float], ...]:
        """Names of the model's categories that have a score of their own, with it; sorted."""
        own = ((name, rule.min_score) for name, rule in self.rules.items())
        return tuple(sorted((name, score) for name, score in own if score is not None))

    def change(self, name: str, after: Rule | None) -> RuleChange:
        """Return what would give a category another rule, or take its own away."""
        return RuleChange(self.model_id, name, self.rules.get(name), after)

    def changed(self, changes: Iterable[RuleChange]) -> CategoryMap:
        """Return the map after changes; those of other models are passed over."""
        rules = dict(self.rules)
        for change in changes:
            if change.model_id != self.model_id:
                continue
            if change.after is None:
                rules.pop(change.name, None)
            else:
                rules[change.name] = change.after
        return replace(self, rules=rules)

    def following(self, gone: Iterable[int], into_id: int) -> tuple[RuleChange, ...]:
        """Return the changes after which what went to categories that go follows them elsewhere."""
        ids = frozenset(gone)
        return tuple(
            self.change(name, rule.to(Goal.CATEGORY, into_id))
            for name, rule in self.rules.items()
            if rule.category_id in ids
        )


def maps_changed(
    maps: Mapping[str, CategoryMap], changes: Iterable[RuleChange]
) -> dict[str, CategoryMap]:
    """Return maps, by the ids of their models, after changes."""
    changes = tuple(changes)
    changed = dict(maps)
    for model_id in {change.model_id for change in changes}:
        changed[model_id] = maps.get(model_id, CategoryMap(model_id)).changed(changes)
    return changed


def destinations(
    chosen: CategoryMap, of_model: Sequence[Category], of_project: Sequence[Category]
) -> NDArray[np.int64]:
    """Find where each of a model's categories goes.

    A rule whose category is gone from the project counts as not decided.

    Args:
        chosen: what was decided.
        of_model: the model's categories.
        of_project: the project's.

    Returns:
        (k,) int64, read-only: for each of the model's categories the id of the project's, `TO_MAKE`
        or `IGNORED`. Indexed with detections' labels it tells where each of them goes.
    """
    there = _Names(of_project)
    found = np.array([there.goes_to(chosen.rule(c.name), c.name) for c in of_model], np.int64)
    found.setflags(write=False)
    return found


def guess(name: str, of_project: Sequence[Category]) -> int:
    """Return the category of a project that a model's most likely is, or `TO_MAKE`.

    The same name counts most; then one that differs only in case, spaces, underscores, hyphens and
    dots; then in singular and plural; then another word for the same thing. Among equals the
    project's order decides.
    """
    return _Names(of_project).guess(name)


def is_open(
    chosen: CategoryMap, of_model: Sequence[Category], of_project: Sequence[Category]
) -> bool:
    """Tell whether a person should see the map before the model first runs in a project.

    Not when every name has a rule or is known to the project, or when there is too little to
    decide: one category, or a handful that an empty project will get.
    """
    if len(of_model) <= (1 if of_project else _A_HANDFUL):
        return False
    there = _Names(of_project)
    left = (category.name for category in of_model if category.name not in chosen.rules)
    return any(there.guess(name) == TO_MAKE for name in left)


def settled(chosen: CategoryMap, of_model: Sequence[Category]) -> tuple[RuleChange, ...]:
    """Return the changes after which nothing is open: what has no rule goes where it is guessed."""
    names = dict.fromkeys(category.name for category in of_model)
    return tuple(chosen.change(name, _NOT_DECIDED) for name in names if name not in chosen.rules)


_A_HANDFUL = 3


class _Names:
    """The categories of a project, found by names that need not be quite theirs."""

    def __init__(self, categories: Sequence[Category]) -> None:
        # Each way of writing them leads to the first category, in order, that it may mean.
        self._ids = [category.id for category in categories]
        self._exact: dict[str, int] = {}
        self._keys: dict[str, int] = {}
        self._singulars: dict[str, int] = {}
        self._meanings: dict[frozenset[str], int] = {}
        for place, category in enumerate(categories):
            key = _key(category.name)
            self._exact.setdefault(category.name, place)
            self._keys.setdefault(key, place)
            for singular in _singulars(key):
                self._singulars.setdefault(singular, place)
            for meaning in _meanings(key):
                self._meanings.setdefault(meaning, place)
        self._known = frozenset(self._ids)

    def goes_to(self, rule: Rule, name: str) -> int:
        if rule.goal is Goal.IGNORE:
            return IGNORED
        if rule.goal is Goal.NEW:
            return self._ids[self._exact[name]] if name in self._exact else TO_MAKE
        return rule.category_id if rule.category_id in self._known else self.guess(name)

    def guess(self, name: str) -> int:
        key = _key(name)
        likes = (
            [self._exact.get(name)],
            [self._keys.get(key)],
            [self._singulars.get(key), *map(self._keys.get, _singulars(key))],
            map(self._meanings.get, _meanings(key)),
        )
        for like in likes:
            places = [place for place in like if place is not None]
            if places:
                return self._ids[min(places)]
        return TO_MAKE


def _key(name: str) -> str:
    """Return a name without case and without what separates its words."""
    return re.sub(r"[\s_.\-]+", "", name.casefold())


def _singulars(key: str) -> tuple[str, ...]:
    """Return what a word may be the English plural of; to be compared, not to be shown."""
    found = []
    if len(key) > 3 and key.endswith("ies"):
        found.append(f"{key[:-3]}y")
    if len(key) > 3 and key.endswith(("ses", "xes", "zes", "ches", "shes", "oes")):
        found.append(key[:-2])
    if len(key) > 3 and key.endswith("s") and not key.endswith("ss"):
        found.append(key[:-1])
    return tuple(found)


def _meanings(key: str) -> tuple[frozenset[str], ...]:
    """Return the groups of synonyms that a word, or its singular, is of."""
    forms = {key, *_singulars(key)}
    return tuple(group for group in _SYNONYMS if forms & group)
