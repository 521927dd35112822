"""The window: opening folders, the list, panels, theme, what is kept, what is said."""

import subprocess
import sys
import textwrap

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox, QToolBar

from maskstudio.annotation.annotation import ImageState
from maskstudio.ui.notifications import Level
from maskstudio.ui.panels.images import COUNT_ROLE
from maskstudio.ui.theme import state_icon
from support.hand import CTRL, SHIFT
from support.outlines import SQUARE, put
from support.pictures import write_picture

READ_ROLE = Qt.ItemDataRole.ToolTipRole


def rows(program, role=Qt.ItemDataRole.DisplayRole):
    model = program.window.images.model
    return [model.data(model.index(row), role) for row in range(model.rowCount())]


def listed(program, *names):
    """Wait until the list of images holds exactly these."""
    program.until(lambda: rows(program) == list(names))


# Opening


def test_without_a_folder_the_window_says_how_to_open_one(start):
    program = start()
    assert program.window.windowTitle() == "MaskStudio"
    assert rows(program) == []
    for name in ("predict", "predict_folder", "verify", "undo", "export"):
        assert not program.window.verbs[name].isEnabled()
    program.key("i")
    program.key(Qt.Key.Key_Space)
    assert program.told == []


def test_a_folder_is_listed_and_its_first_image_shown(program):
    listed(program, "a.png", "b.png", "sub/c.png")
    assert program.shows("a.png")
    assert program.window.windowTitle() == "images - MaskStudio"
    assert program.window.status.saved.text() == "saved"


def test_ctrl_u_asks_for_the_folder(start, folder, monkeypatch):
    program = start()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    program.key("u", CTRL)
    program.until(lambda: program.shows("a.png"))


@pytest.mark.parametrize("what", [".", "b.png"], ids=["a folder", "a file in it"])
def test_a_folder_is_opened_by_dropping(start, folder, what):
    program = start()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(folder / what))])
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    entered = QDragEnterEvent(QPoint(300, 300), copy, data, left, none)
    QApplication.sendEvent(program.window, entered)
    assert entered.isAccepted()
    dropped = QDropEvent(QPointF(300, 300), copy, data, left, none)
    QApplication.sendEvent(program.window, dropped)
    program.until(lambda: program.shows("a.png"))


def test_text_that_is_dropped_is_refused(start):
    program = start()
    data = QMimeData()
    data.setText("no file")
    entered = QDragEnterEvent(
        QPoint(300, 300),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    entered.ignore()
    QApplication.sendEvent(program.window, entered)
    assert not entered.isAccepted()


def test_a_folder_that_does_not_exist_leaves_the_one_that_is_open(program, tmp_path):
    program.app.open_folder(tmp_path / "nowhere")
    assert "is not a folder" in program.said
    assert program.shows("a.png")
    put(program.session, SQUARE)


def test_opening_another_folder_shows_that_one(program, tmp_path):
    put(program.session, SQUARE)
    write_picture(tmp_path / "other" / "z.png", 30, 40)
    program.app.open_folder(tmp_path / "other")
    program.until(lambda: program.shows("z.png"))
    listed(program, "z.png")
    assert program.annotations == []
    assert program.window.windowTitle() == "other - MaskStudio"


def test_opening_the_same_folder_again_finds_new_images(program, folder, answer):
    asked = answer(QMessageBox.StandardButton.No)
    put(program.session, SQUARE)
    write_picture(folder / "d.png", 20, 20)
    program.app.open_folder(folder)
    assert asked == []
    listed(program, "a.png", "b.png", "d.png", "sub/c.png")
    put(program.session, SQUARE)
    assert program.told == []


def test_a_folder_without_images_says_so(start, tmp_path):
    program = start()
    (tmp_path / "empty").mkdir()
    program.app.open_folder(tmp_path / "empty")
    program.until(lambda: program.told)
    assert "holds no images" in program.said


def test_the_first_image_shown_is_the_first_unfinished(start, folder):
    first = start()
    first.open(folder)
    first.canvas.setFocus()
    first.key(Qt.Key.Key_Space)
    first.close()
    second = start()
    second.open(folder)
    assert second.shows("b.png")


def test_a_folder_that_goes_away_refuses_the_next_edit_with_a_sentence(program, folder):
    put(program.session, SQUARE)
    folder.rename(folder.with_name("elsewhere"))
    program.hand.drag((40, 40), (50, 50))
    assert "is no longer where it was opened" in program.said
    assert program.annotations[0].segmentation == SQUARE
    folder.with_name("elsewhere").rename(folder)
    program.hand.drag((40, 40), (50, 50))
    assert program.annotations[0].segmentation != SQUARE


# A second window


@pytest.fixture
def held(start, folder):
    """A folder that another process has open; in it an annotation on `a.png`."""
    first = start()
    first.open(folder)
    put(first.session, SQUARE)
    first.close()
    holder = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from maskstudio.storage.opening import open_project

        with open_project(Path(sys.argv[1])):
            print("open", flush=True)
            sys.stdin.read()
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "open\n"
        yield folder
        process.communicate("")


@pytest.fixture
def answer(qapp):
    """Return what presses a button of every question; it gives the questions asked."""
    timer = QTimer(interval=10)

    def begin(button):
        asked = []

        def press():
            question = QApplication.activeModalWidget()
            if isinstance(question, QMessageBox):
                asked.append(question.text())
                QTest.mouseClick(question.button(button), Qt.MouseButton.LeftButton)

        timer.timeout.connect(press)
        timer.start()
        return asked

    yield begin
    timer.stop()


def test_a_folder_that_is_open_elsewhere_can_be_read(start, held, answer):
    program = start()
    asked = answer(QMessageBox.StandardButton.Yes)
    program.open(held)
    assert "open in another window" in asked[0]
    assert program.window.status.saved.text() == "read only"
    assert [a.segmentation for a in program.annotations] == [SQUARE]

    program.hand.drag((40, 40), (50, 50))
    assert "open for reading only" in program.said
    program.canvas.setFocus()
    program.key(Qt.Key.Key_Delete)
    assert [a.segmentation for a in program.annotations] == [SQUARE]
    for name in ("predict", "predict_folder", "verify", "skip"):
        assert not program.window.verbs[name].isEnabled()
    assert program.window.verbs["export"].isEnabled()


def test_no_leaves_everything_as_it_was(start, held, tmp_path, answer):
    program = start()
    write_picture(tmp_path / "other" / "z.png", 30, 40)
    program.open(tmp_path / "other")
    answer(QMessageBox.StandardButton.No)
    program.app.open_folder(held)
    assert program.shows("z.png")
    assert program.window.windowTitle() == "other - MaskStudio"
    assert program.told == []


# The list of images


def test_the_list_tells_states_and_counts(predicted):
    assert rows(predicted, COUNT_ROLE) == ["2", "", ""]
    assert "predicted, not yet checked, 2 annotations" in rows(predicted, READ_ROLE)[0]
    predicted.window.verbs["look_ahead"].trigger()
    predicted.key(Qt.Key.Key_Space)
    predicted.key(Qt.Key.Key_Space)
    assert rows(predicted, COUNT_ROLE) == ["2", "0", ""]
    read = rows(predicted, Qt.ItemDataRole.AccessibleTextRole)
    assert read[0] == "a.png, verified, 2 annotations"
    assert read[1] == "b.png, verified: nothing on it, 0 annotations"
    assert "2 of 3 verified" in predicted.text_of(predicted.window.images)


def test_each_state_has_an_icon_of_its_own_shape(qapp):
    shapes = {
        state_icon(state).pixmap(16, 16).toImage().createAlphaMask().bits().tobytes()
        for state in ImageState
    }
    assert len(shapes) == len(ImageState)


def test_a_click_in_the_list_shows_the_image(program):
    images = program.window.images.list
    place = images.visualRect(images.model().index(2, 0)).center()
    QTest.mouseClick(images.viewport(), Qt.MouseButton.LeftButton, pos=place)
    program.until(lambda: program.shows("sub/c.png"))


def test_the_list_follows_the_image(program):
    program.key("d")
    program.until(lambda: program.shows("b.png"))
    assert program.window.images.list.currentIndex().row() == 1


def test_a_missing_image_is_marked_and_says_so_when_it_is_shown(start, folder):
    first = start()
    first.open(folder)
    first.close()
    (folder / "b.png").unlink()
    program = start()
    program.open(folder)
    program.until(lambda: program.session.missing)
    model = program.window.images.model
    assert not model.flags(model.index(1)) & Qt.ItemFlag.ItemIsEnabled
    assert "the file is missing" in rows(program, READ_ROLE)[1]


def test_the_list_is_a_sound_model(program, qtmodeltester):
    put(program.session, SQUARE)
    qtmodeltester.check(program.window.images.model)
    qtmodeltester.check(program.window.annotations.model)


# Panels, theme, what is kept


def test_f11_leaves_only_the_image_and_brings_all_back(program):
    window = program.window
    panels = [window.images, window.annotations, window.model, window.categories, window.status]
    panels += window.findChildren(QToolBar)
    before = window.canvas.size()
    program.key(Qt.Key.Key_F11)
    assert not any(panel.isVisible() for panel in panels)
    program.until(lambda: window.canvas.width() > before.width())
    assert window.canvas.height() > before.height()
    program.canvas.setFocus()
    program.key("d")
    program.until(lambda: program.shows("b.png"))
    program.key(Qt.Key.Key_F11)
    assert all(panel.isVisible() for panel in panels)
    program.until(lambda: window.canvas.size() == before)


def choose_theme(program, words):
    (menu,) = (a.menu() for a in program.window.menuBar().actions() if "View" in a.text())
    (themes,) = (a.menu() for a in menu.actions() if a.text() == "Theme")
    (action,) = (a for a in themes.actions() if a.text() == words)
    action.trigger()


def test_light_and_dark(program, start):
    def lightness():
        return QApplication.palette().window().color().lightness()

    choose_theme(program, "Dark")
    assert lightness() < 80
    assert not program.window.verbs["undo"].icon().isNull()
    choose_theme(program, "Light")
    assert lightness() > 180
    choose_theme(program, "Dark")
    program.close()

    again = start()
    assert lightness() < 80
    choose_theme(again, "System")


# What is said


def test_a_problem_stays_and_the_next_takes_its_place(program):
    program.app.notifications.problem("One failed.")
    assert program.said == "One failed."
    program.app.notifications.info("Another went well.")
    assert program.said == "Another went well."
    assert [n.level for n in program.told] == [Level.PROBLEM, Level.INFO]


def test_what_is_turned_on_and_easily_forgotten_stands_in_the_status_bar(program):
    said = program.window.status.modes
    assert said.text() == ""
    program.key("t")
    assert said.text() == "annotations hidden (T)"
    program.key("s", SHIFT)
    assert said.text() == "annotations hidden (T)  ·  borders shared (Shift+S)"
    program.key("t")
    program.key("s", SHIFT)
    assert said.text() == ""


def test_one_line_takes_no_more_room_than_one_line(program):
    program.app.notifications.info("Done.")
    low = program.bar.height()
    assert low < 3 * program.bar.fontMetrics().height()
    program.app.notifications.info("word " * 300)
    assert program.bar.height() > 2 * low


def test_what_is_said_does_not_take_the_keys(program):
    program.canvas.setFocus()
    program.app.notifications.problem("One failed.")
    assert program.focus() is program.canvas
    program.key("d")
    program.until(lambda: program.shows("b.png"))


def test_closing_the_window_ends_every_thread_though_the_model_is_at_work(start, folder, model):
    program = start()
    program.open(folder)
    program.canvas.setFocus()
    model.hold.set()
    program.key("b", CTRL)
    program.until(model.started.is_set)
    program.close()
    again = start()
    again.open(folder)
    assert again.window.status.saved.text() == "saved"
