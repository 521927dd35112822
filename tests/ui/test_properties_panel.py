"""Crowd, note and attributes, typed below the list of annotations."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from maskstudio.annotation.segmentation import Segmentation
from maskstudio.session import arranging, properties
from maskstudio.ui.panels.annotation_model import Column
from support.hand import CTRL, LEFT, SHIFT
from support.outlines import SQUARE, put

OTHER = Segmentation.from_rings([(70, 50), (90, 50), (90, 70), (70, 70)])
ENTER, TAB, ESCAPE = Qt.Key.Key_Return, Qt.Key.Key_Tab, Qt.Key.Key_Escape


@pytest.fixture
def drawn(program):
    """The program with two squares, the first of them selected, and its properties unfolded."""
    put(program.session, SQUARE, OTHER)
    program.hand.click((40, 40))
    program.key("i", CTRL)
    return program


def panel(program):
    return program.window.annotations.properties


def attributes(program):
    return [dict(a.attributes) for a in program.annotations]


def notes(program):
    return [a.note for a in program.annotations]


def texts(program):
    return [(row.name.text(), row.value.text()) for row in panel(program).rows]


def titles(program):
    """What undo would take back, without what was drawn first."""
    return [title for title in program.titles() if title != "Draw"]


def give(program, name, value):
    """Type another attribute."""
    panel(program).rows[-1].name.setFocus()
    program.type(name)
    program.key(TAB)
    program.type(value)
    program.key(ENTER)


def test_without_a_selection_there_is_nothing_to_fill_in_and_nothing_moves(program):
    put(program.session, SQUARE)
    QTest.mouseClick(panel(program).fold, LEFT)
    rows = program.window.annotations.list
    before = rows.geometry()
    assert not program.window.verbs["properties"].isEnabled()
    assert not panel(program).note.isEnabled()
    program.hand.click((40, 40))
    assert panel(program).note.isEnabled()
    assert rows.geometry() == before
    program.hand.click((90, 10))
    assert not panel(program).note.isEnabled()
    assert rows.geometry() == before


def test_it_is_folded_until_somebody_wants_it(program):
    put(program.session, SQUARE)
    program.hand.click((40, 40))
    assert panel(program).fold.isVisible()
    assert not panel(program).note.isVisible()


def test_a_click_unfolds_and_folds_it(program):
    put(program.session, SQUARE)
    program.hand.click((40, 40))
    QTest.mouseClick(panel(program).fold, LEFT)
    assert panel(program).note.isVisible()
    QTest.mouseClick(panel(program).fold, LEFT)
    assert not panel(program).note.isVisible()


def test_it_stays_unfolded_from_one_start_to_the_next(drawn, start, folder):
    drawn.close()
    again = start()
    again.open(folder)
    again.canvas.setFocus()
    again.hand.click((40, 40))
    assert panel(again).note.isVisible()


def test_a_note_is_taken_over_by_enter_which_goes_back_to_the_canvas(drawn):
    drawn.type("look again")
    assert notes(drawn) == ["", ""]
    drawn.key(ENTER)
    assert notes(drawn) == ["look again", ""]
    assert drawn.canvas.hasFocus()
    assert titles(drawn) == ["Change note"]
    drawn.key("z", CTRL)
    assert notes(drawn) == ["", ""]
    assert panel(drawn).note.text() == ""


def test_a_note_is_taken_over_when_the_focus_goes(drawn):
    drawn.type("look")
    drawn.key(TAB)
    assert notes(drawn) == ["look", ""]


def test_a_note_is_taken_over_by_a_click_on_another_annotation(drawn):
    drawn.type("look")
    drawn.hand.click((80, 60))
    assert notes(drawn) == ["look", ""]
    assert panel(drawn).note.text() == ""
    drawn.hand.click((40, 40))
    assert panel(drawn).note.text() == "look"
    assert titles(drawn) == ["Change note"]


def test_a_note_is_taken_over_when_another_image_comes(drawn):
    first = drawn.session.current.id
    drawn.type("look")
    drawn.show("b.png")
    assert [a.note for a in drawn.session.content(first).annotations.values()] == ["look", ""]


def test_a_note_is_taken_over_when_the_program_ends(drawn, start, folder):
    drawn.type("look")
    drawn.close()
    again = start()
    again.open(folder)
    assert notes(again) == ["look", ""]


def test_escape_puts_back_what_was_there_and_then_leaves(drawn):
    drawn.type("oops")
    drawn.key(ESCAPE)
    assert panel(drawn).note.text() == ""
    assert panel(drawn).note.hasFocus()
    drawn.key(ESCAPE)
    assert drawn.canvas.hasFocus()
    assert len(drawn.session.selection) == 1
    assert titles(drawn) == []


def test_the_canvas_gets_the_keys_when_the_selection_goes_from_under_the_fields(drawn):
    drawn.session.select(())
    assert drawn.canvas.hasFocus()


def test_typing_does_nothing_else(drawn):
    before = [(a.id, a.box, a.category_id) for a in drawn.annotations]
    drawn.type("vphltz123[] dainbnm")
    for key in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete, Qt.Key.Key_Left, Qt.Key.Key_Space):
        drawn.key(key)
    drawn.key(ENTER)
    assert [(a.id, a.box, a.category_id) for a in drawn.annotations] == before
    assert titles(drawn) == ["Change note"]
    assert drawn.window.input.tool.name == "select"
    assert drawn.shows("a.png")


def test_an_attribute_is_typed_name_enter_value_enter(drawn):
    panel(drawn).rows[-1].name.setFocus()
    drawn.type("pose")
    drawn.key(ENTER)
    assert attributes(drawn) == [{}, {}]
    drawn.type("left")
    drawn.key(ENTER)
    assert attributes(drawn) == [{"pose": "left"}, {}]
    drawn.type("age")
    drawn.key(TAB)
    drawn.type("3")
    drawn.key(ENTER)
    assert attributes(drawn)[0] == {"age": "3", "pose": "left"}
    assert texts(drawn) == [("age", "3"), ("pose", "left"), ("", "")]
    drawn.key(ENTER)
    assert drawn.canvas.hasFocus()
    assert titles(drawn) == ["Change attribute age", "Change attribute pose"]


def test_an_attribute_is_taken_over_when_the_focus_leaves_its_row(drawn):
    panel(drawn).rows[-1].name.setFocus()
    drawn.type("pose")
    drawn.key(TAB)
    drawn.type("left")
    drawn.hand.click((40, 40))
    assert attributes(drawn)[0] == {"pose": "left"}
    assert titles(drawn) == ["Change attribute pose"]


def test_a_value_and_a_name_are_changed(drawn):
    give(drawn, "pose", "left")
    row = panel(drawn).rows[0]
    row.value.setFocus()
    row.value.selectAll()
    drawn.type("right")
    drawn.key(ENTER)
    assert attributes(drawn)[0] == {"pose": "right"}
    assert drawn.canvas.hasFocus()
    row.name.setFocus()
    row.name.selectAll()
    drawn.type("side")
    drawn.key(TAB)
    row.value.selectAll()
    drawn.type("both")
    drawn.key(ENTER)
    assert attributes(drawn)[0] == {"side": "both"}
    assert titles(drawn)[0] == "Rename attribute pose to side"
    assert len(titles(drawn)) == 3


def test_a_name_that_is_emptied_comes_back(drawn):
    give(drawn, "pose", "left")
    row = panel(drawn).rows[0]
    row.name.setFocus()
    row.name.selectAll()
    drawn.key(Qt.Key.Key_Backspace)
    drawn.key(ENTER)
    assert attributes(drawn)[0] == {"pose": "left"}
    assert texts(drawn)[0] == ("pose", "left")


def test_a_button_removes_an_attribute(drawn):
    give(drawn, "pose", "left")
    button = panel(drawn).rows[0].remove
    assert button.accessibleName() == "Remove attribute pose"
    QTest.mouseClick(button, LEFT)
    assert attributes(drawn)[0] == {}
    assert texts(drawn) == [("", "")]


def test_several_are_changed_at_once(drawn):
    session = drawn.session
    properties.set_note(session, session.selection, "alone")
    properties.set_attribute(session, session.selection, "pose", "left")
    session.select(session.annotations)
    assert panel(drawn).note.placeholderText() == "several values"
    assert panel(drawn).rows[0].value.placeholderText() == "several values"
    row = panel(drawn).rows[0]
    row.value.setFocus()
    drawn.type("right")
    drawn.key(TAB)
    drawn.key(TAB)
    panel(drawn).note.setFocus()
    drawn.type("both")
    drawn.key(ENTER)
    assert attributes(drawn) == [{"pose": "right"}] * 2
    assert notes(drawn) == ["both", "both"]


def test_fields_that_nobody_touched_change_nothing(drawn):
    session = drawn.session
    properties.set_note(session, session.selection, "alone")
    before = drawn.annotations
    session.select(session.annotations)
    for _ in range(8):
        drawn.key(TAB)
    drawn.canvas.setFocus()
    assert drawn.annotations == before


def test_words_used_before_are_offered(drawn):
    properties.set_attribute(drawn.session, [a.id for a in drawn.annotations][1:], "pose", "left")
    row = panel(drawn).rows[-1]
    row.name.setFocus()
    drawn.type("PO")
    completer = row.name.completer()
    assert completer.currentCompletion() == "pose"
    completer.popup().hide()
    row.name.setText("pose")
    row.value.setFocus()
    drawn.type("e")
    assert row.value.completer().currentCompletion() == "left"
    row.value.completer().popup().hide()


def test_a_box_marks_a_crowd(drawn):
    session, crowd = drawn.session, panel(drawn).crowd
    QTest.mouseClick(crowd, LEFT, pos=QPoint(8, crowd.height() // 2))
    assert [a.iscrowd for a in drawn.annotations] == [True, False]
    session.select(session.annotations)
    assert crowd.checkState() is Qt.CheckState.PartiallyChecked
    drawn.canvas.setFocus()
    drawn.key("w", CTRL | SHIFT)
    assert [a.iscrowd for a in drawn.annotations] == [True, True]
    assert crowd.isChecked()
    drawn.key("z", CTRL)
    assert [a.iscrowd for a in drawn.annotations] == [True, False]


def test_the_list_tells_of_crowd_and_note(drawn):
    session = drawn.session
    properties.toggle_crowd(session)
    properties.set_note(session, session.selection, "look")
    properties.set_attribute(session, session.selection, "pose", "left")
    rows = drawn.window.annotations.model
    said = rows.data(rows.index(1, Column.NAME), Qt.ItemDataRole.AccessibleTextRole)
    assert said == "object   drawn   crowd   look   pose: left"
    for column in (Column.CROWD, Column.SAID):
        assert not rows.data(rows.index(1, column), Qt.ItemDataRole.DecorationRole).isNull()
        assert rows.data(rows.index(0, column), Qt.ItemDataRole.DecorationRole) is None
    tip = rows.data(rows.index(1, Column.SAID), Qt.ItemDataRole.ToolTipRole)
    assert tip == "look\npose: left"


def test_the_heading_says_what_there_is_while_it_is_folded(drawn):
    fold = panel(drawn).fold
    assert fold.text() == "Properties"
    give(drawn, "pose", "left")
    assert fold.text() == "Properties:  1 attribute"
    give(drawn, "age", "3")
    properties.set_note(drawn.session, drawn.session.selection, "look")
    assert fold.text() == "Properties:  note, 2 attributes"


def test_what_is_locked_cannot_be_typed_over(drawn):
    arranging.lock_selected(drawn.session)
    assert not panel(drawn).note.isEnabled()
    arranging.lock_selected(drawn.session)
    assert panel(drawn).note.isEnabled()


def test_what_could_not_be_written_stays_typed(drawn, monkeypatch):
    drawn.type("look")
    with monkeypatch.context() as broken:
        broken.setattr(type(drawn.session), "edit", lambda *_: False)
        drawn.key(ENTER)
    assert panel(drawn).note.text() == "look"
    assert notes(drawn) == ["", ""]
    panel(drawn).note.setFocus()
    drawn.key(ENTER)
    assert notes(drawn) == ["look", ""]


def test_every_field_has_a_name(drawn):
    give(drawn, "pose", "left")
    names = []
    for row in panel(drawn).rows:
        names += [row.name.accessibleName(), row.value.accessibleName()]
    assert names == ["Attribute", "Value of pose", "Attribute", "Value"]
    assert panel(drawn).note.accessibleName() == "Note"


def test_what_others_change_meanwhile_leaves_what_is_being_typed(drawn):
    drawn.type("half a sen")
    properties.set_attribute(drawn.session, drawn.session.selection, "pose", "left")
    assert panel(drawn).note.text() == "half a sen"
    assert texts(drawn)[0] == ("pose", "left")
    drawn.type("tence")
    drawn.key(ENTER)
    assert notes(drawn)[0] == "half a sentence"
