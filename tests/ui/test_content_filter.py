"""The small window under the filter sign: by category, score and number, and the sorting."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from maskstudio.session import category_operations, operations
from support.hand import CTRL, LEFT
from support.outlines import HOLED, SQUARE

ALL = ["a.png", "b.png", "sub/c.png"]


@pytest.fixture
def drawn(program):
    """Cat and dog on `a.png`, a cat on `b.png`."""
    session = program.session
    for name in ("cat", "dog"):
        category_operations.add_category(session, name)
    operations.draw(session, SQUARE, 1)
    operations.draw(session, HOLED, 2)
    program.show("b.png")
    operations.draw(session, SQUARE, 1)
    program.show("a.png")
    program.canvas.setFocus()
    return program


def rows(program):
    model = program.window.images.list.model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def open_filter(program):
    QTest.mouseClick(program.window.images.filter.content, LEFT)
    (popup,) = program.dialogs()
    return popup


def pick(box, words):
    """Walk through a box with the arrow keys until it shows the words."""
    texts = [box.itemText(n) for n in range(box.count())]
    box.setFocus()
    way = Qt.Key.Key_Down if texts.index(words) > box.currentIndex() else Qt.Key.Key_Up
    while box.currentText() != words:
        QTest.keyClick(box, way)


def type_number(box, text):
    box.selectAll()
    QTest.keyClicks(box, text)
    QTest.keyClick(box, Qt.Key.Key_Tab)


def test_it_fits_the_panel(drawn):
    popup = open_filter(drawn)
    assert popup.width() <= 230
    assert popup.sizeHint().width() <= 230


def test_images_with_one_category_and_without_another(drawn):
    popup = open_filter(drawn)
    pick(popup.having, "cat")
    assert rows(drawn) == ["a.png", "b.png"]
    pick(popup.lacking, "dog")
    assert rows(drawn) == ["b.png"]
    assert "with cat, without dog" in drawn.window.images.filter.content.toolTip()
    assert "1 of 3 shown" in drawn.text_of(drawn.window.images)
    QTest.mouseClick(popup.clear, LEFT)
    assert rows(drawn) == ALL
    assert popup.having.currentText() == "any category"


def test_by_number(drawn):
    popup = open_filter(drawn)
    type_number(popup.fewest, "1")
    assert rows(drawn) == ["a.png", "b.png"]
    type_number(popup.most, "1")
    assert rows(drawn) == ["b.png"]
    assert "1 to 1 annotations" in drawn.window.images.filter.content.toolTip()


def test_by_score(program):
    program.key("b", CTRL)
    program.until(lambda: program.said and not program.app.annotator.running)
    program.show("b.png")
    operations.verify(program.session)
    program.show("a.png")
    popup = open_filter(program)
    assert not popup.value.isEnabled()
    pick(popup.score, "lowest below")
    type_number(popup.value, "0.7")
    assert rows(program) == ["a.png", "sub/c.png"]
    type_number(popup.value, "0.5")
    assert rows(program) == []
    assert "lowest below 0.50" in program.window.images.filter.content.toolTip()


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_Return])
def test_keys_close_it_and_the_filter_stays(drawn, key):
    popup = open_filter(drawn)
    pick(popup.having, "dog")
    QTest.keyClick(popup.having, key)
    assert not popup.isVisible()
    assert rows(drawn) == ["a.png"]
    again = open_filter(drawn)
    assert again.having.currentText() == "dog"


def test_a_filter_for_a_category_that_goes_is_dropped(drawn):
    bird = category_operations.add_category(drawn.session, "bird")
    popup = open_filter(drawn)
    pick(popup.having, "bird")
    popup.close()
    assert rows(drawn) == []
    category_operations.delete_category(drawn.session, bird.id)
    assert rows(drawn) == ALL
    assert drawn.window.images.filter.content.toolTip().startswith("Images by")


def test_another_folder_is_shown_whole(drawn, folder):
    popup = open_filter(drawn)
    pick(popup.having, "dog")
    popup.close()
    drawn.open(folder / "sub")
    drawn.until(lambda: rows(drawn) == ["c.png"])
    assert open_filter(drawn).having.currentText() == "any category"


def test_the_least_sure_come_first(program):
    program.key("b", CTRL)
    program.until(lambda: program.said and not program.app.annotator.running)
    menu = program.window.images.filter.sorting.menu()
    (action,) = (a for a in menu.actions() if a.text() == "Lowest score")
    operations.verify(program.session)
    action.trigger()
    assert rows(program) == ["b.png", "sub/c.png", "a.png"]
    assert program.window.images.filter.sorting.text() == "Score ↑"
