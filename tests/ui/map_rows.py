"""A hand on the category map: real events, at the places of its rows and of what can be chosen."""

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from support.hand import LEFT, NONE

COLUMNS = ("The model's", "Found", "Goes to", "Score from")


def back(program):
    """Give the keys to the canvas."""
    program.window.activateWindow()
    program.until(program.window.isActiveWindow)
    program.canvas.setFocus()


def ask(program, key="i", held=NONE):
    back(program)
    program.key(key, held)
    program.until(lambda: program.dialogs() and not program.app.annotator.running)
    program.until(dialog(program).isActiveWindow)
    program.idle()
    return program


def dialog(program):
    (found,) = program.dialogs()
    return found


def table(program):
    return dialog(program).table


def row(program, name):
    """What a row tells, by its column; or the item itself."""
    return dict(zip(COLUMNS, (item(program, name).text(n) for n in range(4)), strict=True))


def item(program, name):
    (found,) = table(program).findItems(name, Qt.MatchFlag.MatchExactly)
    return found


def seen(program):
    """The names of the rows that can be seen, from the top."""
    view = table(program)
    items = [view.topLevelItem(n) for n in range(view.topLevelItemCount())]
    return [one.text(0) for one in items if not one.isHidden()]


def click(view, at, held=NONE):
    QTest.mouseClick(view.viewport(), LEFT, held, at)


def choose(program, name, held=NONE):
    """Click on a row."""
    view = table(program)
    view.scrollToItem(item(program, name))
    click(view, view.visualItemRect(item(program, name)).center(), held)


def choices(program):
    """What what is selected can be sent to, in words."""
    goals = dialog(program).goals.list
    return [goals.item(n).text() for n in range(goals.count())]


def send(program, words):
    """Click on where what is selected goes."""
    goals = dialog(program).goals.list
    (found,) = goals.findItems(words, Qt.MatchFlag.MatchExactly)
    goals.scrollToItem(found)
    click(goals, goals.visualItemRect(found).center())


def press(program, words):
    (button,) = (b for b in program.buttons_of(dialog(program)) if b.text() == words)
    QTest.mouseClick(button, LEFT)


def made(program):
    return [category.name for category in program.session.categories]


def standing(program):
    """Names of the categories of what stands on the image, best score first."""
    shown = sorted(program.annotations, key=lambda a: -a.score)
    return [program.session.category(a.category_id).name for a in shown]


def ready(program):
    program.until(lambda: program.annotations and not program.app.annotator.running)


def open_map(program):
    program.window.verbs["category_map"].trigger()
    program.until(dialog(program).isActiveWindow)
    program.idle()
