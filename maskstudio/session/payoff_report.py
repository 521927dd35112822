"""The account of a project in words, in a table and as CSV. Needs no Qt."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from maskstudio.annotation.payoff import NO_MODEL, Choice, Outcome, Payoff, Tally

WITHOUT_MODEL = "no model"
"""What images are called that no model has been run on."""

PAUSES = "A pause of more than a minute counts as one minute."

ENOUGH = 10
"""From so many objects two averages are compared."""

COLUMNS = ("objects", "accepted", "adjusted", "deleted", "by a box", "by hand", "s an object")
"""The columns of `cells`."""

_CSV_HEAD = (
    "day",
    "category",
    "model",
    *(str(outcome) for outcome in Outcome),
    "adjustments",
    "seconds",
)


@dataclass(frozen=True)
class Row:
    """One row of a table: what it is about, and its figures."""

    name: str
    tally: Tally


def chosen_of(
    payoff: Payoff, days: int, today: date, category_id: int | None, model_id: str | None
) -> Payoff:
    """Return the figures of so many days up to today, and of one category and model if given.

    Args:
        payoff: all figures.
        days: how many with today; 0 for all.
        today: the day it is.
        category_id: the category; None for all.
        model_id: the model; None for all.
    """
    first = today - timedelta(days - 1) if days else None
    return payoff.chosen(Choice(first, None, category_id, model_id))


def when(days: int) -> str:
    """Return how a sentence begins that tells of so many days; see `chosen_of`."""
    return {0: "So far", 1: "Today"}.get(days, f"In the last {days:,} days")


def sentence(total: Tally, begin: str) -> str:
    """Return the account in one sentence.

    Args:
        total: what counts.
        begin: how it begins; see `when`.
    """
    objects, each = total.objects, total.seconds_per_object
    if each is None:
        return f"{begin} nothing was accepted, corrected or drawn."
    took = f"{each:.1f} s an object"
    if not total.found:
        return f"{begin} {_count(objects, 'object')} {_were(objects)} drawn; {took}."
    share = f"{100 * total.accepted / objects:.0f} % of {_count(objects, 'object')}"
    left = "it" if objects == 1 else "them"
    return f"{begin} {share} {_were(objects)} accepted as the model left {left}; {took}."


def without_model(payoff: Payoff, category_id: int | None) -> Tally:
    """Return what was done without a model, whenever that was, to all objects or a category's."""
    return payoff.chosen(Choice(category_id=category_id, model_id=NO_MODEL)).total


def comparison(chosen: Payoff, without: Tally) -> str:
    """Return how long an object took with a model and without; empty where one is not known.

    Args:
        chosen: what counts.
        without: what was done without a model.
    """
    helped = sum((t for model_id, t in chosen.by_model().items() if model_id), Tally())
    if min(without.objects, helped.objects) < ENOUGH:
        return ""
    by_hand, by_model_s = without.seconds / without.objects, helped.seconds / helped.objects
    said = f"{by_model_s:.1f} s an object with a model, {by_hand:.1f} s without"
    if not by_model_s or by_hand / by_model_s < 1.05:
        return f"{said}: no time was saved."
    return f"{said}: {by_hand / by_model_s:.1f} times as fast."


def unknown(chosen: Payoff, without: Tally) -> tuple[str, ...]:
    """Return what the account cannot tell, and why, a sentence each.

    Args:
        chosen: what counts.
        without: what was done without a model.
    """
    said = []
    if not chosen.total.found:
        said.append("None of this was found by a model, so there is nothing to compare.")
    elif without.objects < ENOUGH:
        said.append(
            "How long an object takes without a model is not known: fewer than "
            f"{ENOUGH} were drawn on images that no model had been run on."
        )
    if chosen.untouched:
        said.append(
            f"{_count(chosen.untouched, 'pre-annotation')} nobody has looked at yet: "
            "what becomes of them counts once their images are verified."
        )
    if chosen.imported:
        said.append("What was imported is not counted: the time it took is not known here.")
    return tuple(said)


def category_rows(payoff: Payoff) -> list[Row]:
    """Return the figures by category, the one with most objects first.

    Seconds that went into no object are in none of them.
    """
    found = ((payoff.names.get(key), tally) for key, tally in payoff.by_category().items())
    return _rows((name, tally) for name, tally in found if name is not None)


def model_rows(payoff: Payoff) -> list[Row]:
    """Return the figures by model, the one with most objects first."""
    return _rows((key or WITHOUT_MODEL, tally) for key, tally in payoff.by_model().items())


def cells(tally: Tally) -> tuple[str, ...]:
    """Return figures as a table shows them, in the order of `COLUMNS`."""
    each = tally.seconds_per_object
    more = tally.adjustments > tally.adjusted
    often = f" ({tally.adjustments / tally.adjusted:.1f}x)" if more else ""
    return (
        f"{tally.objects:,}",
        _share(tally.accepted, tally.objects),
        _share(tally.adjusted, tally.objects) + often,
        _share(tally.deleted, tally.objects),
        _share(tally.boxed, tally.objects),
        _share(tally.drawn, tally.objects),
        "" if each is None else f"{each:.1f}",
    )


def csv_text(payoff: Payoff) -> str:
    """Return the figures as CSV: a row for each day, category and model.

    Seconds that went into no object stand in rows without a category, and all from before any model
    was run on the image in rows without a model.
    """
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(_CSV_HEAD)
    for place, tally in sorted(payoff.tallies.items()):
        told = (place.day.isoformat(), payoff.names.get(place.category_id, ""), place.model_id)
        counts = (*(tally.of(outcome) for outcome in Outcome), tally.adjustments)
        writer.writerow((*told, *counts, f"{tally.seconds:.1f}"))
    return written.getvalue()


def plain(payoff: Payoff) -> Iterator[dict[str, object]]:
    """Yield the same rows for programs, as JSON has them."""
    for place, tally in sorted(payoff.tallies.items()):
        yield {
            "day": place.day.isoformat(),
            "category": payoff.names.get(place.category_id),
            "model": place.model_id or None,
            **{str(outcome): tally.of(outcome) for outcome in Outcome},
            "adjustments": tally.adjustments,
            "seconds": round(tally.seconds, 3),
        }


def _rows(named: Iterable[tuple[str, Tally]]) -> list[Row]:
    rows = [Row(name, tally) for name, tally in named]
    return sorted(rows, key=lambda row: (-row.tally.objects, row.name))


def _share(some: int, of: int) -> str:
    return f"{some:,} · {100 * some / of:.0f} %" if some else "-"


def _count(number: int, one: str) -> str:
    return f"{number:,} {one if number == 1 else one + 's'}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
