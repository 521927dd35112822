"""What lies under the pointer: pure functions over frozen values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.box_index import BoxIndex
from maskstudio.annotation.segmentation import VertexIndex, nearest_edge, nearest_vertex


class HitKind(Enum):
    """Which piece of an annotation was hit."""

    VERTEX = auto()
    EDGE = auto()
    BODY = auto()


@dataclass(frozen=True)
class Hit:
    """What lies under the pointer.

    Attributes:
        kind: the piece.
        annotation_id: of which annotation.
        vertex: the vertex, or the first vertex of the edge; None for a body.
        point: where on the annotation, in image coordinates.
    """

    kind: HitKind
    annotation_id: int
    vertex: VertexIndex | None
    point: tuple[float, float]


def hit_test(
    annotations: Mapping[int, Annotation],
    boxes: BoxIndex,
    selection: Iterable[int],
    point: tuple[float, float],
    tolerance: float,
) -> Hit | None:
    """Find what lies under a point.

    Vertices and edges of a single selected annotation come first, unless it is locked, then bodies,
    front to back.

    Args:
        annotations: id to annotation, back to front.
        boxes: where they are.
        selection: ids of the selected ones.
        point: in image coordinates.
        tolerance: how near counts as on it, in image pixels.
    """
    selected = list(selection)
    single = annotations.get(selected[0]) if len(selected) == 1 else None
    if single is not None and not single.locked:
        hit = _hit_outline(single, point, tolerance)
        if hit is not None:
            return hit
    x, y = point
    for annotation_id in boxes.at(x, y, tolerance):
        if _covers(annotations[annotation_id], x, y, tolerance):
            return Hit(HitKind.BODY, annotation_id, None, point)
    return None


def within(
    annotations: Mapping[int, Annotation], corner: tuple[float, float], other: tuple[float, float]
) -> list[int]:
    """Return the annotations that lie wholly within a rectangle between two corners."""
    x0, x1 = sorted((corner[0], other[0]))
    y0, y1 = sorted((corner[1], other[1]))
    return [
        a.id
        for a in annotations.values()
        if x0 <= a.box[0] and y0 <= a.box[1] and a.box[2] <= x1 and a.box[3] <= y1
    ]


def _hit_outline(
    annotation: Annotation, point: tuple[float, float], tolerance: float
) -> Hit | None:
    segmentation = annotation.segmentation
    x, y = point
    x0, y0, x1, y1 = annotation.box
    near = x0 - tolerance <= x <= x1 + tolerance and y0 - tolerance <= y <= y1 + tolerance
    if segmentation is None or not near:
        return None
    vertex, distance = nearest_vertex(segmentation, x, y)
    if distance <= tolerance:
        at = segmentation.ring(vertex.part, vertex.ring)[vertex.vertex]
        return Hit(HitKind.VERTEX, annotation.id, vertex, (float(at[0]), float(at[1])))
    edge, foot, distance = nearest_edge(segmentation, x, y)
    # Edges are long and everywhere: they must be met more closely than vertices.
    if distance <= tolerance * 0.6:
        return Hit(HitKind.EDGE, annotation.id, edge, foot)
    return None


def _covers(annotation: Annotation, x: float, y: float, tolerance: float) -> bool:
    x0, y0, x1, y1 = annotation.box
    if annotation.segmentation is not None:
        return annotation.segmentation.contains(x, y)
    # A box without an outline is taken by its border, so that what lies inside can be reached.
    inside = x0 - tolerance <= x <= x1 + tolerance and y0 - tolerance <= y <= y1 + tolerance
    deep = x0 + tolerance < x < x1 - tolerance and y0 + tolerance < y < y1 - tolerance
    return inside and not deep
