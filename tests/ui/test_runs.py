"""Runs over many images from the window: which images, waiting, going on, what failed."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QListWidget

from maskstudio.annotation.annotation import ImageState
from maskstudio.storage.run_file import read_run
from support.hand import ALT, CTRL, NONE, SHIFT
from support.pictures import write_picture

LEFT = Qt.MouseButton.LeftButton


def click_row(program, name, held=NONE):
    """Click a row of the list of images."""
    view = program.window.images.list
    index = program.window.images.model.index_of(program.image(name))
    QTest.mouseClick(view.viewport(), LEFT, held, view.visualRect(index).center())


def chosen(program):
    """The names of the selected images."""
    session = program.session
    return [session.record(i).path for i in session.image_ids if i in session.order.chosen]


def painted_rows(program):
    """The names of the rows that the list shows as selected."""
    images = program.window.images
    rows = images.list.selectionModel().selectedRows()
    return sorted(images.model.data(index) for index in rows)


def press(program, text):
    QTest.mouseClick(program.button(text), LEFT)


def finished(program):
    return not program.app.annotator.running


@pytest.fixture
def halfway(unhurried, model):
    """A run over the folder that is at the second of three images."""
    program = unhurried
    model.hold.set()
    program.key("b", CTRL)
    model.let_through()
    program.until(lambda: len(model.calls) == 2)
    return program


# Selecting images


def test_ctrl_and_a_click_select_one_more_image_and_stay_at_the_current_one(program):
    assert chosen(program) == ["a.png"]
    click_row(program, "sub/c.png", CTRL)
    assert chosen(program) == ["a.png", "sub/c.png"] == painted_rows(program)
    assert program.shows("a.png")
    click_row(program, "sub/c.png", CTRL)
    assert chosen(program) == ["a.png"] == painted_rows(program)


def test_shift_and_a_click_select_a_range_and_stay_at_the_current_image(program):
    click_row(program, "sub/c.png", SHIFT)
    assert chosen(program) == ["a.png", "b.png", "sub/c.png"] == painted_rows(program)
    assert program.shows("a.png")
    click_row(program, "b.png", SHIFT)
    assert chosen(program) == ["a.png", "b.png"] == painted_rows(program)
    assert program.shows("a.png")


def test_a_range_begins_at_the_row_clicked_last_with_ctrl(program):
    click_row(program, "sub/c.png", CTRL)
    click_row(program, "b.png", SHIFT)
    assert chosen(program) == ["b.png", "sub/c.png"] == painted_rows(program)
    assert program.shows("a.png")


def test_a_plain_click_goes_to_the_image_and_selects_it_alone(program):
    click_row(program, "sub/c.png", SHIFT)
    click_row(program, "b.png")
    program.until(lambda: program.shows("b.png"))
    assert chosen(program) == ["b.png"] == painted_rows(program)


def test_going_on_selects_the_image_one_comes_to(program):
    click_row(program, "sub/c.png", SHIFT)
    program.canvas.setFocus()
    program.key("d")
    program.until(lambda: program.shows("b.png"))
    assert chosen(program) == ["b.png"] == painted_rows(program)


def test_what_the_list_does_not_show_is_not_selected(program):
    click_row(program, "sub/c.png", SHIFT)
    field = program.window.images.filter.field
    field.setFocus()
    field.setText("b.png")
    program.until(lambda: len(program.session.order.shown) == 1)
    assert set(chosen(program)) <= {"b.png"}


def test_ctrl_alt_b_pre_annotates_the_selected_images(program):
    click_row(program, "b.png", CTRL)
    program.canvas.setFocus()
    program.key("b", CTRL | ALT)
    program.until(lambda: program.told)
    assert program.said == "2 of 2 images pre-annotated."
    assert [program.session.count(i) for i in program.session.image_ids] == [2, 2, 0]


def test_ctrl_shift_b_pre_annotates_what_is_new(program):
    program.key(Qt.Key.Key_Space)
    program.key("b", CTRL | SHIFT)
    program.until(lambda: program.told)
    assert program.said == "2 of 2 images pre-annotated. Finished ones left alone: 1."
    assert program.session.record(program.image("a.png")).state is ImageState.EMPTY


# Waiting and going on


@pytest.mark.parametrize("by", ["key", "button"])
def test_a_run_is_paused_and_goes_on(halfway, model, by):
    program = halfway

    def ask(button):
        if by == "key":
            program.key("p", CTRL)
        else:
            press(program, button)

    ask("Pause")
    program.idle()
    program.until(lambda: program.window.model.run.line.text() == "1 of 3 images, paused")
    calls = len(model.calls)
    model.release.set()
    program.idle()
    assert len(model.calls) == calls
    assert program.window.verbs["cancel"].isEnabled()

    ask("Continue")
    program.until(lambda: finished(program))
    assert program.said == "3 of 3 images pre-annotated."


def test_esc_does_not_end_a_run(halfway, model):
    halfway.key(Qt.Key.Key_Escape)
    model.release.set()
    halfway.until(lambda: finished(halfway))
    assert halfway.said == "3 of 3 images pre-annotated."


@pytest.fixture
def restarted(halfway, start, folder, model):
    """The program after it was closed in the middle of a run."""
    halfway.close()
    model.hold.clear()
    program = start()
    program.open(folder)
    program.canvas.setFocus()
    program.until(lambda: program.app.annotator.batch.unfinished is not None)
    return program


def test_after_a_restart_the_run_is_offered_and_nothing_stands_in_the_way(restarted, folder):
    program = restarted
    line = program.window.model.run.line
    assert line.isVisible()
    assert line.text() == "A run over 3 images was not finished; 2 are left."
    assert program.dialogs() == []
    assert finished(program)

    press(program, "Continue")
    program.until(lambda: finished(program) and program.told)
    assert program.said == "3 of 3 images pre-annotated."
    assert [program.session.count(i) for i in program.session.image_ids] == [2, 2, 2]
    assert not line.isVisible()


def test_the_run_offered_after_a_restart_can_be_discarded(restarted, folder):
    press(restarted, "Discard")
    assert not restarted.window.model.run.isVisible()
    assert read_run(folder) is None


def test_the_panel_tells_the_model_of_a_run_once_another_is_chosen(halfway, model):
    halfway.app.annotator.use_model("others/cells")
    line = halfway.window.model.run.line
    halfway.until(lambda: line.text() == "1 of 3 images, with nuclei")
    model.release.set()
    halfway.until(lambda: finished(halfway))


# What failed


@pytest.fixture
def failed(start, folder):
    """The program after a run in which two of three images failed."""
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes((folder / name).read_bytes()[:100])
    program = start()
    program.app.open_folder(folder)
    program.until(lambda: len(program.session.image_ids) == 3)
    program.canvas.setFocus()
    program.key("b", CTRL)
    program.until(lambda: program.told and finished(program))
    return program


def test_a_click_on_a_failure_goes_to_its_image(failed):
    press(failed, "2 failed…")
    (dialog,) = failed.dialogs()
    rows = dialog.findChild(QListWidget)
    assert rows.count() == 2
    assert "b.png is damaged" in rows.item(1).text()
    place = rows.visualItemRect(rows.item(1)).center()
    QTest.mouseClick(rows.viewport(), LEFT, NONE, place)
    assert failed.session.current.path == "b.png"


def test_failures_are_tried_again(failed, folder):
    write_picture(folder / "a.png", 80, 100)
    write_picture(folder / "b.png", 64, 64)
    failed.window.verbs["failures"].trigger()
    (dialog,) = failed.dialogs()
    QTest.mouseClick(dialog.again, LEFT)
    failed.until(lambda: finished(failed))
    assert [failed.session.count(i) for i in failed.session.image_ids] == [2, 2, 2]
    assert dialog.findChild(QListWidget).count() == 0
    assert not failed.window.verbs["failures"].isEnabled()
    assert not failed.window.model.run.isVisible()


# Looking ahead


def test_after_i_the_next_image_has_its_pre_annotations_on_arrival(predicted, model):
    program = predicted
    assert program.window.verbs["look_ahead"].isChecked()
    program.until(lambda: len(model.calls) == 3)
    program.idle()
    program.key("d")
    program.until(lambda: program.shows("b.png") and len(program.annotations) == 2)
    assert len(model.calls) == 3
    assert program.session.history().undo == "Pre-annotate"
    assert program.window.annotations.model.rowCount() == 2
    assert "pre-annotating ahead" in program.window.status.modes.text()


def test_an_image_the_model_has_not_done_is_not_verified_as_empty_at_once(program, model):
    model.hold.set()
    program.key("i")
    model.let_through()
    program.until(lambda: len(program.annotations) == 2)
    program.key("d")
    program.until(lambda: program.shows("b.png") and len(model.calls) == 2)
    program.window.verbs["verify"].trigger()
    assert program.shows("b.png")
    assert "has not done this image yet" in program.said
    assert program.session.current.state is ImageState.NEW
    model.hold.clear()
    model.let_through()
    program.until(lambda: len(program.annotations) == 2)
    program.window.verbs["verify"].trigger()
    program.until(lambda: program.shows("sub/c.png"))
    program.until(lambda: len(program.annotations) == 2)


def test_said_twice_it_is_verified_as_empty_all_the_same(program, model):
    model.hold.set()
    program.key("i")
    model.let_through()
    program.until(lambda: len(program.annotations) == 2)
    program.key("d")
    program.until(lambda: program.shows("b.png") and len(model.calls) == 2)
    program.window.verbs["verify"].trigger()
    program.window.verbs["verify"].trigger()
    program.until(lambda: program.shows("sub/c.png"))
    assert program.session.record(program.image("b.png")).state is ImageState.EMPTY
    model.hold.clear()
    model.let_through()


def test_shift_i_switches_it_off_and_on(predicted, model):
    program = predicted
    program.key("i", SHIFT)
    assert not program.window.verbs["look_ahead"].isChecked()
    assert "ahead" not in program.window.status.modes.text()
    program.key("d")
    program.until(lambda: program.shows("b.png"))
    program.idle()
    assert program.annotations == []
    program.key("i", SHIFT)
    program.until(lambda: len(program.annotations) == 2)


def test_what_a_person_draws_by_hand_calls_no_model(program, model):
    program.key("d")
    program.until(lambda: program.shows("b.png"))
    program.idle()
    assert model.calls == []
    assert not program.window.verbs["look_ahead"].isChecked()
