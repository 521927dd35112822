"""Many edits that are one: all or nothing, undone and redone as one, however many there are."""

import random
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Dataset
from maskstudio.annotation.edits import Edit
from maskstudio.annotation.history import HistoryState
from maskstudio.errors import CancelledError, UserError
from maskstudio.progress import TaskContext
from maskstudio.storage.opening import open_project
from maskstudio.storage.project import ProjectDatabase
from storage.children import (
    CONTEXT,
    draw,
    draw_all,
    in_child,
    make_project,
    numbered,
)
from storage.long_edits import (
    SILENT,
    Model,
    any_edit,
    interrupted,
    long_edit_on_a_full_disk,
    long_edit_until_killed,
    many,
)
from storage.test_project_failures import posix
from support.datasets import whole_dataset

IMAGES = range(1, 21)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[ProjectDatabase]:
    """Twenty images, of which the first holds an annotation."""
    with make_project(tmp_path) as project:
        project.add_images([f"{n}.png" for n in IMAGES[1:]])
        draw_all(project, [1])
        yield project


def state(project: ProjectDatabase) -> tuple[Dataset, HistoryState]:
    return whole_dataset(project), project.history()


def stored_parts(project: ProjectDatabase) -> int:
    connection = sqlite3.connect(project.folder / ".maskstudio" / "project.db")
    (count,) = connection.execute("SELECT count(*) FROM edit_parts").fetchone()
    connection.close()
    return int(count)


def beside(project: ProjectDatabase) -> int:
    """Return how many bytes lie beside the database for what is being written."""
    return (project.folder / ".maskstudio" / "project.db-wal").stat().st_size


# Any sequence

steps = st.lists(
    st.one_of(
        st.tuples(st.just("short"), st.just(1)),
        st.tuples(st.just("long"), st.integers(1, 8)),
        st.tuples(st.sampled_from(["undo", "redo"]), st.just(0)),
    ),
    max_size=12,
)


class History:
    """A project, what it held after each edit, and after which of them it stands."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.project = make_project(folder)
        self.project.add_images(["b.png", "c.png"])
        self.chance = chance
        self.states, self.at = [whole_dataset(self.project)], 0

    def step(self, kind: str, count: int) -> None:
        if kind == "undo":
            self.at -= self.project.undo() is not None
        elif kind == "redo":
            self.at += self.project.redo() is not None
        else:
            self.edit(kind, count)
        assert whole_dataset(self.project) == self.states[self.at]

    def edit(self, kind: str, count: int) -> None:
        model, ids = Model(whole_dataset(self.project)), self.project.take_annotation_ids()
        made = [any_edit(model, self.chance, ids) for _ in range(count)]
        if not any(made):
            return
        if kind == "long":
            assert self.project.commit_long("Long", "person", iter(made), SILENT)
        else:
            self.project.commit(made[0])
        self.at += 1
        self.states[self.at :] = [model.dataset()]

    def go_through_it(self) -> None:
        """Open it again, and go forth to the end, back to the beginning, forth to the end."""
        self.project.close()
        self.project = open_project(self.project.folder)
        forth = [("redo", 0)] * len(self.states)
        for step in (*forth, *[("undo", 0)] * len(self.states), *forth):
            self.step(*step)
        assert self.at == len(self.states) - 1


@given(steps, st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_any_edits_short_and_long_are_undone_and_redone_exactly(
    told: list[tuple[str, int]], seed: int
) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        history = History(Path(folder), random.Random(seed))
        for kind, count in told:
            history.step(kind, count)
        history.go_through_it()
        history.project.close()


# One entry of the journal


def test_it_is_one_step_with_one_title(project: ProjectDatabase) -> None:
    before = state(project)
    assert project.commit_long("Import", "person", many(project, IMAGES), SILENT)
    after = state(project)
    assert len(after[0].annotations) == len(IMAGES)
    assert stored_parts(project) > 1
    assert after[1] == HistoryState("Import", None, long_undo=True)
    assert project.undo() == Edit("Import")
    assert state(project) == (before[0], HistoryState("Draw 1", "Import", long_redo=True))
    assert project.redo() == Edit("Import")
    assert state(project) == after


def test_nothing_to_do_is_no_step(project: ProjectDatabase) -> None:
    project.undo()
    before = state(project)
    assert not project.commit_long("Import", "person", iter([Edit("")]), SILENT)
    assert state(project) == before == (before[0], HistoryState(None, "Draw 1"))


def test_what_was_undone_cannot_be_redone_after_it(project: ProjectDatabase) -> None:
    project.undo()
    project.commit_long("Import", "person", many(project, [2]), SILENT)
    assert project.redo() is None
    assert project.history() == HistoryState("Import", None, long_undo=True)


def test_ids_are_not_given_again_after_it_was_undone(project: ProjectDatabase) -> None:
    project.commit_long("Import", "person", many(project, [2], each=10), SILENT)
    highest = max(a.id for a in project.annotations(2))
    category = project.next_category_id()
    project.undo()
    project.close()
    with open_project(project.folder) as again:
        assert next(again.take_annotation_ids()) == highest + 1
        assert again.next_category_id() == category


def test_what_a_batch_did_since_stays(project: ProjectDatabase) -> None:
    project.commit_long("Import", "person", many(project, [2, 3]), SILENT)
    kind = max(category.id for category in project.categories())
    found = edits.add(Model(whole_dataset(project)).content(2), [numbered(9000, 1)])
    (change,) = found.annotations
    assert change.after
    theirs = Edit("Batch", annotations=(change,), undoable=False)
    project.commit(theirs)
    after = whole_dataset(project)
    project.undo()
    assert project.annotations(2) == (change.after,)
    assert project.annotations(3) == ()
    assert kind not in [category.id for category in project.categories()]
    project.redo()
    assert whole_dataset(project) == after


def test_the_parts_of_what_can_never_be_redone_make_room(project: ProjectDatabase) -> None:
    project.commit_long("First", "person", many(project, IMAGES), SILENT)
    first = stored_parts(project)
    project.undo()
    draw_all(project, [2])
    project.commit_long("Second", "person", many(project, [2]), SILENT)
    assert 0 < stored_parts(project) < first


# All or nothing


class Cancelling(TaskContext):
    """Asks to stop when it was asked so many times."""

    def __init__(self, times: int) -> None:
        self.left = times

    def raise_if_cancelled(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise CancelledError


def test_a_cancel_in_the_middle_leaves_nothing(project: ProjectDatabase) -> None:
    before = state(project)
    with pytest.raises(CancelledError):
        project.commit_long("Import", "person", many(project, IMAGES), Cancelling(3))
    assert state(project) == before
    assert (stored_parts(project), beside(project)) == (0, 0)
    draw_all(project, [2])
    assert project.history() == HistoryState("Draw 2", None)


def test_a_cancelled_undo_and_redo_change_nothing(project: ProjectDatabase) -> None:
    project.commit_long("Import", "person", many(project, IMAGES), SILENT)
    done = state(project)
    with pytest.raises(CancelledError):
        project.undo(context=Cancelling(2))
    assert state(project) == done
    project.undo()
    undone = state(project)
    with pytest.raises(CancelledError):
        project.redo(context=Cancelling(2))
    assert state(project) == undone


def test_a_failure_in_the_middle_leaves_nothing(project: ProjectDatabase) -> None:
    before = state(project)

    def fail() -> None:
        raise UserError("a.json: annotation 7 is broken.")

    with pytest.raises(UserError, match="annotation 7"):
        project.commit_long(
            "Import", "person", interrupted(many(project, IMAGES), 15, fail), SILENT
        )
    assert state(project) == before
    assert (stored_parts(project), beside(project)) == (0, 0)


@posix
def test_a_full_disk_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    result = in_child(long_edit_on_a_full_disk, tmp_path)
    assert "cannot be written" in result["said"]
    assert result["annotations"] == {1: 1}
    # When there is room again.
    assert result["again"] == {1: 1, 2: 400}


def test_a_killed_process_leaves_nothing(project: ProjectDatabase) -> None:
    before = whole_dataset(project)
    project.close()
    receiver, sender = CONTEXT.Pipe(duplex=False)
    child = CONTEXT.Process(target=long_edit_until_killed, args=(project.folder, sender))
    child.start()
    sender.close()
    assert receiver.recv() == "in the middle"
    child.kill()
    child.join()
    child.close()
    receiver.close()
    with open_project(project.folder) as again:
        assert whole_dataset(again) == before
        assert stored_parts(again) == 0
        assert again.commit_long("Import", "person", many(again, IMAGES), SILENT)
        again.undo()
        assert whole_dataset(again) == before


# Meanwhile


def test_others_see_nothing_of_it_before_it_ends(project: ProjectDatabase) -> None:
    before = whole_dataset(project)
    seen: list[Dataset] = []
    made = interrupted(many(project, IMAGES), 15, lambda: seen.append(whole_dataset(project)))
    project.commit_long("Import", "person", made, SILENT)
    assert seen == [before]


def test_a_setting_does_not_wait_for_it_and_is_kept(project: ProjectDatabase) -> None:
    def keep() -> None:
        other = threading.Thread(target=project.set_setting, args=("from a thread", [1]))
        other.start()
        other.join()
        project.set_setting("from the edit itself", 2)
        assert project.setting("from a thread", None) == [1]

    made = interrupted(many(project, IMAGES), 15, keep)
    project.commit_long("Import", "person", made, SILENT)
    project.set_setting("after it", 3)
    with open_project(project.folder, read_only=True) as other:
        assert other.setting("from a thread", None) == [1]
        assert other.setting("from the edit itself", None) == 2
        assert other.setting("after it", None) == 3


def test_an_edit_waits_for_it(project: ProjectDatabase) -> None:
    writers: list[threading.Thread] = []

    def draw_meanwhile() -> None:
        edit = draw(numbered(9000, 3), "Draw meanwhile", image_id=20)
        writers.append(threading.Thread(target=project.commit, args=(edit,)))
        writers[0].start()

    made = interrupted(many(project, IMAGES[:15]), 10, draw_meanwhile)
    project.commit_long("Import", "person", made, SILENT)
    writers[0].join()
    assert project.history() == HistoryState("Draw meanwhile", None)
    project.undo()
    assert project.history() == HistoryState("Import", "Draw meanwhile", long_undo=True)
