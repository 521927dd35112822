"""Find the instances of an image, in tiles where it is large; pure but for the predictor."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.detections import Detections, Predictor
from maskstudio.annotation.tiling import (
    PixelBox,
    Tiling,
    grid,
    overlap_of,
    tile_scale,
    too_small,
)
from maskstudio.progress import TaskContext

# A network's boxes end so many of its pixels beside the border that cuts an object.
_MARGIN = 4
# An object of so many times the side of the smallest anchor is outlined well.
_SEEN_WELL = 2
_CERTAIN = 0.5


class ImageSource(Protocol):
    """An image that can be read in parts."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""

    def window(self, box: PixelBox) -> NDArray[np.uint8]:
        """Return a part: (height, width, 3) uint8 RGB.

        Raises:
            UserError: the file is damaged there, or cannot be read any more.
        """

    def reduced(self, side: int, context: TaskContext) -> tuple[NDArray[np.uint8], int]:
        """Return the whole image, smaller where it is too large to be held whole.

        Args:
            side: its shorter side keeps at least so many pixels, if it has them.
            context: asked whether to stop.

        Returns:
            (height, width, 3) uint8 RGB, and how many times smaller it is; what a whole number of
            its pixels does not fill at the right and at the bottom is filled by its last pixels.

        Raises:
            UserError: it cannot be read.
            CancelledError: the person asked to stop.
        """


def find_instances(
    predictor: Predictor,
    source: ImageSource,
    tiling: Tiling,
    context: TaskContext,
    predict_whole: Callable[[], Detections] | None = None,
) -> Detections:
    """Find the instances of an image, in tiles where it is to be looked at so.

    Args:
        predictor: the model.
        source: the image.
        tiling: whether in tiles.
        context: is told the tiles done; asked often whether to stop.
        predict_whole: looks at the whole image, where that can be done better than by reading it.

    Raises:
        UserError: the image, the model or the device does not allow it.
        CancelledError: the person asked to stop.
    """
    sight, size = predictor.sight, source.size
    in_tiles = tiling.in_tiles(sight, size)
    if in_tiles and not sight.sees_whole(size):
        whole = None
    else:
        whole = predict_whole() if predict_whole else _find_whole(predictor, source, context)
        if not (too_small(sight, size, _sides(whole)) if in_tiles is None else in_tiles):
            return whole
    return _find_in_tiles(predictor, source, tiling.small, whole, context)


def _find_whole(predictor: Predictor, source: ImageSource, context: TaskContext) -> Detections:
    pixels, times = source.reduced(predictor.sight.shorter, context)
    found = predictor.predict(pixels, context)
    if times == 1:
        return found
    height, width = source.size
    boxes = np.minimum(found.boxes * times, np.array([width, height] * 2, np.float32))
    return replace(found, size=source.size, boxes=boxes)


def _find_in_tiles(
    predictor: Predictor,
    source: ImageSource,
    small: float | None,
    whole: Detections | None,
    context: TaskContext,
) -> Detections:
    from maskstudio.annotation.seams import SeamRule, TileDetections, join

    sight, size = predictor.sight, source.size
    boxes = grid(sight, size, small)
    tiles: list[TileDetections] = []
    while len(tiles) < len(boxes):
        done = len(tiles)
        context.report(done, len(boxes), f"tile {done + 1:,} of {len(boxes):,}")
        # After a step down to a smaller device, fewer at a time.
        some = boxes[done : done + max(1, predictor.batch)]
        found = predictor.predict_many([source.window(box) for box in some], context)
        tiles += map(TileDetections, some, found)
    context.report(len(boxes), len(boxes), "joining the tiles")
    context.raise_if_cancelled()
    scale = tile_scale(sight, size, small)
    margin = _MARGIN / scale
    rule = SeamRule(
        margin,
        overlap_of(sight, scale) - 2 * margin,
        _SEEN_WELL * sight.finest / sight.scale(size),
    )
    return join(size, _first(tiles[0].found, 0) if whole is None else whole, tiles, rule)


def _first(found: Detections, count: int) -> Detections:
    """Return the best detections."""
    masks = None if found.roi_masks is None else found.roi_masks[:count]
    return replace(
        found,
        boxes=found.boxes[:count],
        labels=found.labels[:count],
        scores=found.scores[:count],
        roi_masks=masks,
    )


def _sides(found: Detections) -> list[float]:
    """Return the sides of what was found with some certainty, in pixels."""
    boxes = found.boxes[found.scores >= _CERTAIN].astype(np.float64)
    sides: list[float] = np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)).tolist()
    return sides
