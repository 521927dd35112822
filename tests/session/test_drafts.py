"""Unfinished outlines are written off the GUI thread, the newest state, and none is forgotten."""

import threading
from dataclasses import replace

import pytest

from maskstudio.annotation.draft import Draft
from maskstudio.session.drafts import Drafts
from maskstudio.session.session import Session
from maskstudio.session.tasks import LaneName, Tasks
from maskstudio.storage.drafts import read_drafts
from maskstudio.storage.opening import open_project


def outline(length):
    points = tuple((n / 3, n * 0.1) for n in range(length))
    return Draft("polygon", 1, points, tuple(range(1, length + 1)))


@pytest.fixture
def tasks(qapp):
    tasks = Tasks()
    yield tasks
    tasks.close()


@pytest.fixture
def session(tasks):
    session = Session()
    yield session
    session.close()


@pytest.fixture
def drafts(session, tasks, folder):
    """The drafts of an open project with three images, the first one shown."""
    drafts = Drafts(session, tasks)
    session.open(open_project(folder))
    session.add_images(session.require_database().add_images(["a.png", "b.png", "sub/c.png"]))
    session.show(session.image_ids[0])
    return drafts


@pytest.fixture
def busy(tasks):
    """Lane FILES has its hands full until this is set."""
    free = threading.Event()
    for _ in range(2):
        tasks.submit(LaneName.FILES, lambda _: free.wait())
    yield free
    free.set()


def test_a_busy_lane_writes_the_newest_when_it_comes_to_it(drafts, session, folder, busy, qtbot):
    first, second, _ = session.image_ids
    for length in range(1, 30):
        drafts.keep(first, outline(length))
    drafts.keep(second, outline(3))
    assert read_drafts(folder) == []
    busy.set()
    expected = [("a.png", outline(29)), ("b.png", outline(3))]
    qtbot.waitUntil(lambda: read_drafts(folder) == expected)
    assert drafts.newest == second
    drafts.keep(first, outline(28))
    assert drafts.newest == first
    qtbot.waitUntil(lambda: [path for path, _ in read_drafts(folder)] == ["b.png", "a.png"])


def test_closing_writes_what_the_lane_did_not_come_to(drafts, session, folder, busy):
    drafts.keep(session.image_ids[0], outline(7))
    session.close()
    assert read_drafts(folder) == [("a.png", outline(7))]
    assert drafts.newest is None
    busy.set()


def test_what_was_dropped_meanwhile_is_not_written(drafts, session, folder, busy, qtbot):
    first, second, _ = session.image_ids
    drafts.keep(first, outline(7))
    drafts.keep(second, outline(5))
    drafts.drop(first, "polygon")
    busy.set()
    qtbot.waitUntil(lambda: read_drafts(folder) == [("b.png", outline(5))])
    assert drafts.of(first) is None
    drafts.drop(second, "polygon")
    qtbot.waitUntil(lambda: not (folder / ".maskstudio" / "drafts.json").exists())


def test_the_next_project_knows_nothing_of_it_and_it_comes_back(drafts, session, folder, tmp_path):
    image = session.image_ids[0]
    drafts.keep(image, outline(7))
    (tmp_path / "other").mkdir()
    session.open(open_project(tmp_path / "other"))
    assert drafts.newest is None
    session.open(open_project(folder))
    assert drafts.of(image) == outline(7)


def test_of_a_project_open_for_reading_only_nothing_is_taken_or_written(
    drafts, session, folder, qtbot
):
    image = session.image_ids[0]
    drafts.keep(image, outline(7))
    session.open(open_project(folder, read_only=True))
    assert drafts.newest is None
    session.show(image)
    drafts.keep(image, outline(4))
    assert drafts.of(image) == outline(4)
    session.close()
    assert read_drafts(folder) == [("a.png", outline(7))]


def test_each_tool_has_its_own_on_an_image_and_the_newest_is_the_images(drafts, session):
    first, second, _ = session.image_ids
    magnetic = replace(outline(4), tool="magnetic")
    for image, kept in ((first, outline(7)), (first, magnetic), (second, outline(5))):
        drafts.keep(image, kept)
    assert (drafts.by(first, "polygon"), drafts.by(first, "magnetic")) == (outline(7), magnetic)
    assert drafts.of(first) == magnetic
    drafts.drop(first, "magnetic")
    assert drafts.of(first) == outline(7)
    assert drafts.by(first, "magnetic") is None
