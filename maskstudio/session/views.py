"""Asking the model about boxes and places: of the whole image, or of a part of it as it is.

Scaled to what the model takes, a large image leaves of a small object a handful of cells, and one
that does not fit into memory cannot be seen whole at all. There the model looks at a part around
what is asked about. What it saw of a part is kept too, so that the neighbours come at once.
An image that was seen whole already is asked whole.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from maskstudio.annotation.box_answers import BoxAnswers
from maskstudio.annotation.offers import Reading, readings
from maskstudio.annotation.segmentation import Box
from maskstudio.annotation.tiling import PixelBox, Sight, too_small, window_around
from maskstudio.progress import TaskContext
from maskstudio.session.model_lane import ImageTask, ModelHolder

# Side of an object in the model's own pixels: four cells of the finest level of the pyramid, which
# has a cell for 4 x 4 of them. Of less the mask head sees too little.
_LEAST_SIDE = 16.0


def view_of_box(
    holder: ModelHolder, task: ImageTask, box: Box, near: Sequence[PixelBox] = ()
) -> PixelBox | None:
    """Return the part of an image that the model is to see for a box; None for all of it.

    Args:
        holder: the models.
        task: the image and the model.
        box: xyxy, within the image.
        near: parts that are seen anyway.

    Raises:
        UserError: the model or the image cannot be read.
    """
    if holder.has_looked(task):
        # The model looks closer at what is small in it, in a tenth of the time a part takes.
        return None
    size, sight = _size(task), holder.get(task.model_name).sight
    side, scale = math.sqrt((box[2] - box[0]) * (box[3] - box[1])), sight.scale(size)
    if _fits(size) and (scale >= 1 or side * scale >= _LEAST_SIDE):
        return None
    return _part(holder, task, box, sight, near)


def view_of_place(holder: ModelHolder, task: ImageTask, x: float, y: float) -> PixelBox | None:
    """Return the part of an image that the model is to see for a place; None for all of it.

    Raises:
        UserError: the model or the image cannot be read.
    """
    if holder.has_looked(task):
        return None
    size, sight = _size(task), holder.get(task.model_name).sight
    if _fits(size) and not too_small(sight, size, ()):
        return None
    return _part(holder, task, (x, y, x, y), sight, ())


def answer_in(
    holder: ModelHolder,
    task: ImageTask,
    view: PixelBox | None,
    boxes: Sequence[Box],
    context: TaskContext,
    *,
    keep: bool = True,
) -> BoxAnswers:
    """Return what the model answers about boxes in a view, in pixels of the image.

    Raises:
        UserError: the image cannot be read, or the device does not allow it.
        CancelledError: the person asked to stop.
    """
    features = holder.look(task, context, window=view, keep=keep)
    there = np.array(boxes, np.float64) - _offset(view)
    answers = holder.get(task.model_name).answer(features, there, context)
    return _moved(answers, view, task)


def candidates_in(
    holder: ModelHolder,
    task: ImageTask,
    view: PixelBox | None,
    point: tuple[float, float],
    context: TaskContext,
) -> BoxAnswers:
    """Return what the model offers at a place, in pixels of the image; see `answer_in`."""
    features = holder.look(task, context, window=view)
    x, y = (np.array(point) - _offset(view)[:2]).tolist()
    return _moved(holder.get(task.model_name).candidates(features, x, y, context), view, task)


def answer_all(
    holder: ModelHolder, task: ImageTask, boxes: Sequence[Box], context: TaskContext, *, keep: bool
) -> tuple[tuple[Reading, ...], ...]:
    """Return the readings of the answer about each box; as few views as will do are looked at.

    Raises:
        UserError: the image cannot be read, or the device does not allow it.
        CancelledError: the person asked to stop.
    """
    views: dict[PixelBox | None, list[int]] = {}
    for place, box in enumerate(boxes):
        parts = [view for view in views if view is not None]
        views.setdefault(view_of_box(holder, task, box, parts), []).append(place)
    found: dict[int, tuple[Reading, ...]] = {}
    for view, places in views.items():
        asked = [boxes[place] for place in places]
        answers = answer_in(holder, task, view, asked, context, keep=keep)
        found.update(zip(places, readings(answers), strict=True))
    return tuple(found[place] for place in range(len(boxes)))


def _part(
    holder: ModelHolder, task: ImageTask, box: Box, sight: Sight, near: Sequence[PixelBox]
) -> PixelBox:
    """Return a part around a box that is seen already, or one to be looked at."""
    # What lies around an object tells the model what it is.
    room = max(box[2] - box[0], box[3] - box[1]) / 4
    height, width = _size(task)
    x0, y0 = max(0.0, box[0] - room), max(0.0, box[1] - room)
    x1, y1 = min(float(width), box[2] + room), min(float(height), box[3] + room)
    for part in (*near, *holder.windows(task)):
        if part[0] <= x0 and part[1] <= y0 and x1 <= part[2] and y1 <= part[3]:
            return part
    return window_around(box, (height, width), sight)


def _moved(answers: BoxAnswers, view: PixelBox | None, task: ImageTask) -> BoxAnswers:
    """Return answers about a part in pixels of the whole image."""
    if view is None:
        return answers
    by = _offset(view).astype(np.float32)
    return replace(
        answers, size=_size(task), boxes=answers.boxes + by, mask_boxes=answers.mask_boxes + by
    )


def _offset(view: PixelBox | None) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    left, top = view[:2] if view is not None else (0, 0)
    return np.array([left, top, left, top], np.float64)


def _size(task: ImageTask) -> tuple[int, int]:
    from maskstudio.storage.images import read_size

    return read_size(task.path)


def _fits(size: tuple[int, int]) -> bool:
    from maskstudio.storage.images import MAX_PIXELS

    return size[0] * size[1] <= MAX_PIXELS
