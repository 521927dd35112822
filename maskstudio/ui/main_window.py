"""The window: puts canvas, panels and tools together and gives every action its meaning."""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QKeyEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QFileDialog, QMainWindow, QWidget

from maskstudio.session import border_operations
from maskstudio.session.doubt_finding import DoubtFinding
from maskstudio.storage.settings import ThemeName
from maskstudio.ui.actions import Actions
from maskstudio.ui.availability import Availability
from maskstudio.ui.bars import (
    StatusBar,
    add_theme_menu,
    build_menus,
    build_tool_column,
    build_toolbar,
    buttons_of,
    menu_keys,
)
from maskstudio.ui.canvas.canvas import Canvas
from maskstudio.ui.canvas.minimap import Minimap
from maskstudio.ui.category_commands import CategoryCommands
from maskstudio.ui.columns import side_by_side, stacked
from maskstudio.ui.commands import Commands
from maskstudio.ui.context_menu import ContextMenu
from maskstudio.ui.dialogs.opener import DataDialogs, Dialogs, ModelDialogs
from maskstudio.ui.doubt_view import DoubtView
from maskstudio.ui.draft_keeper import BROUGHT_BACK, KEPT, DraftKeeper
from maskstudio.ui.dropping import Dropping
from maskstudio.ui.focus import ControlKeys, PanelWalk, open_context_menu
from maskstudio.ui.held_key import HeldKey
from maskstudio.ui.image_flow import ImageFlow
from maskstudio.ui.learning_pages import LearningPages
from maskstudio.ui.notifications import NotificationBar
from maskstudio.ui.panels.annotations import AnnotationsPanel
from maskstudio.ui.panels.categories import CategoriesPanel
from maskstudio.ui.panels.images import ImagesPanel
from maskstudio.ui.panels.model import ModelPanel
from maskstudio.ui.panels.run_progress import RunProgressPanel
from maskstudio.ui.quality_pages import QualityPages
from maskstudio.ui.saving import Saving
from maskstudio.ui.services import Services
from maskstudio.ui.switches import Switches
from maskstudio.ui.tools.pointer_input import PointerInput
from maskstudio.ui.tools.toolbox import Surroundings, Toolbox

_WELCOME = "Open a folder of images, or drop one here  ·  {open} opens"


class MainWindow(QMainWindow):
    """The program's window.

    Signals:
        folder_wanted: the person wants to open this folder.
        theme_chosen: a `ThemeName`.
        closing: the window is about to go.
    """

    folder_wanted = Signal(Path)
    theme_chosen = Signal(object)
    closing = Signal()

    def __init__(self, services: Services, theme: ThemeName) -> None:
        super().__init__()
        self._services = services
        session = services.session
        self.setAcceptDrops(True)
        self.resize(1280, 800)
        self.verbs = Actions(self, menu_keys())
        self._availability = Availability(self.verbs)
        self.canvas = Canvas(session, services.filtering, services.tasks)
        self.minimap = Minimap(self.canvas)
        self.images = ImagesPanel(session)
        self.annotations = AnnotationsPanel(session)
        self.categories = CategoriesPanel(session, self.verbs)
        self.model = ModelPanel(
            services.annotator,
            services.filtering,
            services.models,
            self._run_progress(),
            self.verbs,
            services.learning,
        )
        self._toolbox = Toolbox(
            self.canvas,
            Surroundings(
                lambda: self.categories.current,
                services.tasks,
                services.annotator,
                self.verbs.keymap.shown,
                self._inform,
            ),
        )
        self.input = PointerInput(self.canvas, self._toolbox.select, self.verbs.keymap)
        self.status = StatusBar(self)
        self.setStatusBar(self.status)
        Saving(session, self.status.saved, self.status.stop)
        self._bar = NotificationBar(services.notifications, self.canvas)
        self._commands = Commands(services, self.canvas, self.categories, lambda: self.input.tool)
        finding = DoubtFinding(session, services.tasks, services.filtering, self)
        self._doubt = DoubtView(session, finding, self.canvas, self.verbs, self._inform)
        self._panel_walk = PanelWalk(self)
        self._make_dialogs()
        self._category_commands = CategoryCommands(
            session, services.tasks, services.annotator, self.categories, self
        )
        flow = ImageFlow(session, services.loader, self.canvas)
        steps = [self.verbs[name] for name in ("next", "previous", "next_unfinished")]
        HeldKey(self, steps, lambda: flow.seen)
        tools = {name: partial(self._put_in_hand, name) for name in self._toolbox.names}
        keeper = DraftKeeper(session, services.drafts, self.input, self.categories, tools)
        keeper.brought_back.connect(lambda: self._inform(BROUGHT_BACK))
        self.input.draft_left.connect(lambda tool: self._inform(KEPT % f"{{{tool}}}"))
        # Another image is told of by several at once.
        self._look_again = QTimer(self, interval=0, singleShot=True)
        self._look_again.timeout.connect(self._on_changed)
        self._panels: list[QWidget] = []
        ControlKeys(self)
        self._build_layout(theme)
        self._connect()
        self._on_opened()
        # Or the first field of the window would have the keys.
        self.canvas.setFocus()

    def choose_folder(self) -> None:
        """Ask for a folder and open it."""
        folder = self._services.session.folder
        start = str(folder.parent if folder else "")
        name = QFileDialog.getExistingDirectory(self, "Open a folder of images", start)
        if name:
            self.folder_wanted.emit(Path(name))

    def layout_state(self) -> str:
        """Return size and layout as text, for the settings."""
        return bytes(self.saveGeometry().toBase64().data()).decode("ascii")

    def restore_layout(self, state: str) -> None:
        """Take up the size and layout that `layout_state` gave; the first time fill the screen."""
        if state:
            self.restoreGeometry(QByteArray.fromBase64(state.encode("ascii")))
        else:
            self.setWindowState(Qt.WindowState.WindowMaximized)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept a folder or a file."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open a folder of images, or show what a data set would bring."""
        self._dropping.take(Path(event.mimeData().urls()[0].toLocalFile()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the notification in the middle."""
        super().resizeEvent(event)
        self._bar.place()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Tell the composition root to shut down; everything is saved already."""
        if not self._learning.training.may_close():
            event.ignore()
            return
        self.closing.emit()
        super().closeEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Give the lists' events of the key that pans when it is held to the canvas."""
        if isinstance(event, QKeyEvent) and self.input.is_for_panning(event):
            return self.input.eventFilter(self.canvas, event)
        return super().eventFilter(watched, event)

    def _make_dialogs(self) -> None:
        services, session = self._services, self._services.session
        self._dialogs = Dialogs(self, session, services.tasks, self.canvas, self.input, self.verbs)
        open_folder = self.folder_wanted.emit
        self._data_dialogs = DataDialogs(self, session, services.tasks, open_folder)
        import_data = self._data_dialogs.import_data
        self._dropping = Dropping(session, services.tasks, open_folder, import_data)
        self._quality = QualityPages(services, self.canvas, self._inform, self._panel_walk.add)
        self._switches = Switches(
            self.verbs, self.canvas, self.minimap, services.look_ahead, self.status
        )
        self._learning = LearningPages(
            self, services, self.canvas, self.verbs, self._inform, self.images
        )
        self._learning.training.tell_in(self.status.training)
        self._model_dialogs = ModelDialogs(
            self,
            session,
            services.tasks,
            services.filtering,
            services.annotator,
            services.models,
        )

    def _build_layout(self, theme: ThemeName) -> None:
        menus = build_menus(self, self.verbs, self._toolbox.names)
        menus["View"].addSeparator()
        add_theme_menu(menus["View"], theme, self.theme_chosen.emit)
        toolbar = build_toolbar(self, self.verbs)
        tools = build_tool_column(self.verbs, self._toolbox.names)
        self.addToolBar(Qt.ToolBarArea.LeftToolBarArea, tools)
        right = stacked((self.annotations, 3), (self.model, 0), (self.categories, 2))
        across = side_by_side(self.images, self._quality.column, right)
        self.setCentralWidget(across)
        self._panels = [self.images, right, toolbar, tools, self.status]
        self._panel_walk.add(self.canvas, self.canvas)
        self._panel_walk.add(self.annotations, self.annotations.list)
        self._panel_walk.add(self.model, self.model.choice)
        self._panel_walk.add(self.categories, self.categories.list)
        self._panel_walk.add(toolbar, *buttons_of(toolbar))
        self._panel_walk.add(tools, *buttons_of(tools))
        self._panel_walk.add(self.images, self.images.list)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)

    def _connect(self) -> None:
        session, services = self._services.session, self._services
        self.verbs.connect_all(self._handlers())
        self.addActions(self.verbs.all(on_canvas=False))
        self.canvas.addActions(self.verbs.all(on_canvas=True))
        self.verbs.keymap.changed.connect(self._on_changed_keys)
        self.annotations.properties.left.connect(self.canvas.setFocus)
        self.annotations.menu_wanted.connect(self._open_menu)
        self.input.menu_wanted.connect(self._open_menu)
        self.categories.left.connect(self.canvas.setFocus)
        self.categories.chosen.connect(self._commands.use_category)
        self.categories.add_requested.connect(self._commands.add_category)
        self.model.choice.models_wanted.connect(self.verbs["models"].trigger)
        self.input.hint_changed.connect(self.status.hint.setText)
        self.input.busy_changed.connect(self._on_busy)
        self.input.busy_changed.connect(lambda: self.minimap.set_faded(self.input.tool.busy))
        self.input.pointer_moved.connect(self._show_place)
        self.input.pan_tapped.connect(self.verbs.trigger_on)
        self.canvas.view_changed.connect(self._show_zoom)
        for widget in (self.images.list, self.annotations.list, self.categories.list):
            widget.installEventFilter(self)
        session.opened.connect(self._on_opened)
        session.writing_changed.connect(self._on_changed)
        session.current_changed.connect(self._on_changed)
        session.edited.connect(lambda _: self._on_changed())
        # What could not be done was not turned on either.
        session.problem.connect(self._on_changed)
        session.selection_changed.connect(self._on_changed)
        services.box_outlining.told.connect(self._inform)
        services.annotator.device_changed.connect(self._on_device)
        session.order.chosen_changed.connect(self._look_again.start)
        services.annotator.batch.failures_changed.connect(self._on_changed)
        services.annotator.model_loaded.connect(self._on_changed)
        services.annotator.model_renewed.connect(self._on_changed)
        services.annotator.tiles.changed.connect(self._on_changed)
        services.annotator.running_changed.connect(self._on_changed)

    def _handlers(self) -> dict[str, Callable[[], object]]:
        tools = {name: partial(self._take, name) for name in self._toolbox.names}
        panels = self._panel_walk
        return (
            self._commands.handlers()
            | self._doubt.handlers()
            | self._category_commands.handlers()
            | tools
            | self._dialogs.handlers()
            | self._data_dialogs.handlers()
            | self._model_dialogs.handlers()
            | self._quality.handlers()
            | self._learning.handlers()
            | self._switches.handlers()
            | {
                "escape": self._on_escape,
                "repeat_tool": self._on_repeat_tool,
                "next_panel": lambda: panels.go(1),
                "previous_panel": lambda: panels.go(-1),
                "context_menu": open_context_menu,
                "undo": self._on_undo,
                "open": self.choose_folder,
                "quit": self.close,
                "properties": self.annotations.properties.open,
                "outline_boxes": self._services.box_outlining.run_here,
                "outline_boxes_folder": self._services.box_outlining.run_folder,
                "find_image": self._on_find_image,
                "trim": self._on_trim,
                "only_image": self._on_only_image,
            }
        )

    def _run_progress(self) -> RunProgressPanel:
        names = ("pause", "cancel", "failures", "whole_image")
        return RunProgressPanel(self._services.annotator, {n: self.verbs[n] for n in names})

    def _on_undo(self) -> None:
        services = self._services
        # A filter that was let go of and is not the truth yet is what was done last.
        if not (self.input.undo() or services.filtering.drop_wish()):
            services.session.undo(services.tasks)

    def _inform(self, text: str) -> None:
        self._services.notifications.info(self.verbs.keymap.fill(text))

    def _open_menu(self, at: QPoint, on_annotations: bool) -> None:
        session, use = self._services.session, self._commands.use_category
        ContextMenu(self, session, self.verbs, use, on_annotations=on_annotations).popup(at)

    def _take(self, name: str) -> None:
        self._put_in_hand(name)
        self.canvas.setFocus()

    def _put_in_hand(self, name: str) -> None:
        self.verbs[name].setChecked(True)
        self.input.take(self._toolbox[name])

    def _show_place(self, x: float, y: float) -> None:
        image = self.canvas.deep_image
        value = "" if image is None else image.value_at(math.floor(x), math.floor(y))
        self.status.show_place(x, y, value)

    def _show_zoom(self) -> None:
        # 100 % is a pixel of the image for each of the screen.
        self.status.show_zoom(self.canvas.viewport.scale * self.canvas.devicePixelRatioF())

    def _on_escape(self) -> None:
        """Esc goes back one step: the gesture, then the tool, then the selection."""
        if self.input.cancel():
            return
        select = self._toolbox.select
        if self.input.tool is not select:
            self._take(select.name)
        else:
            select.cancel()

    def _on_repeat_tool(self) -> None:
        """Finish what is drawn, or draw on with the tool that drew last."""
        if not self.input.finish() and self.input.tool is self._toolbox.select:
            self._take(self.input.drew_last)

    def _on_changed_keys(self) -> None:
        self._switches.show()
        if self._services.session.folder is None:
            self.canvas.show_image(None, self.verbs.keymap.fill(_WELCOME))

    def _on_find_image(self) -> None:
        if self.images.isHidden():
            # Nobody can type where nothing is to be seen.
            self.verbs["only_image"].setChecked(False)
            self._on_only_image()
        self.images.start_finding()

    def _on_trim(self) -> None:
        visible, tasks = self.canvas.visible_annotations(), self._services.tasks
        border_operations.trim_selected(self._services.session, visible, tasks)

    def _on_only_image(self) -> None:
        self._quality.fold(self.verbs["only_image"].isChecked())
        for panel in self._panels:
            panel.setVisible(not self.verbs["only_image"].isChecked())

    def _on_opened(self) -> None:
        session = self._services.session
        folder = session.folder
        self.setWindowTitle(f"{folder.name} - MaskStudio" if folder else "MaskStudio")
        if folder is None:
            self.canvas.show_image(None, self.verbs.keymap.fill(_WELCOME))
        self._on_changed()

    def _on_changed(self) -> None:
        """Enable what can be done now."""
        services = self._services
        self._availability.renew(services.session, services.annotator, self.input.tool)

    def _on_busy(self) -> None:
        self._availability.renew_for_tool(self._services.session, self.input.tool)

    def _on_device(self) -> None:
        self.status.show_device(self._services.annotator.device_line)
