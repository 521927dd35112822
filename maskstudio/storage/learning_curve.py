"""The learning curve of a project as it is stored: one row for each image that was judged."""

import json
from dataclasses import astuple
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from maskstudio.annotation.learning_curve import CurvePoint
from maskstudio.storage.tables import metadata

learning_curve = sa.Table(
    "learning_curve",
    metadata,
    sa.Column("image_id", sa.ForeignKey("images.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("at", sa.Text, nullable=False),  # ISO 8601, UTC
    sa.Column("start_id", sa.Text, nullable=False),
    sa.Column("shown_id", sa.Text, nullable=False),
    sa.Column("images", sa.Integer, nullable=False),
    sa.Column("counts", sa.Boolean, nullable=False),
    # JSON: the numbers of an `Effort`, in its order.
    sa.Column("start", sa.Text, nullable=False),
    sa.Column("learned", sa.Text),
)


def read_points(connection: sa.Connection) -> list[CurvePoint]:
    """Return every point, the oldest first."""
    c = learning_curve.c
    rows = connection.execute(sa.select(learning_curve).order_by(c.at, c.image_id))
    return [_point(row) for row in rows]


def write_point(connection: sa.Connection, point: CurvePoint) -> None:
    """Keep a point, in the place of one of the same image."""
    drop_point(connection, point.image_id)
    connection.execute(sa.insert(learning_curve).values(_row(point)))


def drop_point(connection: sa.Connection, image_id: int) -> None:
    """Keep none of an image."""
    connection.execute(sa.delete(learning_curve).where(learning_curve.c.image_id == image_id))


def _row(point: CurvePoint) -> dict[str, Any]:
    return {
        "image_id": point.image_id,
        "at": point.at.astimezone(UTC).isoformat(),
        "start_id": point.start_id,
        "shown_id": point.shown_id,
        "images": point.images,
        "counts": point.counts,
        "start": json.dumps(astuple(point.start)),
        "learned": None if point.learned is None else json.dumps(astuple(point.learned)),
    }


def _point(row: sa.Row[Any]) -> CurvePoint:
    # It brings what traces masks, which opening a project does without.
    from maskstudio.annotation.effort import Effort

    return CurvePoint(
        row.image_id,
        datetime.fromisoformat(row.at),
        row.start_id,
        row.shown_id,
        row.images,
        Effort(*json.loads(row.start)),
        None if row.learned is None else Effort(*json.loads(row.learned)),
        row.counts,
    )
