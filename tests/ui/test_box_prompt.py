"""A box becomes an outline: real mouse and key events, on a model that finds discs."""

from functools import partial

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from maskstudio.annotation.annotation import ImageState
from support.fakes import disc_detections
from support.hand import CTRL, LEFT, NONE, SHIFT
from support.interruptions import DROPS, VIEW_CHANGES
from support.outlines import SQUARE, put
from ui.box_prompts import (
    END,
    KINDS,
    NEXT,
    START,
    box_of,
    hint,
    is_offered,
    names,
    offer,
    take_tool,
)


@pytest.fixture
def asking(program):
    """The program with the tool in hand and the image looked at."""
    take_tool(program)
    assert program.window.verbs["box_prompt"].isChecked()
    return program


@pytest.fixture
def kinds(model, program):
    """The program on a model that knows three categories, all of which the project has."""
    model.categories = KINDS
    model.detect = partial(disc_detections, categories=KINDS)
    for kind in KINDS:
        program.window.categories.field.setFocus()
        program.type(kind.name)
        program.key(Qt.Key.Key_Return)
    program.canvas.setFocus()
    take_tool(program)
    return program


# Take what is offered


def test_a_drag_is_offered_as_an_outline_that_enter_takes_in_one_step(asking):
    box = box_of(asking)
    offer(asking)
    assert asking.annotations == []
    assert "«cell»" in hint(asking)
    asking.key(Qt.Key.Key_Return)
    (annotation,) = asking.annotations
    assert annotation.box == pytest.approx(box, abs=3)
    assert annotation.touched
    assert asking.session.selection == {annotation.id}
    assert asking.titles() == ["Outline a box"]
    asking.key("z", CTRL)
    assert asking.annotations == []


@pytest.mark.parametrize(("digit", "name"), [("1", "cell"), ("2", "debris"), ("3", "scratch")])
def test_a_digit_takes_one_of_the_categories_offered(kinds, digit, name):
    offer(kinds)
    for kind in KINDS:
        assert f"«{kind.name}»" in hint(kinds)
    kinds.key(digit)
    assert names(kinds) == [name]


def by_n(program):
    program.key("n")


def by_click(program):
    program.hand.click((47, 37))


def by_space(program):
    program.key(Qt.Key.Key_Space)


def by_another_tool(program):
    program.key("p")


def by_another_image(program):
    program.key("d")


@pytest.mark.parametrize("take", [by_n, by_click, by_space, by_another_tool, by_another_image])
def test_whoever_goes_on_takes_it(asking, take):
    offer(asking)
    take(asking)
    asking.until(lambda: asking.session.count(asking.image("a.png")) == 1)
    assert asking.problems == []


def test_space_takes_it_verifies_and_goes_on(asking):
    offer(asking)
    asking.key(Qt.Key.Key_Space)
    asking.until(lambda: asking.shows("b.png"))
    record = asking.session.record(asking.image("a.png"))
    assert record.state is ImageState.VERIFIED
    assert asking.session.count(record.id) == 1


def test_a_digit_beyond_those_offered_is_that_of_the_category(asking):
    asking.window.categories.field.setFocus()
    for name in ("first", "second"):
        asking.type(name)
        asking.key(Qt.Key.Key_Return)
        asking.window.categories.field.setFocus()
    asking.canvas.setFocus()
    offer(asking)
    asking.key("2")
    assert names(asking) == ["second"]


def test_a_category_clicked_in_the_panel_takes_it(kinds):
    offer(kinds)
    panel = kinds.window.categories.list
    index = panel.model().index(2, 0)
    # Beside the swatch and the marks of the row.
    QTest.mouseClick(panel.viewport(), LEFT, NONE, panel.visualRect(index).center())
    assert names(kinds) == ["scratch"]


def test_a_digit_is_for_what_is_offered_not_for_what_was_taken_before(kinds):
    offer(kinds)
    kinds.key("1")
    offer(kinds, *NEXT)
    kinds.key("3")
    assert names(kinds) == ["cell", "scratch"]


def test_once_it_is_taken_a_digit_gives_it_another_category(kinds):
    offer(kinds)
    kinds.key(Qt.Key.Key_Return)
    kinds.key("2")
    assert names(kinds) == ["debris"]
    assert kinds.titles()[:2] == ["Change category to debris", "Outline a box"]


# Drop it


def by_backspace(program):
    program.key(Qt.Key.Key_Backspace)


@pytest.mark.parametrize("drop", [*DROPS, by_backspace])
def test_what_is_offered_can_be_dropped(asking, drop):
    put(asking.session, SQUARE)
    offer(asking)
    drop(asking)
    assert not is_offered(asking)
    assert len(asking.annotations) == 1
    assert asking.session.history().undo == "Draw"
    assert asking.window.verbs["box_prompt"].isChecked()


@pytest.mark.parametrize("drop", DROPS)
@pytest.mark.parametrize("held", [NONE, SHIFT])
def test_a_box_can_be_dropped_while_it_is_drawn(asking, model, drop, held):
    if held == SHIFT:
        asking.hand.click(START, held=SHIFT)
    else:
        asking.hand.press(START)
    asking.hand.move(END)
    drop(asking)
    asking.hand.release(END)
    asking.idle()
    assert model.asked == []
    assert asking.annotations == []


def test_esc_drops_what_is_offered_and_then_puts_the_tool_away(asking):
    offer(asking)
    asking.key(Qt.Key.Key_Escape)
    assert asking.window.verbs["box_prompt"].isChecked()
    asking.key(Qt.Key.Key_Escape)
    assert asking.window.verbs["select"].isChecked()
    assert asking.annotations == []


# Box after box


def test_the_next_box_takes_what_is_offered(asking):
    offer(asking)
    asking.hand.press(NEXT[0])
    asking.hand.move(NEXT[1])
    assert asking.annotations == []
    asking.hand.release(NEXT[1])
    asking.until(lambda: len(asking.annotations) == 1 and is_offered(asking))
    asking.key(Qt.Key.Key_Return)
    assert asking.titles() == ["Outline a box", "Outline a box"]


def test_the_next_box_may_begin_below_the_categories(kinds):
    """The plate stands beside what is offered, where the neighbour often is."""
    kinds.look_at((50, 40), 4)
    offer(kinds, (10, 20), (40, 60))
    kinds.hand.drag((48, 58), (90, 75))
    kinds.until(lambda: len(kinds.annotations) == 1 and is_offered(kinds))
    assert names(kinds) == ["cell"]


def test_two_clicks_with_shift_span_a_box_too(asking):
    box = box_of(asking)
    asking.hand.click(START, held=SHIFT)
    assert "opposite corner" in hint(asking)
    asking.hand.click(END)
    asking.until(lambda: is_offered(asking))
    asking.key(Qt.Key.Key_Return)
    assert asking.annotations[0].box == pytest.approx(box, abs=3)


@pytest.mark.parametrize("change", VIEW_CHANGES)
def test_the_view_may_move_in_the_middle(asking, change):
    first = asking.hand.there(START)
    asking.hand.press(START)
    change(asking)
    last = asking.hand.there(END)
    asking.hand.move(END)
    asking.hand.release(END)
    asking.until(lambda: is_offered(asking))
    asking.key(Qt.Key.Key_Return)
    expected = (*first, *last)
    assert asking.annotations[0].box == pytest.approx(expected, abs=3)


def test_a_box_beside_the_image_is_told_of(asking, model):
    asking.look_at((0, 40), 4)
    asking.hand.drag((-20, 20), (-5, 60))
    assert "holds nothing of the image" in asking.said
    assert model.asked == []


# The model has not seen the image yet


@pytest.fixture
def waiting(program, model):
    """The program whose model looks at the image until it is released; a box is drawn."""
    model.hold.set()
    program.key("r")
    program.until(model.started.is_set)
    program.hand.drag(START, END)
    return program


def test_the_box_waits_and_the_hint_says_so(waiting, model):
    assert "looks at the image first; the box waits" in hint(waiting)
    model.release.set()
    waiting.until(lambda: is_offered(waiting))
    assert model.calls.count((80, 100)) == 1


def test_the_box_is_seen_while_it_waits(waiting):
    middle = ((START[0] + END[0]) / 2, START[1])
    shown = waiting.colour(middle)
    waiting.key(Qt.Key.Key_Escape)
    assert waiting.colour(middle) != shown


def test_a_second_box_waits_behind_the_first(waiting, model):
    waiting.hand.drag(*NEXT)
    model.release.set()
    waiting.until(lambda: len(waiting.annotations) == 1 and is_offered(waiting))
    waiting.key(Qt.Key.Key_Return)
    assert len(waiting.annotations) == 2
    assert model.asked[0].tolist() != model.asked[1].tolist()


@pytest.mark.parametrize("drop", DROPS)
def test_a_box_that_waits_can_be_dropped(waiting, model, drop):
    drop(waiting)
    model.release.set()
    waiting.idle()
    assert waiting.annotations == []
    assert not is_offered(waiting)
    assert waiting.window.verbs["box_prompt"].isChecked()


def test_another_tool_may_be_taken_meanwhile(waiting, model):
    waiting.key("p")
    model.release.set()
    waiting.until(lambda: len(waiting.annotations) == 1)
    assert waiting.window.verbs["polygon"].isChecked()


def test_the_window_stays_live_and_what_came_late_is_kept_on_its_image(waiting, model):
    waiting.key(Qt.Key.Key_Space)
    waiting.until(lambda: waiting.shows("b.png"))
    model.release.set()
    a = waiting.image("a.png")
    waiting.until(lambda: waiting.session.count(a) == 1)
    assert waiting.annotations == []
    assert "a.png" in waiting.said
    assert waiting.session.record(a).state is ImageState.EDITED


# What is seen of it


def test_what_is_offered_is_seen_and_seen_no_more(asking):
    asking.look_at((50, 40), 6)
    inside, beside = (45, 37), (80, 62)
    asking.hand.move(beside)
    plain = asking.colour(inside)
    offer(asking)
    asking.until(lambda: asking.colour(inside) != plain)
    asking.key(Qt.Key.Key_Escape)
    assert asking.colour(inside) == plain


def test_the_categories_are_seen_beside_it(kinds):
    kinds.look_at((30, 40), 5)
    canvas = kinds.canvas
    offer(kinds, (10, 20), (30, 50))
    at = kinds.hand.screen((30, 50)) + QPoint(18, 12)
    plate = canvas.grab().toImage().pixelColor(at)
    kinds.key(Qt.Key.Key_Escape)
    assert canvas.grab().toImage().pixelColor(at) != plate


def test_the_categories_fade_below_the_pointer(kinds):
    """What lies below them may be what the hand goes to next."""
    kinds.look_at((30, 40), 5)
    offer(kinds, (10, 20), (30, 50))
    # Beside the words.
    at = kinds.hand.screen((30, 50)) + QPoint(17, 12)
    shown = kinds.canvas.grab().toImage().pixelColor(at)
    QTest.mouseMove(kinds.canvas, at + QPoint(8, 12))
    faded = kinds.canvas.grab().toImage().pixelColor(at)
    assert faded != shown
    kinds.hand.move((10, 20))
    assert kinds.canvas.grab().toImage().pixelColor(at) == shown
