"""The model at work, seen from the window: results, progress, cancelling, what goes wrong."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QFileDialog

from maskstudio.annotation.annotation import ImageState
from maskstudio.errors import UserError
from maskstudio.ui.panels.images import COUNT_ROLE
from support.hand import CTRL
from support.outlines import SQUARE, put
from support.pictures import write_picture


def counts(program):
    """The numbers at the right of the list of images."""
    model = program.window.images.model
    return [model.data(model.index(row), COUNT_ROLE) for row in range(model.rowCount())]


def finished(program):
    return not program.app.annotator.running


def test_i_pre_annotates_the_image(predicted):
    assert [round(a.score, 2) for a in predicted.annotations] == [0.6, 0.9]
    assert counts(predicted) == ["2", "", ""]
    assert predicted.session.current.state is ImageState.PREDICTED
    assert predicted.titles() == ["Pre-annotate"]
    assert predicted.problems == []


def test_the_button_does_the_same(program):
    button = program.button("Pre-annotate")
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    program.until(lambda: len(program.annotations) == 2)


def test_the_list_tells_score_drawn_and_checked(predicted):
    put(predicted.session, SQUARE)
    model = predicted.window.annotations.model
    assert [model.data(model.index(row, 0)) for row in range(model.rowCount())] == [
        "cell   drawn", "cell   0.90", "cell   0.60",
    ]  # fmt: skip
    predicted.key(Qt.Key.Key_Space)
    predicted.show("a.png")
    assert "checked" in model.data(model.index(1, 0))


def test_ctrl_b_pre_annotates_the_folder_and_says_so_at_the_end(program):
    program.key("b", CTRL)
    program.until(lambda: program.told)
    assert counts(program) == ["2", "2", "2"]
    assert program.said == "3 of 3 images pre-annotated."
    assert program.session.history().undo is None


def test_the_end_of_a_run_tells_what_was_left_alone(program):
    program.key(Qt.Key.Key_Space)
    program.key("b", CTRL)
    program.until(lambda: program.told)
    assert program.said == "2 of 2 images pre-annotated. Finished ones left alone: 1."


def test_progress_shows_while_it_runs_and_goes_away_after(unhurried, model):
    program = unhurried
    panel = program.window.model.run
    assert not panel.bar.isVisible()
    model.hold.set()
    program.key("b", CTRL)
    program.until(lambda: panel.bar.isVisible())
    model.let_through()
    program.until(lambda: panel.line.text() == "1 of 3 images")
    assert (panel.bar.value(), panel.bar.maximum()) == (1, 3)
    model.let_through()
    program.until(lambda: panel.line.text().startswith("2 of 3 images"))
    model.release.set()
    program.until(lambda: not panel.bar.isVisible())


def test_the_time_left_is_told_from_the_second_image_on(start, folder):
    # So many that the time two of them took says something of the rest until it is painted.
    for number in range(150):
        write_picture(folder / "more" / f"{number}.png", 8, 8)
    program = start()
    program.open(folder)
    program.until(lambda: len(program.session.image_ids) == 153)
    program.canvas.setFocus()
    program.key("b", CTRL)
    line = program.window.model.run.line
    program.until(lambda: line.text().endswith(" left"))
    done = int(line.text().partition(" of 153 images, ")[0])
    assert 2 <= done < 153
    program.key(".", CTRL)
    program.until(lambda: finished(program))


def by_button(program):
    (button,) = (
        b for b in program.window.model.findChildren(QAbstractButton) if b.text() == "Cancel"
    )
    assert button.isVisible()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def by_ctrl_full_stop(program):
    program.key(".", CTRL)


@pytest.mark.parametrize("cancel", [by_button, by_ctrl_full_stop])
def test_cancelling_ends_the_run_and_says_how_far_it_came(unhurried, model, cancel):
    program = unhurried
    model.hold.set()
    program.key("b", CTRL)
    model.let_through()
    program.until(lambda: len(model.calls) == 2)
    cancel(program)
    program.until(lambda: finished(program))
    assert program.said == "Stopped: 1 of 3 images pre-annotated."
    assert counts(program) == ["2", "", ""]
    assert not program.window.verbs["cancel"].isEnabled()


def test_one_goes_on_working_while_the_folder_runs(program, model):
    model.hold.set()
    program.key("b", CTRL)
    program.until(model.started.is_set)
    program.key("d")
    program.until(lambda: program.shows("b.png"))
    program.key("p")
    for point in ((2, 50), (12, 50), (7, 62)):
        program.hand.click(point)
    program.key(Qt.Key.Key_Return)
    (drawn,) = program.annotations
    model.release.set()
    program.until(lambda: finished(program))
    assert program.session.annotations[drawn.id] == drawn
    assert counts(program) == ["2", "3", "2"]
    assert program.session.selection == {drawn.id}


def test_a_damaged_image_shows_one_sentence_and_the_next_one_works(start, folder):
    (folder / "a.png").write_bytes((folder / "a.png").read_bytes()[:100])
    program = start()
    program.app.open_folder(folder)
    program.until(lambda: program.session.current is not None)
    program.canvas.setFocus()
    program.key("i")
    program.until(lambda: program.told)
    assert len(program.told) == 1
    assert "a.png is damaged" in program.said
    assert not program.canvas.has_image

    program.key("d")
    program.until(lambda: program.shows("b.png"))
    program.key("i")
    program.until(lambda: len(program.annotations) == 2)


def test_damaged_images_among_good_ones_are_listed_on_demand(start, folder):
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes((folder / name).read_bytes()[:100])
    program = start()
    program.app.open_folder(folder)
    program.until(lambda: len(program.session.image_ids) == 3)
    program.canvas.setFocus()
    program.key("b", CTRL)
    program.until(lambda: program.told)
    assert (
        program.said == "2 of 3 images failed; the others are done. Show list"[: len(program.said)]
    )
    assert len(program.told[0].details) == 2
    (show,) = (b for b in program.buttons_of(program.bar) if b.text() == "Show list")
    QTest.mouseClick(show, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    assert "a.png is damaged" in program.said
    assert "b.png is damaged" in program.said


@pytest.fixture
def without_model(start, folder):
    """The program, which finds no model."""

    def load(name):
        raise UserError(f"There is no model {name!r}.")

    program = start(load)
    program.open(folder)
    program.canvas.setFocus()
    return program


@pytest.mark.parametrize("keys", [("i",), ("b", CTRL)], ids=["the image", "the folder"])
def test_a_model_that_cannot_be_loaded_gives_one_sentence_that_stays(without_model, keys):
    program = without_model
    program.key(*keys)
    program.until(lambda: program.told and finished(program))
    assert [n.text for n in program.told] == ["There is no model 'nuclei'."]
    assert program.said == "There is no model 'nuclei'."


def test_a_model_file_that_is_none_leaves_the_model_before(
    start, folder, tmp_path, model, monkeypatch
):
    """The person chooses a pickle; one sentence says why not, and the old model goes on."""
    pickle = tmp_path / "weights.safetensors"
    pickle.write_bytes(b"\x80\x04.")

    def load(name):
        if name != "nuclei":
            raise UserError(f"{name} is a pickle; use a model in .safetensors form.")
        return model

    program = start(load)
    program.open(folder)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(pickle), ""))
    program.window.verbs["choose_model"].trigger()
    program.until(lambda: program.told)
    assert program.problems == [f"{pickle} is a pickle; use a model in .safetensors form."]

    program.canvas.setFocus()
    program.key("i")
    program.until(lambda: len(program.annotations) == 2)
    assert len(program.told) == 1
    assert program.window.model.choice.currentText() == "Cell nuclei"
    program.close()
    assert "weights" not in (tmp_path / "settings.json").read_text()


def test_a_model_that_was_chosen_is_used_and_remembered(
    start, folder, tmp_path, monkeypatch, model
):
    chosen = tmp_path / "cells.safetensors"
    chosen.touch()
    names = []

    def load(name):
        names.append(name)
        return model

    program = start(load)
    program.open(folder)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(chosen), ""))
    program.window.verbs["choose_model"].trigger()
    choice = program.window.model.choice
    program.until(lambda: choice.currentText().startswith("cells"))
    assert names == [str(chosen)]
    assert str(chosen).replace("\\", "\\\\") in (tmp_path / "settings.json").read_text()


def test_the_device_is_shown_once_the_model_is_loaded(predicted):
    device = predicted.window.status.device
    assert device.text() == "CPU, 1 thread"
    assert device.toolTip() == "CPU, 1 thread (a test)"
