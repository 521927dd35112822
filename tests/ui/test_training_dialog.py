"""Train from the window: what would be learned from, what stands in the way, what is decided."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QComboBox

from maskstudio.session import operations
from maskstudio.ui.dialogs.training import TrainingDialog
from support.outlines import HOLED, SQUARE, put
from support.training import end_all
from ui.test_access import nameless, unreachable


def opened(program, kind=TrainingDialog):
    """The dialog or page of a kind, once it is there."""
    program.until(lambda: any(isinstance(d, kind) for d in program.dialogs()))
    (found,) = (d for d in program.dialogs() if isinstance(d, kind))
    return found


def ask(program):
    program.window.verbs["train"].trigger()
    return opened(program)


def verify(program, *names):
    for name in names:
        program.show(name)
        put(program.session, SQUARE if name == "a.png" else HOLED)
        operations.verify(program.session)


def known(program, dialog):
    """Wait until it is known how long it would take."""
    program.until(lambda: "step" in dialog.estimate.text())


def enter(program, field, text):
    """Type something else into a field and leave it."""
    field.setFocus()
    (field.lineEdit() if isinstance(field, QAbstractSpinBox | QComboBox) else field).selectAll()
    program.type(text)
    QTest.keyClick(field, Qt.Key.Key_Tab)


def click(button):
    assert button.isVisible()
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.fixture(autouse=True)
def _ended(start):
    yield
    end_all()


@pytest.fixture
def dialog(program):
    verify(program, "a.png", "b.png")
    shown = ask(program)
    known(program, shown)
    return shown


def test_without_verified_images_it_says_what_to_do(start, folder):
    program = start()
    (button,) = (b for b in program.buttons_of(program.window) if b.text() == "Train")
    assert not button.isEnabled()
    program.open(folder)
    program.until(button.isEnabled)
    click(button)
    dialog = opened(program)
    program.until(lambda: "Verify some images first" in dialog.data.words.text())
    assert not dialog.start.isEnabled()
    assert not dialog.estimate.isVisible()
    assert not dialog.data.list.isVisible()


def test_it_says_what_is_learned_from_and_how_long_it_takes(program, dialog):
    assert dialog.data.words.text().startswith("Learns from ")
    assert "Only 2 images are verified" in dialog.data.cautions.text()
    row = dialog.data.list.topLevelItem(0)
    assert int(row.text(1)) + int(row.text(2)) == 2
    assert dialog.start.isEnabled()
    assert dialog.estimate.text() == "10 steps on CPU, a test: about 10 min."
    dialog.length.setFocus()
    QTest.keyClick(dialog.length, Qt.Key.Key_Home)
    assert dialog.estimate.text() == "4 steps on CPU, a test: about 4 min."
    assert dialog.choice.iterations == 4
    assert dialog.name.text() == "images"
    dialog.name.setFocus()
    dialog.name.selectAll()
    program.type("nuclei")
    assert "already" in dialog.said.text()
    assert not dialog.start.isEnabled()


def test_what_is_folded_away_says_what_the_data_gives_and_can_be_decided(program, dialog):
    assert not dialog.advanced.isVisible()
    assert dialog.choice.init == program.app.annotator.model_name
    click(dialog.fold)
    assert nameless(dialog) == []
    assert unreachable(dialog) == []
    crop = dialog.advanced.numbers["crop"]
    assert crop.text() == "from the data: 320"
    assert dialog.advanced.anchors.placeholderText() == "from the data: 8,16"
    enter(program, crop, "256")
    # The question is asked anew: a smaller view takes less time.
    program.until(lambda: "Finding out" in dialog.estimate.text())
    known(program, dialog)
    assert dialog.choice.options == {"crop": "256"}
    enter(program, dialog.advanced.numbers["iterations"], "33")
    assert dialog.choice.iterations == 33
    assert not dialog.length.isEnabled()
    enter(program, dialog.advanced.network, "maskrcnn_resnet18_fpn")
    assert dialog.choice.init == "maskrcnn_resnet18_fpn"


def test_it_follows_what_is_verified_and_goes_with_the_folder(program, dialog, tmp_path, folder):
    program.window.activateWindow()
    program.until(program.window.isActiveWindow)
    program.show("sub/c.png")
    operations.verify(program.session)
    dialog.activateWindow()
    program.until(lambda: "Only 3 images" in dialog.data.cautions.text())
    other = tmp_path / "other"
    other.mkdir()
    (other / "z.png").write_bytes((folder / "a.png").read_bytes())
    program.app.open_folder(other)
    program.until(lambda: program.shows("z.png"))
    assert program.dialogs() == []
