"""A ring that went out as a keyhole comes back as what it was made of, and no vertex moves."""

import numpy as np
import pytest
from hypothesis import given, settings

from maskstudio.annotation.segmentation import Segmentation
from maskstudio.formats.keyhole import keyhole
from maskstudio.formats.rings import outline
from support.roundtrip import HEIGHT, WIDTH, outlines, same_outline

SHIFT = np.array([50, 0])
SQUARE = [(0.0, 0.0), (20.0, 0.0), (20.0, 20.0), (0.0, 20.0)]


@settings(max_examples=100)
@given(outlines())
def test_keyholes_come_apart_exactly(drawn):
    made = outline([keyhole(part) for part in drawn.parts], HEIGHT, WIDTH)
    assert made.notes == ()
    assert same_outline(made.segmentation, drawn)


def test_a_sound_ring_stays_vertex_for_vertex():
    ring = [(0.1, 1 / 3), (20.7, 0.2), (10.0, 30.123456789), (5.0, 9.3)]
    made = outline([ring], HEIGHT, WIDTH)
    assert made.segmentation == Segmentation.from_rings(ring)
    assert made.notes == ()


def test_parts_on_a_bridge_come_apart():
    bridged = [*SQUARE[:3], (30, 20), (40, 20), (40, 30), (30, 30), (30, 20), SQUARE[2], SQUARE[3]]
    made = outline([bridged], HEIGHT, WIDTH)
    assert made.notes == ()
    expected = Segmentation.from_rings(SQUARE, [(30, 20), (40, 20), (40, 30), (30, 30)])
    assert same_outline(made.segmentation, expected)


def test_a_part_within_a_hole_is_a_part():
    rings = [[(n, n), (30 - n, n), (30 - n, 30 - n), (n, 30 - n)] for n in (1, 5, 10)]
    walk = [*rings[0], rings[0][0], *rings[1], rings[1][0], *rings[2], rings[2][0]]
    made = outline([[*walk, rings[1][0]]], HEIGHT, WIDTH)
    assert made.notes == ()
    assert [len(part.holes) for part in made.segmentation.parts] == [1, 0]
    assert made.segmentation.area == 28**2 - 20**2 + 10**2


@pytest.mark.parametrize(
    ("rings", "area", "said"),
    [
        ([[(0, 0), (10, 10), (10, 0), (0, 10)]], 50, "cross or overlap"),
        ([SQUARE, np.array(SQUARE) + 10], 700, "cross or overlap"),
        ([SHIFT + SQUARE], 200, "reached out of the image"),
        ([SQUARE, [(0, 0), (1, 1)]], 400, "left out"),
    ],
)
def test_what_is_not_sound_is_made_so_and_that_is_said(rings, area, said):
    made = outline(rings, HEIGHT, WIDTH)
    assert made.segmentation.is_valid
    assert made.segmentation.area == pytest.approx(area)
    (note,) = made.notes
    assert said in note


@pytest.mark.parametrize(
    "rings",
    [
        [],
        [[(0, 0), (1, 1)]],
        [[(0, 0), (1, 1), (2, 2)]],
        [np.array(SQUARE) + 100],
        [[(0, 0), (float("nan"), 1), (5, 5)]],
        [np.tile(SQUARE, (2000, 1)) * np.linspace(0.1, 1, 8000)[:, None]],
    ],
)
def test_nothing_is_left_of_what_covers_nothing_or_is_no_outline(rings):
    made = outline(rings, HEIGHT, WIDTH)
    assert made.segmentation is None
    assert len(made.notes) == 1
