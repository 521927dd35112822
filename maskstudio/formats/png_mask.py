"""Read and write PNG files whose pixels are numbers: of instances or of categories."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskstudio.errors import UserError
from maskstudio.formats.damage import DAMAGE

MAX_PIXELS = 250_000_000
"""Of the largest mask that is read, as for images (`storage.images`): whole slides are larger, and
are worked on in tiles, which are not. A file of a few kilobytes may claim to hold a thousand times
as much, so its header is asked before anything is decoded."""

MAX_VALUE = 65_535
"""The largest number in a 16-bit PNG."""

# Masks are long runs: a tenth smaller so than with zlib's ordinary search, in two thirds the time.
_COMPRESSION = zlib.Z_RLE
_MAX_COLOUR_PIXELS = 80_000_000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">8s4x4sIIBB")  # signature, length, IHDR, width, height, depth, colour type
_GREY, _PALETTE = 0, 3


def mask_size(path: Path) -> tuple[int, int]:
    """Return the (height, width) that the header of a mask names.

    Raises:
        UserError: it cannot be read, is no PNG, or is larger than any mask.
    """
    try:
        if not path.is_file():
            raise UserError(f"{path} is not there; put the mask back or take it off the table.")
        with path.open("rb") as file:
            head = file.read(_HEADER.size)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    if len(head) < _HEADER.size or not head.startswith(_SIGNATURE) or head[12:16] != b"IHDR":
        raise UserError(f"{path} is no PNG file; replace or remove it.")
    _, _, width, height, _, colour = _HEADER.unpack(head)
    most = MAX_PIXELS if colour in (_GREY, _PALETTE) else _MAX_COLOUR_PIXELS
    if not 0 < height * width <= most:
        raise UserError(
            f"{path} says that it has {width} by {height} pixels; masks of up to "
            f"{most // 1_000_000} million can be read, cut it into tiles for that."
        )
    return height, width


def read_mask(path: Path) -> NDArray[np.unsignedinteger]:
    """Read the numbers of a mask.

    Returns:
        (height, width) uint8, uint16 or uint32: grey values, places in the palette, or, where it
        has colours, `0xrrggbb`.

    Raises:
        UserError: see `mask_size`, or it is damaged.
    """
    with _opened(path) as image:
        if image.mode not in ("1", "L", "P") and not image.mode.startswith("I"):
            return _colours(np.asarray(image.convert("RGB")))
        values = np.asarray(image)
    return values.astype(np.uint16) if values.dtype.itemsize > 1 else values.astype(np.uint8)


def read_colours(path: Path) -> NDArray[np.uint32]:
    """Read the colours of a mask, `0xrrggbb`, (height, width); see `read_mask`."""
    with _opened(path) as image:
        if image.width * image.height > _MAX_COLOUR_PIXELS:
            raise UserError(f"{path} is too large to be read in colours; cut it into tiles.")
        return _colours(np.asarray(image.convert("RGB")))


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    size = mask_size(path)
    try:
        with Image.open(path, formats=("PNG",)) as image:
            if (image.height, image.width) != size:
                raise UserError(f"{path} is damaged (it names two sizes); replace the file.")
            yield image
    except DAMAGE as error:
        raise UserError(f"{path} is damaged ({error}); replace the file.") from error


def write_numbers(path: Path, values: NDArray[np.uint16]) -> None:
    """Write numbers as a 16-bit grey PNG.

    Args:
        path: its folder exists.
        values: (height, width).
    """
    Image.fromarray(values).save(path, format="PNG", compress_type=_COMPRESSION)


def write_palette(path: Path, values: NDArray[np.uint8], colours: Sequence[str]) -> None:
    """Write numbers as an 8-bit PNG that shows them in colours.

    Args:
        path: its folder exists.
        values: (height, width).
        colours: `#rrggbb` of 1, 2, ...; 0 is black.
    """
    image = Image.fromarray(values)
    image.putpalette(b"\0\0\0" + b"".join(bytes.fromhex(colour[1:]) for colour in colours))
    image.save(path, format="PNG", compress_type=_COMPRESSION)


def _colours(rgb: NDArray[np.uint8]) -> NDArray[np.uint32]:
    weights = np.array([1 << 16, 1 << 8, 1], np.uint32)
    numbers: NDArray[np.uint32] = rgb @ weights
    return numbers
