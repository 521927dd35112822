"""What a model draws when it is given the boxes of objects that it missed."""

from collections.abc import Mapping, Sequence

import numpy as np
from pycocotools import mask as coco_mask

from maskstudio.annotation.box_answers import BoxAnswers
from maskstudio.annotation.detections import ImageFeatures, Predictor
from maskstudio.annotation.effort import Boxed, Truth, no_box_prompt
from maskstudio.annotation.masks import Rle, rasterize
from maskstudio.progress import TaskContext


def box_prompt(
    predictor: Predictor,
    features: ImageFeatures,
    truth: Truth,
    names: Mapping[str, str],
    context: TaskContext,
) -> Boxed:
    """Return what gives a model the exact boxes of objects, for `effort`.

    Of the categories it offers for a box the right one is taken, or the first where it is not among
    them: a person names the object, and keeps the outline.

    Args:
        predictor: the model.
        features: what it has seen of the image.
        truth: the objects.
        names: of the model's categories, those the objects have; what is missing has the same name.
        context: asked often whether to stop.
    """
    if not predictor.draws_outlines:
        return no_box_prompt

    def boxed(missing: Sequence[int]) -> list[Rle | None]:
        wanted = [truth.wanted[n] for n in missing]
        left, top, width, height = coco_mask.toBbox([one.mask for one in wanted]).T
        boxes = np.stack([left, top, left + width, top + height], axis=1)
        answers = predictor.answer(features, boxes, context)
        return [_mask(answers, n, one.category, names) for n, one in enumerate(wanted)]

    return boxed


def _mask(answers: BoxAnswers, index: int, category: str, names: Mapping[str, str]) -> Rle | None:
    offered = [answers.category(index, choice).name for choice in range(answers.choices)]
    meant = [names.get(name, name) for name in offered]
    outline = answers.outline(index, meant.index(category) if category in meant else 0)
    return None if outline is None else rasterize(outline, *answers.size)
