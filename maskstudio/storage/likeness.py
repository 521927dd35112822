"""What images look like, as hashes kept in a file beside the project that one may delete."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from maskstudio.annotation.likeness import HASH_WORDS, THUMBNAIL_SIDE, perceptual_hash
from maskstudio.errors import UserError
from maskstudio.later import cv2
from maskstudio.progress import TaskContext
from maskstudio.storage.cache_file import CacheFile, Stamp, file_stamps
from maskstudio.storage.images import MAX_PIXELS, opened, to_rgb
from maskstudio.storage.places import FOLDER_NAME

CACHE_NAME = "likeness.db"
"""Its name in the project's own folder."""

# A JPEG is decoded at the smallest scale that is at least so large: an eighth of it at best.
_DECODED_SIDE = 8 * THUMBNAIL_SIDE
# So many files are read before anybody asks whether to stop.
_AT_ONCE = 32
_THREADS = 2
_COLUMNS = ("path TEXT", "bytes INTEGER", "modified INTEGER", "hash BLOB", "digest BLOB")


@dataclass(frozen=True)
class Likeness:
    """What an image looks like.

    Attributes:
        hash: (5,) uint64; see `annotation.likeness`. None where it cannot be read, or is too large
            to be read whole: then it looks like no other.
        digest: of the file's bytes: two files with the same are the same. Empty where it cannot be
            read.
    """

    hash: NDArray[np.uint64] | None
    digest: bytes


def likenesses(
    folder: Path, paths: Sequence[str], context: TaskContext
) -> Iterator[tuple[str, Likeness]]:
    """Yield what images look like, out of the cache as far as their files have not changed.

    What is found anew is kept, piece by piece, so that nothing is done twice after a cancel.

    Args:
        folder: the project's.
        paths: POSIX, relative to it; those without a file are passed over.
        context: told how many are done, and asked whether to stop.

    Raises:
        CancelledError: the person asked to stop.
    """
    with closing(_Cache(folder)) as cache:
        known = cache.read()
        with ThreadPoolExecutor(_THREADS) as threads:
            for start in range(0, len(paths), _AT_ONCE):
                context.raise_if_cancelled()
                context.report(start, len(paths), "comparing images")
                stamps = file_stamps(folder, paths[start : start + _AT_ONCE])
                stale = [p for p, s in stamps.items() if p not in known or known[p][0] != s]
                fresh = dict(
                    zip(stale, threads.map(_look, (folder / p for p in stale)), strict=True)
                )
                cache.keep((p, stamps[p], fresh[p]) for p in stale)
                yield from ((p, fresh[p] if p in fresh else known[p][1]) for p in stamps)


def cached_likenesses(folder: Path, paths: Iterable[str]) -> dict[str, Likeness]:
    """Return what is kept of images; no file of theirs is looked at."""
    with closing(_Cache(folder)) as cache:
        known = cache.read()
    return {path: known[path][1] for path in paths if path in known}


def _look(path: Path) -> Likeness:
    digest = b""
    # Whoever needs the image says what is wrong with it; here it is like no other.
    with suppress(UserError, OSError):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).digest()
        return Likeness(perceptual_hash(_thumbnail(path)), digest)
    return Likeness(None, digest)


def _thumbnail(path: Path) -> NDArray[np.uint8]:
    """Return an image upright, grey and small: (32, 32)."""
    with opened(path) as image:
        if image.width * image.height > MAX_PIXELS:
            raise UserError(f"{path} is too large to be compared with others.")
        image.draft("L", (_DECODED_SIDE, _DECODED_SIDE))
        ImageOps.exif_transpose(image, in_place=True)
        grey = _grey(image)
    side = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    return np.asarray(cv2.resize(grey, side, interpolation=cv2.INTER_AREA), np.uint8)


def _grey(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode == "L":
        return np.asarray(image)
    return np.asarray(cv2.cvtColor(to_rgb(image), cv2.COLOR_RGB2GRAY), np.uint8)


class _Cache(CacheFile):
    """What was found before, in the project's own folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / FOLDER_NAME / CACHE_NAME, "likeness", _COLUMNS)

    def read(self) -> dict[str, tuple[Stamp, Likeness]]:
        """Return path to the stamp of its file and what that looks like."""
        try:
            return {row[0]: ((row[1], row[2]), _likeness(row[3], row[4])) for row in self.rows()}
        except (ValueError, TypeError):
            self.remove()
            return {}

    def keep(self, found: Iterable[tuple[str, Stamp, Likeness]]) -> None:
        """Keep what was found."""
        self.write(
            (path, *stamp, b"" if one.hash is None else one.hash.tobytes(), one.digest)
            for path, stamp, one in found
        )


def _likeness(stored: bytes, digest: bytes) -> Likeness:
    if not stored:
        return Likeness(None, digest)
    return Likeness(np.frombuffer(stored, np.uint64, HASH_WORDS), digest)
