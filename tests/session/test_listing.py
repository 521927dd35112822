"""Opening a folder: its images come in, new ones are found, missing ones are kept."""

import shutil

import pytest

from maskstudio.session import operations
from maskstudio.storage.opening import ProjectLockedError, open_project
from support.pictures import write_picture


@pytest.fixture
def empty_studio(make_studio):
    return make_studio(None)


def listed(studio, folder, qtbot, *, read_only=False):
    """Open a folder, anew if it is open, and wait until it was listed."""
    studio.session.close()
    studio.session.open(open_project(folder, read_only=read_only))
    studio.listing.start()
    qtbot.waitUntil(lambda: not studio.listing.running)


def names(studio):
    return [studio.session.record(i).path for i in studio.session.image_ids]


def missing(studio):
    return {studio.session.record(i).path for i in studio.session.missing}


def test_images_are_listed_with_subfolders_in_the_order_people_expect(empty_studio, folder, qtbot):
    for name in ("img10.png", "img9.JPG", "b.txt", ".hidden.png"):
        write_picture(folder / "x.png", 8, 8).rename(folder / name)
    listed(empty_studio, folder, qtbot)
    assert names(empty_studio) == ["a.png", "b.png", "img9.JPG", "img10.png", "sub/c.png"]
    assert missing(empty_studio) == set()
    assert empty_studio.problems == []


def test_new_images_are_found_when_the_folder_is_opened_again(empty_studio, folder, qtbot):
    listed(empty_studio, folder, qtbot)
    before = {empty_studio.session.record(i).path: i for i in empty_studio.session.image_ids}
    write_picture(folder / "new.png", 8, 8)
    listed(empty_studio, folder, qtbot)
    after = {empty_studio.session.record(i).path: i for i in empty_studio.session.image_ids}
    assert after.keys() - before.keys() == {"new.png"}
    assert before.items() <= after.items()


def test_missing_images_are_marked_and_kept_with_all_that_stands_on_them(studio, folder, qtbot):
    studio.predict_image()
    before = studio.on("a.png")
    (folder / "a.png").rename(folder.parent / "a.png")
    listed(studio, folder, qtbot)
    assert missing(studio) == {"a.png"}
    assert studio.on("a.png") == before
    assert studio.session.count(studio.image("a.png")) == 2

    (folder.parent / "a.png").rename(folder / "a.png")
    listed(studio, folder, qtbot)
    assert missing(studio) == set()
    assert studio.on("a.png") == before


def test_missing_images_are_left_out_of_a_run_and_of_the_way_to_the_next(studio, folder, qtbot):
    (folder / "b.png").unlink()
    listed(studio, folder, qtbot)
    report = studio.predict_folder()
    assert (report.total, report.done, report.failed) == (2, 2, ())
    studio.show("a.png")
    operations.step_to_unfinished(studio.session)
    assert studio.session.current.path == "sub/c.png"


def test_a_folder_without_images_says_so(empty_studio, tmp_path, qtbot):
    (tmp_path / "notes.txt").write_text("nothing to see")
    listed(empty_studio, tmp_path, qtbot)
    (sentence,) = empty_studio.problems
    assert f"{tmp_path} holds no images" in sentence


def test_a_folder_that_goes_away_before_it_is_listed_says_so(empty_studio, folder, qtbot):
    empty_studio.session.open(open_project(folder))
    shutil.rmtree(folder)
    empty_studio.listing.start()
    qtbot.waitUntil(lambda: not empty_studio.listing.running)
    (sentence,) = empty_studio.problems
    assert f"{folder} does not exist" in sentence


def test_a_folder_open_for_reading_shows_what_is_known(empty_studio, make_studio, folder, qtbot):
    listed(empty_studio, folder, qtbot)
    write_picture(folder / "new.png", 8, 8)
    (folder / "b.png").unlink()
    reader = make_studio(None)
    listed(reader, folder, qtbot, read_only=True)
    assert names(reader) == ["a.png", "b.png", "sub/c.png"]
    assert missing(reader) == {"b.png"}
    assert reader.problems == []


def test_another_folder_opened_meanwhile_gets_only_its_own_images(
    empty_studio, folder, tmp_path, qtbot
):
    write_picture(tmp_path / "other" / "z.png", 8, 8)
    empty_studio.session.open(open_project(folder))
    empty_studio.listing.start()
    listed(empty_studio, tmp_path / "other", qtbot)
    assert names(empty_studio) == ["z.png"]
    with open_project(folder, read_only=True) as first:
        assert {record.path for record in first.images()} <= {"a.png", "b.png", "sub/c.png"}


def test_a_second_window_is_told_that_the_folder_is_open(studio, folder):
    with pytest.raises(ProjectLockedError, match="open in another window"):
        open_project(folder)
    studio.session.close()
    open_project(folder).close()
