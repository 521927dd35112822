"""What to label next: an order of the list with its reasons; and what the model disagrees with."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from maskstudio.annotation.annotation import ImageState
from maskstudio.annotation.findings import TITLES, FindingKind
from maskstudio.ui.panels.image_row import WHY_ROLE
from maskstudio.ui.panels.quality import QualityPanel
from maskstudio.ui.panels.queue_bar import QueueBar
from support.fakes import disc_detections
from support.hand import CTRL, LEFT, SHIFT
from support.program import Program

NAMES = ["a.png", "b.png", "sub/c.png"]


@pytest.fixture
def unsure(program: Program, model) -> Program:
    """The program with a model that is in doubt about the square pictures, and sure of `a.png`."""

    def detect(size):
        if size == (80, 100):
            return disc_detections(size, [(10, 10, 30, 30)], [0.99])
        return disc_detections(size, scores=(0.55, 0.5, 0.45))

    model.detect = detect
    model.looks = lambda size: np.array([1.0, 0.0] if size[0] == 80 else [0.0, 1.0], np.float32)
    return program


def choose_order(program: Program, words: str) -> None:
    button = program.window.images.filter.sorting
    menu: QMenu = button.menu()
    menu.popup(button.mapToGlobal(button.rect().bottomLeft()))
    (action,) = (a for a in menu.actions() if a.text() == words)
    QTest.mouseClick(menu, LEFT, pos=menu.actionGeometry(action).center())


def bar(program: Program) -> QueueBar:
    found = program.window.findChild(QueueBar)
    assert isinstance(found, QueueBar)
    return found


def ordered(program: Program) -> None:
    program.until(lambda: program.window.findChild(QueueBar))
    program.until(lambda: bar(program).button.text() == "Renew" and program.session.order.queue)


def rows(program: Program, role=Qt.ItemDataRole.DisplayRole) -> list[str]:
    model = program.window.images.list.model()
    return [model.index(row, 0).data(role) for row in range(model.rowCount())]


def test_nothing_of_it_is_there_until_somebody_wants_it(program):
    assert program.window.findChild(QueueBar) is None
    assert rows(program, WHY_ROLE) == ["", "", ""]


def test_the_order_is_in_the_menu_of_the_list_with_the_reason_on_each_row(unsure):
    height = unsure.window.images.list.sizeHintForRow(0)
    choose_order(unsure, "What teaches most")
    ordered(unsure)
    # The last two are the same picture.
    assert rows(unsure) == ["b.png", "a.png", "sub/c.png"]
    reasons = rows(unsure, WHY_ROLE)
    assert reasons[0].startswith("3 doubtful")
    assert reasons[2] == "looks like b.png"
    tip = rows(unsure, Qt.ItemDataRole.ToolTipRole)[0]
    assert "Place 1 of what to label next" in tip
    assert "Score near the threshold: 3" in tip
    heard = rows(unsure, Qt.ItemDataRole.AccessibleTextRole)[0]
    assert reasons[0] in heard
    assert unsure.window.images.list.sizeHintForRow(0) > height
    assert bar(unsure).said.text() == "3 images, what teaches most first."
    # By name again there are no reasons, and no bar.
    choose_order(unsure, "Name")
    assert rows(unsure) == NAMES
    assert rows(unsure, WHY_ROLE) == ["", "", ""]
    assert bar(unsure).isHidden()
    assert unsure.window.images.list.sizeHintForRow(0) == height


def test_by_its_key_and_verified_images_go_to_the_end(unsure):
    unsure.key("a", CTRL | SHIFT, unsure.canvas)
    ordered(unsure)
    assert "Teaching" in unsure.window.images.filter.sorting.text()
    first, second, last = rows(unsure)
    assert unsure.shows("a.png") != unsure.shows(first)
    # What comes first is known now, and one key away.
    unsure.key("a", CTRL | SHIFT, unsure.canvas)
    unsure.until(lambda: unsure.shows(first))
    unsure.key(Qt.Key.Key_Space)
    unsure.until(lambda: unsure.shows(second))
    assert rows(unsure) == [second, last, first]
    assert rows(unsure, WHY_ROLE)[-1] == ""
    # Undone it is back in its place.
    unsure.key("z", CTRL)
    unsure.until(lambda: unsure.session.record(unsure.image(first)).state is ImageState.NEW)
    unsure.show(second)
    assert rows(unsure) == [first, second, last]


def test_it_can_be_stopped_and_renewed(unsure, model):
    model.hold.set()
    choose_order(unsure, "What teaches most")
    unsure.until(lambda: unsure.window.findChild(QueueBar) and model.started.is_set())
    unsure.until(lambda: "of 3 images" in bar(unsure).said.text())
    assert bar(unsure).button.text() == "Stop"
    # What a person asks of the model meanwhile is done first.
    model.hold.clear()
    unsure.until(lambda: bar(unsure).button.text() == "Renew")
    calls = len(model.calls)
    QTest.mouseClick(bar(unsure).button, LEFT)
    ordered(unsure)
    assert len(model.calls) == calls


def test_without_an_open_image_left_it_says_so(unsure):
    for _ in NAMES:
        unsure.key(Qt.Key.Key_Space, on=unsure.canvas)
        unsure.until(lambda: unsure.canvas.has_image)
    assert all(unsure.session.record(i).state is ImageState.EMPTY for i in unsure.session.image_ids)
    choose_order(unsure, "What teaches most")
    unsure.until(lambda: unsure.window.findChild(QueueBar))
    unsure.until(lambda: bar(unsure).said.text() == "No image is left to be labelled.")


def test_the_model_is_asked_about_verified_work_and_a_click_goes_there(unsure, model):
    unsure.key("i", on=unsure.canvas)
    unsure.until(lambda: unsure.annotations and not unsure.app.annotator.running)
    unsure.key(Qt.Key.Key_Space, on=unsure.canvas)
    unsure.until(lambda: unsure.shows("b.png"))
    model.model_id = "another"
    both = [(10, 10, 30, 30), (60, 40, 90, 70)]
    model.detect = lambda size: disc_detections(size, both, (0.99, 0.98), "another")
    unsure.window.verbs["audit"].trigger()
    unsure.until(lambda: unsure.window.findChild(QualityPanel))
    page = unsure.window.findChild(QualityPanel)
    missed = f"{TITLES[FindingKind.MISSED]}  (1)"

    def listed() -> list[str]:
        return [page.rows.index(n, 0).data() for n in range(page.rows.rowCount())]

    unsure.until(lambda: missed in listed() and page.ask.text() == "Ask the model")
    heading = page.rows.index(listed().index(missed), 0)
    row = page.rows.index(0, 0, heading)
    assert row.data() == "The model is 98 % sure of cell here; nothing is labelled."
    page.list.scrollTo(row)
    QTest.mouseClick(page.list.viewport(), LEFT, pos=page.list.visualRect(row).center())
    unsure.until(lambda: unsure.shows("a.png"))
