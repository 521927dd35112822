"""Join what was found in the tiles of an image, so that an object on a seam comes out once, whole.

Tiles overlap. What lies whole in a tile is taken from it; what is cut by the border of one tile is
either whole in its neighbour, or larger than the overlap: then its pieces agree where the tiles
overlap, and are united. What is larger than that is taken from a look at the whole image.

Two detections are the same object if their masks agree where both tiles can see it: IoU at least
0.5, torchvision's own bound for one image.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.detections import Detections
from maskstudio.annotation.masks import ROI_MASK_SIZE
from maskstudio.annotation.roi_sampling import sampled
from maskstudio.annotation.tiling import PixelBox
from maskstudio.later import shapely

_SAME_IOU = 0.5
# Of two categories there may be two objects at one place, but hardly with the same outline.
_SAME_OUTLINE_IOU = 0.8
# A piece lies in the object it is of by so much of its area.
_PIECE = 0.8
# Where so much of a large object is filled by two or more found in tiles, it is a crowd of them.
_CROWD_SHARE, _CROWD = 0.25, 2
_CERTAIN = 0.5
# Points a side at which two masks are compared, and pairs compared at a time.
_POINTS, _CHUNK = 32, 1024
# Points a side for each cell of a united mask.
_FINE = 4
# Of probabilities times 255, those from here on belong to the instance.
_HALF = 127.5

_Boxes = NDArray[np.float64]
_Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class TileDetections:
    """What was found in one tile.

    Attributes:
        window: the tile.
        found: its detections; boxes in its own pixels.
    """

    window: PixelBox
    found: Detections


@dataclass(frozen=True)
class SeamRule:
    """Lengths by which pieces are told from what is whole, in pixels of the image.

    Attributes:
        margin: what ends so close to the border of a tile is cut by it.
        largest_whole: an object up to this side lies whole in some tile.
        smallest_seen: an object of this side is seen well in the whole image.
    """

    margin: float
    largest_whole: float
    smallest_seen: float


@dataclass(frozen=True, eq=False)
class _Pool:
    """All that was found, in pixels of the image; `tile` is -1 for the whole image.

    `sight` is where an object could have been seen: all the image if it ends inside its tile.
    """

    boxes: _Boxes
    labels: NDArray[np.int64]
    scores: NDArray[np.float32]
    masks: NDArray[np.uint8] | None
    tile: NDArray[np.int64]
    window: _Boxes
    sight: _Boxes
    cut: _Flags

    def __len__(self) -> int:
        return len(self.boxes)

    def masks_of(self, index: NDArray[np.int64]) -> NDArray[np.uint8]:
        if self.masks is None:
            return np.full((len(index), ROI_MASK_SIZE, ROI_MASK_SIZE), 255, np.uint8)
        return self.masks[index]


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Pairs of detections from different tiles, the first of them not the lower in score."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    iou: NDArray[np.float32]

    def where(self, chosen: _Flags) -> "_Pairs":
        return _Pairs(self.first[chosen], self.second[chosen], self.iou[chosen])


def join(
    size: tuple[int, int],
    whole: Detections,
    tiles: Sequence[TileDetections],
    rule: SeamRule,
) -> Detections:
    """Join what was found in tiles and in the whole image.

    Args:
        size: (height, width) of the image.
        whole: what was found in the whole image; may be nothing.
        tiles: what was found in each tile.
        rule: what is cut, and what is large.

    Returns:
        Each object once, best score first. The RoI mask of what was whole in a tile, or is taken
        from the whole image, is as it was found.
    """
    pool = _pooled(size, whole, tiles, rule)
    same = _same_objects(pool)
    scores = pool.scores.copy()
    whole_in_tile = ~pool.cut & (pool.tile >= 0)
    kept = _best_of(whole_in_tile, same)
    large = _large_objects(pool, same, kept, rule)
    kept &= ~_pieces_of(pool, kept, large)
    _take_scores_of_pieces(pool, same, kept | large, scores)
    inner, _ = _inside(pool, pool.cut, large, _SAME_IOU)
    pieces = pool.cut & ~_beside(same, whole_in_tile | large, len(pool))
    pieces[inner] = False
    pieces &= ~_seen_whole_elsewhere(pool, same, pieces, rule)
    found = _result(size, whole, pool, scores, kept | large, _united(pool, same, pieces))
    return replace(found, tiles=len(tiles))


def _pooled(
    size: tuple[int, int], whole: Detections, tiles: Sequence[TileDetections], rule: SeamRule
) -> _Pool:
    """Put all detections into one order, best score first."""
    height, width = size
    everything = [TileDetections((0, 0, width, height), whole), *tiles]
    counts = [len(one.found) for one in everything]
    windows = np.repeat(np.array([one.window for one in everything], np.float64), counts, axis=0)
    offsets = np.tile(windows[:, :2], 2)
    boxes = np.concatenate([one.found.boxes for one in everything]).astype(np.float64) + offsets
    scores = np.concatenate([one.found.scores for one in everything])
    order = np.argsort(-scores, kind="stable")
    image = np.array([0, 0, width, height], np.float64)
    inner = windows != image
    cut = (inner & (np.abs(boxes - windows) < rule.margin)).any(axis=1)[order]
    masks = [one.found.roi_masks for one in everything if one.found.roi_masks is not None]
    windows = windows[order]
    return _Pool(
        boxes[order],
        np.concatenate([one.found.labels for one in everything])[order],
        scores[order],
        np.concatenate(masks)[order] if masks else None,
        np.repeat(np.arange(-1, len(tiles)), counts)[order],
        windows,
        np.where(cut[:, None], windows, image),
        cut,
    )


def _same_objects(pool: _Pool) -> _Pairs:
    """Find who is the same as who, across tiles."""
    first, second = _touching(pool.boxes)
    apart = (pool.tile[first] != pool.tile[second]) & (first < second)
    first, second = first[apart], second[apart]
    iou = np.zeros(len(first), np.float32)
    for begin in range(0, len(first), _CHUNK):
        chunk = slice(begin, begin + _CHUNK)
        iou[chunk] = _agreement(pool, first[chunk], second[chunk])
    alike = pool.labels[first] == pool.labels[second]
    either_cut = pool.cut[first] | pool.cut[second]
    same = np.where(alike, iou >= _SAME_IOU, (iou >= _SAME_OUTLINE_IOU) & ~either_cut)
    return _Pairs(first, second, iou).where(same)


def _touching(boxes: _Boxes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    import shapely  # an empty window does without

    shapes = np.asarray(shapely.box(*boxes.T))
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    return first.astype(np.int64), second.astype(np.int64)


def _agreement(
    pool: _Pool, first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the mask IoU of pairs, each where both tiles can see the object."""
    a, b = pool.boxes[first], pool.boxes[second]
    low = np.minimum(a, b)[:, :2]
    high = np.maximum(a, b)[:, 2:]
    for index in (first, second):
        low = np.maximum(low, pool.sight[index, :2])
        high = np.minimum(high, pool.sight[index, 2:])
    regions = np.concatenate([low, np.maximum(low, high)], axis=1)
    in_a = sampled(pool.masks_of(first), a, regions, _POINTS) >= _HALF
    in_b = sampled(pool.masks_of(second), b, regions, _POINTS) >= _HALF
    both = (in_a & in_b).sum(axis=(1, 2))
    either = (in_a | in_b).sum(axis=(1, 2))
    return np.asarray(both / np.maximum(either, 1), np.float32)


def _best_of(candidates: _Flags, same: _Pairs) -> _Flags:
    """Choose of each object found several times the one of the best score."""
    kept = candidates.copy()
    usable = same.where(candidates[same.first] & candidates[same.second])
    # By score: who is still kept when its turn comes, stays.
    for index in np.argsort(usable.first, kind="stable"):
        if kept[usable.first[index]]:
            kept[usable.second[index]] = False
    return kept


def _take_scores_of_pieces(
    pool: _Pool, same: _Pairs, kept: _Flags, scores: NDArray[np.float32]
) -> None:
    """Give what is kept the score of a piece of it where that is better: the same object has it.

    Of several that a piece may be of, the one of the best score takes it.
    """
    known = np.zeros(len(pool), np.bool_)
    known[same.second[kept[same.first]]] = True
    better = same.where(pool.cut[same.first] & kept[same.second] & ~known[same.first])
    owner = np.full(len(pool), len(pool))
    np.minimum.at(owner, better.first, better.second)
    pieces = np.flatnonzero(owner < len(pool))
    np.maximum.at(scores, owner[pieces], pool.scores[pieces])


def _beside(same: _Pairs, chosen: _Flags, count: int) -> _Flags:
    """Tell who is the same object as one of those chosen."""
    found = np.zeros(count, np.bool_)
    found[same.second[chosen[same.first]]] = True
    found[same.first[chosen[same.second]]] = True
    return found


def _large_objects(pool: _Pool, same: _Pairs, kept: _Flags, rule: SeamRule) -> _Flags:
    """Choose from the whole image what no tile can hold and what is not a crowd."""
    sides = pool.boxes[:, 2:] - pool.boxes[:, :2]
    large = (pool.tile < 0) & (sides.max(axis=1) > rule.largest_whole)
    large &= np.sqrt(sides.prod(axis=1)) >= rule.smallest_seen
    large &= ~_beside(same, kept, len(pool))
    certain = kept & (pool.scores >= _CERTAIN)
    inner, outer = _inside(pool, certain, large, _SAME_IOU)
    areas = _areas(pool)
    number = np.bincount(outer, minlength=len(pool))
    filled = np.bincount(outer, weights=areas[inner], minlength=len(pool))
    crowd = (number >= _CROWD) & (filled >= _CROWD_SHARE * areas)
    return np.asarray(large & ~crowd)


def _pieces_of(pool: _Pool, of: _Flags, large: _Flags) -> _Flags:
    """Tell which lie in a large object of their category and better score."""
    found = np.zeros(len(pool), np.bool_)
    inner, outer = _inside(pool, of, large, _PIECE)
    found[inner[inner > outer]] = True
    return found


def _inside(
    pool: _Pool, small: _Flags, large: _Flags, share: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs of which the first lies in the mask of the second by a share of its own."""
    chosen = np.flatnonzero(small | large)
    first, second = (chosen[index] for index in _touching(pool.boxes[chosen]))
    wanted = small[first] & large[second] & (pool.labels[first] == pool.labels[second])
    first, second = first[wanted], second[wanted]
    shares = np.zeros(len(first))
    for begin in range(0, len(first), _CHUNK):
        a, b = first[begin : begin + _CHUNK], second[begin : begin + _CHUNK]
        regions = pool.boxes[a]
        in_a = sampled(pool.masks_of(a), pool.boxes[a], regions, _POINTS) >= _HALF
        in_b = sampled(pool.masks_of(b), pool.boxes[b], regions, _POINTS) >= _HALF
        covered = (in_a & in_b).sum(axis=(1, 2)) / np.maximum(in_a.sum(axis=(1, 2)), 1)
        shares[begin : begin + _CHUNK] = covered
    return first[shares >= share], second[shares >= share]


def _areas(pool: _Pool) -> NDArray[np.float64]:
    boxes = (pool.boxes[:, 2:] - pool.boxes[:, :2]).prod(axis=1)
    if pool.masks is None:
        return np.asarray(boxes)
    return np.asarray(boxes * (pool.masks >= _HALF).mean(axis=(1, 2)))


def _seen_whole_elsewhere(pool: _Pool, same: _Pairs, pieces: _Flags, rule: SeamRule) -> _Flags:
    """Tell which pieces lie well within another tile, which did not find the object."""
    found = np.zeros(len(pool), np.bool_)
    doubtful = np.flatnonzero(pieces & ~_beside(same, pieces, len(pool)))
    if not len(doubtful):
        return found
    windows = np.unique(pool.window[pool.tile >= 0], axis=0)
    ends = windows[:, 2:].max(axis=0)
    inner = np.concatenate([windows[:, :2] > 0, windows[:, 2:] < ends], axis=1)
    seen = windows + inner * rule.margin * np.array([1, 1, -1, -1])
    tree = shapely.STRtree(np.asarray(shapely.box(*seen.T)))
    found[doubtful[tree.query(shapely.box(*pool.boxes[doubtful].T), predicate="within")[0]]] = True
    return found


def _united(pool: _Pool, same: _Pairs, open_: _Flags) -> list[list[int]]:
    """Put pieces together that agree in the overlap, of each tile one, the best agreeing first."""
    group_of = {index: [index] for index in np.flatnonzero(open_).tolist()}
    usable = same.where(open_[same.first] & open_[same.second])
    better = pool.scores[usable.second] * usable.iou  # the lower of the two scores
    spare: set[int] = set()
    for pair in np.argsort(-better, kind="stable").tolist():
        a, b = group_of[int(usable.first[pair])], group_of[int(usable.second[pair])]
        if a is b:
            continue
        if {pool.tile[i] for i in a} & {pool.tile[i] for i in b}:
            # One tile has found it twice; the less certain of the two is nothing of its own.
            worse = max((a, b), key=min)
            spare.update(worse if len(worse) == 1 else ())
            continue
        a += b
        group_of.update(dict.fromkeys(b, a))
    groups = {id(group): group for group in group_of.values()}
    return [group for group in groups.values() if not spare.intersection(group)]


def _result(
    size: tuple[int, int],
    whole: Detections,
    pool: _Pool,
    scores: NDArray[np.float32],
    kept: _Flags,
    groups: Sequence[Sequence[int]],
) -> Detections:
    singles = np.concatenate(
        [np.flatnonzero(kept), np.array([g[0] for g in groups if len(g) == 1], np.int64)]
    ).astype(np.int64)
    several = [np.array(group, np.int64) for group in groups if len(group) > 1]
    best = np.array([group.min() for group in several], np.int64)
    boxes = np.concatenate([pool.boxes[singles], *(_union_box(pool, g)[None] for g in several)])
    masks = None
    if pool.masks is not None:
        masks = np.concatenate([pool.masks[singles], *(_union_mask(pool, g) for g in several)])
    all_scores = np.concatenate([scores[singles], scores[best]])
    order = np.argsort(-all_scores, kind="stable")
    return Detections(
        whole.model_id,
        size,
        boxes[order].astype(np.float32),
        np.concatenate([pool.labels[singles], pool.labels[best]])[order],
        all_scores[order],
        None if masks is None else masks[order],
        whole.categories,
    )


def _union_box(pool: _Pool, group: NDArray[np.int64]) -> _Boxes:
    boxes = pool.boxes[group]
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def _union_mask(pool: _Pool, group: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Sample the masks of pieces anew under the box around them all: (1, 28, 28)."""
    region = np.repeat(_union_box(pool, group)[None], len(group), axis=0)
    fine = sampled(pool.masks_of(group), pool.boxes[group], region, ROI_MASK_SIZE * _FINE)
    cells = fine.max(axis=0).reshape(ROI_MASK_SIZE, _FINE, ROI_MASK_SIZE, _FINE).mean(axis=(1, 3))
    return np.asarray(cells.round()[None], np.uint8)
