"""Find what lies over what, and count what was taken for what."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from maskstudio.annotation.masks import Rle

SAME_OBJECT_IOU = 0.5
"""IoU from which what was found is taken for an object; COCO's usual."""


Shapes = Sequence[Rle] | NDArray[np.float64]
"""Masks, or boxes (n, 4) as x, y, width, height."""


def ious(shapes: Shapes, others: Shapes, *, crowds: bool = False) -> NDArray[np.float64]:
    """Return the intersection over union of shapes with others, (n, m).

    Args:
        shapes: masks or boxes.
        others: of the same kind.
        crowds: divide by the area of the shape alone: what share of it lies in the other.
    """
    if not len(shapes) or not len(others):
        return np.zeros((len(shapes), len(others)))
    either: Any = shapes if isinstance(shapes, np.ndarray) else list(shapes)
    other: Any = others if isinstance(others, np.ndarray) else list(others)
    return np.asarray(coco_mask.iou(either, other, [crowds] * len(others)), np.float64)


def confusions(
    wanted: NDArray[np.int64],
    found: NDArray[np.int64],
    iou: NDArray[np.float64],
    ignored: NDArray[np.bool_],
    categories: int,
) -> NDArray[np.int64]:
    """Count, on one image, which categories objects were found as.

    Those of the same category are paired first, and among them those that overlap most, each at
    most once: as `supervision.ConfusionMatrix` does.

    Args:
        wanted: (n,) the objects' categories, 0 to `categories` - 1.
        found: (m,) the categories of what was found.
        iou: (m, n) of what was found with the objects.
        ignored: (m,) what is no mistake where it is paired with nothing.
        categories: how many there are.

    Returns:
        (categories + 1, categories + 1): rows are the objects' categories, columns what they were
        found as; the last column counts the missed, the last row what was found where nothing is.
    """
    counts = np.zeros((categories + 1, categories + 1), np.int64)
    of_found, of_wanted = np.nonzero(iou >= SAME_OBJECT_IOU)
    other = found[of_found] != wanted[of_wanted]
    free_found, free_wanted = np.ones(len(found), bool), np.ones(len(wanted), bool)
    for pair in np.lexsort((of_wanted, of_found, -iou[of_found, of_wanted], other)):
        f, w = of_found[pair], of_wanted[pair]
        if free_found[f] and free_wanted[w]:
            free_found[f] = free_wanted[w] = False
            counts[wanted[w], found[f]] += 1
    np.add.at(counts[:, categories], wanted[free_wanted], 1)
    np.add.at(counts[categories], found[free_found & ~ignored], 1)
    return counts
