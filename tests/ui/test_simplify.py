"""A slider for fewer or more vertices: seen and counted before it is done, one step of undo."""

import re

import numpy as np
import pytest
import shapely
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QSlider

from annotation.shapes import star
from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.segmentation import Part, Segmentation, as_ring
from maskstudio.session import arranging, category_operations
from support.hand import CTRL, LEFT, SHIFT
from support.outlines import SQUARE, put

DISC = Segmentation(
    (
        Part(as_ring(star((35, 40), [25.0] * 90)), (as_ring(star((35, 40), [8.0] * 30)),)),
        Part(as_ring(star((80, 20), [9.0] * 40))),
    )
)
CORNER = Segmentation.from_rings(star((85, 60), [10.0] * 50))


def outlines(program):
    return [a.segmentation for a in program.annotations]


@pytest.fixture
def disc(program):
    """The program with a disc, and a hole and a second part, selected."""
    program.session.select(put(program.session, DISC))
    return program


def slider(program):
    """Open the window; return its slider."""
    program.key("s", CTRL | SHIFT)
    (dialog,) = program.dialogs()
    program.until(dialog.isActiveWindow)
    (found,) = dialog.findChildren(QSlider)
    return found


def push(program, found, steps):
    """Move the slider with the arrow keys, and wait until the figures are there."""
    found.setFocus()
    for _ in range(abs(steps)):
        program.key(Qt.Key.Key_Right if steps > 0 else Qt.Key.Key_Left)
    program.until(lambda: figures(program))
    program.idle()


def figures(program):
    """Vertices before, after and IoU, as they can be read; None before they are there."""
    (dialog,) = program.dialogs()
    found = re.search(r"Vertices: ([\d,]+) → ([\d,]+)  ·  IoU ([\d.]+)", program.text_of(dialog))
    if found is None:
        return None
    before, after, iou = (float(text.replace(",", "")) for text in found.groups())
    return before, after, iou


def apply(program):
    (button,) = (b for b in buttons(program) if b.text() == "Apply")
    program.until(button.isEnabled)
    QTest.mouseClick(button, LEFT)
    # As a window manager does; offscreen there is none.
    program.window.activateWindow()
    program.until(program.window.isActiveWindow)


def buttons(program):
    (dialog,) = program.dialogs()
    return dialog.findChildren(QAbstractButton)


def iou(a, b):
    return a.geometry.intersection(b.geometry).area / shapely.union(a.geometry, b.geometry).area


# What it does


def test_to_the_right_there_are_fewer_and_the_cost_is_told(disc):
    push(disc, slider(disc), 60)
    assert outlines(disc) == [DISC]
    before, after, cost = figures(disc)
    apply(disc)
    (simpler,) = outlines(disc)
    assert before == DISC.vertex_count
    assert after == simpler.vertex_count < before
    assert cost == pytest.approx(iou(DISC, simpler), abs=1e-3)
    assert cost < 1
    assert [len(part.holes) for part in simpler.parts] == [1, 0]
    assert disc.dialogs() == []
    assert disc.titles() == ["Simplify annotation", "Draw"]
    disc.key("z", CTRL)
    assert outlines(disc) == [DISC]


def test_to_the_left_there_are_more_and_it_costs_nothing(program):
    program.session.select(put(program.session, SQUARE))
    push(program, slider(program), -50)
    before, after, cost = figures(program)
    assert (before, cost) == (4, 1)
    apply(program)
    (denser,) = outlines(program)
    assert denser.vertex_count == after > 4
    assert denser.area == pytest.approx(SQUARE.area)
    assert program.titles() == ["Add vertices to annotation", "Draw"]


def test_of_several_the_lowest_iou_is_told_and_all_change_in_one_step(program):
    ids = put(program.session, DISC, CORNER)
    program.session.select(ids)
    push(program, slider(program), 70)
    before, after, cost = figures(program)
    assert before == DISC.vertex_count + CORNER.vertex_count
    (dialog,) = program.dialogs()
    assert "the lowest of 2" in program.text_of(dialog)
    apply(program)
    new = outlines(program)
    assert after == sum(one.vertex_count for one in new)
    assert cost == pytest.approx(min(map(iou, (DISC, CORNER), new)), abs=1e-3)
    assert program.session.selection == set(ids)
    assert program.titles()[0] == "Simplify 2 annotations"
    program.key("z", CTRL)
    assert outlines(program) == [DISC, CORNER]


def test_what_is_not_selected_stays(program):
    disc, _ = put(program.session, DISC, CORNER)
    program.session.select([disc])
    push(program, slider(program), 70)
    apply(program)
    assert outlines(program)[1] == CORNER


def test_back_in_the_middle_nothing_is_to_be_done(disc):
    found = slider(disc)
    push(disc, found, 3)
    push(disc, found, -3)
    assert figures(disc) == (DISC.vertex_count, DISC.vertex_count, 1)
    (button,) = (b for b in buttons(disc) if b.text() == "Apply")
    assert not button.isEnabled()


def test_the_mouse_on_the_slider_does_it_too(disc):
    found = slider(disc)
    for _ in range(6):
        QTest.mouseClick(found, LEFT, pos=QPoint(found.width() - 4, found.height() // 2))
    disc.until(lambda: figures(disc) and figures(disc)[1] < DISC.vertex_count)


# Seen, and put back


def shown(program):
    """How the canvas looks, once it is at rest: (height, width, 4)."""
    program.idle()
    program.until(lambda: program.canvas.settled)
    image = program.canvas.grab().toImage()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)
    return pixels.astype(int)


def differing(one, other):
    """How many pixels look different."""
    return int((np.abs(one - other).max(axis=2) > 40).sum())


def test_it_is_seen_before_it_is_done_and_apply_changes_no_more_than_was_seen(disc):
    disc.hand.move((95, 75))
    before = shown(disc)
    push(disc, slider(disc), 100)
    seen = shown(disc)
    assert differing(seen, before) > 2000
    assert outlines(disc) == [DISC]
    apply(disc)
    # Painted at once or kept as a picture: a few pixels at the rim are rounded otherwise.
    assert differing(shown(disc), seen) < 100


def by_esc(program):
    program.key(Qt.Key.Key_Escape)


def by_button(program):
    (button,) = (b for b in buttons(program) if b.text() == "Cancel")
    QTest.mouseClick(button, LEFT)


def by_closing(program):
    (dialog,) = program.dialogs()
    dialog.close()


@pytest.mark.parametrize("close", [by_esc, by_button, by_closing])
def test_cancel_puts_everything_back(disc, close):
    disc.hand.move((95, 75))
    before = shown(disc)
    push(disc, slider(disc), 100)
    close(disc)
    assert disc.dialogs() == []
    assert outlines(disc) == [DISC]
    assert len(disc.session.selection) == 1
    assert differing(shown(disc), before) == 0
    assert disc.titles() == ["Draw"]


# Beside the window


def test_selecting_another_one_begins_anew(program):
    disc, corner = put(program.session, DISC, CORNER)
    program.session.select([disc])
    found = slider(program)
    push(program, found, 70)
    program.hand.click((85, 60))
    assert program.session.selection == {corner}
    program.until(lambda: figures(program)[0] == CORNER.vertex_count)
    assert found.value() == 0
    assert outlines(program) == [DISC, CORNER]


def test_a_gesture_puts_the_slider_back(disc):
    found = slider(disc)
    push(disc, found, 70)
    (at,) = {tuple(v) for v in DISC.parts[1].outer[:1].tolist()}
    disc.hand.drag(at, (95, 30))
    assert found.value() == 0
    assert disc.titles() == ["Move vertex", "Draw"]


def test_with_nothing_selected_it_says_what_to_do(disc):
    found = slider(disc)
    disc.session.select(())
    (dialog,) = disc.dialogs()
    assert "Select the annotations" in disc.text_of(dialog)
    assert not found.isEnabled()


def test_another_image_leaves_nothing_behind(disc):
    push(disc, slider(disc), 100)
    disc.show("b.png")
    disc.show("a.png")
    assert outlines(disc) == [DISC]
    assert disc.titles() == ["Draw"]


def test_it_can_be_asked_for_when_an_outline_is_selected(program):
    action = program.window.verbs["simplify"]
    assert not action.isEnabled()
    ids = put(program.session, SQUARE)
    assert not action.isEnabled()
    program.session.select(ids)
    assert action.isEnabled()
    assert action in program.window.menuBar().actions()[1].menu().actions()


def test_the_slider_has_the_keys_at_once(disc):
    found = slider(disc)
    disc.key(Qt.Key.Key_Right)
    assert found.value() == 1


def test_the_key_opens_it_once(disc):
    slider(disc)
    disc.key("s", CTRL | SHIFT)
    assert len(disc.dialogs()) == 1


def test_a_pre_annotation_is_a_persons_afterwards(predicted):
    best = predicted.annotations[-1]
    predicted.session.select([best.id])
    push(predicted, slider(predicted), 100)
    apply(predicted)
    after = predicted.session.annotations[best.id]
    assert after.segmentation.vertex_count < best.segmentation.vertex_count
    assert not after.is_pre_annotation


def test_what_is_locked_stays_as_it_is(program):
    disc, corner = put(program.session, DISC, CORNER)
    arranging.set_locked(program.session, [disc], locked=True)
    program.session.select([disc])
    assert not program.window.verbs["simplify"].isEnabled()
    program.session.select([disc, corner])
    push(program, slider(program), 70)
    assert figures(program)[0] == CORNER.vertex_count
    apply(program)
    assert outlines(program)[0] == DISC
    assert program.problems == []


def test_more_than_can_be_drawn_one_by_one_are_told_in_figures(program):
    session = program.session
    category = category_operations.add_category(session, "cell").id
    ids = session.require_database().take_annotation_ids()
    many = [
        Annotation(next(ids), category, DISC.translated(shift / 100, 0)) for shift in range(101)
    ]
    session.edit(edits.add(session.content(session.current.id), many))
    session.select(session.annotations)
    push(program, slider(program), 80)
    (dialog,) = program.dialogs()
    assert "the lowest of 101" in program.text_of(dialog)
    assert "too many to be shown" in program.text_of(dialog)
    apply(program)
    assert all(new.vertex_count < DISC.vertex_count for new in outlines(program))
    assert program.titles()[0] == "Simplify 101 annotations"
