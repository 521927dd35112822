"""Colours of the window: light, dark, or as the system has it."""

import os
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPalette
from PySide6.QtWidgets import QApplication

from maskstudio.annotation.annotation import ImageState
from maskstudio.storage.settings import ThemeName

# qtawesome asks qtpy for the binding; without this it would look for others first.
os.environ.setdefault("QT_API", "pyside6")
import qtawesome


@dataclass(frozen=True)
class _Colours:
    window: str
    base: str
    canvas: str
    text: str
    faint: str
    line: str
    hover: str
    chosen: str
    accent: str


_LIGHT = _Colours(
    window="#f5f6f8",
    base="#ffffff",
    canvas="#d9dce1",
    text="#1d2127",
    faint="#68707c",
    line="#d5d8de",
    hover="#e6e9ef",
    chosen="#d6e4fb",
    accent="#1f6feb",
)
_DARK = _Colours(
    window="#24272c",
    base="#1b1d21",
    canvas="#131518",
    text="#e7e9ec",
    faint="#969da8",
    line="#3a3e45",
    hover="#31353c",
    chosen="#2c4264",
    accent="#5b9dff",
)

GOOD, BAD = "#1fa463", "#d64545"
"""Colours of what went well and of what failed."""

_SHEET = """
QToolBar {{ border: 0; border-bottom: 1px solid {line}; padding: 4px; spacing: 2px; }}
QToolBar#tools {{ border: 0; border-right: 1px solid {line}; padding: 4px 2px; }}
QToolButton {{ padding: 5px 9px; border-radius: 5px; border: 1px solid transparent; }}
QToolButton::menu-indicator {{ subcontrol-position: right center; right: 3px; }}
QToolButton:hover {{ background: {hover}; }}
QToolButton:checked {{ background: {hover}; border-color: {accent}; }}
QToolButton:disabled {{ color: {faint}; }}
QToolButton#primary {{ background: {accent}; color: {base}; font-weight: 600; }}
QToolButton#primary:disabled {{ background: {line}; color: {faint}; }}
QStatusBar {{ border-top: 1px solid {line}; }}
QStatusBar::item {{ border: 0; }}
QListView, QTreeView {{ border: 0; outline: 0; background: {base}; }}
QListView::item, QTreeView::item {{ padding: 3px 4px; }}
QListView::item:selected, QTreeView::item:selected {{ background: {chosen}; color: {text}; }}
QSplitter::handle {{ background: {line}; }}
QLabel#heading {{ font-weight: 600; }}
QLabel#faint {{ color: {faint}; }}
QProgressBar {{ border: 0; border-radius: 3px; background: {line}; max-height: 6px; }}
QProgressBar::chunk {{ border-radius: 3px; background: {accent}; }}
QMenuBar::item {{ padding: 4px 9px; }}
"""

_STATE_ICONS = {
    ImageState.NEW: ("mdi6.circle-outline", "#8a919c"),
    ImageState.PREDICTED: ("mdi6.dots-circle", "#4c8dff"),
    ImageState.EDITED: ("mdi6.circle-edit-outline", "#e08a00"),
    ImageState.VERIFIED: ("mdi6.check-circle", "#1fa463"),
    ImageState.EMPTY: ("mdi6.circle-off-outline", "#1fa463"),
    ImageState.SKIPPED: ("mdi6.minus-circle-outline", "#8a919c"),
}

STATE_WORDS = {
    ImageState.NEW: "new",
    ImageState.PREDICTED: "predicted, not yet checked",
    ImageState.EDITED: "edited",
    ImageState.VERIFIED: "verified",
    ImageState.EMPTY: "verified: nothing on it",
    ImageState.SKIPPED: "skipped",
}
"""What each state is called in the window."""


def apply_theme(application: QApplication, name: ThemeName) -> None:
    """Colour the whole program."""
    colours = _DARK if is_dark(name) else _LIGHT
    application.setStyle("Fusion")
    application.setPalette(_palette(colours))
    application.setStyleSheet(_SHEET.format(**vars(colours)))
    qtawesome.reset_cache()


def is_dark(name: ThemeName) -> bool:
    """Tell whether a theme is dark, asking the system where it decides."""
    if name is ThemeName.SYSTEM:
        return QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
    return name is ThemeName.DARK


def icon(name: str) -> QIcon:
    """Return an icon in the colour of text."""
    palette = QGuiApplication.palette()
    made: QIcon = qtawesome.icon(
        name,
        color=palette.text().color().name(),
        color_disabled=palette.placeholderText().color().name(),
    )
    return made


def icon_on_accent(name: str) -> QIcon:
    """Return an icon for a button filled with the accent colour."""
    made: QIcon = qtawesome.icon(name, color=QGuiApplication.palette().base().color().name())
    return made


def state_icon(state: ImageState) -> QIcon:
    """Return the icon of an image state; shapes differ, not only colours."""
    name, colour = _STATE_ICONS[state]
    made: QIcon = qtawesome.icon(name, color=colour)
    return made


def good_icon() -> QIcon:
    """Return the sign of something that went well."""
    made: QIcon = qtawesome.icon("mdi6.check-circle", color=GOOD)
    return made


def problem_icon() -> QIcon:
    """Return the sign of something that failed."""
    made: QIcon = qtawesome.icon("mdi6.alert-circle", color=BAD)
    return made


def _palette(colours: _Colours) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for roles, colour in (
        ((role.Window, role.Button), colours.window),
        ((role.Base, role.AlternateBase, role.ToolTipBase), colours.base),
        ((role.Dark,), colours.canvas),
        ((role.Text, role.WindowText, role.ButtonText, role.ToolTipText), colours.text),
        ((role.PlaceholderText,), colours.faint),
        ((role.Mid, role.Midlight), colours.line),
        ((role.Highlight, role.Link), colours.accent),
        ((role.HighlightedText,), "#ffffff"),
    ):
        for one in roles:
            palette.setColor(one, QColor(colour))
    for one in (role.Text, role.WindowText, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, one, QColor(colours.faint))
    return palette
