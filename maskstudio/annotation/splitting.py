"""Divide images into parts so that each part holds its share of every category.

As in the iterative stratification of Sechidis, Tsoumakas and Vlahavas, «On the Stratification of
Multi-Label Data» (ECML PKDD 2011) the category with the fewest images left goes first. Its images
are gone through from the most crowded to the least, and each goes to the part that lacks most of
its share of those gone through so far: so each part gets its share of crowded images too. What
belongs together goes as one.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

_LARGE = 0.05


@dataclass(frozen=True)
class Unit:
    """Images that go to the same part: one alone, or some that look the same.

    Attributes:
        images: their ids, at least one.
        holding: category id to how many of these images hold it.
        annotations: category id to how many annotations of it stand on them.
        part: the part they are in already; None where they are to be drawn.
    """

    images: tuple[int, ...]
    holding: Mapping[int, int]
    annotations: Mapping[int, int]
    part: str | None = None


def divide(units: Sequence[Unit], shares: Mapping[str, float], draw: int = 0) -> list[str]:
    """Draw a part for each unit that has none.

    The same units give the same parts, in whatever order they come. What is in a part already
    stays, and counts: the others are drawn so that the whole comes close to the shares.

    Args:
        units: no image stands in two of them.
        shares: part to its share of the images; they add up to 1. One of 0 gets nothing new.
        draw: another number draws other parts.

    Returns:
        The part of each unit, in the order of the units.
    """
    drawing = _Drawing(units, shares)
    drawing.place_all({n: _lot(units[n], draw) for n, unit in enumerate(units) if not unit.part})
    return [drawing.parts[n] for n in range(len(units))]


def _lot(unit: Unit, draw: int) -> bytes:
    """Return what orders units at random, but the same way every time."""
    return hashlib.blake2b(f"{draw}:{min(unit.images)}".encode("ascii"), digest_size=8).digest()


@dataclass
class _Share:
    """How much of something there is, and was given to the parts so far."""

    whole: int = 0
    total: int = 0
    given: dict[str, int] = field(default_factory=dict)

    def lacks(self, part: str, share: float, total: int) -> float:
        """Return what a part lacks of its share of a total."""
        # Rounded: sums of shares differ in the last bits, and that must decide nothing.
        return round(share * total - self.given.get(part, 0), 6)

    def give(self, part: str, size: int) -> None:
        self.given[part] = self.given.get(part, 0) + size
        self.total += size


class _Drawing:
    """What each part has, while units are given to the parts."""

    def __init__(self, units: Sequence[Unit], shares: Mapping[str, float]) -> None:
        self._units = units
        self._shares = {part: share for part, share in shares.items() if share > 0}
        self._images = _Share(sum(len(unit.images) for unit in units))
        self._holding: dict[int, _Share] = {}
        for unit in units:
            for category, count in unit.holding.items():
                self._holding.setdefault(category, _Share()).whole += count
        self.parts: dict[int, str] = {}
        for n, unit in enumerate(units):
            if unit.part is not None:
                self._give(n, unit.part)

    def place_all(self, lots: Mapping[int, bytes]) -> None:
        """Give units to the parts.

        Args:
            lots: those that have none; of units that are alike the lower lot goes first.
        """
        holding: dict[int, list[int]] = {}
        for n in lots:
            for category in self._units[n].holding:
                holding.setdefault(category, []).append(n)
        left = Counter({category: len(found) for category, found in holding.items()})
        while left:
            rarest = min(left, key=lambda category: (left[category], category))
            for n in sorted(holding[rarest], key=self._place_in_line(rarest, lots)):
                if n not in self.parts:
                    self._give(n, self._part_for(n, rarest))
                    left.subtract(dict.fromkeys(self._units[n].holding, 1))
            del left[rarest]
        for n in sorted(lots, key=lambda n: (-len(self._units[n].images), lots[n])):
            if n not in self.parts:
                self._give(n, self._part_for(n, None))

    def _place_in_line(
        self, category: int, lots: Mapping[int, bytes]
    ) -> Callable[[int], tuple[int, int, bytes]]:
        def place(n: int) -> tuple[int, int, bytes]:
            unit = self._units[n]
            # The small ones come last: they even out what the large ones have left uneven.
            return -len(unit.images), -unit.annotations[category], lots[n]

        return place

    def _part_for(self, n: int, category: int | None) -> str:
        """Return the part that lacks most of a category; among equals, that lacks most images."""
        unit = self._units[n]
        size = len(unit.images)
        # What makes up much of the smallest part does not even out again: it goes by the whole.
        smallest = min(self._shares.values()) * self._images.whole
        large = size > 1 and size > _LARGE * smallest

        def lacks(part: str) -> tuple[float, float]:
            share, of_it = self._shares[part], 0.0
            if category is not None:
                given = self._holding[category]
                due = given.whole if large else given.total + unit.holding[category]
                of_it = given.lacks(part, share, due)
            due = self._images.whole if large else self._images.total + size
            return of_it, self._images.lacks(part, share, due)

        # `max` keeps the first of equals.
        return max(self._shares, key=lacks)

    def _give(self, n: int, part: str) -> None:
        unit = self._units[n]
        self.parts[n] = part
        self._images.give(part, len(unit.images))
        for category, count in unit.holding.items():
            self._holding[category].give(part, count)
