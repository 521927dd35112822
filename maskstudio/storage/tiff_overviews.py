"""The small copies of the image that many large TIFFs hold as further pages.

TIFF 6.0, section 8: bit 0 of NewSubfileType says that a page is a reduced version of another.
"""

import struct
from pathlib import Path

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from maskstudio.storage.images import is_deep, stored_size_wh

_NEW_SUBFILE_TYPE, _REDUCED = 254, 1
_MOST_PAGES = 32
_MOST_PIXELS = 16_000_000
# A side may be so many pixels off: programs round differently.
_OFF = 2


# What Pillow raises on pages that make no sense.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    EOFError,
    struct.error,
)


def read_overview(path: Path, sizes_wh: tuple[tuple[int, int], ...]) -> Image.Image | None:
    """Return the largest small copy of an image, None where there is none that can be read.

    Args:
        path: a TIFF.
        sizes_wh: (width, height) of the image's levels as stored, largest first; the copy is
            brought to the one it is nearest to.
    """
    try:
        return _read(path, sizes_wh)
    except _DAMAGE:
        return None


def _read(path: Path, sizes_wh: tuple[tuple[int, int], ...]) -> Image.Image | None:
    with Image.open(path) as image:
        if not isinstance(image, TiffImageFile):
            return None
        for page in range(1, min(_MOST_PAGES, image.n_frames)):
            image.seek(page)
            wanted = _level(stored_size_wh(image), sizes_wh[1:])
            if wanted is None or not image.tag_v2.get(_NEW_SUBFILE_TYPE, 0) & _REDUCED:
                continue
            if is_deep(image):
                return None
            image.load()
            return image.resize(wanted) if image.size != wanted else image.copy()
    return None


def _level(
    size_wh: tuple[int, int], sizes_wh: tuple[tuple[int, int], ...]
) -> tuple[int, int] | None:
    """Return the level a page shows, if it shows one and is small enough."""
    if size_wh[0] * size_wh[1] > _MOST_PIXELS:
        return None
    for width, height in sizes_wh:
        if abs(width - size_wh[0]) <= _OFF and abs(height - size_wh[1]) <= _OFF:
            return width, height
    return None
