"""What is found of a whole data set: its categories, its splits, images that are in it twice."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.findings import Finding, FindingKind, Severity
from maskstudio.annotation.quality_project import check_categories, check_twins

CATEGORIES = (Category(1, "cat"), Category(2, "dog"), Category(3, "owl"))


def found(
    counts: Mapping[int, Mapping[int, int]], splits: Mapping[int, str] | None = None
) -> list[Finding]:
    return list(check_categories(CATEGORIES, counts, splits or {}))


def test_before_anything_is_labelled_nothing_is_said_of_categories() -> None:
    assert found({}) == []


def test_a_category_nobody_uses_is_a_note() -> None:
    (one,) = found({1: {1: 4}, 2: {2: 5}})
    assert (one.kind, one.severity) == (FindingKind.UNUSED_CATEGORY, Severity.NOTE)
    assert (one.category_id, one.image_id) == (3, None)
    assert one.sentence == "owl: no annotation has this category."


def test_a_rare_category_leads_to_an_image_that_has_it() -> None:
    (one,) = found({1: {1: 90, 2: 80}, 2: {1: 3}, 5: {3: 2}, 6: {3: 1}})
    assert (one.kind, one.image_id) == (FindingKind.RARE_CATEGORY, 5)
    assert one.sentence == "owl: 3 annotations in all; the usual is 80."


def test_in_a_small_data_set_no_category_is_rare() -> None:
    assert found({1: {1: 3, 2: 1, 3: 2}}) == []


def test_a_category_that_a_split_lacks_is_found() -> None:
    counts = {1: {1: 5, 2: 5, 3: 5}, 2: {1: 4, 2: 4}, 3: {1: 3}}
    gaps = found(counts, {1: "train", 2: "val", 3: "test"})
    assert [(one.kind, one.category_id) for one in gaps] == [
        (FindingKind.SPLIT_GAP, 2),
        (FindingKind.SPLIT_GAP, 3),
    ]
    assert gaps[0].sentence == "dog: none in test, 5 annotations in train, 4 annotations in val."
    assert gaps[1].sentence == "owl: none in test and val, 5 annotations in train."


@given(
    st.dictionaries(
        st.integers(1, 9), st.dictionaries(st.integers(1, 3), st.integers(1, 50)), max_size=9
    ),
    st.dictionaries(st.integers(1, 9), st.sampled_from(["train", "val"])),
)
def test_a_gap_is_found_where_there_is_one(
    counts: dict[int, dict[int, int]], splits: dict[int, str]
) -> None:
    gaps = {f.category_id for f in found(counts, splits) if f.kind is FindingKind.SPLIT_GAP}
    for category in CATEGORIES:
        held = {
            split: sum(counts.get(i, {}).get(category.id, 0) for i in splits if splits[i] == split)
            for split in splits.values()
        }
        assert (category.id in gaps) == (any(held.values()) and not all(held.values()))


NAMES = {1: "a.png", 2: "b.png", 3: "c.png", 4: "d.png"}


def test_an_image_that_is_there_twice_is_told_once() -> None:
    twin, alike = check_twins([(1, 3)], [(1, 3, 4)], NAMES, {})
    assert (twin.kind, twin.image_id, twin.severity) == (FindingKind.TWIN, 3, Severity.DOUBT)
    assert twin.sentence == "The file is the same as a.png."
    assert (alike.kind, alike.image_id, alike.severity) == (FindingKind.LOOKALIKE, 4, Severity.NOTE)
    assert alike.sentence == "It looks like a.png."


def test_one_image_in_two_splits_is_a_problem() -> None:
    splits = {1: "train", 2: "train", 4: "val"}
    alone, across = check_twins([], [(1, 2, 4)], NAMES, splits)
    assert alone.severity is Severity.NOTE
    assert across.severity is Severity.PROBLEM
    assert across.sentence == "It looks like a.png, which is in train, and this one in val."
