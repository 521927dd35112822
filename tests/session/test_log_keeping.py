"""What a person did is brought from the log into the database while nobody waits for it."""

import sqlite3
from contextlib import closing

from maskstudio.annotation.segmentation import Segmentation
from maskstudio.session.log_keeping import LogKeeping
from maskstudio.session.operations import draw
from support.studio import Studio


def in_the_database_itself(studio: Studio) -> int:
    """Return the annotations that are there without the log."""
    path = studio.session.require_database().folder / ".maskstudio" / "project.db"
    with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as connection:
        return connection.execute("SELECT count(*) FROM annotations").fetchone()[0]


def test_an_edit_comes_from_the_log_into_the_database_by_itself(studio: Studio) -> None:
    LogKeeping(studio.session, studio.tasks)
    draw(studio.session, Segmentation.from_rings([(1, 1), (9, 1), (9, 9)]), None)
    assert in_the_database_itself(studio) == 0
    studio.until(lambda: in_the_database_itself(studio) == 1)
