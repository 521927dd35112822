"""The one truth: an edit is on the disk, then in memory, then announced; undo takes it back."""

import shutil

import pytest

from maskstudio.annotation.annotation import ImageState
from maskstudio.annotation.edits import Edit
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.session import operations
from maskstudio.storage.opening import open_project
from support.unwritable import break_database, mend_database

SQUARE = Segmentation.from_rings([(10, 10), (30, 10), (30, 30), (10, 30)])
TRIANGLE = Segmentation.from_rings([(40, 40), (60, 40), (40, 60)])


def draw(studio, segmentation=SQUARE):
    """Draw and return the id of what was drawn."""
    assert operations.draw(studio.session, segmentation, None)
    (annotation_id,) = studio.session.selection
    return annotation_id


def on_disk(studio, name):
    """Read what stands on an image as another process sees it."""
    with open_project(studio.session.folder, read_only=True) as other:
        return {a.id: a for a in other.annotations(studio.image(name))}


def test_an_edit_is_on_the_disk_when_it_is_announced(studio):
    seen = []
    studio.session.edited.connect(lambda _: seen.append(on_disk(studio, "a.png")))
    drawn = draw(studio)
    assert [list(annotations) for annotations in seen] == [[drawn]]
    assert seen[0][drawn].segmentation == SQUARE


def test_an_edit_is_announced_once_with_what_it_changed(studio):
    edits = []
    studio.session.edited.connect(edits.append)
    drawn = draw(studio)
    assert len(edits) == 1
    assert isinstance(edits[0], Edit)
    assert edits[0].image_ids == (studio.image("a.png"),)
    assert edits[0].annotations[0].after == studio.session.annotations[drawn]


def test_an_edit_that_changes_nothing_is_neither_written_nor_announced(studio):
    draw(studio)
    edits = []
    studio.session.edited.connect(edits.append)
    assert operations.move(studio.session, studio.session.selection, 0, 0)
    assert edits == []
    assert studio.session.history().undo == "Draw"


def test_a_write_that_fails_changes_nothing_and_says_why(studio):
    kept = draw(studio)
    edits = []
    studio.session.edited.connect(edits.append)
    break_database(studio.session.folder)

    assert not operations.draw(studio.session, TRIANGLE, None)
    assert not operations.move(studio.session, [kept], 5, 5)
    assert studio.session.undo() is None

    assert edits == []
    assert list(studio.session.annotations) == [kept]
    assert studio.session.annotations[kept].segmentation == SQUARE
    assert studio.session.selection == {kept}
    assert studio.session.count(studio.image("a.png")) == 1
    assert len(studio.problems) == 3
    assert all("project.db cannot be written" in sentence for sentence in studio.problems)

    mend_database(studio.session.folder)
    draw(studio, TRIANGLE)
    assert len(on_disk(studio, "a.png")) == 2


@pytest.mark.parametrize("away", [shutil.rmtree, lambda f: f.rename(f.with_name("elsewhere"))])
def test_a_folder_that_went_away_refuses_edits_and_says_so(studio, away):
    folder = studio.session.folder
    kept = draw(studio)
    away(folder)

    assert not operations.draw(studio.session, TRIANGLE, None)
    assert studio.session.undo() is None

    assert list(studio.session.annotations) == [kept]
    assert len(studio.problems) == 2
    assert all(
        f"{folder}" in sentence and "is no longer where it was" in sentence
        for sentence in studio.problems
    )


def test_a_folder_that_is_put_back_goes_on_where_it_was(studio):
    folder = studio.session.folder
    draw(studio)
    folder.rename(folder.with_name("elsewhere"))
    assert not operations.draw(studio.session, TRIANGLE, None)
    folder.with_name("elsewhere").rename(folder)
    draw(studio, TRIANGLE)
    assert len(on_disk(studio, "a.png")) == 2


def test_undo_and_redo_show_the_image_they_are_about(studio):
    draw(studio)
    studio.show("b.png")
    draw(studio, TRIANGLE)
    studio.show("sub/c.png")

    studio.session.undo()
    assert studio.session.current.path == "b.png"
    assert not studio.session.annotations
    studio.session.undo()
    assert studio.session.current.path == "a.png"
    assert not studio.session.annotations

    studio.show("sub/c.png")
    studio.session.redo()
    assert studio.session.current.path == "a.png"
    assert [a.segmentation for a in studio.session.annotations.values()] == [SQUARE]
    studio.session.redo()
    assert studio.session.current.path == "b.png"
    assert studio.session.redo() is None


def test_fifty_edits_are_all_undone_and_redone(studio):
    drawn = draw(studio)
    for _ in range(50):
        operations.move(studio.session, [drawn], 0.25, 0.125)
    moved = studio.session.annotations[drawn].segmentation
    assert moved.box[:2] == (22.5, 16.25)

    steps = 0
    while studio.session.undo():
        steps += 1
    assert steps == 51
    assert not studio.session.annotations
    while studio.session.redo():
        steps -= 1
    assert steps == 0
    assert studio.session.annotations[drawn].segmentation == moved
    assert on_disk(studio, "a.png") == dict(studio.session.annotations)


def test_undo_and_redo_survive_closing_and_opening_again(studio):
    folder = studio.session.folder
    draw(studio)
    draw(studio, TRIANGLE)
    studio.session.undo()
    studio.session.close()
    assert studio.session.history().undo is None

    studio.open(folder)
    assert studio.session.history().redo == "Draw"
    studio.session.redo()
    assert [a.segmentation for a in studio.session.annotations.values()] == [SQUARE, TRIANGLE]
    studio.session.undo()
    studio.session.undo()
    assert not studio.session.annotations


def test_a_new_edit_after_an_undo_ends_what_could_be_redone(studio):
    draw(studio)
    studio.session.undo()
    draw(studio, TRIANGLE)
    assert studio.session.history().redo is None
    assert studio.session.redo() is None
    assert [a.segmentation for a in studio.session.annotations.values()] == [TRIANGLE]


def test_the_selection_follows_what_is_undone(studio):
    first = draw(studio)
    second = draw(studio, TRIANGLE)
    operations.move(studio.session, [first], 1, 1)
    studio.session.select([second])

    studio.session.undo()
    assert studio.session.selection == {first}
    studio.session.undo()
    assert studio.session.selection == set()
    studio.session.redo()
    assert studio.session.selection == {second}


def test_what_is_deleted_is_no_longer_selected(studio):
    first = draw(studio)
    second = draw(studio, TRIANGLE)
    studio.session.select([first, second])
    changes = []
    studio.session.selection_changed.connect(lambda: changes.append(studio.session.selection))
    operations.delete_selected(studio.session)
    assert changes == [frozenset()]
    studio.session.undo()
    assert set(studio.session.annotations) == {first, second}


def test_only_what_stands_on_the_image_can_be_selected(studio):
    drawn = draw(studio)
    studio.session.select([drawn, 999])
    assert studio.session.selection == {drawn}
    studio.show("b.png")
    assert studio.session.selection == set()
    studio.session.select([drawn])
    assert studio.session.selection == set()


def test_annotations_stay_in_the_order_they_were_made_when_one_comes_back(studio):
    ids = [draw(studio), draw(studio, TRIANGLE), draw(studio)]
    studio.session.select([ids[0]])
    operations.delete_selected(studio.session)
    studio.session.undo()
    assert list(studio.session.annotations) == ids


def test_counts_and_states_of_other_images_stay(studio):
    draw(studio)
    studio.show("b.png")
    draw(studio)
    draw(studio, TRIANGLE)
    counts = {
        studio.session.record(i).path: studio.session.count(i) for i in studio.session.image_ids
    }
    assert counts == {"a.png": 1, "b.png": 2, "sub/c.png": 0}
    assert studio.state("a.png") is ImageState.EDITED
    assert studio.state("sub/c.png") is ImageState.NEW


def test_a_project_opened_for_reading_shows_all_and_changes_nothing(studio, make_studio):
    kept = draw(studio)
    reader = make_studio(None)
    reader.open(studio.session.folder, read_only=True)

    assert reader.session.read_only
    assert list(reader.session.annotations) == [kept]
    assert not operations.draw(reader.session, TRIANGLE, None)
    assert reader.session.undo() is None
    assert not operations.verify(reader.session)

    assert list(reader.session.annotations) == [kept]
    assert reader.state("a.png") is ImageState.EDITED
    assert len(reader.problems) == 3
    assert all("open for reading only" in sentence for sentence in reader.problems)


def test_opening_another_project_lets_go_of_the_first(studio, tmp_path, folder):
    draw(studio)
    other = shutil.copytree(folder, tmp_path / "other", ignore=shutil.ignore_patterns(".*"))
    studio.open(other)
    assert studio.session.folder == other
    assert not studio.session.annotations
    assert studio.session.history().undo is None
    with open_project(folder) as first:
        assert not first.read_only


def test_sizes_are_kept_for_the_next_time(studio):
    folder = studio.session.folder
    studio.session.close()
    with open_project(folder, read_only=True) as database:
        sizes = {record.path: (record.height, record.width) for record in database.images()}
    assert sizes == {"a.png": (80, 100), "b.png": (64, 64), "sub/c.png": (64, 64)}
