"""The values of the domain as plain lists and texts, for JSON, and back."""

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import cache
from typing import Any

from maskstudio.annotation.annotation import (
    Annotation,
    Category,
    ImageState,
    ImageStatus,
    Rejection,
)
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.segmentation import Box, Segmentation, segmentations_from_wkb

_MORE = ("iscrowd", "attributes", "note", "hidden", "locked", "z")


def json_bytes(plain: Any) -> bytes:
    """Return plain values as JSON.

    Python's own takes seven times as long for an outline of thousands of vertices, which a hand
    that lets go of one waits for.
    """
    return _encode()(plain)


def json_text(plain: Any) -> str:
    """Return plain values as JSON."""
    return json_bytes(plain).decode()


@cache
def _encode() -> Callable[[Any], bytes]:
    # An empty window does without it.
    import msgspec

    # Numbers of numpy are floats to it as to Python's.
    return msgspec.json.Encoder(enc_hook=float).encode


def plain_annotation(annotation: Annotation | None) -> list[Any] | None:
    """Return an annotation as a list."""
    if annotation is None:
        return None
    segmentation = annotation.segmentation
    plain = [
        annotation.id,
        annotation.category_id,
        None if segmentation is None else segmentation.text,
        annotation.box_only,
        annotation.model_id,
        annotation.score,
        annotation.touched,
    ]
    # Most have none of these, and thousands stand on an image.
    more = {name: value for name in _MORE if (value := getattr(annotation, name))}
    return [*plain, more] if more else plain


def outlines_of(plain: Sequence[list[Any]]) -> Iterator[Segmentation]:
    """Yield the outlines of annotations that have one, in order."""
    stored = [base64.b64decode(one[2]) for one in plain if one[2] is not None]
    return iter(segmentations_from_wkb(stored))


def annotation_from(plain: list[Any], outlines: Iterator[Segmentation]) -> Annotation:
    """Read an annotation; its outline is the next of those given."""
    identity, category_id, wkb, box, model_id, score, touched, *rest = plain
    segmentation = None if wkb is None else next(outlines)
    box_only = None if box is None else _box(box)
    more = rest[0] if rest else {}
    if "attributes" in more:
        more["attributes"] = tuple((name, value) for name, value in more["attributes"])
    return Annotation(
        identity, category_id, segmentation, box_only, model_id, score, touched, **more
    )


def plain_category(category: Category | None) -> dict[str, Any] | None:
    """Return a category as a dictionary."""
    return None if category is None else asdict(category)


def category_from(plain: dict[str, Any] | None) -> Category | None:
    """Read a category."""
    return None if plain is None else Category(**plain)


def plain_status(status: ImageStatus) -> list[Any]:
    """Return the status of an image as a list."""
    shown = plain_filter(status.detection_filter)
    return [status.state, plain_rejections(status.rejections), shown]


def status_from(plain: list[Any]) -> ImageStatus:
    """Read the status of an image."""
    state, rejections, shown = plain
    return ImageStatus(ImageState(state), rejections_from(rejections), filter_from(shown))


def plain_filter(shown: DetectionFilter | None) -> dict[str, Any] | None:
    """Return what is shown of detections as a dictionary."""
    return None if shown is None else asdict(shown)


def filter_from(plain: dict[str, Any] | None) -> DetectionFilter | None:
    """Read what is shown of detections."""
    if plain is None:
        return None
    scores = tuple((name, score) for name, score in plain["category_scores"])
    return DetectionFilter(**plain | {"category_scores": scores})


def plain_rejections(rejections: tuple[Rejection, ...]) -> list[list[Any]]:
    """Return rejections as lists."""
    return [[r.category_id, r.score, *r.box] for r in rejections]


def rejections_from(plain: list[list[Any]]) -> tuple[Rejection, ...]:
    """Read rejections."""
    return tuple(Rejection(category_id, _box(box), score) for category_id, score, *box in plain)


def _box(values: list[float]) -> Box:
    x0, y0, x1, y1 = (float(v) for v in values)
    return x0, y0, x1, y1
