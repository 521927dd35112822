"""Toolbar, tool column, menus and status bar: where the actions stand."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QActionGroup, QResizeEvent
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
from maskstudio.ui.key_table import Bindable, Where

_MENUS: tuple[tuple[str, tuple[str | None, ...]], ...] = (
    ("&File", ("open", None, "import", "export", None, "quit")),
    (
        "&Edit",
        (
            "undo", "redo", None, "copy", "paste", "duplicate", "copy_to_next", "delete",
            "select_all", None,
            "unite", "subtract", "intersect", "merge_parts", "split_parts", "fill_holes", "trim",
            "share_borders", "simplify", None,
            "next_annotation", "previous_annotation", "next_doubt",
        ),
    ),
    (
        "&Annotation",
        (
            "hide_selected", "show_hidden", "lock", None,
            "to_front", "raise", "lower", "to_back", None,
            "crowd", "properties",
        ),
    ),
    (
        "&Category",
        (
            "category_up", "category_down", None,
            "hide_category", "only_category", "show_categories", None,
            "merge_category",
        ),
    ),
    ("&Tools", ("repeat_tool", None)),
    (
        "&Image",
        (
            "next", "previous", "next_unfinished", "what_next", "go_to", "find_image", None,
            "verify", "skip", "reopen", None,
            "quality", "audit", "next_finding", "previous_finding",
        ),
    ),
    (
        "&Model",
        (
            "predict", "look_ahead", "learn", "start_model", None,
            "predict_folder", "predict_selected", "predict_new", "pause", "cancel", "failures",
            None,
            "whole_image", "tiles_auto", "tiles_always", "tiles_never", None,
            "outline_boxes", "outline_boxes_folder", None,
            "train", "compare", "predict_again", "show_before", "next_changed", "previous_changed",
            "payoff", None,
            "category_map", "models", "choose_model",
        ),
    ),
    (
        "&View",
        (
            "fit", "pixels", "zoom_in", "zoom_out", "zoom_selection", None,
            "adjust", "reset_display", None, "hide", "show_doubt", "minimap", "only_image", None,
            "next_panel", "previous_panel", "context_menu",
        ),
    ),
    ("&Help", ("keys", "change_keys", None, "about")),
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
    "train",
)
_MODES = {
    "hide": "annotations hidden",
    "show_doubt": "doubt shown",
    "show_before": "as it was before",
    "share_borders": "borders shared",
    "look_ahead": "pre-annotating ahead",
}
_BETWEEN, _ENDS = 2, 40  # what lies between the buttons of a bar, and the gaps and edges in all


def menu_keys() -> list[Bindable]:
    """Return the keys that open the menus."""
    return [
        Bindable(
            f"menu_{title.replace('&', '').lower()}",
            f"Menu {title.replace('&', '')}",
            "Program",
            (f"Alt+{title[title.index('&') + 1].upper()}",),
            Where.FIXED,
        )
        for title, _ in _MENUS
    ]


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


class FittingBar(QToolBar):
    """A bar that leaves words away when it is too short for them.

    Buttons whose object name is not empty keep theirs.
    """

    def __init__(self, title: str, style: Qt.ToolButtonStyle) -> None:
        super().__init__(title)
        self._style = style
        self.setMovable(False)
        self.setToolButtonStyle(style)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Find out whether all words have room."""
        super().resizeEvent(event)
        across = self.orientation() == Qt.Orientation.Horizontal
        room = event.size().width() if across else event.size().height()
        buttons = buttons_of(self)
        for button in buttons:
            button.setToolButtonStyle(self._style)
        sizes = [button.sizeHint() for button in buttons]
        needed = sum((s.width() if across else s.height()) + _BETWEEN for s in sizes) + _ENDS
        if needed > room:
            for button in buttons:
                if not button.objectName():
                    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)


def build_toolbar(window: QMainWindow, actions: Actions) -> QToolBar:
    """Make the one toolbar: words beside the few icons that matter."""
    bar = FittingBar("Main", Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    bar.setObjectName("main")
    bar.setIconSize(QSize(18, 18))
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
    for name, shown in (("predict", "primary"), ("verify", "verify")):
        bar.widgetForAction(actions[name]).setObjectName(shown)
    window.addToolBar(bar)
    return bar


def buttons_of(bar: QToolBar) -> list[QToolButton]:
    """Return the buttons of a bar, and let the Tab key reach them; the mouse leaves the focus."""
    widgets = [bar.widgetForAction(action) for action in bar.actions()]
    buttons = [widget for widget in widgets if isinstance(widget, QToolButton)]
    for button in buttons:
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return buttons


def build_tool_column(actions: Actions, tools: tuple[str, ...]) -> QToolBar:
    """Make the narrow column of tools at the left."""
    column = FittingBar("Tools", Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
    column.setObjectName("tools")
    column.setOrientation(Qt.Orientation.Vertical)
    column.setIconSize(QSize(22, 22))
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
    """Hint, what is not as usual, whether all is saved, the device, place of the pointer, zoom."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self.hint = QLabel()
        self.modes = QLabel()
        self.modes.setObjectName("heading")
        self.modes.setAccessibleName("What is not as usual")
        self.saved = QLabel()
        self.stop = QToolButton()
        self.stop.setText("Stop")
        self.stop.setAccessibleName("Stop saving")
        self.stop.setToolTip("Stop, and leave everything as it was before")
        # Hidden it still counts for the height of the bar.
        self.stop.setMaximumHeight(self.fontMetrics().height())
        self.stop.hide()
        self.training = QToolButton()
        self.training.setAccessibleName("Where the training is")
        self.training.setToolTip("Show the training")
        self.training.setMaximumHeight(self.fontMetrics().height())
        self.training.hide()
        self.device = QLabel()
        self.place = QLabel()
        self.zoom = QLabel()
        self.hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.place.setMinimumWidth(self.fontMetrics().horizontalAdvance("x 00000  y 00000"))
        self.zoom.setMinimumWidth(self.fontMetrics().horizontalAdvance("0000 %"))
        self.device.setAccessibleName("Device")
        self.addWidget(self.hint, 1)
        for label in (self.modes, self.saved, self.device, self.place, self.zoom):
            label.setContentsMargins(10, 0, 4, 0)
            self.addPermanentWidget(label)
            if label is self.saved:
                self.addPermanentWidget(self.stop)
                self.addPermanentWidget(self.training)

    def show_modes(self, actions: Actions) -> None:
        """Say what was turned on and would else be forgotten, with the keys that turn it off."""
        on = [
            f"{words} ({actions.keymap.shown(name)})"
            for name, words in _MODES.items()
            if actions[name].isChecked()
        ]
        self.modes.setText("  ·  ".join(on))

    def show_place(self, x: float, y: float, value: str = "") -> None:
        """Show where in the image the pointer is, and the value there if it is given."""
        place = f"x {int(x)}  y {int(y)}"
        self.place.setText(f"{place}  value {value}" if value else place)

    def show_zoom(self, scale: float) -> None:
        """Show the magnification."""
        self.zoom.setText(f"{scale * 100:.0f} %")

    def show_device(self, line: str) -> None:
        """Show where the model runs; the whole line, which says why, as a tip."""
        # The hint needs the room more.
        self.device.setText(line.partition(" (")[0])
        self.device.setToolTip(line)
