"""A data set that stays in the database is one of a moment, whatever is written meanwhile."""

import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from maskstudio.annotation.annotation import Dataset, ImageState
from maskstudio.annotation.edits import AnnotationChange, Edit
from maskstudio.errors import UserError
from maskstudio.storage.project import ProjectDatabase
from maskstudio.storage.stored_dataset import StoredAnnotations
from storage.children import draw_all, make_project, numbered
from storage.long_edits import SILENT, many

IMAGES = 40


@pytest.fixture
def project(tmp_path: Path) -> Iterator[ProjectDatabase]:
    """Forty images, each but every fourth with 150 annotations: more than are read at once."""
    with make_project(tmp_path) as project:
        project.add_images([f"{n}.png" for n in range(2, IMAGES + 1)])
        wanted = [n for n in range(1, IMAGES + 1) if n % 4]
        project.commit_long("Fill", "person", many(project, wanted, each=150), SILENT)
        yield project


def annotations_of(dataset: Dataset) -> StoredAnnotations:
    assert isinstance(dataset.annotations, StoredAnnotations)
    return dataset.annotations


def test_it_is_what_stands_on_the_images(project: ProjectDatabase) -> None:
    with project.reading_dataset(ImageState) as dataset:
        assert [image.id for image in dataset.images] == [image.id for image in project.images()]
        ids = [image.id for image in dataset.images]
        expected = {n: project.annotations(n) for n in ids if n % 4}
        assert dataset.annotations == expected
        assert list(dataset.annotations) == list(expected)
        backwards = [dataset.annotations[n] for n in reversed(expected)]
        assert backwards == list(reversed(expected.values()))
        assert 4 not in dataset.annotations
        assert dataset.annotations.get(4, ()) == ()


def test_images_in_other_states_are_not_in_it(project: ProjectDatabase) -> None:
    with project.reading_dataset([ImageState.NEW]) as dataset:
        assert [image.id for image in dataset.images] == list(range(4, IMAGES + 1, 4))
        assert 1 not in dataset.annotations
        assert annotations_of(dataset).count(1) == 0


def test_some_images_of_it_in_another_order(project: ProjectDatabase) -> None:
    with project.reading_dataset(ImageState) as dataset:
        some = annotations_of(dataset).only([9, 4, 2])
        assert list(some.items()) == [(n, project.annotations(n)) for n in (9, 2)]
        assert (some.count(9), some.count(4), some.count(3)) == (150, 0, 0)


def test_what_is_unread_can_be_read_elsewhere(project: ProjectDatabase) -> None:
    with project.reading_dataset(ImageState) as dataset:
        sent = pickle.dumps(annotations_of(dataset).unread([3, 4, 1]))
        less = annotations_of(dataset).only([3]).unread([3, 1])
    read = pickle.loads(sent)
    assert read() == {n: project.annotations(n) for n in (3, 1)}
    assert list(less()) == [3]


def test_it_stays_what_it_was_while_the_project_changes(project: ProjectDatabase) -> None:
    expected = {n: project.annotations(n) for n in range(1, IMAGES + 1) if n % 4}
    with project.reading_dataset(ImageState) as dataset:
        for n in (1, 39):
            gone = [AnnotationChange(n, a, None) for a in project.annotations(n)]
            project.commit(Edit("Delete", annotations=tuple(gone)))
        draw_all(project, [5])
        assert dataset.annotations == expected
    assert project.annotations(39) == ()


def test_a_damaged_outline_is_told(project: ProjectDatabase) -> None:
    """Of an image that is read only after others were."""
    broken = numbered(9000, 3)
    assert broken.segmentation is not None
    vars(broken.segmentation)["wkb"] = b"no outline"
    project.commit(Edit("Draw", annotations=(AnnotationChange(40, None, broken),)))
    with project.reading_dataset(ImageState) as dataset:
        assert len(dataset.annotations[2]) == 150
        with pytest.raises(UserError, match="stored outline cannot be read"):
            len(dataset.annotations[40])


def test_what_was_written_while_it_was_read_does_not_keep_the_next_edit(
    project: ProjectDatabase,
) -> None:
    """What lies beside the database is brought into it when the reading ends."""
    database = project.folder / ".maskstudio" / "project.db"
    with project.reading_dataset(ImageState):
        before = database.read_bytes()
        for number in range(5):
            draw_all(project, [number])
        assert database.read_bytes() == before
    assert database.read_bytes() != before
