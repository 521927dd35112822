"""What is stored of a project, for reading."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from maskstudio.annotation.annotation import (
    Annotation,
    Category,
    Dataset,
    ImageRecord,
    ImageState,
)
from maskstudio.annotation.edits import Edit
from maskstudio.annotation.image_facts import ImageFacts
from maskstudio.annotation.learning_curve import CurvePoint
from maskstudio.annotation.ledger import EditAccount
from maskstudio.errors import UserError
from maskstudio.storage import facts, learning_curve, predictions, reading, tables
from maskstudio.storage.accounts import read_accounts
from maskstudio.storage.places import DATABASE_NAME, FOLDER_NAME
from maskstudio.storage.reading import CategoryUses
from maskstudio.storage.stored_dataset import stored_dataset


class StoredProject:
    """The tables of a project. The methods may be called from any thread.

    Attributes:
        folder: that of the images.
    """

    def __init__(self, folder: Path, engine: sa.Engine) -> None:
        self.folder = folder
        self._engine = engine
        self._closed = False

    def images(self) -> list[ImageRecord]:
        """Return every image, in natural order of the paths."""
        with self._reading() as connection:
            return reading.images(connection)

    def image_slices(self) -> Iterator[tuple[list[ImageRecord], dict[int, int]]]:
        """Yield all images, some at a time, with the counts of those that hold annotations.

        They are of the moment when each is read; of a closed project there are none.
        """
        if self._closed:
            return
        with self._reading() as connection:
            for records in reading.image_slices(connection):
                yield records, reading.counts_of(connection, [record.id for record in records])

    def annotation_counts(self) -> dict[int, int]:
        """Return how many annotations stand on each image that has any."""
        with self._reading() as connection:
            return reading.counts(connection)

    def untouched_counts(self) -> dict[int, int]:
        """Return how many pre-annotations nobody has touched stand on each image that has any."""
        with self._reading() as connection:
            return reading.counts(connection, untouched=True)

    def annotations(self, image_id: int, most: int | None = None) -> tuple[Annotation, ...]:
        """Return the annotations of one image, back to front; at most so many of them."""
        with self._reading() as connection:
            if most is None:
                return reading.annotations(connection, [image_id]).get(image_id, ())
            text = connection.scalar(tables.select_some(), {"image": image_id, "most": most})
            return tables.annotations_from_text(text or "")

    def categories(self) -> tuple[Category, ...]:
        """Return the categories in the order a person gave them."""
        with self._reading() as connection:
            return reading.categories(connection)

    @contextmanager
    def reading_dataset(self, states: Iterable[ImageState]) -> Iterator[Dataset]:
        """Give the images in these states, all of one moment whatever is written meanwhile.

        The annotations are read as they are gone through and not kept: see `StoredAnnotations`.

        Raises:
            UserError: it cannot be read.
        """
        with self._reading_moment() as connection:
            yield stored_dataset(connection, states)

    def category_uses(self, category_ids: Collection[int]) -> CategoryUses:
        """Return how many annotations are of one of these categories."""
        with self._reading() as connection:
            return reading.category_uses(connection, category_ids)

    def annotation_ids(self, category_id: int) -> tuple[int, ...]:
        """Return the annotations of a category in the whole project."""
        with self._reading() as connection:
            return tuple(reading.annotation_ids(connection, category_id))

    def attribute_words(self) -> dict[str, tuple[str, ...]]:
        """Return all attributes ever given in the project: name to its values, both sorted."""
        with self._reading() as connection:
            return reading.attribute_words(connection)

    def image_facts(self, image_ids: Sequence[int]) -> Iterator[tuple[int, ImageFacts]]:
        """Yield the facts of those of these images that hold annotations, with their ids."""
        # In pieces: to read one text of all images would keep the window waiting.
        for start in range(0, len(image_ids), reading.CHUNK):
            query = facts.select_facts(image_ids[start : start + reading.CHUNK])
            with self._reading() as connection:
                text = connection.scalar(query)
            yield from facts.facts_from_text(text or "[]")

    def predicted_again(self) -> list[int]:
        """Return the ids of the images that more than one model was run on, in order."""
        with self._reading() as connection:
            return predictions.predicted_again(connection)

    def by_last_model(self, image_id: int) -> list[Edit]:
        """Return what the last model did to an image after another one; nothing without any."""
        with self._reading() as connection:
            return predictions.of_last_model(connection, image_id)

    def learning_curve(self) -> list[CurvePoint]:
        """Return what learning was worth on each image that was judged, the oldest first."""
        with self._reading() as connection:
            return learning_curve.read_points(connection)

    @contextmanager
    def reading_accounts(self) -> Iterator[Iterator[EditAccount]]:
        """Give what each edit did that was done and not undone, in order and all of one moment.

        Raises:
            UserError: it cannot be read.
        """
        with self._reading_moment() as connection:
            yield read_accounts(connection)

    @contextmanager
    def _reading_moment(self) -> Iterator[sa.Connection]:
        with self._reading() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.rollback()
                reading.catch_up(connection)

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise UserError(f"{self._path} cannot be read ({error.orig}).") from error

    @property
    def _path(self) -> Path:
        return self.folder / FOLDER_NAME / DATABASE_NAME
