"""A project that refuses every write for a while."""

import sqlite3
from contextlib import closing
from pathlib import Path


def break_database(folder: Path) -> None:
    """Make every write fail, as a full disk does: nothing can be added to the journal."""
    with closing(sqlite3.connect(folder / ".maskstudio" / "project.db")) as connection:
        connection.execute("ALTER TABLE edits RENAME TO edits_away")


def mend_database(folder: Path) -> None:
    """Let writes succeed again."""
    with closing(sqlite3.connect(folder / ".maskstudio" / "project.db")) as connection:
        connection.execute("ALTER TABLE edits_away RENAME TO edits")
