"""Very large images as pyramids of tiles: made once, kept in a folder, read tile by tile.

A pyramid is a cache: its file may be deleted at any time. It belongs to one path and is made again
when the image there has another length or time of change. Where the image is a TIFF of tiles, its
own tiles serve at full size and only the smaller levels are stored.
"""

import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from itertools import zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.storage.files import why
from maskstudio.storage.image_parts import ImageParts, parts
from maskstudio.storage.levels import level_sizes
from maskstudio.storage.pyramid_file import (
    TILE,
    DamagedPyramidError,
    Description,
    PyramidFile,
    PyramidWriter,
    as_bgra,
)

LIMIT_BYTES = 10 * 1024**3
"""Pyramids kept; a photo of 20,000 x 20,000 takes 1.6 GB, a TIFF of tiles 0.4 GB."""

_SUFFIX, _UNFINISHED = ".pyramid", ".part"
# What has not been written to for so long was left behind by a program that was killed.
_ABANDONED_S = 600
_PATIENCE_S = 0.05


class StalePyramidError(UserError):
    """What is kept of an image does not fit it any more, and is gone: make it again."""


class Pyramid:
    """An image to be read tile by tile, at full size and at every half of a half.

    May be read from several threads; close it when it is no longer needed.
    """

    def __init__(
        self,
        file: PyramidFile,
        image: AbstractContextManager[ImageParts] | None,
    ) -> None:
        """Put it together; see `Pyramids`."""
        self._file = file
        self._stack = ExitStack()
        self._stack.callback(file.close)
        self._full: ImageParts | None = None
        if image is not None:
            with self._stack:
                self._full = self._stack.enter_context(image)
                self._stack = self._stack.pop_all()

    def close(self) -> None:
        """Let go of the files; whoever is reading a tile is cancelled."""
        self._stack.close()

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the image."""
        return self._file.description.size

    @property
    def level_sizes(self) -> tuple[tuple[int, int], ...]:
        """(height, width) of each level."""
        return self._file.description.level_sizes

    def tile_side(self, level: int) -> int:
        """Return the side of the tiles of a level, in its pixels."""
        if level == 0 and self._full is not None and self._full.tile is not None:
            return self._full.tile
        return self._file.description.tile

    def read_tile(self, level: int, row: int, column: int) -> NDArray[np.uint8]:
        """Return a tile; smaller at the right and bottom edges.

        Returns:
            (height, width, 4) uint8 in the order blue, green, red, unused; read-only.

        Raises:
            StalePyramidError: the image has changed, or its pyramid is damaged.
            UserError: the image cannot be read any more.
            CancelledError: the pyramid has been closed.
        """
        try:
            if level or self._full is None:
                return as_bgra(self._file.read_tile(level, row, column))
            side = self.tile_side(0)
            left, top = column * side, row * side
            height, width = self.size
            self._check_source()
            box = (left, top, min(width, left + side), min(height, top + side))
            return as_bgra(self._full.read(box))
        except DamagedPyramidError as error:
            with suppress(OSError):
                self._file.path.unlink()
            raise StalePyramidError(
                f"The tiles kept of {self._file.description.source[0]} are damaged ({error}); "
                "open the image again."
            ) from error

    def _check_source(self) -> None:
        path = self._file.description.source[0]
        if _source(Path(path)) != self._file.description.source:
            raise StalePyramidError(f"{path} has changed; open it again.")


class Pyramids:
    """The pyramids kept on this machine."""

    def __init__(self, folder: Path, limit_bytes: int = LIMIT_BYTES, tile: int = TILE) -> None:
        """Keep them in a folder, which is made when it is needed.

        Args:
            folder: where.
            limit_bytes: all together; before a new one the oldest go. One is kept in any case.
            tile: side of the tiles of new ones, in pixels; even.
        """
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._tile = tile
        # Two images decoded whole at a time would take twice the memory.
        self._building = threading.Lock()

    def find(self, path: Path) -> Pyramid | None:
        """Return the pyramid of an image, None where there is none that fits it.

        Raises:
            UserError: the image is gone, or cannot be read.
        """
        kept = self._file_of(path)
        try:
            file = PyramidFile(kept)
        except (OSError, DamagedPyramidError):
            return None
        if file.description.source != _source(path):
            file.close()
            return None
        with suppress(OSError):
            os.utime(kept)  # so that the ones not used for longest go first
        if not file.description.first_level:
            return Pyramid(file, None)
        shown = file.description.shown
        return Pyramid(file, parts(path, TaskContext(), shown, may_preview=False))

    def make(self, path: Path, context: TaskContext) -> Pyramid:
        """Make the pyramid of an image and keep it.

        Args:
            path: the image.
            context: produces a small preview, see `image_parts.parts`; is told the rows done.

        Raises:
            UserError: the image cannot be read, or the pyramid not written.
            CancelledError: it is no longer wanted; nothing is left behind.
        """
        source = _source(path)
        with self._alone(context), parts(path, context) as image:
            kept = self._file_of(path)
            about = Description(
                source,
                image.size,
                image.channels,
                self._tile,
                1 if image.tile is not None and len(level_sizes(image.size)) > 1 else 0,
                image.shown,
            )
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._make_room(sum(int(one.sum()) for one in about.tile_bytes()))
                self._write(kept, about, image, context)
            except OSError as error:
                raise UserError(
                    f"{path} cannot be prepared in {self._folder}: {why(error)}."
                ) from error
        found = self.find(path)
        if found is None:
            raise UserError(f"{path} has changed while it was read; open it again.")
        return found

    def _write(
        self, kept: Path, about: Description, image: ImageParts, context: TaskContext
    ) -> None:
        number, name = tempfile.mkstemp(_UNFINISHED, dir=self._folder)
        beside = Path(name)
        try:
            with os.fdopen(number, "wb") as file, closing(_bands(image)) as bands:
                writer = PyramidWriter(file, about)
                for done, band in bands:
                    context.raise_if_cancelled()
                    writer.add(band)
                    context.report(done, image.size[0])
                writer.finish()
            beside.replace(kept)
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)

    def _make_room(self, wanted: int) -> None:
        """Delete what was left unfinished, and the oldest until there is room for a new one."""
        now = time.time()
        kept = []
        for path in self._folder.iterdir():
            with suppress(OSError):
                status = path.stat()
                if path.suffix == _SUFFIX:
                    kept.append((status.st_mtime_ns, path, status.st_size))
                elif path.suffix == _UNFINISHED and now - status.st_mtime > _ABANDONED_S:
                    path.unlink()
        held = sum(size for _, _, size in kept)
        for _, path, size in sorted(kept):
            if held + wanted <= self._limit_bytes:
                return
            with suppress(OSError):  # on Windows one that is open cannot be deleted
                path.unlink()
                held -= size

    @contextmanager
    def _alone(self, context: TaskContext) -> Iterator[None]:
        while not self._building.acquire(timeout=_PATIENCE_S):
            context.raise_if_cancelled()
        try:
            yield
        finally:
            self._building.release()

    def _file_of(self, path: Path) -> Path:
        name = hashlib.blake2b(str(path.absolute()).encode("utf-8", "replace"), digest_size=16)
        return self._folder / f"{name.hexdigest()}{_SUFFIX}"


def _bands(image: ImageParts) -> Generator[tuple[int, NDArray[np.uint8]], None, None]:
    """Yield an image in bands from top to bottom, each with its bottom; the next is read ahead."""
    height, width = image.size
    tops = range(0, height, image.band_rows)
    boxes = [(0, top, width, min(height, top + image.band_rows)) for top in tops]
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(image.read, boxes[0])
        for box, following in zip_longest(boxes, boxes[1:]):
            band = coming.result()
            if following is not None:
                coming = ahead.submit(image.read, following)
            yield box[3], band


def _source(path: Path) -> tuple[str, int, int]:
    """Return what an image's file is known by."""
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise UserError(f"{path} is gone; open the folder again.") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {why(error)}.") from error
    return str(path.absolute()), status.st_size, status.st_mtime_ns
