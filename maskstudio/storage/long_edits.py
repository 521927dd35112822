"""Edits too long for memory: many edits that are one entry of the journal, stored in parts."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from maskstudio.annotation.edits import Edit
from maskstudio.progress import TaskContext
from maskstudio.storage import tables, writing

# What is written in one step holds the interpreter's lock for about a millisecond: the window goes
# on in between.
_MOST_CHANGES = 500

# What SQLite uses by itself would have pages of the index written and read again and again.
_CACHE_KIB, _USUAL_CACHE_KIB = 64 * 1024, 2000


@dataclass
class HighestIds:
    """The highest ids that edits have given so far."""

    annotation: int
    category: int

    def note(self, edit: Edit) -> None:
        """Take those into account that an edit gives."""
        new = (c.after.id for c in edit.annotations if c.after is not None and c.before is None)
        self.annotation = max([self.annotation, *new])
        made = (change.after.id for change in edit.categories if change.after is not None)
        self.category = max([self.category, *made])

    def write(self, connection: sa.Connection) -> None:
        """Keep them with the project, whatever is undone later."""
        writing.write_setting(connection, "last_annotation_id", self.annotation)
        writing.write_setting(connection, "last_category_id", self.category)


def prepare(connection: sa.Connection) -> None:
    """Make room for a long edit, in its transaction.

    What can never be brought back need not be kept, and the next long edit can lie in its place.
    """
    connection.exec_driver_sql(f"PRAGMA cache_size = -{_CACHE_KIB}")
    dropped = sa.select(tables.edits.c.id).where(tables.edits.c.state == tables.EntryState.DROPPED)
    connection.execute(sa.delete(tables.edit_parts).where(tables.edit_parts.c.edit_id.in_(dropped)))


def tidy(connection: sa.Connection) -> None:
    """Give back the room that a long edit took in memory and beside the database.

    Args:
        connection: the one it was written over, or not; in no transaction.
    """
    with suppress(DBAPIError):
        connection.exec_driver_sql(f"PRAGMA cache_size = -{_USUAL_CACHE_KIB}")
        connection.exec_driver_sql("PRAGMA shrink_memory")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def write_parts(
    connection: sa.Connection,
    entry: int,
    author: str,
    edits: Iterable[Edit],
    highest: HighestIds,
    context: TaskContext,
) -> int:
    """Apply edits and write them into the journal, part by part; return how many parts there are.

    Args:
        connection: in a transaction.
        entry: the id of their entry in the journal.
        author: who did all of them.
        edits: each is asked for when those before it are applied, or soon will be.
        highest: takes note of the ids that they give.
        context: asked whether to stop.
    """
    number = 0
    for part in parts_of(edits):
        context.raise_if_cancelled()
        writing.apply_edit(connection, part)
        writing.write_words(connection, part)
        writing.write_part(connection, entry, number, replace(part, author=author))
        highest.note(part)
        number += 1
    context.raise_if_cancelled()
    return number


def parts_of(edits: Iterable[Edit]) -> Iterator[Edit]:
    """Yield the same edits, those of few annotations put together where their order is all one."""
    gathered: list[Edit] = []
    images: set[int] = set()
    size = 0
    for edit in edits:
        alone = bool(edit.categories or edit.reassigned or edit.rules)
        more = len(edit.annotations) + len(edit.images)
        if alone or size + more > _MOST_CHANGES or not images.isdisjoint(edit.image_ids):
            yield from _as_one(gathered)
            gathered, images, size = [], set(), 0
        if alone:
            yield edit
        else:
            gathered.append(edit)
            images.update(edit.image_ids)
            size += more
    yield from _as_one(gathered)


def _as_one(edits: list[Edit]) -> Iterator[Edit]:
    annotations = tuple(change for edit in edits for change in edit.annotations)
    images = tuple(change for edit in edits for change in edit.images)
    if annotations or images:
        yield Edit("", annotations=annotations, images=images)
