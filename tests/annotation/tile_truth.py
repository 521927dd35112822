"""A made-up image of ellipses, and a model that finds in a window exactly what is seen of them."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import affinity

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.detections import Detections
from maskstudio.annotation.masks import ROI_MASK_SIZE
from maskstudio.annotation.tiling import PixelBox, Sight
from maskstudio.progress import TaskContext
from support.fakes import FakePredictor

CATEGORIES = (Category(1, "cell"), Category(2, "seed"))
# A model finds no object of which less than this is seen.
_LEAST_SHARE = 0.05
_POINTS = 4


@dataclass(frozen=True)
class Ellipse:
    """One object of the truth."""

    x: float
    y: float
    across: float
    down: float
    turn: float
    label: int = 0

    @cached_property
    def shape(self) -> shapely.Polygon:
        """Its outline."""
        disc = shapely.Point(0, 0).buffer(1, quad_segs=32)
        grown = affinity.rotate(affinity.scale(disc, self.across / 2, self.down / 2), self.turn)
        return affinity.translate(grown, self.x, self.y)

    @property
    def side(self) -> float:
        """The longer side of the box around it."""
        x0, y0, x1, y1 = self.shape.bounds
        return max(x1 - x0, y1 - y0)

    def holds(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which points lie in it."""
        turn = math.radians(self.turn)
        along = (x - self.x) * math.cos(turn) + (y - self.y) * math.sin(turn)
        beside = (y - self.y) * math.cos(turn) - (x - self.x) * math.sin(turn)
        return (along / self.across * 2) ** 2 + (beside / self.down * 2) ** 2 <= 1


def scattered(
    seed: int, size: tuple[int, int], sides: tuple[float, float], count: int
) -> list[Ellipse]:
    """Return ellipses that lie within an image and do not touch one another.

    Args:
        seed: of the random numbers.
        size: (height, width).
        sides: of the shortest and the longest axis.
        count: to try; where there is no room there are fewer.
    """
    rng = np.random.default_rng(seed)
    found: list[Ellipse] = []
    for _ in range(count):
        across, down = rng.uniform(*sides, 2)
        x, y = rng.uniform(0, size[1]), rng.uniform(0, size[0])
        one = Ellipse(x, y, across, down, rng.uniform(0, 180), int(rng.integers(2)))
        x0, y0, x1, y1 = one.shape.bounds
        inside = x0 > 0 and y0 > 0 and x1 < size[1] and y1 < size[0]
        if inside and all(one.shape.distance(other.shape) > 2 for other in found):
            found.append(one)
    return found


class TruthPredictor(FakePredictor):
    """Is image and model in one: finds what is seen of the truth in the window asked for last.

    Attributes:
        windows: the windows that were asked for.
        jitter: boxes are so many pixels off, at most.
    """

    def __init__(
        self, truth: list[Ellipse], size: tuple[int, int], sight: Sight, seed: int = 0
    ) -> None:
        super().__init__()
        self.truth = truth
        self.size = size
        self.sight = sight
        self.jitter = 0.5
        self.windows: list[PixelBox] = []
        self._rng = np.random.default_rng(seed)
        self._looking_at: PixelBox = (0, 0, size[1], size[0])

    def window(self, box: PixelBox) -> NDArray[np.uint8]:
        """Give a window, of which only its place matters."""
        self.windows.append(box)
        self._looking_at = box
        return np.zeros((box[3] - box[1], box[2] - box[0], 3), np.uint8)

    def reduced(self, side: int, context: TaskContext) -> tuple[NDArray[np.uint8], int]:
        """Give all of it, at its size."""
        del side, context
        height, width = self.size
        self._looking_at = (0, 0, width, height)
        return np.zeros((height, width, 3), np.uint8), 1

    def predict(self, image: NDArray[np.uint8], context: TaskContext) -> Detections:
        """Find what is seen of the truth, and large enough for the model."""
        context.raise_if_cancelled()
        x0, y0, x1, y1 = self._looking_at
        scale = self.sight.scale((image.shape[0], image.shape[1]))
        frame = shapely.box(x0, y0, x1, y1)
        boxes, labels, masks = [], [], []
        for one in self.truth:
            seen = one.shape.intersection(frame)
            small = math.sqrt(one.across * one.down) * scale < self.sight.finest
            if small or seen.area < _LEAST_SHARE * one.shape.area:
                continue
            box = np.array(seen.bounds) + self._rng.uniform(-self.jitter, self.jitter, 4)
            box = np.clip(box, [x0, y0, x0, y0], [x1, y1, x1, y1])
            boxes.append(box - [x0, y0, x0, y0])
            labels.append(one.label)
            masks.append(_mask(one, box))
        order = np.argsort(-self._rng.uniform(0.5, 1, len(boxes)))
        return Detections(
            "truth",
            (image.shape[0], image.shape[1]),
            np.array(boxes, np.float32).reshape(-1, 4)[order],
            np.array(labels, np.int64)[order],
            np.sort(self._rng.uniform(0.5, 1, len(boxes)).astype(np.float32))[::-1].copy(),
            np.array(masks, np.uint8).reshape(-1, ROI_MASK_SIZE, ROI_MASK_SIZE)[order],
            CATEGORIES,
        )


def _mask(one: Ellipse, box: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the share of each cell of a box that the ellipse covers, times 255."""
    steps = (np.arange(ROI_MASK_SIZE * _POINTS) + 0.5) / (ROI_MASK_SIZE * _POINTS)
    x = box[0] + (box[2] - box[0]) * steps
    y = box[1] + (box[3] - box[1]) * steps
    inside = one.holds(x[None, :], y[:, None])
    cells = inside.reshape(ROI_MASK_SIZE, _POINTS, ROI_MASK_SIZE, _POINTS).mean(axis=(1, 3))
    return np.asarray((cells * 255).round(), np.uint8)
