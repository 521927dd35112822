"""What a project has to learn from, before anything is trained. Needs no Qt."""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maskstudio.annotation.annotation import ImageState
from maskstudio.progress import TaskContext
from maskstudio.session.export_parts import category_counts
from maskstudio.session.splitting import quick_split_of
from maskstudio.session.training_set import LEARNED_OPTIONS, LEARNED_STATES

if TYPE_CHECKING:
    # It brings the database library, which an empty window does without.
    from maskstudio.storage.project import ProjectDatabase

FEW_IMAGES = 20
"""With fewer, a model that never saw a category misses much of it (issue 6, point 0: mask AP50 0.40
from 5 photographs, 0.66 from 20)."""
FEW_ANNOTATIONS = 20
"""Likewise of a category: as many as those images hold at least."""


@dataclass(frozen=True)
class CategoryOutlook:
    """One category.

    Attributes:
        name: of it.
        learned: how many annotations of it are learned from.
        measured: how many the result is measured on.
    """

    name: str
    learned: int
    measured: int


@dataclass(frozen=True)
class Outlook:
    """What would be trained on now.

    Attributes:
        learned: images that are learned from.
        measured: images that the result is measured on.
        left_out: finished images that an export keeps for the test.
        empty: images among those learned from and measured on that are verified empty.
        categories: those with annotations, the most frequent first.
        exact: False where the parts may still come out a little otherwise.
    """

    learned: int
    measured: int
    left_out: int
    empty: int
    categories: tuple[CategoryOutlook, ...]
    exact: bool = True

    def obstacle(self) -> str:
        """Return what stands in the way of any training and what to do; empty where nothing."""
        if self.learned + self.measured + self.left_out == 0:
            return (
                "No image is verified yet, and only what you have verified is learned from. "
                "Verify some images first (Verify and next); 20 are a good beginning."
            )
        if self.learned == 0:
            return "Every verified image is kept to measure on. Verify more images first."
        if not any(category.learned for category in self.categories):
            return (
                "Nothing stands on the images that would be learned from. Verify images with "
                "annotations first."
            )
        return ""

    def cautions(self) -> tuple[str, ...]:
        """Return what will make the result worse than it could be, and what to do."""
        if self.obstacle():
            return ()
        said = []
        if self.learned + self.measured < FEW_IMAGES:
            said.append(
                f"Only {_images(self.learned + self.measured)} verified: the model will still "
                f"miss much. From {FEW_IMAGES} on it pays."
            )
        if self.measured == 0:
            said.append(
                "No image is kept to measure on, so nobody will know how good the model is. "
                "Verify a few more."
            )
        few = [c.name for c in self.categories if c.learned < FEW_ANNOTATIONS]
        if few and self.learned + self.measured >= FEW_IMAGES:
            said.append(f"Few examples of {_listed(few)}: label more, or merge categories.")
        return tuple(said)


def look_at(database: "ProjectDatabase", context: TaskContext) -> Outlook:
    """Count what would be trained on, without opening an image.

    Raises:
        UserError: the project cannot be read.
        CancelledError: the person asked to stop.
    """
    with database.reading_dataset(LEARNED_STATES) as dataset:
        counts = category_counts(dataset, None)
        drawing = quick_split_of(database, dataset.images, counts, LEARNED_OPTIONS, context)
        if drawing is None:
            raise AssertionError("the options ask for a split")
        part_of = drawing.split.parts
        images = Counter(part_of[image.id] for image in dataset.images)
        found: dict[str, Counter[int]] = {"train": Counter(), "val": Counter(), "test": Counter()}
        for image in dataset.images:
            found[part_of[image.id]].update(counts.get(image.id, {}))
        empty = sum(
            image.state is ImageState.EMPTY and part_of[image.id] != "test"
            for image in dataset.images
        )
        categories = tuple(
            CategoryOutlook(c.name, found["train"][c.id], found["val"][c.id])
            for c in dataset.categories
            if found["train"][c.id] or found["val"][c.id]
        )
    return Outlook(
        learned=images["train"],
        measured=images["val"],
        left_out=images["test"],
        empty=empty,
        categories=tuple(sorted(categories, key=lambda c: (-c.learned, c.name))),
        exact=drawing.alike.complete,
    )


def _images(number: int) -> str:
    return "1 image is" if number == 1 else f"{number:,} images are"


def _listed(names: list[str], most: int = 3) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
