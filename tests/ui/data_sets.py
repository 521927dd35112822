"""A hand that drops data sets on the window, and works the dialog that shows them."""

import json

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication

from maskstudio.ui.dialogs.import_data import ImportDataDialog
from support.hand import LEFT, NONE


def square(image_id, x, y, side=10, category=1, **more):
    ring = [x, y, x + side, y, x + side, y + side, x, y + side]
    return {
        "image_id": image_id, "category_id": category, "segmentation": [ring],
        "bbox": [x, y, side, side], "area": side * side, "iscrowd": 0, **more,
    }  # fmt: skip


def coco(path, images, annotations, categories=("dog", "cat")):
    """Write a COCO file; images are (name, width, height)."""
    value = {
        "images": [
            {"id": n, "file_name": name, "width": w, "height": h}
            for n, (name, w, h) in enumerate(images, 1)
        ],
        "categories": [{"id": n, "name": name} for n, name in enumerate(categories, 1)],
        "annotations": [a | {"id": n} for n, a in enumerate(annotations, 1)],
    }
    path.write_text(json.dumps(value))
    return path


def drop(program, path, on=None):
    """Drop a file or folder on the window, or on a part of it, as the mouse does."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    copy = Qt.DropAction.CopyAction
    entered = QDragEnterEvent(QPoint(30, 30), copy, data, LEFT, NONE)
    QApplication.sendEvent(on or program.window, entered)
    assert entered.isAccepted()
    dropped = QDropEvent(QPointF(30, 30), copy, data, LEFT, NONE)
    QApplication.sendEvent(on or program.window, dropped)


def imported(program, path):
    """Drop a data set and wait for its preview."""
    # What is found in the folder meanwhile is looked at too, and nothing can be pressed then.
    program.idle()
    drop(program, path)
    program.until(program.dialogs)
    dialog = find(program)
    program.until(dialog.preview.isVisible)
    program.until(dialog.isActiveWindow)
    return dialog


def find(program):
    (dialog,) = (d for d in program.dialogs() if isinstance(d, ImportDataDialog))
    return dialog


def told(dialog):
    """All that can be read in the dialog now."""
    return "\n".join(
        label.text() for label in dialog.findChildren(type(dialog.work.said)) if label.isVisible()
    )


def press(widget, words):
    (button,) = (
        b for b in widget.findChildren(QAbstractButton) if b.isVisible() and b.text() == words
    )
    assert button.isEnabled()
    QTest.mouseClick(button, LEFT)


def pick(combo, words):
    """Choose in a box with the keys."""
    combo.setFocus()
    QTest.keyClick(combo, Qt.Key.Key_Home)
    for _ in range(combo.findText(words, Qt.MatchFlag.MatchStartsWith)):
        QTest.keyClick(combo, Qt.Key.Key_Down)
    assert combo.currentText().startswith(words)


def run(program, dialog):
    press(dialog, "Import")
    program.until(lambda: dialog.undo.isVisible() or dialog.end.text() == "Close")


def count(program, name):
    return program.session.count(program.image(name))


def row(dialog, name):
    table = dialog.preview.categories.table
    (item,) = table.findItems(name, Qt.MatchFlag.MatchExactly)
    return item


def choose(dialog, name):
    table = dialog.preview.categories.table
    QTest.mouseClick(table.viewport(), LEFT, NONE, table.visualItemRect(row(dialog, name)).center())


def boxes_and_more(folder):
    """A COCO file: two squares on a.png, one on b.png; one image missing, one of another size."""
    images = [("a.png", 100, 80), ("b.png", 64, 64), ("lost.png", 9, 9), ("sub/c.png", 128, 128)]
    annotations = [
        square(1, 5, 5), square(1, 40, 40), square(2, 8, 8, category=2), square(3, 1, 1, 5),
        square(4, 20, 20, 40),
    ]  # fmt: skip
    return coco(folder / "boxes & more.json", images, annotations)
