"""The edits of a project as they are stored, one after another."""

import json
import zlib
from functools import cache
from typing import Any

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
from maskstudio.storage import tables
from maskstudio.storage.category_maps import plain_rule, rule_from
from maskstudio.storage.plain import (
    annotation_from,
    category_from,
    outlines_of,
    plain_annotation,
    plain_category,
    plain_status,
    status_from,
)

_LONG_OUTLINE = 4096
"""Characters of an outline from which on only what differs is written into the journal."""

_QUICK_TO_PACK = 64 * 1024
"""Bytes that zlib packs in about a millisecond."""


@cache
def titles() -> sa.Select[Any]:
    """Select the titles of the edits that undo and redo meet next."""
    title = tables.edits.c.title
    undo = next_entries("done", latest=True).limit(1).with_only_columns(title).scalar_subquery()
    redo = next_entries("undone", latest=False).limit(1).with_only_columns(title).scalar_subquery()
    return sa.select(undo, redo)


@cache
def next_entries(state: str, *, latest: bool) -> sa.Select[Any]:
    """Select the entry (id, title) that undo or redo meets next, and the one after it."""
    table = tables.edits
    order = table.c.id.desc() if latest else table.c.id.asc()
    query = sa.select(table.c.id, table.c.title).where(table.c.state == state, table.c.undoable)
    return query.order_by(order).limit(2)


def read_edit(connection: sa.Connection, entry: int) -> Edit:
    """Read an edit from the journal by its id."""
    query = sa.select(tables.edits).where(tables.edits.c.id == entry)
    return _edit_from_row(connection.execute(query).one())


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
    packed = json.dumps(told).encode()
    # The journal is written between two gestures. Level 1 packs nearly as well as 6, but a long
    # outline drawn by hand not at all well: while a person waits it is stored as it is.
    waiting = edit.undoable and len(packed) > _QUICK_TO_PACK
    return zlib.compress(packed, 0 if waiting else 1)


def _edit_from_row(row: sa.Row[Any]) -> Edit:
    """Read an edit from the journal."""
    told = json.loads(zlib.decompress(row.changes))
    for _, before, after in told["annotations"]:
        _fill_in(before, after)
    outlines = outlines_of([one for _, *pair in told["annotations"] for one in pair if one])
    return Edit(
        row.title,
        row.author,
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
        undoable=row.undoable,
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
