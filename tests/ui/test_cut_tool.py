"""Cut annotations along a line: one step of undo, and nothing else is moved by a bit."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from maskstudio.annotation.segmentation import Part, Segmentation, as_ring
from support.hand import CTRL, LEFT, NONE, RIGHT, SHIFT
from support.outlines import HOLED, SQUARE, corners, put
from support.pictures import write_picture

CORNER = Segmentation.from_rings([(80, 5), (95, 5), (95, 45), (80, 45)])
WIDE = Segmentation(
    (
        Part(
            as_ring([(500, 300), (900, 300), (900, 700), (500, 700)]),
            (as_ring([(820, 480), (860, 480), (860, 520), (820, 520)]),),
        ),
    )
)


def outline(program, annotation_id):
    return program.session.annotations[annotation_id].segmentation


def hint(program):
    return program.window.status.hint.text()


def areas(program):
    return [a.segmentation.area for a in program.annotations]


@pytest.fixture
def cut(program):
    """The program with the cutter in hand over `a.png` (100 x 80)."""
    program.key("k", SHIFT)
    assert program.window.verbs["cut"].isChecked()
    return program


@pytest.mark.parametrize("scale", [0.1, 1.0, 8.0])
def test_a_line_across_makes_two_in_one_step(start, tmp_path, scale):
    write_picture(tmp_path / "large" / "large.png", 1200, 1600)
    program = start()
    program.open(tmp_path / "large")
    program.canvas.setFocus()
    # So low that its lower and upper edges are both on the screen at 8 screen points for a pixel.
    low = Segmentation((Part(as_ring([(600, 490), (900, 490), (900, 530), (600, 530)])),))
    drawn = low if scale == 8 else WIDE
    (wide,) = put(program.session, drawn)
    before = program.annotations
    program.key("k", SHIFT)
    program.look_at((700, 500), scale)
    top, bottom = drawn.box[1] - 20, drawn.box[3] + 20
    x0, x1 = program.hand.there((700, top))[0], program.hand.there((700, bottom))[0]
    program.hand.drag((700, top), (720, 500), (700, bottom))
    first, second = program.annotations
    assert x0 == x1
    assert first.id == wide
    assert second.category_id == first.category_id
    assert sum(areas(program)) == pytest.approx(drawn.area)
    assert {a.box[2] for a in (first, second)} == {900, x0}
    old = {tuple(v) for part in drawn.parts for ring in part.rings() for v in ring.tolist()}
    new = {
        tuple(v)
        for a in (first, second)
        for part in a.segmentation.parts
        for ring in part.rings()
        for v in ring.tolist()
    }
    assert new - old == {(x0, drawn.box[1]), (x0, drawn.box[3])}
    assert old <= new
    assert program.session.selection == {first.id, second.id}
    assert program.titles() == ["Cut annotation", "Draw"]
    program.key("z", CTRL)
    assert program.annotations == before
    program.key("y", CTRL)
    assert program.annotations == [first, second]


def test_only_what_is_selected_is_cut(program):
    square, corner = put(program.session, SQUARE, CORNER)
    program.hand.click((40, 50))
    program.key("k", SHIFT)
    assert program.session.selection == {square}
    program.hand.drag((10, 30), (99, 30))
    assert len(program.annotations) == 3
    assert outline(program, corner) == CORNER


@pytest.mark.parametrize("let_go", ["Enter", "right-click"])
def test_with_nothing_selected_all_it_crosses_is_cut_in_one_step(cut, let_go):
    ids = put(cut.session, SQUARE, CORNER)
    cut.session.select(ids[:1])
    assert "what is selected" in hint(cut)
    if let_go == "Enter":
        cut.key(Qt.Key.Key_Return)
    else:
        cut.hand.click((70, 70), RIGHT)
    assert cut.session.selection == set()
    assert "each is cut in two" in hint(cut)
    cut.hand.drag((10, 30), (99, 30))
    assert len(cut.annotations) == 4
    assert cut.titles()[0] == "Cut 2 annotations"
    cut.key("z", CTRL)
    assert [a.segmentation for a in cut.annotations] == [SQUARE, CORNER]


def test_a_line_beside_a_hole_keeps_it_and_one_through_it_opens_it(cut):
    (holed,) = put(cut.session, HOLED)
    cut.hand.drag((25, 10), (25, 70))
    assert sorted(corners(outline(cut, holed), ring=1)) == sorted(corners(HOLED, ring=1))
    cut.hand.drag((40, 10), (40, 70))
    assert len(cut.annotations) == 3
    assert [len(a.segmentation.parts[0].holes) for a in cut.annotations] == [0, 0, 0]
    assert sum(areas(cut)) == pytest.approx(HOLED.area)


def test_a_line_that_ends_inside_cuts_nothing_and_says_so(cut):
    (square,) = put(cut.session, SQUARE)
    cut.hand.drag((10, 40), (50, 40))
    assert outline(cut, square) == SQUARE
    assert cut.problems == ["The line goes across no annotation. Nothing was changed."]
    assert cut.titles() == ["Draw"]


def test_a_click_cuts_nothing_and_says_nothing(cut):
    put(cut.session, SQUARE)
    cut.hand.click((40, 40))
    assert [a.segmentation for a in cut.annotations] == [SQUARE]
    assert cut.problems == []


@pytest.mark.parametrize("select", [True, False])
def test_what_is_hidden_is_not_cut(cut, select):
    ids = put(cut.session, SQUARE)
    cut.session.select(ids if select else ())
    cut.key("t")
    cut.hand.drag((10, 40), (80, 40))
    assert [a.segmentation for a in cut.annotations] == [SQUARE]


def test_pieces_of_a_pre_annotation_are_a_persons(predicted):
    best = predicted.annotations[-1]
    predicted.session.select([best.id])
    x = (best.box[0] + best.box[2]) / 2
    predicted.key("k", SHIFT)
    predicted.hand.drag((x, best.box[1] - 4), (x, best.box[3] + 4))
    pieces = predicted.session.selected()
    assert len(pieces) == 2
    assert not any(a.is_pre_annotation for a in pieces)
    assert pieces[0].score == best.score
    assert pieces[1].model_id is None


def by_esc(program):
    program.key(Qt.Key.Key_Escape)


def by_undo(program):
    program.key("z", CTRL)


def by_right_click(program):
    QTest.mouseClick(program.canvas, RIGHT, NONE, program.hand.screen((80, 40)))


@pytest.mark.parametrize("drop", [by_esc, by_undo, by_right_click])
def test_a_line_can_be_dropped(cut, drop):
    (square,) = put(cut.session, SQUARE)
    cut.session.select([square])
    cut.hand.press((10, 40))
    cut.hand.move((80, 40))
    assert "Let go to cut" in hint(cut)
    drop(cut)
    cut.hand.release((80, 40))
    assert outline(cut, square) == SQUARE
    assert cut.session.selection == {square}
    assert cut.window.verbs["cut"].isChecked()
    assert cut.titles() == ["Draw"]
    cut.hand.drag((10, 40), (80, 40))
    assert cut.titles()[0] == "Cut annotation"


def test_going_to_another_image_drops_the_line(cut):
    cut.show("b.png")
    put(cut.session, SQUARE)
    cut.show("a.png")
    cut.hand.press((10, 40))
    cut.hand.move((60, 40))
    cut.key("d")
    cut.until(lambda: cut.shows("b.png"))
    cut.hand.release((62, 40))
    assert [a.segmentation for a in cut.annotations] == [SQUARE]


def test_a_second_line_may_begin_where_the_first_ended(cut):
    put(cut.session, SQUARE)
    cut.hand.drag((10, 30), (70, 30))
    QTest.mouseDClick(cut.canvas, LEFT, NONE, cut.hand.screen((70, 30)))
    cut.hand.move((10, 50))
    cut.hand.release((10, 50))
    assert len(cut.annotations) == 3
    assert sum(areas(cut)) == pytest.approx(SQUARE.area)


def test_the_line_is_seen(cut):
    def middle():
        return cut.canvas.grab().toImage().pixelColor(cut.hand.screen((75, 70)))

    cut.hand.move((70, 70))
    before = middle()
    cut.hand.press((70, 70))
    cut.hand.move((80, 70))
    assert middle() != before
    cut.key(Qt.Key.Key_Escape)
    assert middle() == before


def test_esc_puts_the_cutter_down_and_leaves_the_selection(cut):
    (square,) = put(cut.session, SQUARE)
    cut.session.select([square])
    cut.key(Qt.Key.Key_Escape)
    assert cut.window.verbs["select"].isChecked()
    assert cut.session.selection == {square}


def test_the_sheet_of_keys_names_cutter_and_brush(cut):
    cut.key(Qt.Key.Key_F1)
    (sheet,) = cut.dialogs()
    text = cut.text_of(sheet)
    for words in ("Shift+K", "drag a line right across", "Shift+B", "Ctrl+drag erases"):
        assert words in text
    sheet.close()
