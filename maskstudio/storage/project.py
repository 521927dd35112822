"""The project database: images, categories, annotations and the journal of edits.

It lies in `<folder>/.maskstudio/project.db`. Everything that changes it is one transaction that is
on the disk when the call returns. The methods may be called from any thread; those that change the
project wait for one another.
"""

import itertools
import json
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from operator import itemgetter
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
from maskstudio.annotation.edits import Edit, ImageContent
from maskstudio.annotation.history import HistoryState
from maskstudio.annotation.image_facts import ImageFacts
from maskstudio.annotation.rebasing import keeping_used, rebased, with_free_names
from maskstudio.errors import CancelledError, UserError
from maskstudio.storage import facts, journal, tables, writing
from maskstudio.storage.folder import natural_key
from maskstudio.storage.places import DATABASE_NAME, FOLDER_NAME

# Rows in one IN (...) at most: below every database's limit on parameters.
_CHUNK = 500

# So many edits of at most so many annotations need not be read from the journal to be undone.
_MOST_REMEMBERED = 100


@dataclass(frozen=True)
class CategoryUses:
    """How many annotations there are, and on how many images."""

    annotations: int
    images: int


class ProjectDatabase:
    """An open project. Close it with `close`, or use it as a context manager."""

    def __init__(self, folder: Path, engine: sa.Engine, lock: BaseFileLock | None) -> None:
        """Use `open_project`."""
        self.folder = folder
        self._engine = engine
        self._lock = lock
        self._unwritten_sizes: dict[int, tuple[int, int]] = {}
        self._closed = False
        self._recent: dict[int, Edit] = {}
        self._write_lock = threading.RLock()
        self._opened_file = self._file_identity()
        with self._reading() as connection:
            highest = connection.scalar(sa.select(sa.func.max(tables.annotations.c.id))) or 0
            category = connection.scalar(sa.select(sa.func.max(tables.categories.c.id))) or 0
        self._last_annotation_id = max(highest, int(self.setting("last_annotation_id", 0)))
        self._annotation_ids = itertools.count(self._last_annotation_id + 1)
        self._last_category_id = max(category, int(self.setting("last_category_id", 0)))
        # Asked at every gesture; whoever writes knows what it is after it.
        self._history = self._read_history()
        if not self.read_only:
            # What cannot be written, for want of disk space say, is told when there is something.
            with suppress(DBAPIError), self._engine.connect() as connection:
                writing.rehearse(connection)

    def __enter__(self) -> "ProjectDatabase":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def read_only(self) -> bool:
        """True when another process holds the project, or the caller asked for it."""
        return self._lock is None

    def close(self) -> None:
        """Write what is left and let go of the files; what is being written is waited for."""
        with self._write_lock:
            if self._unwritten_sizes and not self.read_only:
                with suppress(UserError), self._writing():
                    pass
            self._engine.dispose()
            if self._lock is not None:
                self._lock.release()
            self._closed = True

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
            column = tables.images.c.path
            wanted = list(dict.fromkeys(paths))
            known: set[str] = set()
            for start in range(0, len(wanted), _CHUNK):
                chunk = column.in_(wanted[start : start + _CHUNK])
                known |= set(connection.scalars(sa.select(column).where(chunk)))
            before = connection.scalar(sa.select(sa.func.max(tables.images.c.id))) or 0
            unknown = (path for path in wanted if path not in known)
            new = [ImageRecord(n, path) for n, path in enumerate(unknown, before + 1)]
            if new:
                connection.execute(sa.insert(tables.images), [tables.image_row(one) for one in new])
            return new

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

    def annotations(self, image_id: int, most: int | None = None) -> tuple[Annotation, ...]:
        """Return the annotations of one image, back to front; at most so many of them."""
        with self._reading() as connection:
            if most is None:
                return _annotations(connection, [image_id]).get(image_id, ())
            text = connection.scalar(tables.select_some(), {"image": image_id, "most": most})
            return tables.annotations_from_text(text or "")

    def categories(self) -> tuple[Category, ...]:
        """Return the categories in the order a person gave them."""
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
            # By id: a person may order them anew, and that is no other data set.
            categories = sorted(_categories(connection), key=lambda category: category.id)
            return Dataset(tuple(categories), images, annotations)

    def take_annotation_ids(self) -> Iterator[int]:
        """Return ids for new annotations; none is ever given twice, whichever thread asks."""
        return self._annotation_ids

    def next_category_id(self) -> int:
        """Return the id for a new category; one that was deleted never gives its own to another."""
        return self._last_category_id + 1

    def category_uses(self, category_ids: Collection[int]) -> CategoryUses:
        """Return how many annotations are of one of these categories."""
        c = tables.annotations.c
        query = sa.select(sa.func.count(), sa.func.count(c.image_id.distinct()))
        with self._reading() as connection:
            row = connection.execute(query.where(c.category_id.in_(category_ids))).one()
            return CategoryUses(row[0], row[1])

    def annotation_ids(self, category_id: int) -> tuple[int, ...]:
        """Return the annotations of a category in the whole project."""
        with self._reading() as connection:
            return tuple(_annotation_ids(connection, category_id))

    def attribute_words(self) -> dict[str, tuple[str, ...]]:
        """Return all attributes ever given in the project: name to its values, both sorted."""
        table = tables.attribute_words
        query = sa.select(table).order_by(table.c.name, table.c.value)
        with self._reading() as connection:
            rows = [(row.name, row.value) for row in connection.execute(query)]
        return {
            name: tuple(value for _, value in group)
            for name, group in itertools.groupby(rows, key=itemgetter(0))
        }

    def image_facts(self, image_ids: Sequence[int]) -> Iterator[tuple[int, ImageFacts]]:
        """Yield the facts of those of these images that hold annotations, with their ids."""
        # In pieces: to read one text of all images would keep the window waiting.
        for start in range(0, len(image_ids), _CHUNK):
            query = facts.select_facts(image_ids[start : start + _CHUNK])
            with self._reading() as connection:
                text = connection.scalar(query)
            yield from facts.facts_from_text(text or "[]")

    def commit(self, edit: Edit) -> None:
        """Apply an edit and write it into the journal, in one transaction.

        Raises:
            UserError: it could not be written; nothing has changed then.
        """
        with self._writing() as connection:
            writing.apply_edit(connection, edit)
            writing.write_words(connection, edit)
            redoable = self._history.redo is not None
            entry = writing.write_journal(connection, edit, redoable=redoable)
            new = [c.after.id for c in edit.annotations if c.after and c.before is None]
            last_annotation_id = max([self._last_annotation_id, *new])
            if new:
                writing.write_setting(connection, "last_annotation_id", last_annotation_id)
            made = [change.after.id for change in edit.categories if change.after]
            last_category_id = max([self._last_category_id, *made])
            if made:
                writing.write_setting(connection, "last_category_id", last_category_id)
        self._last_annotation_id = last_annotation_id
        self._last_category_id = last_category_id
        self._remember(entry, edit)
        if edit.undoable:
            self._history = HistoryState(edit.title, None)

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
        # In a project open for reading only somebody else may be at work.
        return self._read_history() if self.read_only else self._history

    def _read_history(self) -> HistoryState:
        with self._reading() as connection:
            return HistoryState(*connection.execute(journal.titles()).one())

    def setting(self, key: str, default: Any) -> Any:
        """Return a value kept with the project (any JSON value)."""
        query = sa.select(tables.settings.c.value).where(tables.settings.c.key == key)
        with self._reading() as connection:
            found = connection.scalar(query)
        return default if found is None else json.loads(found)

    def set_setting(self, key: str, value: Any) -> None:
        """Keep a value (any JSON value) with the project."""
        with self._writing() as connection:
            writing.write_setting(connection, key, value)

    def _step(
        self, state: str, new_state: str, known: Mapping[int, ImageContent], *, latest: bool
    ) -> Edit | None:
        with self._writing() as connection:
            met = connection.execute(journal.next_entries(state, latest=latest)).all()
            if not met:
                return None
            entry, title = met[0]
            edit = self._recent.get(entry) or journal.read_edit(connection, entry)
            edit = edit.inverse() if latest else edit
            unknown = [i for i in edit.image_ids if i not in known]
            edit = rebased(edit, {**known, **_contents(connection, unknown)})
            if edit.categories:
                edit = keeping_used(edit, _uses(connection, edit))
                edit = with_free_names(edit, _categories(connection))
            writing.apply_edit(connection, edit)
            writing.mark_entry(connection, entry, new_state)
        follows = met[1].title if len(met) > 1 else None
        self._history = HistoryState(follows, title) if latest else HistoryState(title, follows)
        return edit

    def _remember(self, entry: int, edit: Edit) -> None:
        """Keep an edit as it is: what was just done is what is undone most."""
        if len(edit.annotations) <= _MOST_REMEMBERED:
            self._recent[entry] = edit
        while len(self._recent) > _MOST_REMEMBERED:
            self._recent.pop(next(iter(self._recent)))

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
            with self._write_lock, self._engine.begin() as connection:
                if self._closed:
                    # Begun on a lane for a project that was closed meanwhile: it is not ours now.
                    raise CancelledError
                # Others are noted meanwhile, where this is not the GUI thread.
                sizes = dict(self._unwritten_sizes)
                writing.write_sizes(connection, sizes)
                yield connection
            for image_id, size in sizes.items():
                if self._unwritten_sizes.get(image_id) == size:
                    del self._unwritten_sizes[image_id]
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
    records = tables.images_from_text(connection.scalar(tables.select_images()))
    return sorted(records, key=lambda record: natural_key(record.path))


def _categories(connection: sa.Connection) -> tuple[Category, ...]:
    rows = connection.execute(sa.select(tables.categories))
    found = (tables.category_from_row(row) for row in rows)
    return tuple(sorted(found, key=lambda category: category.place))


def _annotations(
    connection: sa.Connection, image_ids: Sequence[int]
) -> dict[int, tuple[Annotation, ...]]:
    found: dict[int, tuple[Annotation, ...]] = {}
    for start in range(0, len(image_ids), _CHUNK):
        chunk = {"ids": image_ids[start : start + _CHUNK]}
        for row in connection.execute(tables.select_annotations(), chunk):
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
    gone = [c.before.id for c in edit.categories if c.after is None and c.before is not None]
    return {category_id: _annotation_ids(connection, category_id) for category_id in gone}


def _annotation_ids(connection: sa.Connection, category_id: int) -> list[int]:
    c = tables.annotations.c
    # As one text: there may be a hundred thousand.
    query = sa.select(sa.func.json_group_array(c.id)).where(c.category_id == category_id)
    ids: list[int] = json.loads(connection.scalar(query) or "[]")
    return ids
