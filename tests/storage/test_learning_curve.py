"""The learning curve stays with the project."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from maskstudio.annotation.effort import Effort
from maskstudio.annotation.learning_curve import CurvePoint
from maskstudio.errors import UserError
from maskstudio.storage.opening import open_project

FIRST = CurvePoint(
    2,
    datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC),
    "nuclei",
    "nuclei + cells",
    6,
    Effort(1, 2, 3, 4, 5, 60, 700),
    Effort(2, 0, 0, 0, 0, 1, 700),
)
SECOND = replace(FIRST, image_id=1, at=datetime(2026, 3, 1, 12, 0, 2, tzinfo=UTC), learned=None)


def test_points_are_there_when_the_project_is_opened_again_the_oldest_first(folder: Path) -> None:
    with open_project(folder) as database:
        database.add_images(["a.png", "b.png"])
        database.note_learning(1, SECOND)
        database.note_learning(2, FIRST)
    with open_project(folder) as database:
        assert database.learning_curve() == [FIRST, SECOND]


def test_an_image_has_one_point_or_none(folder: Path) -> None:
    with open_project(folder) as database:
        database.add_images(["a.png", "b.png"])
        database.note_learning(2, FIRST)
        database.note_learning(2, replace(FIRST, counts=False))
        assert database.learning_curve() == [replace(FIRST, counts=False)]
        database.note_learning(2, None)
        assert database.learning_curve() == []
        assert database.history().undo is None


def test_nothing_is_written_into_a_project_open_for_reading(folder: Path) -> None:
    with open_project(folder) as database:
        database.add_images(["a.png", "b.png"])
    with open_project(folder, read_only=True) as database, pytest.raises(UserError):
        database.note_learning(2, FIRST)
