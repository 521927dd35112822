"""What a model makes of one image as a whole, for the queue and the audit; on lane MODEL."""

from dataclasses import replace
from functools import partial

import numpy as np

from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.detections import Detections
from maskstudio.annotation.image_doubt import doubt_of, with_mirrored
from maskstudio.annotation.tile_run import find_instances
from maskstudio.progress import TaskContext
from maskstudio.session.model_lane import ImageTask, ModelHolder, still_good
from maskstudio.storage.detections import (
    DETECTIONS,
    OPINIONS,
    read_detections,
    write_detections,
)
from maskstudio.storage.image_source import open_source
from maskstudio.storage.looks import Look
from maskstudio.storage.pyramids import Pyramids
from maskstudio.storage.settings import cache_dir


def look_at(holder: ModelHolder, task: ImageTask, context: TaskContext, *, keep: bool) -> Look:
    """Look at an image: what the model doubts on it and what it looks like.

    Args:
        holder: has the model.
        task: the image; `shown` says what counts as found, `use_kept` whether what was found
            before counts.
        context: asked often whether to stop.
        keep: put what was found into the detections cache, for whoever comes to the image.

    Raises:
        UserError: the model or the image cannot be read, or the device does not allow it.
        CancelledError: the person asked to stop.
    """
    predictor = holder.get(task.model_name)
    found = _kept(holder, task)
    with open_source(task.path, context, Pyramids(cache_dir() / "pyramids")) as source:
        features = holder.look(task, context, keep=False) if source.fits_memory else None
        if found is None:
            whole = None if features is None else partial(predictor.find, features, context)
            found = find_instances(predictor, source, task.tiling, context, whole)
            if keep:
                write_detections(task.project_folder, task.image_id, found)
    gist = None if features is None else predictor.gist(features)
    return Look(doubt_of(found, _shown(task)), gist)


def look_mirrored(holder: ModelHolder, task: ImageTask, look: Look, context: TaskContext) -> Look:
    """Add what the model makes of the mirror image; nothing where it looks at tiles.

    Args:
        holder: has the model.
        task: the image; `shown` says what counts as found, `use_kept` whether what was found
            before counts.
        look: what is known of the image.
        context: asked often whether to stop.

    Raises:
        UserError: the model or the image cannot be read, or the device does not allow it.
        CancelledError: the person asked to stop.
    """
    predictor = holder.get(task.model_name)
    with open_source(task.path, context) as source:
        if not source.fits_memory:
            return look
        pixels, _ = source.reduced(predictor.sight.shorter, context)
    found = _kept(holder, task)
    if found is None:
        found = predictor.predict(pixels, context)
    if found.tiles:
        return look
    mirrored = predictor.predict(np.ascontiguousarray(pixels[:, ::-1]), context)
    return replace(look, doubt=with_mirrored(look.doubt, found, mirrored, _shown(task)))


def keep_opinion(holder: ModelHolder, task: ImageTask, context: TaskContext) -> None:
    """Find the instances of an image that a person has finished, and keep them apart.

    Nothing is done where it is known what the model thinks.

    Args:
        holder: has the model.
        task: the image.
        context: asked often whether to stop.

    Raises:
        UserError: the model or the image cannot be read, the device does not allow it, or the
            result cannot be kept.
        CancelledError: the person asked to stop.
    """
    predictor = holder.get(task.model_name)
    if _kept(holder, task) is not None or _kept(holder, task, OPINIONS) is not None:
        return
    with open_source(task.path, context, Pyramids(cache_dir() / "pyramids")) as source:
        found = find_instances(predictor, source, task.tiling, context)
    write_detections(task.project_folder, task.image_id, found, cache=OPINIONS)


def _shown(task: ImageTask) -> DetectionFilter:
    return task.shown or DetectionFilter()


def _kept(holder: ModelHolder, task: ImageTask, cache: str = DETECTIONS) -> Detections | None:
    if not task.use_kept:
        return None
    kept = read_detections(task.project_folder, task.image_id, cache=cache)
    good = kept is not None and still_good(kept, holder.get(task.model_name), task.tiling)
    return kept if good else None
