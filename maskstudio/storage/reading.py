"""What is read of a project's tables, over a connection that somebody else has opened."""

import itertools
import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import itemgetter

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from maskstudio.annotation.annotation import Annotation, Category, ImageRecord
from maskstudio.annotation.edits import Edit, ImageContent
from maskstudio.storage import tables
from maskstudio.storage.folder import natural_key

CHUNK = 500
"""Rows in one IN (...) at most: below every database's limit on parameters."""


@dataclass(frozen=True)
class CategoryUses:
    """How many annotations there are, and on how many images."""

    annotations: int
    images: int


def images(connection: sa.Connection) -> list[ImageRecord]:
    """Return every image, in natural order of the paths."""
    # In the order of their paths most stand where they belong already, and sorting is quick.
    found = itertools.chain.from_iterable(image_slices(connection))
    return sorted(found, key=lambda record: natural_key(record.path))


def image_slices(connection: sa.Connection) -> Iterator[list[ImageRecord]]:
    """Yield every image, a thousand at a time, in the order of the paths' letters."""
    last = ""
    while records := tables.images_from_text(
        connection.scalar(tables.select_images(), {"after": last})
    ):
        yield records
        last = records[-1].path


def counts(connection: sa.Connection, *, untouched: bool = False) -> dict[int, int]:
    """Return how many annotations, or untouched pre-annotations, each image has that has any."""
    found: dict[int, int] = {}
    last = 0
    query = tables.select_counts(untouched=untouched)
    while pairs := json.loads(connection.scalar(query, {"after": last})):
        found.update(pairs)
        last = pairs[-1][0]
    return found


def counts_of(connection: sa.Connection, image_ids: Sequence[int]) -> dict[int, int]:
    """Return how many annotations stand on those of these images that hold any."""
    return dict(json.loads(connection.scalar(tables.select_counts_of(image_ids))))


def category_counts(connection: sa.Connection) -> dict[int, dict[int, int]]:
    """Return how many annotations of each category stand on each image that has any."""
    found: dict[int, dict[int, int]] = {}
    last = connection.scalar(sa.select(sa.func.max(tables.annotations.c.image_id))) or 0
    for first in range(1, last + 1, CHUNK):
        piece = {"first": first, "last": first + CHUNK - 1}
        text = connection.scalar(tables.select_category_counts(), piece)
        for image_id, category_id, number in json.loads(text):
            found.setdefault(image_id, {})[category_id] = number
    return found


def categories(connection: sa.Connection) -> tuple[Category, ...]:
    """Return the categories in the order a person gave them."""
    rows = connection.execute(sa.select(tables.categories))
    found = (tables.category_from_row(row) for row in rows)
    return tuple(sorted(found, key=lambda category: category.place))


def annotations(
    connection: sa.Connection, image_ids: Sequence[int]
) -> dict[int, tuple[Annotation, ...]]:
    """Return the annotations of those of these images that have any, each back to front."""
    return annotations_of(texts(connection, image_ids))


def texts(connection: sa.Connection, image_ids: Sequence[int]) -> list[tuple[int, str]]:
    """Return image id and annotations, as they are stored, of those images that have any."""
    found: list[tuple[int, str]] = []
    for start in range(0, len(image_ids), CHUNK):
        chunk = {"ids": image_ids[start : start + CHUNK]}
        rows = connection.execute(tables.select_annotations(), chunk)
        found += [(row[0], row[1]) for row in rows]
    return found


def annotations_of(found: Sequence[tuple[int, str]]) -> dict[int, tuple[Annotation, ...]]:
    """Read what `texts` returned: image id to annotations, back to front."""
    read = tables.annotations_from_texts([text for _, text in found])
    return {image_id: there for (image_id, _), there in zip(found, read, strict=True)}


def contents(connection: sa.Connection, image_ids: Sequence[int]) -> dict[int, ImageContent]:
    """Return images with all that stands on them."""
    records: list[ImageRecord] = []
    for start in range(0, len(image_ids), CHUNK):
        chunk = tables.images.c.id.in_(image_ids[start : start + CHUNK])
        rows = connection.execute(sa.select(tables.images).where(chunk))
        records += [tables.image_from_row(row) for row in rows]
    found = annotations(connection, image_ids)
    return {
        record.id: ImageContent(record, {a.id: a for a in found.get(record.id, ())})
        for record in records
    }


def uses(connection: sa.Connection, edit: Edit) -> dict[int, list[int]]:
    """Return the annotations of each category that an edit takes away."""
    gone = [c.before.id for c in edit.categories if c.after is None and c.before is not None]
    return {category_id: annotation_ids(connection, category_id) for category_id in gone}


def annotation_ids(connection: sa.Connection, category_id: int) -> list[int]:
    """Return the annotations of a category in the whole project."""
    c = tables.annotations.c
    # As one text: there may be a hundred thousand.
    query = sa.select(sa.func.json_group_array(c.id)).where(c.category_id == category_id)
    ids: list[int] = json.loads(connection.scalar(query) or "[]")
    return ids


def category_uses(connection: sa.Connection, category_ids: Collection[int]) -> CategoryUses:
    """Return how many annotations are of one of these categories."""
    c = tables.annotations.c
    query = sa.select(sa.func.count(), sa.func.count(c.image_id.distinct()))
    row = connection.execute(query.where(c.category_id.in_(category_ids))).one()
    return CategoryUses(row[0], row[1])


def attribute_words(connection: sa.Connection) -> dict[str, tuple[str, ...]]:
    """Return all attributes ever given in the project: name to its values, both sorted."""
    table = tables.attribute_words
    query = sa.select(table).order_by(table.c.name, table.c.value)
    rows = [(row.name, row.value) for row in connection.execute(query)]
    return {
        name: tuple(value for _, value in group)
        for name, group in itertools.groupby(rows, key=itemgetter(0))
    }


def catch_up(connection: sa.Connection) -> None:
    """Bring into the database what lies in the log beside it, but for what is being read.

    Else one of the next edits would, and a person would wait for it.

    Args:
        connection: in no transaction.
    """
    with suppress(DBAPIError):
        connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")
