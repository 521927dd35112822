"""The composition root of the GUI: build everything, wire it, shut it down.

`build` makes the Qt application, the lanes, the session and the window, and gives the session a way
to load a predictor. Torch is imported when the first model is loaded, on lane MODEL, after the
window is up.
"""

import gc
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication, QMessageBox

from maskstudio.annotation.detections import Predictor
from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.session import operations
from maskstudio.session.box_outlining import BoxOutlining
from maskstudio.session.child import own_command
from maskstudio.session.detection_filtering import DetectionFiltering
from maskstudio.session.drafts import Drafts
from maskstudio.session.facts_reading import FactsReading
from maskstudio.session.hush import Hush
from maskstudio.session.images import ImageLoader
from maskstudio.session.learning import Learning
from maskstudio.session.listing import FolderListing
from maskstudio.session.log_keeping import LogKeeping
from maskstudio.session.look_ahead import LookAhead
from maskstudio.session.model_store import ModelReading, ModelStore
from maskstudio.session.preannotation import PreAnnotator
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, LaneName, Tasks
from maskstudio.storage.model_folder import ImportCandidate
from maskstudio.storage.places import has_project
from maskstudio.storage.settings import (
    DEFAULT_MODEL,
    ThemeName,
    data_dir,
    read_settings,
    settings_path,
    write_settings,
)
from maskstudio.storage.stored_values import Window
from maskstudio.ui.canvas.adjustment import Adjustment
from maskstudio.ui.canvas.canvas import Canvas
from maskstudio.ui.main_window import MainWindow
from maskstudio.ui.notifications import Notifications
from maskstudio.ui.services import Services
from maskstudio.ui.theme import apply_theme

_LOG_BYTES = 1_000_000
_LOAD_AHEAD_MS = 100
_SWITCH_SECONDS = 0.001
# To look for garbage among all that has lived long takes 50 to 90 ms with 10,000 annotations on the
# image; it is done a hundred times more seldom than Python would. What dies young is found as ever.
_GARBAGE_THRESHOLDS = 700, 10, 1000


class App(QObject):
    """The running program."""

    def __init__(
        self,
        application: QApplication,
        settings_file: Path,
        load: Callable[[str], Predictor],
        command: tuple[str, ...],
    ) -> None:
        super().__init__()
        self._application = application
        self._settings_file = settings_file
        said: list[str] = []
        self._settings = read_settings(settings_file, said.append)
        apply_theme(application, self._settings.theme)
        self.tasks = Tasks(self)
        self.session = Session(self)
        self.notifications = Notifications(self)
        filtering = DetectionFiltering(self.session, self.tasks, self)
        self.annotator = PreAnnotator(self.session, self.tasks, filtering, load, DEFAULT_MODEL)
        self.models = ModelStore(self.tasks, _MODEL_READING, self)
        self._drafts = Drafts(self.session, self.tasks, self)
        self._loader = ImageLoader(self.tasks, self)
        look_ahead = LookAhead(self.session, self.tasks, self.annotator, filtering)
        look_ahead.problem.connect(self.notifications.problem)
        services = Services(
            self.session,
            self.tasks,
            self._loader,
            filtering,
            self.annotator,
            self.models,
            look_ahead,
            BoxOutlining(self.session, self.tasks, self.annotator),
            self._drafts,
            self.notifications,
            command,
            Learning(self.session, self.tasks, self.annotator, filtering),
        )
        self._listing = FolderListing(self.session, self.tasks)
        FactsReading(self.session, self.tasks)
        Hush(self.session, self.tasks)
        LogKeeping(self.session, self.tasks)
        self.window = MainWindow(services, self._settings.theme)
        self.window.restore_layout(self._settings.window)
        self._restore_display()
        said.append(self._restore_keys())
        self._wire()
        # By the time a folder is chosen its library is there; to wait for it takes 0.3 s.
        QTimer.singleShot(_LOAD_AHEAD_MS, self, self._load_database_library)
        for sentence in filter(None, said):
            self.notifications.problem(sentence)

    def open_folder(self, folder: Path) -> None:
        """Open a folder of images; when that fails, what was open stays open."""
        folder = folder.expanduser().absolute()
        if self._is_open(folder):
            # Its lock is ours; what is new in it is all there is to find.
            self._listing.start()
            return
        from maskstudio.storage.opening import ProjectLockedError, open_project

        try:
            database = open_project(folder)
        except ProjectLockedError as error:
            if not self._ask_read_only(str(error)):
                return
            database = open_project(folder, read_only=True)
        except UserError as error:
            self.notifications.problem(str(error))
            return
        self.session.open(database)
        self._listing.start()
        self._keep(last_folder=str(folder))

    def close(self) -> None:
        """Stop all work and let go of everything; the work itself is on the disk already."""
        canvas = self.window.canvas
        shown = _kept_display(canvas) | {"share_borders": canvas.shares_borders}
        shown["minimap"] = self.window.minimap.wanted
        shown["properties"] = self.window.annotations.properties.fold.isChecked()
        shown["more_filters"] = self.window.model.filters.fold.isChecked()
        self._keep(window=self.window.layout_state(), **shown)
        self.annotator.stop()
        self.tasks.close()
        self._loader.clear()
        self.session.close()

    def start(self) -> None:
        """Load the model used last, and open the folder used last if none is open."""
        self.annotator.use_model(self._settings.model)
        last = Path(self._settings.last_folder)
        if self.session.database is None and self._settings.last_folder and has_project(last):
            self.open_folder(last)

    def _load_database_library(self) -> None:
        self.tasks.submit(LaneName.FILES, _import_opening, Callbacks())

    def _restore_display(self) -> None:
        kept = self._settings
        self.window.canvas.shares_borders = kept.share_borders
        self.window.verbs["share_borders"].setChecked(kept.share_borders)
        self.window.verbs["minimap"].setChecked(kept.minimap)
        self.window.minimap.wanted = kept.minimap
        self.window.annotations.properties.fold.setChecked(kept.properties)
        self.window.model.filters.fold.setChecked(kept.more_filters)
        window = Window(kept.black_at, kept.white_at) if kept.black_at < kept.white_at else None
        adjustment = Adjustment(kept.brightness, kept.contrast, kept.gamma, window)
        self.window.canvas.set_adjustment(adjustment.clamped())

    def _restore_keys(self) -> str:
        """Take up the stored keys; return a sentence on what could not be, or nothing."""
        keymap, kept = self.window.verbs.keymap, self._settings
        said = ""
        if kept.key_preset or kept.keys:
            said = keymap.restore(kept.key_preset or keymap.preset, kept.keys)
        keymap.changed.connect(lambda: self._keep(key_preset=keymap.preset, keys=keymap.changes))
        return said

    def _wire(self) -> None:
        window, session = self.window, self.session
        window.folder_wanted.connect(self.open_folder)
        window.theme_chosen.connect(self._choose_theme)
        self.models.chosen.connect(self.annotator.use_model)
        self.models.problem.connect(self.notifications.problem)
        window.closing.connect(self.close)
        session.problem.connect(self.notifications.problem)
        self.annotator.model_loaded.connect(self._on_model)
        self.annotator.problem.connect(self.notifications.problem)
        session.images_changed.connect(self._show_first)
        session.opened.connect(self._show_first)
        self._application.styleHints().colorSchemeChanged.connect(self._on_system_theme)

    def _show_first(self) -> None:
        """Show the image with an unfinished outline, or the first that is not finished."""
        session = self.session
        if session.current is not None or not session.image_ids:
            return
        if self._drafts.newest is not None:
            session.show(self._drafts.newest)
        elif not operations.step_to_unfinished(session):
            session.show(session.image_ids[0])

    def _on_model(self) -> None:
        self._keep(model=self.annotator.model_name)

    def _choose_theme(self, theme: ThemeName) -> None:
        self._keep(theme=theme)
        apply_theme(self._application, theme)
        self.window.verbs.renew_icons()

    def _on_system_theme(self) -> None:
        if self._settings.theme is ThemeName.SYSTEM:
            self._choose_theme(ThemeName.SYSTEM)

    def _is_open(self, folder: Path) -> bool:
        current = self.session.folder
        if current is None or self.session.read_only or not has_project(folder):
            return False
        return current.exists() and folder.samefile(current)

    def _ask_read_only(self, sentence: str) -> bool:
        answer = QMessageBox.question(self.window, "MaskStudio", f"{sentence}\n\nOpen for reading?")
        return answer == QMessageBox.StandardButton.Yes

    def _keep(self, **changed: Any) -> None:
        self._settings = replace(self._settings, **changed)
        try:
            write_settings(self._settings_file, self._settings)
        except UserError as error:
            self.notifications.problem(str(error))


def build(
    argv: Sequence[str],
    settings_file: Path | None = None,
    load: Callable[[str], Predictor] | None = None,
    command: tuple[str, ...] | None = None,
) -> App:
    """Build the program without running it.

    Args:
        argv: for Qt; the first is the program's name.
        settings_file: where the preferences lie; the person's own by default.
        load: loads a model by name or path; the real one by default.
        command: what starts the program again for training and the like; itself by default.
    """
    # Python lets another thread in after 5 ms by itself: a frame would wait for each of the lanes.
    # After much less the lane that paints would have the lock back hundreds of times in a frame.
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.set_threshold(*_GARBAGE_THRESHOLDS)
    existing = QApplication.instance()
    application = existing if isinstance(existing, QApplication) else QApplication(list(argv))
    application.setApplicationName("MaskStudio")
    return App(
        application,
        settings_file or settings_path(),
        load or load_predictor,
        command or own_command(),
    )


def _kept_display(canvas: Canvas) -> dict[str, float]:
    """Return how the image is shown, by the names of the settings."""
    shown = canvas.adjustment
    window = shown.window or Window(0.0, 0.0)
    return {
        "brightness": shown.brightness,
        "contrast": shown.contrast,
        "gamma": shown.gamma,
        "black_at": window.low,
        "white_at": window.high,
    }


def _import_opening(context: TaskContext) -> None:
    """Load the database library, on a lane."""
    del context
    import maskstudio.storage.opening  # noqa: F401 - for its being loaded


def load_predictor(name: str) -> Predictor:
    """Load a model by name or path; importing torch takes seconds and happens here."""
    from maskstudio.mask_rcnn.importing import obtain_model
    from maskstudio.mask_rcnn.predictor import MaskRCNNPredictor

    return MaskRCNNPredictor.load(obtain_model(name))


def _look_into(path: Path) -> ImportCandidate:
    from maskstudio.mask_rcnn.importing import look_into

    return look_into(path)


def _import_model(path: Path, name: str, names: Sequence[str] | None) -> Path:
    from maskstudio.mask_rcnn.importing import import_model

    return import_model(path, name, names)


def _names_from_coco(path: Path, count: int) -> tuple[str, ...]:
    from maskstudio.mask_rcnn.importing import names_from_coco

    return names_from_coco(path, count)


# They load torch when they are called, on lane MODEL.
_MODEL_READING = ModelReading(_look_into, _import_model, _names_from_coco)


def run(folder: Path | None) -> int:
    """Run the program until its window is closed; return the exit code."""
    app = build(sys.argv[:1])
    _install_excepthook(app)
    app.window.show()
    if folder is not None:
        # Not before the first frame: the database library takes a while to load.
        QTimer.singleShot(0, partial(app.open_folder, folder))
    # Once the window is painted: importing torch takes the interpreter's lock for a while.
    QTimer.singleShot(300, app.start)
    return QApplication.exec()


def _install_excepthook(app: App) -> None:
    """A bug reaches the log and one message; the work is saved already."""
    file = data_dir() / "maskstudio.log"

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, UserError):
            app.notifications.problem(str(error))
            return
        _write_log(file, (kind, error, trace))
        app.notifications.problem(
            f"Something went wrong inside the program ({error}). Your work is saved; "
            f"details are in {file}."
        )

    sys.excepthook = hook


def _write_log(
    file: Path, bug: tuple[type[BaseException], BaseException, TracebackType | None]
) -> None:
    """Write a bug into the log; what that needs is not imported before there is one."""
    import logging.handlers

    file.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        file, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8"
    )
    logging.basicConfig(handlers=[handler], format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger(__name__).critical("unexpected", exc_info=bug)
