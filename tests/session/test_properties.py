"""Crowd, attributes and note of annotations."""

import pytest

from maskstudio.annotation.annotation import ImageState
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.session import arranging, clipboard, properties, region_operations
from maskstudio.storage.opening import open_project
from support.outlines import SQUARE, put

OTHER = Segmentation.from_rings([(70, 50), (90, 50), (90, 70), (70, 70)])


@pytest.fixture
def session(studio):
    return studio.session


@pytest.fixture
def two(session):
    return put(session, SQUARE, OTHER)


def attributes(session):
    return [dict(a.attributes) for a in session.annotations.values()]


def test_a_crowd_and_none_again(session, two):
    session.select(two[:1])
    assert properties.toggle_crowd(session)
    assert [a.iscrowd for a in session.annotations.values()] == [True, False]
    session.select(two)
    properties.toggle_crowd(session)
    assert all(a.iscrowd for a in session.annotations.values())
    properties.toggle_crowd(session)
    assert not any(a.iscrowd for a in session.annotations.values())
    titles = []
    while title := session.history().undo:
        titles.append(title)
        session.undo()
    assert titles == ["Unmark as crowd", "Mark as crowd", "Mark as crowd", "Draw", "Draw"]


def test_one_note_for_several_is_one_edit(session, two):
    assert properties.set_note(session, two, "  look again\n")
    assert [a.note for a in session.annotations.values()] == ["look again"] * 2
    session.undo()
    assert [a.note for a in session.annotations.values()] == ["", ""]
    assert properties.set_note(session, two, "  ")
    assert session.history().undo == "Draw"


def test_attributes_are_set_renamed_and_removed(session, two):
    properties.set_attribute(session, two, " pose ", " left ")
    properties.set_attribute(session, two[:1], "age", "3")
    assert session.annotations[two[0]].attributes == (("age", "3"), ("pose", "left"))
    properties.rename_attribute(session, two, "pose", "zone")
    assert attributes(session) == [{"age": "3", "zone": "left"}, {"zone": "left"}]
    properties.remove_attribute(session, two, "age")
    assert not properties.rename_attribute(session, two, "zone", " ")
    properties.rename_attribute(session, two, "zone", "area", "right")
    assert attributes(session) == [{"area": "right"}, {"area": "right"}]
    properties.rename_attribute(session, two, "nothing", "zone", "x")
    assert session.history().undo == "Rename attribute zone to area"


def test_an_attribute_needs_a_name_and_no_value(session, two):
    assert not properties.set_attribute(session, two, " ", "x")
    assert properties.set_attribute(session, two[:1], "occluded", "")
    assert attributes(session) == [{"occluded": ""}, {}]


def test_what_several_have_in_common(session, two):
    properties.set_attribute(session, two, "pose", "left")
    properties.set_attribute(session, two[:1], "age", "3")
    properties.set_attribute(session, two[1:], "pose", "right")
    session.select(two)
    assert properties.common_attributes(session.selected()) == {"age": None, "pose": None}
    session.select(two[:1])
    assert properties.common_attributes(session.selected()) == {"age": "3", "pose": "left"}


def test_it_is_a_persons_work(studio, session):
    studio.predict_image()
    best = studio.by_score("a.png")[0]
    properties.set_note(session, [best.id], "certainly")
    assert session.annotations[best.id].touched
    assert session.current.state is ImageState.EDITED


def test_locked_ones_keep_what_was_said(studio, session, two):
    arranging.set_locked(session, two[:1], locked=True)
    assert not properties.set_note(session, two, "new")
    session.select(two)
    assert not properties.toggle_crowd(session)
    assert not properties.set_attribute(session, two, "pose", "left")
    assert len(studio.problems) == 3
    assert not any(a.note or a.iscrowd or a.attributes for a in session.annotations.values())


def test_copies_and_pieces_have_it_too(session, two):
    properties.set_attribute(session, two[:1], "pose", "left")
    session.select(two[:1])
    clipboard.duplicate(session)
    assert session.selected()[0].attributes == (("pose", "left"),)
    region_operations.cut(session, two[:1], [(0, 40), (100, 41)])
    assert [a.attributes for a in session.selected()] == [(("pose", "left"),)] * 2


def test_words_used_once_are_known_in_the_whole_project_and_after_a_restart(session, two, folder):
    properties.set_attribute(session, two, "pose", "left")
    properties.set_attribute(session, two[:1], "pose", "right")
    properties.set_attribute(session, two[:1], "age", "")
    expected = {"age": ("",), "pose": ("left", "right")}
    assert session.require_database().attribute_words() == expected
    session.close()
    session.open(open_project(folder))
    assert session.require_database().attribute_words() == expected


def test_all_of_it_survives_a_restart(session, two, folder):
    properties.set_attribute(session, two, "pose", "links ☂")
    properties.set_note(session, two[:1], "schräg")
    session.select(two[1:])
    properties.toggle_crowd(session)
    at_last = list(session.annotations.values())
    session.close()
    session.open(open_project(folder))
    session.show(session.image_ids[0])
    assert list(session.annotations.values()) == at_last
    for _ in range(3):
        session.undo()
    assert not any(a.note or a.iscrowd or a.attributes for a in session.annotations.values())
    for _ in range(3):
        session.redo()
    assert list(session.annotations.values()) == at_last
