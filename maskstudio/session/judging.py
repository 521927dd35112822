"""What a model would have left to do on an image that a person has finished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.category_map import CategoryMap, destinations
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.detections import (
    Detections,
    ImageFeatures,
    Outlined,
    Predictor,
    outline,
)
from maskstudio.annotation.effort import Effort, Instance, Truth, effort
from maskstudio.annotation.learning_names import LearningNames
from maskstudio.annotation.masks import rasterize
from maskstudio.annotation.prompted import box_prompt
from maskstudio.annotation.refiltering import chosen
from maskstudio.progress import TaskContext


class Judge:
    """Holds what a person left on an image against what models find there; on lane MODEL."""

    def __init__(
        self,
        names: LearningNames,
        features: ImageFeatures,
        standing: Sequence[Annotation],
        shown: DetectionFilter,
        context: TaskContext,
    ) -> None:
        """Take up an image.

        Args:
            names: what categories are called.
            features: what a model has seen of it.
            standing: what the person left on it, each with an outline.
            shown: what of a model's detections a person would see.
            context: asked often whether to stop.
        """
        self._names = names
        self._features = features
        self._shown = shown
        self._context = context
        called = {category.id: category.name for category in names.project}
        self._truth = Truth(
            tuple(
                Instance(
                    called[a.category_id], rasterize(a.segmentation, *features.size), a.iscrowd
                )
                for a in standing
                if a.segmentation is not None
            )
        )

    def effort(self, model: Predictor, kept: Detections | None, map_: CategoryMap) -> Effort:
        """Return what a model leaves to do.

        Args:
            model: it understands the features.
            kept: what it found on the image before, if that is known.
            map_: what becomes of its categories.

        Raises:
            UserError: the device does not allow it.
            CancelledError: it is to stop.
        """
        found = kept or model.find(self._features, self._context)
        goes_to = destinations(map_, found.categories, self._names.project)
        seen = replace(self._shown, category_scores=map_.category_scores)
        passing = np.flatnonzero(chosen(found, seen, goes_to)).tolist()
        traced = outline(found, self._context, seen.mask_threshold, passing)
        called = self._names.shown(map_, found.categories)
        named = zip(found.categories, called, strict=True)
        names = {category.name: name for category, name in named if name is not None}
        boxed = box_prompt(model, self._features, self._truth, names, self._context)
        return effort(self._truth, self._instances(traced, called), boxed)

    def _instances(self, traced: Outlined, called: Sequence[str | None]) -> list[Instance]:
        found = []
        for index, segmentation in traced.outlines.items():
            self._context.raise_if_cancelled()
            name = called[int(traced.detections.labels[index])]
            if segmentation is not None and name is not None:
                found.append(Instance.of(name, segmentation, *self._features.size))
        return found
