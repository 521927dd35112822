"""The tables of the project database, and how the domain's values become rows and back."""

import base64
import json
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Insert,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Select,
    String,
    Table,
    Text,
    func,
    insert,
    select,
)

from maskstudio.annotation.annotation import (
    Annotation,
    Category,
    ImageRecord,
    ImageState,
    ImageStatus,
    Rejection,
)
from maskstudio.annotation.edits import AnnotationChange, CategoryChange, Edit, ImageChange
from maskstudio.annotation.segmentation import Box, Segmentation, segmentations_from_wkb

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
    Column("min_score", Float),
)

categories = Table(
    "categories",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("supercategory", Text, nullable=False),
    Column("colour", String(7), nullable=False),
)

annotations = Table(
    "annotations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("image_id", ForeignKey("images.id"), nullable=False, index=True),
    Column("category_id", ForeignKey("categories.id"), nullable=False),
    Column("content", Text, nullable=False),  # JSON of all of it, as in the journal
)

# The journal. An edit is `done`, `undone` (redo brings it back) or `dropped` (undone, and then
# something else was done).
edits = Table(
    "edits",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Text, nullable=False),  # ISO 8601, UTC
    Column("title", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("undoable", Boolean, nullable=False),
    Column("state", String(8), nullable=False, index=True),
    Column("changes", LargeBinary, nullable=False),  # zlib of JSON
)


def image_row(path: str) -> dict[str, Any]:
    """Return the row of an image nobody has opened yet."""
    return {"path": path, "height": 0, "width": 0, "state": ImageState.NEW, "rejections": "[]"}


def image_from_row(row: Row[Any]) -> ImageRecord:
    """Read an image."""
    return ImageRecord(
        row.id,
        row.path,
        row.height,
        row.width,
        ImageStatus(ImageState(row.state), _rejections(json.loads(row.rejections)), row.min_score),
    )


def status_values(status: ImageStatus) -> dict[str, Any]:
    """Return the columns that hold an image's status."""
    return {
        "state": status.state,
        "rejections": json.dumps(_plain_rejections(status.rejections)),
        "min_score": status.min_score,
    }


def category_row(category: Category) -> dict[str, Any]:
    """Return the row of a category."""
    return {
        "id": category.id,
        "name": category.name,
        "supercategory": category.supercategory,
        "colour": category.colour,
    }


def category_from_row(row: Row[Any]) -> Category:
    """Read a category."""
    return Category(row.id, row.name, row.supercategory, row.colour)


# Python's sqlite3 lets go of the interpreter's lock for every row, read or written. While lanes are
# busy, each would keep the window waiting for its turn; so many annotations go in and out as one.


def insert_annotations(changes: Sequence[AnnotationChange]) -> Insert:
    """Put what these changes leave into the table, in one step."""
    rows = [
        [c.image_id, c.after.id, c.after.category_id, json.dumps(_plain_annotation(c.after))]
        for c in changes
        if c.after is not None
    ]
    each = func.json_each(json.dumps(rows)).table_valued("value")
    columns = [func.json_extract(each.c.value, f"$[{n}]") for n in range(4)]
    return insert(annotations).from_select(
        ["image_id", "id", "category_id", "content"], select(*columns)
    )


def select_annotations(image_ids: Sequence[int]) -> Select[Any]:
    """Select the annotations of images: for each that has any one row, (id, text)."""
    c = annotations.c
    query = select(c.image_id, func.group_concat(c.content)).where(c.image_id.in_(image_ids))
    return query.group_by(c.image_id)


def annotations_from_text(text: str) -> tuple[Annotation, ...]:
    """Read what was selected for one image, back to front."""
    plain = sorted(json.loads(f"[{text}]"), key=lambda one: one[0])
    outlines = _outlines(plain)
    return tuple(_annotation(one, outlines) for one in plain)


def pack_changes(edit: Edit) -> bytes:
    """Return the changes of an edit for the journal."""
    plain = {
        "annotations": [
            [c.image_id, _plain_annotation(c.before), _plain_annotation(c.after)]
            for c in edit.annotations
        ],
        "images": [
            [c.image_id, _plain_status(c.before), _plain_status(c.after)] for c in edit.images
        ],
        "categories": [
            [_plain_category(c.before), _plain_category(c.after)] for c in edit.categories
        ],
    }
    # Level 1: the journal is written between two gestures, and packs nearly as well as at 6.
    return zlib.compress(json.dumps(plain).encode(), 1)


def edit_from_row(row: Row[Any]) -> Edit:
    """Read an edit from the journal."""
    plain = json.loads(zlib.decompress(row.changes))
    outlines = _outlines([one for _, *pair in plain["annotations"] for one in pair if one])
    return Edit(
        row.title,
        row.author,
        tuple(
            AnnotationChange(i, *(one and _annotation(one, outlines) for one in (before, after)))
            for i, before, after in plain["annotations"]
        ),
        tuple(
            ImageChange(i, _status(before), _status(after)) for i, before, after in plain["images"]
        ),
        tuple(
            CategoryChange(_category(before), _category(after))
            for before, after in plain["categories"]
        ),
        undoable=row.undoable,
    )


def _plain_annotation(annotation: Annotation | None) -> list[Any] | None:
    if annotation is None:
        return None
    segmentation = annotation.segmentation
    return [
        annotation.id,
        annotation.category_id,
        None if segmentation is None else base64.b64encode(segmentation.wkb).decode("ascii"),
        annotation.box_only,
        annotation.model_id,
        annotation.score,
        annotation.touched,
    ]


def _outlines(plain: Sequence[list[Any]]) -> Iterator[Segmentation]:
    """Yield the outlines of annotations that have one, in order."""
    stored = [base64.b64decode(one[2]) for one in plain if one[2] is not None]
    return iter(segmentations_from_wkb(stored))


def _annotation(plain: list[Any], outlines: Iterator[Segmentation]) -> Annotation:
    identity, category_id, wkb, box, model_id, score, touched = plain
    segmentation = None if wkb is None else next(outlines)
    box_only = None if box is None else _box(box)
    return Annotation(identity, category_id, segmentation, box_only, model_id, score, touched)


def _plain_category(category: Category | None) -> dict[str, Any] | None:
    return None if category is None else category_row(category)


def _category(plain: dict[str, Any] | None) -> Category | None:
    return None if plain is None else Category(**plain)


def _plain_status(status: ImageStatus) -> list[Any]:
    return [status.state, _plain_rejections(status.rejections), status.min_score]


def _status(plain: list[Any]) -> ImageStatus:
    state, rejections, min_score = plain
    return ImageStatus(ImageState(state), _rejections(rejections), min_score)


def _plain_rejections(rejections: tuple[Rejection, ...]) -> list[list[Any]]:
    return [[r.category_id, *r.box] for r in rejections]


def _rejections(plain: list[list[Any]]) -> tuple[Rejection, ...]:
    return tuple(Rejection(category_id, _box(box)) for category_id, *box in plain)


def _box(values: list[float]) -> Box:
    x0, y0, x1, y1 = (float(v) for v in values)
    return x0, y0, x1, y1
