"""A hand on the rows of the list of categories: real events, at the places of rows and signs."""

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QInputDialog, QMenu, QPushButton

from maskstudio.session import category_operations
from support.hand import LEFT, NONE
from support.outlines import HOLED, SQUARE, put

NAMES = ["object", "bee", "cat", "dog"]
SIGN = 24  # points from one sign of a row to the next


def the_list(program):
    return program.window.categories.list


def names(program):
    return [c.name for c in program.session.categories]


def shown(program):
    rows = the_list(program)
    texts = [rows.item(row).text() for row in range(rows.count())]
    return [text.strip() for text in texts]


def hidden(program):
    return [c.name for c in program.session.categories if c.hidden]


def place(program, row):
    rows = the_list(program)
    return rows.visualItemRect(rows.item(row)).center()


def sign(program, row, number):
    """Return where a sign of a row is clicked: 1 is the eye, 2 the pencil."""
    rows = the_list(program)
    box = rows.visualItemRect(rows.item(row))
    return QPoint(box.right() - round((number - 0.5) * SIGN), box.center().y())


def edge(program, row, *, above):
    rows = the_list(program)
    box = rows.visualItemRect(rows.item(row))
    return QPoint(box.center().x(), box.top() + 2 if above else box.bottom() - 2)


def click(program, at, held=NONE):
    view = the_list(program).viewport()
    QTest.mouseMove(view, at)
    QTest.mouseClick(view, LEFT, held, at)


def move(view, at):
    """Move the mouse with the button down: Qt's own helper forgets the button."""
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(at),
        QPointF(view.mapToGlobal(at)),
        Qt.MouseButton.NoButton,
        LEFT,
        NONE,
    )
    QApplication.sendEvent(view, event)


def drag(program, row, *stops):
    view = the_list(program).viewport()
    QTest.mousePress(view, LEFT, NONE, place(program, row))
    for stop in stops:
        move(view, stop)
    QTest.mouseRelease(view, LEFT, NONE, stops[-1])


def menu_of(program, row):
    rows = the_list(program)
    at = place(program, row)
    reason = QContextMenuEvent.Reason.Mouse
    event = QContextMenuEvent(reason, at, rows.viewport().mapToGlobal(at))
    QApplication.sendEvent(rows.viewport(), event)
    program.until(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    return QApplication.activePopupWidget()


def choose(menu, words):
    (action,) = (a for a in menu.actions() if a.text().split("\t")[0] == words)
    assert action.isEnabled()
    QTest.mouseClick(menu, LEFT, pos=menu.actionGeometry(action).center())


def come_back(program):
    program.window.activateWindow()
    program.until(program.window.isActiveWindow)


def question(program):
    program.until(lambda: program.dialogs())
    (dialog,) = (d for d in program.dialogs() if isinstance(d, QInputDialog))
    return dialog


def answer(program, name, button):
    dialog = question(program)
    (box,) = dialog.findChildren(QComboBox)
    while box.currentText() != name:
        QTest.keyClick(box, Qt.Key.Key_Down)
    (push,) = (b for b in dialog.findChildren(QPushButton) if b.text().replace("&", "") == button)
    QTest.mouseClick(push, LEFT)
    program.until(lambda: not program.session.writing)
    come_back(program)


def with_categories(program):
    """Draw a square of `object` and a holed one of `bee`; cat and dog are unused."""
    put(program.session, SQUARE)
    for name in NAMES[1:]:
        category_operations.add_category(program.session, name)
    put(program.session, HOLED)
    program.session.select([next(reversed(program.session.annotations))])
    program.key("2")
    program.session.select(())
    program.canvas.setFocus()
    return program
