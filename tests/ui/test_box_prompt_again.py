"""Outline again, click what was missed, boxes that become outlines, and the embedded model."""

import shutil
from functools import partial

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.masks import decode, rasterize
from maskstudio.app import load_predictor
from maskstudio.resources import resource_path
from maskstudio.storage.images import read_image
from support.datasets import whole_dataset
from support.fakes import BOXES, disc_detections
from support.hand import CTRL, LEFT, RIGHT, SHIFT
from support.outlines import SQUARE, put
from ui.box_prompts import END, START, box_of, hint, is_offered, offer, take_tool


@pytest.fixture
def asking(program):
    """The program with the tool in hand and the image looked at."""
    take_tool(program)
    assert program.window.verbs["box_prompt"].isChecked()
    return program


# Outline again


def boxed(program, box=(20.0, 20.0, 70.0, 60.0), **more):
    """Put a box alone on the image, select it and take the tool."""
    session = program.session
    put(session, SQUARE)
    new = Annotation(next(session.require_database().take_annotation_ids()), 1, None, box, **more)
    session.edit(edits.add(session.content(session.current.id), [new]))
    session.select([new.id])
    program.key("r")
    program.idle()
    return new


@pytest.mark.parametrize(
    ("grip", "to", "expected"),
    [
        ((20, 20), (10, 12), (10, 12, 70, 60)),
        ((70, 60), (80, 70), (20, 20, 80, 70)),
        ((70, 20), (80, 12), (20, 12, 80, 60)),
        ((70, 40), (85, 10), (20, 20, 85, 60)),
        ((45, 20), (10, 10), (20, 10, 70, 60)),
        ((20, 40), (90, 40), (70, 20, 90, 60)),
    ],
)
def test_a_handle_of_the_selected_box_outlines_it_again(program, grip, to, expected):
    before = boxed(program, note="mine")
    program.hand.drag(grip, to)
    program.until(lambda: program.session.annotations[before.id].segmentation)
    after = program.session.annotations[before.id]
    assert after.box == pytest.approx(expected, abs=3)
    assert (after.category_id, after.note) == (before.category_id, "mine")
    assert program.session.selection == {before.id}
    assert program.session.history().undo == "Outline again"
    program.key("z", CTRL)
    assert program.session.annotations[before.id] == before


def test_the_pointer_and_the_hint_tell_of_handles(program):
    boxed(program)
    canvas = program.canvas
    shapes = {
        (20, 20): Qt.CursorShape.SizeFDiagCursor,
        (70, 20): Qt.CursorShape.SizeBDiagCursor,
        (70, 40): Qt.CursorShape.SizeHorCursor,
        (45, 60): Qt.CursorShape.SizeVerCursor,
        (45, 40): Qt.CursorShape.CrossCursor,
    }
    for point, shape in shapes.items():
        program.hand.move(point)
        assert canvas.cursor().shape() is shape
    assert "handle" in hint(program)
    program.session.select(())
    program.hand.move((20, 20))
    assert canvas.cursor().shape() is Qt.CursorShape.CrossCursor


def test_a_box_that_is_small_on_the_screen_has_no_handles_in_the_way(program):
    before = boxed(program, (40.0, 30.0, 50.0, 40.0))
    program.look_at((45, 35), 1)
    program.hand.drag((50, 40), (75, 65))
    program.until(lambda: is_offered(program))
    assert program.session.annotations[before.id] == before


def test_what_is_offered_can_be_asked_for_in_another_box(asking):
    asking.look_at((50, 40), 5)
    offer(asking)
    asking.hand.drag(END, (90, 70))
    asking.until(lambda: is_offered(asking))
    asking.key(Qt.Key.Key_Return)
    (annotation,) = asking.annotations
    assert annotation.box == pytest.approx(box_of(asking, START, (90, 70)), abs=3)


def test_a_locked_one_has_no_handles(program):
    before = boxed(program, locked=True)
    program.hand.drag((70, 60), (90, 75))
    program.until(lambda: is_offered(program))
    assert program.session.annotations[before.id] == before


# A click


def test_a_click_inside_what_was_missed_offers_it(asking):
    asking.hand.click((20, 20))
    asking.until(lambda: is_offered(asking))
    asking.key("1")
    (annotation,) = asking.annotations
    assert annotation.box == pytest.approx(BOXES[0], abs=2)


@pytest.fixture
def guessing(asking, model):
    """The program with three things offered, over each other, at (40, 40)."""
    boxes = ((10, 10, 60, 60), (20, 20, 50, 50), (30, 30, 70, 70))
    model.detect = partial(disc_detections, boxes=boxes)
    asking.hand.click((40, 40))
    asking.until(lambda: is_offered(asking))
    return asking, boxes


def by_tab(program):
    program.key(Qt.Key.Key_Tab)


def by_wheel(program):
    program.hand.wheel((40, 40), -1)


@pytest.mark.parametrize("walk", [by_tab, by_wheel])
def test_one_walks_through_the_guesses(guessing, walk):
    program, boxes = guessing
    before = program.canvas.viewport
    walk(program)
    walk(program)
    assert program.canvas.viewport == before
    program.key(Qt.Key.Key_Return)
    (annotation,) = program.annotations
    assert annotation.box == pytest.approx(boxes[2], abs=3)


def test_the_wheel_walks_back_too_and_zooms_with_ctrl(guessing):
    program, boxes = guessing
    by_wheel(program)
    program.hand.wheel((40, 40), 1)
    before = program.canvas.viewport
    program.hand.wheel((40, 40), 1, CTRL)
    assert program.canvas.viewport != before
    program.key(Qt.Key.Key_Return)
    assert program.annotations[0].box == pytest.approx(boxes[0], abs=3)


def test_where_one_thing_is_offered_the_wheel_zooms(asking):
    offer(asking)
    before = asking.canvas.viewport
    asking.hand.wheel((40, 40), 1)
    assert asking.canvas.viewport != before


def test_where_nothing_is_seen_it_says_so(asking):
    asking.hand.click((90, 70))
    asking.until(lambda: asking.said)
    assert "drag a box" in asking.said
    assert asking.annotations == []


def test_a_click_selects_what_is_there_and_another_asks(asking, model):
    (square,) = put(asking.session, SQUARE)
    model.detect = partial(disc_detections, boxes=((35, 35, 45, 45),), scores=(0.2,))
    asking.hand.click((40, 40))
    assert asking.session.selection == {square}
    asking.hand.click((40, 40))
    asking.until(lambda: is_offered(asking))
    asking.key(Qt.Key.Key_Return)
    assert len(asking.annotations) == 2


# All else


def test_borders_are_shared_where_that_is_wanted(asking):
    (square,) = put(asking.session, SQUARE)
    asking.key("s", SHIFT)
    offer(asking, (10, 10), (70, 70))
    asking.key(Qt.Key.Key_Return)
    (taken,) = (a for a in asking.annotations if a.id != square)
    assert not taken.segmentation.contains(40, 40)


def test_a_model_that_draws_no_outlines_says_so_when_the_tool_is_taken(program, model):
    model.draws_outlines = False
    program.app.annotator.use_model("boxes")
    program.until(lambda: program.app.annotator.model is not None)
    program.key("r")
    assert "draws no outlines" in program.said
    program.hand.drag(START, END)
    assert model.asked == []
    assert len(program.problems) == 2


def test_in_the_keys_of_x_anylabeling_r_stays_the_rectangle(program):
    program.window.verbs.keymap.use_preset("X-AnyLabeling")
    program.key("r")
    assert program.window.verbs["rectangle"].isChecked()
    program.key("r", SHIFT)
    assert program.window.verbs["box_prompt"].isChecked()


def test_boxes_of_the_image_become_outlines_by_the_menu(program):
    action = program.window.verbs["outline_boxes"]
    assert not action.isEnabled()
    before = boxed(program)
    assert action.isEnabled()
    action.trigger()
    program.until(lambda: program.session.annotations[before.id].segmentation)
    assert not action.isEnabled()
    assert "1 box became an outline" in program.said
    program.key("z", CTRL)
    assert program.session.annotations[before.id] == before


def test_boxes_of_the_folder_become_outlines_by_the_menu(program):
    before = boxed(program)
    program.window.verbs["outline_boxes_folder"].trigger()
    program.until(lambda: program.session.annotations[before.id].segmentation)
    program.until(lambda: "1 box became an outline" in program.said)


def test_the_menu_of_a_box_offers_that_too(program):
    boxed(program)
    program.key("v")
    program.hand.click((70, 40), RIGHT)
    menu = QApplication.activePopupWidget()
    assert "outline_boxes" in [action.objectName() for action in menu.actions()]
    menu.close()


def test_right_click_while_nothing_is_offered_does_nothing(asking):
    asking.hand.click((50, 50), RIGHT)
    assert asking.window.verbs["box_prompt"].isChecked()
    assert asking.annotations == []
    assert asking.told == []


PLACES = st.tuples(st.floats(-0.1, 1.1), st.floats(-0.1, 1.1))
KEYS = ("1", "2", "n", "d", "a", Qt.Key.Key_Return, Qt.Key.Key_Escape, Qt.Key.Key_Tab)
GESTURES = st.one_of(
    st.tuples(st.just("drag"), PLACES, PLACES),
    st.tuples(st.just("drag"), PLACES, PLACES),
    st.tuples(st.just("click"), PLACES, st.sampled_from((LEFT, LEFT, RIGHT))),
    st.tuples(st.just("key"), st.sampled_from(KEYS), st.none()),
    st.tuples(st.just("wheel"), PLACES, st.sampled_from((-1, 1))),
    st.tuples(st.just("wait"), st.none(), st.none()),
)


def do(program, what, first, second):
    """Do a gesture; places are shares of the image's sides."""
    program.until(lambda: program.canvas.has_image)
    image = program.session.current

    def place(share):
        return share[0] * image.width, share[1] * image.height

    program.window.verbs["box_prompt"].trigger()
    if what == "drag":
        program.hand.drag(place(first), place(second))
    elif what == "click":
        program.hand.click(place(first), second)
    elif what == "key":
        program.key(first)
    elif what == "wheel":
        program.hand.wheel(place(first), second)
    else:
        program.idle()


@settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(work=st.lists(GESTURES, min_size=8, max_size=20))
def test_whatever_is_done_lies_where_it_was_drawn_and_is_undone(asking, work):
    for gesture in work:
        do(asking, *gesture)
    asking.window.verbs["select"].trigger()
    asking.idle()
    asking.idle()
    everything = whole_dataset(asking.session.require_database())
    for image in everything.images:
        for annotation in everything.annotations.get(image.id, ()):
            x0, y0, x1, y1 = annotation.box
            assert 0 <= x0 < x1 <= image.width
            assert 0 <= y0 < y1 <= image.height
            assert annotation.segmentation.is_valid
    while asking.session.history().undo is not None:
        asking.session.undo()
    left = whole_dataset(asking.session.require_database()).annotations.values()
    # What came after its image was left is no step of the history.
    assert all(a.is_pre_annotation for annotations in left for a in annotations)
    assert not [t for t in asking.told if "wrong" in t.text]


def bright_in(path, box):
    """The pixels of the one bright thing in a box of a dark image, (height, width)."""
    x0, y0, x1, y1 = box
    grey = read_image(path)[..., 0]
    found = np.zeros(grey.shape, np.uint8)
    _, found[y0:y1, x0:x1] = cv2.threshold(grey[y0:y1, x0:x1], 0, 1, cv2.THRESH_OTSU)
    return found.astype(bool)


def test_a_box_around_a_nucleus_outlines_it(start, tmp_path, qtbot):
    """The embedded model on a sample image, from the mouse to the undo."""
    name, nucleus = "fluorescence-1.png", (141, 275, 188, 340)
    image = tmp_path / "one" / name
    image.parent.mkdir()
    shutil.copy(resource_path("samples", "nuclei", name), image)
    program = start(load_predictor)
    program.open(image.parent)
    program.canvas.setFocus()
    program.key("r")
    program.hand.drag(nucleus[:2], nucleus[2:])
    # Loading torch takes a while.
    qtbot.waitUntil(lambda: is_offered(program), timeout=50_000)
    assert "«nucleus»" in hint(program)
    program.key(Qt.Key.Key_Return)
    (annotation,) = program.annotations
    outlined = decode(rasterize(annotation.segmentation, 520, 696))
    truth = bright_in(image, nucleus)
    assert (outlined & truth).sum() / (outlined | truth).sum() > 0.7
    program.key("z", CTRL)
    assert program.annotations == []
