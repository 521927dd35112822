"""The work of lane MODEL: load a model, find the instances of an image, trace their outlines."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from maskstudio.annotation.detections import Outlined, Predictor, outline
from maskstudio.progress import TaskContext
from maskstudio.storage.detections import read_detections, write_detections
from maskstudio.storage.images import read_image

LoadPredictor = Callable[[str], Predictor]
"""Loads a model by name or path; called on lane MODEL, where torch may be imported."""


@dataclass(frozen=True)
class ImageTask:
    """One image for the model.

    Attributes:
        image_id: the image.
        path: its file.
        project_folder: where its detections are kept.
        model_name: the model to run.
        use_kept: take the detections kept from an earlier run of the same model.
    """

    image_id: int
    path: Path
    project_folder: Path
    model_name: str
    use_kept: bool = False


class ModelHolder:
    """The model loaded last. Only lane MODEL calls it."""

    def __init__(self, load: LoadPredictor) -> None:
        self._load = load
        self._name: str | None = None
        self._predictor: Predictor | None = None

    def get(self, name: str) -> Predictor:
        """Return a model, loaded when it is not the one at hand.

        Raises:
            UserError: it cannot be loaded.
        """
        if self._predictor is None or self._name != name:
            # Let go of the old one first: two may not fit into memory.
            self._predictor = None
            self._predictor = self._load(name)
            self._name = name
        return self._predictor

    def load(self, name: str) -> str:
        """Load a model and say where it runs and, if that is no GPU, why.

        Raises:
            UserError: it cannot be loaded.
        """
        predictor = self.get(name)
        why = f" ({predictor.why_not_gpu})" if predictor.why_not_gpu else ""
        return f"{predictor.device_name}{why}"

    def find(self, task: ImageTask, context: TaskContext) -> Outlined:
        """Find and trace the instances of one image, and keep the detections.

        Raises:
            UserError: the model or the image cannot be read, or the result cannot be kept.
            CancelledError: the person asked to stop.
        """
        predictor = self.get(task.model_name)
        kept = read_detections(task.project_folder, task.image_id) if task.use_kept else None
        if kept is not None and kept.model_id == predictor.model_id:
            return outline(kept, context)
        context.report(0, 2, "running the model")
        detections = predictor.predict(read_image(task.path), context)
        context.report(1, 2, "tracing outlines")
        found = outline(detections, context)
        write_detections(task.project_folder, task.image_id, detections)
        return found
