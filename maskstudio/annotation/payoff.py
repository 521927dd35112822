"""What became of the objects a person dealt with, and the seconds it took: the figures."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import NamedTuple, TypeVar

NO_CATEGORY = 0
"""Stands for the seconds that went into no object; no category has this id."""

NO_MODEL = ""
"""Stands for images that no model has been run on; no model has this id."""

_Key = TypeVar("_Key", date, int, str)


class Outcome(StrEnum):
    """What became of an object that a person dealt with."""

    ACCEPTED = "accepted"
    """A model found it, and it is right as it was left."""
    ADJUSTED = "adjusted"
    """A model found it, and a person gave it another outline or category."""
    DELETED = "deleted"
    """A model found it, and it is none."""
    BOXED = "boxed"
    """No model had found it; one outlined it where a person said that there is one."""
    DRAWN = "drawn"
    """A person drew it."""


@dataclass(frozen=True)
class Tally:
    """How many objects had each outcome, and what it took.

    Attributes:
        accepted: see `Outcome`, as the next four.
        adjusted: see there.
        deleted: see there.
        boxed: see there.
        drawn: see there.
        adjustments: how often those adjusted were adjusted, all together.
        seconds: of a person's time.
    """

    accepted: int = 0
    adjusted: int = 0
    deleted: int = 0
    boxed: int = 0
    drawn: int = 0
    adjustments: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Tally") -> "Tally":
        """Return both together."""
        return Tally(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Tally)))

    def of(self, outcome: Outcome) -> int:
        """Return how many objects had an outcome."""
        count: int = getattr(self, outcome)
        return count

    @property
    def found(self) -> int:
        """How many of the objects a model had found."""
        return self.accepted + self.adjusted + self.deleted

    @property
    def objects(self) -> int:
        """How many objects in all."""
        return self.found + self.boxed + self.drawn

    @property
    def seconds_per_object(self) -> float | None:
        """Seconds an object; None where there is none."""
        return self.seconds / self.objects if self.objects else None


class Place(NamedTuple):
    """What figures are kept apart by.

    Attributes:
        day: when an object got its outcome, or seconds were spent, in the person's time zone.
        category_id: of the object; `NO_CATEGORY` for seconds that went into none.
        model_id: the model that found or outlined it, or that had been run on the image by then;
            `NO_MODEL` where none had.
    """

    day: date
    category_id: int
    model_id: str


@dataclass(frozen=True)
class Choice:
    """Which figures count.

    Attributes:
        first: the first day; None for all up to `last`.
        last: the last day; None for all from `first` on.
        category_id: the category; None for all.
        model_id: the model; None for all.
    """

    first: date | None = None
    last: date | None = None
    category_id: int | None = None
    model_id: str | None = None

    def __contains__(self, place: Place) -> bool:
        """Tell whether the figures of a place count."""
        early = self.first is not None and place.day < self.first
        late = self.last is not None and place.day > self.last
        other = self.category_id not in (None, place.category_id)
        return not (early or late or other) and self.model_id in (None, place.model_id)


@dataclass(frozen=True)
class Payoff:
    """The account of a project.

    Attributes:
        tallies: the figures.
        names: category id to its name, for every category there are figures of.
        untouched: pre-annotations that nobody has looked at yet.
        imported: annotations of another data set came in, which are not counted.
    """

    tallies: Mapping[Place, Tally]
    names: Mapping[int, str]
    untouched: int = 0
    imported: bool = False

    def chosen(self, choice: Choice) -> "Payoff":
        """Return the account with no more than the figures that count."""
        kept = {place: tally for place, tally in self.tallies.items() if place in choice}
        return Payoff(kept, self.names, self.untouched, self.imported)

    @property
    def total(self) -> Tally:
        """All together."""
        return _sum(self.tallies.values())

    def by_day(self) -> dict[date, Tally]:
        """Return the figures of each day that has any, in order."""
        return _grouped(self.tallies, lambda place: place.day)

    def by_category(self) -> dict[int, Tally]:
        """Return the figures of each category that has any, by id."""
        return _grouped(self.tallies, lambda place: place.category_id)

    def by_model(self) -> dict[str, Tally]:
        """Return the figures of each model that has any, by id."""
        return _grouped(self.tallies, lambda place: place.model_id)


def _grouped(tallies: Mapping[Place, Tally], key: Callable[[Place], _Key]) -> dict[_Key, Tally]:
    groups: dict[_Key, list[Tally]] = {}
    for place, tally in tallies.items():
        groups.setdefault(key(place), []).append(tally)
    return {one: _sum(groups[one]) for one in sorted(groups)}


def _sum(tallies: Iterable[Tally]) -> Tally:
    return sum(tallies, Tally())
