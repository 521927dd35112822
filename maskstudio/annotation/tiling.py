"""When an image is looked at in tiles, which tiles those are, and how long they take.

A network scales every image to its input size. Of a large image that makes small objects too small
to be found; a tile is scaled less, or not at all. The reasons for the bounds below are in
docs/decisions/0022-tiles.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from maskstudio.later import np

PixelBox = tuple[int, int, int, int]
"""(left, top, right, bottom) in whole pixels, right and bottom beyond the last one."""

MOST_TILES = 20_000
"""Tiles of one image at most: an hour and a half at 0.25 s a tile."""

MANY_TILES = 10
"""A look at so many is told of before it begins: it takes a few seconds at least."""

# Tiles share this part of their side with their neighbours.
_OVERLAP = 1 / 4
# Where the view in tiles is not so many times as large as that of the whole, it gains too little.
_LEAST_GAIN = 1.5
# An object of so many times the side of the smallest anchor is found as well as any.
_SEEN_WELL = 2
# The smallest tenth of the objects of a set have about half the side of those in the middle.
_SMALL_TO_MEDIAN = 2
# Shrunk so many times, an image holds more than the whole view can tell of it.
_HOPELESS, _BLIND = 8, 4
_FEWEST_KNOWN = 10
_SMALL_SHARE = 0.1


class TileChoice(StrEnum):
    """Whether large images are looked at in tiles."""

    AUTO = "auto"
    """Where objects would become too small to be found."""
    ALWAYS = "always"
    """Wherever the image is larger than a tile."""
    NEVER = "never"
    """Nowhere: each image is scaled to the model's input size."""


@dataclass(frozen=True)
class Sight:
    """How a model looks at an image.

    Attributes:
        shorter: pixels the shorter side of an image is scaled to.
        longer: pixels the longer side may then have at most.
        finest: side of the smallest anchor in scaled pixels; smaller objects are mostly missed.
        small: side of the small objects it was trained on, in pixels of their images; None where
            that is not known.
    """

    shorter: int
    longer: int
    finest: float
    small: float | None = None

    def scale(self, size: tuple[int, int]) -> float:
        """Return scaled pixels for each pixel of an image of a size, (height, width)."""
        return min(self.shorter / min(size), self.longer / max(size))

    def sees_whole(self, size: tuple[int, int]) -> bool:
        """Tell whether an image has some width left when it is scaled."""
        return max(size) < min(size) * self.longer


@dataclass(frozen=True)
class Tiling:
    """How a project wants its images looked at.

    Attributes:
        choice: whether in tiles.
        small: side of the small ones of its objects, in pixels; None where that is not known.
    """

    choice: TileChoice = TileChoice.AUTO
    small: float | None = None

    def in_tiles(self, sight: Sight, size: tuple[int, int]) -> bool | None:
        """Tell whether an image is to be looked at in tiles.

        Args:
            sight: the model's.
            size: (height, width) of the image.

        Returns:
            None where that depends on what is found in the whole image, see `too_small`.
        """
        if self.choice is TileChoice.NEVER or len(grid(sight, size, self.small)) == 1:
            return False
        if self.choice is TileChoice.ALWAYS or not sight.sees_whole(size):
            return True
        whole = sight.scale(size)
        small = _known(self.small, sight)
        if tile_scale(sight, size, self.small) < _LEAST_GAIN * whole:
            return False
        if small is not None:
            return small * whole < sight.finest
        return True if whole * _HOPELESS < 1 else None

    def fits(self, sight: Sight, size: tuple[int, int], tiles: int) -> bool:
        """Tell whether what was found in so many tiles (0: in the whole image) need not be redone.

        Args:
            sight: the model's.
            size: (height, width) of the image.
            tiles: in how many tiles it was looked at.
        """
        if tiles:
            return self.choice is not TileChoice.NEVER
        return self.in_tiles(sight, size) is not True


AUTOMATIC = Tiling()
"""What is done unless a person chose otherwise or drew something."""


@dataclass(frozen=True)
class TileEstimate:
    """What looking at an image in tiles will take.

    Attributes:
        tiles: how many there are.
        seconds: for all of them; None where it is not known how long one takes.
        certain: False where it depends on what is found in the whole image.
    """

    tiles: int
    seconds: float | None
    certain: bool


def estimate(
    tiling: Tiling, sight: Sight, size: tuple[int, int], seconds_each: float | None
) -> TileEstimate | None:
    """Return what an image will take, None where it is not looked at in tiles.

    Args:
        tiling: the project's.
        sight: the model's.
        size: (height, width) of the image.
        seconds_each: that the model takes for an image; a tile takes as long.
    """
    wanted = tiling.in_tiles(sight, size)
    if wanted is False:
        return None
    tiles = len(grid(sight, size, tiling.small))
    seconds = None if seconds_each is None else (tiles + 1) * seconds_each
    return TileEstimate(tiles, seconds, wanted is True)


def too_small(sight: Sight, size: tuple[int, int], sides: Sequence[float]) -> bool:
    """Tell whether what was found in the whole image is so small that more will have been missed.

    Args:
        sight: the model's.
        size: (height, width) of the image.
        sides: of what was found with some certainty, in pixels of the image.
    """
    whole = sight.scale(size)
    if not sides:
        return whole * _BLIND < 1
    return float(np.median(sides)) * whole < _SMALL_TO_MEDIAN * sight.finest


def small_side(sides: Sequence[float]) -> float | None:
    """Return the side of the small ones among objects; None where too few are known.

    Args:
        sides: square roots of the areas of boxes, in pixels.
    """
    if len(sides) < _FEWEST_KNOWN:
        return None
    return float(np.quantile(sides, _SMALL_SHARE))


def tile_scale(sight: Sight, size: tuple[int, int], small: float | None = None) -> float:
    """Return scaled pixels for each pixel of an image, seen in tiles.

    It is 1, the pixels as they are, unless small objects are known to be so large that less will
    do.

    Args:
        sight: the model's.
        size: (height, width) of the image.
        small: side of the small ones of its objects, if that is known.
    """
    known = _known(small, sight)
    if known is None:
        return 1.0
    return min(1.0, max(sight.scale(size), _SEEN_WELL * sight.finest / known))


def overlap_of(sight: Sight, scale: float) -> int:
    """Return the pixels of an image that neighbouring tiles share at least."""
    return round(sight.shorter * _OVERLAP / scale)


def grid(sight: Sight, size: tuple[int, int], small: float | None = None) -> tuple[PixelBox, ...]:
    """Return the tiles of an image, row by row; they cover it and share at least the overlap.

    Args:
        sight: the model's.
        size: (height, width) of the image.
        small: side of the small ones of its objects, if that is known.
    """
    scale = tile_scale(sight, size, small)
    while True:
        side, shared = round(sight.shorter / scale), overlap_of(sight, scale)
        rows, columns = _spans(size[0], side, shared), _spans(size[1], side, shared)
        if len(rows) * len(columns) <= MOST_TILES:
            return tuple((x0, y0, x1, y1) for y0, y1 in rows for x0, x1 in columns)
        scale /= 2


def window_around(
    box: tuple[float, float, float, float], size: tuple[int, int], sight: Sight
) -> PixelBox:
    """Return the part of an image that a model looks at to answer for a box in it.

    It is a tile's size, or twice the box where that is larger, with the box in its middle as far as
    the image goes.

    Args:
        box: xyxy, within the image.
        size: (height, width) of the image.
        sight: the model's.
    """
    height, width = size
    side = max(sight.shorter, 2 * math.ceil(max(box[2] - box[0], box[3] - box[1])))
    x0, x1 = _around((box[0] + box[2]) / 2, side, width)
    y0, y1 = _around((box[1] + box[3]) / 2, side, height)
    return x0, y0, x1, y1


def _around(middle: float, side: int, whole: int) -> tuple[int, int]:
    side = min(side, whole)
    begin = min(max(0, round(middle - side / 2)), whole - side)
    return begin, begin + side


def _known(small: float | None, sight: Sight) -> float | None:
    return sight.small if small is None else small


def _spans(whole: int, tile: int, shared: int) -> list[tuple[int, int]]:
    """Return where tiles begin and end along one side, spread evenly."""
    if whole <= tile:
        return [(0, whole)]
    count = math.ceil((whole - shared) / (tile - shared))
    begins = [round(number * (whole - tile) / (count - 1)) for number in range(count)]
    return [(begin, begin + tile) for begin in begins]
