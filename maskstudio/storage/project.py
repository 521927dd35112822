"""The project database: images, categories, annotations and the journal of edits.

It lies in `<folder>/.maskstudio/project.db`. Everything that changes it is one transaction that is
on the disk when the call returns. The methods may be called from any thread; those that change the
project wait for one another.
"""

import itertools
import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from filelock import BaseFileLock
from sqlalchemy.exc import DBAPIError, IntegrityError

from maskstudio.annotation.annotation import ImageRecord
from maskstudio.annotation.edits import Edit, ImageContent
from maskstudio.annotation.history import HistoryState
from maskstudio.annotation.learning_curve import CurvePoint
from maskstudio.errors import CancelledError, UserError
from maskstudio.progress import TaskContext
from maskstudio.storage import journal, learning_curve, long_edits, reading, steps, tables, writing
from maskstudio.storage.stored_project import StoredProject
from maskstudio.storage.tables import EntryState
from maskstudio.storage.unwritten import Unwritten

# So many edits of at most so many annotations need not be read from the journal to be undone.
_MOST_REMEMBERED = 100

_LOOK_AGAIN_S = 0.02
_SILENT = TaskContext()


class ProjectDatabase(StoredProject):
    """An open project. Close it with `close`, or use it as a context manager."""

    def __init__(self, folder: Path, engine: sa.Engine, lock: BaseFileLock | None) -> None:
        """Use `open_project`."""
        super().__init__(folder, engine)
        self._lock = lock
        self._unwritten = Unwritten()
        self._long = False
        self._recent: dict[int, Edit] = {}
        # What undo meets after what it met last, newest first: asked for once in several times.
        self._ahead: list[journal.Entry] = []
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
            if self._unwritten and not self.read_only:
                with suppress(UserError), self._writing():
                    pass
            self._closed = True
            self._engine.dispose()
            if self._lock is not None:
                self._lock.release()

    def catch_up(self) -> None:
        """Bring the log beside the database into it; nobody who reads or writes waits for it."""
        if not self._closed:
            with self._reading() as connection:
                reading.catch_up(connection)

    def add_images(self, paths: Iterable[str]) -> list[ImageRecord]:
        """Take images into the project that are not in it yet; return the new ones.

        Args:
            paths: POSIX, relative to the folder.
        """
        with self._writing() as connection:
            column = tables.images.c.path
            wanted = list(dict.fromkeys(paths))
            known: set[str] = set()
            for start in range(0, len(wanted), reading.CHUNK):
                chunk = column.in_(wanted[start : start + reading.CHUNK])
                known |= set(connection.scalars(sa.select(column).where(chunk)))
            before = connection.scalar(sa.select(sa.func.max(tables.images.c.id))) or 0
            unknown = (path for path in wanted if path not in known)
            new = [ImageRecord(n, path) for n, path in enumerate(unknown, before + 1)]
            if new:
                connection.execute(sa.insert(tables.images), [tables.image_row(one) for one in new])
            return new

    def forget_images(self, image_ids: Iterable[int]) -> None:
        """Take images out of the project again on which nothing was ever done."""
        gone = sa.delete(tables.images).where(tables.images.c.id == sa.bindparam("gone"))
        rows = [{"gone": image_id} for image_id in image_ids]
        if rows:
            with self._writing() as connection:
                connection.execute(gone, rows)

    def set_size(self, image_id: int, height: int, width: int) -> None:
        """Note the size of an image, once its file has been read.

        It is written with the next change, or on closing: a size can always be read again, and
        looking at an image must not wait for the disk.
        """
        self._unwritten.sizes[image_id] = (height, width)

    def take_annotation_ids(self) -> Iterator[int]:
        """Return ids for new annotations; none is ever given twice, whichever thread asks."""
        return self._annotation_ids

    def next_category_id(self) -> int:
        """Return the id for a new category; one that was deleted never gives its own to another."""
        return self._last_category_id + 1

    def commit(self, edit: Edit) -> None:
        """Apply an edit and write it into the journal, in one transaction.

        Raises:
            UserError: it could not be written; nothing has changed then.
        """
        with self._writing() as connection:
            self._ahead = []
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

    def commit_long(
        self, title: str, author: str, edits: Iterable[Edit], context: TaskContext
    ) -> bool:
        """Apply edits, however many, as one edit that is undone and redone as one.

        They are written as they come, and no more than some of them are kept in memory. Others
        may read the project meanwhile, and see nothing of it before it ends.

        Args:
            title: what was done, for the Undo menu.
            author: who did it; see `Edit`.
            edits: made one after another while they are written; what they say of themselves
                does not count.
            context: asked whether to stop.

        Returns:
            False when there was nothing to do.

        Raises:
            UserError: it could not be written; nothing has changed then.
            CancelledError: the person asked to stop; nothing has changed then.
        """
        highest = long_edits.HighestIds(self._last_annotation_id, self._last_category_id)
        with self._writing(long=True) as connection:
            self._ahead = []
            entry = writing.begin_long_entry(connection, title, author)
            parts = long_edits.write_parts(connection, entry, author, edits, highest, context)
            highest.write(connection)
            writing.end_long_entry(connection, entry, parts)
        if not parts:
            return False
        self._last_annotation_id, self._last_category_id = highest.annotation, highest.category
        self._history = HistoryState(title, None, long_undo=True)
        return True

    def undo(
        self,
        known: Mapping[int, ImageContent] = MappingProxyType({}),
        context: TaskContext = _SILENT,
    ) -> Edit | None:
        """Take back the last edit that can be taken back; return what was changed, or None.

        Args:
            known: images by id as they are now, so that they need not be read.
            context: told how far a long one is, and asked whether to stop. Of a long one only the
                title is returned.

        Raises:
            UserError: it could not be written; nothing has changed then.
            CancelledError: the person asked to stop; nothing has changed then.
        """
        return self._step(EntryState.DONE, EntryState.UNDONE, known, context, latest=True)

    def redo(
        self,
        known: Mapping[int, ImageContent] = MappingProxyType({}),
        context: TaskContext = _SILENT,
    ) -> Edit | None:
        """Bring back the edit undone last; see `undo`."""
        return self._step(EntryState.UNDONE, EntryState.DONE, known, context, latest=False)

    def note_learning(self, image_id: int, point: CurvePoint | None) -> None:
        """Keep what learning was worth on an image, or None to keep nothing of it.

        It is no edit: nobody can undo what was found out.
        """
        with self._writing() as connection:
            if point is None:
                learning_curve.drop_point(connection, image_id)
            else:
                learning_curve.write_point(connection, point)

    def history(self) -> HistoryState:
        """Return what undo and redo would do."""
        # In a project open for reading only somebody else may be at work.
        return self._read_history() if self.read_only else self._history

    def _read_history(self) -> HistoryState:
        with self._reading() as connection:
            return journal.history(connection)

    def setting(self, key: str, default: Any) -> Any:
        """Return a value kept with the project (any JSON value)."""
        if key in self._unwritten.settings:
            return self._unwritten.settings[key]
        query = sa.select(tables.settings.c.value).where(tables.settings.c.key == key)
        with self._reading() as connection:
            found = connection.scalar(query)
        return default if found is None else json.loads(found)

    def set_setting(self, key: str, value: Any) -> None:
        """Keep a value (any JSON value) with the project.

        While a long edit is being written nobody waits for that: it is written right after it.
        """
        held = False
        while not (held or self._long):
            held = self._write_lock.acquire(timeout=_LOOK_AGAIN_S)
        if not held:
            self._unwritten.settings[key] = value
            return
        try:
            with self._writing() as connection:
                writing.write_setting(connection, key, value)
        finally:
            self._write_lock.release()

    def _step(
        self,
        state: EntryState,
        new_state: EntryState,
        known: Mapping[int, ImageContent],
        context: TaskContext,
        *,
        latest: bool,
    ) -> Edit | None:
        long = self._history.long_undo if latest else self._history.long_redo
        with self._writing(long=long) as connection:
            known_ahead, self._ahead = self._ahead, []
            if latest and len(known_ahead) > 1:
                met = known_ahead
            else:
                met = journal.next_entries(connection, state, latest=latest)
            if not met:
                return None
            entry = met[0]
            if entry.parts:
                steps.step_long(connection, entry, context, back=latest)
                edit = Edit(entry.title, entry.author)
            else:
                edit = self._recent.get(entry.id) or journal.read_edit(connection, entry)
                edit = steps.step(connection, edit.inverse() if latest else edit, known)
            writing.mark_entry(connection, entry.id, new_state)
        if latest:
            self._ahead = met[1:]
        follows = met[1] if len(met) > 1 else None
        both = (follows, entry) if latest else (entry, follows)
        self._history = journal.history_of(*both)
        return edit

    def _remember(self, entry: int, edit: Edit) -> None:
        """Keep an edit as it is: what was just done is what is undone most."""
        if len(edit.annotations) <= _MOST_REMEMBERED:
            self._recent[entry] = edit
        while len(self._recent) > _MOST_REMEMBERED:
            self._recent.pop(next(iter(self._recent)))

    @contextmanager
    def _writing(self, *, long: bool = False) -> Iterator[sa.Connection]:
        if self.read_only:
            raise UserError(f"{self.folder} is open for reading only; nothing was changed.")
        if self._file_identity() != self._opened_file:
            # SQLite would go on writing into the file that nobody finds again.
            raise UserError(
                f"{self._path} is no longer where it was opened: the folder was moved, renamed or "
                "deleted; put it back and do it again, or open it where it is now."
            )
        try:
            with self._write_lock, self._engine.connect() as connection:
                if self._closed:
                    # Begun on a lane for a project that was closed meanwhile: it is not ours now.
                    raise CancelledError
                with self._marked_long(connection, long=long), connection.begin():
                    noted = self._unwritten.write(connection)
                    if long:
                        long_edits.prepare(connection)
                    yield connection
                self._unwritten.forget(noted)
        except IntegrityError as error:
            raise UserError(
                "That cannot be done: something else in the project depends on it, or has its name."
            ) from error
        except DBAPIError as error:
            raise UserError(
                f"{self._path} cannot be written ({error.orig}); free some disk space or check the "
                "folder, then do it again. What was saved before is safe."
            ) from error

    @contextmanager
    def _marked_long(self, connection: sa.Connection, *, long: bool) -> Iterator[None]:
        self._long = long
        try:
            yield
        finally:
            if long:
                long_edits.tidy(connection)
            self._long = False
            if long and self._unwritten.settings:
                with suppress(UserError), self._writing():
                    pass

    def _file_identity(self) -> tuple[int, int] | None:
        """Tell which file stands where the database was opened; None when there is none."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino
