"""Ways along edges, worked out on lane FILES while the hand moves: what the magnetic tool draws."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from maskstudio.annotation.draft import Points
from maskstudio.annotation.scissors import EdgeWays, Patch, Point
from maskstudio.progress import TaskContext
from maskstudio.session.shown_image import PixelBox, ShownImage
from maskstudio.session.tasks import Callbacks, Job, LaneName, Tasks

# In pixels of a level: at 512 x 512 the ways are there after 50 ms on one core, at 1024 x 1024
# after 250 ms. What is larger is looked at half as large.
_LEAST_SIDE, _MOST_SIDE = 512, 1024
# Room between a place the hand goes to and the border of what is looked at.
_ROOM = 128


@dataclass(frozen=True)
class _Window:
    """The part of an image that is looked at.

    Attributes:
        image: the image.
        seed: where the ways begin, image coordinates.
        level: of the image; see `ShownImage`.
        box: in pixels of the level.
    """

    image: ShownImage
    seed: Point
    level: int
    box: PixelBox

    @property
    def scale(self) -> int:
        """How many image pixels wide and high a pixel of it is."""
        return int(2**self.level)

    def begins_at(self, image: ShownImage, seed: Point) -> bool:
        """Tell whether the ways of another seed, or on another image, are wanted."""
        return self.image is image and self.seed == seed

    def holds(self, point: Point) -> bool:
        """Tell whether an image point lies in it."""
        left, top, right, bottom = (side * self.scale for side in self.box)
        return left <= point[0] <= right and top <= point[1] <= bottom

    def will_do(self, wanted: "_Window", to: Point) -> bool:
        """Tell whether another part need not be looked at to go to an image point."""
        same = self.begins_at(wanted.image, wanted.seed) and self.level == wanted.level
        return same and self.holds(to)

    def read(self) -> Patch:
        """Read its pixels; may wait for the disk."""
        left, top = self.box[0] * self.scale, self.box[1] * self.scale
        return Patch(self.image.read(self.level, self.box), left, top, self.scale)


class Tracer:
    """Keeps the ways from one seed ready; those of another are begun when they are asked for."""

    def __init__(self, tasks: Tasks, ready: Callable[[], None]) -> None:
        """Work on lane FILES.

        Args:
            tasks: the lanes.
            ready: called when ways are there that were asked for.
        """
        self._tasks = tasks
        self._ready = ready
        self._ways: tuple[_Window, EdgeWays] | None = None
        self._asked: _Window | None = None
        self._job: Job | None = None

    @property
    def working(self) -> bool:
        """True while ways are worked out."""
        return self._job is not None

    def way(self, image: ShownImage, seed: Point, to: Point, level: int) -> Points | None:
        """Return the way along the edges between two points, without the seed.

        Args:
            image: the image.
            seed: where it begins, within the image.
            to: where it ends, within the image.
            level: the level of the image that is painted.

        Returns:
            The points; None while they are worked out, after which `ready` is called.
        """
        known = self._ways if self._ways and self._ways[0].begins_at(image, seed) else None
        if known is None or known[0].level != level or not known[0].holds(to):
            self._ask(_window(image, seed, to, level), to)
        return known[1].to(*to) if known and known[0].holds(to) else None

    def drop(self) -> None:
        """Forget all ways."""
        if self._job is not None:
            self._job.cancel()
        self._ways = self._asked = self._job = None

    def _ask(self, wanted: _Window, to: Point) -> None:
        if self._asked is not None and self._asked.will_do(wanted, to):
            return
        if self._job is not None:
            self._job.cancel()
        self._asked = wanted

        def work(context: TaskContext) -> EdgeWays:
            patch = wanted.read()
            context.raise_if_cancelled()
            return EdgeWays(patch, wanted.seed)

        def ended(ways: EdgeWays | None) -> None:
            if self._job is job:
                self._job = None
                self._ways = (wanted, ways) if ways is not None else self._ways
                self._ready()

        # Where it fails straight lines will do; who paints the image says what is wrong with it.
        callbacks = Callbacks(ended, lambda _: ended(None))
        self._job = job = self._tasks.submit(LaneName.FILES, work, callbacks)


def edge_near(image: ShownImage, point: Point, radius: float, level: int) -> Point | None:
    """Return the place on an edge near a point, if it can be told without waiting for the disk.

    Args:
        image: the image.
        point: within the image.
        radius: how far from the point it may be, image pixels.
        level: the level of the image that is painted.
    """
    scale = 2**level
    reach = math.ceil(radius / scale) + 1
    box = _clipped(image, level, _around([point], scale, reach))
    piece = image.at_hand(level, box)
    if piece is None:
        return None
    pixels = piece.eight_bits(
        slice(box[1] - piece.top, box[3] - piece.top),
        slice(box[0] - piece.left, box[2] - piece.left),
    )
    return Patch(pixels, box[0] * scale, box[1] * scale, scale).edge_near(*point, radius)


def _window(image: ShownImage, seed: Point, to: Point, level: int) -> _Window:
    """Return the part of an image that holds two points with room around them."""
    while True:
        box = _around([seed, to], 2**level, _ROOM)
        wide, high = box[2] - box[0], box[3] - box[1]
        if max(wide, high) <= _MOST_SIDE or level == len(image.level_sizes) - 1:
            across, down = (max(0, _LEAST_SIDE - side + 1) // 2 for side in (wide, high))
            grown = (box[0] - across, box[1] - down, box[2] + across, box[3] + down)
            return _Window(image, seed, level, _clipped(image, level, grown))
        level += 1


def _around(points: list[Point], scale: int, room: int) -> PixelBox:
    """Return the pixels of a level that hold points, with room around them."""
    columns, rows = [int(x / scale) for x, _ in points], [int(y / scale) for _, y in points]
    low, high = (min(columns) - room, min(rows) - room), (max(columns) + room, max(rows) + room)
    return low[0], low[1], high[0] + 1, high[1] + 1


def _clipped(image: ShownImage, level: int, box: PixelBox) -> PixelBox:
    height, width = image.level_sizes[level]
    return max(0, box[0]), max(0, box[1]), min(width, box[2]), min(height, box[3])
