"""How an edit, and what else is kept of a project, is written into its tables."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.edits import AnnotationChange, Edit
from maskstudio.storage import journal, tables

# Rows in one IN (...) at most: below every database's limit on parameters.
_CHUNK = 500


def _row_update(table: sa.Table, columns: Sequence[str]) -> sa.Update:
    """Return what gives the row of id `standing` new values."""
    values: dict[str, sa.BindParameter[Any]] = {n: sa.bindparam(f"new_{n}") for n in columns}
    return sa.update(table).where(table.c.id == sa.bindparam("standing")).values(values)


# Built once: that takes SQLAlchemy longer than SQLite takes to carry them out.
_MOVE_ANNOTATION = _row_update(tables.annotations, tables.annotations.columns.keys())
_REWRITE_CONTENT = _row_update(tables.contents, tables.contents.columns.keys())
_NOTE = sa.insert(tables.edits)
_DROP_UNDONE = (
    sa.update(tables.edits).where(tables.edits.c.state == "undone").values(state="dropped")
)


def apply_edit(connection: sa.Connection, edit: Edit) -> None:
    """Bring the tables from before the edit to after it."""
    # Categories come first where they are made and last where they go: annotations refer to them.
    made = [change.after for change in edit.categories if change.after is not None]
    for category in made:
        _put(connection, tables.categories, tables.category_row(category))
    _apply_annotations(connection, edit.annotations)
    for image in edit.images:
        connection.execute(
            sa.update(tables.images)
            .where(tables.images.c.id == image.image_id)
            .values(tables.status_values(image.after))
        )
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


def write_journal(connection: sa.Connection, edit: Edit) -> int:
    """Note an edit as done; what was undone before cannot be redone after it. Return its id."""
    if edit.undoable:
        connection.execute(_DROP_UNDONE)
    entry = {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "title": edit.title,
        "author": edit.author,
        "undoable": edit.undoable,
        "state": "done",
        "changes": journal.pack_changes(edit),
    }
    key = connection.execute(_NOTE, entry).inserted_primary_key
    return int(key[0]) if key else 0


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


def write_setting(connection: sa.Connection, key: str, value: Any) -> None:
    """Keep a value (any JSON value) with the project."""
    _put(connection, tables.settings, {"key": key, "value": json.dumps(value)})


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
