"""Decode single tiles and strips of a TIFF.

Pillow decodes a TIFF only whole. So the tile or strips wanted are put into a small TIFF of their
own in memory, with the tags that say how to read them, and Pillow decodes that: whatever it can
read whole it can read so, with the same result.
TIFF 6.0, sections 3 (strips), 15 (tiles); BigTIFF differs in the width of offsets only.
"""

import io
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL import TiffImagePlugin as Tiff
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

from maskstudio.errors import CancelledError

_TILE_OFFSETS, _TILE_COUNTS, _TILE_WIDTH, _TILE_LENGTH = 324, 325, 322, 323
_LONG = 4
_PLAIN, _OLD_JPEG = 1, 6
_SEPARATE_PLANES = 2
# How the pixels of a tile or strip are stored: bits, compression, photometric interpretation, fill
# order, samples, planes, predictor, colours, inks, extra samples, sample format, JPEG tables, and
# the four of YCbCr.
_HOW = (258, 259, 262, 266, 277, 284, 317, 320, 332, 338, 339, 347, 529, 530, 531, 532)
# Strips are read together, or cut, to about so many rows.
_ROWS = 512
_MOST_PIXELS = 2**25
# Compressed data this much longer than the pixels come of a damaged file.
_LONGEST = 4
_QUICK_TILES = range(128, 1025)


@dataclass(frozen=True)
class _Grid:
    """Where the chunks lie: all of one size but those at the right and bottom edges."""

    width: int
    height: int
    chunk_width: int
    chunk_height: int

    @property
    def across(self) -> int:
        return -(-self.width // self.chunk_width)

    @property
    def down(self) -> int:
        return -(-self.height // self.chunk_height)


class TiffChunks:
    """The pixels of a TIFF, decoded a tile or some strips at a time; a context manager.

    Attributes:
        tiled: whether the file has tiles.
        tile: the side of its tiles if they are square and one is quickly decoded.
        band_rows: rows of one or more rows of chunks.
    """

    @classmethod
    def of(cls, image: TiffImageFile) -> "TiffChunks | None":
        """Return the chunks of a TIFF just opened, None if it cannot be decoded by chunks."""
        try:
            return cls._of(image)
        except (LookupError, TypeError, ValueError, ArithmeticError):
            # Its tags make no sense; what is wrong Pillow says when it decodes it whole.
            return None

    @classmethod
    def _of(cls, image: TiffImageFile) -> "TiffChunks | None":
        tags = image.tag_v2
        if tags.get(Tiff.COMPRESSION, _PLAIN) == _OLD_JPEG or image.filename in ("", b""):
            return None
        tiled = _TILE_OFFSETS in tags
        offsets = tags.get(_TILE_OFFSETS if tiled else Tiff.STRIPOFFSETS)
        counts = tags.get(_TILE_COUNTS if tiled else Tiff.STRIPBYTECOUNTS)
        if not offsets or not counts:
            return None
        width, height = int(tags[Tiff.IMAGEWIDTH]), int(tags[Tiff.IMAGELENGTH])
        if tiled:
            grid = _Grid(width, height, int(tags[_TILE_WIDTH]), int(tags[_TILE_LENGTH]))
        else:
            rows = min(height, int(tags.get(Tiff.ROWSPERSTRIP, height)))
            grid = _Grid(width, height, width, rows)
        where = [(int(at), int(count)) for at, count in zip(offsets, counts, strict=True)]
        made = cls(image, grid, where, tiled=tiled)
        return made if made.can_be_read else None

    def __init__(
        self, image: TiffImageFile, grid: _Grid, where: list[tuple[int, int]], *, tiled: bool
    ) -> None:
        """Use `of`."""
        self.tiled = tiled
        self._tags = image.tag_v2
        self._grid = grid
        self._path = image.filename
        samples = int(self._tags.get(Tiff.SAMPLESPERPIXEL, 1))
        bits = self._tags.get(Tiff.BITSPERSAMPLE, (1,))
        self._planes = samples if self._tags.get(284) == _SEPARATE_PLANES else 1
        self._pixel_bits = sum(bits) if len(bits) == samples else samples * bits[0]
        self._where = where
        if not tiled and self._tags.get(Tiff.COMPRESSION, _PLAIN) == _PLAIN and self._planes == 1:
            self._cut_strips()
        grid = self._grid
        together = 1 if tiled else max(1, _ROWS // grid.chunk_height)
        self._strips_together = together
        # Of what is decoded in one go.
        self._rows = grid.chunk_height * together
        self.band_rows = grid.chunk_height * max(together, _ROWS // grid.chunk_height)
        square = grid.chunk_width == grid.chunk_height
        self.tile = (
            grid.chunk_width if tiled and square and grid.chunk_width in _QUICK_TILES else None
        )
        self._file: BinaryIO | None = None
        self._lock = threading.Lock()
        self._threads: ThreadPoolExecutor | None = None

    def __enter__(self) -> "TiffChunks":
        self._file = open(self._path, "rb")  # noqa: PTH123 - the path may be bytes
        self._threads = ThreadPoolExecutor(min(4, os.cpu_count() or 1))
        return self

    def __exit__(self, *_: object) -> None:
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
        with self._lock:
            if self._file is not None:
                self._file.close()

    def sample(self) -> Image.Image:
        """Return the first tile or strips."""
        return self._decode(0, 0)

    def read(
        self,
        box: tuple[int, int, int, int],
        as_pixels: Callable[[Image.Image], NDArray[np.generic]],
    ) -> NDArray[np.generic]:
        """Return a part of the image.

        Args:
            box: (left, top, right, bottom) as stored.
            as_pixels: makes an array (height, width, ...) of a tile or strips; called from threads.

        Raises:
            OSError and what else Pillow raises on damaged data.
            CancelledError: the file has been closed.
        """
        left, top, right, bottom = box
        chunk_height, chunk_width = self._rows, self._grid.chunk_width

        def placed(at: tuple[int, int]) -> tuple[int, int, NDArray[np.generic]]:
            row, column = at
            y, x = row * chunk_height, column * chunk_width
            pixels = as_pixels(self._decode(row * self._strips_together, column))
            seen = pixels[max(0, top - y) : bottom - y, max(0, left - x) : right - x]
            return max(0, y - top), max(0, x - left), seen

        rows = range(top // chunk_height, -(-bottom // chunk_height))
        columns = range(left // chunk_width, -(-right // chunk_width))
        wanted = [(row, column) for row in rows for column in columns]
        if len(wanted) == 1 or self._threads is None:
            pieces = [placed(at) for at in wanted]
        else:
            pieces = list(self._threads.map(placed, wanted))
        first = pieces[0][2]
        part = np.empty((bottom - top, right - left, *first.shape[2:]), first.dtype)
        for y, x, pixels in pieces:
            part[y : y + len(pixels), x : x + pixels.shape[1]] = pixels
        return part

    @property
    def can_be_read(self) -> bool:
        """Whether there is a place for every tile or strip, and none is too large."""
        grid = self._grid
        if min(grid.width, grid.height, grid.chunk_width, grid.chunk_height, self._planes) < 1:
            return False
        if grid.chunk_width * grid.chunk_height > _MOST_PIXELS:
            return False
        return len(self._where) == grid.across * grid.down * self._planes

    def _cut_strips(self) -> None:
        """Cut long strips of plain pixels: each row begins on a byte of its own."""
        grid = self._grid
        if grid.chunk_height <= _ROWS or len(self._where) != grid.down:
            return
        row_bytes = (grid.width * self._pixel_bits + 7) // 8
        if grid.chunk_height % _ROWS and grid.down > 1:
            return
        cut = []
        for strip, (offset, _) in enumerate(self._where):
            rows = min(grid.chunk_height, grid.height - strip * grid.chunk_height)
            for top in range(0, rows, _ROWS):
                taken = min(_ROWS, rows - top)
                cut.append((offset + top * row_bytes, taken * row_bytes))
        self._where = cut
        self._grid = _Grid(grid.width, grid.height, grid.width, _ROWS)

    def _decode(self, row: int, column: int) -> Image.Image:
        """Decode one tile, or the strips from one on that are read together."""
        grid = self._grid
        last = min(grid.down, row + self._strips_together)
        places = [
            self._where[plane * grid.across * grid.down + at * grid.across + column]
            for plane in range(self._planes)
            for at in range(row, last)
        ]
        height = grid.chunk_height * (last - row)
        if not self.tiled:
            height = min(height, grid.height - row * grid.chunk_height)
        data = [self._bytes(*place) for place in places]
        with Image.open(self._file_of(data, grid.chunk_width, height)) as image:
            image.load()
            return image

    def _bytes(self, offset: int, count: int) -> bytes:
        grid = self._grid
        pixel_bytes = grid.chunk_width * grid.chunk_height * self._pixel_bits // 8
        if count > _LONGEST * pixel_bytes + 2**16:
            raise OSError("a tile is longer than it can be")
        with self._lock:
            if self._file is None or self._file.closed:
                raise CancelledError
            self._file.seek(offset)
            data = self._file.read(count)
        if len(data) < count or not count:
            raise OSError("image file is truncated")
        return data

    def _file_of(self, data: list[bytes], width: int, height: int) -> io.BytesIO:
        """Return a TIFF that holds only these strips."""
        prefix = self._tags.prefix
        ifd = ImageFileDirectory_v2(prefix + (b"*\0" if prefix == b"II" else b"\0*") + bytes(4))
        for tag in _HOW:
            if tag in self._tags:
                ifd.tagtype[tag] = self._tags.tagtype[tag]
                ifd[tag] = self._tags[tag]
        begins = [sum(map(len, data[:n])) for n in range(len(data))]
        numbers = {
            Tiff.IMAGEWIDTH: width,
            Tiff.IMAGELENGTH: height,
            Tiff.ROWSPERSTRIP: self._grid.chunk_height,
            # Counted from the end of what Pillow writes.
            Tiff.STRIPOFFSETS: tuple(begins),
            Tiff.STRIPBYTECOUNTS: tuple(map(len, data)),
        }
        for tag, value in numbers.items():
            ifd.tagtype[tag] = _LONG
            ifd[tag] = value
        file = io.BytesIO()
        ifd.save(file)
        file.seek(0, io.SEEK_END)
        for one in data:
            file.write(one)
        file.seek(0)
        return file
