"""What an edit did is kept beside it, and read back for those that were done and not undone."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from maskstudio.annotation.acts import Act
from maskstudio.annotation.annotation import Annotation, ImageState
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.edits import (
    PERSON,
    AnnotationChange,
    Edit,
    ImageContent,
    add,
    by_batch,
    pre_annotate,
    set_state,
    verify,
)
from maskstudio.annotation.ledger import EditAccount
from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.storage.opening import open_project
from maskstudio.storage.project import ProjectDatabase
from storage.children import CELL, draw_all, make_project

Acts = list[tuple[str, tuple[int, ...], list[tuple[Act, tuple[int, ...]]]]]


@pytest.fixture
def project(tmp_path: Path) -> Iterable[ProjectDatabase]:
    with make_project(tmp_path) as database:
        database.add_images(["b.png"])
        yield database


def accounts(project: ProjectDatabase) -> list[EditAccount]:
    with project.reading_accounts() as read:
        return list(read)


def told(project: ProjectDatabase) -> Acts:
    """Return author, images, and acts with their objects, of each edit that concerns an image."""
    return [
        (one.author, one.image_ids, [(Act(g.act), g.annotation_ids) for g in one.groups])
        for one in accounts(project)
        if one.image_ids
    ]


def content(project: ProjectDatabase, image_id: int) -> ImageContent:
    record = next(image for image in project.images() if image.id == image_id)
    return ImageContent(record, {a.id: a for a in project.annotations(image_id)})


def box(number: int, model: str | None = None) -> Annotation:
    score = None if model is None else 0.5
    return Annotation(number, CELL.id, None, (0, 0, number, 9), model, score, model is None)


def test_what_was_done_is_told_in_order_and_what_was_undone_is_not(
    project: ProjectDatabase,
) -> None:
    before = datetime.now(UTC).timestamp()
    found = [box(1, "m"), box(2, "m")]
    project.commit(by_batch(pre_annotate(content(project, 1), "m", found, DetectionFilter())))
    project.commit(verify(content(project, 1)))
    project.commit(add(content(project, 2), [box(3)]))
    project.undo()
    project.commit(add(content(project, 2), [box(4)]))
    project.commit(set_state(content(project, 2), ImageState.SKIPPED, "Skip"))
    project.undo()
    project.redo()
    assert told(project) == [
        ("model:m", (1,), []),
        (PERSON, (1,), [(Act.ACCEPTED, (1, 2))]),
        (PERSON, (2,), [(Act.DRAWN, (4,))]),
        (PERSON, (2,), []),
    ]
    times = [one.at for one in accounts(project)]
    assert times == sorted(times)
    assert before - 60 < times[0] <= times[-1] < before + 60


def test_a_long_edit_is_told_in_parts_unless_it_came_from_elsewhere(
    project: ProjectDatabase,
) -> None:
    def drawn(first: int) -> Iterable[Edit]:
        for part in range(3):
            numbers = range(first + 400 * part, first + 400 * (part + 1))
            changes = (AnnotationChange(1 + part % 2, None, box(number)) for number in numbers)
            yield Edit("", annotations=tuple(changes))

    project.commit_long("Import", "import:x", drawn(1), TaskContext())
    assert accounts(project)[-1] == (accounts(project)[-1].at, "import:x", (), ())
    project.commit_long("Draw", PERSON, drawn(2001), TaskContext())
    parts = [one for one in accounts(project) if one.groups]
    assert len(parts) == 3
    assert [one.image_ids for one in parts] == [(1,), (2,), (1,)]
    ids = [i for one in parts for group in one.groups for i in group.annotation_ids]
    assert ids == list(range(2001, 3201))
    project.undo()
    assert not [one for one in accounts(project) if one.groups]


def test_many_edits_come_one_after_another(project: ProjectDatabase) -> None:
    draw_all(project, range(1, 206))
    numbers = [i for one in accounts(project) for g in one.groups for i in g.annotation_ids]
    assert len(numbers) == 205
    assert numbers == sorted(numbers)


def test_a_damaged_project_is_told_in_a_sentence(tmp_path: Path) -> None:
    with make_project(tmp_path) as database:
        draw_all(database, range(1, 3))
    file = tmp_path / ".maskstudio" / "project.db"
    with open_project(tmp_path) as database:
        whole = file.read_bytes()
        file.write_bytes(whole[:4096] + bytes(len(whole) - 4096))
        with pytest.raises(UserError, match="cannot be read"):
            accounts(database)
