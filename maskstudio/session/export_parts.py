"""What of a data set goes into which part of an export. Needs no Qt."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from maskstudio.annotation.annotation import Dataset
from maskstudio.annotation.unread import OfCategories
from maskstudio.formats.gate_piece import count
from maskstudio.formats.options import ExportOptions, ExportPart
from maskstudio.progress import TaskContext
from maskstudio.session.splitting import Counts, Drawing, quick_split_of, remembered_parts

if TYPE_CHECKING:
    # It brings the database library, which an empty window does without.
    from maskstudio.storage.project import ProjectDatabase
    from maskstudio.storage.stored_dataset import StoredAnnotations


@dataclass(frozen=True)
class PartCount:
    """How much goes into one part.

    Attributes:
        name: `train`, `val`, `test`; empty without a split.
        images: how many.
        annotations: how many stand on them.
        remembered: how many of the images were in this part before.
    """

    name: str
    images: int
    annotations: int
    remembered: int = 0


@dataclass(frozen=True)
class PartCounts:
    """How much would be exported.

    Attributes:
        parts: in order.
        exact: False as long as it is not known of all images which look alike: the parts may then
            come out a little otherwise.
    """

    parts: tuple[PartCount, ...]
    exact: bool = True

    def sentences(self) -> tuple[str, ...]:
        """Return the counts as a person reads them."""
        about = "" if self.exact else "about "
        return tuple(
            f"{f'{part.name}: ' if part.name else ''}{about}{count(part.images, 'image')}, "
            f"{count(part.annotations, 'annotation')}"
            f"{f'; {part.remembered:,} in it before' if part.remembered else ''}."
            for part in self.parts
        )


def count_parts(
    database: "ProjectDatabase", options: ExportOptions, context: TaskContext
) -> PartCounts:
    """Tell how much an export would hold, without opening an image.

    Raises:
        UserError: the project cannot be read.
        CancelledError: the person asked to stop.
    """
    with database.reading_dataset(options.states) as dataset:
        counts = category_counts(dataset, options.categories)
        drawing = quick_split_of(database, dataset.images, counts, options, context)
        before = {} if options.draw_anew else remembered_parts(database)
        found = []
        for part in parts_of(dataset, drawing, options.categories):
            ids = [image.id for image in part.dataset.images]
            annotations = sum(sum(counts[i].values()) for i in ids if i in counts)
            stay = sum(before.get(image_id) == part.name for image_id in ids)
            found.append(PartCount(part.name, len(ids), annotations, stay))
    return PartCounts(tuple(found), drawing is None or drawing.alike.complete)


def category_counts(dataset: Dataset, categories: frozenset[int] | None) -> Counts:
    """Count the annotations of each category on each image, without reading one."""
    whole: Counts = _stored(dataset).of_categories()
    if categories is None:
        return whole
    return {
        image_id: {c: number for c, number in on_image.items() if c in categories}
        for image_id, on_image in whole.items()
    }


def parts_of(
    dataset: Dataset, drawing: Drawing | None, categories: frozenset[int] | None
) -> tuple[ExportPart, ...]:
    """Divide a data set as it was drawn.

    Args:
        dataset: all of it.
        drawing: None leaves it whole.
        categories: those that go out, the same in all parts; None for all. Images stay, also those
            on which nothing of them is.
    """
    if drawing is None:
        return (ExportPart("", _chosen(dataset, categories)),)
    parts = drawing.split.parts
    return tuple(
        ExportPart(name, _chosen(_only(dataset, name, parts), categories)) for name in drawing.names
    )


def _chosen(dataset: Dataset, categories: frozenset[int] | None) -> Dataset:
    if categories is None:
        return dataset
    return replace(
        dataset,
        categories=tuple(c for c in dataset.categories if c.id in categories),
        annotations=OfCategories(dataset.annotations, categories),
    )


def _only(dataset: Dataset, name: str, parts: Mapping[int, str]) -> Dataset:
    images = tuple(image for image in dataset.images if parts[image.id] == name)
    # They are read ahead in the order of the images.
    annotations = _stored(dataset).only([image.id for image in images])
    return replace(dataset, images=images, annotations=annotations)


def _stored(dataset: Dataset) -> "StoredAnnotations":
    """Return the annotations as what the database gives them as."""
    return cast("StoredAnnotations", dataset.annotations)
