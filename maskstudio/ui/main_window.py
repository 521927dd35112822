"""The window: puts canvas, panels and tools together and gives every action its meaning."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, QObject, Qt, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QKeyEvent,
    QKeySequence,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QFileDialog,
    QLineEdit,
    QMainWindow,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from maskstudio.session import region_operations
from maskstudio.session.images import ImageLoader
from maskstudio.session.preannotation import PreAnnotator
from maskstudio.session.score_filter import ScoreFilter
from maskstudio.session.session import Session
from maskstudio.session.tasks import Tasks
from maskstudio.storage.settings import ThemeName
from maskstudio.ui.actions import Actions
from maskstudio.ui.bars import (
    StatusBar,
    add_theme_menu,
    build_menus,
    build_tool_column,
    build_toolbar,
)
from maskstudio.ui.canvas.canvas import Canvas
from maskstudio.ui.category_commands import CategoryCommands
from maskstudio.ui.commands import Commands
from maskstudio.ui.dialogs.adjust import show_adjust
from maskstudio.ui.dialogs.export import ExportDialog
from maskstudio.ui.dialogs.go_to import show_go_to
from maskstudio.ui.dialogs.help import show_about, show_keys
from maskstudio.ui.image_flow import ImageFlow
from maskstudio.ui.notifications import NotificationBar, Notifications
from maskstudio.ui.panels.annotations import AnnotationsPanel
from maskstudio.ui.panels.categories import CategoriesPanel
from maskstudio.ui.panels.images import ImagesPanel
from maskstudio.ui.panels.model import ModelPanel
from maskstudio.ui.tools.pointer_input import PointerInput
from maskstudio.ui.tools.toolbox import Toolbox

_WELCOME = "Open a folder of images (Ctrl+U), or drop one here."
_ARROWS = {"Left": (-1, 0), "Right": (1, 0), "Up": (0, -1), "Down": (0, 1)}
_TYPING = (QLineEdit, QAbstractSpinBox, QComboBox, QAbstractButton)


@dataclass(frozen=True)
class Services:
    """What the window works on; built by the composition root."""

    session: Session
    tasks: Tasks
    loader: ImageLoader
    score_filter: ScoreFilter
    annotator: PreAnnotator
    notifications: Notifications


class MainWindow(QMainWindow):
    """The program's window.

    Signals:
        folder_wanted: the person wants to open this folder.
        theme_chosen: a `ThemeName`.
        model_chosen: name or path of a model.
        closing: the window is about to go.
    """

    folder_wanted = Signal(Path)
    theme_chosen = Signal(object)
    model_chosen = Signal(str)
    closing = Signal()

    def __init__(self, services: Services, models: list[str], theme: ThemeName) -> None:
        super().__init__()
        self._services = services
        session = services.session
        self.setAcceptDrops(True)
        self.resize(1280, 800)
        self.verbs = Actions(self)
        self.canvas = Canvas(session, services.score_filter, services.tasks)
        self.images = ImagesPanel(session)
        self.annotations = AnnotationsPanel(session)
        self.categories = CategoriesPanel(session)
        self.model = ModelPanel(
            services.annotator, services.score_filter, models, self.verbs["cancel"]
        )
        self._toolbox = Toolbox(self.canvas, lambda: self.categories.current)
        self.input = PointerInput(self.canvas, self._toolbox.select)
        self.status = StatusBar(self)
        self.setStatusBar(self.status)
        self._bar = NotificationBar(services.notifications, self.canvas)
        self._commands = Commands(
            session, services.annotator, self.canvas, self.categories, services.notifications
        )
        self._category_commands = CategoryCommands(session, self.categories, self)
        ImageFlow(session, services.loader, self.canvas)
        self._panels: list[QWidget] = []
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
        """Open the folder, or the folder the file lies in."""
        path = Path(event.mimeData().urls()[0].toLocalFile())
        self.folder_wanted.emit(path if path.is_dir() else path.parent)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the notification in the middle."""
        super().resizeEvent(event)
        self._bar.place()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Tell the composition root to shut down; everything is saved already."""
        self.closing.emit()
        super().closeEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Give Space to the canvas wherever the focus is, unless somebody types."""
        typed = isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Space
        if typed and not isinstance(watched, _TYPING):
            return self.input.eventFilter(self.canvas, event)
        return super().eventFilter(watched, event)

    def _build_layout(self, theme: ThemeName) -> None:
        menus = build_menus(self, self.verbs, self._toolbox.names)
        menus["View"].addSeparator()
        add_theme_menu(menus["View"], theme, self.theme_chosen.emit)
        toolbar = build_toolbar(self, self.verbs)
        tools = build_tool_column(self.verbs, self._toolbox.names)
        self.addToolBar(Qt.ToolBarArea.LeftToolBarArea, tools)
        right = QWidget()
        stack = QVBoxLayout(right)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.setSpacing(0)
        stack.addWidget(self.annotations, 3)
        stack.addWidget(self.model)
        stack.addWidget(self.categories, 2)
        across = QSplitter(Qt.Orientation.Horizontal)
        for column in (self.images, self.canvas, right):
            across.addWidget(column)
        across.setStretchFactor(1, 1)
        across.setSizes([230, 800, 260])
        across.setHandleWidth(3)
        across.setChildrenCollapsible(False)
        self.setCentralWidget(across)
        self._panels = [self.images, right, toolbar, tools, self.status]
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)

    def _connect(self) -> None:
        session, services = self._services.session, self._services
        self.verbs.connect_all(self._handlers())
        for name in ("next_annotation", "previous_annotation"):
            # Elsewhere Tab walks from one control to the next.
            self.verbs[name].setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            self.canvas.addAction(self.verbs[name])
        for digit in range(1, 10):
            shortcut = QShortcut(QKeySequence(str(digit)), self)
            shortcut.activated.connect(lambda digit=digit: self._commands.digit(digit))
        for arrow, (x, y) in _ARROWS.items():
            # Elsewhere they walk through a list.
            for keys, far in ((arrow, 1), (f"Shift+{arrow}", 10)):
                shortcut = QShortcut(QKeySequence(keys), self.canvas)
                shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
                shortcut.activated.connect(partial(self._commands.nudge, x * far, y * far))
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        escape.activated.connect(self._on_escape)
        self.categories.chosen.connect(self._commands.use_category)
        self.categories.add_requested.connect(self._commands.add_category)
        self.model.model_chosen.connect(self.model_chosen)
        self.model.file_wanted.connect(self._choose_model)
        self.input.hint_changed.connect(self.status.hint.setText)
        self.input.busy_changed.connect(self._on_changed)
        self.input.pointer_moved.connect(self.status.show_place)
        self.input.space_tapped.connect(self._commands.verify_and_next)
        self.canvas.view_changed.connect(lambda: self.status.show_zoom(self.canvas.viewport.scale))
        for widget in (self.images.list, self.annotations.list, self.categories.list):
            widget.installEventFilter(self)
        session.opened.connect(self._on_opened)
        session.current_changed.connect(self._on_changed)
        session.edited.connect(lambda _: self._on_changed())
        session.selection_changed.connect(self._on_changed)
        services.annotator.device_changed.connect(self._on_device)
        services.annotator.running_changed.connect(self._on_changed)

    def _handlers(self) -> dict[str, Callable[[], object]]:
        tools = {name: partial(self._take, name) for name in self._toolbox.names}
        session = self._services.session
        return (
            self._commands.handlers()
            | tools
            | {
                "undo": lambda: self.input.undo() or self._services.session.undo(),
                "open": self.choose_folder,
                "export": self._on_export,
                "quit": self.close,
                "choose_model": self._choose_model,
                "adjust": lambda: show_adjust(self.canvas, self),
                "find_image": self.images.start_finding,
                "go_to": lambda: show_go_to(session, self),
                "hide": lambda: self.canvas.set_hidden(self.verbs["hide"].isChecked()),
                "only_image": self._on_only_image,
                "keys": lambda: show_keys(self, self.verbs.sheet()),
                "about": lambda: show_about(self),
            }
        )

    def _take(self, name: str) -> None:
        self.verbs[name].setChecked(True)
        self.input.take(self._toolbox[name])
        self.canvas.setFocus()

    def _on_escape(self) -> None:
        """Esc goes back one step: the gesture, then the tool, then the selection."""
        if self.input.cancel():
            return
        select = self._toolbox.select
        if self.input.tool is not select:
            self._take(select.name)
        else:
            select.cancel()

    def _on_only_image(self) -> None:
        for panel in self._panels:
            panel.setVisible(not self.verbs["only_image"].isChecked())

    def _on_export(self) -> None:
        if self._services.session.database is None:
            return
        self._export = ExportDialog(self._services.session, self._services.tasks, self)
        self._export.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._export.show()

    def _choose_model(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self, "Choose a model", "", "Models (*.safetensors);;All files (*)"
        )
        if name:
            self.model_chosen.emit(name)

    def _on_opened(self) -> None:
        session = self._services.session
        folder = session.folder
        self.setWindowTitle(f"{folder.name} - MaskStudio" if folder else "MaskStudio")
        if folder is None:
            self.canvas.show_image(None, _WELCOME)
        self.status.saved.setText(
            "" if folder is None else "read only" if session.read_only else "saved"
        )
        self._on_changed()

    def _on_changed(self) -> None:
        """Enable what can be done now."""
        session, annotator = self._services.session, self._services.annotator
        history = session.history()
        image = session.current is not None
        writable = image and not session.read_only
        combinable = region_operations.can_combine(session)
        for name, enabled in {
            "export": session.database is not None,
            "go_to": session.database is not None,
            "undo": self.input.tool.busy or history.undo is not None,
            "redo": history.redo is not None,
            "delete": bool(session.selection),
            "copy": bool(session.selection),
            "paste": writable,
            "duplicate": writable and bool(session.selection),
            "copy_to_next": writable and bool(session.selection),
            "unite": writable and combinable,
            "subtract": writable and combinable,
            "intersect": writable and combinable,
            "split_parts": writable and region_operations.can_split(session),
            "zoom_selection": bool(session.selection),
            "select_all": bool(session.annotations),
            "verify": writable,
            "skip": writable,
            "reopen": writable,
            "predict": writable,
            "predict_folder": writable,
            "cancel": annotator.running,
        }.items():
            self.verbs[name].setEnabled(enabled)
        self.verbs["undo"].setToolTip(f"Undo: {history.undo} (Ctrl+Z)" if history.undo else "Undo")
        self.verbs["redo"].setToolTip(f"Redo: {history.redo} (Ctrl+Y)" if history.redo else "Redo")

    def _on_device(self) -> None:
        self.status.show_device(self._services.annotator.device_line)
