"""Toolbar, tool column, menus and status bar: where the actions stand."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import (
    QLabel,
    QMainWindow,
    QMenu,
    QSizePolicy,
    QStatusBar,
    QToolBar,
    QToolButton,
    QWidget,
)

from maskstudio.storage.settings import ThemeName
from maskstudio.ui.actions import Actions

_MENUS: tuple[tuple[str, tuple[str | None, ...]], ...] = (
    ("&File", ("open", None, "export", None, "quit")),
    (
        "&Edit",
        (
            "undo", "redo", None, "copy", "paste", "duplicate", "copy_to_next", "delete",
            "select_all", None,
            "unite", "subtract", "intersect", "split_parts", None,
            "next_annotation", "previous_annotation",
        ),
    ),
    ("&Tools", ()),
    (
        "&Image",
        (
            "next", "previous", "next_unfinished", "go_to", "find_image", None,
            "verify", "skip", "reopen",
        ),
    ),
    ("&Model", ("predict", "predict_folder", "cancel", None, "choose_model")),
    (
        "&View",
        (
            "fit", "pixels", "zoom_in", "zoom_out", "zoom_selection", None,
            "adjust", "reset_display", None, "hide", "only_image",
        ),
    ),
    ("&Help", ("keys", "about")),
)  # fmt: skip

_TOOLBAR = (
    "open",
    None,
    "predict",
    "predict_folder",
    None,
    "verify",
    None,
    "undo",
    "redo",
    "adjust",
    "export",
)
_PRIMARY = "predict"


def build_menus(window: QMainWindow, actions: Actions, tools: tuple[str, ...]) -> dict[str, QMenu]:
    """Fill the menu bar; return the menus by their words."""
    menus: dict[str, QMenu] = {}
    for title, names in _MENUS:
        menu = window.menuBar().addMenu(title)
        menus[title.replace("&", "")] = menu
        for name in names:
            if name is None:
                menu.addSeparator()
            else:
                menu.addAction(actions[name])
    for name in tools:
        menus["Tools"].addAction(actions[name])
    return menus


def add_theme_menu(menu: QMenu, chosen: ThemeName, choose: Callable[[ThemeName], None]) -> None:
    """Add the choice between light, dark and system."""
    themes = menu.addMenu("Theme")
    group = QActionGroup(themes)
    for name in ThemeName:
        action = themes.addAction(name.capitalize())
        action.setCheckable(True)
        action.setChecked(name is chosen)
        action.triggered.connect(lambda *_, name=name: choose(name))
        group.addAction(action)


def build_toolbar(window: QMainWindow, actions: Actions) -> QToolBar:
    """Make the one toolbar: words beside the few icons that matter."""
    bar = QToolBar("Main", window)
    bar.setObjectName("main")
    bar.setMovable(False)
    bar.setIconSize(QSize(18, 18))
    bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    for name in _TOOLBAR:
        if name is None:
            gap = QWidget()
            gap.setFixedWidth(10)
            bar.addWidget(gap)
            continue
        bar.addAction(actions[name])
        if name == "redo":
            space = QWidget()
            space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
            bar.addWidget(space)
    button = bar.widgetForAction(actions[_PRIMARY])
    button.setObjectName("primary")
    window.addToolBar(bar)
    return bar


def build_tool_column(actions: Actions, tools: tuple[str, ...]) -> QToolBar:
    """Make the narrow column of tools at the left."""
    column = QToolBar("Tools")
    column.setObjectName("tools")
    column.setOrientation(Qt.Orientation.Vertical)
    column.setMovable(False)
    column.setIconSize(QSize(22, 22))
    column.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
    group = QActionGroup(column)
    for name in tools:
        group.addAction(actions[name])
        column.addAction(actions[name])
        button = column.widgetForAction(actions[name])
        if isinstance(button, QToolButton):
            button.setMinimumWidth(58)
    actions["select"].setChecked(True)
    return column


class StatusBar(QStatusBar):
    """Hint, whether all is saved, the device, the place of the pointer, the magnification."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self.hint = QLabel()
        self.saved = QLabel()
        self.device = QLabel()
        self.place = QLabel()
        self.zoom = QLabel()
        self.hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.place.setMinimumWidth(self.fontMetrics().horizontalAdvance("x 00000  y 00000"))
        self.zoom.setMinimumWidth(self.fontMetrics().horizontalAdvance("0000 %"))
        self.device.setAccessibleName("Device")
        self.addWidget(self.hint, 1)
        for label in (self.saved, self.device, self.place, self.zoom):
            label.setContentsMargins(10, 0, 4, 0)
            self.addPermanentWidget(label)

    def show_place(self, x: float, y: float) -> None:
        """Show where in the image the pointer is."""
        self.place.setText(f"x {int(x)}  y {int(y)}")

    def show_zoom(self, scale: float) -> None:
        """Show the magnification."""
        self.zoom.setText(f"{scale * 100:.0f} %")

    def show_device(self, line: str) -> None:
        """Show where the model runs; the whole line as a tip."""
        self.device.setText(line)
        self.device.setToolTip(line)
