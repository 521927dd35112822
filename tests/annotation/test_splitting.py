"""Dividing images into parts: every part gets its share, and what belongs together stays so."""

import itertools
from collections import Counter
from collections.abc import Sequence
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from maskstudio.annotation.splitting import Unit, divide

SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}


def unit(image: int, categories: dict[int, int] | None = None, part: str | None = None) -> Unit:
    """One image with so many annotations of each category."""
    counts = categories or {}
    return Unit((image,), dict.fromkeys(counts, 1), counts, part)


def drawn(
    units: Sequence[Unit], shares: dict[str, float] | None = None, draw: int = 0
) -> Counter[str]:
    """Return how many images each part gets."""
    counts: Counter[str] = Counter()
    for one, part in zip(units, divide(units, shares or SHARES, draw), strict=True):
        counts[part] += len(one.images)
    return counts


def test_the_parts_have_the_shares_that_were_asked_for() -> None:
    units = [unit(image) for image in range(1, 1001)]
    assert drawn(units) == {"train": 800, "val": 100, "test": 100}


def test_each_part_has_its_share_of_every_category() -> None:
    # One image in ten has the rare category, and every image one of two others.
    units = [unit(i, {1 + i % 2: 1} | ({9: 1} if i % 10 == 0 else {})) for i in range(1, 1001)]
    parts = divide(units, SHARES)
    held = Counter(
        (part, category) for one, part in zip(units, parts, strict=True) for category in one.holding
    )
    for part, share in SHARES.items():
        assert abs(held[part, 1] - share * 500) <= 1
        assert abs(held[part, 2] - share * 500) <= 1
        assert abs(held[part, 9] - share * 100) <= 1


def test_each_part_has_its_share_of_crowded_images() -> None:
    units = [unit(image, {1: 1 if image > 100 else 100}) for image in range(1, 1001)]
    parts = divide(units, SHARES)
    crowded = Counter(p for one, p in zip(units, parts, strict=True) if one.annotations[1] == 100)
    assert crowded == {"train": 80, "val": 10, "test": 10}


def test_large_groups_leave_room_for_the_small_parts() -> None:
    sizes = [370, 160, 120, 80, 60, 40]
    units, first = [], 1
    for size in sizes:
        units.append(Unit(tuple(range(first, first + size)), {1: size}, {1: size}))
        first += size
    units += [unit(image, {1: 1}) for image in range(first, 1001)]
    assert drawn(units) == {"train": 800, "val": 100, "test": 100}


def test_neighbours_do_not_go_to_the_same_part_in_a_row() -> None:
    parts = divide([unit(image) for image in range(1, 201)], {"train": 0.5, "val": 0.5})
    changes = sum(a != b for a, b in itertools.pairwise(parts))
    assert 60 < changes < 140


def test_another_draw_gives_other_parts_and_the_same_draw_the_same() -> None:
    units = [unit(image, {1: 1}) for image in range(1, 101)]
    assert divide(units, SHARES, 0) == divide(units, SHARES, 0)
    assert divide(units, SHARES, 0) != divide(units, SHARES, 1)


def test_new_images_make_up_for_what_the_old_ones_lack() -> None:
    old = [unit(image, {1: 1}, "train") for image in range(1, 81)]
    new = [unit(image, {1: 1}) for image in range(81, 101)]
    assert drawn(old + new) == {"train": 80, "val": 10, "test": 10}


def test_a_part_that_was_not_asked_for_gets_nothing_new() -> None:
    units = [unit(1, part="test"), *(unit(image) for image in range(2, 12))]
    assert drawn(units, {"train": 0.5, "val": 0.5, "test": 0.0}) == {
        "train": 5, "val": 5, "test": 1,
    }  # fmt: skip


CATEGORIES = st.dictionaries(st.integers(1, 5), st.integers(1, 30), max_size=4)


@st.composite
def some_units(draw: st.DrawFn) -> list[Unit]:
    """Groups of images, some of them in a part already."""
    units, first = [], 1
    for size in draw(st.lists(st.integers(1, 4), max_size=40)):
        counts = draw(CATEGORIES)
        images = tuple(range(first, first + size))
        part = draw(st.sampled_from([None, None, None, "train", "val", "test"]))
        units.append(Unit(images, {c: min(size, n) for c, n in counts.items()}, counts, part))
        first += size
    return units


@given(some_units(), st.randoms(use_true_random=False))
def test_any_images_in_any_order(units: list[Unit], random: Random) -> None:
    parts = dict(zip((one.images for one in units), divide(units, SHARES), strict=True))
    # What was in a part is there still, and everything is somewhere.
    assert all(part in SHARES for part in parts.values())
    assert all(one.part is None or parts[one.images] == one.part for one in units)
    shuffled = units.copy()
    random.shuffle(shuffled)
    again = dict(zip((one.images for one in shuffled), divide(shuffled, SHARES), strict=True))
    assert again == parts


@given(st.lists(CATEGORIES, min_size=1, max_size=60))
def test_the_ratios_hold_whatever_is_on_the_images(contents: list[dict[int, int]]) -> None:
    units = [unit(image, counts) for image, counts in enumerate(contents, 1)]
    counts = drawn(units)
    for part, share in SHARES.items():
        # Each of the five categories, and what has none, may leave one image over.
        assert abs(counts[part] - share * len(units)) <= 6
