"""Hiding, locking and stacking annotations."""

import json
from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from maskstudio.annotation.annotation import ImageState
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.formats.options import ExportFormat, ExportOptions
from maskstudio.progress import TaskContext
from maskstudio.session import (
    arranging,
    category_operations,
    clipboard,
    operations,
    region_operations,
)
from maskstudio.session.exporting import export
from maskstudio.storage.opening import open_project
from support.outlines import HOLED, SQUARE, put

LEFT = Segmentation.from_rings([(10, 10), (40, 10), (40, 40), (10, 40)])
RIGHT = Segmentation.from_rings([(30, 10), (60, 10), (60, 40), (30, 40)])
ALONE = Segmentation.from_rings([(70, 50), (90, 50), (90, 70), (70, 70)])


@pytest.fixture
def session(studio):
    return studio.session


@pytest.fixture
def three(session):
    """Three annotations; the first and the second overlap, the third stands alone."""
    return put(session, LEFT, RIGHT, ALONE)


def order(session):
    return list(session.annotations)


def test_what_is_hidden_is_not_shown_nor_selected_any_more(session, three):
    session.select(three[:2])
    assert arranging.hide_selected(session)
    assert list(session.shown) == [three[2]]
    assert session.selection == frozenset()
    assert session.boxes.at(20, 20) == []
    assert session.history().undo == "Hide 2 annotations"


def test_hidden_ones_are_shown_again(session, three):
    arranging.set_hidden(session, three[:2], hidden=True)
    session.select([three[0]])
    assert arranging.hide_selected(session)
    assert list(session.shown) == [three[0], three[2]]
    assert session.selection == {three[0]}
    session.select(three)
    assert arranging.hide_selected(session)
    assert session.history().undo == "Show annotation"
    session.undo()
    assert arranging.show_hidden(session)
    assert list(session.shown) == three
    assert session.boxes.at(35, 20) == [three[1], three[0]]


def test_redoing_a_hiding_does_not_select_what_cannot_be_seen(session, three):
    session.select(three[:1])
    arranging.hide_selected(session)
    session.undo()
    assert session.selection == {three[0]}
    session.redo()
    assert session.selection == frozenset()


def test_the_walk_passes_over_hidden_ones(session, three):
    arranging.set_hidden(session, three[1:2], hidden=True)
    walked = []
    for _ in range(3):
        operations.walk_annotations(session, 1)
        walked += session.selection
    assert walked == [three[0], three[2], three[0]]


VERBS = {
    "move": lambda s: operations.move(s, s.selection, 3, 0),
    "delete": operations.delete_selected,
    "reshape": lambda s: operations.reshape(s, min(s.selection), SQUARE, "Reshape"),
    "category": lambda s: operations.set_category(s, s.categories[-1].id),
    "unite": region_operations.unite_selected,
    "merge": region_operations.merge_selected,
    "subtract": region_operations.subtract_selected,
    "intersect": region_operations.intersect_selected,
    "cut": lambda s: region_operations.cut(s, s.selection, [(0, 25), (100, 26)]),
    "brush": lambda s: region_operations.brush(
        s, min(s.selection), [(20.0, 20.0), (40.0, 45.0)], 5, erase=False
    ),
    "erase": lambda s: region_operations.brush(
        s, min(s.selection), [(20.0, 20.0), (40.0, 45.0)], 5, erase=True
    ),
    "punch": lambda s: region_operations.punch(s, s.selection, inner(s)),
}


def inner(session):
    x0, y0, x1, y1 = session.selected()[0].box
    ring = [(x0 + 9, y0 + 9), (x1 - 9, y0 + 9), (x1 - 9, y1 - 9), (x0 + 9, y1 - 9)]
    return Segmentation.from_rings(ring)


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_nothing_changes_a_locked_annotation(studio, session, three, verb):
    category_operations.add_category(session, "other")
    arranging.set_locked(session, three[:1], locked=True)
    session.select(three[:2])
    before = dict(session.annotations)
    assert not verb(session)
    assert dict(session.annotations) == before
    assert session.history().undo == "Lock annotation"
    assert studio.problems == ["This annotation (object) is locked; unlock it first."]


def test_several_locked_ones_are_counted(studio, session, three):
    arranging.set_locked(session, three[:2], locked=True)
    session.select(three)
    assert not operations.delete_selected(session)
    assert studio.problems == ["2 of these are locked; unlock them first."]
    assert len(session.annotations) == 3


def test_unlocked_it_can_be_changed_again(studio, session, three):
    session.select(three[:1])
    arranging.lock_selected(session)
    arranging.lock_selected(session)
    assert session.history().undo == "Unlock annotation"
    assert operations.delete_selected(session)
    assert studio.problems == []


def test_locked_ones_can_be_hidden_stacked_and_verified(studio, session, three):
    arranging.set_locked(session, three, locked=True)
    session.select(three[:1])
    assert arranging.raise_selected(session)
    assert arranging.hide_selected(session)
    assert operations.verify(session)
    assert studio.problems == []


@pytest.mark.parametrize("arranged", [{"hidden": True}, {"locked": True}, {"z": 1}], ids=str)
def test_a_models_annotation_stays_its_own_however_it_is_arranged(studio, session, arranged):
    studio.predict_image()
    one = next(iter(session.annotations.values()))
    state = session.current.state
    if "z" in arranged:
        session.select([one.id])
        arranging.bring_to_front(session)
    elif "hidden" in arranged:
        arranging.set_hidden(session, [one.id], hidden=True)
    else:
        arranging.set_locked(session, [one.id], locked=True)
    after = session.annotations[one.id]
    assert after == replace(one, **arranged)
    assert after.is_pre_annotation
    assert session.current.state is state is ImageState.PREDICTED


def test_the_model_leaves_locked_ones_alone_and_hidden_ones_hidden(studio, session):
    studio.predict_image()
    best, other = studio.by_score("a.png")[:2]
    arranging.set_locked(session, [best.id], locked=True)
    arranging.set_hidden(session, [other.id], hidden=True)
    before = dict(session.annotations)
    studio.predict_image()
    assert dict(session.annotations) == before
    studio.move_filter(DetectionFilter(0.95))
    assert list(studio.filtering.preview) == [best.id]
    studio.let_go(DetectionFilter(0.95))
    assert dict(session.annotations) == {best.id: replace(best, locked=True)}


def test_steps_and_ends(session, three):
    first, second, _ = three
    session.select([first])
    assert arranging.raise_selected(session)
    assert order(session).index(first) > order(session).index(second)
    assert session.history().undo == "Bring annotation forward"
    assert arranging.lower_selected(session)
    assert order(session).index(first) < order(session).index(second)
    assert session.history().undo == "Send annotation backward"
    assert arranging.bring_to_front(session)
    assert order(session)[-1] == first
    assert session.history().undo == "Bring annotation to front"
    assert arranging.send_to_back(session)
    assert order(session)[0] == first
    assert session.history().undo == "Send annotation to back"


def test_where_nothing_lies_ahead_a_sentence_says_so(studio, session, three):
    session.select([three[2]])
    assert not arranging.raise_selected(session)
    assert not arranging.bring_to_front(session)
    assert (
        studio.problems == ["Nothing lies in front of what is selected; nothing was changed."] * 2
    )
    assert not arranging.lower_selected(session)
    assert studio.problems[-1] == "Nothing lies behind what is selected; nothing was changed."


def test_what_is_drawn_or_copied_lies_in_front_of_all(session, three):
    session.select(three[:1])
    arranging.bring_to_front(session)
    (drawn,) = put(session, SQUARE)
    assert order(session)[-1] == drawn
    session.select(three[:1])
    clipboard.duplicate(session)
    (copy,) = session.selection
    assert order(session)[-1] == copy


def test_a_copy_is_neither_hidden_nor_locked(session, three):
    arranging.set_hidden(session, three[:1], hidden=True)
    arranging.set_locked(session, three[:1], locked=True)
    session.select(three[:1])
    clipboard.duplicate(session)
    (copy,) = session.selected()
    assert not copy.hidden
    assert not copy.locked


def test_united_is_the_topmost_as_it_is_stacked(session, three):
    session.select(three[:1])
    arranging.bring_to_front(session)
    session.select(three[:2])
    region_operations.unite_selected(session)
    assert session.selection == {three[0]}


def test_pieces_stay_where_the_whole_was(session, three):
    session.select(three[:1])
    arranging.bring_to_front(session)
    region_operations.cut(session, three[:1], [(0, 25), (100, 26)])
    assert {a.z for a in session.selected()} == {1}
    assert len(session.selection) == 2


def test_all_of_it_survives_a_restart(studio, session, three, folder):
    arranging.set_hidden(session, three[:1], hidden=True)
    arranging.set_locked(session, three[1:2], locked=True)
    session.select(three[:1])
    arranging.bring_to_front(session)
    at_last = list(session.annotations.values())
    session.close()
    session.open(open_project(folder))
    session.show(session.image_ids[0])
    assert list(session.annotations.values()) == at_last
    for _ in range(3):
        session.undo()
    assert order(session) == three
    assert not any(a.hidden or a.locked or a.z for a in session.annotations.values())
    for _ in range(3):
        session.redo()
    assert list(session.annotations.values()) == at_last


moves = st.sampled_from(
    [
        arranging.bring_to_front,
        arranging.send_to_back,
        arranging.raise_selected,
        arranging.lower_selected,
    ]
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(todo=st.lists(st.tuples(st.frozensets(st.integers(0, 3), min_size=1), moves), max_size=6))
def test_painted_hit_stored_and_exported_in_one_order(studio, tmp_path, todo):
    session = studio.session
    for annotation_id in list(session.annotations):
        session.select([annotation_id])
        operations.delete_selected(session)
    ids = put(session, LEFT, RIGHT, HOLED, ALONE)
    for chosen, move in todo:
        session.select(ids[n] for n in chosen)
        move(session)
    now = order(session)
    assert now == sorted(ids, key=lambda i: session.annotations[i].stacking)
    assert session.boxes.meeting((0, 0, 100, 80)) == now[::-1]
    database = session.require_database()
    assert [a.id for a in database.annotations(session.current.id)] == now
    path = tmp_path / "out.json"
    options = ExportOptions(ExportFormat.COCO, (session.current.state,))
    export(database, path, options, TaskContext())
    entries = json.loads(path.read_text(encoding="ascii"))["annotations"]
    assert [entry["id"] for entry in entries] == now
