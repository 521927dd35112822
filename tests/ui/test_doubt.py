"""Doubtful places: marked when that is wanted, and walked through with a key."""

import numpy as np
import pytest
from PySide6.QtCore import Qt

from maskstudio.annotation.detections import Detections
from support.fakes import CELL

BOXES = ((5, 5, 45, 45), (50, 5, 90, 45), (30, 42, 66, 78))


def blurred(size, scores=(0.9, 0.8, 0.7)):
    """A sharp square, one whose right side fades slowly, and one whose upper side fades faster."""
    masks = np.zeros((3, 28, 28), np.uint8)
    masks[:, 4:24, 4:24] = 250
    masks[1, :, 8:] = np.linspace(250, 20, 20).astype(np.uint8)
    masks[1, :4] = masks[1, 24:] = 0
    masks[2, 4:14, 4:24] = np.linspace(10, 250, 10).astype(np.uint8)[:, None]
    return Detections(
        "fake",
        size,
        np.array(BOXES, np.float32),
        np.zeros(3, np.int64),
        np.array(scores, np.float32),
        masks,
        (CELL,),
    )


@pytest.fixture
def doubting(program, model):
    model.detect = blurred
    program.key("i")
    program.until(lambda: len(program.annotations) == 3 and not program.app.annotator.running)
    return program


def by_score(program, score):
    return next(a for a in program.annotations if a.score == pytest.approx(score))


def selected(program):
    return [round(a.score, 1) for a in program.session.selected()]


def test_the_key_goes_to_the_most_doubtful_place_then_to_the_next(doubting):
    scale = doubting.canvas.viewport.scale
    doubting.key("u")
    doubting.until(lambda: selected(doubting) == [0.8])
    assert doubting.canvas.viewport.scale > scale
    assert "Doubtful place 1 of 2" in doubting.said
    doubting.key("u")
    doubting.until(lambda: selected(doubting) == [0.7])
    assert "2 of 2" in doubting.said
    doubting.key("u")
    doubting.until(lambda: "no more outlines" in doubting.said)
    doubting.key("u")
    doubting.until(lambda: selected(doubting) == [0.8])


def test_what_a_person_accepted_is_no_longer_doubtful(doubting):
    doubting.key("u")
    doubting.until(lambda: selected(doubting) == [0.8])
    doubting.key(Qt.Key.Key_Right)
    doubting.key("u")
    doubting.until(lambda: selected(doubting) == [0.7])
    assert "1 of 1" in doubting.said


def test_a_sharp_image_has_none(predicted):
    predicted.key("u")
    predicted.until(lambda: "no outlines" in predicted.said)
    assert predicted.session.selection == frozenset()


def test_doubt_is_marked_while_it_is_turned_on(doubting):
    canvas = doubting.canvas
    doubting.until(lambda: canvas.settled)
    x, y = 73.0, 25.0  # across the fading side of the second square
    before = [doubting.colour((x + dx, y)) for dx in range(-8, 8)]
    doubting.key("u", Qt.KeyboardModifier.ShiftModifier)
    doubting.until(
        lambda: canvas.settled and [doubting.colour((x + dx, y)) for dx in range(-8, 8)] != before
    )
    assert "doubt shown" in doubting.window.status.modes.text()
    doubting.key("u", Qt.KeyboardModifier.ShiftModifier)
    doubting.until(
        lambda: canvas.settled and [doubting.colour((x + dx, y)) for dx in range(-8, 8)] == before
    )


def test_there_is_no_next_doubt_before_a_model_ran(program):
    assert not program.window.verbs["next_doubt"].isEnabled()
    program.key("u")
    assert program.said == ""


def test_asked_for_as_soon_as_the_image_is_left_and_back_it_is_found(doubting):
    doubting.key("d")
    doubting.until(lambda: doubting.shows("b.png"))
    doubting.key("a")
    doubting.key("u")
    doubting.until(lambda: selected(doubting) == [0.8])
    assert "Doubtful place 1 of 2" in doubting.said
