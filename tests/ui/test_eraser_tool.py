"""Erase many vertices by dragging a circle over them: one step of undo, nothing else is moved."""

import math

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolBar

from maskstudio.annotation.segmentation import Part, Segmentation, as_ring
from maskstudio.session import arranging
from support.hand import CTRL, LEFT, NONE, RIGHT, SHIFT
from support.outlines import HOLED, SQUARE, corners, put
from support.pictures import write_picture

# A comb: eleven teeth along its upper edge, a hole and a second part below.
TEETH = [(500.0 + 40 * n, 300.0 if n % 2 else 340.0) for n in range(11)]
HOLE = [(640.0, 480.0), (700.0, 470.0), (760.0, 480.0), (760.0, 560.0), (640.0, 560.0)]
ISLAND = [(500.0, 800.0), (700.0, 790.0), (900.0, 800.0), (900.0, 900.0), (500.0, 900.0)]
COMB = Segmentation(
    (
        Part(as_ring([*TEETH, (900.0, 700.0), (500.0, 700.0)]), (as_ring(HOLE),)),
        Part(as_ring(ISLAND)),
    )
)
# Shares its left edge with the comb's right one.
NEIGHBOUR = Segmentation.from_rings([(900, 340), (1200, 340), (1200, 700), (900, 700)])


def outline(program, annotation_id):
    return program.session.annotations[annotation_id].segmentation


def hint(program):
    return program.window.status.hint.text()


def widen(program, size):
    """Turn the wheel until the circle is at least that wide; return its width."""
    steps = math.ceil(math.log(size / 20, 1.2))
    program.hand.wheel((700, 500), steps)
    return 20 * 1.2**steps


@pytest.fixture
def large(start, tmp_path):
    """The program with an image of 1600 x 1200 and the eraser in hand."""
    write_picture(tmp_path / "large" / "large.png", 1200, 1600)
    program = start()
    program.open(tmp_path / "large")
    program.canvas.setFocus()
    program.key("x", SHIFT)
    assert program.window.verbs["erase_vertices"].isChecked()
    return program


@pytest.fixture
def eraser(program):
    """The program with the eraser in hand, 20 pixels wide, over `a.png` (100 x 80)."""
    program.key("x", SHIFT)
    return program


# Sweeping


@pytest.mark.parametrize("scale", [0.1, 1.0, 8.0])
def test_a_sweep_takes_all_between_two_moves_in_one_step(large, scale):
    (comb,) = put(large.session, COMB)
    before = large.annotations
    large.session.select([comb])
    large.look_at((700, 320), scale)
    first, last = (620, 320), (780, 320)
    if scale == 8:
        first, last = (660, 303), (740, 303)
        large.hand.drag(first, last)
        gone = {(700, 300)}
    else:
        widen(large, 50)
        # One event from end to end: what lies between is swept all the same.
        large.hand.drag(first, last)
        gone = {t for t in TEETH if 610 < t[0] < 790}
    after = outline(large, comb)
    assert {tuple(v) for v in corners(COMB)} - {tuple(v) for v in corners(after)} == gone
    assert corners(after, ring=1) == corners(COMB, ring=1)
    assert corners(after, part=1) == corners(COMB, part=1)
    assert large.titles() == ["Erase vertices", "Draw"]
    large.key("z", CTRL)
    assert large.annotations == before
    large.key("y", CTRL)
    assert outline(large, comb) == after


def test_what_touches_the_selected_one_keeps_its_vertices(large):
    comb, neighbour = put(large.session, COMB, NEIGHBOUR)
    large.session.select([comb])
    large.hand.drag((880, 345), (910, 340))
    assert len(corners(outline(large, comb))) == len(corners(COMB)) - 1
    assert outline(large, neighbour) == NEIGHBOUR


def test_all_that_is_selected_is_swept_in_one_step(large):
    ids = put(large.session, COMB, NEIGHBOUR)
    before = large.annotations
    large.session.select(ids)
    large.hand.drag((880, 345), (910, 340))
    assert [a.segmentation.vertex_count for a in large.annotations] == [
        COMB.vertex_count - 1,
        3,
    ]
    assert large.session.selection == set(ids)
    assert large.titles() == ["Erase vertices", "Draw", "Draw"]
    large.key("z", CTRL)
    assert large.annotations == before


@pytest.mark.parametrize(
    ("at", "to", "taken"),
    [
        ((850, 400), (860, 300), "behind"),
        ((1190, 680), (1200, 700), "front"),
        ((895, 345), (880, 335), "front"),
    ],
)
def test_with_nothing_selected_it_is_the_one_in_front_where_it_begins(large, at, to, taken):
    front = Segmentation.from_rings([(880, 335), (1200, 335), (1200, 700), (880, 700)])
    ids = dict(zip(("behind", "front"), put(large.session, COMB, front), strict=True))
    large.hand.drag(at, to)
    assert large.session.selection == {ids[taken]}
    changed = {
        a.id
        for a, old in zip(large.annotations, (COMB, front), strict=True)
        if a.segmentation != old
    }
    assert changed == {ids[taken]}


def test_a_circle_that_only_meets_the_outline_takes_it_too(large):
    (neighbour,) = put(large.session, NEIGHBOUR)
    widen(large, 60)
    large.hand.click((1210, 720))
    assert corners(outline(large, neighbour)) == [[900, 340], [1200, 340], [900, 700]]
    assert large.session.selection == {neighbour}


def test_over_empty_ground_nothing_happens(large):
    (comb,) = put(large.session, COMB)
    large.hand.drag((100, 100), (300, 100))
    assert outline(large, comb) == COMB
    assert large.session.selection == set()
    assert large.titles() == ["Draw"]
    assert large.problems == []


# What must not go


def test_a_hole_swept_away_is_filled_and_an_outer_ring_keeps_three(eraser):
    (holed,) = put(eraser.session, HOLED)
    eraser.session.select([holed])
    eraser.hand.drag((30, 30), (50, 30))
    assert outline(eraser, holed) == SQUARE
    eraser.hand.drag((20, 20), (60, 20), (60, 60), (20, 60))
    left = corners(outline(eraser, holed))
    assert len(left) == 3
    assert all(v in corners(SQUARE) for v in left)
    assert eraser.problems == []


def test_every_part_keeps_three(large):
    (comb,) = put(large.session, COMB)
    large.session.select([comb])
    widen(large, 480)
    large.look_at((700, 600), 0.5)
    large.hand.drag((500, 500), (900, 500), (900, 850), (500, 850))
    after = outline(large, comb)
    assert [len(part.rings()) for part in after.parts] == [1, 1]
    assert [len(part.outer) for part in after.parts] == [3, 3]
    assert after.geometry.is_valid


def test_what_would_cross_itself_is_repaired_in_the_same_step(large):
    bow = Segmentation.from_rings(
        [(400, 400), (800, 380), (820, 600), (610, 610), (600, 300), (590, 620), (400, 600)]
    )
    (drawn,) = put(large.session, bow)
    large.session.select([drawn])
    before = outline(large, drawn)
    assert not before.geometry.equals(before.geometry.convex_hull)
    large.hand.drag((800, 380), (805, 382))
    after = outline(large, drawn)
    assert after != before
    assert after.geometry.is_valid
    assert large.titles()[0] == "Erase vertices"


def test_a_pre_annotation_that_lost_vertices_is_a_persons(predicted):
    best = predicted.annotations[-1]
    predicted.session.select([best.id])
    predicted.key("x", SHIFT)
    x0, y0, x1, _ = best.box
    predicted.hand.drag((x0, y0 + 2), (x1, y0 + 2))
    after = predicted.session.annotations[best.id]
    assert after.segmentation.vertex_count < best.segmentation.vertex_count
    assert not after.is_pre_annotation
    assert after.score == best.score


@pytest.mark.parametrize("select", [True, False])
def test_what_is_hidden_keeps_its_vertices(eraser, select):
    ids = put(eraser.session, SQUARE)
    eraser.session.select(ids if select else ())
    eraser.key("t")
    eraser.hand.drag((20, 20), (60, 20))
    assert outline(eraser, ids[0]) == SQUARE


# Seen, and taken back


def test_what_is_left_is_seen_while_the_button_is_down(large):
    (comb,) = put(large.session, COMB)
    large.session.select([comb])
    large.key("v")
    large.until(lambda: large.canvas.settled)
    corner = (895, 690)
    inside = large.colour(corner)
    large.key("x", SHIFT)
    large.hand.press((905, 705))
    large.hand.move((1100, 900))
    assert outline(large, comb) == COMB
    assert large.colour(corner) != inside
    assert "Let go to erase" in hint(large)
    large.key(Qt.Key.Key_Escape)
    large.until(lambda: large.canvas.settled)
    assert large.colour(corner) == inside


def by_esc(program):
    program.key(Qt.Key.Key_Escape)


def by_undo(program):
    program.key("z", CTRL)


def by_right_click(program):
    QTest.mouseClick(program.canvas, RIGHT, NONE, program.hand.screen((60, 60)))


@pytest.mark.parametrize("drop", [by_esc, by_undo, by_right_click])
def test_a_sweep_can_be_taken_back(eraser, drop):
    (square,) = put(eraser.session, SQUARE)
    eraser.session.select([square])
    eraser.hand.press((60, 60))
    eraser.hand.move((60, 40))
    drop(eraser)
    eraser.hand.move((20, 60))
    eraser.hand.release((20, 60))
    assert outline(eraser, square) == SQUARE
    assert eraser.session.selection == {square}
    assert eraser.window.verbs["erase_vertices"].isChecked()
    assert eraser.titles() == ["Draw"]


def test_going_to_another_image_takes_it_back(eraser):
    eraser.show("b.png")
    put(eraser.session, SQUARE)
    eraser.show("a.png")
    (here,) = put(eraser.session, SQUARE)
    eraser.hand.press((20, 20))
    eraser.hand.move((60, 20))
    eraser.key("d")
    eraser.until(lambda: eraser.shows("b.png"))
    eraser.hand.release((60, 60))
    assert [a.segmentation for a in eraser.annotations] == [SQUARE]
    eraser.show("a.png")
    assert outline(eraser, here) == SQUARE


def test_a_second_dab_may_follow_at_once(eraser):
    five = [(20, 20), (60, 20), (70, 40), (60, 60), (20, 60)]
    (drawn,) = put(eraser.session, Segmentation.from_rings(five))
    eraser.session.select([drawn])
    eraser.hand.click((60, 60))
    QTest.mouseDClick(eraser.canvas, LEFT, NONE, eraser.hand.screen((60, 20)))
    eraser.hand.release((60, 20))
    assert len(corners(outline(eraser, drawn))) == 3
    assert eraser.titles() == ["Erase vertices", "Erase vertices", "Draw"]


# The circle


@pytest.mark.parametrize("by", ["wheel", "keys"])
def test_wheel_and_brackets_change_the_width(eraser, by):
    (square,) = put(eraser.session, SQUARE)
    eraser.session.select([square])
    scale = eraser.canvas.viewport.scale
    assert "(20 px)" in hint(eraser)
    eraser.hand.click((48, 48))
    assert outline(eraser, square) == SQUARE  # 17 pixels from the corner
    for _ in range(4):
        if by == "wheel":
            eraser.hand.wheel((48, 48), 1)
        else:
            eraser.key("]")
    assert "(41 px)" in hint(eraser)
    eraser.hand.click((48, 48))
    assert corners(outline(eraser, square)) == [[20, 20], [60, 20], [20, 60]]
    eraser.hand.wheel((48, 48), -1) if by == "wheel" else eraser.key("[")
    assert "(35 px)" in hint(eraser)
    assert eraser.canvas.viewport.scale == scale


def test_the_circle_is_seen(eraser):
    eraser.hand.move((90, 70))
    before = eraser.colour((60, 40))
    eraser.hand.move((70, 40))
    assert eraser.colour((60, 40)) != before


def test_enter_and_right_click_let_go_of_the_selection(eraser):
    ids = put(eraser.session, SQUARE)
    assert "over an annotation" in hint(eraser)
    eraser.session.select(ids)
    assert "over vertices" in hint(eraser)
    eraser.key(Qt.Key.Key_Return)
    assert eraser.session.selection == set()
    eraser.session.select(ids)
    eraser.hand.click((80, 70), RIGHT)
    assert eraser.session.selection == set()


def test_taking_it_in_hand_keeps_the_selection_and_esc_puts_it_down(program):
    ids = put(program.session, SQUARE)
    program.session.select(ids)
    program.key("x", SHIFT)
    assert program.session.selection == set(ids)
    program.key(Qt.Key.Key_Escape)
    assert program.window.verbs["select"].isChecked()
    assert program.session.selection == set(ids)


def test_the_sheet_of_keys_names_the_gestures(eraser):
    eraser.key(Qt.Key.Key_F1)
    (sheet,) = eraser.dialogs()
    text = eraser.text_of(sheet)
    for words in ("Shift+X", "Erase many vertices", "Redraw a stretch", "Ctrl+Shift+S"):
        assert words in text
    sheet.close()


# What is locked


def test_what_is_locked_keeps_its_vertices_and_it_is_said(eraser):
    ids = put(eraser.session, SQUARE)
    arranging.set_locked(eraser.session, ids, locked=True)
    eraser.session.select(ids)
    eraser.hand.drag((60, 60), (60, 40))
    assert outline(eraser, ids[0]) == SQUARE
    (problem,) = eraser.problems
    assert "locked" in problem


def test_beside_a_locked_one_the_others_are_swept(large):
    comb, neighbour = put(large.session, COMB, NEIGHBOUR)
    arranging.set_locked(large.session, [neighbour], locked=True)
    large.session.select([comb, neighbour])
    large.hand.drag((880, 345), (910, 340))
    assert outline(large, neighbour) == NEIGHBOUR
    assert outline(large, comb).vertex_count == COMB.vertex_count - 1
    assert large.problems == []


def test_its_button_has_a_short_word_and_its_menu_the_whole(program):
    action = program.window.verbs["erase_vertices"]
    column = program.window.findChild(QToolBar, "tools")
    assert column.widgetForAction(action).text() == "Eraser"
    assert action.text() == "Erase vertices"
    assert "Shift+X" in action.toolTip()
