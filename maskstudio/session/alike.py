"""Which images of a project look alike, and which are the same file twice. Needs no Qt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.annotation import ImageRecord
from maskstudio.annotation.likeness import CLOSE, HASH_WORDS, STRICTER, Closeness, alike
from maskstudio.progress import TaskContext
from maskstudio.storage.likeness import Likeness, cached_likenesses, likenesses

_TOO_MANY, _TOO_LARGE = 10, 0.25


@dataclass(frozen=True)
class Alike:
    """Groups of image ids, each of two and more, in the order of the images.

    Attributes:
        exact: images whose files hold the same bytes; all of one group stand in one of `near`.
        near: images that look alike.
        crowded: images that look like more than a quarter of all: of them only those stand in one
            group that are nearly the same. Images of a camera that never moves, say.
        complete: what all images look like was known.
    """

    exact: tuple[tuple[int, ...], ...] = ()
    near: tuple[tuple[int, ...], ...] = ()
    crowded: int = 0
    complete: bool = True


def find_alike(folder: Path, images: Sequence[ImageRecord], context: TaskContext) -> Alike:
    """Compare images with one another.

    Each file is read once and what it looks like is kept beside the project; reading is what takes
    time (milliseconds an image), comparing 100,000 images takes seconds.

    Args:
        folder: the project's.
        images: those to be compared; one without a file looks like no other.
        context: told how many files are read.

    Raises:
        CancelledError: the person asked to stop.
    """
    found = dict(likenesses(folder, [image.path for image in images], context))
    return _alike(images, found, context)


def known_alike(folder: Path, images: Sequence[ImageRecord], context: TaskContext) -> Alike:
    """Compare images as far as is known what they look like, without reading any."""
    found = cached_likenesses(folder, (image.path for image in images))
    return _alike(images, found, context)


def _alike(
    images: Sequence[ImageRecord], found: Mapping[str, Likeness], context: TaskContext
) -> Alike:
    looks = {image.id: found[image.path] for image in images if image.path in found}
    hashed = [image_id for image_id, look in looks.items() if look.hash is not None]
    hashes = np.array([looks[image_id].hash for image_id in hashed], np.uint64)
    comparison = _Comparison(hashes.reshape(-1, HASH_WORDS), len(images), context)
    found_alike, too_many = comparison.groups()
    near = [tuple(hashed[place] for place in group) for group in found_alike]
    files: dict[bytes, list[int]] = {}
    for image_id, look in looks.items():
        files.setdefault(look.digest, []).append(image_id)
    exact = [tuple(ids) for digest, ids in files.items() if digest and len(ids) > 1]
    # Of those, and of images too large to be looked at, only the same files belong together.
    unknown = {hashed[place] for group in too_many for place in group}
    near += [ids for ids in exact if ids[0] in unknown or looks[ids[0]].hash is None]
    return Alike(tuple(exact), tuple(near), comparison.crowded, len(looks) == len(images))


class _Comparison:
    """Images compared with one another, those of too large groups again and more strictly."""

    def __init__(self, hashes: NDArray[np.uint64], images: int, context: TaskContext) -> None:
        self._hashes = hashes
        self._most = max(_TOO_MANY, _TOO_LARGE * images)
        self._check = context.raise_if_cancelled
        self.crowded = 0

    def groups(self) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
        """Return groups of positions, and those that are too large however they are compared."""
        found, large = self._close(np.arange(len(self._hashes)), CLOSE)
        self.crowded = sum(map(len, large))
        for closeness in STRICTER:
            tried = [self._close(np.array(group), closeness) for group in large]
            large = [group for _, too_large in tried for group in too_large]
            found += [group for fitting, _ in tried for group in fitting]
        return sorted(found), large

    def _close(
        self, places: NDArray[np.intp], closeness: Closeness
    ) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
        """Return groups among some images, and those groups that are too large."""
        groups = alike(self._hashes[places], closeness, self._check)
        named = [tuple(places[list(group)].tolist()) for group in groups]
        fitting = [group for group in named if len(group) <= self._most]
        return fitting, [group for group in named if len(group) > self._most]
