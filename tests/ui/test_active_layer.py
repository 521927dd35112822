"""What is selected is painted once, and anew whenever it, its colour or the view changes."""

import pytest

from maskstudio.annotation.segmentation import Segmentation
from maskstudio.session import category_operations, operations
from support.outlines import SQUARE, put

CORNER = Segmentation.from_rings([(70, 5), (95, 5), (95, 35), (70, 35)])


@pytest.fixture
def selected(program):
    """The program with a selected square in the first of two categories, all painted."""
    put(program.session, SQUARE)
    category_operations.add_category(program.session, "other")
    program.session.select([program.annotations[0].id])
    program.until(lambda: program.canvas.settled)
    return program


def colour_at(program, point):
    return program.canvas.grab().toImage().pixelColor(program.hand.screen(point))


def test_painting_again_gives_the_same_picture(selected):
    first = selected.canvas.grab().toImage()
    assert selected.canvas.grab().toImage() == first


def test_a_change_of_the_outline_is_seen_at_once(selected):
    (square,) = selected.session.selection
    before = colour_at(selected, (40, 40)), colour_at(selected, (80, 20))
    operations.reshape(selected.session, square, CORNER, "Move")
    after = colour_at(selected, (40, 40)), colour_at(selected, (80, 20))
    assert after[0] != before[0]
    assert after[1] != before[1]
    selected.session.undo()
    selected.until(lambda: selected.canvas.settled)
    assert colour_at(selected, (80, 20)) == before[1]


def test_another_category_is_seen_at_once(selected):
    before = colour_at(selected, (40, 40))
    operations.set_category(selected.session, 2)
    assert colour_at(selected, (40, 40)) != before


def test_another_colour_of_the_category_is_seen_at_once(selected):
    before = colour_at(selected, (40, 40))
    category_operations.recolour_category(selected.session, 1, "#0000ff")
    assert colour_at(selected, (40, 40)) != before


def test_it_goes_with_the_view(selected):
    selected.look_at((60, 40), 20)
    selected.until(lambda: selected.canvas.settled)
    inside, beside = colour_at(selected, (55, 40)), colour_at(selected, (65, 40))
    selected.session.select(())
    selected.until(lambda: selected.canvas.settled)
    # What is selected is filled more strongly; beside it nothing changes.
    assert colour_at(selected, (55, 40)) != inside
    assert colour_at(selected, (65, 40)) == beside
