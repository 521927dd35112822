"""The model: which one runs, the score from which its detections show, and how far a run is."""

from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from maskstudio.annotation.tiling import TileChoice
from maskstudio.session.detection_filtering import DetectionFiltering
from maskstudio.session.learning import Learning
from maskstudio.session.model_store import ModelStore
from maskstudio.session.preannotation import PreAnnotator
from maskstudio.ui.actions import Actions
from maskstudio.ui.labels import heading
from maskstudio.ui.panels.device_facts import DeviceFactsLine
from maskstudio.ui.panels.filters import FiltersPanel
from maskstudio.ui.panels.learning import LearningRow
from maskstudio.ui.panels.model_choice import ModelChoice
from maskstudio.ui.panels.run_progress import RunProgressPanel
from maskstudio.ui.panels.tiles import TilesRow


class ModelPanel(QWidget):
    """Model, filters, progress.

    Attributes:
        choice: which model runs.
        device: where and how fast.
        tiles: how large images are looked at.
        learning: what the model has learned from the person's work.
        filters: the sliders.
    """

    def __init__(
        self,
        annotator: PreAnnotator,
        filtering: DetectionFiltering,
        store: ModelStore,
        run: RunProgressPanel,
        verbs: Actions,
        learning: Learning,
    ) -> None:
        super().__init__()
        self._store = store
        self.run = run
        self.choice = ModelChoice(annotator, store)
        self.tiles = TilesRow(annotator, [verbs[f"tiles_{choice}"] for choice in TileChoice])
        self.device = DeviceFactsLine(annotator.device)
        self.learning = LearningRow(learning, [verbs["learn"], verbs["start_model"]])
        self.filters = FiltersPanel(filtering)
        self._map = QToolButton()
        self._map.setObjectName("small")
        self._map.setDefaultAction(verbs["category_map"])
        self._column = QVBoxLayout(self)
        self._build()
        store.changed.connect(self._on_store)

    def _build(self) -> None:
        title = heading("Model")
        column = self._column
        column.setContentsMargins(10, 8, 10, 8)
        column.addWidget(title)
        row = QHBoxLayout()
        row.addWidget(self.choice, 1)
        row.addWidget(self._map)
        column.addLayout(row)
        column.addWidget(self.device)
        column.addWidget(self.tiles)
        column.addWidget(self.learning)
        column.addWidget(self.filters)
        column.addWidget(self.run)

    def _on_store(self) -> None:
        """Show how far a download is; most windows never see one."""
        if self._store.downloading:
            from maskstudio.ui.panels.download_row import DownloadRow

            self._store.changed.disconnect(self._on_store)
            self._column.addWidget(DownloadRow(self._store, self))
