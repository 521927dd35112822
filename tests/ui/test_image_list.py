"""The list of images: found by name, filtered by state, sorted, walked through as shown."""

import itertools

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from maskstudio.annotation.annotation import ImageState
from support.hand import CTRL, LEFT, SHIFT
from support.outlines import SQUARE, put
from support.pictures import write_picture

ALL = ["a.png", "b.png", "sub/c.png"]
ESCAPE = Qt.Key.Key_Escape


def rows(program):
    model = program.window.images.list.model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def find(program, text):
    """Type in the field, as a person does."""
    program.key("l", CTRL)
    program.type(text)


def choose(program, button, *words):
    """Open the menu of a button and click entries of it; returns the menu."""
    menu = button.menu()
    # Opened as the button does it, which would wait inside until the menu is closed.
    menu.popup(button.mapToGlobal(button.rect().bottomLeft()))
    for text in words:
        (action,) = (a for a in menu.actions() if a.text() == text)
        place = menu.actionGeometry(action).center()
        QTest.mouseMove(menu, place)
        QTest.mouseClick(menu, LEFT, pos=place)
    return menu


def choose_states(program, *words):
    menu = choose(program, program.window.images.filter.states, *words)
    assert menu.isVisible()
    QTest.keyClick(menu, ESCAPE)
    assert not menu.isVisible()


def choose_order(program, words):
    menu = choose(program, program.window.images.filter.sorting, words)
    assert not menu.isVisible()


def summary(program):
    return program.text_of(program.window.images)


# Finding


def test_typing_a_part_of_a_name_leaves_those_that_have_it(program):
    find(program, "SUB")
    assert rows(program) == ["sub/c.png"]
    assert "1 of 3 shown" in summary(program)
    assert program.shows("a.png")


def test_esc_clears_the_field_and_then_leaves_it(program):
    find(program, "sub")
    program.key(ESCAPE)
    assert program.window.images.filter.field.text() == ""
    assert rows(program) == ALL
    assert "0 of 3 verified" in summary(program)
    assert program.window.images.filter.field.hasFocus()
    program.key(ESCAPE)
    assert program.window.images.list.hasFocus()


def test_esc_in_the_field_leaves_the_tool_in_hand(program):
    program.key("p")
    find(program, "b")
    program.key(ESCAPE)
    assert program.window.verbs["polygon"].isChecked()


def test_enter_shows_the_first_that_was_found_and_gives_the_list_the_keys(program):
    find(program, "png")
    program.key(Qt.Key.Key_Return)
    assert program.shows("a.png")
    find(program, "b")
    program.key(Qt.Key.Key_Return)
    program.until(lambda: program.shows("b.png"))
    program.key("p")
    assert program.window.verbs["polygon"].isChecked()


def test_the_key_selects_what_was_typed_before(program):
    find(program, "sub")
    program.canvas.setFocus()
    find(program, "b.")
    assert rows(program) == ["b.png"]


def test_when_nothing_fits_the_list_is_empty_and_the_image_stays(program):
    find(program, "nowhere")
    assert rows(program) == []
    assert "0 of 3 shown" in summary(program)
    program.key(Qt.Key.Key_PageDown)
    program.key(Qt.Key.Key_Return)
    assert program.shows("a.png")
    program.key(Qt.Key.Key_Space, on=program.canvas)
    assert program.said == "Verified. This was the last image shown."


def test_another_folder_is_shown_whole(program, folder):
    find(program, "sub")
    choose_states(program, "new")
    program.open(folder / "sub")
    program.until(lambda: rows(program) == ["c.png"])
    assert program.window.images.filter.field.text() == ""
    assert program.window.images.filter.states.text() == "All states"


# States


def test_one_or_several_states(program):
    put(program.session, SQUARE)
    program.canvas.setFocus()
    program.key(Qt.Key.Key_Space)
    program.until(lambda: program.shows("b.png"))
    program.key("k", CTRL)
    program.until(lambda: program.shows("sub/c.png"))
    choose_states(program, "verified")
    assert rows(program) == ["a.png"]
    assert program.window.images.filter.states.text() == "verified"
    choose_states(program, "skipped", "new")
    assert rows(program) == ALL
    assert program.window.images.filter.states.text() == "3 states"
    choose_states(program, "verified")
    assert rows(program) == ["b.png", "sub/c.png"]
    choose_states(program, "All states")
    assert rows(program) == ALL
    assert "1 of 3 verified" in summary(program)


def test_each_state_can_be_chosen(program):
    entries = [a for a in program.window.images.filter.states.menu().actions() if a.text()]
    assert len(entries) == 1 + len(ImageState)
    assert [a.isChecked() for a in entries] == [True] + [False] * len(ImageState)


# Sorting


def test_the_list_is_sorted_as_asked(program):
    program.show("b.png")
    put(program.session, SQUARE, SQUARE)
    program.show("a.png")
    put(program.session, SQUARE)
    choose_order(program, "Descending")
    assert rows(program) == ALL[::-1]
    choose_order(program, "Number of annotations")
    assert rows(program) == ["b.png", "a.png", "sub/c.png"]
    choose_order(program, "Ascending")
    assert rows(program) == ["sub/c.png", "a.png", "b.png"]
    assert program.window.images.filter.sorting.text() == "Annotations ↑"
    choose_order(program, "State")
    assert rows(program) == ["sub/c.png", "a.png", "b.png"]
    choose_order(program, "Name")
    assert rows(program) == ALL


# Walking through what is shown


def test_next_and_previous_follow_the_order_shown(program):
    choose_order(program, "Descending")
    program.canvas.setFocus()
    program.key("d")
    assert program.shows("a.png")
    program.key("a")
    program.until(lambda: program.shows("b.png"))
    program.key(Qt.Key.Key_PageUp)
    program.until(lambda: program.shows("sub/c.png"))
    program.key(Qt.Key.Key_PageDown)
    program.until(lambda: program.shows("b.png"))
    assert program.window.images.list.currentIndex().data() == "b.png"


def test_an_image_that_is_not_shown_stays_until_the_next_step(program):
    find(program, "sub")
    assert not program.window.images.list.currentIndex().isValid()
    program.canvas.setFocus()
    program.key("d")
    program.until(lambda: program.shows("sub/c.png"))
    assert program.window.images.list.currentIndex().data() == "sub/c.png"


def test_images_verified_one_after_the_other_leave_a_list_of_new_ones(program):
    choose_states(program, "new")
    program.canvas.setFocus()
    for name, left in (("b.png", ALL[1:]), ("sub/c.png", ALL[2:])):
        program.key(Qt.Key.Key_Space)
        program.until(lambda name=name: program.shows(name))
        assert rows(program) == left
        assert program.window.images.list.currentIndex().data() == name
    program.key(Qt.Key.Key_Space)
    assert program.said == "Verified. This was the last image shown."
    program.key("z", CTRL)
    program.key("z", CTRL)
    program.until(lambda: program.shows("b.png"))
    assert rows(program) == ALL[1:]


def test_a_click_shows_the_image_of_the_row_as_shown(program):
    choose_order(program, "Descending")
    images = program.window.images.list
    place = images.visualRect(images.model().index(0, 0)).center()
    QTest.mouseClick(images.viewport(), LEFT, pos=place)
    program.until(lambda: program.shows("sub/c.png"))


def test_the_next_unverified_is_sought_among_those_shown(program):
    find(program, "b.")
    program.canvas.setFocus()
    program.key("d", CTRL | SHIFT)
    program.until(lambda: program.shows("b.png"))
    program.key(Qt.Key.Key_Space)
    program.key("d", CTRL | SHIFT)
    assert program.said == "Every image shown is verified or skipped."
    assert program.shows("b.png")


def test_the_model_working_through_the_folder_moves_rows_and_not_the_image(program):
    choose_states(program, "new")
    program.canvas.setFocus()
    program.key("b", CTRL)
    program.until(lambda: program.said and not program.app.annotator.running)
    assert rows(program) == ["a.png"]
    assert program.shows("a.png")


def test_a_missing_image_shown_by_a_step_leaves_the_list_where_it_belongs(start, folder):
    first = start()
    first.open(folder)
    first.close()
    (folder / "b.png").unlink()
    program = start()
    program.open(folder)
    program.until(lambda: program.session.missing)
    choose_states(program, "new")
    program.canvas.setFocus()
    put(program.session, SQUARE)
    program.key("d")
    assert program.session.current.path == "b.png"
    assert rows(program) == ["b.png", "sub/c.png"]


def test_the_filtered_list_is_a_sound_model(program, qtmodeltester):
    qtmodeltester.check(program.window.images.list.model())
    choose_order(program, "Number of annotations")
    put(program.session, SQUARE)
    program.show("b.png")
    assert rows(program) == ["b.png", "sub/c.png", "a.png"]
    choose_states(program, "new", "edited")
    program.canvas.setFocus()
    program.key(Qt.Key.Key_Space)
    program.until(lambda: program.shows("sub/c.png"))
    assert rows(program) == ["sub/c.png", "a.png"]
    program.key("z", CTRL)
    program.until(lambda: program.shows("b.png"))
    assert rows(program) == ["b.png", "sub/c.png", "a.png"]
    find(program, "a.")
    assert rows(program) == ["a.png"]


# Keys


def test_the_field_does_not_take_the_keys_when_the_window_opens(start, folder):
    program = start()
    program.open(folder)
    program.key("d")
    program.until(lambda: program.shows("b.png"))
    assert program.window.images.filter.field.text() == ""


def test_letters_typed_in_the_field_trigger_nothing(program):
    find(program, "p d a f 1 t")
    assert program.window.images.filter.field.text() == "p d a f 1 t"
    assert program.window.verbs["select"].isChecked()
    assert program.shows("a.png")


@pytest.mark.parametrize("name", ["states", "sorting"])
def test_the_buttons_open_their_menus_by_mouse(program, qtbot, name):
    button = getattr(program.window.images.filter, name)
    seen = []

    def close():
        menu = QApplication.activePopupWidget()
        seen.append(isinstance(menu, QMenu) and menu is button.menu())
        menu.close()

    button.menu().aboutToShow.connect(close, Qt.ConnectionType.QueuedConnection)
    QTest.mouseClick(button, LEFT)
    assert seen == [True]


def test_stepping_turns_the_page_and_always_shows_the_row(start, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(90):
        write_picture(folder / f"{number:02}.png", 8, 8)
    program = start()
    program.open(folder)
    program.until(lambda: len(program.session.image_ids) == 90)
    rows, panel = program.window.images.list, program.window.images
    tops = []
    for verb, count in (("next", 89), ("previous", 89)):
        for _ in range(count):
            program.window.verbs[verb].trigger()
            row = panel.model.index_of(program.session.current.id)
            assert rows.viewport().rect().contains(rows.visualRect(row))
            tops.append(rows.verticalScrollBar().value())
    turned = sum(one != other for one, other in itertools.pairwise(tops))
    assert 2 <= turned < 20
