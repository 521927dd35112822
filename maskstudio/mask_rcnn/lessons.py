"""What the heads learn from in one image: the features the network saw, and what is there.

An outline is kept as the share of each cell of a small grid around its box that it covers: three
kilobytes an object, whatever the size of the image, and finer than any mask head draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maskstudio.annotation.learning import Truth
from maskstudio.annotation.masks import decode, rasterize
from maskstudio.annotation.segmentation import Part, Ring, Segmentation, as_ring

GRID = 56
"""Cells a side of the grid an outline is kept in."""

# The grid reaches this share of a box's width and height beyond it on each side: beyond that there
# is nothing, and sampled there it says so.
_MARGIN = 0.15
# An outline is drawn so many times finer, and averaged.
_FINER = 4


@dataclass(frozen=True, eq=False)
class Objects:
    """What is on an image, in pixels of the network's image.

    Attributes:
        boxes: (n, 4) float32 xyxy.
        names: the category of each.
        grids: (n, GRID, GRID) uint8, share times 255 that an outline covers; see `windows`.
        outlined: (n,) bool; False where only the box is known.
        crowds: (k, 4) float32 xyxy: boxes where nothing is learned.
    """

    boxes: Tensor
    names: tuple[str, ...]
    grids: Tensor
    outlined: Tensor
    crowds: Tensor

    @property
    def windows(self) -> Tensor:
        """What each grid shows, (n, 4) xyxy."""
        return _widened(self.boxes)

    def scaled(self, across: float, down: float) -> "Objects":
        """Return the same where the network's image is as many times as wide and as high."""
        factor = torch.tensor([across, down, across, down])
        return replace(self, boxes=self.boxes * factor, crowds=self.crowds * factor)

    def mirrored(self, width: float) -> "Objects":
        """Return the same for the image, of this width, mirrored left to right."""
        return replace(
            self,
            boxes=_mirrored(self.boxes, width),
            grids=self.grids.flip(2),
            crowds=_mirrored(self.crowds, width),
        )


@dataclass(frozen=True, eq=False)
class Lesson:
    """One view of an image.

    Attributes:
        features: each level that enters or leaves the pyramid by its name, (1, C, h, w) float16,
            on the CPU.
        scaled: (height, width) of the network's image, without padding.
        padded: the same with padding.
        objects: what is there.
    """

    features: dict[str, Tensor]
    scaled: tuple[int, int]
    padded: tuple[int, int]
    objects: Objects


def objects_of(truth: Sequence[Truth]) -> Objects:
    """Return what is on an image, in pixels of that image; what has no extent is left out."""
    single = [one for one in truth if not one.crowd and _has_extent(one)]
    crowds = [one.bounds for one in truth if one.crowd]
    boxes = torch.tensor([one.bounds for one in single], dtype=torch.float32).reshape(-1, 4)
    grids = [
        _grid(one.segmentation, window)
        for one, window in zip(single, _widened(boxes).numpy(), strict=True)
    ]
    return Objects(
        boxes,
        tuple(one.category for one in single),
        torch.from_numpy(np.stack(grids) if grids else np.zeros((0, GRID, GRID), np.uint8)),
        torch.tensor([one.segmentation is not None for one in single], dtype=torch.bool),
        torch.tensor(crowds, dtype=torch.float32).reshape(-1, 4),
    )


def _has_extent(truth: Truth) -> bool:
    x0, y0, x1, y1 = truth.bounds
    return x1 > x0 and y1 > y0


def _widened(boxes: Tensor) -> Tensor:
    reach = (boxes[:, 2:] - boxes[:, :2]) * _MARGIN
    return torch.cat([boxes[:, :2] - reach, boxes[:, 2:] + reach], dim=1)


def _mirrored(boxes: Tensor, width: float) -> Tensor:
    return torch.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], dim=1)


def _grid(segmentation: Segmentation | None, window: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the share of each cell of a window that an outline covers, times 255."""
    if segmentation is None:
        return np.zeros((GRID, GRID), np.uint8)
    side = GRID * _FINER
    corner, extent = window[:2].astype(np.float64), (window[2:] - window[:2]).astype(np.float64)

    def on_grid(ring: Ring) -> Ring:
        return as_ring((ring - corner) / extent * side)

    parts = (Part(on_grid(p.outer), tuple(map(on_grid, p.holes))) for p in segmentation.parts)
    covered = decode(rasterize(Segmentation(tuple(parts)), side, side))
    share = covered.reshape(GRID, _FINER, GRID, _FINER).mean(axis=(1, 3))
    return np.asarray(np.round(share * 255), np.uint8)
