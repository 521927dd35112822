"""Write TIFFs of tiles or strips, as Pillow cannot: whatever is to be read piece by piece."""

import io
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL import TiffImagePlugin as Tiff

Packer = Callable[[NDArray[np.generic]], bytes]
NONE, DEFLATE = 1, 8


def plain(pixels: NDArray[np.generic]) -> bytes:
    """Store pixels as they are."""
    return pixels.tobytes()


def deflated(pixels: NDArray[np.generic]) -> bytes:
    """Store pixels by zlib, quickly."""
    return zlib.compress(pixels.tobytes(), 1)


def by_pillow(compression: str) -> Packer:
    """Store pixels as Pillow does in a strip, with one of its compressions."""

    def pack(pixels: NDArray[np.generic]) -> bytes:
        file = io.BytesIO()
        rows = {Tiff.ROWSPERSTRIP: pixels.shape[0]}
        Image.fromarray(pixels).save(file, "TIFF", compression=compression, tiffinfo=rows)
        with Image.open(file) as made:
            if not isinstance(made, Tiff.TiffImageFile):
                raise TypeError("Pillow has written no TIFF")
            (offset,), (count,) = made.tag_v2[273], made.tag_v2[279]
        return file.getvalue()[offset : offset + count]

    return pack


def write_tiff(
    path: Path,
    pixels: NDArray[np.generic],
    chunk: tuple[int, int],
    pack: Packer = plain,
    code: int = NONE,
    *,
    tiled: bool = True,
    big: bool = False,
    order: Literal["<", ">"] = "<",
    separate: bool = False,
    extra: Mapping[int, tuple[int, ...]] | None = None,
) -> Path:
    """Write a TIFF and return its path.

    Args:
        path: where.
        pixels: (height, width) or (height, width, samples).
        chunk: (height, width) of a tile; of a strip the width is the image's.
        pack: compresses a chunk.
        code: the number TIFF has for that.
        tiled: tiles, filled up at the edges; else strips.
        big: BigTIFF.
        order: `<` or `>` of the bytes.
        separate: each sample in a plane of its own.
        extra: other tags, as short numbers.
    """
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    height, width, samples = pixels.shape
    rows, columns = chunk if tiled else (chunk[0], width)
    bits = 8 * pixels.dtype.itemsize
    pixels = pixels.astype(pixels.dtype.newbyteorder(order))
    planes = [pixels[:, :, n : n + 1] for n in range(samples)] if separate else [pixels]
    data = []
    for plane in planes:
        for top in range(0, height, rows):
            for left in range(0, width, columns):
                part = plane[top : top + rows, left : left + columns]
                if tiled:
                    missing = rows - part.shape[0], columns - part.shape[1]
                    part = np.pad(part, ((0, missing[0]), (0, missing[1]), (0, 0)))
                data.append(pack(part if part.shape[2] > 1 else part[:, :, 0]))
    tags: dict[int, tuple[int, ...]] = {
        256: (width,), 257: (height,), 258: (bits,) * samples, 259: (code,),
        262: (2 if samples >= 3 else 1,), 277: (samples,), 284: (2 if separate else 1,),
        **({322: (columns,), 323: (rows,)} if tiled else {278: (rows,)}),
        **({338: (2,)} if samples in (2, 4) else {}),
        **(extra or {}),
    }  # fmt: skip
    counts = tuple(len(one) for one in data)
    head = 16 if big else 8
    offsets = tuple((head + np.cumsum((0, *counts[:-1]))).tolist())
    tags[324 if tiled else 273], tags[325 if tiled else 279] = offsets, counts
    number, size, entry = ("Q", 8, 20) if big else ("I", 4, 12)
    begin = head + sum(counts)
    after = begin + (8 if big else 2) + entry * len(tags) + size
    table, values = b"", b""
    for tag, value in sorted(tags.items()):
        kind, letter = ((16, "Q") if big else (4, "I")) if tag in (273, 279, 324, 325) else (3, "H")
        if max(value) > 65_535 and letter == "H":
            kind, letter = 4, "I"
        packed = struct.pack(f"{order}{len(value)}{letter}", *value)
        where = packed.ljust(size, b"\0")
        if len(packed) > size:
            where = struct.pack(order + number, after + len(values))
            values += packed
        table += struct.pack(f"{order}HH{number}", tag, kind, len(value)) + where
    mark = b"II" if order == "<" else b"MM"
    version = struct.pack(f"{order}HHH", 43, 8, 0) if big else struct.pack(f"{order}H", 42)
    first = version + struct.pack(order + number, begin)
    count = struct.pack(order + ("Q" if big else "H"), len(tags))
    with path.open("wb") as file:
        file.write(mark + first)
        file.writelines(data)
        file.write(count + table + struct.pack(order + number, 0) + values)
    return path
