"""A data set that stays in the database and is read piece by piece, as it is gone through."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

import sqlalchemy as sa

from maskstudio.annotation.annotation import Annotation, Dataset, ImageState
from maskstudio.storage import reading

# A piece ends after so many; it takes about 3 MB at 25 vertices an annotation.
_MOST_ANNOTATIONS = 2000
_MOST_IMAGES = 500
# As many may go through a data set at once, each at its own place.
_PIECES_KEPT = 4


class StoredAnnotations(Mapping[int, tuple[Annotation, ...]]):
    """Image id to its annotations, back to front, of those images that hold any.

    Gone through in the order of the images, each annotation is read once. It may be asked from any
    thread.
    """

    def __init__(
        self,
        connection: sa.Connection,
        counts: Mapping[int, int],
        image_ids: Iterable[int],
        lock: threading.Lock,
    ) -> None:
        """Read nothing yet.

        Args:
            connection: in a transaction, so that all of it is of one moment.
            counts: image id to how many annotations it holds, where there are any.
            image_ids: the images it is about, in the order they will be asked for.
            lock: held while the connection is used.
        """
        self._connection = connection
        self._counts = counts
        self._lock = lock
        self._pieces: list[list[int]] = [[]]
        self._piece_of: dict[int, int] = {}
        self._kept: OrderedDict[int, Mapping[int, tuple[Annotation, ...]]] = OrderedDict()
        size = 0
        for image_id in image_ids:
            if image_id not in counts:
                continue
            if (
                not self._pieces
                or size >= _MOST_ANNOTATIONS
                or len(self._pieces[-1]) >= _MOST_IMAGES
            ):
                self._pieces.append([])
                size = 0
            self._pieces[-1].append(image_id)
            self._piece_of[image_id] = len(self._pieces) - 1
            size += counts[image_id]

    def __getitem__(self, image_id: int) -> tuple[Annotation, ...]:
        number = self._piece_of[image_id]
        with self._lock:
            piece = self._kept.get(number)
            if piece is None:
                piece = reading.annotations(self._connection, self._pieces[number])
                self._kept[number] = piece
            self._kept.move_to_end(number)
            if len(self._kept) > _PIECES_KEPT:
                self._kept.popitem(last=False)
        return piece[image_id]

    def __contains__(self, image_id: object) -> bool:
        return image_id in self._piece_of

    def __iter__(self) -> Iterator[int]:
        return iter(self._piece_of)

    def __len__(self) -> int:
        return len(self._piece_of)

    def count(self, image_id: int) -> int:
        """Return how many annotations an image holds; nothing is read for that."""
        return self._counts[image_id] if image_id in self._piece_of else 0

    def of_categories(self) -> dict[int, dict[int, int]]:
        """Return how many annotations of each category stand on each image of the project."""
        with self._lock:
            return reading.category_counts(self._connection)

    def unread(self, image_ids: Sequence[int]) -> Callable[[], dict[int, tuple[Annotation, ...]]]:
        """Return what reads the annotations of those of these images that hold any.

        It holds their text, and can be sent to another process to be called there.
        """
        with self._lock:
            texts = reading.texts(self._connection, [i for i in image_ids if i in self])
        return partial(reading.annotations_of, texts)

    def only(self, image_ids: Sequence[int]) -> "StoredAnnotations":
        """Return those of some images, to be gone through in this order."""
        return StoredAnnotations(self._connection, self._counts, image_ids, self._lock)


def stored_dataset(connection: sa.Connection, states: Iterable[ImageState]) -> Dataset:
    """Return the images in these states; its annotations are read when they are asked for.

    Args:
        connection: in a transaction that lasts as long as the data set is used.
        states: which images.
    """
    wanted = frozenset(states)
    images = tuple(record for record in reading.images(connection) if record.state in wanted)
    # By id: a person may order them anew, and that is no other data set.
    categories = sorted(reading.categories(connection), key=lambda category: category.id)
    ids = [record.id for record in images]
    annotations = StoredAnnotations(connection, reading.counts(connection), ids, threading.Lock())
    return Dataset(tuple(categories), images, annotations)
