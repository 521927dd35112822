"""Which annotations of an image are another one once more."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.masks import Rle, mask_iou, rasterize
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.later import shapely

SAME_IOU = 0.9
"""Mask IoU above which two annotations cover the same."""

# Boxes and areas on paper that differ more can be no such masks, however corners are rounded.
_LOWEST_BOUND = 0.5
_ROWS = 256


def raster_area(outline: Segmentation, height: int, width: int) -> float:
    """Return the number of pixels of an image that an outline covers, by pycocotools' rule."""
    rle: Any = rasterize(outline, height, width)  # the stubs of pycocotools take its own type only
    return float(coco_mask.area(rle))


def labelled_twice(
    annotations: Sequence[Annotation],
    outlines: Sequence[Segmentation],
    areas: NDArray[np.float64],
    size: tuple[int, int],
) -> Iterator[tuple[Annotation, Annotation]]:
    """Yield each annotation that covers the same as a better one, and that one.

    Better is what is locked, then what a person touched, then a higher score, then the older one.
    Without those of the same category none is left that covers the same as another one of it.
    Crowds are compared with crowds only.

    Args:
        annotations: of one image; each covers a pixel of it at least.
        outlines: theirs, boxes alone as rectangles.
        areas: theirs, about as many pixels as each covers; (n,).
        size: (height, width) of the image.
    """
    order = sorted(range(len(annotations)), key=lambda place: _worth(annotations[place]))
    twins = _Twins([outlines[place] for place in order], areas[order], size)
    groups = [(annotations[p].iscrowd, annotations[p].category_id) for p in order]
    gone = np.zeros(len(order), np.bool_)
    across: list[tuple[int, int]] = []
    for again, earlier in twins.candidates(gone):
        kept = [place for place in earlier if not gone[place]]
        same = (p for p in kept if groups[p] == groups[again] and twins.are_same(p, again))
        first = next(same, None)
        if first is not None:
            gone[again] = True
            yield annotations[order[again]], annotations[order[first]]
            continue
        others = (
            p for p in kept if groups[p][0] == groups[again][0] and groups[p] != groups[again]
        )
        across += [(again, p) for p in others if twins.are_same(p, again)][:1]
    for again, first in across:
        yield annotations[order[again]], annotations[order[first]]


class _Twins:
    """Outlines of an image, which of them may cover the same, and which do."""

    def __init__(
        self, outlines: Sequence[Segmentation], areas: NDArray[np.float64], size: tuple[int, int]
    ) -> None:
        self._outlines = outlines
        self._size = size
        self._masks: dict[int, Rle] = {}
        # To the edges of the pixels they lie in: a mask reaches no further.
        boxes = np.array([outline.box for outline in outlines])
        self._boxes = np.concatenate([np.floor(boxes[:, :2]), np.ceil(boxes[:, 2:])], axis=1)
        self._areas = areas

    def candidates(self, gone: NDArray[np.bool_]) -> Iterator[tuple[int, list[int]]]:
        """Yield each outline that may cover the same as earlier ones, and those.

        Those that are gone by then are left out, as far as it is known early enough.
        """
        boxes = shapely.box(*self._boxes.T)
        tree = shapely.STRtree(boxes)
        for start in range(0, len(boxes), _ROWS):
            # In pieces: where thousands lie at one place there are millions of pairs.
            rows, others = tree.query(boxes[start : start + _ROWS], "intersects")
            rows = rows + start
            near = (others < rows) & ~gone[others]
            rows, others = rows[near], others[near]
            likely = self._bound(rows, others) >= _LOWEST_BOUND
            rows, others = rows[likely], others[likely]
            earlier: dict[int, list[int]] = {}
            for row, other in sorted(zip(rows.tolist(), others.tolist(), strict=True)):
                earlier.setdefault(row, []).append(other)
            yield from earlier.items()

    def are_same(self, a: int, b: int) -> bool:
        """Tell whether two outlines cover the same pixels, nearly."""
        return mask_iou(self._mask(a), self._mask(b)) > SAME_IOU

    def _bound(self, a: NDArray[np.intp], b: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return what the IoU of outlines is at most, by their boxes and areas."""
        low = np.maximum(self._boxes[a, :2], self._boxes[b, :2])
        high = np.minimum(self._boxes[a, 2:], self._boxes[b, 2:])
        common = np.prod(np.maximum(high - low, 0), axis=1)
        first, second = self._areas[a], self._areas[b]
        common = np.minimum(np.minimum(common, first), second)
        return np.asarray(common / np.maximum(first + second - common, 1e-9), np.float64)

    def _mask(self, place: int) -> Rle:
        if place not in self._masks:
            self._masks[place] = rasterize(self._outlines[place], *self._size)
        return self._masks[place]


def _worth(annotation: Annotation) -> tuple[bool, bool, float, int]:
    """Sort by this to have the one that stays first."""
    score = 1.0 if annotation.score is None else annotation.score
    return not annotation.locked, not annotation.touched, -score, annotation.id
