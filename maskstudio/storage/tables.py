"""The tables of the project database, and how the domain's values become rows and back."""

import json
from collections.abc import Sequence
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Insert,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Select,
    String,
    Table,
    Text,
    Update,
    bindparam,
    func,
    insert,
    select,
    update,
)

from maskstudio.annotation.annotation import (
    Annotation,
    Category,
    ImageRecord,
    ImageState,
    ImageStatus,
)
from maskstudio.annotation.edits import (
    PERSON,
    AnnotationChange,
    Reassignment,
)
from maskstudio.annotation.stack import back_to_front
from maskstudio.storage.plain import (
    annotation_from,
    filter_from,
    json_text,
    outlines_of,
    plain_annotation,
    plain_filter,
    plain_rejections,
    rejections_from,
)

SCHEMA_VERSION = 1

metadata = MetaData()

settings = Table(
    "settings",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

images = Table(
    "images",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("path", Text, nullable=False, unique=True),
    Column("height", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("rejections", Text, nullable=False),
    Column("detection_filter", Text),  # JSON; see `plain.plain_filter`
)

categories = Table(
    "categories",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("supercategory", Text, nullable=False),
    Column("colour", String(7), nullable=False),
    Column("position", Integer, nullable=False),
    Column("hidden", Boolean, nullable=False),
)

annotations = Table(
    "annotations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("image_id", ForeignKey("images.id"), nullable=False),
    Column("category_id", ForeignKey("categories.id"), nullable=False),
    Column("open_score", Float),  # the score, while it is a pre-annotation nobody has touched
    # What is known of an image without reading an outline comes from the index alone.
    Index("annotations_by_image", "image_id", "category_id", "open_score"),
)

# Apart from the table above: there a hundred thousand get another category without the pages that
# hold their outlines being written anew.
contents = Table(
    "contents",
    metadata,
    Column(
        "id",
        ForeignKey("annotations.id", ondelete="CASCADE", onupdate="CASCADE"),
        primary_key=True,
    ),
    # JSON of all of it, as in the journal; the category is the one of the table above.
    Column("content", Text, nullable=False),
)

# What was ever given as an attribute, to be offered again: going over all annotations for it takes
# too long while somebody types.
attribute_words = Table(
    "attribute_words",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, primary_key=True),
)

# The journal. An edit is `done`, `undone` (redo brings it back) or `dropped` (undone, and then
# something else was done).


class EntryState(StrEnum):
    """What became of an edit of the journal.

    The words are of one length: in a row that keeps its length SQLite writes only the pages that
    differ, and the changes of an outline drawn by hand take dozens.
    """

    DONE = "done"
    UNDONE = "undo"
    DROPPED = "drop"


edits = Table(
    "edits",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Text, nullable=False),  # ISO 8601, UTC
    Column("title", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("undoable", Boolean, nullable=False),
    Column("state", String(8), nullable=False, index=True),
    Column("image_id", Integer),  # the one image that it concerns; NULL where it is not just one
    Column("parts", Integer, nullable=False),  # of a long edit: how many there are
    # What it did to which objects, see `accounts`. Before the changes: SQLite reads a row from its
    # beginning, and not beyond what is asked for.
    Column("account", Text),
    Column("changes", LargeBinary, nullable=False),  # zlib of JSON; empty where there are parts
)

# What models did to an image is found without going over the journal; a person's gestures, which
# are many more and wait for nothing, do without.
Index(
    "edits_of_models",
    edits.c.state,
    edits.c.image_id,
    edits.c.author,
    sqlite_where=edits.c.author != PERSON,
    postgresql_where=edits.c.author != PERSON,
)

# The parts of a long edit, each one an edit of its own; they were done in the order of their
# numbers, which count from 0.
edit_parts = Table(
    "edit_parts",
    metadata,
    Column("edit_id", ForeignKey("edits.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("account", Text),
    Column("changes", LargeBinary, nullable=False),  # as above
)


def image_row(record: ImageRecord) -> dict[str, Any]:
    """Return the row of an image."""
    size = {"height": record.height, "width": record.width}
    return {"id": record.id, "path": record.path} | size | status_values(record.status)


# Reading one text of all images holds the interpreter's lock, and keeps the window waiting; one of
# so many takes a millisecond.
_ROWS_AT_ONCE = 1000


@cache
def select_images() -> Select[Any]:
    """Select the images whose paths come next after `after`, as one text, in order."""
    c = select(images).where(images.c.path > bindparam("after")).order_by(images.c.path)
    some = c.limit(_ROWS_AT_ONCE).subquery().c
    size = (some.height, some.width)
    each = func.json_array(
        some.id, some.path, *size, some.state, some.rejections, some.detection_filter
    )
    return select(func.json_group_array(each))


@cache
def select_counts(*, untouched: bool = False) -> Select[Any]:
    """Select the next images after `after` by id that hold annotations: [id, how many]...

    Args:
        untouched: count pre-annotations only that nobody has touched.
    """
    c = annotations.c
    each = select(c.image_id, func.count().label("count")).where(c.image_id > bindparam("after"))
    if untouched:
        each = each.where(c.open_score.is_not(None))
    some = each.group_by(c.image_id).order_by(c.image_id).limit(_ROWS_AT_ONCE).subquery()
    return select(func.json_group_array(func.json_array(*some.c)))


@cache
def select_category_counts() -> Select[Any]:
    """Select of the images from `first` to `last` by id: [id, category id, how many]..."""
    c = annotations.c
    each = select(c.image_id, c.category_id, func.count().label("count"))
    some = each.where(c.image_id.between(bindparam("first"), bindparam("last")))
    found = some.group_by(c.image_id, c.category_id).subquery()
    return select(func.json_group_array(func.json_array(*found.c)))


def select_counts_of(image_ids: Sequence[int]) -> Select[Any]:
    """Select those of these images that hold annotations: [id, how many]..., as one text."""
    c = annotations.c
    ids = func.json_each(json.dumps(image_ids)).table_valued("value")
    each = select(c.image_id, func.count().label("count")).where(
        c.image_id.in_(select(ids.c.value))
    )
    some = each.group_by(c.image_id).subquery()
    return select(func.json_group_array(func.json_array(*some.c)))


def images_from_text(text: str) -> list[ImageRecord]:
    """Read what was selected of images."""
    return [
        ImageRecord(identity, path, height, width, _status_from(*status))
        for identity, path, height, width, *status in json.loads(text)
    ]


def image_from_row(row: Row[Any]) -> ImageRecord:
    """Read an image."""
    status = _status_from(row.state, row.rejections, row.detection_filter)
    return ImageRecord(row.id, row.path, row.height, row.width, status)


@lru_cache(maxsize=1024)
def _status_from(state: str, rejections: str, shown: str | None) -> ImageStatus:
    """Read a status; most images share one of a few."""
    return ImageStatus(
        ImageState(state),
        rejections_from(json.loads(rejections)),
        None if shown is None else filter_from(json.loads(shown)),
    )


def status_values(status: ImageStatus) -> dict[str, Any]:
    """Return the columns that hold an image's status."""
    shown = plain_filter(status.detection_filter)
    return {
        "state": status.state,
        "rejections": json.dumps(plain_rejections(status.rejections)),
        "detection_filter": None if shown is None else json.dumps(shown),
    }


def category_row(category: Category) -> dict[str, Any]:
    """Return the row of a category."""
    return {
        "id": category.id,
        "name": category.name,
        "supercategory": category.supercategory,
        "colour": category.colour,
        "position": category.position,
        "hidden": category.hidden,
    }


def category_from_row(row: Row[Any]) -> Category:
    """Read a category."""
    return Category(row.id, row.name, row.supercategory, row.colour, row.position, row.hidden)


# Python's sqlite3 lets go of the interpreter's lock for every row, read or written. While lanes are
# busy, each would keep the window waiting for its turn; so many annotations go in and out as one.


def insert_annotations(changes: Sequence[AnnotationChange]) -> tuple[Insert, ...]:
    """Put what these changes leave into the tables, each in one step."""
    made = [(c.image_id, c.after) for c in changes if c.after is not None]
    return (
        _insert(annotations, [annotation_row(image_id, after) for image_id, after in made]),
        _insert(contents, [content_row(after) for _, after in made]),
    )


def _insert(table: Table, rows: Sequence[dict[str, Any]]) -> Insert:
    if len(rows) == 1:
        return insert(table).values(rows[0])
    each = func.json_each(json_text(rows)).table_valued("value")
    columns = {name: func.json_extract(each.c.value, f"$.{name}") for name in rows[0]}
    return insert(table).from_select(list(columns), select(*columns.values()))


def annotation_row(image_id: int, annotation: Annotation) -> dict[str, Any]:
    """Return the row of an annotation without its content."""
    return {
        "id": annotation.id,
        "image_id": image_id,
        "category_id": annotation.category_id,
        "open_score": annotation.score if annotation.is_pre_annotation else None,
    }


def content_row(annotation: Annotation) -> dict[str, Any]:
    """Return the row of an annotation's content."""
    return {"id": annotation.id, "content": json_text(plain_annotation(annotation))}


def reassign_annotations(change: Reassignment) -> Update:
    """Give annotations another category, those of them that still have the one before."""
    c = annotations.c
    ids = func.json_each(json.dumps(change.annotation_ids)).table_valued("value")
    query = update(annotations).where(c.category_id == change.before, c.id.in_(select(ids.c.value)))
    return query.values(category_id=change.after)


@cache
def select_annotations() -> Select[Any]:
    """Select the annotations of the images `ids`: for each that has any one row, (id, text)."""
    c = annotations.c
    each = c.category_id.cast(Text).concat(",").concat(contents.c.content)
    query = select(c.image_id, func.group_concat(each)).join_from(annotations, contents)
    return query.where(c.image_id.in_(bindparam("ids", expanding=True))).group_by(c.image_id)


@cache
def select_some() -> Select[Any]:
    """Select at most `most` annotations of the image `image`, as one text."""
    c = annotations.c
    each = c.category_id.cast(Text).concat(",").concat(contents.c.content)
    wanted = select(c.id).where(c.image_id == bindparam("image")).limit(bindparam("most"))
    query = select(func.group_concat(each)).join_from(annotations, contents)
    return query.where(c.id.in_(wanted))


def annotations_from_text(text: str) -> tuple[Annotation, ...]:
    """Read what was selected for one image, back to front."""
    return annotations_from_texts([text])[0]


def annotations_from_texts(texts: Sequence[str]) -> list[tuple[Annotation, ...]]:
    """Read what was selected for images, each back to front; their outlines all at once."""
    plain: list[list[list[Any]]] = []
    for text in texts:
        read = json.loads(f"[{text}]")
        plain.append(read[1::2])
        for one, category_id in zip(plain[-1], read[::2], strict=True):
            one[1] = category_id
    outlines = outlines_of([one for image in plain for one in image])
    return [
        tuple(back_to_front(annotation_from(one, outlines) for one in image)) for image in plain
    ]
