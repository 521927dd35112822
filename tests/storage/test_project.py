"""What a project keeps, and that it is the same when it is opened again."""

import itertools
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from maskstudio.annotation.annotation import (
    Annotation,
    Category,
    Dataset,
    ImageRecord,
    ImageState,
    ImageStatus,
    Rejection,
)
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.edits import AnnotationChange, CategoryChange, Edit, ImageChange
from maskstudio.annotation.segmentation import Part, Segmentation, as_ring
from maskstudio.errors import UserError
from maskstudio.storage.opening import open_project
from maskstudio.storage.project import ProjectDatabase
from storage.children import CELL, draw, draw_all, make_project, numbered
from support.datasets import whole_dataset


@pytest.fixture
def project(tmp_path: Path) -> Iterator[ProjectDatabase]:
    with make_project(tmp_path) as project:
        yield project


def reopened(project: ProjectDatabase) -> ProjectDatabase:
    project.close()
    return open_project(project.folder)


def every_kind() -> list[Annotation]:
    """Annotations with all there is to keep: holes, parts, odd coordinates, boxes, scores."""
    odd = np.random.default_rng(1).random((5, 2)) * 1000 / 7
    holed = Segmentation(
        (
            Part(as_ring([(0, 0), (1 / 3, 40), (40, 1e-9)]), (as_ring([(1, 2), (3, 4), (1, 5)]),)),
            Part(as_ring(odd)),
        )
    )
    return [
        Annotation(1, 1, holed),
        Annotation(2, 1, None, (0.1, 1 / 3, 7e5, 9.75), "mödel", 0.1 + 0.2, touched=False),
        Annotation(3, 1, Segmentation.from_rings(odd), model_id="m", score=1.0),
    ]


# Images and categories


def test_a_new_project_is_empty(tmp_path: Path) -> None:
    with open_project(tmp_path) as project:
        assert project.images() == []
        assert project.categories() == ()
        assert project.undo() is None
        assert project.redo() is None
        assert not project.read_only
    assert (tmp_path / ".maskstudio" / "project.db").is_file()


def test_images_are_taken_in_once_and_keep_their_ids(tmp_path: Path) -> None:
    with open_project(tmp_path) as project:
        new = project.add_images(["img10.png", "b/ü.png", "img2.png", "img10.png"])
        assert [(image.id, image.path) for image in new] == [
            (1, "img10.png"),
            (2, "b/ü.png"),
            (3, "img2.png"),
        ]
        assert [image.path for image in project.images()] == ["b/ü.png", "img2.png", "img10.png"]
        more = project.add_images(["img2.png", "a.png", "img10.png"])
        assert [(image.id, image.path) for image in more] == [(4, "a.png")]
        assert project.add_images(["a.png"]) == []
        before = project.images()
        project = reopened(project)
        assert project.images() == before
        assert before[0] == ImageRecord(4, "a.png")
        project.close()


def test_a_size_is_kept(project: ProjectDatabase) -> None:
    project.set_size(1, 300, 400)
    project = reopened(project)
    assert project.images() == [ImageRecord(1, "a.png", 300, 400)]
    project.set_size(1, 500, 600)
    project.set_setting("anything", 1)  # the next change writes it
    assert project.images() == [ImageRecord(1, "a.png", 500, 600)]
    project.close()


def test_categories_are_made_changed_and_deleted(project: ProjectDatabase) -> None:
    debris, renamed = Category(2, "débris"), replace(CELL, name="Zelle", colour="")
    project.commit(Edit("a", categories=(CategoryChange(None, debris),)))
    project.commit(Edit("b", categories=(CategoryChange(CELL, renamed),)))
    assert project.categories() == (renamed, debris)
    project.commit(Edit("c", categories=(CategoryChange(debris, None),)))
    project = reopened(project)
    assert project.categories() == (renamed,)
    project.close()


def test_a_category_in_use_stays(project: ProjectDatabase) -> None:
    project.commit(draw(numbered(1, 1), "Draw"))
    with pytest.raises(UserError):
        project.commit(Edit("Delete category", categories=(CategoryChange(CELL, None),)))
    assert project.categories() == (CELL,)
    assert project.history().undo == "Draw"


def test_a_category_and_its_first_annotation_come_and_go_in_one_edit(
    project: ProjectDatabase,
) -> None:
    debris = Category(2, "debris")
    speck = replace(numbered(1, 1), category_id=2)
    both = Edit("Both", "person", (AnnotationChange(1, None, speck),), (), ())
    project.commit(replace(both, categories=(CategoryChange(None, debris),)))
    assert project.annotations(1) == (speck,)
    project.undo()
    assert (project.categories(), project.annotations(1)) == ((CELL,), ())
    project.redo()
    assert (project.categories(), project.annotations(1)) == ((CELL, debris), (speck,))


# Annotations


def test_every_kind_of_annotation_comes_back_to_the_last_bit(project: ProjectDatabase) -> None:
    annotations = every_kind()
    changes = tuple(AnnotationChange(1, None, annotation) for annotation in annotations)
    project.commit(Edit("Import", annotations=changes))
    project = reopened(project)
    assert project.annotations(1) == tuple(annotations)
    assert project.annotation_counts() == {1: 3}
    project.close()


def test_of_many_annotations_some_can_be_read(project: ProjectDatabase) -> None:
    project.commit(
        Edit("Draw", annotations=tuple(AnnotationChange(1, None, a) for a in every_kind()))
    )
    whole = project.annotations(1)
    assert project.annotations(1, 99) == whole
    assert set(project.annotations(1, 2)) < set(whole)
    assert project.annotations(2, 9) == ()


def test_more_annotations_than_one_query_may_name(project: ProjectDatabase) -> None:
    many = [Annotation(n, 1, None, (0, 0, n, n), "m", 0.5) for n in range(1, 1301)]
    project.commit(Edit("a", annotations=tuple(AnnotationChange(1, None, a) for a in many)))
    assert project.annotations(1) == tuple(many)
    project.commit(Edit("b", annotations=tuple(AnnotationChange(1, a, None) for a in many[1:])))
    assert project.annotations(1) == tuple(many[:1])
    project.undo()
    assert project.annotations(1) == tuple(many)


def test_the_status_of_an_image_is_kept(project: ProjectDatabase) -> None:
    rejections = (Rejection(1, (0.1, 2, 3, 1 / 3), 1 / 7), Rejection(2, (5, 6, 7, 8)))
    status = ImageStatus(
        ImageState.VERIFIED,
        rejections,
        DetectionFilter(0.35, 0.4, 12.5, 7, 0.6, (("cat", 0.9), ("dog", 0.1))),
    )
    project.commit(Edit("Verify", images=(ImageChange(1, ImageStatus(), status),)))
    project = reopened(project)
    assert project.images() == [ImageRecord(1, "a.png", status=status)]
    project.close()


def test_a_data_set_holds_the_images_in_the_states_asked_for(project: ProjectDatabase) -> None:
    project.add_images(["b.png", "c.png"])
    verified, skipped = ImageStatus(ImageState.VERIFIED), ImageStatus(ImageState.SKIPPED)
    first, second = numbered(1, 1), numbered(2, 2)
    project.commit(
        Edit(
            "all",
            annotations=(AnnotationChange(1, None, first), AnnotationChange(2, None, second)),
            images=(
                ImageChange(1, ImageStatus(), verified),
                ImageChange(2, ImageStatus(), skipped),
            ),
        )
    )
    assert whole_dataset(project, [ImageState.VERIFIED]) == Dataset(
        (CELL,), (ImageRecord(1, "a.png", status=verified),), {1: (first,)}
    )
    everything = whole_dataset(project)
    assert [image.id for image in everything.images] == [1, 2, 3]
    assert everything.annotations == {1: (first,), 2: (second,)}
    assert whole_dataset(project, []) == Dataset((CELL,), (), {})


def test_a_data_set_is_one_state_though_another_writes_meanwhile(tmp_path: Path) -> None:
    """Each commit makes a category and an annotation of it: neither may be seen alone."""
    with make_project(tmp_path) as project, open_project(tmp_path, read_only=True) as reader:
        stop = threading.Event()

        def write() -> None:
            ids = project.take_annotation_ids()
            for number in itertools.count(2):
                category = CategoryChange(None, Category(number, f"category {number}"))
                new = replace(numbered(next(ids), 1), category_id=number)
                changes = (AnnotationChange(1, None, new),)
                project.commit(Edit("both", annotations=changes, categories=(category,)))
                if stop.is_set() or number == 400:
                    return

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for _ in range(40):
                dataset = whole_dataset(reader)
                used = {a.category_id for a in dataset.annotations.get(1, ())}
                assert used == {category.id for category in dataset.categories} - {CELL.id}
        finally:
            stop.set()
            writer.join()


# Ids


def test_an_id_is_never_given_twice(project: ProjectDatabase) -> None:
    ids = project.take_annotation_ids()
    assert [next(ids), next(ids)] == [1, 2]
    assert next(project.take_annotation_ids()) == 3


def test_an_id_is_not_used_again_after_undo_and_reopening(project: ProjectDatabase) -> None:
    draw_all(project, [1, 2, 3])
    for _ in range(3):
        project.undo()
    assert project.annotations(1) == ()
    project = reopened(project)
    assert next(project.take_annotation_ids()) == 4
    project.close()


def test_an_id_that_was_deleted_is_not_used_again(project: ProjectDatabase) -> None:
    draw_all(project, [1, 2])
    last = project.annotations(1)[-1]
    project.commit(Edit("Delete", annotations=(AnnotationChange(1, last, None),)))
    project = reopened(project)
    assert next(project.take_annotation_ids()) == last.id + 1
    project.close()


# Settings and the journal


def test_settings_are_kept_with_the_project(project: ProjectDatabase) -> None:
    value = {"score": 0.35, "names": ["ä", None, True]}
    project.set_setting("anything", value)
    project.set_setting("twice", 1)
    project.set_setting("twice", 2)
    project = reopened(project)
    assert project.setting("anything", None) == value
    assert project.setting("twice", None) == 2
    assert project.setting("never set", "default") == "default"
    project.close()


def test_the_journal_says_who_did_what_and_when(project: ProjectDatabase) -> None:
    project.commit(draw(numbered(1, 1), "Draw"))
    project.commit(replace(draw(numbered(2, 2), "Find"), author="model:m", undoable=False))
    project.close()
    connection = sqlite3.connect(project.folder / ".maskstudio" / "project.db")
    query = "SELECT title, author, undoable, state, at FROM edits WHERE id > 1 ORDER BY id"
    rows = connection.execute(query).fetchall()
    connection.close()
    assert [row[:4] for row in rows] == [
        ("Draw", "person", 1, "done"),
        ("Find", "model:m", 0, "done"),
    ]
    assert all(at.endswith("+00:00") and len(at) == 29 for *_, at in rows)
    assert rows[0][4] <= rows[1][4]


def test_the_log_is_brought_in_on_request_and_not_into_a_project_closed_meanwhile(
    tmp_path: Path,
) -> None:
    project = make_project(tmp_path)
    project.commit(draw(numbered(1, 1), "Draw"))
    path = tmp_path / ".maskstudio" / "project.db"
    before = path.read_bytes()
    project.catch_up()
    assert path.read_bytes() != before
    project.close()
    project.catch_up()
    assert not path.with_name("project.db-wal").exists()
