"""A very large image, shown from tiles that a lane of their own reads from the disk.

The small levels are in memory all the time. What is seen of a larger one is put together on lane
TILES, with some room around it, and handed over as one piece; until it comes, the piece before it
and the largest of the small levels stand in. So painting copies pixels and never waits.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.session.shown_image import Piece, PixelBox, overlap
from maskstudio.session.tasks import Callbacks, Job, LaneName, Tasks
from maskstudio.session.tile_reader import TileReader
from maskstudio.storage.levels import halved, level_sizes
from maskstudio.storage.pyramids import Pyramid

# What is put together is larger than what is seen, by up to this share of it on each side, as long
# as it takes no more memory than this. When less than a third of the room is left, the next piece
# is begun.
_MOST_ROOM, _LEAST_ROOM = 0.4, 0.05
_ROOMY_BYTES = 26 * 1024 * 1024

_Levels = Mapping[int, NDArray[np.uint8]]


class TiledImage:
    """An image too large to be held whole; implements `ShownImage`."""

    def __init__(
        self,
        tasks: Tasks,
        size: tuple[int, int],
        on_news: Callable[[], None],
        on_stale: Callable[[str], None],
    ) -> None:
        """Know the size only: give it pixels before it is shown.

        Args:
            tasks: has the lane.
            size: (height, width).
            on_news: called when there is something better to paint than before.
            on_stale: called with a sentence when tiles cannot be read any more.
        """
        self._tasks = tasks
        self._on_news = on_news
        self._on_stale = on_stale
        self._level_sizes = level_sizes(size)
        self._small: _Levels = {}
        self._reader: TileReader | None = None
        self._piece: Piece | None = None
        self._wanted: tuple[int, PixelBox] | None = None
        self._job: Job | None = None
        self._stood_in = False

    @property
    def complete(self) -> bool:
        """True when every level can be read; else there is only a preview."""
        return self._reader is not None

    @property
    def settled(self) -> bool:
        """True while nothing is being read."""
        return self._job is None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) at full size."""
        return self._level_sizes[0]

    @property
    def level_sizes(self) -> tuple[tuple[int, int], ...]:
        """(height, width) of each level."""
        return self._level_sizes

    @property
    def bytes(self) -> int:
        """Memory it takes now."""
        seen = 0 if self._piece is None else self._piece.pixels.nbytes
        tiles = 0 if self._reader is None else self._reader.bytes
        return sum(level.nbytes for level in self._small.values()) + seen + tiles

    def set_preview(self, preview: NDArray[np.uint8]) -> None:
        """Show a small picture until the pyramid is there.

        Args:
            preview: (height, width, 4) uint8, of the size of one of the levels.
        """
        first = self._level_sizes.index((preview.shape[0], preview.shape[1]))
        small = {first: preview}
        for level in range(first + 1, len(self._level_sizes)):
            small[level] = _read_only(halved(small[level - 1]))
        self._small = small

    def set_pyramid(self, pyramid: Pyramid, small: _Levels) -> None:
        """Show the image from its pyramid.

        Args:
            pyramid: its tiles.
            small: see `read_small_levels`.
        """
        self._reader = TileReader(pyramid)
        self._small = small

    def pieces(self, level: int, box: PixelBox) -> tuple[Piece, ...]:
        """Return what there is; see `ShownImage.pieces`. What is missing is read meanwhile."""
        first = min(self._small)
        if level < first:
            self._want(level, box)
        whole = self.at_hand(level, box)
        if whole is not None:
            return (whole,)
        self._stood_in = True
        below, piece = Piece(first, 0, 0, self._small[first]), self._piece
        if piece is None:
            return (below,)
        # Zooming in, the piece before is coarser, but there is more of it than is seen.
        hides_all = _contains(_at_full_size(piece.box, piece.level), _at_full_size(box, level))
        return (piece,) if hides_all else (below, piece)

    def at_hand(self, level: int, box: PixelBox) -> Piece | None:
        """Return a piece that holds a part of a level; see `ShownImage.at_hand`."""
        if level in self._small:
            return Piece(level, 0, 0, self._small[level])
        piece = self._piece
        there = piece is not None and piece.level == level and _contains(piece.box, box)
        return piece if there else None

    def read(self, level: int, box: PixelBox) -> NDArray[np.uint8]:
        """Return exactly a part of a level; see `ShownImage.read`.

        Raises:
            UserError: there is only a preview yet, or the tiles cannot be read any more.
        """
        if self._reader is None:
            raise UserError("The image is being prepared; try again in a moment.")
        *_, whole = self._reader.pieces(level, box, None, TaskContext())
        return whole.pixels

    def rest(self) -> None:
        """Let go of all that can soon be read again."""
        if self._job is not None:
            self._job.cancel()
        self._job = self._wanted = self._piece = None
        if self._reader is not None:
            self._reader.clear()

    def close(self) -> None:
        """Read no more; what is in memory can still be painted."""
        self.rest()
        if self._reader is not None:
            self._reader.close()
        self._reader = None

    def _want(self, level: int, box: PixelBox) -> None:
        """Have a part read, unless it is there or being read with enough room around it."""
        if self._reader is None:
            return
        whole = (0, 0, *self._level_sizes[level][::-1])
        room = _room_around(box)
        asked_level, asked = self._wanted or (None, box)
        if asked_level != level or not _contains(asked, _grown(box, room / 3, whole)):
            self._read_ahead(self._reader, level, _grown(box, room, whole))

    def _read_ahead(self, reader: TileReader, level: int, box: PixelBox) -> None:
        if self._job is not None:
            self._job.cancel()
        self._wanted = level, box

        def arrived(piece: Piece) -> None:
            if self._job is job:
                self._piece = piece
                # Where nothing stood in for it, it shows what is seen already, and room around it.
                if self._stood_in:
                    self._stood_in = False
                    self._on_news()

        def ended(sentence: str | None) -> None:
            if self._job is job:
                self._job = None
                if sentence is not None:
                    self._on_stale(sentence)

        callbacks = Callbacks(ended, ended, item=arrived)
        work = partial(self._put_together, reader, level, box)
        job = self._job = self._tasks.submit(LaneName.TILES, work, callbacks)

    def _put_together(
        self, reader: TileReader, level: int, box: PixelBox, context: TaskContext
    ) -> None:
        # On lane TILES. The job itself must not hold a piece: it is let go of late.
        for piece in reader.pieces(level, box, self._piece, context):
            context.produce(piece)


def read_small_levels(pyramid: Pyramid, most_pixels: int) -> dict[int, NDArray[np.uint8]]:
    """Return the levels that are kept in memory, whole, by their numbers.

    Args:
        pyramid: where they are.
        most_pixels: a level of so many is small; so is the last one in any case.

    Raises:
        UserError: see `Pyramid.read_tile`.
    """
    sizes = pyramid.level_sizes
    reader = TileReader(pyramid)
    small = {}
    for level, (height, width) in enumerate(sizes):
        if height * width <= most_pixels or level + 1 == len(sizes):
            *_, whole = reader.pieces(level, (0, 0, width, height), None, TaskContext())
            small[level] = whole.pixels
    return small


def _read_only(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    pixels.setflags(write=False)
    return pixels


def _contains(outer: PixelBox, inner: PixelBox) -> bool:
    return overlap(outer, inner) == inner


def _at_full_size(box: PixelBox, level: int) -> PixelBox:
    left, top, right, bottom = box
    return left << level, top << level, right << level, bottom << level


def _room_around(box: PixelBox) -> float:
    """Return the room to leave around what is seen, as a share of it."""
    seen = (box[2] - box[0]) * (box[3] - box[1]) * 4
    share = (math.sqrt(_ROOMY_BYTES / max(1, seen)) - 1) / 2
    return min(_MOST_ROOM, max(_LEAST_ROOM, share))


def _grown(box: PixelBox, share: float, whole: PixelBox) -> PixelBox:
    """Return a box with room around it on each side, as far as there is a level."""
    left, top, right, bottom = box
    dx, dy = round((right - left) * share), round((bottom - top) * share)
    return (
        max(whole[0], left - dx),
        max(whole[1], top - dy),
        min(whole[2], right + dx),
        min(whole[3], bottom + dy),
    )
