"""A table in a file beside a project that one may delete: what is in it can be found again."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

Stamp = tuple[int, int]
"""Length of a file, and the time it was changed last in nanoseconds: by it a change is noticed."""


def file_stamps(folder: Path, paths: Iterable[str]) -> dict[str, Stamp]:
    """Return the stamps of those files that are there."""
    found = {}
    for path in paths:
        try:
            status = (folder / path).stat()
        except OSError:
            continue
        found[path] = (status.st_size, status.st_mtime_ns)
    return found


class CacheFile:
    """One table of SQLite. What goes wrong with it only means that its rows are found again."""

    def __init__(self, path: Path, name: str, columns: Sequence[str]) -> None:
        """Open the file, made anew where it is not there or is damaged.

        Args:
            path: the file; its folder must be there, or nothing is kept.
            name: of the table.
            columns: of the table, each with its type; the first is its key.
        """
        self._path = path
        self._name = name
        self._places = ", ".join("?" * len(columns))
        self._connection: sqlite3.Connection | None = None
        with self._failing_quietly():
            self._connection = sqlite3.connect(path, timeout=1)
            # What is lost with the power is found again.
            self._connection.execute("PRAGMA synchronous=OFF")
            first, *others = columns
            table = ", ".join([f"{first} PRIMARY KEY", *others])
            self._connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({table})")

    def rows(self) -> list[tuple[Any, ...]]:
        """Return every row."""
        with self._failing_quietly():
            if self._connection is not None:
                query = f"SELECT * FROM {self._name}"
                return self._connection.execute(query).fetchall()
        return []

    def write(self, rows: Iterable[Sequence[object]]) -> None:
        """Keep rows, in place of those with the same keys."""
        kept = list(rows)
        with self._failing_quietly():
            if self._connection is not None and kept:
                with self._connection:
                    self._connection.executemany(
                        f"INSERT OR REPLACE INTO {self._name} VALUES ({self._places})", kept
                    )

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def remove(self) -> None:
        """Let go of the file and delete it: it is damaged."""
        self.close()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    @contextmanager
    def _failing_quietly(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError:  # not to be written here, or in use
            self.close()
        except sqlite3.DatabaseError:  # damaged
            self.remove()
