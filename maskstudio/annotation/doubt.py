"""Where a model doubts the outline it gave: stretches along which its probability changes slowly.

A mask head's answer is a probability for each cell of its grid, and the outline is where that
crosses the mask threshold. Across a sharp edge it falls from nearly one to nearly zero within one
cell or two: the outline would lie in the same place at any threshold. Where it falls slowly it
might as well lie elsewhere. How far apart these places are is the width of the band in which the
probability lies within `BAND` of the threshold; to first order it is 2 * BAND / |gradient|. Points
whose probability is nearest to one half are the ones PointRend, too, takes for uncertain (Kirillov
et al., CVPR 2020, section 3.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from maskstudio.annotation.segmentation import Box, Ring, Segmentation
from maskstudio.later import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BAND = 0.2
"""A probability this near to the threshold could as well lie on its other side."""

# A band of a cell or two is what the grid itself makes of the sharpest edge: of the outlines of the
# embedded model on its samples half is narrower than 0.9 to 1.4 cells, nine tenths than 1.7 to 3.4.
# And nobody corrects an outline by less than a few pixels.
_WIDE_CELLS = 3.5
_WIDE_PX = 3.0
# Shorter stretches are single cells out of line.
_SHORTEST_CELLS = 2.0
_MOST_POINTS = 4000


@dataclass(frozen=True, eq=False)
class Stretch:
    """A part of an outline that the model doubts.

    Attributes:
        points: (n, 2) float64 along the outline, in pixels of the image.
        width: how far apart the outlines of neighbouring thresholds lie there, in pixels, where it
            is widest.
    """

    points: NDArray[np.float64]
    width: float

    @property
    def box(self) -> Box:
        """The smallest box around it, xyxy."""
        (x0, y0), (x1, y1) = self.points.min(axis=0), self.points.max(axis=0)
        return float(x0), float(y0), float(x1), float(y1)


def doubtful_stretches(
    outline: Segmentation, roi_mask: NDArray[np.uint8], box: Box, mask_threshold: float
) -> tuple[Stretch, ...]:
    """Find the parts of an outline that the model doubts, the widest band first.

    Args:
        outline: what was traced of the RoI mask at the threshold.
        roi_mask: (cells, cells), probability times 255.
        box: the detection's box, xyxy.
        mask_threshold: probability from which a pixel belongs to the instance.
    """
    cells = roi_mask.shape[0]
    sides = np.array([box[2] - box[0], box[3] - box[1]])
    if (sides <= 0).any():
        return ()
    cell = sides / cells
    probability = roi_mask.astype(np.float64) / 255
    down, across = np.gradient(probability)
    steepness = np.hypot(across / cell[0], down / cell[1])
    found = []
    for _, _, ring in outline.rings():
        points = _walked(ring, max(float(cell.min()) / 2, 0.25))
        at = (points - box[:2]) / cell - 0.5
        near = np.abs(_sampled(probability, at) - mask_threshold) < BAND
        width = 2 * BAND / np.maximum(_sampled(steepness, at), 1e-6)
        # Where it hardly changes at all, the object itself bounds what may be meant.
        width = np.minimum(width, float(sides.max()) / 2)
        wide = near & (width > max(_WIDE_PX, _WIDE_CELLS * float(cell.mean())))
        shortest = _SHORTEST_CELLS * float(cell.mean())
        found += [
            Stretch(points[run], float(width[run].max()))
            for run in _runs(wide)
            if _length(points[run]) >= shortest
        ]
    return tuple(sorted(found, key=lambda stretch: -stretch.width))


def _walked(ring: Ring, step: float) -> NDArray[np.float64]:
    """Return points along a closed ring at even steps, (n, 2)."""
    closed = np.concatenate([ring, ring[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    count = int(np.clip(round(along[-1] / step), 3, _MOST_POINTS))
    places = np.arange(count) * (along[-1] / count)
    return np.stack(
        [np.interp(places, along, closed[:, 0]), np.interp(places, along, closed[:, 1])], axis=1
    )


def _sampled(values: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sample a grid bilinearly at (x, y) in cells, the first cell's middle at 0; (n,)."""
    last = np.array(values.shape[::-1]) - 1
    inside = np.clip(at, 0, last)
    low = np.minimum(inside.astype(np.int64), last - 1)
    x, y = low.T
    right, below = (inside - low).T
    top = values[y, x] * (1 - right) + values[y, x + 1] * right
    bottom = values[y + 1, x] * (1 - right) + values[y + 1, x + 1] * right
    return np.asarray(top * (1 - below) + bottom * below)


def _runs(wanted: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Return the positions of each run of true along a closed ring, in order."""
    if not wanted.any():
        return []
    count = len(wanted)
    if wanted.all():
        return [np.arange(count + 1) % count]
    # Begun behind a gap, no run goes over the end.
    order = (np.arange(count) + int(np.argmin(wanted))) % count
    here = wanted[order]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], here, [False]])))
    return [order[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]


def _length(points: NDArray[np.float64]) -> float:
    return float(np.hypot(*np.diff(points, axis=0).T).sum())
