"""Reads the account of a project out of its journal. Needs no Qt."""

from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING

from maskstudio.annotation.learning_curve import CurvePoint
from maskstudio.annotation.ledger import Ledger
from maskstudio.annotation.payoff import Payoff
from maskstudio.progress import TaskContext

if TYPE_CHECKING:
    # It brings the database library, which an empty window does without.
    from maskstudio.storage.stored_project import StoredProject

_ASKED_EVERY = 500


@dataclass(frozen=True)
class Account:
    """All that the journal tells of what the work was worth.

    Attributes:
        payoff: what became of the objects, and the time it took.
        curve: what the model the person began with, and what it has learned, left to do on each
            image that was verified; the oldest first.
    """

    payoff: Payoff
    curve: tuple[CurvePoint, ...] = ()


def read_account(
    database: "StoredProject", context: TaskContext, zone: tzinfo | None = None
) -> Account:
    """Return the account of a project, of one moment whatever is written meanwhile.

    Args:
        database: the project.
        context: asked whether to stop.
        zone: what days are told by; None for the time zone of this computer.

    Raises:
        UserError: the project cannot be read.
        CancelledError: the person asked to stop.
    """
    ledger = Ledger(zone)
    with database.reading_accounts() as edits:
        for number, edit in enumerate(edits):
            if number % _ASKED_EVERY == 0:
                context.raise_if_cancelled()
            ledger.take(edit)
    tallies = ledger.tallies()
    known = {category.id: category.name for category in database.categories()}
    used = {place.category_id for place in tallies}
    names = {i: known.get(i, f"category {i}, gone") for i in used if i}
    untouched = sum(database.untouched_counts().values())
    curve = tuple(point for point in database.learning_curve() if point.counts)
    return Account(Payoff(tallies, names, untouched, ledger.imported), curve)
