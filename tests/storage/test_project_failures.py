"""When the disk fails, a project says so and has lost nothing that was saved."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from maskstudio.annotation.edits import AnnotationChange, Edit
from maskstudio.errors import UserError
from maskstudio.storage.opening import open_project
from maskstudio.storage.project import ProjectDatabase
from storage.children import commit_on_a_full_disk, draw, draw_all, in_child, make_project, numbered

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits, and moving open files")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    return folder


@pytest.fixture
def project(folder: Path) -> Iterator[ProjectDatabase]:
    with make_project(folder) as project:
        draw_all(project, [1, 2])
        yield project


def assert_nothing_can_be_written(project: ProjectDatabase) -> None:
    for write in (
        lambda: project.commit(draw(numbered(9, 9), "Draw 9")),
        lambda: project.add_images(["b.png"]),
        lambda: project.set_setting("key", 1),
        project.undo,
        project.redo,
    ):
        with pytest.raises(UserError) as raised:
            write()
        assert str(raised.value) == (
            f"{project.folder / '.maskstudio' / 'project.db'} is no longer where it was opened: "
            "the folder was moved, renamed or deleted; put it back and do it again, or open it "
            "where it is now."
        )


@posix
def test_a_commit_on_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    result = in_child(commit_on_a_full_disk, tmp_path)
    assert "cannot be written" in result["said"]
    assert result["said"].endswith("What was saved before is safe.")
    assert (result["there"], result["undo"]) == (3, "Draw 3")
    with open_project(tmp_path) as project:
        annotations = project.annotations(1)
        # The fourth was drawn when there was room again; the id of the failed one is not reused.
        assert annotations == tuple(numbered(a.id, n) for n, a in enumerate(annotations, start=1))
        assert len(annotations) == 4
        assert project.history().undo == "Draw 4"


@posix
def test_a_renamed_folder_is_noticed_and_works_again_when_it_is_back(
    project: ProjectDatabase, folder: Path
) -> None:
    elsewhere = folder.with_name("renamed")
    folder.rename(elsewhere)
    project.set_size(1, 10, 10)
    assert_nothing_can_be_written(project)
    elsewhere.rename(folder)
    draw_all(project, [3])
    assert len(project.annotations(1)) == 3
    assert project.history().undo == "Draw 3"


@posix
def test_a_folder_that_was_renamed_while_open_holds_what_was_saved(
    project: ProjectDatabase, folder: Path
) -> None:
    before = project.annotations(1)
    elsewhere = folder.with_name("renamed")
    folder.rename(elsewhere)
    assert_nothing_can_be_written(project)
    project.close()
    with open_project(elsewhere) as moved:
        assert moved.annotations(1) == before
        moved.undo()
        assert moved.annotations(1) == before[:1]


@posix
def test_a_deleted_folder_is_noticed(project: ProjectDatabase, folder: Path) -> None:
    shutil.rmtree(folder)
    assert_nothing_can_be_written(project)
    project.close()
    assert not folder.exists()


@posix
def test_a_deleted_database_is_noticed_and_not_made_anew(
    project: ProjectDatabase, folder: Path
) -> None:
    (folder / ".maskstudio" / "project.db").unlink()
    assert_nothing_can_be_written(project)


@posix
def test_another_project_in_the_same_place_is_left_alone(
    project: ProjectDatabase, folder: Path
) -> None:
    other = folder.with_name("other")
    other.mkdir()
    with make_project(other) as another:
        draw_all(another, [7])
        annotations = another.annotations(1)
    folder.rename(folder.with_name("before"))
    other.rename(folder)
    assert_nothing_can_be_written(project)
    project.close()
    with open_project(folder) as another:
        assert another.annotations(1) == annotations
        assert another.history().undo == "Draw 7"


def test_an_edit_that_fails_half_way_changes_nothing(project: ProjectDatabase) -> None:
    """Its first annotation could be stored; the second has the id of one that is there."""
    before = project.annotations(1)
    both = (numbered(50, 5), numbered(before[0].id, 6))
    edit = Edit("Draw", annotations=tuple(AnnotationChange(1, None, new) for new in both))
    with pytest.raises(UserError):
        project.commit(edit)
    assert project.annotations(1) == before
    assert project.history().undo == "Draw 2"
