"""The instances of an image as cut-out masks: a thousand of them cost no more than they cover."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from maskstudio.annotation.masks import Rle, decode
from maskstudio.formats.coco_reader import (
    CocoAnnotation,
    CocoFile,
    CocoImage,
    segmentation_to_rle,
)
from maskstudio.formats.coco_shapes import BOX_ONLY

Window = tuple[int, int, int, int]
"""Part of an image: top, left, rows, columns."""

# A cut-off object is still learned from while a tenth of it, and at least four pixels, are seen.
_MIN_VISIBLE_SHARE, _MIN_VISIBLE_PIXELS = 0.1, 4
# How an export marks a box that was drawn without an outline.
_BOX_ALONE = (BOX_ONLY, "true")
# Cut-out masks that are remembered, in the form of run lengths: about 500 bytes each.
_MOST_KEPT = 200_000


@dataclass(frozen=True)
class Instance:
    """An instance, or what is seen of it.

    Attributes:
        label: its category, 1-based.
        top: row of the mask's first row.
        left: column of the mask's first column.
        mask: (rows, columns) uint8, 1 inside; no row or column at its edge is empty.
        outlined: False where a person has drawn a box alone: the mask is that box.
    """

    label: int
    top: int
    left: int
    mask: NDArray[np.uint8]
    outlined: bool = True

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The box around it, xyxy."""
        rows, columns = self.mask.shape
        return self.left, self.top, self.left + columns, self.top + rows

    def within(self, window: Window) -> "Instance | None":
        """Return what of it lies in a window, placed in it; None where that is too little."""
        top, left, rows, columns = window
        down, right = max(0, top - self.top), max(0, left - self.left)
        cut = self.mask[down : top + rows - self.top, right : left + columns - self.left]
        if not cut.size:
            return None
        part = tightened(self, self.top + down - top, self.left + right - left, cut)
        return part if part is not None and still_seen(part, self) else None


class Instances:
    """The instances of a COCO file that are learned from: crowds and bare boxes are not."""

    def __init__(self, coco: CocoFile) -> None:
        """Decode nothing yet."""
        self._coco = coco
        self._labels = {category.id: n + 1 for n, category in enumerate(coco.categories)}
        self._kept: dict[int, tuple[int, int, Rle]] = {}

    def learned(self, image: CocoImage) -> list[CocoAnnotation]:
        """Return the annotations of an image that are learned from."""
        return [
            one
            for one in self._coco.annotations[image.id]
            if not one.iscrowd and one.segmentation is not None
        ]

    def within(self, image: CocoImage, window: Window) -> list[Instance]:
        """Return what is seen of the instances in a window; what lies outside is not decoded."""
        reaching = (one for one in self.learned(image) if _reaches(one, window))
        whole = (self.whole(image, one) for one in reaching)
        parts = (one.within(window) for one in whole if one is not None)
        return [part for part in parts if part is not None]

    def whole(self, image: CocoImage, annotation: CocoAnnotation) -> Instance | None:
        """Return an instance; None where it covers no pixel."""
        label = self._labels[annotation.category_id]
        outlined = _BOX_ALONE not in annotation.attributes
        if kept := self._kept.get(annotation.id):
            mask = decode(kept[2]).astype(np.uint8)
            return Instance(label, kept[0], kept[1], mask, outlined)
        rle = segmentation_to_rle(annotation.segmentation, image.height, image.width)
        mask = decode(rle).astype(np.uint8)
        found = tightened(Instance(label, 0, 0, mask, outlined), 0, 0, mask)
        if found is not None and len(self._kept) < _MOST_KEPT:
            packed: Rle = coco_mask.encode(np.asfortranarray(found.mask))
            self._kept[annotation.id] = (found.top, found.left, packed)
        return found


def tightened(of: Instance, top: int, left: int, mask: NDArray[np.uint8]) -> Instance | None:
    """Return what is left of an instance, without empty rows and columns; None for nothing.

    Args:
        of: the instance.
        top: row of the first row of what is left.
        left: column of its first column.
        mask: what is left.
    """
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    cut = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    first = (top + int(rows[0]), left + int(columns[0]))
    return replace(of, top=first[0], left=first[1], mask=cut.copy())


def still_seen(part: Instance, whole: Instance) -> bool:
    """Tell whether enough of an instance is left to be learned from."""
    least = max(_MIN_VISIBLE_PIXELS, _MIN_VISIBLE_SHARE * np.count_nonzero(whole.mask))
    return bool(np.count_nonzero(part.mask) >= least)


def covered(instances: list[Instance], over: Instance) -> Iterator[Instance]:
    """Yield what is still seen of instances when another lies over them."""
    x0, y0, x1, y1 = over.box
    for one in instances:
        left, top, right, bottom = one.box
        if right <= x0 or x1 <= left or bottom <= y0 or y1 <= top:
            yield one
            continue
        mask = one.mask.copy()
        rows = slice(max(0, y0 - top), y1 - top)
        columns = slice(max(0, x0 - left), x1 - left)
        lying = over.mask[max(0, top - y0) : bottom - y0, max(0, left - x0) : right - x0]
        mask[rows, columns][lying > 0] = 0
        part = tightened(one, top, left, mask)
        if part is not None and still_seen(part, one):
            yield part


def _reaches(annotation: CocoAnnotation, window: Window) -> bool:
    top, left, rows, columns = window
    x, y, w, h = annotation.bbox_xywh
    if w <= 0 or h <= 0:  # The file does not say; the mask will tell.
        return True
    return x < left + columns and x + w > left and y < top + rows and y + h > top
