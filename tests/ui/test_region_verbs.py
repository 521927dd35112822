"""The verbs of the Edit menu that put annotations together and take them apart."""

import pytest

from maskstudio.annotation.segmentation import Segmentation
from support.hand import CTRL, SHIFT
from support.outlines import SQUARE, put

CORNER = Segmentation.from_rings([(80, 5), (95, 5), (95, 45), (80, 45)])
VERBS = ("unite", "subtract", "intersect", "split_parts")


def enabled(program):
    return [name for name in VERBS if program.window.verbs[name].isEnabled()]


def test_verbs_can_be_asked_for_only_where_they_can_do_something(program):
    parts = Segmentation((*SQUARE.parts, *CORNER.parts))
    ids = put(program.session, SQUARE, CORNER, parts)
    assert enabled(program) == []
    program.session.select(ids[:1])
    assert enabled(program) == []
    program.session.select(ids[:2])
    assert enabled(program) == ["unite", "subtract", "intersect"]
    program.session.select(ids[2:])
    assert enabled(program) == ["split_parts"]
    program.session.select(ids[1:])
    assert enabled(program) == list(VERBS)


@pytest.mark.parametrize(
    ("letter", "title", "left"),
    [
        ("m", "Unite 2 annotations", [1600 + 900 - 400]),
        ("x", "Subtract 2 annotations", [1200]),
        ("i", "Intersect 2 annotations", [400]),
    ],
)
def test_keys_combine_what_is_selected_in_one_step(program, letter, title, left):
    over = Segmentation.from_rings([(40, 40), (70, 40), (70, 70), (40, 70)])
    put(program.session, SQUARE, over)
    before = program.annotations
    program.key("a", CTRL)
    program.key(letter, CTRL | SHIFT)
    assert [a.segmentation.area for a in program.annotations] == left
    assert len(program.session.selection) == 1
    assert program.titles()[0] == title
    program.key("z", CTRL)
    assert program.annotations == before


def test_a_key_splits_parts(program):
    put(program.session, Segmentation((*SQUARE.parts, *CORNER.parts)))
    program.key("a", CTRL)
    program.key("p", CTRL | SHIFT)
    assert [a.segmentation for a in program.annotations] == [SQUARE, CORNER]
    assert program.titles()[0] == "Split annotation"
