"""What is drawn beside others shares their borders instead of lying over them."""

import numpy as np
import pytest
import shapely
from PySide6.QtCore import Qt

from maskstudio.annotation.segmentation import Part, Segmentation, as_ring
from support.hand import CTRL, SHIFT
from support.outlines import HOLED, SQUARE, put
from support.pictures import write_picture

OVER = ((50, 30), (90, 25), (90, 55), (50, 50))
RIGHT = Segmentation.from_rings([(50, 25), (90, 25), (90, 55), (50, 55)])


def outline(program, annotation_id):
    return program.session.annotations[annotation_id].segmentation


def hint(program):
    return program.window.status.hint.text()


def vertices(segmentation):
    return {tuple(v) for _, _, ring in segmentation.rings() for v in ring.tolist()}


def edges(segmentation):
    return {
        frozenset((tuple(a), tuple(b)))
        for _, _, ring in segmentation.rings()
        for a, b in zip(ring.tolist(), np.roll(ring, -1, axis=0).tolist(), strict=True)
    }


def overlap(a, b):
    return shapely.intersection(a.geometry, b.geometry).area


def draw(program, points=OVER):
    for point in points:
        program.hand.click(point)
    program.key(Qt.Key.Key_Return)


@pytest.fixture
def sharing(program):
    """The program with shared borders over `a.png` (100 x 80)."""
    program.key("s", SHIFT)
    assert program.window.verbs["share_borders"].isChecked()
    return program


@pytest.mark.parametrize("scale", [0.1, 1.0, 8.0])
def test_a_polygon_over_a_neighbour_ends_at_its_border(start, tmp_path, scale):
    write_picture(tmp_path / "large" / "large.png", 1200, 1600)
    program = start()
    program.open(tmp_path / "large")
    program.canvas.setFocus()
    holed = Segmentation(
        (
            Part(
                as_ring([(500, 300), (700, 310), (710, 480.123456789), (700, 700), (500, 700)]),
                (as_ring([(520, 350), (560, 350), (560, 390)]),),
            ),
            Part(as_ring([(100, 100), (300, 120), (200, 250.123456789)])),
        )
    )
    (neighbour, far) = put(program.session, holed, holed.translated(800, 0))
    before = program.annotations
    program.key("s", SHIFT)
    program.key("p")
    program.look_at((705, 500), scale)
    reach = 20 if scale == 8 else 100
    draw(
        program,
        [(705 + x * reach, 490 + y * reach) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))],
    )
    drawn = program.annotations[-1].segmentation
    finer = outline(program, neighbour)
    assert overlap(drawn, finer) == 0
    assert drawn.geometry.is_valid
    assert len(edges(drawn) & edges(finer)) == 2
    assert (710, 480.123456789) in vertices(drawn)
    assert vertices(holed) <= vertices(finer)
    assert len(vertices(finer)) == len(vertices(holed)) + 2
    assert program.session.annotations[far] is before[1]
    assert program.titles() == ["Draw", "Draw", "Draw"]
    program.key("z", CTRL)
    assert program.annotations == before


def by_freehand(program):
    program.key("f", SHIFT)
    program.hand.drag(OVER[0], *OVER[1:], OVER[0])


def by_rectangle(program):
    program.key("r", SHIFT)
    program.hand.drag((50, 30), (90, 50))


def by_ellipse(program):
    program.key("e", SHIFT)
    program.hand.drag((50, 30), (90, 50))


def by_brush(program):
    program.key("b", SHIFT)
    program.hand.drag((50, 40), (80, 40))


@pytest.mark.parametrize("draw_with", [by_freehand, by_rectangle, by_ellipse, by_brush])
def test_every_tool_keeps_off_the_neighbours(sharing, draw_with):
    (square,) = put(sharing.session, SQUARE)
    draw_with(sharing)
    drawn = sharing.annotations[-1].segmentation
    assert len(sharing.annotations) == 2
    assert drawn.box[0] == 60
    assert edges(drawn) & edges(outline(sharing, square))
    assert sharing.titles() == ["Draw", "Draw"]


def test_brushing_on_adds_only_where_no_neighbour_lies(sharing):
    square, right = put(
        sharing.session, SQUARE, Segmentation.from_rings([(70, 20), (90, 20), (90, 60)])
    )
    sharing.session.select([right])
    sharing.key("b", SHIFT)
    before = sharing.annotations
    sharing.hand.drag((50, 40), (80, 40))
    assert outline(sharing, right).box[0] == 60
    assert overlap(outline(sharing, right), outline(sharing, square)) == 0
    assert edges(outline(sharing, right)) & edges(outline(sharing, square))
    assert sharing.titles()[0] == "Brush"
    sharing.key("z", CTRL)
    assert sharing.annotations == before


def test_erasing_changes_no_neighbour(sharing):
    square, right = put(sharing.session, SQUARE, RIGHT)
    sharing.session.select([right])
    sharing.key("b", SHIFT)
    sharing.hand.drag((50, 40), (70, 40), held=CTRL)
    assert outline(sharing, square) == SQUARE


def test_without_it_outlines_lie_over_each_other(program):
    (square,) = put(program.session, SQUARE)
    program.key("p")
    draw(program)
    assert overlap(program.annotations[-1].segmentation, SQUARE) > 0
    assert outline(program, square) == SQUARE


def test_where_nothing_is_left_the_outline_stays_in_hand(sharing):
    put(sharing.session, SQUARE)
    sharing.key("p")
    draw(sharing, ((30, 30), (50, 30), (40, 50)))
    assert sharing.problems == [
        "All of that outline lies inside its neighbours; nothing was changed."
    ]
    assert [a.segmentation for a in sharing.annotations] == [SQUARE]
    sharing.hand.click((90, 70))
    sharing.key(Qt.Key.Key_Return)
    assert len(sharing.annotations) == 2


def test_hidden_ones_are_drawn_over_and_locked_ones_are_cut_at_and_left_alone(sharing):
    hidden, locked = put(
        sharing.session, SQUARE, Segmentation.from_rings([(80, 20), (95, 20), (95, 60), (80, 60)])
    )
    before = sharing.annotations
    sharing.session.select([hidden])
    sharing.key("h")
    sharing.session.select([locked])
    sharing.key("l")
    sharing.session.select(())
    sharing.key("p")
    draw(sharing)
    drawn = sharing.annotations[-1].segmentation
    assert drawn.box[0] == pytest.approx(50, abs=0.2)
    assert drawn.box[2] == 80
    assert outline(sharing, hidden) == before[0].segmentation
    assert outline(sharing, locked) == before[1].segmentation
    assert sharing.problems == []


def test_to_a_models_annotation_sharing_is_no_correction(predicted):
    predicted.key("s", SHIFT)
    left = min(predicted.annotations, key=lambda a: a.box[0])
    predicted.key("r", SHIFT)
    predicted.hand.drag((20, 5), (38, 35))
    there = predicted.session.annotations[left.id]
    assert there.is_pre_annotation
    assert len(vertices(there.segmentation)) > len(vertices(left.segmentation))


def test_a_vertex_snaps_to_the_neighbours_vertex_or_edge_and_shows_it(sharing):
    (square,) = put(sharing.session, SQUARE)
    sharing.look_at((60, 40), 8)
    sharing.key("p")
    sharing.hand.move((60.6, 40))
    assert "on the neighbour's border" in hint(sharing)
    marked = sharing.canvas.grab().toImage()
    at = sharing.hand.screen((60, 40))
    sharing.hand.move((75, 40))
    assert "on the neighbour's border" not in hint(sharing)
    plain = sharing.canvas.grab().toImage()
    assert any(
        marked.pixel(at.x() + dx, at.y()) != plain.pixel(at.x() + dx, at.y()) for dx in range(-9, 9)
    )
    for point in ((60.6, 59.5), (59.6, 40), (80, 30), (80, 60)):
        sharing.hand.click(point)
    sharing.key(Qt.Key.Key_Return)
    drawn = sharing.annotations[-1].segmentation
    assert (60, 60) in vertices(drawn)
    assert sum(x == 60 for x, _ in vertices(drawn)) == 2
    assert len(edges(drawn) & edges(outline(sharing, square))) == 1


def test_the_choice_is_kept_from_one_start_to_the_next(start):
    first = start()
    assert not first.window.verbs["share_borders"].isChecked()
    first.key("s", SHIFT, first.window)
    first.close()
    second = start()
    assert second.window.verbs["share_borders"].isChecked()
    assert second.canvas.shares_borders


# Trim to neighbours


def test_what_is_selected_is_trimmed_once_in_one_step(program):
    square, right, far = put(program.session, HOLED, RIGHT, SQUARE.translated(-15, 30))
    before = program.annotations
    program.session.select([right])
    assert program.window.verbs["trim"].isEnabled()
    program.key("t", CTRL | SHIFT)
    assert outline(program, right).box == (60, 25, 90, 55)
    assert vertices(outline(program, square)) == vertices(HOLED) | {(60, 25), (60, 55)}
    assert program.session.annotations[far] is before[2]
    assert program.titles()[0] == "Trim annotation"
    program.key("z", CTRL)
    assert program.annotations == before


def test_among_all_that_is_selected_those_in_front_give_way(program):
    back, front = put(program.session, SQUARE, RIGHT)
    program.key("a", CTRL)
    program.key("t", CTRL | SHIFT)
    assert outline(program, back).area == SQUARE.area
    assert outline(program, front).box[0] == 60
    assert program.titles()[0] == "Trim annotation"


def test_one_that_overlaps_nothing_says_so(program):
    put(program.session, SQUARE, SQUARE.translated(40, 0))
    program.key("a", CTRL)
    program.key("t", CTRL | SHIFT)
    assert program.problems == ["Nothing selected overlaps a neighbour; nothing was changed."]
    assert program.titles() == ["Draw", "Draw"]


def test_one_wholly_inside_is_left_as_it_was_and_the_others_are_trimmed(program):
    inner = Segmentation.from_rings([(30, 30), (40, 30), (40, 40)])
    ids = put(program.session, SQUARE, inner, RIGHT)
    program.session.select(ids[1:])
    program.key("t", CTRL | SHIFT)
    assert outline(program, ids[1]) == inner
    assert outline(program, ids[2]).box[0] == 60
    assert program.problems == ["1 of these lies wholly inside others; it was left as before."]
