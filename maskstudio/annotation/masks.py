"""Between pixels and outlines, exactly.

An RLE here is pycocotools' compressed form: `{"size": [height, width], "counts": bytes}`.
"""

from collections.abc import Callable
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from maskstudio.annotation.segmentation import Box, Part, Ring, Segmentation, as_ring
from maskstudio.later import cv2, shapely

ROI_MASK_SIZE = 28
"""Cells a side of the probability mask that Mask R-CNN's mask head gives for one detection."""

SIMPLIFY_MIN_IOU = 0.98
"""How much of the mask a simplified outline must keep, unless told otherwise."""

# Douglas-Peucker tolerances are tried from coarse to fine, in units of the square root of the area:
# an outline bears the same relative error whatever its size. Below a fifth of a pixel the outline
# follows every pixel anyway.
_COARSEST, _FINER, _FINEST_PX = 0.045, 0.7, 0.2

# A RoI mask says nothing finer than this many samples a side of a cell would show. A larger object
# is traced on a grid of them, its outline laid where the probability crosses the threshold.
_SAMPLES_A_CELL = 4
# An object of so many pixels across (twice its area by its perimeter) is large: pixels are too fine
# to make a difference. What they may make (half a pixel where the box cuts the object off) goes
# onto the bound.
_LARGE_PX, _PIXELS_ERROR = 120, 0.008


class Rle(TypedDict):
    """A run-length encoded mask as pycocotools reads and writes it."""

    size: list[int]
    counts: bytes


def trace(mask: NDArray[np.bool_], left: int = 0, top: int = 0) -> Segmentation | None:
    """Trace a mask along its pixel edges; rasterising the result gives the mask back.

    `cv2.findContours` gives pixel centres. On the mask doubled in size `(p + 1) // 2` turns them
    into pixel edges, for outer rings and holes alike. Pieces that touch at a corner only are parts
    of their own.

    Args:
        mask: (height, width), true inside.
        left: column of the mask's first column in the image.
        top: row of the mask's first row in the image.

    Returns:
        The outline with all parts and holes, or None for an empty mask.
    """
    if not mask.any():  # cv2 would crash on a mask without rows or columns
        return None
    count, pieces, around, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=4
    )
    parts: list[Part] = []
    for piece in range(1, count):
        x, y, w, h, _ = around[piece].tolist()
        cut = pieces[y : y + h, x : x + w] == piece
        parts += _trace_piece(cut, left + x, top + y)
    return Segmentation(tuple(parts))


def rasterize(segmentation: Segmentation, height: int, width: int) -> Rle:
    """Return the pixels an outline covers, by pycocotools' own rule, holes taken off.

    Args:
        segmentation: any outline; what lies outside the image is cut.
        height: rows of the image.
        width: columns of the image.
    """
    parts = [_part_rle(part, height, width) for part in segmentation.parts]
    return parts[0] if len(parts) == 1 else coco_mask.merge(parts)


def decode(rle: Rle) -> NDArray[np.bool_]:
    """Return an RLE as a mask (height, width)."""
    return np.asarray(coco_mask.decode(rle), np.bool_)


def mask_iou(a: Rle, b: Rle) -> float:
    """Return the intersection over union of two masks of one size, 0 to 1; empty and empty is 1."""
    if coco_mask.area(a) == 0 and coco_mask.area(b) == 0:
        return 1.0
    return float(coco_mask.iou([a], [b], [0])[0, 0])


def place(mask: NDArray[np.bool_], left: int, top: int, height: int, width: int) -> Rle:
    """Return a small mask as the RLE of a whole image, without ever making the whole mask.

    Args:
        mask: (h, w), true inside; must lie within the image.
        left: column of the mask's first column in the image.
        top: row of the mask's first row in the image.
        height: rows of the image.
        width: columns of the image.
    """
    framed = np.pad(mask, ((1, 1), (0, 0))).astype(np.int8)
    change = np.diff(framed, axis=0).T  # (w, h + 1), so that columns follow one another
    columns, starts = np.nonzero(change == 1)
    _, ends = np.nonzero(change == -1)
    first = (columns + left) * height + top
    edges = np.stack([first + starts, first + ends], axis=1).ravel()
    # A run that ends where the next begins (full columns) is one run.
    joined = np.flatnonzero(edges[1:-1:2] == edges[2::2]) * 2 + 1
    edges = np.delete(edges, np.concatenate([joined, joined + 1]))
    counts = np.diff(np.concatenate([[0], edges, [height * width]]))
    if len(edges) and counts[-1] == 0:  # pycocotools writes no empty last run
        counts = counts[:-1]
    plain = {"size": [height, width], "counts": counts.tolist()}
    placed: Rle = coco_mask.frPyObjects(plain, height, width)
    return placed


def sample_roi_mask(
    roi_mask: NDArray[np.uint8], box: Box, height: int, width: int
) -> tuple[NDArray[np.float32], int, int]:
    """Sample a RoI mask bilinearly at the centres of the pixels under its box.

    The box is taken as it is, not rounded to whole pixels, and no mask of the image's size is made.

    Args:
        roi_mask: (28, 28), probability times 255.
        box: the detection's box, xyxy.
        height: rows of the image.
        width: columns of the image.

    Returns:
        Probabilities 0 to 255 of the pixels whose centre lies in the box, and the column and row of
        the first one. The array is empty when there is none.
    """
    x0, y0, x1, y1 = box
    columns, across = _bilinear_weights(x0, x1, width, roi_mask.shape[1])
    rows, down = _bilinear_weights(y0, y1, height, roi_mask.shape[0])
    return down @ roi_mask.astype(np.float32) @ across.T, columns, rows


def trace_roi_mask(
    roi_mask: NDArray[np.uint8],
    box: Box,
    size: tuple[int, int],
    threshold: float = 0.5,
    min_iou: float = SIMPLIFY_MIN_IOU,
) -> Segmentation | None:
    """Turn one detection's RoI mask into an outline in the image.

    Args:
        roi_mask: (28, 28), probability times 255.
        box: the detection's box, xyxy.
        size: (height, width) of the image.
        threshold: probability from which a pixel belongs to the instance.
        min_iou: how much of the mask the simplified outline keeps; 1 leaves every vertex.

    Returns:
        The outline, or None when no pixel reaches the threshold.
    """
    grid = _SAMPLES_A_CELL * roi_mask.shape[0]
    if min_iou < 1 and min(box[2] - box[0], box[3] - box[1]) > 2 * grid:
        smooth = _trace_on_grid(roi_mask, box, grid, threshold * 255)
        if smooth is not None:
            return _simplified_large(smooth, min_iou)
    sampled, left, top = sample_roi_mask(roi_mask, box, *size)
    mask = sampled >= threshold * 255
    traced = trace(mask)
    if traced is None:
        return None
    if min_iou < 1:
        traced = simplify_traced(traced, mask.shape[0], mask.shape[1], min_iou)
    return traced.translated(left, top)


def _trace_on_grid(
    roi_mask: NDArray[np.uint8], box: Box, grid: int, threshold: float
) -> "shapely.MultiPolygon | None":
    """Trace a large object: what that costs does not grow with the object.

    Args:
        roi_mask: (28, 28), probability times 255.
        box: the detection's box, xyxy, more than twice `grid` pixels wide and high.
        grid: samples along each side of the box.
        threshold: of probability times 255.

    Returns:
        Where the probability crosses the threshold; None when that is no large object.
    """
    _, weights = _bilinear_weights(0, grid, grid, roi_mask.shape[0])
    sampled = weights @ roi_mask.astype(np.float32) @ weights.T
    traced = trace(sampled >= threshold)
    if traced is None:
        return None
    scale = np.array([box[2] - box[0], box[3] - box[1]]) / grid
    smooth = _through(traced, lambda ring: _crossings(ring, sampled, threshold) * scale + box[:2])
    large = 2 * smooth.area >= _LARGE_PX * smooth.length
    return smooth if large and smooth.is_valid else None


def _simplified_large(smooth: "shapely.MultiPolygon", min_iou: float) -> Segmentation | None:
    """Simplify by the areas themselves: pycocotools rounds corners to a fifth of a pixel."""
    exact = Segmentation.from_geometry(smooth)
    bound = min(1.0, min_iou + _PIXELS_ERROR)

    def keeps(simpler: Segmentation) -> bool:
        common = shapely.intersection(smooth, simpler.geometry).area
        return bool(common >= bound * (smooth.area + simpler.area - common))

    return None if exact is None else _simplified(smooth, exact, keeps)


def simplify_traced(
    traced: Segmentation, height: int, width: int, min_iou: float = SIMPLIFY_MIN_IOU
) -> Segmentation:
    """Give a traced outline as few vertices as the bound on mask IoU allows.

    The outline is drawn through the middles of the pixel edges, which turns the steps of a slanted
    edge into a line without growing or shrinking the mask, and then simplified (Douglas-Peucker).
    That leaves 15 vertices where simplifying the steps leaves 25 (tests/benchmarks/outlines.py).

    Args:
        traced: what `trace` gave.
        height: rows of the frame it was traced in.
        width: columns of that frame.
        min_iou: IoU of the masks before and after that must remain.

    Returns:
        The simpler outline, or the same one when none keeps the bound.
    """
    target = rasterize(traced, height, width)

    def keeps(simpler: Segmentation) -> bool:
        return mask_iou(target, rasterize(simpler, height, width)) >= min_iou

    return _simplified(_through(traced, _edge_middles), traced, keeps)


def _through(
    traced: Segmentation, points: Callable[[Ring], NDArray[np.float64]]
) -> "shapely.MultiPolygon":
    """Draw every ring through other points."""
    return shapely.MultiPolygon(
        [
            shapely.Polygon(points(part.outer), [points(hole) for hole in part.holes])
            for part in traced.parts
        ]
    )


def _simplified(
    smooth: "shapely.MultiPolygon", exact: Segmentation, keeps: Callable[[Segmentation], bool]
) -> Segmentation:
    """Return the coarsest form of an outline that keeps the bound, or the exact one."""
    tolerance = max(_COARSEST * exact.area**0.5, _FINEST_PX)
    while tolerance >= _FINEST_PX:
        # Rings that cross each other are found below; to avoid them from the start costs ten times.
        simpler = Segmentation.from_geometry(
            shapely.simplify(smooth, tolerance, preserve_topology=False)
        )
        if (
            simpler is not None
            and simpler.vertex_count <= exact.vertex_count
            and simpler.geometry.is_valid
            and keeps(simpler)
        ):
            return simpler
        tolerance *= _FINER
    return exact


def _bilinear_weights(
    low: float, high: float, pixels: int, cells: int
) -> tuple[int, NDArray[np.float32]]:
    """Weights (n, cells) that sample `cells` over low..high at n pixel centres, and the first."""
    first = max(0, int(np.ceil(low - 0.5)))
    last = min(pixels, int(np.ceil(high - 0.5)))
    centres = np.arange(first, max(first, last)) + 0.5
    position = (centres - low) / max(high - low, 1e-9) * cells - 0.5
    position = np.clip(position, 0, cells - 1)
    below = np.minimum(position.astype(np.int64), cells - 2)
    fraction = (position - below).astype(np.float32)
    weights = np.zeros((len(centres), cells), np.float32)
    index = np.arange(len(centres))
    weights[index, below] = 1 - fraction
    weights[index, below + 1] = fraction
    return first, weights


def _part_rle(part: Part, height: int, width: int) -> Rle:
    outer: list[Rle] = coco_mask.frPyObjects([part.outer.ravel().tolist()], height, width)
    if not part.holes:
        return outer[0]
    around = [_around(hole, height, width) for hole in part.holes]
    kept: list[Rle] = coco_mask.frPyObjects(around, height, width)
    part_rle: Rle = coco_mask.merge([*outer, *kept], intersect=True)
    return part_rle


def _around(hole: Ring, height: int, width: int) -> list[float]:
    """Return one flat ring that covers the whole image but the hole.

    pycocotools fills by the even-odd rule, so what is walked there and back leaves no trace; the
    holes come off without decoding a mask of the image's size.
    """
    frame = [0.0, 0.0, width, 0.0, width, height, 0.0, height, 0.0, 0.0]
    flat = hole.ravel().tolist()
    return [*frame, *flat, *flat[:2]]


def _trace_piece(mask: NDArray[np.bool_], left: int, top: int) -> list[Part]:
    doubled = np.repeat(np.repeat(mask.astype(np.uint8), 2, axis=0), 2, axis=1)
    contours, _ = cv2.findContours(doubled, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    offset = np.array([left, top], dtype=np.float64)
    rings = [_corners((np.asarray(contour[:, 0]) + 1) // 2) + offset for contour in contours]
    # One 4-connected piece has one outer ring; RETR_CCOMP gives it first, then its holes.
    polygon = shapely.Polygon(rings[0], rings[1:])
    if polygon.is_valid:
        return [Part(as_ring(rings[0]), tuple(as_ring(ring) for ring in rings[1:]))]
    whole = Segmentation.from_geometry(shapely.make_valid(polygon, method="structure"))
    return list(whole.parts) if whole else []


def _corners(ring: NDArray[Any]) -> NDArray[np.float64]:
    """Keep only the vertices where a rectilinear ring turns."""
    ring = ring[np.any(ring != np.roll(ring, 1, axis=0), axis=1)]
    before = ring - np.roll(ring, 1, axis=0)
    after = np.roll(ring, -1, axis=0) - ring
    turns = before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]
    return np.asarray(ring[turns], np.float64)


def _edge_middles(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the middle of every pixel edge along a rectilinear ring, in order."""
    along = np.roll(ring, -1, axis=0) - ring
    pixels = np.abs(along).sum(axis=1).astype(np.int64)
    edge = np.repeat(np.arange(len(ring)), pixels)
    step = np.arange(len(edge)) - np.repeat(np.cumsum(pixels) - pixels, pixels)
    return np.asarray(ring[edge] + np.sign(along)[edge] * (step + 0.5)[:, None])


def _crossings(
    ring: NDArray[np.float64], sampled: NDArray[np.float32], threshold: float
) -> NDArray[np.float64]:
    """Move the middle of every edge to where, between the samples beside it, the threshold lies."""
    middles = _edge_middles(ring)
    upright = middles[:, 0] == np.floor(middles[:, 0])
    towards = np.where(upright[:, None], [0.5, 0.0], [0.0, 0.5])
    before, after = (np.floor(middles + side * towards).astype(np.int64) for side in (-1, 1))
    # Along the rim of the grid there is nothing on the other side.
    inner = (before >= 0).all(axis=1) & (after < sampled.shape[::-1]).all(axis=1)
    low = sampled[before[inner, 1], before[inner, 0]]
    high = sampled[after[inner, 1], after[inner, 0]]
    share = (threshold - low) / (high - low)
    middles[inner] += (2 * share - 1)[:, None] * towards[inner]
    return middles
