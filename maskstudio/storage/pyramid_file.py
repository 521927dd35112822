"""The file of a pyramid: an image at full size and in halves of halves, cut into tiles.

Layout: a line that names the format, length and CRC-32 of a description, the description (JSON),
the tiles of each level row by row as plain bytes, the CRC-32 of every tile, and that of those. So a
file that was not written to its end, or was changed since, is known as such: the end when it is
opened, a tile when it is read. Nothing need be forced to the disk.

Plain bytes, because a tile of 512 x 512 is then stored in 0.5 ms and read in 0.8, where PNG takes
13 and 7 ms for four tenths of the bytes; see docs/decisions/0009-large-images.md.
"""

import json
import threading
import zlib
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from maskstudio.errors import CancelledError
from maskstudio.storage.levels import halved, level_sizes

TILE = 512
"""Side of the tiles, in pixels, unless told otherwise."""

_FORMAT = b"MaskStudio pyramid 1\n"
_NUMBER = np.dtype("<u4")
_MOST_DESCRIPTION = 65_536


class DamagedPyramidError(Exception):
    """The file is not what was written; make it again."""


@dataclass(frozen=True)
class Description:
    """What a pyramid holds.

    Attributes:
        source: path, length in bytes and time of change (ns) of the image it was made from.
        size: (height, width) of the image.
        channels: 3 for red, green and blue, 1 for grey.
        tile: side of the tiles; those at the right and bottom edges are smaller.
        first_level: the first level the file holds; 1 where the image's own file gives full size.
        shown: see `ImageParts.shown`.
    """

    source: tuple[str, int, int]
    size: tuple[int, int]
    channels: int
    tile: int
    first_level: int
    shown: tuple[float, float] | None

    @property
    def level_sizes(self) -> tuple[tuple[int, int], ...]:
        """(height, width) of every level, the ones not in the file too."""
        return level_sizes(self.size)

    def tile_bytes(self) -> list[NDArray[np.int64]]:
        """Return for each level in the file the bytes of its tiles, (rows, columns) int64."""
        return [
            np.outer(_sides(height, self.tile), _sides(width, self.tile)) * self.channels
            for height, width in self.level_sizes[self.first_level :]
        ]


def _sides(length: int, tile: int) -> NDArray[np.int64]:
    """Return the lengths of the tiles along one side."""
    return np.minimum(tile, length - np.arange(0, length, tile, dtype=np.int64))


class PyramidFile:
    """A pyramid on the disk, open for reading; may be read from several threads."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            FileNotFoundError: there is none.
            DamagedPyramidError: it is not whole.
            OSError: it cannot be read.
        """
        with ExitStack() as stack:
            self._file: BinaryIO = stack.enter_context(path.open("rb"))
            self._lock = threading.Lock()
            self.path = path
            self.description, begin = self._read_description()
            self._tiles = self.description.tile_bytes()
            counts = [tiles.size for tiles in self._tiles]
            sizes = np.concatenate([tiles.ravel() for tiles in self._tiles])
            ends = begin + np.cumsum(sizes)
            split = np.cumsum(counts)[:-1]
            self._begins = np.split(ends - sizes, split)
            self._sums = np.split(self._read_sums(int(ends[-1]), sum(counts)), split)
            stack.pop_all()

    def read_tile(self, level: int, row: int, column: int) -> NDArray[np.uint8]:
        """Return a tile as (height, width, channels) uint8.

        Raises:
            DamagedPyramidError: it is not what was written, or cannot be read.
            CancelledError: the file has been closed.
        """
        at = level - self.description.first_level
        rows, columns = self._tiles[at].shape
        place = row * columns + column
        height, width = self.description.level_sizes[level]
        tile = self.description.tile
        shape = (min(tile, height - row * tile), min(tile, width - column * tile), -1)
        count = int(self._tiles[at][row, column])
        data = self._read(int(self._begins[at][place]), count)
        if zlib.crc32(data) != self._sums[at][place]:
            raise DamagedPyramidError(f"tile {level}/{row}/{column} of {rows} x {columns}")
        return np.frombuffer(data, np.uint8).reshape(shape)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _read(self, begin: int, count: int) -> bytes:
        try:
            with self._lock:
                self._file.seek(begin)
                return self._file.read(count)
        except OSError as error:
            raise DamagedPyramidError(str(error)) from error
        except ValueError as error:
            raise CancelledError from error

    def _read_description(self) -> tuple[Description, int]:
        head = self._read(0, len(_FORMAT) + 2 * _NUMBER.itemsize)
        if not head.startswith(_FORMAT) or len(head) != len(_FORMAT) + 2 * _NUMBER.itemsize:
            raise DamagedPyramidError("not a pyramid")
        length, written = map(int, np.frombuffer(head, _NUMBER, offset=len(_FORMAT)))
        text = self._read(len(head), min(length, _MOST_DESCRIPTION))
        if zlib.crc32(text) != written:
            raise DamagedPyramidError("its description is not what was written")
        told = json.loads(text)
        told["source"], told["size"] = tuple(told["source"]), tuple(told["size"])
        told["shown"] = told["shown"] and tuple(told["shown"])
        return Description(**told), len(head) + length

    def _read_sums(self, begin: int, count: int) -> NDArray[np.uint32]:
        end = self._read(begin, (count + 2) * _NUMBER.itemsize)
        sums, whole = end[: count * _NUMBER.itemsize], end[count * _NUMBER.itemsize :]
        if whole != zlib.crc32(sums).to_bytes(4, "little"):
            raise DamagedPyramidError("it is not whole")
        return np.frombuffer(sums, _NUMBER)


class PyramidWriter:
    """Writes the file of a pyramid from the bands of an image, top to bottom."""

    def __init__(self, file: BinaryIO, description: Description) -> None:
        self._file = file
        self._description = description
        text = json.dumps(asdict(description)).encode()
        file.write(_FORMAT + np.array([len(text), zlib.crc32(text)], _NUMBER).tobytes() + text)
        tiles = description.tile_bytes()
        self._begins = np.cumsum([file.tell(), *(one.sum() for one in tiles)]).tolist()
        levels = len(description.level_sizes)
        # Rows of each level that do not fill a row of tiles yet.
        self._waiting: list[list[NDArray[np.uint8]]] = [[] for _ in range(levels)]
        self._rows = [0] * levels
        self._sums: list[list[int]] = [[] for _ in tiles]

    def add(self, band: NDArray[np.uint8], level: int = 0) -> None:
        """Add the next rows of a level.

        Args:
            band: (rows, width, channels) uint8.
            level: the level; those after it follow by themselves.
        """
        height = self._description.level_sizes[level][0]
        waiting = self._waiting[level]
        waiting.append(band)
        held = sum(len(one) for one in waiting)
        tile = self._description.tile
        while held >= tile or (held and self._rows[level] + held == height):
            rows = waiting[0] if len(waiting) == 1 else np.concatenate(waiting)
            waiting[:] = [rows[tile:]] if held > tile else []
            self._put(level, rows[:tile])
            held = max(0, held - tile)

    def finish(self) -> None:
        """Write the end, once every row has been added."""
        sums = np.concatenate([np.array(one, _NUMBER) for one in self._sums]).tobytes()
        self._file.seek(self._begins[-1])
        self._file.write(sums)
        self._file.write(zlib.crc32(sums).to_bytes(4, "little"))

    def _put(self, level: int, band: NDArray[np.uint8]) -> None:
        """Write a row of tiles, and hand half of it to the next level."""
        self._rows[level] += len(band)
        at = level - self._description.first_level
        if at >= 0:
            self._file.seek(self._begins[at])
            tile = self._description.tile
            for left in range(0, band.shape[1], tile):
                data = band[:, left : left + tile].tobytes()
                self._sums[at].append(zlib.crc32(data))
                self._begins[at] += self._file.write(data)
        if level + 1 < len(self._waiting):
            self.add(halved(band).reshape(-(-len(band) // 2), -1, band.shape[2]), level + 1)


def as_bgra(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return pixels of 1 (grey) or 3 (red, green, blue) channels as they are painted."""
    how = cv2.COLOR_GRAY2BGRA if pixels.shape[2] == 1 else cv2.COLOR_RGB2BGRA
    painted = np.asarray(cv2.cvtColor(pixels, how), np.uint8)
    painted.setflags(write=False)
    return painted
