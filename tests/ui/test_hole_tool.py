"""Draw holes into annotations by clicks or by one drag, and fill them."""

import pytest
from PySide6.QtCore import Qt

from maskstudio.annotation.segmentation import Part, Segmentation, as_ring
from support.hand import CTRL, RIGHT, SHIFT
from support.outlines import HOLED, SQUARE, corners, put
from support.pictures import write_picture

HOLE = ((30, 30), (50, 32), (48, 50), (31, 48))
BESIDE = Segmentation.from_rings([(60, 20), (95, 20), (95, 60), (60, 60)])
APART = Segmentation.from_rings([(70, 65), (95, 65), (95, 78), (70, 78)])
LARGE = Segmentation(
    (
        Part(
            as_ring([(500, 300), (900, 300), (900, 700), (500, 700)]),
            (as_ring([(820, 350), (860, 350), (860, 390), (820, 390)]),),
        ),
        Part(as_ring([(100, 100), (300, 120), (200, 250.123456789)])),
    )
)


def outline(program, annotation_id):
    return program.session.annotations[annotation_id].segmentation


def hint(program):
    return program.window.status.hint.text()


def click_all(program, points=HOLE):
    for point in points:
        program.hand.click(point)


@pytest.fixture
def holes(program):
    """The program with the hole tool in hand over `a.png` (100 x 80)."""
    program.key("o", SHIFT)
    assert program.window.verbs["hole"].isChecked()
    return program


@pytest.mark.parametrize("scale", [0.1, 1.0, 8.0])
def test_a_hole_is_drawn_in_one_step_and_every_other_coordinate_stays(start, tmp_path, scale):
    write_picture(tmp_path / "large" / "large.png", 1200, 1600)
    program = start()
    program.open(tmp_path / "large")
    program.canvas.setFocus()
    (one,) = put(program.session, LARGE)
    before = program.annotations
    program.session.select([one])
    program.key("o", SHIFT)
    program.look_at((700, 500), scale)
    reach = 200 / max(scale, 1) / 2
    points = [(700 - reach, 500), (700, 500 - reach), (700 + reach, 500), (700, 500 + reach)]
    there = [list(program.hand.there(point)) for point in points]
    click_all(program, points)
    program.key(Qt.Key.Key_Return)
    new = outline(program, one)
    holes = [hole.tolist() for hole in new.parts[-1].holes]
    assert sorted(map(sorted, holes)) == sorted(
        map(sorted, [there, LARGE.parts[0].holes[0].tolist()])
    )
    kept = {tuple(v) for _, _, ring in LARGE.rings() for v in ring.tolist()}
    assert {tuple(v) for _, _, ring in new.rings() for v in ring.tolist()} == kept | {
        tuple(v) for v in there
    }
    assert new.geometry.is_valid
    assert program.session.selection == {one}
    assert program.titles() == ["Draw hole", "Draw"]
    program.key("z", CTRL)
    assert program.annotations == before


def by_first_vertex(program):
    program.hand.click(HOLE[0])


def by_enter(program):
    program.key(Qt.Key.Key_Return)


@pytest.mark.parametrize("close", [by_first_vertex, by_enter])
def test_it_is_closed_like_a_polygon(holes, close):
    (square,) = put(holes.session, SQUARE)
    holes.session.select([square])
    click_all(holes)
    close(holes)
    assert sorted(corners(outline(holes, square), ring=1)) == sorted(
        list(holes.hand.there(point)) for point in HOLE
    )


def test_a_double_click_closes_it(holes):
    put(holes.session, SQUARE)
    click_all(holes, HOLE[:-1])
    holes.hand.double_click(HOLE[-1])
    assert holes.titles() == ["Draw hole", "Draw"]


def by_backspace(program):
    program.key(Qt.Key.Key_Backspace)


def by_right_click(program):
    program.hand.click((80, 10), RIGHT)


def by_undo(program):
    program.key("z", CTRL)


@pytest.mark.parametrize("drop", [by_backspace, by_right_click, by_undo])
def test_the_last_vertex_is_dropped(holes, drop):
    (square,) = put(holes.session, SQUARE)
    click_all(holes)
    drop(holes)
    holes.key(Qt.Key.Key_Return)
    assert len(corners(outline(holes, square), ring=1)) == 3
    assert holes.titles() == ["Draw hole", "Draw"]


def test_a_drag_around_it_draws_it_too(holes):
    (square,) = put(holes.session, SQUARE)
    holes.hand.press((30, 30))
    for point in ((50, 30), (50, 50), (30, 50)):
        holes.hand.move(point)
    assert "Let go to close the hole" in hint(holes)
    holes.hand.release((30, 40))
    assert outline(holes, square).area == pytest.approx(HOLED.area, abs=40)
    assert len(outline(holes, square).parts[0].holes) == 1
    assert holes.titles() == ["Draw hole", "Draw"]
    assert "drag around it" in hint(holes)


def test_a_drag_can_be_dropped(holes):
    put(holes.session, SQUARE)
    holes.hand.press((30, 30))
    holes.hand.move((50, 30))
    holes.hand.move((50, 50))
    holes.key(Qt.Key.Key_Escape)
    holes.hand.release((30, 40))
    assert holes.titles() == ["Draw"]
    assert holes.window.verbs["hole"].isChecked()


def test_it_is_taken_out_of_all_that_is_selected_and_of_nothing_else(holes):
    ids = put(holes.session, SQUARE, BESIDE, SQUARE)
    holes.session.select(ids[:2])
    click_all(holes, ((50, 30), (70, 30), (70, 50), (50, 50)))
    holes.key(Qt.Key.Key_Return)
    left = [1600 - 200, 1400 - 200, 1600]
    assert [outline(holes, i).area for i in ids] == pytest.approx(left, abs=5)
    assert holes.titles()[0] == "Draw hole in 2 annotations"
    holes.key("z", CTRL)
    assert [outline(holes, i) for i in ids] == [SQUARE, BESIDE, SQUARE]


def test_with_nothing_selected_the_front_most_under_the_first_click_gets_it(holes):
    below, above = put(holes.session, SQUARE, SQUARE)
    assert "under the pointer" in hint(holes)
    click_all(holes)
    holes.key(Qt.Key.Key_Return)
    assert outline(holes, below) == SQUARE
    assert len(outline(holes, above).parts[0].holes) == 1


def test_a_hole_over_a_hole_makes_it_larger_and_one_over_the_border_a_bay(holes):
    (holed,) = put(holes.session, HOLED)
    holes.session.select([holed])
    click_all(holes, ((40, 25), (55, 25), (55, 45), (40, 45)))
    holes.key(Qt.Key.Key_Return)
    assert len(outline(holes, holed).parts[0].holes) == 1
    assert outline(holes, holed).area < HOLED.area
    click_all(holes, ((10, 22), (25, 22), (25, 58), (10, 58)))
    holes.key(Qt.Key.Key_Return)
    assert len(outline(holes, holed).parts[0].holes) == 1
    assert outline(holes, holed).geometry.is_valid


@pytest.mark.parametrize("selected", [True, False])
def test_outside_it_says_so_and_keeps_what_was_drawn(holes, selected):
    (square,) = put(holes.session, SQUARE)
    holes.session.select([square] if selected else [])
    click_all(holes, ((70, 10), (90, 10), (80, 15)))
    holes.key(Qt.Key.Key_Return)
    assert holes.problems == ["The hole lies outside what it is for; nothing was changed."]
    assert outline(holes, square) == SQUARE
    for _ in range(3):
        holes.key(Qt.Key.Key_Backspace)
    assert "drag around it" in hint(holes)


def test_where_nothing_would_be_left_it_says_so(holes):
    ids = put(holes.session, SQUARE, BESIDE)
    holes.session.select(ids)
    click_all(holes, ((10, 10), (65, 10), (65, 70), (10, 70)))
    holes.key(Qt.Key.Key_Return)
    assert holes.problems == ["The hole would leave nothing of it; nothing was changed."]
    assert [outline(holes, i) for i in ids] == [SQUARE, BESIDE]


def test_what_is_hidden_gets_no_hole(holes):
    put(holes.session, SQUARE)
    holes.key("t")
    click_all(holes)
    holes.key(Qt.Key.Key_Return)
    assert [a.segmentation for a in holes.annotations] == [SQUARE]


def test_what_is_locked_gets_no_hole(holes):
    (square,) = put(holes.session, SQUARE)
    holes.session.select([square])
    holes.key("l")
    click_all(holes)
    holes.key(Qt.Key.Key_Return)
    assert outline(holes, square) == SQUARE
    assert len(holes.problems) == 1
    assert "locked" in holes.problems[0]


# Filling


def test_every_hole_of_what_is_selected_is_filled_in_one_step(program):
    island = Part(as_ring([(35, 35), (45, 35), (45, 45), (35, 45)]))
    ids = put(program.session, Segmentation((*HOLED.parts, island)), APART)
    program.session.select(ids[1:])
    assert not program.window.verbs["fill_holes"].isEnabled()
    program.session.select(ids)
    assert program.window.verbs["fill_holes"].isEnabled()
    program.key("o", CTRL | SHIFT)
    assert outline(program, ids[0]) == SQUARE
    assert outline(program, ids[1]) == APART
    assert program.titles()[0] == "Fill holes"
    program.key("z", CTRL)
    assert len(outline(program, ids[0]).parts) == 2


# Merging into parts


def test_merged_annotations_are_parts_of_the_topmost_and_come_apart_again(program):
    ids = put(program.session, HOLED, APART)
    before = program.annotations
    program.session.select(ids[:1])
    assert not program.window.verbs["merge_parts"].isEnabled()
    program.session.select(ids)
    program.key("g", CTRL | SHIFT)
    (merged,) = program.annotations
    assert merged.id == ids[1]
    assert merged.segmentation == Segmentation((*HOLED.parts, *APART.parts))
    assert program.session.history().undo == "Merge 2 annotations"
    program.key("p", CTRL | SHIFT)
    assert {a.segmentation for a in program.annotations} == {HOLED, APART}
    for _ in range(2):
        program.key("z", CTRL)
    assert program.annotations == before


def test_what_touches_is_united_where_it_must_be(program):
    ids = put(program.session, SQUARE, BESIDE, APART)
    program.session.select(ids)
    program.key("g", CTRL | SHIFT)
    (merged,) = program.annotations
    assert len(merged.segmentation.parts) == 2
    assert merged.segmentation.area == SQUARE.area + BESIDE.area + APART.area
    assert merged.segmentation.geometry.is_valid
