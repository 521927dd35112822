"""The work of lane MODEL: load a model, find the instances of an image, trace their outlines."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.detections import (
    Detections,
    ImageFeatures,
    Outlined,
    Predictor,
    outline,
)
from maskstudio.annotation.device_facts import DeviceFacts
from maskstudio.annotation.tiling import AUTOMATIC, PixelBox, Sight, Tiling, estimate
from maskstudio.later import np
from maskstudio.progress import TaskContext
from maskstudio.session.feature_cache import FeatureCache, FeatureKey
from maskstudio.storage.settings import cache_dir

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
        keeps_features: keep what the model sees of it, for what a person may ask next.
        shown: what of the detections is to be shown, which is what is traced; None for all.
        tiling: whether it is looked at in tiles.
    """

    image_id: int
    path: Path
    project_folder: Path
    model_name: str
    use_kept: bool = False
    keeps_features: bool = False
    shown: DetectionFilter | None = None
    tiling: Tiling = AUTOMATIC

    @property
    def features(self) -> FeatureKey:
        """Under what the model's features of the whole image are kept."""
        return FeatureKey(self.project_folder, self.image_id, self.model_name)


@dataclass(frozen=True)
class LoadedModel:
    """What is known of a model once it is loaded.

    Attributes:
        model_id: the name annotations made by it carry.
        categories: what it knows.
        device_line: where it runs and, if that is no GPU, why.
        draws_outlines: False when it finds boxes only.
        sight: to what size it scales an image, and how small an object it can find.
    """

    model_id: str
    categories: tuple[Category, ...]
    device_line: str
    draws_outlines: bool = True
    sight: Sight | None = None


class ModelHolder:
    """The loaded models, and what they saw of the last images.

    What a model learned from a person's work runs in its place, under its name. Only lane MODEL
    calls it, but for `want`, `facts`, `has_looked`, `is_looking` and what is said of learning.
    """

    def __init__(self, load: LoadPredictor) -> None:
        self._load = load
        self._predictors: dict[str, Predictor] = {}
        self._learned: dict[str, Predictor] = {}
        self._wanted: frozenset[str] = frozenset()
        self._features = FeatureCache()
        self._looking: tuple[FeatureKey, ...] = ()

    def get(self, name: str) -> Predictor:
        """Return a model, or what it has learned, loaded when it is not at hand.

        Raises:
            UserError: it cannot be loaded.
        """
        return self._learned.get(name) or self.start(name)

    def start(self, name: str) -> Predictor:
        """Return a model as it is without what it has learned; see `get`."""
        if name not in self._predictors:
            # Let go of the old ones first: two may not fit into memory.
            kept = {n: p for n, p in self._predictors.items() if n in self._wanted}
            if len(kept) < len(self._predictors):
                self._predictors = kept
                self._features.clear()
            self._predictors[name] = self._load(name)
        return self._predictors[name]

    def want(self, names: Iterable[str]) -> None:
        """Say which models are in use; others go when one is loaded. For the GUI thread.

        A run goes on with the model it began with after a person has chosen another, and neither
        is to be loaded anew for each image.
        """
        self._wanted = frozenset(names)

    def use_learned(self, name: str, learned: Predictor | None) -> LoadedModel | None:
        """Have what a model learned run in its place, or the model itself again.

        May be called from any thread: each reads what the other has seen of an image.

        Returns:
            What is known of what runs now; None where that is not loaded.
        """
        others = {n: p for n, p in self._learned.items() if n != name}
        self._learned = others if learned is None else {**others, name: learned}
        runs = learned or self._predictors.get(name)
        return None if runs is None else _known(runs)

    def has_learned(self, name: str) -> bool:
        """Tell whether what a model learned runs in its place; may be asked from any thread."""
        return name in self._learned

    def facts(self, name: str) -> DeviceFacts | None:
        """Return how a model runs; None until it is loaded. May be asked from any thread."""
        predictor = self._learned.get(name) or self._predictors.get(name)
        return None if predictor is None else predictor.facts()

    def load(self, name: str) -> LoadedModel:
        """Load a model and say what is known of it.

        Raises:
            UserError: it cannot be loaded.
        """
        return _known(self.get(name))

    def has_looked(self, task: ImageTask) -> bool:
        """Tell whether `look` would give what is there; may be asked from any thread."""
        return task.features in self._features

    def windows(self, task: ImageTask) -> tuple[PixelBox, ...]:
        """Return which parts of an image `look` would give what is there of."""
        return self._features.windows(task.features)

    def is_looking(self, task: ImageTask) -> bool:
        """Tell whether this image is being looked at now; may be asked from any thread.

        A job that a look gives way to must not wait for it: it runs on the same thread.
        """
        return task.features in self._looking

    def look(
        self,
        task: ImageTask,
        context: TaskContext,
        *,
        window: PixelBox | None = None,
        keep: bool = True,
    ) -> ImageFeatures:
        """Return what the model sees of an image: at once if it saw it lately.

        Args:
            task: the image and the model.
            context: asked often whether to stop.
            window: the part of it to look at; None for all of it, which must fit into memory.
            keep: somebody may ask more about this image; else it takes no other's place.

        Raises:
            UserError: the model or the image cannot be read, or the device does not allow it.
            CancelledError: the person asked to stop.
        """
        predictor = self.get(task.model_name)
        key = replace(task.features, window=window)
        features = self._features.get(key)
        if features is None:
            before = self._looking
            self._looking = (*before, key)
            try:
                features = predictor.see(_pixels(task.path, window, context), context)
            finally:
                self._looking = before
            if keep:
                self._features.put(key, features)
        return features

    def tiles_of(self, task: ImageTask) -> int:
        """Return in how many tiles an image may have to be looked at; 0 where in none.

        Raises:
            UserError: the model or the image cannot be read.
        """
        from maskstudio.storage.images import read_size

        planned = estimate(task.tiling, self.get(task.model_name).sight, read_size(task.path), None)
        return 0 if planned is None else planned.tiles

    def find(self, task: ImageTask, context: TaskContext) -> Outlined:
        """Find and trace the instances of one image, and keep the detections.

        Raises:
            UserError: the model or the image cannot be read, or the result cannot be kept.
            CancelledError: the person asked to stop.
        """
        from maskstudio.storage.detections import read_detections, write_detections

        predictor = self.get(task.model_name)
        kept = read_detections(task.project_folder, task.image_id) if task.use_kept else None
        if kept is not None and still_good(kept, predictor, task.tiling):
            return _outlined(kept, task.shown, context)
        context.report(0, 0, "running the model")
        detections = self._detect(predictor, task, context)
        context.report(0, 0, "tracing outlines")
        found = _outlined(detections, task.shown, context)
        write_detections(task.project_folder, task.image_id, detections)
        return found

    def _detect(self, predictor: Predictor, task: ImageTask, context: TaskContext) -> Detections:
        """Look at an image, whole or in tiles."""
        from maskstudio.annotation.tile_run import find_instances
        from maskstudio.storage.image_source import open_source
        from maskstudio.storage.pyramids import Pyramids

        with open_source(task.path, context, Pyramids(cache_dir() / "pyramids")) as source:

            def look() -> Detections:
                return predictor.find(self.look(task, context), context)

            may_look = task.keeps_features and source.fits_memory
            whole = look if may_look else None
            return find_instances(predictor, source, task.tiling, context, whole)


def _known(predictor: Predictor) -> LoadedModel:
    why = f" ({predictor.why_not_gpu})" if predictor.why_not_gpu else ""
    line = f"{predictor.device_name}{why}"
    outlines = predictor.draws_outlines
    known = predictor.categories, line, outlines, predictor.sight
    return LoadedModel(predictor.model_id, *known)


def _pixels(path: Path, window: PixelBox | None, context: TaskContext) -> NDArray[np.uint8]:
    """Read an image or a part of it, (height, width, 3) uint8 RGB."""
    from maskstudio.storage.image_source import open_source
    from maskstudio.storage.images import read_image
    from maskstudio.storage.pyramids import Pyramids

    if window is None:
        return read_image(path)
    with open_source(path, context, Pyramids(cache_dir() / "pyramids")) as source:
        return source.window(window)


def still_good(kept: Detections, predictor: Predictor, tiling: Tiling) -> bool:
    """Tell whether the model would find the same again."""
    return kept.model_id == predictor.model_id and tiling.fits(
        predictor.sight, kept.size, kept.tiles
    )


def _outlined(
    detections: Detections, shown: DetectionFilter | None, context: TaskContext
) -> Outlined:
    """Trace what may be shown: a few of 500 detections, mostly."""
    if shown is None:
        return outline(detections, context)
    lowest = shown.lowest_scores([category.name for category in detections.categories])
    passes = detections.scores >= lowest[detections.labels]
    return outline(detections, context, shown.mask_threshold, np.flatnonzero(passes).tolist())
