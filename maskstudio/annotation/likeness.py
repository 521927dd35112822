"""Which images look alike: perceptual hashes, and groups of those that are close to one another.

pHash after Zauner, «Implementation and Benchmarking of Perceptual Image Hash Functions» (2010): the
low frequencies of a small grey picture, each as whether it is above the median. A coarse hash of
64 frequencies finds candidates, one of 256 decides. Between copies of one image that were encoded
anew, resized, brightened or moved by 2 % lay at most 14 and 78 bits on 544 microscope images, the
median 6 and 40 for the moved and 0 and 2 for the others; between different images the fine hashes
always differed by 98 and more.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from maskstudio.later import cv2

THUMBNAIL_SIDE = 32
"""Height and width of the grey picture that is hashed, pixels."""

HASH_WORDS = 5
"""64-bit words of a hash: one coarse, four fine."""

_COARSE, _FINE = 8, 16
_BANDS, _BAND_BITS, _RADIUS = 4, 16, 2
# Two buckets hold so many pairs at most that are looked at: whole films fall into a few buckets,
# and there each image is compared with those that follow it.
_MOST_PAIRS = 65_536
_WINDOW = 64
_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Closeness:
    """How close two hashes have to be: how many bits of each may differ.

    Attributes:
        coarse: of 64, up to 11.
        fine: of 256.
    """

    coarse: int
    fine: int


CLOSE = Closeness(10, 64)
"""Two images look alike."""

STRICTER = (Closeness(4, 24), Closeness(2, 8), Closeness(0, 0))
"""For images of which too many look alike: those of one fixed camera, say."""


def perceptual_hash(thumbnail: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return the hash of a picture.

    Args:
        thumbnail: (32, 32) grey.

    Returns:
        (5,): the coarse hash, then the fine one.
    """
    frequencies = np.asarray(cv2.dct(thumbnail.astype(np.float32)), np.float32)
    words = [_signs(frequencies[:side, :side]) for side in (_COARSE, _FINE)]
    return np.concatenate(words)


def alike(
    hashes: NDArray[np.uint64], closeness: Closeness, check: Callable[[], None] = lambda: None
) -> list[tuple[int, ...]]:
    """Return groups of pictures that look alike: each looks like another one of its group.

    Args:
        hashes: (n, 5), best in the order in which the pictures were taken.
        closeness: how much two of them may differ.
        check: called again and again, and may raise to end it.

    Returns:
        Groups of two and more, as sorted positions in `hashes`; no position stands in two.
    """
    different, place_of = np.unique(hashes.reshape(-1, HASH_WORDS), axis=0, return_inverse=True)
    sets = _Sets(len(different))
    order = place_of.ravel()
    coarse = np.ascontiguousarray(different[:, 0])
    for first, second in _candidates(coarse, order, closeness):
        check()
        apart = sets.roots[first] != sets.roots[second]
        first, second = first[apart], second[apart]
        near = _differing(different[first, :1], different[second, :1]) <= closeness.coarse
        first, second = first[near], second[near]
        near = _differing(different[first, 1:], different[second, 1:]) <= closeness.fine
        sets.join(first[near], second[near])
    groups: dict[int, list[int]] = {}
    for position, root in enumerate(sets.roots[order].tolist()):
        groups.setdefault(root, []).append(position)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def _signs(frequencies: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Return which frequencies are above the median of all but the mean brightness."""
    values = frequencies.ravel()
    return np.packbits(values > np.median(values[1:])).view(np.uint64)


def _differing(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Count the bits in which rows differ: (n, words) each, (n,)."""
    bits = (a ^ b).view(np.uint8)
    return np.asarray(_BIT_COUNTS[bits].sum(axis=1), np.int64)


_BIT_COUNTS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(1, dtype=np.uint8)


def _candidates(
    coarse: NDArray[np.uint64], order: NDArray[np.intp], closeness: Closeness
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield pairs of positions among which all that are close enough are found.

    Multi-index hashing after Norouzi, Punjani and Fleet (CVPR 2012): of hashes that differ in at
    most 11 bits one of four bands differs in at most 2.
    """
    for step in range(1, min(_WINDOW, len(order))):
        yield order[:-step], order[step:]
    radius = min(closeness.coarse // _BANDS, _RADIUS)
    masks = [0, *(_mask(bits) for n in range(1, radius + 1) for bits in _choices(n))]
    for band in range(_BANDS):
        buckets = _Buckets(_band(coarse, band))
        for mask in masks:
            yield from buckets.pairs(mask)


def _choices(number: int) -> Iterator[tuple[int, ...]]:
    return combinations(range(_BAND_BITS), number)


def _mask(bits: Sequence[int]) -> int:
    return sum(1 << bit for bit in bits)


def _band(coarse: NDArray[np.uint64], band: int) -> NDArray[np.int64]:
    """Return 16 bits of each hash, every fourth: neighbouring frequencies go together too often."""
    bits = np.unpackbits(coarse.view(np.uint8).reshape(-1, 8), axis=1)[:, band::_BANDS]
    return np.asarray(bits @ (1 << np.arange(_BAND_BITS)), np.int64)


class _Buckets:
    """Positions by a band of their hashes."""

    def __init__(self, bands: NDArray[np.int64]) -> None:
        self._members = np.argsort(bands, kind="stable")
        self._sizes = np.bincount(bands, minlength=1 << _BAND_BITS)
        self._starts = np.cumsum(self._sizes) - self._sizes
        self._used = np.flatnonzero(self._sizes)

    def pairs(self, mask: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Yield the pairs of members of buckets that differ in the bits of a mask."""
        others = self._used ^ mask
        once = (self._used <= others) & (self._sizes[others] > 0)
        first, second = self._used[once], others[once]
        numbers = self._sizes[first] * self._sizes[second]
        few = (numbers <= _MOST_PAIRS) & (numbers > (1 if mask == 0 else 0))
        first, second, numbers = first[few], second[few], numbers[few]
        pieces = np.searchsorted(np.cumsum(numbers), np.arange(_AT_ONCE, numbers.sum(), _AT_ONCE))
        for piece in np.split(np.arange(len(first)), pieces):
            if len(piece):
                yield self._of(first[piece], second[piece], numbers[piece])

    def _of(
        self, first: NDArray[np.int64], second: NDArray[np.int64], numbers: NDArray[np.int64]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        ends = np.cumsum(numbers)
        which = np.repeat(np.arange(len(first)), numbers)
        within = np.arange(ends[-1]) - np.repeat(ends - numbers, numbers)
        row, column = np.divmod(within, self._sizes[second][which])
        return (
            self._members[self._starts[first][which] + row],
            self._members[self._starts[second][which] + column],
        )


class _Sets:
    """Positions joined into sets.

    Attributes:
        roots: (n,) the position that stands for the set of each.
    """

    def __init__(self, number: int) -> None:
        self.roots = np.arange(number)

    def join(self, first: NDArray[np.intp], second: NDArray[np.intp]) -> None:
        """Make one set of the sets of each pair."""
        if not len(first):
            return
        pairs = np.unique(np.stack([self.roots[first], self.roots[second]]), axis=1)
        parent: dict[int, int] = {}
        for a, b in pairs.T.tolist():
            low, high = sorted((_root(parent, a), _root(parent, b)))
            if low != high:
                parent[high] = low
        now = np.arange(len(self.roots))
        for joined in parent:
            now[joined] = _root(parent, joined)
        self.roots = now[self.roots]


def _root(parent: dict[int, int], position: int) -> int:
    while (above := parent.get(position)) is not None:
        parent[position] = parent.get(above, above)
        position = above
    return position
