"""What each edit of the journal did, in a few numbers beside its changes, for the account.

The changes themselves hold every outline before and after: of a project worked on for a year they
are gigabytes, and what is asked of them here is one number an object.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from maskstudio.annotation.acts import ActGroup, acts_of
from maskstudio.annotation.edits import Edit
from maskstudio.annotation.ledger import EditAccount
from maskstudio.storage import tables
from maskstudio.storage.plain import json_text

# One text of so many takes a millisecond or two, in which the window waits.
_AT_ONCE = 200

_Told = tuple[tuple[int, ...], tuple[ActGroup, ...]]
"""The images it concerns, where its row does not name them, and what it did."""

_Row = tuple[int, str, str, int, int | None, _Told | None]
"""Id, when, who, how many parts, the one image, and what is told."""

_NOTHING: _Told = ((), ())


def account_text(edit: Edit, *, part: bool = False) -> str | None:
    """Return what is kept of an edit; None where there is nothing to tell.

    Args:
        edit: by whoever did it; of what an import brings in nothing is kept.
        part: of a long edit; the row of another one names its image if it is just one.
    """
    if edit.author.startswith("import:"):
        return None
    images, groups = edit.image_ids, acts_of(edit)
    untold = images if part or len(images) > 1 else ()
    return json_text([untold, groups]) if untold or groups else None


def read_accounts(connection: sa.Connection) -> Iterator[EditAccount]:
    """Yield what was done and not undone, in order; a long edit comes in parts.

    Args:
        connection: in one transaction, or it is not all of one moment.
    """
    last = 0
    read = _reader(list[_Row])
    while rows := read(connection.scalar(_select_rows(), {"after": last})):
        for identity, at, author, parts, image_id, told in rows:
            when = datetime.fromisoformat(at).timestamp()
            told_parts = _parts(connection, identity) if parts else iter([told or _NOTHING])
            for images, groups in told_parts:
                own = images if image_id is None else (image_id,)
                yield EditAccount(when, author, own, groups)
        last = rows[-1][0]


def _parts(connection: sa.Connection, edit_id: int) -> Iterator[_Told]:
    """Yield what the parts of a long edit tell; nothing once where none of them does."""
    last = -1
    read = _reader(list[tuple[int, _Told]])
    while rows := read(connection.scalar(_select_parts(), {"edit": edit_id, "after": last})):
        for _, told in rows:
            yield told
        last = rows[-1][0]
    if last < 0:
        yield _NOTHING


@cache
def _reader(kind: Any) -> Callable[[str], Any]:
    # What only writes an edit does without it.
    import msgspec

    return msgspec.json.Decoder(kind).decode


@cache
def _select_rows() -> sa.Select[Any]:
    c = tables.edits.c
    some = (
        sa.select(c.id, c.at, c.author, c.parts, c.image_id, c.account)
        .where(c.state == tables.EntryState.DONE, c.id > sa.bindparam("after"))
        .order_by(c.id)
        .limit(_AT_ONCE)
        .subquery()
        .c
    )
    told = sa.func.json(some.account)
    each = (some.id, some.at, some.author, some.parts, some.image_id, told)
    return sa.select(sa.func.json_group_array(sa.func.json_array(*each)))


@cache
def _select_parts() -> sa.Select[Any]:
    c = tables.edit_parts.c
    some = (
        sa.select(c.number, c.account)
        .where(c.edit_id == sa.bindparam("edit"), c.number > sa.bindparam("after"))
        .where(c.account.is_not(None))
        .order_by(c.number)
        .limit(_AT_ONCE)
        .subquery()
        .c
    )
    each = sa.func.json_array(some.number, sa.func.json(some.account))
    return sa.select(sa.func.json_group_array(each))
