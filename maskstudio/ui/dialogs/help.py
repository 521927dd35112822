"""The sheet of keys and gestures, and what the program is."""

from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QSize, Qt
from PySide6.QtGui import QPageSize, QPdfWriter, QTextDocument
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from maskstudio import __version__
from maskstudio.errors import UserError
from maskstudio.storage.files import replaced_file
from maskstudio.ui.dialogs.gestures import GESTURES
from maskstudio.ui.key_table import GROUPS
from maskstudio.ui.keymap import Keymap

# Gestures tell of all of these at once.
_TOLD = ("category_", "nudge_", "offer_")
_SIZE = QSize(1040, 660)  # fits a screen of 1366 x 768 with its bars
_DPI = 150
_PRINTED_POINTS = 7.5
_LETTERS = 34  # about as many go into a line of the right half of a column

Row = tuple[str, str]


def sheet(keymap: Keymap, wanted: str = "") -> dict[str, list[Row]]:
    """Return (what, how) by group: the mouse first, then the keys as they are now.

    Args:
        keymap: the keys.
        wanted: only rows with these words in them, or in the name of their group.
    """
    groups: dict[str, list[Row]] = {group: [] for group in GROUPS}
    for group, what, how in GESTURES:
        groups.setdefault(group, []).append((what, keymap.fill(how)))
    for row in keymap.rows:
        keys = keymap.all_shown(row.name)
        if keys and not row.name.startswith(_TOLD):
            groups.setdefault(row.group, []).append((row.text, keys))
    words = wanted.casefold().split()
    found = {
        group: [row for row in rows if _has(words, (group, *row))] for group, rows in groups.items()
    }
    return {group: rows for group, rows in found.items() if rows}


class KeySheet(QDialog):
    """Lies beside the work: the window stays usable while it is open."""

    def __init__(self, keymap: Keymap, problem: Callable[[str], object], parent: QWidget) -> None:
        """Show keys; `problem` is given a sentence when the sheet cannot be written."""
        super().__init__(parent)
        self._problem = problem
        self.setWindowTitle("Keys and mouse")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(_SIZE)
        self._keymap = keymap
        self.field = QLineEdit(placeholderText="Find a key or what it does…")
        self.field.setAccessibleName("Find a key or what it does")
        self.field.setClearButtonEnabled(True)
        self._page = QTextBrowser()
        self._page.setAccessibleName("Keys and mouse")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        keep = buttons.addButton("Save as PDF…", QDialogButtonBox.ButtonRole.ActionRole)
        for button in buttons.findChildren(QPushButton):
            # Enter belongs to the field.
            button.setAutoDefault(False)
        column = QVBoxLayout(self)
        column.addWidget(self.field)
        column.addWidget(self._page)
        column.addWidget(buttons)
        self.field.textChanged.connect(self._show)
        keymap.changed.connect(self._show)
        keep.clicked.connect(self._ask_where)
        buttons.rejected.connect(self.close)
        self._show()

    def write_pdf(self, path: Path) -> None:
        """Write the whole sheet for printing, black on white.

        Raises:
            UserError: it cannot be written there.
        """
        whole = QBuffer()
        whole.open(QIODevice.OpenModeFlag.WriteOnly)
        writer = QPdfWriter(whole)
        writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
        writer.setResolution(_DPI)
        writer.setTitle("MaskStudio: keys and mouse")
        document = QTextDocument()
        font = document.defaultFont()
        font.setPointSizeF(_PRINTED_POINTS)
        document.setDefaultFont(font)
        document.setHtml(f"<h2>MaskStudio: keys and mouse</h2>{_html(sheet(self._keymap))}")
        document.print_(writer)
        with replaced_file(path) as beside:
            beside.write_bytes(whole.data().data())

    def _show(self) -> None:
        found = sheet(self._keymap, self.field.text())
        self._page.setHtml(_html(found) if found else "<p>Nothing of that kind.</p>")

    def _ask_where(self) -> None:
        name, _ = QFileDialog.getSaveFileName(
            self, "Save the sheet", "MaskStudio keys.pdf", "PDF (*.pdf)"
        )
        if not name:
            return
        try:
            self.write_pdf(Path(name))
        except UserError as error:
            self._problem(str(error))


def show_keys(keymap: Keymap, problem: Callable[[str], object], parent: QWidget) -> None:
    """Open the sheet, or bring it back to the front."""
    dialog = parent.findChild(KeySheet) or KeySheet(keymap, problem, parent)
    dialog.show()
    dialog.activateWindow()


def show_about(parent: QWidget) -> None:
    """Say what the program is and where its work lies."""
    QMessageBox.about(
        parent,
        "About MaskStudio",
        f"<b>MaskStudio {__version__}</b><p>Label images with editable Mask R-CNN outlines, export "
        "exact COCO JSON, retrain on the result.</p><p>Your work lies in the folder "
        "<code>.maskstudio</code> beside the images.</p><p>Apache-2.0</p>",
    )


def _has(words: Iterable[str], texts: Iterable[str]) -> bool:
    whole = " ".join(texts).casefold()
    return all(word in whole for word in words)


def _html(groups: dict[str, list[Row]]) -> str:
    """Return two columns of about the same height."""
    heights = {
        group: 2 + sum(1 + len(how) // _LETTERS for _, how in rows)
        for group, rows in groups.items()
    }
    columns: list[list[str]] = [[], []]
    so_far = 0
    for group, rows in groups.items():
        # To the left as long as at least half of the group still belongs there.
        right = so_far + heights[group] / 2 > sum(heights.values()) / 2
        columns[right].append(_table(group, rows))
        so_far += heights[group]
    cells = "".join(
        f"<td width='50%' style='padding-right:20px'>{''.join(tables)}</td>"
        for tables in columns
        if tables
    )
    return f"<table width='100%'><tr>{cells}</tr></table>"


def _table(title: str, rows: list[Row]) -> str:
    cells = "".join(
        f"<tr><td width='45%' style='padding:2px 14px 2px 0'>{escape(what)}</td>"
        f"<td style='padding:2px 0'>{escape(how)}</td></tr>"
        for what, how in rows
    )
    return f"<h3>{escape(title)}</h3><table width='100%'>{cells}</table>"
