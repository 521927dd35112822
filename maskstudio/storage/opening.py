"""Open the project of a folder: make its database the first time, lock it, check its version."""

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy.exc import DBAPIError

from maskstudio.errors import UserError
from maskstudio.storage import tables
from maskstudio.storage.files import why
from maskstudio.storage.places import DATABASE_NAME, FOLDER_NAME, has_project
from maskstudio.storage.project import ProjectDatabase

_LOCK_NAME = "lock"


class ProjectLockedError(UserError):
    """Another process has the project open; it can still be opened for reading."""


def open_project(folder: Path, *, read_only: bool = False) -> ProjectDatabase:
    """Open the project of a folder of images; it is made if there is none.

    Args:
        folder: the images' folder.
        read_only: change nothing and take no lock.

    Raises:
        ProjectLockedError: another process has it open; open it for reading then.
        UserError: the folder is missing or not writable, or the database is damaged or of a newer
            program.
    """
    home = folder / FOLDER_NAME
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder; choose the folder that holds the images.")
    if read_only:
        if not has_project(folder):
            raise UserError(f"{folder} holds no project yet, so there is nothing to read.")
        return _open(folder, None)
    try:
        home.mkdir(exist_ok=True)
        lock = FileLock(home / _LOCK_NAME, blocking=False)
        lock.acquire()
    except Timeout as error:
        raise ProjectLockedError(
            f"{folder} is open in another window of MaskStudio; close that, or open for reading."
        ) from error
    except OSError as error:
        raise UserError(f"Work on {folder} cannot be stored in {home}: {why(error)}.") from error
    try:
        return _open(folder, lock)
    except UserError:
        lock.release()
        raise


def _open(folder: Path, lock: FileLock | None) -> ProjectDatabase:
    path = folder / FOLDER_NAME / DATABASE_NAME
    url = _url(path, read_only=lock is None)
    engine = sa.create_engine(url, connect_args={"timeout": 10})
    sa.event.listen(engine, "connect", _set_up_connection)
    try:
        with engine.begin() as connection:
            _check_schema(connection, path, may_create=lock is not None)
        if lock is not None:
            with engine.connect() as connection:
                # Refused quietly by file systems that cannot share memory; the default then stands.
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        return ProjectDatabase(folder, engine, lock)
    except DBAPIError as error:
        engine.dispose()
        raise UserError(
            f"{path} is not a readable project database ({error.orig}); "
            "restore it from a copy, or move it away to begin anew."
        ) from error
    except UserError:
        engine.dispose()
        raise


def _url(path: Path, *, read_only: bool) -> sa.URL:
    log = path.with_name(f"{path.name}-wal")
    if read_only and not os.access(path.parent, os.W_OK) and not log.exists():
        # SQLite wants to write beside the database even to read it. Where it may not, and no log
        # says that somebody else is writing, it is told that nothing will change.
        query = {"mode": "ro", "immutable": "1", "uri": "true"}
        return sa.URL.create("sqlite", database=path.absolute().as_uri(), query=query)
    # Not a string: to SQLAlchemy a question mark in it ends the path.
    return sa.URL.create("sqlite", database=str(path))


def _check_schema(connection: sa.Connection, path: Path, *, may_create: bool) -> None:
    if not sa.inspect(connection).get_table_names() and may_create:
        # All tables or none: Python's sqlite3 begins no transaction for them by itself.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        tables.metadata.create_all(connection)
        first = {"key": "schema_version", "value": json.dumps(tables.SCHEMA_VERSION)}
        connection.execute(sa.insert(tables.settings).values(first))
        return
    query = sa.select(tables.settings.c.value).where(tables.settings.c.key == "schema_version")
    version = connection.scalar(query)
    if version != json.dumps(tables.SCHEMA_VERSION):
        raise UserError(
            f"{path} has version {version}, this program writes {tables.SCHEMA_VERSION}; "
            "open it with the program that made it."
        )


# Pages of the log from which an edit brings it into the database itself, which takes longer than
# writing the edit. The window does so before, while the hand rests.
_LONG_LOG = 8000


def _set_up_connection(connection: Any, _: object) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint={_LONG_LOG}")
    connection.execute("PRAGMA foreign_keys=ON")
