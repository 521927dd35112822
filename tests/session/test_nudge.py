"""Moving by the arrow keys."""

import pytest

from maskstudio.session import operations
from maskstudio.session.nudge import Nudge
from support.outlines import HOLED, SQUARE, put
from support.studio import Studio


class Clock:
    """Seconds, as the test says."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def session(studio):
    return studio.session


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def nudge(session, clock):
    return Nudge(session, clock)


def titles(session):
    """Undo everything and return what was undone, the last first."""
    undone = []
    while (title := session.history().undo) is not None:
        undone.append(title)
        session.undo()
    return undone


def test_presses_that_follow_each_other_are_one_step(session, nudge, clock):
    ids = put(session, SQUARE, HOLED)
    session.select(ids)
    before = session.selected()
    for dx, dy in ((1, 0), (1, 0), (0, -10), (-1, 0), (1, 0)):
        assert nudge.by(dx, dy)
        clock.now += 0.9
    assert [a.box for a in session.selected()] == [(22, 10, 62, 50)] * 2
    assert session.history().undo == "Move 2 annotations"
    session.undo()
    assert tuple(session.annotations.values()) == before
    session.redo()
    assert [a.box for a in session.annotations.values()] == [(22, 10, 62, 50)] * 2


def test_a_press_a_while_later_is_a_step_of_its_own(session, nudge, clock):
    session.select(put(session, SQUARE))
    nudge.by(1, 0)
    clock.now += 1.1
    nudge.by(1, 0)
    assert titles(session) == ["Move annotation", "Move annotation", "Draw"]


@pytest.mark.parametrize(
    "between",
    [
        lambda s, ids: operations.move(s, ids[1:], 5, 5),
        lambda s, ids: s.select(ids),
        lambda s, _: s.undo() and s.redo(),
    ],
    ids=["an edit", "another selection", "undo and redo"],
)
def test_what_comes_between_ends_the_step(session, nudge, between):
    ids = put(session, SQUARE, HOLED)
    session.select(ids[:1])
    nudge.by(1, 0)
    between(session, ids)
    after = session.annotations[ids[0]].box
    nudge.by(1, 0)
    session.undo()
    assert session.annotations[ids[0]].box == after


def test_another_image_ends_the_step(session, studio, nudge):
    ids = put(session, SQUARE)
    session.select(ids)
    nudge.by(1, 0)
    studio.show("b.png")
    assert not nudge.by(1, 0)
    studio.show("a.png")
    session.select(ids)
    nudge.by(1, 0)
    session.undo()
    assert session.annotations[ids[0]].box == (21, 20, 61, 60)


def test_a_folder_the_model_runs_on_does_not_come_between(studio: Studio, nudge):
    session = studio.session
    ids = put(session, SQUARE)
    studio.predict_folder()
    session.select(ids)
    nudge.by(1, 0)
    studio.show("b.png")
    session.select(session.annotations)
    found = tuple(session.annotations.values())
    for _ in range(3):
        nudge.by(0, 1)
    session.undo()
    assert tuple(session.annotations.values()) == found


def test_it_stops_at_the_edge_and_comes_back_at_once(session, nudge):
    session.select(put(session, SQUARE))
    for _ in range(9):
        nudge.by(-10, 0)
    assert session.selected()[0].box == (0, 20, 40, 60)
    nudge.by(1, 0)
    assert session.selected()[0].box == (1, 20, 41, 60)
    session.undo()
    assert session.selected()[0].segmentation == SQUARE


def test_there_and_back_is_nothing(session, nudge):
    session.select(put(session, SQUARE))
    nudge.by(1, 0)
    nudge.by(-1, 0)
    assert session.selected()[0].segmentation == SQUARE
    assert session.history().undo == "Draw"
    nudge.by(0, 1)
    assert session.selected()[0].box == (20, 21, 60, 61)


def test_without_a_selection_nothing_moves(session, nudge):
    put(session, SQUARE)
    assert not nudge.by(1, 0)
    assert session.history().undo == "Draw"


def test_one_step_after_the_project_was_opened_again(session, studio, nudge, folder):
    ids = put(session, SQUARE)
    session.select(ids)
    nudge.by(1, 0)
    session.close()
    studio.open(folder)
    session.select(ids)
    nudge.by(1, 0)
    assert titles(session) == ["Move annotation", "Move annotation", "Draw"]
