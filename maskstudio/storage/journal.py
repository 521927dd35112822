"""The edits of a project as they are stored, one after another."""

import json
import zlib
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from maskstudio.annotation.category_map import RuleChange
from maskstudio.annotation.edits import (
    AnnotationChange,
    CategoryChange,
    Edit,
    ImageChange,
    Reassignment,
)
from maskstudio.annotation.history import HistoryState
from maskstudio.storage import tables
from maskstudio.storage.category_maps import plain_rule, rule_from
from maskstudio.storage.plain import (
    annotation_from,
    category_from,
    json_bytes,
    outlines_of,
    plain_annotation,
    plain_category,
    plain_status,
    status_from,
)
from maskstudio.storage.tables import EntryState

_LONG_OUTLINE = 4096
"""Characters of an outline from which on only what differs is written into the journal."""

_QUICK_TO_PACK = 64 * 1024
"""Bytes that zlib packs in about a millisecond."""


_AHEAD = 16
"""Entries read at once; who undoes often undoes several."""


class Entry(NamedTuple):
    """An edit of the journal without its changes.

    Attributes:
        id: its id.
        title: what was done.
        author: who did it.
        parts: how many parts a long one has; 0 of all others.
    """

    id: int
    title: str
    author: str
    parts: int


@cache
def _next_entries(state: EntryState, *, latest: bool) -> sa.Select[Any]:
    c = tables.edits.c
    order = c.id.desc() if latest else c.id.asc()
    query = sa.select(c.id, c.title, c.author, c.parts).where(c.state == state, c.undoable)
    return query.order_by(order).limit(_AHEAD)


def next_entries(connection: sa.Connection, state: EntryState, *, latest: bool) -> list[Entry]:
    """Return the entry that undo or redo meets next, and some of those after it."""
    return [Entry(*row) for row in connection.execute(_next_entries(state, latest=latest))]


def history(connection: sa.Connection) -> HistoryState:
    """Return what undo and redo would meet."""
    undo = next_entries(connection, EntryState.DONE, latest=True)[:1]
    redo = next_entries(connection, EntryState.UNDONE, latest=False)[:1]
    return history_of(next(iter(undo), None), next(iter(redo), None))


def history_of(undo: Entry | None, redo: Entry | None) -> HistoryState:
    """Return the history whose next entries are these."""
    titles = (undo and undo.title, redo and redo.title)
    return HistoryState(*titles, bool(undo and undo.parts), bool(redo and redo.parts))


def read_edit(connection: sa.Connection, entry: Entry) -> Edit:
    """Read an edit from the journal that is not a long one."""
    c = tables.edits.c
    query = sa.select(c.changes).where(c.id == entry.id)
    return _unpacked(entry, connection.execute(query).scalar_one())


def read_entry(connection: sa.Connection, entry_id: int) -> Edit:
    """Read an edit that is not a long one by the id of its entry."""
    c = tables.edits.c
    query = sa.select(c.id, c.title, c.author, c.parts, c.changes).where(c.id == entry_id)
    *told, changes = connection.execute(query).one()
    return _unpacked(Entry(*told), changes)


def read_part(connection: sa.Connection, entry: Entry, number: int) -> Edit:
    """Read one part of a long edit."""
    c = tables.edit_parts.c
    query = sa.select(c.changes).where(c.edit_id == entry.id, c.number == number)
    return _unpacked(entry, connection.execute(query).scalar_one())


def pack_changes(edit: Edit) -> bytes:
    """Return the changes of an edit for the journal."""
    told = {
        "annotations": [_plain_change(c) for c in edit.annotations],
        "images": [
            [c.image_id, plain_status(c.before), plain_status(c.after)] for c in edit.images
        ],
        "categories": [
            [plain_category(c.before), plain_category(c.after)] for c in edit.categories
        ],
        "reassigned": [[r.before, r.after, r.annotation_ids] for r in edit.reassigned],
        "rules": [
            [r.model_id, r.name, plain_rule(r.before), plain_rule(r.after)] for r in edit.rules
        ],
    }
    packed = json_bytes(told)
    # The journal is written between two gestures. Level 1 packs nearly as well as 6, but a long
    # outline drawn by hand not at all well: while a person waits it is stored as it is.
    waiting = edit.undoable and len(packed) > _QUICK_TO_PACK
    return zlib.compress(packed, 0 if waiting else 1)


def _unpacked(entry: Entry, changes: bytes) -> Edit:
    told = json.loads(zlib.decompress(changes))
    for _, before, after in told["annotations"]:
        _fill_in(before, after)
    outlines = outlines_of([one for _, *pair in told["annotations"] for one in pair if one])
    return Edit(
        entry.title,
        entry.author,
        tuple(
            AnnotationChange(
                i, *(one and annotation_from(one, outlines) for one in (before, after))
            )
            for i, before, after in told["annotations"]
        ),
        tuple(
            ImageChange(i, status_from(before), status_from(after))
            for i, before, after in told["images"]
        ),
        tuple(
            CategoryChange(category_from(before), category_from(after))
            for before, after in told["categories"]
        ),
        tuple(Reassignment(before, after, tuple(ids)) for before, after, ids in told["reassigned"]),
        tuple(
            RuleChange(model_id, name, rule_from(before), rule_from(after))
            for model_id, name, before, after in told["rules"]
        ),
    )


def _plain_change(change: AnnotationChange) -> list[Any]:
    before, after = plain_annotation(change.before), plain_annotation(change.after)
    if before and after and before[2] and after[2]:
        after[2] = _difference(before[2], after[2])
    return [change.image_id, before, after]


def _difference(before: str, after: str) -> str | list[Any]:
    """Return what differs of two long outlines, as [where it begins, how much goes, what comes].

    A vertex moved is a few bytes of the hundred thousand that an outline may have.
    """
    if len(before) != len(after) or len(after) < _LONG_OUTLINE:
        return after
    old, new = (np.frombuffer(one.encode("ascii"), np.uint8) for one in (before, after))
    places = np.flatnonzero(old != new)
    first, end = (int(places[0]), int(places[-1]) + 1) if len(places) else (0, 0)
    return [first, end - first, after[first:end]]


def _fill_in(before: list[Any] | None, after: list[Any] | None) -> None:
    """Make the outline whole of which only the difference was stored."""
    if before and after and isinstance(after[2], list):
        first, length, text = after[2]
        after[2] = before[2][:first] + text + before[2][first + length :]
