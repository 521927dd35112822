"""Which image goes to which part of an export, and that it stays there. Needs no Qt."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from maskstudio.annotation.annotation import ImageRecord
from maskstudio.annotation.splitting import Unit, divide
from maskstudio.errors import UserError
from maskstudio.formats.options import ExportOptions, SplitRatios
from maskstudio.progress import TaskContext
from maskstudio.session.alike import Alike, find_alike, known_alike

if TYPE_CHECKING:
    # It brings the database library, which an empty window does without.
    from maskstudio.storage.project import ProjectDatabase

PARTS = ("train", "val", "test")
"""The names of the parts, in order."""

_SETTING = "parts"
# To compare more takes seconds, and figures are wanted while somebody chooses.
_MOST_COMPARED = 20_000

Counts = Mapping[int, Mapping[int, int]]
"""Image id to category id to how many annotations; images and categories without any are absent."""


@dataclass(frozen=True)
class Split:
    """The parts of a project's images.

    Attributes:
        parts: image id to `train`, `val` or `test`; images that were never exported have none.
        draw: how often the parts were drawn anew.
    """

    parts: Mapping[int, str] = field(default_factory=dict)
    draw: int = 0


@dataclass(frozen=True)
class Drawing:
    """What is to be remembered of a split, and how it came about.

    Attributes:
        split: to be remembered: with the images that were drawn now, and those of before.
        names: the parts there are, in order: those that were asked for, and those that images were
            in before.
        drawn: how many images have got a part now.
        together: how many groups of images that look alike stand in one part.
        torn: how many such groups stand in more than one, because they did so before.
        alike: what was known of images that look alike.
    """

    split: Split
    names: tuple[str, ...]
    drawn: int
    together: int
    torn: int
    alike: Alike


def remembered_parts(database: "ProjectDatabase") -> Mapping[int, str]:
    """Return the part each image was exported in, by its id; empty where there was no split yet."""
    return remembered(database).parts


def remembered(database: "ProjectDatabase") -> Split:
    """Return the split of a project as it was exported last."""
    stored = database.setting(_SETTING, {"draw": 0, "parts": {}})
    parts = {image_id: part for part, ids in stored["parts"].items() for image_id in ids}
    return Split(parts, stored["draw"])


def remember(database: "ProjectDatabase", split: Split) -> None:
    """Keep a split with the project.

    Raises:
        UserError: it cannot be written; nothing has changed then.
    """
    ids: dict[str, list[int]] = {}
    for image_id, part in sorted(split.parts.items()):
        ids.setdefault(part, []).append(image_id)
    database.set_setting(_SETTING, {"draw": split.draw, "parts": ids})


def split_of(
    database: "ProjectDatabase",
    images: Sequence[ImageRecord],
    counts: Counts,
    options: ExportOptions,
    context: TaskContext,
) -> Drawing | None:
    """Give each image of an export its part; None where it is not split.

    Raises:
        CancelledError: the person asked to stop.
    """
    if options.splits is None:
        return None
    alike = find_alike(database.folder, images, context)
    return draw(images, counts, options.splits, _before(database, options), alike)


def quick_split_of(
    database: "ProjectDatabase",
    images: Sequence[ImageRecord],
    counts: Counts,
    options: ExportOptions,
    context: TaskContext,
) -> Drawing | None:
    """Do as `split_of`, but without opening an image: see `Alike.complete`.

    Raises:
        CancelledError: the person asked to stop.
    """
    if options.splits is None:
        return None
    few = len(images) <= _MOST_COMPARED
    alike = known_alike(database.folder, images, context) if few else Alike(complete=False)
    return draw(images, counts, options.splits, _before(database, options), alike)


def _before(database: "ProjectDatabase", options: ExportOptions) -> Split:
    before = remembered(database)
    return Split({}, before.draw + 1) if options.draw_anew else before


def draw(
    images: Sequence[ImageRecord],
    counts: Counts,
    ratios: SplitRatios,
    before: Split,
    alike: Alike,
) -> Drawing:
    """Give a part to each image that has none.

    An image that has a part keeps it. One that looks like it goes to the same part; the others are
    drawn so that each part holds its share of the images of every category.

    Args:
        images: those that are exported.
        counts: how many annotations that are exported stand on each of them.
        ratios: how large the parts are to be.
        before: the parts there are.
        alike: which images look alike.
    """
    named = {image.id for image in images}
    groups = [tuple(i for i in group if i in named) for group in alike.near]
    groups = [group for group in groups if len(group) > 1]
    grouped = {image_id for group in groups for image_id in group}
    groups += [(image.id,) for image in images if image.id not in grouped]
    units: list[Unit] = []
    together = torn = 0
    for group in groups:
        made = list(_units(group, before.parts, counts))
        units += made
        together += len(made) == 1 and len(group) > 1
        torn += len(made) > 1
    parts = dict(before.parts)
    for unit, part in zip(units, divide(units, ratios.shares, before.draw), strict=True):
        parts |= dict.fromkeys(unit.images, part)
    drawn = len(parts) - len(before.parts)
    used = {parts[image.id] for image in images}
    names = tuple(name for name in PARTS if name in used or ratios.shares[name] > 0)
    return Drawing(Split(parts, before.draw), names, drawn, together, torn, alike)


def _units(group: Sequence[int], parts: Mapping[int, str], counts: Counts) -> Iterator[Unit]:
    """Yield what of a group stays together: all but what stands in different parts already."""
    by_part: dict[str | None, list[int]] = {}
    for image_id in group:
        by_part.setdefault(parts.get(image_id), []).append(image_id)
    new = by_part.pop(None, [])
    joined = max(by_part, key=lambda part: len(by_part[part])) if by_part else None
    by_part.setdefault(joined, []).extend(new)
    for part, ids in by_part.items():
        holding: Counter[int] = Counter()
        annotations: Counter[int] = Counter()
        for image_id in ids:
            on_image = counts.get(image_id, {})
            holding.update(on_image.keys())
            annotations.update(on_image)
        yield Unit(tuple(ids), holding, annotations, part)


def must_be_writable(database: "ProjectDatabase") -> None:
    """Refuse to split a project in which the parts could not be remembered.

    Raises:
        UserError: it is open for reading only.
    """
    if database.read_only:
        raise UserError(
            f"{database.folder} is open for reading only, so its parts could not be remembered; "
            "close it in the other window, or export without a split."
        )
