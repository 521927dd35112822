"""The project database: images, categories, annotations and the journal of edits.

It lies in `<folder>/.maskstudio/project.db`. Everything that changes it is one transaction that is
on the disk when the call returns. The methods may be called from any thread; only one thread may
change the project.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from filelock import BaseFileLock
from sqlalchemy.exc import DBAPIError, IntegrityError

from maskstudio.annotation.annotation import (
    Annotation,
    Category,
    Dataset,
    ImageRecord,
    ImageState,
)
from maskstudio.annotation.edits import Edit, ImageContent, keeping_used, rebased, with_free_names
from maskstudio.errors import UserError
from maskstudio.storage import tables
from maskstudio.storage.images import natural_key

FOLDER_NAME = ".maskstudio"
DATABASE_NAME = "project.db"

# Rows in one IN (...) at most: below every database's limit on parameters.
_CHUNK = 500


@dataclass(frozen=True)
class HistoryState:
    """What can be undone and redone: the titles, or None."""

    undo: str | None
    redo: str | None


class ProjectDatabase:
    """An open project. Close it with `close`, or use it as a context manager."""

    def __init__(self, folder: Path, engine: sa.Engine, lock: BaseFileLock | None) -> None:
        """Use `open_project`."""
        self.folder = folder
        self._engine = engine
        self._lock = lock
        self._unwritten_sizes: dict[int, tuple[int, int]] = {}
        self._opened_file = self._file_identity()
        with self._reading() as connection:
            highest = connection.scalar(sa.select(sa.func.max(tables.annotations.c.id))) or 0
            category = connection.scalar(sa.select(sa.func.max(tables.categories.c.id))) or 0
        self._next_annotation_id = max(highest, int(self.setting("last_annotation_id", 0))) + 1
        self._last_category_id = max(category, int(self.setting("last_category_id", 0)))

    def __enter__(self) -> "ProjectDatabase":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def read_only(self) -> bool:
        """True when another process holds the project, or the caller asked for it."""
        return self._lock is None

    def close(self) -> None:
        """Write what is left and let go of the files."""
        if self._unwritten_sizes and not self.read_only:
            with suppress(UserError), self._writing():
                pass
        self._engine.dispose()
        if self._lock is not None:
            self._lock.release()

    def images(self) -> list[ImageRecord]:
        """Return every image, in natural order of the paths."""
        with self._reading() as connection:
            return _images(connection)

    def add_images(self, paths: Iterable[str]) -> list[ImageRecord]:
        """Take images into the project that are not in it yet; return the new ones.

        Args:
            paths: POSIX, relative to the folder.
        """
        with self._writing() as connection:
            known = set(connection.scalars(sa.select(tables.images.c.path)))
            new = [tables.image_row(path) for path in dict.fromkeys(paths) if path not in known]
            if not new:
                return []
            before = connection.scalar(sa.select(sa.func.max(tables.images.c.id))) or 0
            connection.execute(sa.insert(tables.images), new)
            query = sa.select(tables.images).where(tables.images.c.id > before)
            return [tables.image_from_row(row) for row in connection.execute(query)]

    def set_size(self, image_id: int, height: int, width: int) -> None:
        """Note the size of an image, once its file has been read.

        It is written with the next change, or on closing: a size can always be read again, and
        looking at an image must not wait for the disk.
        """
        self._unwritten_sizes[image_id] = (height, width)

    def annotation_counts(self) -> dict[int, int]:
        """Return how many annotations stand on each image that has any."""
        column = tables.annotations.c.image_id
        with self._reading() as connection:
            rows = connection.execute(sa.select(column, sa.func.count()).group_by(column))
            return {row[0]: row[1] for row in rows}

    def annotations(self, image_id: int) -> tuple[Annotation, ...]:
        """Return the annotations of one image, back to front."""
        with self._reading() as connection:
            return _annotations(connection, [image_id]).get(image_id, ())

    def categories(self) -> tuple[Category, ...]:
        """Return the categories by id."""
        with self._reading() as connection:
            return _categories(connection)

    def dataset(self, states: Iterable[ImageState]) -> Dataset:
        """Return the images in these states with all their annotations, as one value."""
        wanted = frozenset(states)
        with self._reading() as connection:
            # One state of the project, whatever another process writes meanwhile.
            connection.exec_driver_sql("BEGIN")
            images = tuple(record for record in _images(connection) if record.state in wanted)
            annotations = _annotations(connection, [record.id for record in images])
            return Dataset(_categories(connection), images, annotations)

    def take_annotation_ids(self) -> Iterator[int]:
        """Yield ids for new annotations; none is ever given twice."""
        while True:
            self._next_annotation_id += 1
            yield self._next_annotation_id - 1

    def next_category_id(self) -> int:
        """Return the id for a new category; one that was deleted never gives its own to another."""
        return self._last_category_id + 1

    def category_uses(self, category_id: int) -> dict[int, int]:
        """Return how many annotations of a category stand on each image that has any."""
        table = tables.annotations
        query = sa.select(table.c.image_id, sa.func.count()).group_by(table.c.image_id)
        with self._reading() as connection:
            rows = connection.execute(query.where(table.c.category_id == category_id))
            return {row[0]: row[1] for row in rows}

    def commit(self, edit: Edit) -> None:
        """Apply an edit and write it into the journal, in one transaction.

        Raises:
            UserError: it could not be written; nothing has changed then.
        """
        with self._writing() as connection:
            _apply(connection, edit)
            if edit.undoable:
                connection.execute(
                    sa.update(tables.edits)
                    .where(tables.edits.c.state == "undone")
                    .values(state="dropped")
                )
            connection.execute(
                sa.insert(tables.edits).values(
                    at=datetime.now(UTC).isoformat(timespec="milliseconds"),
                    title=edit.title,
                    author=edit.author,
                    undoable=edit.undoable,
                    state="done",
                    changes=tables.pack_changes(edit),
                )
            )
            if any(change.before is None for change in edit.annotations):
                _write_setting(connection, "last_annotation_id", self._next_annotation_id - 1)
            made = [change.after.id for change in edit.categories if change.after]
            last_category_id = max([self._last_category_id, *made])
            if made:
                _write_setting(connection, "last_category_id", last_category_id)
        self._last_category_id = last_category_id

    def undo(self, known: Mapping[int, ImageContent] = MappingProxyType({})) -> Edit | None:
        """Take back the last edit that can be taken back; return what was changed, or None.

        Args:
            known: images by id as they are now, so that they need not be read.
        """
        return self._step("done", "undone", known, latest=True)

    def redo(self, known: Mapping[int, ImageContent] = MappingProxyType({})) -> Edit | None:
        """Bring back the edit undone last; see `undo`."""
        return self._step("undone", "done", known, latest=False)

    def history(self) -> HistoryState:
        """Return the titles of what undo and redo would do."""
        with self._reading() as connection:
            undo = connection.execute(_next_edit("done", latest=True)).first()
            redo = connection.execute(_next_edit("undone", latest=False)).first()
        return HistoryState(undo.title if undo else None, redo.title if redo else None)

    def setting(self, key: str, default: Any) -> Any:
        """Return a value kept with the project (any JSON value)."""
        query = sa.select(tables.settings.c.value).where(tables.settings.c.key == key)
        with self._reading() as connection:
            found = connection.scalar(query)
        return default if found is None else json.loads(found)

    def set_setting(self, key: str, value: Any) -> None:
        """Keep a value (any JSON value) with the project."""
        with self._writing() as connection:
            _write_setting(connection, key, value)

    def _step(
        self, state: str, new_state: str, known: Mapping[int, ImageContent], *, latest: bool
    ) -> Edit | None:
        with self._writing() as connection:
            row = connection.execute(_next_edit(state, latest=latest)).first()
            if row is None:
                return None
            edit = tables.edit_from_row(row)
            edit = edit.inverse() if latest else edit
            unknown = [i for i in edit.image_ids if i not in known]
            edit = rebased(edit, {**known, **_contents(connection, unknown)})
            edit = keeping_used(edit, _uses(connection, edit))
            edit = with_free_names(edit, _categories(connection))
            _apply(connection, edit)
            connection.execute(
                sa.update(tables.edits).where(tables.edits.c.id == row.id).values(state=new_state)
            )
            return edit

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise UserError(f"{self._path} cannot be read ({error.orig}).") from error

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        if self.read_only:
            raise UserError(f"{self.folder} is open for reading only; nothing was changed.")
        if self._file_identity() != self._opened_file:
            # SQLite would go on writing into the file that nobody finds again.
            raise UserError(
                f"{self._path} is no longer where it was opened: the folder was moved, renamed or "
                "deleted; put it back and do it again, or open it where it is now."
            )
        try:
            with self._engine.begin() as connection:
                _write_sizes(connection, self._unwritten_sizes)
                yield connection
            self._unwritten_sizes.clear()
        except IntegrityError as error:
            raise UserError(
                "That cannot be done: something else in the project depends on it, or has its name."
            ) from error
        except DBAPIError as error:
            raise UserError(
                f"{self._path} cannot be written ({error.orig}); free some disk space or check the "
                "folder, then do it again. What was saved before is safe."
            ) from error

    @property
    def _path(self) -> Path:
        return self.folder / FOLDER_NAME / DATABASE_NAME

    def _file_identity(self) -> tuple[int, int] | None:
        """Tell which file stands where the database was opened; None when there is none."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino


def _images(connection: sa.Connection) -> list[ImageRecord]:
    rows = connection.execute(sa.select(tables.images))
    records = [tables.image_from_row(row) for row in rows]
    return sorted(records, key=lambda record: natural_key(record.path))


def _categories(connection: sa.Connection) -> tuple[Category, ...]:
    rows = connection.execute(sa.select(tables.categories).order_by(tables.categories.c.id))
    return tuple(tables.category_from_row(row) for row in rows)


def _annotations(
    connection: sa.Connection, image_ids: Sequence[int]
) -> dict[int, tuple[Annotation, ...]]:
    found: dict[int, tuple[Annotation, ...]] = {}
    for start in range(0, len(image_ids), _CHUNK):
        query = tables.select_annotations(image_ids[start : start + _CHUNK])
        for row in connection.execute(query):
            found[row[0]] = tables.annotations_from_text(row[1])
    return found


def _contents(connection: sa.Connection, image_ids: Sequence[int]) -> dict[int, ImageContent]:
    records: list[ImageRecord] = []
    for start in range(0, len(image_ids), _CHUNK):
        chunk = tables.images.c.id.in_(image_ids[start : start + _CHUNK])
        rows = connection.execute(sa.select(tables.images).where(chunk))
        records += [tables.image_from_row(row) for row in rows]
    found = _annotations(connection, image_ids)
    return {
        record.id: ImageContent(record, {a.id: a for a in found.get(record.id, ())})
        for record in records
    }


def _uses(connection: sa.Connection, edit: Edit) -> dict[int, list[int]]:
    """Return the annotations of each category that an edit takes away."""
    table = tables.annotations
    gone = [c.before.id for c in edit.categories if c.after is None and c.before is not None]
    return {
        category_id: list(
            connection.scalars(sa.select(table.c.id).where(table.c.category_id == category_id))
        )
        for category_id in gone
    }


def _next_edit(state: str, *, latest: bool) -> sa.Select[Any]:
    table = tables.edits
    order = table.c.id.desc() if latest else table.c.id.asc()
    return sa.select(table).where(table.c.state == state, table.c.undoable).order_by(order).limit(1)


def _apply(connection: sa.Connection, edit: Edit) -> None:
    """Bring the tables from before the edit to after it."""
    # Categories come first where they are made and last where they go: annotations refer to them.
    for change in edit.categories:
        if change.after is not None:
            _put(connection, tables.categories, tables.category_row(change.after))
    gone = [c.before.id for c in edit.annotations if c.before is not None]
    for start in range(0, len(gone), _CHUNK):
        chunk = tables.annotations.c.id.in_(gone[start : start + _CHUNK])
        connection.execute(sa.delete(tables.annotations).where(chunk))
    if any(c.after is not None for c in edit.annotations):
        connection.execute(tables.insert_annotations(edit.annotations))
    for image in edit.images:
        connection.execute(
            sa.update(tables.images)
            .where(tables.images.c.id == image.image_id)
            .values(tables.status_values(image.after))
        )
    for change in edit.categories:
        if change.after is None and change.before is not None:
            table = tables.categories
            connection.execute(sa.delete(table).where(table.c.id == change.before.id))


def _write_sizes(connection: sa.Connection, sizes: Mapping[int, tuple[int, int]]) -> None:
    if not sizes:
        return
    table = tables.images
    query = sa.update(table).where(table.c.id == sa.bindparam("image"))
    connection.execute(
        query.values(height=sa.bindparam("rows"), width=sa.bindparam("columns")),
        [{"image": i, "rows": height, "columns": width} for i, (height, width) in sizes.items()],
    )


def _write_setting(connection: sa.Connection, key: str, value: Any) -> None:
    _put(connection, tables.settings, {"key": key, "value": json.dumps(value)})


def _put(connection: sa.Connection, table: sa.Table, row: dict[str, Any]) -> None:
    """Insert a row, or replace the one with its primary key."""
    key = next(iter(table.primary_key))
    values = {name: value for name, value in row.items() if name != key.name}
    updated = connection.execute(sa.update(table).where(key == row[key.name]).values(values))
    if not updated.rowcount:
        connection.execute(sa.insert(table).values(row))
