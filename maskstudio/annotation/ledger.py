"""Draws the account of a project from what each edit did, edit by edit.

Of an object no more is kept than where it is counted: 80 bytes for each that a person dealt with.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, NamedTuple

from maskstudio.annotation.acts import Act, ActGroup
from maskstudio.annotation.edits import PERSON
from maskstudio.annotation.payoff import NO_CATEGORY, NO_MODEL, Outcome, Place, Tally

LONGEST_GAP_S = 60.0
"""Of a longer time between two edits so much counts: the person was away, or nobody knows."""

_BY_MODEL, _BY_IMPORT = "model:", "import:"

_FIRST = {
    Act.ACCEPTED: Outcome.ACCEPTED,
    Act.ADJUSTED: Outcome.ADJUSTED,
    Act.DELETED: Outcome.DELETED,
    Act.DRAWN: Outcome.DRAWN,
    Act.BOXED: Outcome.BOXED,
}
_FOUND = (Outcome.ACCEPTED, Outcome.ADJUSTED)


class EditAccount(NamedTuple):
    """What one edit did, of those that were done and not undone.

    Attributes:
        at: when, in seconds since 1970.
        author: see `Edit`.
        image_ids: the images it concerns.
        groups: what it did to which objects, where a person did it.
    """

    at: float
    author: str
    image_ids: tuple[int, ...]
    groups: tuple[ActGroup, ...] = ()


@dataclass(slots=True)
class _Cell:
    """Objects of one outcome and place."""

    outcome: Outcome
    place: Place
    objects: int = 0
    adjustments: int = 0


class Ledger:
    """Takes up edits in the order they were done in.

    An object counts where a person last decided on it. What another data set brought in counts
    nowhere: who made it, and in what time, is not known here. Time is what lies between a person's
    edits, whichever images they are on: to look at an image belongs to the work on it. It goes in
    equal parts to the objects of the edit that ends it.

    Attributes:
        imported: something came in from another data set.
    """

    def __init__(self, zone: tzinfo | None = None) -> None:
        """Know of nothing yet.

        Args:
            zone: what days are told by; None for the time zone of this computer.
        """
        self.imported = False
        self._zone = zone
        self._cells: dict[tuple[Outcome, Place], _Cell] = {}
        self._objects: dict[int, _Cell] = {}
        # How often, of those adjusted more than once.
        self._often: dict[int, int] = {}
        self._seconds: dict[Place, float] = {}
        self._models: dict[int, str] = {}
        self._ids: dict[str, str] = {}
        self._last: float | None = None

    def take(self, edit: EditAccount) -> None:
        """Take up the next edit."""
        if edit.author.startswith(_BY_MODEL):
            # One text for all that name the same model.
            model_id = self._ids.setdefault(edit.author, edit.author.removeprefix(_BY_MODEL))
            self._models.update(dict.fromkeys(edit.image_ids, model_id))
        elif edit.author == PERSON:
            self._take_persons(edit)
        else:
            self.imported |= edit.author.startswith(_BY_IMPORT)

    def tallies(self) -> dict[Place, Tally]:
        """Return the figures so far, of all places that have any."""
        found: dict[Place, dict[str, Any]] = {}
        for place, seconds in self._seconds.items():
            found.setdefault(place, {})["seconds"] = seconds
        for cell in self._cells.values():
            if cell.objects:
                told = found.setdefault(cell.place, {})
                told[cell.outcome] = cell.objects
                told["adjustments"] = told.get("adjustments", 0) + cell.adjustments
        return {place: Tally(**told) for place, told in found.items()}

    def _take_persons(self, edit: EditAccount) -> None:
        gap = 0.0 if self._last is None else min(max(edit.at - self._last, 0.0), LONGEST_GAP_S)
        self._last = edit.at
        day = datetime.fromtimestamp(edit.at, UTC).astimezone(self._zone).date()
        model_id = self._models.get(edit.image_ids[0], NO_MODEL) if edit.image_ids else NO_MODEL
        groups = [group for group in edit.groups if group.act != Act.REASSIGNED]
        for group in edit.groups:
            if group.act == Act.REASSIGNED:
                self._reassign(group)
        objects = sum(len(group.annotation_ids) for group in groups)
        if not objects:
            self._spend(Place(day, NO_CATEGORY, model_id), gap)
        for group in groups:
            place = Place(day, group.category_id, group.model_id or model_id)
            self._take_group(group, place, gap / objects)

    def _take_group(self, group: ActGroup, place: Place, seconds: float) -> None:
        """Take up what was done to some objects, each of which took so many seconds."""
        outcome = _FIRST.get(Act(group.act))
        if outcome is not None:
            cell = self._cell(outcome, place)
            for number in group.annotation_ids:
                self._move(number, cell)
            self._spend(place, seconds * len(group.annotation_ids))
            return
        again = self._change if group.act == Act.CHANGED else self._remove
        for number in group.annotation_ids:
            cell_before = self._objects.get(number)
            if cell_before is not None:
                model_id = cell_before.place.model_id
                self._spend(place._replace(model_id=model_id), seconds)
                again(number, cell_before, place)

    def _change(self, number: int, cell: _Cell, place: Place) -> None:
        if cell.outcome is Outcome.ACCEPTED:
            now = place._replace(model_id=cell.place.model_id)
            self._move(number, self._cell(Outcome.ADJUSTED, now))
            return
        self._to_category(number, cell, place.category_id)
        if cell.outcome is Outcome.ADJUSTED:
            self._objects[number].adjustments += 1
            self._often[number] = self._often.get(number, 1) + 1

    def _remove(self, number: int, cell: _Cell, place: Place) -> None:
        if cell.outcome in _FOUND:
            now = place._replace(model_id=cell.place.model_id)
            self._move(number, self._cell(Outcome.DELETED, now))
        elif cell.outcome is not Outcome.DELETED:
            # Drawn and deleted again: only the time is left of it.
            self._take_out(number)

    def _reassign(self, group: ActGroup) -> None:
        for number in group.annotation_ids:
            cell = self._objects.get(number)
            if cell is not None:
                self._to_category(number, cell, group.category_id)

    def _to_category(self, number: int, cell: _Cell, category_id: int) -> None:
        if category_id != cell.place.category_id:
            often = self._often.get(number)
            place = cell.place._replace(category_id=category_id)
            self._move(number, self._cell(cell.outcome, place))
            if often is not None:
                self._objects[number].adjustments += often - 1
                self._often[number] = often

    def _move(self, number: int, cell: _Cell) -> None:
        """Count an object in a cell alone."""
        self._take_out(number)
        self._objects[number] = cell
        cell.objects += 1
        if cell.outcome is Outcome.ADJUSTED:
            cell.adjustments += 1

    def _take_out(self, number: int) -> None:
        cell = self._objects.pop(number, None)
        if cell is not None:
            cell.objects -= 1
            if cell.outcome is Outcome.ADJUSTED:
                cell.adjustments -= self._often.pop(number, 1)

    def _cell(self, outcome: Outcome, place: Place) -> _Cell:
        key = outcome, place
        if key not in self._cells:
            self._cells[key] = _Cell(outcome, place)
        return self._cells[key]

    def _spend(self, place: Place, seconds: float) -> None:
        if seconds:
            self._seconds[place] = self._seconds.get(place, 0.0) + seconds
