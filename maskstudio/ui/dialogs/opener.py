"""Opens the dialogs; each is imported when it is first asked for, not before the window is up."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFileDialog, QWidget

from maskstudio.progress import TaskContext
from maskstudio.session.detection_filtering import DetectionFiltering
from maskstudio.session.model_store import ModelStore
from maskstudio.session.preannotation import PreAnnotator
from maskstudio.session.session import Session
from maskstudio.session.tasks import LaneName, Tasks
from maskstudio.ui.actions import Actions
from maskstudio.ui.canvas.canvas import Canvas
from maskstudio.ui.tools.pointer_input import PointerInput

if TYPE_CHECKING:
    from maskstudio.ui.dialogs.category_map import CategoryMapDialog

_LOAD_AHEAD_MS = 3000


class ModelDialogs:
    """What opens over a window about the model."""

    def __init__(
        self,
        window: QWidget,
        session: Session,
        tasks: Tasks,
        filtering: DetectionFiltering,
        annotator: PreAnnotator,
        store: ModelStore,
    ) -> None:
        self._window = window
        self._store = store
        self._session = session
        self._tasks = tasks
        self._filtering = filtering
        self._annotator = annotator
        annotator.map_wanted.connect(self._on_map_wanted)

    def handlers(self) -> dict[str, Callable[[], object]]:
        """Return what to call for each action that opens a dialog about the model."""
        return {
            "category_map": self._category_map,
            "failures": self._failures,
            "models": self._models,
            "choose_model": self._choose_model,
        }

    def _models(self) -> None:
        from maskstudio.ui.dialogs.models import show_models

        show_models(self._store, self._annotator, self._window)

    def _choose_model(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self._window, "Choose a model", "", "Models (*.safetensors);;All files (*)"
        )
        if name:
            self._store.choose(name)

    def _failures(self) -> None:
        from maskstudio.ui.dialogs.failures import show_failures

        show_failures(self._session, self._annotator.batch, self._window)

    def _category_map(self) -> "CategoryMapDialog":
        from maskstudio.ui.dialogs.category_map import show_category_map

        return show_category_map(
            self._session, self._tasks, self._filtering, self._annotator, self._window
        )

    def _on_map_wanted(self, batch: bool) -> None:
        self._category_map().wait_for(batch=batch)


class DataDialogs:
    """What opens over a window about the data sets of other programs."""

    def __init__(
        self,
        window: QWidget,
        session: Session,
        tasks: Tasks,
        open_folder: Callable[[Path], object],
    ) -> None:
        self._window = window
        self._session = session
        self._tasks = tasks
        self._open_folder = open_folder
        # By the time an export is asked for its libraries are there; to wait for them takes 0.3 s.
        # While a folder is being opened there is more urgent work.
        load = QTimer(window, singleShot=True, interval=_LOAD_AHEAD_MS)
        load.timeout.connect(lambda: tasks.submit(LaneName.FILES, _load_exporting))
        session.opened.connect(load.start)

    def handlers(self) -> dict[str, Callable[[], object]]:
        """Return what to call for each action that opens a dialog about data sets."""
        return {"import": self.import_data, "export": self._export}

    def import_data(self, path: Path | None = None) -> None:
        """Show what a data set would bring, or ask for one."""
        from maskstudio.ui.dialogs.import_data import show_import

        if self._session.database is not None:
            show_import(self._session, self._tasks, self._open_folder, self._window, path)

    def _export(self) -> None:
        from maskstudio.ui.dialogs.export import show_export

        if self._session.database is not None:
            show_export(self._session, self._tasks, self._window)


class Dialogs:
    """What opens over a window."""

    def __init__(
        self,
        window: QWidget,
        session: Session,
        tasks: Tasks,
        canvas: Canvas,
        pointer: PointerInput,
        actions: Actions,
    ) -> None:
        self._window = window
        self._session = session
        self._tasks = tasks
        self._canvas = canvas
        self._input = pointer
        self._actions = actions

    def handlers(self) -> dict[str, Callable[[], object]]:
        """Return what to call for each action that opens a dialog."""
        return {
            "adjust": self._adjust,
            "simplify": self._simplify,
            "go_to": self._go_to,
            "keys": self._keys,
            "change_keys": self._change_keys,
            "about": self._about,
        }

    def _adjust(self) -> None:
        from maskstudio.ui.dialogs.adjust import show_adjust

        show_adjust(self._canvas, self._window)

    def _simplify(self) -> None:
        from maskstudio.ui.dialogs.simplify import show_simplify

        show_simplify(self._session, self._canvas, self._input, self._tasks, self._window)

    def _go_to(self) -> None:
        from maskstudio.ui.dialogs.go_to import show_go_to

        show_go_to(self._session, self._window)

    def _keys(self) -> None:
        from maskstudio.ui.dialogs.help import show_keys

        show_keys(self._actions.keymap, self._session.problem.emit, self._window)

    def _change_keys(self) -> None:
        from maskstudio.ui.dialogs.keys import show_change_keys

        show_change_keys(self._actions.keymap, self._window)

    def _about(self) -> None:
        from maskstudio.ui.dialogs.help import show_about

        show_about(self._window)


def _load_exporting(context: TaskContext) -> None:
    """Load what exports need, on a lane."""
    del context
    import maskstudio.session.exporting  # noqa: F401 - for its being loaded
