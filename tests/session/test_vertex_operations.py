"""Vertices of several annotations changed as one edit, and what it costs found out aside."""

import pytest

from annotation.shapes import star
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.session import arranging, vertex_operations
from maskstudio.session.detail_finder import DetailFinder, DetailRequest
from support.outlines import HOLED, SQUARE, put

DISC = Segmentation.from_rings(star((70, 40), [20.0] * 60))
SMALLER = Segmentation.from_rings([(20, 20), (60, 20), (60, 60)])
BOW = Segmentation.from_rings([(20, 20), (60, 60), (60, 20), (20, 60)])
FLAT = Segmentation.from_rings([(20, 20), (30, 20), (60, 20)])


def outlines(studio):
    return [a.segmentation for a in studio.session.annotations.values()]


def test_several_are_one_edit(studio):
    square, disc = put(studio.session, SQUARE, DISC)
    assert vertex_operations.reshape_each(studio.session, {square: SMALLER, disc: HOLED}, "Thin")
    assert outlines(studio) == [SMALLER, HOLED]
    assert studio.session.undo().title == "Thin"
    assert outlines(studio) == [SQUARE, DISC]


def test_what_is_not_valid_is_repaired(studio):
    (square,) = put(studio.session, SQUARE)
    assert vertex_operations.reshape_each(studio.session, {square: BOW}, "Thin")
    (repaired,) = outlines(studio)
    assert repaired.geometry.is_valid
    assert repaired.area == pytest.approx(800)


def test_if_one_would_enclose_nothing_none_is_changed(studio):
    square, disc = put(studio.session, SQUARE, DISC)
    assert not vertex_operations.reshape_each(studio.session, {disc: HOLED, square: FLAT}, "Thin")
    assert outlines(studio) == [SQUARE, DISC]
    assert studio.problems == ["An outline would enclose nothing; nothing was changed."]


def test_what_is_locked_or_hidden_is_left_out(studio):
    ids = put(studio.session, SQUARE, HOLED, DISC)
    arranging.set_locked(studio.session, ids[:1], locked=True)
    studio.session.select(ids)
    assert [a.id for a in vertex_operations.changeable(studio.session)] == ids[1:]
    studio.session.select(ids[:1])
    assert not vertex_operations.can_change_detail(studio.session)


def test_nothing_is_open(make_studio):
    session = make_studio(None).session
    assert not vertex_operations.can_change_detail(session)
    assert not vertex_operations.reshape_each(session, {1: SQUARE}, "Thin")


# Found out aside


def asked(*levels):
    return [DetailRequest({1: DISC, 2: SQUARE}, level, (80, 100)) for level in levels]


def test_only_the_newest_request_is_answered(studio, qtbot):
    finder = DetailFinder(studio.tasks, studio.session)
    answers = []
    finder.found.connect(answers.append)
    with qtbot.waitSignal(finder.found):
        for request in asked(0.9, 0.3, 0.6):
            finder.ask(request)
    (answer,) = answers
    assert answer.request.level == 0.6
    assert answer.before == 64
    assert answer.after == answer.outlines[1].vertex_count + 4 < 64
    assert list(answer.outlines) == [1]  # a square has no vertex to spare
    assert 0.9 < answer.iou < 1


def test_what_is_dropped_is_not_answered(studio, qtbot):
    finder = DetailFinder(studio.tasks, studio.session)
    answers = []
    finder.found.connect(answers.append)
    (first, second) = asked(0.9, -0.5)
    finder.ask(first)
    finder.drop()
    with qtbot.waitSignal(finder.found):
        finder.ask(second)
    assert [a.request for a in answers] == [second]
    assert answers[0].iou == 1
    assert answers[0].after > 64
