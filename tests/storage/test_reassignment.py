"""Annotations that go from one category to another all at once, and what is kept apart of them."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from maskstudio.annotation.annotation import Annotation, Category
from maskstudio.annotation.edits import AnnotationChange, CategoryChange, Edit, Reassignment
from maskstudio.annotation.image_facts import ImageFacts
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.storage.opening import open_project
from maskstudio.storage.project import ProjectDatabase
from maskstudio.storage.reading import CategoryUses
from support.datasets import whole_dataset

THIRD = Segmentation.from_rings([(1 / 3, 0.1), (20, 0.2), (10.7, 30 / 7)])
CAT, DOG = Category(1, "cat"), Category(2, "dog")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[ProjectDatabase]:
    """Two images; cats 1 and 2 (a model's) and dog 3 on the first, cat 4 on the second."""
    with open_project(tmp_path) as database:
        database.add_images(["a.png", "b.png"])
        there = [
            (1, Annotation(1, 1, THIRD)),
            (1, Annotation(2, 1, THIRD, model_id="m", score=0.25, touched=False)),
            (1, Annotation(3, 2, THIRD)),
            (2, Annotation(4, 1, THIRD, note="tail", hidden=True)),
        ]
        database.commit(
            Edit(
                "Begin",
                categories=(CategoryChange(None, CAT), CategoryChange(None, DOG)),
                annotations=tuple(AnnotationChange(image, None, a) for image, a in there),
            )
        )
        yield database


def merge(project: ProjectDatabase) -> None:
    project.commit(
        Edit(
            "Merge",
            categories=(CategoryChange(CAT, None),),
            reassigned=(Reassignment(1, 2, project.annotation_ids(1)),),
        )
    )


def kinds(project: ProjectDatabase) -> dict[int, int]:
    there = [*project.annotations(1), *project.annotations(2)]
    return {annotation.id: annotation.category_id for annotation in there}


def test_only_the_category_changes(project: ProjectDatabase) -> None:
    before = whole_dataset(project).annotations
    merge(project)
    after = whole_dataset(project).annotations
    assert after == {
        image: tuple(replace(a, category_id=2) for a in there) for image, there in before.items()
    }
    assert project.categories() == (DOG,)


def test_it_is_taken_back_and_done_again(project: ProjectDatabase) -> None:
    before = whole_dataset(project)
    merge(project)
    after = whole_dataset(project)
    project.undo()
    assert whole_dataset(project) == before
    project.redo()
    assert whole_dataset(project) == after


def test_what_has_another_category_by_then_keeps_it(project: ProjectDatabase) -> None:
    merge(project)
    bird = Category(3, "bird")
    four = project.annotations(2)[0]
    project.commit(
        Edit(
            "A batch",
            categories=(CategoryChange(None, bird),),
            annotations=(AnnotationChange(2, four, replace(four, category_id=3)),),
            undoable=False,
        )
    )
    project.undo()
    assert kinds(project) == {1: 1, 2: 1, 3: 2, 4: 3}


def test_uses_and_facts_follow(project: ProjectDatabase) -> None:
    assert project.category_uses([1]) == CategoryUses(3, 2)
    assert project.category_uses([1, 2]) == CategoryUses(4, 2)
    assert dict(project.image_facts([1, 2])) == {
        1: ImageFacts(frozenset({1, 2}), 0.25, 0.25),
        2: ImageFacts(frozenset({1})),
    }
    merge(project)
    assert project.category_uses([1]) == CategoryUses(0, 0)
    assert dict(project.image_facts([2])) == {2: ImageFacts(frozenset({2}))}


def test_nothing_of_a_deleted_annotation_is_left_behind(
    project: ProjectDatabase, tmp_path: Path
) -> None:
    gone = [AnnotationChange(1, a, None) for a in project.annotations(1)]
    project.commit(Edit("Delete", annotations=tuple(gone)))
    with sqlite3.connect(tmp_path / ".maskstudio" / "project.db") as connection:
        left = connection.execute("SELECT id FROM contents").fetchall()
    connection.close()
    assert left == [(4,)]


def test_the_order_and_what_is_hidden_are_kept(project: ProjectDatabase, tmp_path: Path) -> None:
    moved = (
        CategoryChange(CAT, replace(CAT, position=2, hidden=True)),
        CategoryChange(DOG, replace(DOG, position=1)),
    )
    project.commit(Edit("Move", categories=moved))
    project.close()
    with open_project(tmp_path) as again:
        assert [category.name for category in again.categories()] == ["dog", "cat"]
        assert [category.hidden for category in again.categories()] == [False, True]
        assert [category.id for category in whole_dataset(again).categories] == [1, 2]
        again.undo()
        assert again.categories() == (CAT, DOG)
