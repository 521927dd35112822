"""What a model answered about a box or a place, in the categories of a project, for a person."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.annotation import Annotation, Category
from maskstudio.annotation.box_answers import BoxAnswers
from maskstudio.annotation.category_map import IGNORED, TO_MAKE, CategoryMap, destinations
from maskstudio.annotation.detection_filter import overlapping
from maskstudio.annotation.segmentation import Box, Segmentation

# A candidate that overlaps an annotation this much (box IoU) is of the same object.
_SAME_OBJECT_IOU = 0.6


@dataclass(frozen=True, eq=False)
class Reading:
    """One answer read as one of the model's categories; its outline is traced only once.

    Attributes:
        answers: all that the model answered.
        index: of the answer.
        choice: of the category, 0 for the likeliest.
    """

    answers: BoxAnswers
    index: int
    choice: int

    @property
    def label(self) -> int:
        """0-based position of the category in the model's."""
        return int(self.answers.labels[self.index, self.choice])

    @property
    def score(self) -> float:
        """Probability of the category, 0 to 1."""
        return self.answers.score(self.index, self.choice)

    @cached_property
    def outline(self) -> Segmentation | None:
        """The object as it is if it is of this category; None where no pixel is likely to be."""
        return self.answers.outline(self.index, self.choice)


@dataclass(frozen=True, eq=False)
class Choice:
    """A category a person may take for what was outlined.

    Attributes:
        category: the project's; one the project does not have yet is to be made, under `label`.
        label: 0-based position of the model's category that leads there.
        score: probability, 0 to 1, of all the model's categories together that lead there.
        reading: the likeliest of them.
    """

    category: Category
    label: int
    score: float
    reading: Reading

    @property
    def to_be_made(self) -> bool:
        """True where the project does not have the category yet."""
        return self.category.id == TO_MAKE


@dataclass(frozen=True, eq=False)
class Offer:
    """An outline for a person to take, as one of a few categories.

    Attributes:
        box: what was asked about, or where the model found it, xyxy.
        choices: the likeliest first; none where the model knows only what the project ignores.
        reading: the likeliest that has an outline.
    """

    box: Box
    choices: tuple[Choice, ...]
    reading: Reading

    def outline(self, choice: int = 0) -> Segmentation:
        """Return the object as it is if it is of a category."""
        own = self.choices[choice].reading.outline if choice < len(self.choices) else None
        return own or self.likeliest

    def outline_as(self, category_id: int) -> Segmentation:
        """Return the object as it is if it is of one of the project's categories."""
        known = (c.reading.outline for c in self.choices if c.category.id == category_id)
        return next((outline for outline in known if outline), self.likeliest)

    @property
    def likeliest(self) -> Segmentation:
        """The object as it most likely is."""
        outline = self.reading.outline
        if outline is None:
            raise AssertionError("an offer is made of an answer that has an outline")
        return outline


def readings(answers: BoxAnswers) -> tuple[tuple[Reading, ...], ...]:
    """Return every answer read as each of its categories, the likeliest first."""
    return tuple(
        tuple(Reading(answers, index, choice) for choice in range(answers.choices))
        for index in range(len(answers))
    )


def offers_of(
    answers: Sequence[Sequence[Reading]], chosen: CategoryMap, categories: Sequence[Category]
) -> tuple[Offer, ...]:
    """Return what a person may take; answers without an outline are left out.

    Args:
        answers: the readings of each answer; see `readings`.
        chosen: what was decided about the model's categories.
        categories: the project's.
    """
    drawn = [answer for answer in answers if any(reading.outline for reading in answer)]
    if not drawn:
        return ()
    goes_to = destinations(chosen, drawn[0][0].answers.categories, categories)
    return tuple(_offer(answer, goes_to, categories) for answer in drawn)


def distinct_from(offers: Sequence[Offer], annotations: Sequence[Annotation]) -> tuple[Offer, ...]:
    """Return the offers that are of no object annotated already."""
    offered = np.array([offer.likeliest.box for offer in offers], np.float64).reshape(-1, 4)
    there = np.array([annotation.box for annotation in annotations], np.float64).reshape(-1, 4)
    pairs, _, overlap = overlapping(offered, there)
    known = set(pairs[overlap >= _SAME_OBJECT_IOU].tolist())
    return tuple(offer for place, offer in enumerate(offers) if place not in known)


def _offer(
    one: Sequence[Reading], goes_to: NDArray[np.int64], categories: Sequence[Category]
) -> Offer:
    likeliest = next(reading for reading in one if reading.outline is not None)
    box = likeliest.answers.box(likeliest.index)
    return Offer(box, _choices(one, goes_to, categories), likeliest)


def _choices(
    one: Sequence[Reading], goes_to: NDArray[np.int64], categories: Sequence[Category]
) -> tuple[Choice, ...]:
    """Return the categories of the project that the readings lead to, each once."""
    of_model = one[0].answers.categories
    known = {category.id: category for category in categories}
    found: dict[tuple[int, str], Choice] = {}
    for reading in one:
        category_id, own = int(goes_to[reading.label]), of_model[reading.label]
        if category_id == IGNORED:
            continue
        made = Category(TO_MAKE, own.name, own.supercategory)
        category = known.get(category_id, made)
        key = category.id, category.name
        before = found.get(key)
        if before is None:
            found[key] = Choice(category, reading.label, reading.score, reading)
        else:
            found[key] = replace(before, score=before.score + reading.score)
    return tuple(sorted(found.values(), key=lambda choice: -choice.score))
