"""What models did to images, found in the journal."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from maskstudio.annotation.annotation import Annotation, Category, ImageRecord
from maskstudio.annotation.edits import PERSON, AnnotationChange, CategoryChange, Edit
from maskstudio.storage import predictions
from maskstudio.storage.opening import open_project
from maskstudio.storage.project import ProjectDatabase


@pytest.fixture
def database(folder: Path) -> Iterator[ProjectDatabase]:
    """A project of two images and a category."""
    with open_project(folder) as made:
        made.add_images(["a.png", "b.png"])
        made.commit(Edit("", categories=(CategoryChange(None, Category(1, "cell")),)))
        yield made


def put(database: ProjectDatabase, author: str, *images: ImageRecord) -> tuple[int, ...]:
    """Have an author put a box on each of the images, as one edit; return the boxes' ids."""
    ids = database.take_annotation_ids()
    boxes = [Annotation(next(ids), 1, None, (0, 0, 5, 5)) for _ in images]
    pairs = zip(images, boxes, strict=True)
    changes = tuple(AnnotationChange(image.id, None, box) for image, box in pairs)
    database.commit(Edit("", author, changes, undoable=False))
    return tuple(box.id for box in boxes)


def by_last(database: ProjectDatabase, image: ImageRecord) -> list[int]:
    found = database.by_last_model(image.id)
    return [c.after.id for edit in found for c in edit.annotations if c.after is not None]


def test_only_what_came_after_another_model_counts(database: ProjectDatabase) -> None:
    first, second = database.images()
    put(database, "model:old", first)
    put(database, PERSON, first)
    assert by_last(database, first) == []
    assert database.predicted_again() == []
    (one,) = put(database, "model:new", first)
    put(database, PERSON, first)
    (two,) = put(database, "model:new", first)
    put(database, "model:new", second)
    assert by_last(database, first) == [one, two]
    assert by_last(database, second) == []
    assert database.predicted_again() == [first.id]


def test_what_comes_in_from_files_is_no_model(database: ProjectDatabase) -> None:
    first, _ = database.images()
    put(database, "import:a.json", first)
    put(database, "model:new", first)
    assert by_last(database, first) == []


def test_both_questions_are_answered_from_the_index(database: ProjectDatabase) -> None:
    asked: list[tuple[str, Any]] = []
    first, _ = database.images()

    def note(_: object, __: object, statement: str, values: Any, *___: object) -> None:
        asked.append((statement, values))

    engine = sa.create_engine(f"sqlite:///{database.folder / '.maskstudio' / 'project.db'}")
    with engine.connect() as connection:
        sa.event.listen(engine, "before_cursor_execute", note)
        predictions.predicted_again(connection)
        predictions.of_last_model(connection, first.id)
        sa.event.remove(engine, "before_cursor_execute", note)
        for statement, values in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            assert "COVERING INDEX edits_of_models" in plan.all()[0].detail
    engine.dispose()
    assert len(asked) == 2
