"""The tables of the project database, and how the domain's values become rows and back."""

import base64
import json
import zlib
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    Text,
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
from maskstudio.annotation.segmentation import Box, Segmentation

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
    Column("segmentation", LargeBinary),  # WKB, float64
    Column("box", Text),  # JSON, only where there is no segmentation
    Column("model_id", Text),
    Column("score", Float),
    Column("touched", Boolean, nullable=False),
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


def annotation_row(image_id: int, annotation: Annotation) -> dict[str, Any]:
    """Return the row of an annotation."""
    segmentation = annotation.segmentation
    return {
        "id": annotation.id,
        "image_id": image_id,
        "category_id": annotation.category_id,
        "segmentation": None if segmentation is None else segmentation.wkb,
        "box": None if annotation.box_only is None else json.dumps(annotation.box_only),
        "model_id": annotation.model_id,
        "score": annotation.score,
        "touched": annotation.touched,
    }


def annotation_from_row(row: Row[Any]) -> Annotation:
    """Read an annotation."""
    return Annotation(
        row.id,
        row.category_id,
        None if row.segmentation is None else Segmentation.from_wkb(row.segmentation),
        None if row.box is None else _box(json.loads(row.box)),
        row.model_id,
        row.score,
        row.touched,
    )


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
    return Edit(
        row.title,
        row.author,
        tuple(
            AnnotationChange(i, _annotation(before), _annotation(after))
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


def _annotation(plain: list[Any] | None) -> Annotation | None:
    if plain is None:
        return None
    identity, category_id, wkb, box, model_id, score, touched = plain
    segmentation = None if wkb is None else Segmentation.from_wkb(base64.b64decode(wkb))
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
