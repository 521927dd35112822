"""The sheet of keys and gestures, and what the program is."""

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QMessageBox,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from maskstudio import __version__

_GESTURES = (
    ("Select an annotation", "click; Ctrl+click adds; drag over empty ground takes all inside"),
    ("Move", "drag it"),
    ("Move by one pixel", "arrow keys; with Shift by ten"),
    ("Move a vertex", "drag it"),
    ("Insert a vertex", "drag an edge, Alt+click it, or double-click it"),
    ("Delete a vertex", "Alt+click or Shift+click it, or Backspace over it"),
    ("Close an outline", "click its first vertex, double-click, or Enter"),
    (
        "Draw a rectangle or an ellipse",
        "drag, or click two opposite corners; Shift: square or circle; Alt: from the centre",
    ),
    ("Draw freehand", "drag along the outline; letting go closes it"),
    ("Brush", "drag adds to the selected annotation or begins one; Ctrl+drag erases"),
    ("Wider or narrower brush", "wheel, or ] and [; Ctrl+wheel zooms"),
    ("Fill the hole under the brush", "H"),
    ("End what is brushed", "Enter or right-click: the next stroke begins another"),
    ("Cut", "drag a line right across what is selected, or across anything if nothing is"),
    ("Drop the last vertex", "Backspace, right-click or Ctrl+Z"),
    ("Cancel", "Esc"),
    ("Zoom", "wheel, with or without Ctrl; Shift+wheel goes sideways"),
    ("Pan", "middle button, or Space and drag; also in the middle of drawing"),
    ("Choose or change the category", "1 to 9, click it, or type a part of its name and Enter"),
    ("Rename a category", "double-click it, or F2; right-click for its colour and to delete it"),
)


def show_keys(parent: QWidget, keys: list[tuple[str, str]]) -> QDialog:
    """Open the sheet; the window stays usable."""
    dialog = QDialog(parent)
    dialog.setWindowTitle("Keys and mouse")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.resize(640, 680)
    page = QTextBrowser()
    page.setHtml(_table("Mouse", _GESTURES) + _table("Keys", keys))
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.close)
    column = QVBoxLayout(dialog)
    column.addWidget(page)
    column.addWidget(buttons)
    dialog.show()
    return dialog


def show_about(parent: QWidget) -> None:
    """Say what the program is and where its work lies."""
    QMessageBox.about(
        parent,
        "About MaskStudio",
        f"<b>MaskStudio {__version__}</b><p>Label images with editable Mask R-CNN outlines, export "
        "exact COCO JSON, retrain on the result.</p><p>Your work lies in the folder "
        "<code>.maskstudio</code> beside the images.</p><p>Apache-2.0</p>",
    )


def _table(title: str, rows: tuple[tuple[str, str], ...] | list[tuple[str, str]]) -> str:
    cells = "".join(
        f"<tr><td style='padding:3px 24px 3px 0'>{escape(what)}</td>"
        f"<td style='padding:3px 0'><b>{escape(how)}</b></td></tr>"
        for what, how in rows
    )
    return f"<h3>{title}</h3><table>{cells}</table>"
