"""Colours of the window: light, dark, or as the system has it."""

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPalette
from PySide6.QtWidgets import QApplication

from maskstudio.annotation.annotation import ImageState
from maskstudio.storage.settings import ThemeName
from maskstudio.ui.icons import drawn_icon


@dataclass(frozen=True)
class Colours:
    """The colours of a theme.

    Attributes:
        window: below panels and dialogs.
        base: below lists and fields.
        canvas: around the image.
        text: of what is read first.
        faint: of what is good to know, and of what cannot be used now.
        line: between things.
        edge: around what is typed in, ticked or pressed.
        hover: below the pointer.
        chosen: below what is selected in a list.
        accent: of the button that matters, of what has the focus, and of links.
        on_accent: of text on it.
        good: of what went well, and of images that are done.
        bad: of what failed.
        waiting: of images that are not done and of nobody's concern now.
        predicted: of images that wait for the person.
        edited: of images in work.
    """

    window: str
    base: str
    canvas: str
    text: str
    faint: str
    line: str
    edge: str
    hover: str
    chosen: str
    accent: str
    on_accent: str
    good: str
    bad: str
    waiting: str
    predicted: str
    edited: str


LIGHT = Colours(
    window="#f5f6f8",
    base="#ffffff",
    canvas="#d9dce1",
    text="#1d2127",
    faint="#565e69",
    line="#d5d8de",
    edge="#757c87",
    hover="#e6e9ef",
    chosen="#d6e4fb",
    accent="#1a5fd0",
    on_accent="#ffffff",
    good="#13804a",
    bad="#c93434",
    waiting="#6b7280",
    predicted="#2f6fe0",
    edited="#b06a00",
)
DARK = Colours(
    window="#24272c",
    base="#1b1d21",
    canvas="#131518",
    text="#e7e9ec",
    faint="#a9b0ba",
    line="#3a3e45",
    edge="#767d88",
    hover="#31353c",
    chosen="#2c4264",
    accent="#5b9dff",
    on_accent="#1b1d21",
    good="#2fbf78",
    bad="#f07070",
    waiting="#9aa1ac",
    predicted="#6aa2ff",
    edited="#f0a030",
)

_SHEET = """
QToolBar {{ border: 0; border-bottom: 1px solid {line}; padding: 4px; spacing: 2px; }}
QToolBar#tools {{ border: 0; border-right: 1px solid {line}; padding: 4px 2px; }}
QToolButton {{ padding: 5px 9px; border-radius: 5px; border: 1px solid transparent; }}
QToolButton::menu-indicator {{ subcontrol-position: right center; right: 3px; }}
QToolButton:hover {{ background: {hover}; }}
QToolButton:checked {{ background: {hover}; border-color: {accent}; }}
QToolButton#small {{ padding: 2px; }}
QStatusBar QToolButton {{ padding: 0 6px; border: 0; text-decoration: underline; }}
QPushButton#fold {{ border: 0; text-align: left; padding: 4px 6px; font-weight: 600; }}
QPushButton#fold:hover, QPushButton#fold:focus {{ background: {hover}; }}
QToolButton#qt_toolbar_ext_button {{ padding: 0; }}
QToolButton:disabled {{ color: {faint}; }}
QToolButton#primary {{ background: {accent}; color: {on_accent}; font-weight: 600; }}
QToolButton#primary:disabled {{ background: {line}; color: {faint}; }}
QStatusBar {{ border-top: 1px solid {line}; }}
QStatusBar::item {{ border: 0; }}
QListView, QTreeView, QTableView {{
    border: 1px solid {base}; outline: 0; background: {base};
}}
QListView:focus, QTreeView:focus, QTableView:focus {{ border-color: {accent}; }}
QListView::item, QTreeView::item {{ padding: 3px 4px; }}
QListView::item:selected, QTreeView::item:selected, QTableView::item:selected {{
    background: {chosen}; color: {text};
}}
QSplitter::handle {{ background: {line}; }}
QLabel#heading {{ font-weight: 600; }}
QLabel#faint {{ color: {faint}; }}
QProgressBar {{ border: 0; border-radius: 3px; background: {line}; max-height: 6px; }}
QProgressBar::chunk {{ border-radius: 3px; background: {accent}; }}
QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
QMenuBar::item {{ padding: 4px 9px; }}
"""

_STATE_ICONS = {
    ImageState.NEW: ("circle-outline", "waiting"),
    ImageState.PREDICTED: ("dots-circle", "predicted"),
    ImageState.EDITED: ("circle-edit-outline", "edited"),
    ImageState.VERIFIED: ("check-circle", "good"),
    ImageState.EMPTY: ("circle-off-outline", "good"),
    ImageState.SKIPPED: ("minus-circle-outline", "waiting"),
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


# Fusion draws the edge of these in the colour of the window, so much darker in percent
# (QFusionStylePrivate::outline): around what is dark already nothing would be seen.
_EDGED = (
    "QLineEdit", "QPlainTextEdit", "QAbstractSpinBox", "QComboBox", "QCheckBox", "QPushButton",
    "QMenu",
)  # fmt: skip
_DARKER = 140


def apply_theme(application: QApplication, name: ThemeName) -> None:
    """Colour the whole program."""
    colours = DARK if is_dark(name) else LIGHT
    application.setStyle("Fusion")
    application.setPalette(_palette(colours))
    edged = _palette(colours)
    edged.setColor(QPalette.ColorRole.Window, QColor(colours.edge).lighter(_DARKER))
    for kind in _EDGED:
        # PySide's stub asks for bytes, and PySide itself for text.
        application.setPalette(edged, kind)  # type: ignore[arg-type]
    application.setStyleSheet(_SHEET.format(**vars(colours)))


def is_dark(name: ThemeName) -> bool:
    """Tell whether a theme is dark, asking the system where it decides."""
    if name is ThemeName.SYSTEM:
        return QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
    return name is ThemeName.DARK


def colours_now() -> Colours:
    """Return the colours the program has now."""
    dark = QGuiApplication.palette().base().color() == QColor(DARK.base)
    return DARK if dark else LIGHT


def icon(name: str) -> QIcon:
    """Return an icon in the colour of text."""
    palette = QGuiApplication.palette()
    faint = palette.placeholderText().color().name()
    return drawn_icon(name, palette.text().color().name(), faint)


def state_icon(state: ImageState) -> QIcon:
    """Return the icon of an image state; shapes differ, not only colours."""
    return sign(*_STATE_ICONS[state])


def sign(name: str, colour: str) -> QIcon:
    """Return a drawing in one of the theme's colours, by the names of both."""
    return _coloured(name, getattr(colours_now(), colour))


def good_icon() -> QIcon:
    """Return the sign of something that went well."""
    return _coloured("check-circle", colours_now().good)


def problem_icon() -> QIcon:
    """Return the sign of something that failed."""
    return _coloured("alert-circle", colours_now().bad)


def _coloured(name: str, colour: str) -> QIcon:
    return drawn_icon(name, colour, colour)


def _palette(colours: Colours) -> QPalette:
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
        ((role.HighlightedText,), colours.on_accent),
    ):
        for one in roles:
            palette.setColor(one, QColor(colour))
    for one in (role.Text, role.WindowText, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, one, QColor(colours.faint))
    return palette
