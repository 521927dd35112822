"""The image files of a folder, in natural order, without opening any."""

import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from maskstudio.errors import UserError

SUFFIXES = frozenset(
    (".bmp", ".gif", ".jpeg", ".jpg", ".jp2", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
)
"""Endings (lower case) of the files taken for images."""

_ENDINGS = tuple(SUFFIXES)

# The digits, all made the same.
_ALIKE = str.maketrans("123456789", "0" * 9)


@dataclass(frozen=True)
class ImageFile:
    """One image file of a folder, before it is opened.

    Attributes:
        path: POSIX, relative to the folder.
        size_bytes: length of the file.
        modified_ns: time of the last change, nanoseconds since 1970.
    """

    path: str
    size_bytes: int
    modified_ns: int


def list_images(folder: Path) -> Iterator[ImageFile]:
    """Walk a folder and its subfolders in natural order; hidden ones are left out.

    Raises:
        UserError: the folder does not exist or cannot be read, or a file's name is not Unicode.
    """
    try:
        yield from _walk(folder, "")
    except NotADirectoryError as error:
        raise UserError(f"{folder} is a file; choose the folder it lies in.") from error
    except FileNotFoundError as error:
        raise UserError(f"{folder} does not exist; choose another folder.") from error
    except OSError as error:
        unreadable = error.filename or folder
        raise UserError(f"{unreadable} cannot be read: {error.strerror}.") from error


def natural_key(name: str) -> tuple[str | int, ...]:
    """Order names as people do: `img2` before `img10`, upper and lower case alike."""
    folded = name.casefold()
    # Thousands of names have a few shapes only, and need not each be searched for digits.
    return tuple(
        int(folded[piece]) if n % 2 else folded[piece]
        for n, piece in enumerate(_pieces(folded.translate(_ALIKE)))
    )


@lru_cache(maxsize=4096)
def _pieces(shape: str) -> tuple[slice, ...]:
    """Return where text and digits stand in names of a shape, in which every digit is a 0.

    Text is at even places and digits at odd ones, so like meets like.
    """
    ends = list(itertools.accumulate(map(len, re.split(r"(0+)", shape))))
    return tuple(slice(begin, end) for begin, end in zip([0, *ends], ends, strict=False))


def _walk(folder: Path, prefix: str) -> Iterator[ImageFile]:
    with os.scandir(folder / prefix) as found:
        entries = sorted(found, key=lambda entry: natural_key(entry.name))
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(folder, f"{prefix}{entry.name}/")
        elif entry.name.lower().endswith(_ENDINGS) and entry.is_file():
            status = entry.stat()
            yield ImageFile(_unicode(prefix + entry.name), status.st_size, status.st_mtime_ns)


def _unicode(path: str) -> str:
    """Return a path that text can hold; on Linux a file's name may be any bytes."""
    readable = path.encode("utf-8", "replace").decode("utf-8")
    if readable != path:
        raise UserError(f"The name of {readable} is not Unicode; rename the file.")
    return path
