"""How an edit, and what else is kept of a project, is written into its tables."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from maskstudio.annotation.annotation import Annotation, Category, ImageRecord
from maskstudio.annotation.category_map import RuleChange, maps_changed
from maskstudio.annotation.edits import AnnotationChange, CategoryChange, Edit, ImageChange
from maskstudio.storage import accounts, category_maps, journal, tables
from maskstudio.storage.tables import EntryState

# Rows in one IN (...) at most: below every database's limit on parameters.
_CHUNK = 500


def _row_update(table: sa.Table, columns: Sequence[str]) -> sa.Update:
    """Return what gives the row of id `standing` new values."""
    values: dict[str, sa.BindParameter[Any]] = {n: sa.bindparam(f"new_{n}") for n in columns}
    return sa.update(table).where(table.c.id == sa.bindparam("standing")).values(values)


# Built once: that takes SQLAlchemy longer than SQLite takes to carry them out.
_MOVE_ANNOTATION = _row_update(tables.annotations, tables.annotations.columns.keys())
_REWRITE_CONTENT = _row_update(tables.contents, tables.contents.columns.keys())
_CHANGE_IMAGE = _row_update(tables.images, ["state", "rejections", "detection_filter"])
_MARK = _row_update(tables.edits, ["state"])
_COUNT_PARTS = _row_update(tables.edits, ["parts"])
_NOTE = sa.insert(tables.edits)
_NOTE_PART = sa.insert(tables.edit_parts)
_STATE = tables.edits.c.state
_DROP_UNDONE = (
    sa.update(tables.edits).where(_STATE == EntryState.UNDONE).values(state=EntryState.DROPPED)
)


def apply_edit(connection: sa.Connection, edit: Edit) -> None:
    """Bring the tables from before the edit to after it."""
    # Categories come first where they are made and last where they go: annotations refer to them.
    made = [change.after for change in edit.categories if change.after is not None]
    for category in made:
        _put(connection, tables.categories, tables.category_row(category))
    _apply_annotations(connection, edit.annotations)
    if edit.images:
        rows = [
            {"standing": c.image_id} | _renamed(tables.status_values(c.after)) for c in edit.images
        ]
        connection.execute(_CHANGE_IMAGE, rows)
    _apply_rules(connection, edit.rules)
    for reassignment in edit.reassigned:
        connection.execute(tables.reassign_annotations(reassignment))
    ended = [c.before.id for c in edit.categories if c.before is not None and c.after is None]
    for category_id in ended:
        table = tables.categories
        connection.execute(sa.delete(table).where(table.c.id == category_id))


def write_words(connection: sa.Connection, edit: Edit) -> None:
    """Note the attributes that an edit gives, so that they can be offered again."""
    after = (change.after for change in edit.annotations if change.after is not None)
    given = {pair for annotation in after for pair in annotation.attributes}
    if not given:
        return
    table = tables.attribute_words
    query = sa.select(table).where(table.c.name.in_({name for name, _ in given}))
    new = given - {(row.name, row.value) for row in connection.execute(query)}
    if new:
        rows = [{"name": name, "value": value} for name, value in sorted(new)]
        connection.execute(sa.insert(table), rows)


def write_journal(connection: sa.Connection, edit: Edit, *, redoable: bool) -> int:
    """Note an edit as done, and return its id.

    Args:
        connection: in a transaction.
        edit: what was done.
        redoable: something was undone before, which cannot be redone after this.
    """
    if edit.undoable and redoable:
        connection.execute(_DROP_UNDONE)
    return _write_entry(connection, edit, journal.pack_changes(edit))


def begin_long_entry(connection: sa.Connection, title: str, author: str) -> int:
    """Note a long edit, of which no part is there yet, as done; return its id."""
    return _write_entry(connection, Edit(title, author), b"")


def write_part(connection: sa.Connection, entry: int, number: int, part: Edit) -> None:
    """Write a part of a long edit into the journal."""
    account = accounts.account_text(part, part=True)
    row = {"edit_id": entry, "number": number, "account": account}
    connection.execute(_NOTE_PART, row | {"changes": journal.pack_changes(part)})


def end_long_entry(connection: sa.Connection, entry: int, parts: int) -> None:
    """Note how many parts a long edit has; what was undone before cannot be redone after it.

    Without any there was nothing to do, and nothing is noted.
    """
    if not parts:
        connection.execute(sa.delete(tables.edits).where(tables.edits.c.id == entry))
        return
    connection.execute(_DROP_UNDONE)
    connection.execute(_COUNT_PARTS, {"standing": entry, "new_parts": parts})


def _write_entry(connection: sa.Connection, edit: Edit, changes: bytes) -> int:
    image_ids = edit.image_ids
    entry = {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "title": edit.title,
        "author": edit.author,
        "undoable": edit.undoable,
        "state": EntryState.DONE,
        "image_id": image_ids[0] if len(image_ids) == 1 else None,
        "parts": 0,
        "account": accounts.account_text(edit),
        "changes": changes,
    }
    key = connection.execute(_NOTE, entry).inserted_primary_key
    return int(key[0]) if key else 0


def mark_entry(connection: sa.Connection, entry: int, state: EntryState) -> None:
    """Note that an edit of the journal was undone or redone."""
    connection.execute(_MARK, {"standing": entry, "new_state": state})


def write_sizes(connection: sa.Connection, sizes: Mapping[int, tuple[int, int]]) -> None:
    """Note sizes of images, image id to (height, width)."""
    if not sizes:
        return
    table = tables.images
    query = sa.update(table).where(table.c.id == sa.bindparam("image"))
    connection.execute(
        query.values(height=sa.bindparam("rows"), width=sa.bindparam("columns")),
        [{"image": i, "rows": height, "columns": width} for i, (height, width) in sizes.items()],
    )


def rehearse(connection: sa.Connection) -> None:
    """Write the gestures of a hand and their undo, for the caller to roll back.

    SQLAlchemy compiles a statement when it is first used, and the first gesture would wait for it.
    """
    image = ImageRecord(0, "", 1, 1)
    connection.execute(sa.insert(tables.images).values(tables.image_row(image)))
    made = (CategoryChange(None, Category(0, "")), CategoryChange(None, Category(-1, " ")))
    # Without an outline: the library for outlines is loaded with the first image.
    first = Annotation(0, 0, None, (0, 0, 1, 1))
    drawn = Edit("", "", (AnnotationChange(0, None, first),), categories=made)
    moved = Edit("", "", (AnnotationChange(0, first, replace(first, category_id=-1)),))
    verified = Edit("", "", images=(ImageChange(0, image.status, image.status),))
    for edit in (drawn, verified, moved, drawn.inverse()):
        apply_edit(connection, edit)
        mark_entry(connection, write_journal(connection, edit, redoable=True), EntryState.DROPPED)
    write_setting(connection, "", 0)
    write_sizes(connection, {image.id: (1, 1)})
    for state, latest in ((EntryState.DONE, True), (EntryState.UNDONE, False)):
        journal.next_entries(connection, state, latest=latest)


def write_setting(connection: sa.Connection, key: str, value: Any) -> None:
    """Keep a value (any JSON value) with the project."""
    _put(connection, tables.settings, {"key": key, "value": json.dumps(value)})


def _apply_rules(connection: sa.Connection, changes: Sequence[RuleChange]) -> None:
    if not changes:
        return
    key, table = category_maps.SETTING, tables.settings
    stored = connection.scalar(sa.select(table.c.value).where(table.c.key == key))
    maps = category_maps.maps_from(json.loads(stored or "{}"))
    write_setting(connection, key, category_maps.plain_maps(maps_changed(maps, changes)))


def _apply_annotations(connection: sa.Connection, changes: Sequence[AnnotationChange]) -> None:
    table = tables.annotations
    if len(changes) == 1 and changes[0].before and changes[0].after:
        # What a hand does most: one statement less than below.
        _change_annotation(connection, changes[0].image_id, changes[0].before, changes[0].after)
        return
    gone = [c.before.id for c in changes if c.before is not None]
    for start in range(0, len(gone), _CHUNK):
        chunk = table.c.id.in_(gone[start : start + _CHUNK])
        connection.execute(sa.delete(table).where(chunk))
    if any(c.after is not None for c in changes):
        for insertion in tables.insert_annotations(changes):
            connection.execute(insertion)


def _change_annotation(
    connection: sa.Connection, image_id: int, before: Annotation, after: Annotation
) -> None:
    row = tables.annotation_row(image_id, after)
    if row != tables.annotation_row(image_id, before):
        connection.execute(_MOVE_ANNOTATION, {"standing": before.id} | _renamed(row))
    row = tables.content_row(after)
    connection.execute(_REWRITE_CONTENT, {"standing": after.id} | _renamed(row))


def _renamed(row: dict[str, Any]) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in row.items()}


def _put(connection: sa.Connection, table: sa.Table, row: dict[str, Any]) -> None:
    """Insert a row, or replace the one with its primary key."""
    key = next(iter(table.primary_key))
    values = {name: value for name, value in row.items() if name != key.name}
    updated = connection.execute(sa.update(table).where(key == row[key.name]).values(values))
    if not updated.rowcount:
        connection.execute(sa.insert(table).values(row))
