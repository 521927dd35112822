"""Whatever the hands do, outlines stay valid, and undo takes all of it back, exactly."""

import shutil
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, count

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QToolBar

from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation, Category
from maskstudio.annotation.edits import CategoryChange
from maskstudio.annotation.segmentation import MIN_RING_VERTICES, Part, Segmentation, as_ring
from support.datasets import whole_dataset
from support.hand import CTRL, SHIFT
from support.outlines import HOLED, SQUARE
from ui.gestures import actions_of, edits_of, gestures

HEIGHT, WIDTH = 80, 100
TWO_PARTS = Segmentation(
    (
        Part(as_ring([(60, 5), (95.5, 5), (95.5, 30.25), (60, 30.25)]), ()),
        Part(as_ring([(70, 40), (90, 45), (75, 70)]), ()),
    )
)
NEIGHBOUR = Segmentation.from_rings([(60, 20), (80, 25), (80, 60), (60, 60)])
AT_THE_EDGE = Segmentation.from_rings([(0, 60), (30, 60), (30, 80), (0, 80)])


@pytest.fixture
def begun(program, folder):
    """The program with three images, `a.png` full of what outlines can be like."""
    session = program.session
    made = tuple(CategoryChange(None, Category(n, name)) for n, name in enumerate("ab", 1))
    ids = session.require_database().take_annotation_ids()
    outlines = (SQUARE, HOLED, TWO_PARTS, NEIGHBOUR, AT_THE_EDGE)
    there = [
        *(Annotation(next(ids), 1, outline) for outline in outlines),
        Annotation(next(ids), 1, SQUARE, model_id="fake", score=0.7),
        Annotation(next(ids), 2, None, box_only=(10, 5, 40, 30)),
    ]
    begin = edits.add(session.content(session.current.id), there)
    # What stands there at first cannot be undone.
    assert session.edit(replace(begin, categories=made, undoable=False))
    return program


def everything(program):
    """The whole data set as it is on the disk."""
    return whole_dataset(program.session.require_database())


def assert_all_is_well(program):
    """What is on the image is valid, inside it, and what is stored."""
    session = program.session
    stored = session.require_database().annotations(session.current.id)
    assert list(session.annotations.values()) == list(stored)
    assert_valid(session.current, stored)


def assert_valid(record, annotations):
    """Each lies within the image, encloses something and crosses itself nowhere."""
    for annotation in annotations:
        x0, y0, x1, y1 = annotation.box
        assert 0 <= x0 < x1 <= record.width
        assert 0 <= y0 < y1 <= record.height
        if annotation.segmentation is not None:
            geometry = annotation.segmentation.geometry
            assert geometry.is_valid, annotation
            assert geometry.area > 0
            rings = [ring for _, _, ring in annotation.segmentation.rings()]
            assert min(map(len, rings)) >= MIN_RING_VERTICES


def let_go(program):
    """Drop what is half done and what is selected, and take the pointer in hand."""
    program.canvas.setFocus()
    for tool in ("polygon", "magnetic", "hole"):
        # What they have not finished comes back with them.
        program.window.verbs[tool].trigger()
        program.key(Qt.Key.Key_Escape)
    for _ in range(4):
        program.key(Qt.Key.Key_Escape)


def drop_draft(program):
    """Drop what an image has brought back: Ctrl+Z would take back its last point."""
    if program.window.input.tool.busy:
        let_go(program)


def undo_all(program):
    while program.session.history().undo is not None:
        drop_draft(program)
        with changing(program):
            program.key("z", CTRL)


def redo_all(program):
    while program.session.history().redo is not None:
        drop_draft(program)
        with changing(program):
            program.key("z", CTRL | SHIFT)


@contextmanager
def changing(program):
    """What is done here must change something."""
    changes = []

    def note(edit):
        changes.append(edit)

    program.session.edited.connect(note)
    yield
    program.session.edited.disconnect(note)
    assert changes, program.problems[-1:]


def reopen(program, folder):
    program.session.close()
    program.open(folder)
    program.canvas.setFocus()


def work_and_take_it_back(program, folder, work):
    """Do the gestures on a folder; take all of it back and bring all of it back, twice."""
    reopen(program, folder)
    at_first = everything(program)
    for gesture in chain.from_iterable(work):
        program.canvas.setFocus()
        gesture.do(program)
        while (menu := QApplication.activePopupWidget()) is not None:
            menu.close()
            # There is no window manager here to do it.
            program.window.activateWindow()
        program.until(lambda: program.canvas.has_image)
        assert_all_is_well(program)
    let_go(program)
    redo_all(program)
    at_last = everything(program)
    for record in at_last.images:
        assert_valid(record, at_last.annotations.get(record.id, ()))
    for again in (False, True):
        if again:
            reopen(program, folder)
            assert everything(program) == at_last
        undo_all(program)
        assert everything(program) == at_first
        redo_all(program)
        assert everything(program) == at_last
    let_go(program)


def run(program, folder, **how):
    """Let hypothesis choose what the hands do; each time on a fresh copy of the folder."""
    program.session.close()
    copies = count()
    actions, edits_there = actions_of(program.window), edits_of(program.window)
    column = program.window.findChild(QToolBar, "tools").actions()
    tools = [action.objectName() for action in column if action.objectName() in actions]

    @settings(deadline=None, suppress_health_check=list(HealthCheck), database=None, **how)
    @given(st.lists(gestures(actions, edits_there, tools), min_size=10, max_size=30))
    def hands(work):
        copy = folder.with_name(f"copy{next(copies)}")
        shutil.copytree(folder, copy)
        work_and_take_it_back(program, copy, work)

    hands()


def test_any_gestures_leave_outlines_valid_and_are_undone_exactly(begun, folder):
    # Not made smaller when it fails: that would take minutes.
    run(begun, folder, max_examples=12, derandomize=True, phases=[Phase.generate])


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
def test_many_more_of_them(begun, folder):
    run(begun, folder, max_examples=500)
