"""What is known of images without reading an outline."""

import math
from array import array
from collections.abc import Iterable
from typing import NamedTuple


class ImageFacts(NamedTuple):
    """What is known of an image.

    Attributes:
        categories: the categories on it.
        lowest: the lowest score of its untouched pre-annotations, 0 to 1; None without any.
        highest: the highest.
    """

    categories: frozenset[int] = frozenset()
    lowest: float | None = None
    highest: float | None = None


class FactsTable:
    """The facts of all images of a project.

    A hundred thousand objects would keep the garbage collector busy, and the window waiting; these
    are a few arrays, by the images' ids.
    """

    def __init__(self, last_id: int, known: Iterable[tuple[int, ImageFacts]] = ()) -> None:
        """Take the facts of images by their ids.

        Args:
            last_id: the highest id of an image.
            known: the ids of images, none higher, and their facts; of the others nothing is known.
        """
        # Most images of a folder share a few sets of categories.
        self._kinds = [frozenset[int]()]
        self._kind_of = {self._kinds[0]: 0}
        self._kind = array("l", [0]) * (last_id + 1)
        self._lowest = array("d", [math.nan]) * (last_id + 1)
        self._highest = array("d", [math.nan]) * (last_id + 1)
        for image_id, facts in known:
            self._put(image_id, facts)

    def __call__(self, image_id: int) -> ImageFacts:
        """Return the facts of an image; of one that came later nothing is known."""
        if image_id >= len(self._kind):
            return ImageFacts()
        lowest, highest = self._lowest[image_id], self._highest[image_id]
        categories = self._kinds[self._kind[image_id]]
        if math.isnan(lowest):
            return ImageFacts(categories)
        return ImageFacts(categories, lowest, highest)

    def _put(self, image_id: int, facts: ImageFacts) -> None:
        kind = self._kind_of.setdefault(facts.categories, len(self._kinds))
        if kind == len(self._kinds):
            self._kinds.append(facts.categories)
        self._kind[image_id] = kind
        if facts.lowest is not None and facts.highest is not None:
            self._lowest[image_id] = facts.lowest
            self._highest[image_id] = facts.highest
