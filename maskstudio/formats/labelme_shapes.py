"""Make annotations of labelme's shapes."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from maskstudio.annotation.segmentation import Box, Part, as_ring
from maskstudio.annotation.shapes import ellipse_vertices, rectangle_vertices
from maskstudio.errors import UserError
from maskstudio.formats.bitmaps import traced
from maskstudio.formats.boxes import FAR_AWAY, box_within, is_far
from maskstudio.formats.embedded import decoded, mask_pixels
from maskstudio.formats.incoming import IncomingAnnotation
from maskstudio.formats.labelme_file import LabelmeShape
from maskstudio.formats.quoting import quoted
from maskstudio.formats.rings import Outline, parts_of, sound

_LINES: Mapping[str, str] = {
    "point": "a point",
    "points": "single points",
    "line": "a line",
    "linestrip": "a line",
}


def instances(shapes: Sequence[LabelmeShape]) -> Iterator[tuple[LabelmeShape, ...]]:
    """Yield the shapes that may cover something, instance by instance.

    labelme's own masks take shapes of one label and one group for one instance (`shapes_to_label`
    in its `_mask.py`).
    """
    grouped: dict[object, list[LabelmeShape]] = {}
    for shape in shapes:
        if shape.kind in _PARTS and shape.label:
            own = ("", shape.place) if shape.group is None else (shape.label, str(shape.group))
            grouped.setdefault(own, []).append(shape)
    for together in grouped.values():
        yield tuple(together)


def without_area(shapes: Sequence[LabelmeShape]) -> Iterator[str]:
    """Yield a sentence for each shape that is part of no instance."""
    for shape in shapes:
        named = f"shapes[{shape.place}] ({quoted(shape.label)})"
        if shape.kind in _LINES:
            yield f"{named} is {_LINES[shape.kind]} and covers nothing; it was left out."
        elif shape.kind not in _PARTS:
            yield f"{named} is of the unknown kind {quoted(shape.kind)}; it was left out."
        elif not shape.label:
            yield f"shapes[{shape.place}] has no label; it was left out."


def instance(
    shapes: Sequence[LabelmeShape], category: int, height: int, width: int
) -> tuple[IncomingAnnotation | None, list[str]]:
    """Make one annotation of the shapes of one instance.

    Args:
        shapes: at least one, of the kinds that may cover something.
        category: its place among the categories.
        height: rows of the image.
        width: columns of the image.

    Returns:
        The annotation, and a sentence for each thing that was changed; or None, and why.
    """
    first = shapes[0]
    named = f"shapes[{first.place}] ({quoted(first.label)})"
    if len(shapes) == 1 and first.kind == "rectangle":
        box, notes = _box(first, height, width)
        segmentation = None
    else:
        box = None
        parts, notes = _all_parts(shapes, height, width)
        made = sound(parts, height, width) if parts else Outline(None)
        segmentation, notes = made.segmentation, (*notes, *made.notes)
    sentences = [f"{named} {note}." for note in notes]
    if box is None and segmentation is None:
        return None, [f"{named} {'; it '.join(notes)}; it was left out."]
    annotation = IncomingAnnotation(
        category,
        segmentation,
        box,
        _score(shapes),
        any(shape.iscrowd for shape in shapes),
        _attributes(shapes),
        "\n".join(dict.fromkeys(shape.note for shape in shapes if shape.note)),
    )
    return annotation, sentences


def _score(shapes: Sequence[LabelmeShape]) -> float | None:
    """Return the best score; None where a person drew one of the shapes."""
    scores = [shape.score for shape in shapes if shape.score is not None]
    return max(scores) if len(scores) == len(shapes) else None


def _attributes(shapes: Sequence[LabelmeShape]) -> tuple[tuple[str, str], ...]:
    """Return what is said of any of the shapes; what stands at the first counts."""
    found: dict[str, str] = {}
    for shape in reversed(shapes):
        found.update(shape.attributes)
    return tuple(sorted(found.items()))


def _box(shape: LabelmeShape, height: int, width: int) -> tuple[Box | None, tuple[str, ...]]:
    """Return the box of a rectangle within the image."""
    if len(shape.points) < 2:
        return None, ("is a rectangle without two corners",)
    return box_within(shape.points, height, width)


def _all_parts(
    shapes: Sequence[LabelmeShape], height: int, width: int
) -> tuple[list[Part], tuple[str, ...]]:
    parts: list[Part] = []
    notes: list[str] = []
    for shape in shapes:
        try:
            parts += _parts(shape, height, width)
        except UserError as error:
            what = str(error).rstrip(".")
            notes.append(what if shape is shapes[0] else f"has a part that {what}")
    return parts, tuple(notes)


def _parts(shape: LabelmeShape, height: int, width: int) -> tuple[Part, ...]:
    if is_far(shape.points):
        raise UserError(FAR_AWAY)
    return _PARTS[shape.kind](shape, height, width)


def _polygon(shape: LabelmeShape, _height: int, _width: int) -> tuple[Part, ...]:
    try:
        return parts_of(shape.points)
    except UserError as error:
        raise UserError(f"has no sound outline ({str(error).rstrip('.')})") from error


def _rectangle(shape: LabelmeShape, _height: int, _width: int) -> tuple[Part, ...]:
    if len(shape.points) < 2:
        raise UserError("is a rectangle without two corners")
    (x0, y0), (x1, y1) = shape.points.min(axis=0), shape.points.max(axis=0)
    return (Part(as_ring(rectangle_vertices((x0, y0, x1, y1)))),)


def _circle(shape: LabelmeShape, _height: int, _width: int) -> tuple[Part, ...]:
    """Return a circle, given by its middle and a point on it."""
    if len(shape.points) != 2:
        raise UserError("is a circle without a middle and a point on it")
    (x, y), radius = shape.points[0], float(np.hypot(*(shape.points[1] - shape.points[0])))
    return (Part(as_ring(ellipse_vertices((x - radius, y - radius, x + radius, y + radius)))),)


def _mask(shape: LabelmeShape, height: int, width: int) -> tuple[Part, ...]:
    """Return a mask along its pixel edges; the first point is its first pixel."""
    if shape.mask is None or len(shape.points) != 2:
        raise UserError("is a mask without pixels or without two corners")
    mask = mask_pixels(decoded(shape.mask), height, width)
    left, top = shape.points[0].round().astype(int).tolist()
    try:
        outline = traced(mask, left, top)
    except UserError as error:
        raise UserError(f"has no sound outline ({str(error).rstrip('.')})") from error
    if outline is None:
        raise UserError("is a mask that covers no pixel")
    return outline.parts


_PARTS: Mapping[str, Callable[[LabelmeShape, int, int], tuple[Part, ...]]] = {
    "polygon": _polygon,
    "rectangle": _rectangle,
    "oriented_rectangle": _polygon,
    "rotation": _polygon,  # as X-AnyLabeling calls it
    "quadrilateral": _polygon,
    "circle": _circle,
    "mask": _mask,
}
