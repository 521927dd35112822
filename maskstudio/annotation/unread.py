"""Annotations that are handed on unread, to be read where there is time for it.

To make objects of the text that a database holds costs as much as most of what is done with them
afterwards. A mapping from images to annotations that knows the text may hand that over: another
process (see `maskstudio.processes`) turns it into annotations.
"""

import functools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

from maskstudio.annotation.annotation import Annotation

OfImages = Mapping[int, tuple[Annotation, ...]]
"""Image id to its annotations, back to front; images without any may be missing."""

Unread = Callable[[], OfImages]
"""Annotations of some images, read by calling it. It is picklable."""


@runtime_checkable
class HandsOver(Protocol):
    """A mapping that can hand over annotations unread."""

    def unread(self, image_ids: Sequence[int]) -> Unread:
        """Return the annotations of these images, for somebody else to read."""


def unread(annotations: OfImages, image_ids: Sequence[int]) -> Unread:
    """Return the annotations of some images, unread where the mapping can do that."""
    if isinstance(annotations, HandsOver):
        return annotations.unread(image_ids)
    return functools.partial(dict, {i: annotations[i] for i in image_ids if i in annotations})


class OfCategories(Mapping[int, tuple[Annotation, ...]]):
    """The annotations of a mapping that are of some categories, read when they are asked for."""

    def __init__(self, annotations: OfImages, category_ids: Collection[int]) -> None:
        self._annotations = annotations
        self._category_ids = frozenset(category_ids)

    def __getitem__(self, image_id: int) -> tuple[Annotation, ...]:
        return _of_categories(self._annotations[image_id], self._category_ids)

    def __iter__(self) -> Iterator[int]:
        return iter(self._annotations)

    def __len__(self) -> int:
        return len(self._annotations)

    def unread(self, image_ids: Sequence[int]) -> Unread:
        """Return the annotations of these images, for somebody else to read and to choose from."""
        whole = unread(self._annotations, image_ids)
        return functools.partial(_read_of_categories, whole, self._category_ids)


def _read_of_categories(whole: Unread, category_ids: frozenset[int]) -> OfImages:
    return {
        image_id: _of_categories(annotations, category_ids)
        for image_id, annotations in whole().items()
    }


def _of_categories(
    annotations: tuple[Annotation, ...], category_ids: frozenset[int]
) -> tuple[Annotation, ...]:
    return tuple(a for a in annotations if a.category_id in category_ids)
