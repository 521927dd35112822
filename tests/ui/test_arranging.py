"""Hide, lock and stack annotations by mouse and keys; what is seen, hit and listed of them."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from maskstudio.annotation.segmentation import Segmentation
from maskstudio.session import arranging, category_operations
from maskstudio.ui.panels.annotation_model import Column
from support.hand import CTRL, LEFT, NONE, SHIFT
from support.outlines import SQUARE, put

RIGHT = Segmentation.from_rings([(50, 20), (90, 20), (90, 60), (50, 60)])
LEFT_HALF, BOTH, RIGHT_HALF = (30, 40), (55, 40), (80, 40)


@pytest.fixture
def drawn(program):
    """The program with two squares that overlap from x 50 to 60; the right one lies in front."""
    put(program.session, SQUARE, RIGHT)
    return program


def ids(program):
    return [a.id for a in program.annotations]


def hint(program):
    return program.window.status.hint.text()


def click_cell(program, row, column, held=NONE):
    rows = program.window.annotations.list
    place = rows.visualRect(rows.model().index(row, column)).center()
    QTest.mouseClick(rows.viewport(), LEFT, held, place)


def cell(program, row, column, role=Qt.ItemDataRole.AccessibleTextRole):
    rows = program.window.annotations.list.model()
    return rows.data(rows.index(row, column), role)


def row_words(program):
    return [cell(program, row, Column.NAME) for row in range(len(program.annotations))]


def picked(program, point):
    """Click and return what is selected then."""
    program.session.select(())
    program.hand.click(point)
    (found,) = program.session.selection
    return found


# Hide


def test_h_hides_what_is_selected_and_lets_go_of_it(drawn):
    back, front = ids(drawn)
    drawn.hand.click(RIGHT_HALF)
    drawn.key("h")
    assert list(drawn.session.shown) == [back]
    assert drawn.session.selection == frozenset()
    drawn.hand.click(RIGHT_HALF)
    assert drawn.session.selection == frozenset()
    assert picked(drawn, BOTH) == back
    assert drawn.titles()[0] == "Hide annotation"
    assert front in drawn.session.annotations


def test_what_is_hidden_is_not_painted(drawn):
    drawn.until(lambda: drawn.canvas.settled)
    painted = drawn.colour(RIGHT_HALF)
    drawn.canvas.set_hidden(True)
    drawn.until(lambda: drawn.canvas.settled)
    bare = drawn.colour(RIGHT_HALF)
    drawn.canvas.set_hidden(False)
    arranging.set_hidden(drawn.session, ids(drawn)[1:], hidden=True)
    drawn.until(lambda: drawn.canvas.settled)
    assert drawn.colour(RIGHT_HALF) == bare != painted
    assert drawn.colour(LEFT_HALF) != bare


def test_shift_h_shows_all_again(drawn):
    drawn.key("a", CTRL)
    drawn.key("h")
    assert not drawn.session.shown
    assert "Annotations   2   2 hidden" in drawn.text_of(drawn.window.annotations)
    drawn.key("h", SHIFT)
    assert "hidden" not in drawn.text_of(drawn.window.annotations)
    assert list(drawn.session.shown) == ids(drawn)
    assert not drawn.window.verbs["show_hidden"].isEnabled()


def test_hidden_ones_are_not_taken_by_ctrl_a_the_band_or_the_walk(drawn):
    back, front = ids(drawn)
    arranging.set_hidden(drawn.session, [front], hidden=True)
    drawn.canvas.setFocus()
    drawn.key("a", CTRL)
    assert drawn.session.selection == {back}
    drawn.session.select(())
    drawn.hand.drag((5, 5), (95, 75))
    assert drawn.session.selection == {back}
    for _ in range(2):
        drawn.key(Qt.Key.Key_Tab)
        assert drawn.session.selection == {back}


def test_an_eye_in_the_list_hides_and_shows_without_selecting(drawn):
    back, front = ids(drawn)
    drawn.session.select([back])
    click_cell(drawn, 0, Column.EYE)
    assert list(drawn.session.shown) == [back]
    assert drawn.session.selection == {back}
    assert row_words(drawn)[0] == "object   drawn   hidden"
    assert cell(drawn, 0, Column.EYE) == "hidden"
    assert drawn.window.annotations.model.cell(0, Column.NAME)[2]
    click_cell(drawn, 0, Column.EYE)
    assert list(drawn.session.shown) == [back, front]
    assert cell(drawn, 0, Column.EYE) == "shown"


def test_an_eye_of_one_of_several_selected_is_that_of_all(drawn):
    drawn.session.select(ids(drawn))
    click_cell(drawn, 0, Column.EYE)
    assert not drawn.session.shown
    assert drawn.titles()[0] == "Hide 2 annotations"


def test_two_quick_clicks_on_an_eye_leave_it_as_it_was(drawn):
    rows = drawn.window.annotations.list
    place = rows.visualRect(rows.model().index(0, Column.EYE)).center()
    QTest.mouseClick(rows.viewport(), LEFT, NONE, place)
    QTest.mouseDClick(rows.viewport(), LEFT, NONE, place)
    assert len(drawn.session.shown) == 2


def test_a_hidden_one_is_shown_from_the_list_by_keys(drawn):
    back, front = ids(drawn)
    arranging.set_hidden(drawn.session, [front], hidden=True)
    rows = drawn.window.annotations.list
    rows.setFocus()
    drawn.key(Qt.Key.Key_End)
    drawn.key(Qt.Key.Key_Home)
    assert drawn.session.selection == {front}
    assert drawn.window.verbs["hide_selected"].isChecked()
    drawn.key("h")
    assert list(drawn.session.shown) == [back, front]


def test_nothing_is_brushed_on_what_is_hidden(drawn):
    _, front = ids(drawn)
    arranging.set_hidden(drawn.session, [front], hidden=True)
    before = drawn.annotations
    drawn.session.select([front])
    drawn.canvas.setFocus()
    drawn.key("b", SHIFT)
    drawn.hand.drag((20, 10), (90, 10))
    assert drawn.annotations == before
    assert drawn.problems == ["What is selected is hidden; show it first."]


def test_the_brush_keeps_its_own_keys(drawn):
    back, _ = ids(drawn)
    drawn.session.select([back])
    drawn.canvas.setFocus()
    drawn.key("b", SHIFT)
    drawn.hand.move(BOTH)
    for key in ("h", "[", "]"):
        drawn.key(key)
    assert len(drawn.session.shown) == 2
    assert ids(drawn)[0] == back
    assert drawn.problems == ["There is no hole there; nothing was changed."]


# Lock


@pytest.mark.parametrize(
    "gesture",
    [
        lambda p: p.hand.drag(LEFT_HALF, (35, 45)),
        lambda p: p.key(Qt.Key.Key_Delete),
        lambda p: p.key(Qt.Key.Key_Right),
        lambda p: p.key("2"),
        lambda p: p.key("w", CTRL | SHIFT),
    ],
    ids=["drag", "delete", "nudge", "category", "crowd"],
)
def test_a_locked_one_is_not_changed_and_a_sentence_says_so(drawn, gesture):
    category_operations.add_category(drawn.session, "other")
    back, _ = ids(drawn)
    drawn.hand.click(LEFT_HALF)
    drawn.key("l")
    before = drawn.annotations
    gesture(drawn)
    assert drawn.annotations == before
    assert drawn.problems == ["This annotation (object) is locked; unlock it first."]
    assert drawn.session.selection == {back}
    assert drawn.titles()[0] == "Lock annotation"


def test_a_locked_one_offers_no_vertices_nor_edges(drawn):
    drawn.hand.click(LEFT_HALF)
    drawn.key("l")
    before = drawn.annotations
    for place in ((20, 20), (40, 20)):
        drawn.hand.move((place[0] + 1, place[1] + 1))
        assert "Locked" in hint(drawn)
        drawn.hand.drag((place[0] + 1, place[1] + 1), (70, 10))
    assert drawn.annotations == before
    drawn.key("l")
    drawn.hand.move((20, 20))
    assert "Drag the vertex" in hint(drawn)


def test_the_hint_tells_of_the_lock_before_the_pointer_moves(drawn):
    drawn.hand.click(LEFT_HALF)
    assert "drag moves" in hint(drawn)
    drawn.key("l")
    assert "Locked" in hint(drawn)
    drawn.key("l")
    assert "drag moves" in hint(drawn)


def test_the_vertices_of_a_locked_one_are_not_marked(drawn):
    drawn.hand.click(LEFT_HALF)
    drawn.hand.move((5, 5))
    assert drawn.colour((20, 20)) == (255, 255, 255)
    drawn.key("l")
    drawn.hand.move((5, 5))
    assert drawn.colour((20, 20)) != (255, 255, 255)


def test_no_stroke_of_the_brush_begins_on_a_locked_one(drawn):
    drawn.hand.click(LEFT_HALF)
    drawn.key("l")
    before = drawn.annotations
    drawn.key("b", SHIFT)
    drawn.hand.press((10, 40))
    assert drawn.problems == ["This annotation (object) is locked; unlock it first."]
    drawn.hand.release((15, 40))
    assert drawn.annotations == before


def test_a_cut_across_everything_leaves_locked_ones_alone(drawn):
    back, _ = ids(drawn)
    arranging.set_locked(drawn.session, [back], locked=True)
    drawn.canvas.setFocus()
    drawn.key("k", SHIFT)
    drawn.hand.drag((5, 40), (97, 41))
    assert drawn.session.annotations[back].box == (20, 20, 60, 60)
    assert len(drawn.annotations) == 3
    assert drawn.problems == []


def test_a_lock_in_the_list_locks_and_unlocks_without_selecting(drawn):
    click_cell(drawn, 0, Column.LOCK)
    assert [a.locked for a in drawn.annotations] == [False, True]
    assert drawn.session.selection == frozenset()
    assert cell(drawn, 0, Column.LOCK) == "locked"
    assert row_words(drawn)[0] == "object   drawn   locked"
    click_cell(drawn, 0, Column.LOCK)
    assert not any(a.locked for a in drawn.annotations)


def test_the_action_says_whether_the_selection_is_locked(drawn):
    lock = drawn.window.verbs["lock"]
    assert not lock.isEnabled()
    drawn.hand.click(LEFT_HALF)
    assert lock.isEnabled()
    drawn.key("l")
    assert lock.isChecked()
    drawn.hand.click(RIGHT_HALF)
    assert not lock.isChecked()


def test_what_could_not_be_turned_on_is_not_shown_as_on(drawn):
    drawn.hand.click(LEFT_HALF)
    drawn.key("l")
    crowd = drawn.window.verbs["crowd"]
    crowd.trigger()
    assert not crowd.isChecked()
    drawn.key("l")
    crowd.trigger()
    assert crowd.isChecked()


# The stack


def test_keys_raise_and_lower_what_is_selected(drawn):
    back, front = ids(drawn)
    assert picked(drawn, BOTH) == front
    drawn.key("[")
    assert ids(drawn) == [front, back]
    assert picked(drawn, BOTH) == back
    drawn.key("[")
    assert picked(drawn, BOTH) == front
    put(drawn.session, SQUARE)
    drawn.session.select([back])
    drawn.key("]", CTRL)
    assert picked(drawn, BOTH) == back
    drawn.key("[", CTRL)
    assert ids(drawn)[0] == back
    drawn.session.select([back])
    drawn.key("]")
    assert ids(drawn)[1] == back


def test_the_list_stands_from_front_to_back(drawn):
    back, front = ids(drawn)
    drawn.session.select([back])
    drawn.key("]", CTRL)
    model = drawn.window.annotations.model
    assert [model.id_at(row) for row in range(2)] == [back, front]
    assert model.rows_of(drawn.session.selection) == [0]
    rows = drawn.window.annotations.list.selectionModel().selectedRows()
    assert [index.row() for index in rows] == [0]


def test_what_lies_in_front_is_painted_last(drawn):
    back, front = ids(drawn)
    category_operations.add_category(drawn.session, "other")
    category_operations.recolour_category(drawn.session, drawn.session.categories[0].id, "#ff0000")
    category_operations.recolour_category(drawn.session, drawn.session.categories[1].id, "#0000ff")
    drawn.session.select([front])
    drawn.key("2")
    drawn.session.select(())
    drawn.until(lambda: drawn.canvas.settled)
    red, _, blue = drawn.colour(BOTH)
    drawn.session.select([back])
    arranging.bring_to_front(drawn.session)
    drawn.session.select(())
    drawn.until(lambda: drawn.canvas.settled)
    redder, _, less_blue = drawn.colour(BOTH)
    assert redder > red
    assert less_blue < blue


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(["]", "[", "h", "front", "back"])),
        max_size=6,
    )
)
def test_the_hit_is_always_the_front_most_that_is_shown(program, steps):
    session = program.session
    session.select(session.annotations)
    program.canvas.setFocus()
    program.key("h", SHIFT)
    session.select(session.annotations)
    program.key(Qt.Key.Key_Delete)
    pile = put(session, *[SQUARE.translated(2.0 * n, n) for n in range(4)])
    for number, key in steps:
        session.select([pile[number]])
        if key in ("front", "back"):
            program.key("]" if key == "front" else "[", CTRL)
        else:
            program.key(key)
        session.select(())
        hit = program.canvas.hit((45.0, 45.0), 1.0)
        shown = list(session.shown)
        assert (hit.annotation_id if hit else None) == (shown[-1] if shown else None)
