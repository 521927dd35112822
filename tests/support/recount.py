"""The account of a project drawn up the plain way: every edit kept, every object gone over."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.edits import AnnotationChange, Edit
from maskstudio.annotation.payoff import Place, Tally

AWAY_S = 60


@dataclass(frozen=True)
class Done:
    """An edit that was done and not undone, and when."""

    edit: Edit
    at: datetime


@dataclass
class _Life:
    """What persons did to one object, in order; the model of its image when it was first met."""

    model: str
    events: list[tuple[date, AnnotationChange]] = field(default_factory=list)
    category: int = 0


def recount(done: Sequence[Done]) -> dict[Place, Tally]:
    """Return the figures of a project whose edits these are, in order."""
    lives: dict[int, _Life] = {}
    images: dict[int, str] = {}
    figures: dict[Place, Tally] = defaultdict(Tally)
    last: datetime | None = None
    for one in done:
        edit, day = one.edit, one.at.date()
        if edit.author.startswith("model:"):
            images |= dict.fromkeys(edit.image_ids, edit.author[len("model:") :])
        if edit.author != "person":
            continue
        gap = 0.0 if last is None else (one.at - last).total_seconds()
        gap, last = min(max(gap, 0.0), AWAY_S), one.at
        model = images.get(edit.image_ids[0], "") if edit.image_ids else ""
        _move(lives, edit)
        counting = [c for c in edit.annotations if _counts(c)]
        for change in counting:
            life = _life(lives, change, model)
            if life is not None:
                life.events.append((day, change))
                life.category = _known(change).category_id
                place = Place(day, life.category, life.model)
                figures[place] += Tally(seconds=gap / len(counting))
        if not counting:
            figures[Place(day, 0, model)] += Tally(seconds=gap)
    for life in lives.values():
        place, tally = _outcome(life)
        figures[place] += tally
    return {place: tally for place, tally in figures.items() if tally != Tally()}


def rounded(figures: Mapping[Place, Tally]) -> dict[Place, Tally]:
    """Return figures whose seconds can be compared; places of none are left out."""
    short = {p: replace(tally, seconds=round(tally.seconds, 6)) for p, tally in figures.items()}
    return {place: tally for place, tally in short.items() if tally != Tally()}


def _known(change: AnnotationChange) -> Annotation:
    known = change.after or change.before
    assert known is not None
    return known


def _counts(change: AnnotationChange) -> bool:
    """Tell whether a person decided anything about an object."""
    before, after = change.before, change.after
    if before is None or after is None:
        return after is None or after.touched
    return after.touched and (not before.touched or _differs(before, after))


def _differs(before: Annotation, after: Annotation) -> bool:
    outlines = [one.segmentation and one.segmentation.wkb for one in (before, after)]
    same = outlines[0] == outlines[1] and before.box_only == after.box_only
    return not same or before.category_id != after.category_id


def _life(lives: dict[int, _Life], change: AnnotationChange, model: str) -> _Life | None:
    """Return the life of an object; None of one that came in from elsewhere."""
    known = _known(change)
    if known.id not in lives:
        if change.before is not None and change.before.touched:
            return None
        lives[known.id] = _Life(known.model_id or model)
    return lives[known.id]


def _move(lives: Mapping[int, _Life], edit: Edit) -> None:
    for moved in edit.reassigned:
        for number in moved.annotation_ids:
            if number in lives:
                lives[number].category = moved.after


def _outcome(life: _Life) -> tuple[Place, Tally]:
    first_day, first = life.events[0]
    last_day, last = life.events[-1]
    if first.before is None:
        if last.after is None:
            return Place(first_day, life.category, life.model), Tally()
        boxed = first.after is not None and first.after.model_id is not None
        tally = Tally(boxed=1) if boxed else Tally(drawn=1)
        return Place(first_day, life.category, life.model), tally
    if last.after is None:
        return Place(last_day, life.category, life.model), Tally(deleted=1)
    corrected = _corrected(life.events)
    if corrected:
        tally = Tally(adjusted=1, adjustments=len(corrected))
        return Place(corrected[0], life.category, life.model), tally
    return Place(first_day, life.category, life.model), Tally(accepted=1)


def _corrected(events: Iterable[tuple[date, AnnotationChange]]) -> list[date]:
    return [
        day
        for day, change in events
        if change.before and change.after and _differs(change.before, change.after)
    ]
