"""What a person still has to do where a model was, in gestures: one click, one drag or one key.

What each thing costs, and why, stands in docs/decisions/0043. Looking at an image and saying that
it is done costs the same whoever labelled it, and is left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from pycocotools import mask as coco_mask

from maskstudio.annotation.confusion import ious
from maskstudio.annotation.many_runs import runs_of
from maskstudio.annotation.masks import Rle, rasterize, simplify_traced
from maskstudio.annotation.run_tracing import trace_all_runs
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.errors import UserError

ACCEPTED_IOU = 0.85
"""Mask IoU from which an outline is left as it is."""

ADJUSTED_IOU = 0.5
"""Mask IoU from which a person mends an outline; below, it is quicker to delete it and draw."""

IN_CROWD = 0.5
"""What lies in a crowd with so much of it is one of the crowd, and no mistake."""

DELETE = 2
"""Gestures: click it, press Delete."""

RENAME = 2
"""Gestures: click it, press the digit of the right category."""

RESHAPE = 3
"""Gestures: click it, two drags of vertices or two strokes of the brush."""

RESHAPE_AND_RENAME = 4
"""Gestures: click it once for both."""

BOX = 2
"""Gestures: drag a box, take what the model offers by its digit."""

HAND = 2
"""Gestures beside one click a corner: close the outline, name it."""


@dataclass(frozen=True, eq=False)
class Instance:
    """One object on an image.

    Attributes:
        category: its name.
        mask: its pixels, an RLE of the image's size.
        crowd: it stands for many that nobody told apart: none of them is asked for, and what a
            model finds there is no mistake.
    """

    category: str
    mask: Rle
    crowd: bool = False

    @classmethod
    def of(cls, category: str, outline: Segmentation, height: int, width: int) -> "Instance":
        """Return what an outline covers on an image of so many rows and columns."""
        return cls(category, rasterize(outline, height, width))


@dataclass(frozen=True, eq=False)
class Truth:
    """What has to stand on an image in the end.

    Attributes:
        instances: the objects; those that cover no pixel are not asked for.
    """

    instances: tuple[Instance, ...]

    @cached_property
    def wanted(self) -> tuple[Instance, ...]:
        """The objects that are asked for."""
        return tuple(one for one in self.instances if not one.crowd and covers_pixels(one.mask))

    @cached_property
    def crowds(self) -> tuple[Instance, ...]:
        """Where nobody knows what stands."""
        return tuple(one for one in self.instances if one.crowd)

    @cached_property
    def by_hand(self) -> tuple[int, ...]:
        """Gestures that drawing each of `wanted` by hand costs: its corners, and `HAND`.

        The corners are those of the simplest outline that would be accepted from a model: what is
        asked of one is asked of the other.
        """
        return tuple(corners + HAND for corners in _corners([one.mask for one in self.wanted]))


Boxed = Callable[[Sequence[int]], Sequence[Rle | None]]
"""Positions in `Truth.wanted`, to the mask a model draws when it is given the object's box."""


@dataclass(frozen=True)
class Effort:
    """What is left to do, of one image or of many added up.

    Attributes:
        accepted: objects left as the model found them.
        adjusted: objects found, but with an outline to mend or another category.
        deleted: what was found and is nothing that is asked for.
        boxed: objects missed that one box prompt outlines.
        drawn: objects missed that are to be drawn by hand.
        gestures: that all of this takes.
        by_hand: gestures that drawing all objects by hand would take.
    """

    accepted: int = 0
    adjusted: int = 0
    deleted: int = 0
    boxed: int = 0
    drawn: int = 0
    gestures: int = 0
    by_hand: int = 0

    def __add__(self, other: "Effort") -> "Effort":
        """Return both together."""
        return Effort(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def objects(self) -> int:
        """How many objects were asked for."""
        return self.accepted + self.adjusted + self.boxed + self.drawn

    @property
    def per_object(self) -> float:
        """Gestures for each object that was asked for; nan where there was none."""
        return self.gestures / self.objects if self.objects else float("nan")

    @property
    def per_object_by_hand(self) -> float:
        """Gestures for each object if all were drawn by hand; nan where there was none."""
        return self.by_hand / self.objects if self.objects else float("nan")

    @property
    def share(self) -> float:
        """What is left of the gestures of drawing all by hand; nan where there is none to draw.

        More than 1 where deleting what is wrong costs more than the model saves.
        """
        return self.gestures / self.by_hand if self.by_hand else float("nan")


def no_box_prompt(missing: Sequence[int]) -> Sequence[Rle | None]:
    """Draw nothing: for models that find boxes only."""
    return [None] * len(missing)


def effort(truth: Truth, found: Sequence[Instance], boxed: Boxed = no_box_prompt) -> Effort:
    """Tell what is left to do on one image.

    What is found is taken for objects, each for one at most: first where that costs least, and of
    two that cost the same the one that fits better.

    Args:
        truth: what has to stand there in the end.
        found: what the model would show there, in any order.
        boxed: asked once, with the objects that were missed.
    """
    pairs = _pairs(truth.wanted, found)
    deleted = _wrong(truth, [one for n, one in enumerate(found) if n not in pairs.of_found])
    missing = [n for n in range(len(truth.wanted)) if n not in pairs.of_wanted]
    by_hand = truth.by_hand
    drawn = [] if not missing else _by_hand(truth.wanted, missing, boxed(missing))
    accepted = sum(cost == 0 for cost in pairs.costs)
    return Effort(
        accepted=accepted,
        adjusted=len(pairs.costs) - accepted,
        deleted=deleted,
        boxed=len(missing) - len(drawn),
        drawn=len(drawn),
        gestures=sum(pairs.costs)
        + DELETE * deleted
        + BOX * (len(missing) - len(drawn))
        + sum(by_hand[n] for n in drawn),
        by_hand=sum(by_hand),
    )


@dataclass(frozen=True)
class _Pairs:
    """Which of the found is taken for which object.

    Attributes:
        of_wanted: positions of the objects.
        of_found: positions of what was found.
        costs: gestures, of each pair.
    """

    of_wanted: frozenset[int]
    of_found: frozenset[int]
    costs: tuple[int, ...]


def _pairs(wanted: Sequence[Instance], found: Sequence[Instance]) -> _Pairs:
    iou = ious([one.mask for one in found], [one.mask for one in wanted])
    near = [
        (_cost(float(iou[f, w]), found[f].category == wanted[w].category), -iou[f, w], f, w)
        for f, w in zip(*(iou >= ADJUSTED_IOU).nonzero(), strict=True)
    ]
    of_wanted: set[int] = set()
    of_found: set[int] = set()
    costs: list[int] = []
    for cost, _, f, w in sorted(near):
        if f not in of_found and w not in of_wanted:
            of_found.add(int(f))
            of_wanted.add(int(w))
            costs.append(cost)
    return _Pairs(frozenset(of_wanted), frozenset(of_found), tuple(costs))


def _cost(iou: float, same_category: bool) -> int:
    if iou >= ACCEPTED_IOU:
        return 0 if same_category else RENAME
    return RESHAPE if same_category else RESHAPE_AND_RENAME


def _wrong(truth: Truth, left: Sequence[Instance]) -> int:
    """Return how many of what is left over do not lie, for the most part, in a crowd."""
    inside = ious([one.mask for one in left], [one.mask for one in truth.crowds], crowds=True)
    return int((inside.max(axis=1, initial=0) < IN_CROWD).sum())


def _by_hand(
    wanted: Sequence[Instance], missing: Sequence[int], masks: Sequence[Rle | None]
) -> list[int]:
    """Return those of the missing that a box prompt does not outline well enough."""
    return [
        n
        for n, mask in zip(missing, masks, strict=True)
        if mask is None or ious([mask], [wanted[n].mask])[0, 0] < ACCEPTED_IOU
    ]


def covers_pixels(mask: Rle) -> bool:
    """Tell whether a mask is not empty."""
    return bool(coco_mask.area(mask))


def _corners(masks: Sequence[Rle]) -> list[int]:
    """Return how many corners a person would click around each mask."""
    if not masks:
        return []
    height, width = masks[0]["size"]
    runs = [np.array(lengths, np.int64) for lengths in runs_of(masks)]
    return [
        # What is the noise of no outline has no fewer corners than runs.
        len(lengths) if outline is None or isinstance(outline, UserError) else _simplest(outline)
        for lengths, outline in zip(runs, trace_all_runs(runs, height, width), strict=True)
    ]


def _simplest(traced: Segmentation) -> int:
    x, y, right, bottom = (int(side) for side in traced.box)
    near = traced.translated(-x, -y)
    return simplify_traced(near, bottom - y, right - x, ACCEPTED_IOU).vertex_count
