"""Perceptual hashes: what looks alike is found, what does not is told apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskstudio.annotation.likeness import CLOSE, STRICTER, Closeness, alike, perceptual_hash
from maskstudio.errors import CancelledError

_FAR = 70


def random_hashes(number: int, seed: int = 0) -> np.ndarray:
    """Return (number, 5) hashes of nothing."""
    return np.random.default_rng(seed).integers(0, 2**64, (number, 5), np.uint64)


def with_flipped(one: np.ndarray, coarse: int, fine: int, seed: int = 0) -> np.ndarray:
    """Return a hash that differs in so many bits from another."""
    rng = np.random.default_rng(seed)
    bits = np.unpackbits(one.copy().view(np.uint8))
    bits[rng.choice(64, coarse, replace=False)] ^= 1
    bits[64 + rng.choice(256, fine, replace=False)] ^= 1
    return np.packbits(bits).view(np.uint64)


def picture(seed: int) -> np.ndarray:
    """Return smooth noise, (32, 32)."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(0, 1, (8, 8)).repeat(4, 0).repeat(4, 1)
    return np.clip(128 + 40 * coarse + rng.normal(0, 4, (32, 32)), 0, 255).astype(np.uint8)


def differing(a: np.ndarray, b: np.ndarray) -> int:
    return int(np.unpackbits((a ^ b).view(np.uint8)).sum())


def test_a_brighter_and_a_flatter_picture_have_nearly_the_same_hash() -> None:
    one = picture(1)
    other = (one * 0.7 + 20).astype(np.uint8)
    assert differing(perceptual_hash(one), perceptual_hash(other)) < 12
    assert differing(perceptual_hash(one), perceptual_hash(picture(2))) > 100


def test_an_even_picture_has_a_hash() -> None:
    assert perceptual_hash(np.full((32, 32), 7, np.uint8)).shape == (5,)


def test_those_within_the_bounds_are_one_group_and_no_others() -> None:
    hashes = random_hashes(300)
    hashes[10] = with_flipped(hashes[200], CLOSE.coarse, CLOSE.fine)
    hashes[20] = with_flipped(hashes[210], CLOSE.coarse + 2, 0)
    hashes[30] = with_flipped(hashes[220], 0, CLOSE.fine + 1)
    assert alike(hashes, CLOSE) == [(10, 200)]


def test_what_is_alike_by_way_of_others_is_one_group() -> None:
    hashes = random_hashes(100)
    for place in (90, 50, 10):
        hashes[place - 5] = with_flipped(hashes[place], 8, 40, place)
        hashes[place - 9] = with_flipped(hashes[place - 5], 8, 40, place + 1)
    assert alike(hashes, CLOSE) == [(1, 5, 10), (41, 45, 50), (81, 85, 90)]


def test_the_same_hash_many_times_is_one_group_however_strict() -> None:
    hashes = np.concatenate([random_hashes(5), np.repeat(random_hashes(1, 9), 5000, axis=0)])
    assert alike(hashes, STRICTER[-1]) == [tuple(range(5, 5005))]


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.integers(2, 20), st.integers(0, 11), st.integers(0, 90))
def test_as_comparing_each_with_each_would_find(
    seed: int, number: int, coarse: int, fine: int
) -> None:
    rng = np.random.default_rng(seed)
    hashes = random_hashes(number, seed)
    for place in range(1, number):
        if rng.random() < 0.7:
            other = hashes[rng.integers(place)]
            bits, fine_bits = int(rng.integers(14)), int(rng.integers(100))
            hashes[place] = with_flipped(other, bits, fine_bits, seed + place)
    closeness = Closeness(coarse, fine)
    group = list(range(number))
    for a in range(number):
        for b in range(a):
            far = (
                differing(hashes[a, :1], hashes[b, :1]) > coarse
                or differing(hashes[a, 1:], hashes[b, 1:]) > fine
            )
            if not far:
                group = [group[b] if one == group[a] else one for one in group]
    expected: dict[int, list[int]] = {}
    for place, one in enumerate(group):
        expected.setdefault(one, []).append(place)
    groups = [tuple(places) for places in expected.values() if len(places) > 1]
    assert alike(hashes, closeness) == sorted(groups)
    # Far from one another, where neighbours are not compared.
    scattered = random_hashes(number * _FAR, seed + 1)
    scattered[::_FAR] = hashes
    assert alike(scattered, closeness) == sorted(
        tuple(place * _FAR for place in group) for group in groups
    )


def test_it_can_be_ended() -> None:
    def check() -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        alike(random_hashes(10), CLOSE, check)


def test_without_pictures_there_are_no_groups() -> None:
    assert alike(np.zeros((0, 5), np.uint64), CLOSE) == []
