"""The checks of a whole data set: its categories, its splits, images that are in it twice."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.findings import Finding, FindingKind, Severity

CategoryCounts = Mapping[int, Mapping[int, int]]
"""Image id to category id to how many annotations of it stand there."""

# A category of fewer annotations is learned badly; one that has a tenth of what is usual in the
# data set is rare in it.
_RARE, _OF_USUAL = 10, 0.1


def check_categories(
    categories: Sequence[Category], counts: CategoryCounts, splits: Mapping[int, str]
) -> Iterator[Finding]:
    """Yield what is to be said of the categories of a data set.

    Args:
        categories: all of them.
        counts: of the images that hold annotations.
        splits: image id to the split it is in (`train`, `val`, `test`); empty without splits.
    """
    totals = Counter[int]()
    first: dict[int, int] = {}
    for image_id, of_image in counts.items():
        totals.update(of_image)
        for category_id in of_image:
            first.setdefault(category_id, image_id)
    if not totals:
        return
    usual = statistics.median(totals.values())
    for category in categories:
        total = totals[category.id]
        if not total:
            sentence = f"{category.name}: no annotation has this category."
            yield Finding(
                FindingKind.UNUSED_CATEGORY, Severity.NOTE, sentence, category_id=category.id
            )
        elif total < min(_RARE, _OF_USUAL * usual):
            sentence = f"{category.name}: {_annotations(total)} in all; the usual is {usual:,.0f}."
            yield Finding(
                FindingKind.RARE_CATEGORY,
                Severity.NOTE,
                sentence,
                first[category.id],
                category_id=category.id,
            )
    yield from _gaps(categories, counts, splits, first)


def _gaps(
    categories: Sequence[Category],
    counts: CategoryCounts,
    splits: Mapping[int, str],
    first: Mapping[int, int],
) -> Iterator[Finding]:
    """Yield the categories that a split has nothing of and another has."""
    held: dict[str, Counter[int]] = defaultdict(Counter)
    for image_id, split in splits.items():
        held[split].update(counts.get(image_id, {}))
    for category in categories:
        totals = {split: of_split[category.id] for split, of_split in held.items()}
        lacking = sorted(split for split, total in totals.items() if not total)
        if not lacking or not any(totals.values()):
            continue
        told = ", ".join(f"{_annotations(n)} in {split}" for split, n in totals.items() if n)
        sentence = f"{category.name}: none in {' and '.join(lacking)}, {told}."
        yield Finding(
            FindingKind.SPLIT_GAP,
            Severity.DOUBT,
            sentence,
            first.get(category.id),
            category_id=category.id,
        )


def check_twins(
    exact: Sequence[Sequence[int]],
    near: Sequence[Sequence[int]],
    names: Mapping[int, str],
    splits: Mapping[int, str],
) -> Iterator[Finding]:
    """Yield each image that is in the data set already, or looks like one that is.

    Args:
        exact: ids of images whose files are the same to the byte, in groups.
        near: ids of images that look the same, in groups.
        names: image id to its path.
        splits: image id to the split it is in.
    """
    told: set[int] = set()
    for kind, groups in ((FindingKind.TWIN, exact), (FindingKind.LOOKALIKE, near)):
        for first, *others in groups:
            for image_id in others:
                if image_id not in told:
                    told.add(image_id)
                    yield _twin(kind, image_id, first, names, splits)


def _twin(
    kind: FindingKind,
    image_id: int,
    first: int,
    names: Mapping[int, str],
    splits: Mapping[int, str],
) -> Finding:
    same = kind is FindingKind.TWIN
    sentence = f"{'The file is the same as' if same else 'It looks like'} {names[first]}"
    here, there = splits.get(image_id), splits.get(first)
    if here and there and here != there:
        # What is learned from one is measured on the other.
        sentence += f", which is in {there}, and this one in {here}."
        return Finding(kind, Severity.PROBLEM, sentence, image_id)
    return Finding(kind, Severity.DOUBT if same else Severity.NOTE, f"{sentence}.", image_id)


def _annotations(count: int) -> str:
    return f"{count:,} annotation" if count == 1 else f"{count:,} annotations"
