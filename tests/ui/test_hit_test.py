"""What lies under the pointer, as a function of annotations, selection and place alone."""

import pytest

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.box_index import BoxIndex
from maskstudio.annotation.segmentation import Segmentation, VertexIndex
from maskstudio.ui.canvas.hit_test import HitKind, hit_test, within
from support.outlines import HOLED, SQUARE

IN_TWO = Segmentation.from_rings(
    [(0, 0), (10, 0), (10, 10), (0, 10)], [(30, 0), (40, 0), (40, 10), (30, 10)]
)


def hit(annotations, selection, point, tolerance):
    boxes = BoxIndex(annotations.values())
    return hit_test(annotations, boxes, selection, point, tolerance)


def of(*segmentations):
    return {n: Annotation(n, 1, one) for n, one in enumerate(segmentations, start=1)}


def boxed(annotation_id, box):
    return Annotation(annotation_id, 1, None, box, "m", 0.5, touched=False)


@pytest.mark.parametrize(
    ("point", "kind", "vertex"),
    [
        ((22, 21), HitKind.VERTEX, VertexIndex(0, 0, 0)),
        ((17, 17), None, None),
        ((40, 22), HitKind.EDGE, VertexIndex(0, 0, 0)),
        ((40, 18), HitKind.EDGE, VertexIndex(0, 0, 0)),
        ((40, 24), HitKind.BODY, None),
        ((20, 40), HitKind.EDGE, VertexIndex(0, 0, 3)),
        ((31, 29), HitKind.VERTEX, VertexIndex(0, 1, 0)),
        ((30, 40), HitKind.EDGE, VertexIndex(0, 1, 3)),
        ((40, 40), None, None),
    ],
)
def test_pieces_of_the_selected_one(point, kind, vertex):
    """Vertices within the tolerance of 4, edges within 0.6 of it, the body last, a hole not."""
    found = hit(of(HOLED), [1], point, 4)
    assert (found and found.kind, found and found.vertex) == (kind, vertex)


def test_what_is_not_selected_is_hit_as_a_body_only():
    found = hit(of(SQUARE), [], (21, 21), 4)
    assert found.kind is HitKind.BODY


def test_with_several_selected_only_bodies_are_hit():
    found = hit(of(SQUARE, IN_TWO), [1, 2], (21, 21), 4)
    assert (found.kind, found.annotation_id) == (HitKind.BODY, 1)


def test_the_front_one_is_hit_first():
    assert hit(of(SQUARE, SQUARE), [], (40, 40), 4).annotation_id == 2


def test_both_parts_belong_to_the_same_one():
    annotations = of(IN_TWO)
    assert hit(annotations, [], (5, 5), 1).annotation_id == 1
    assert hit(annotations, [], (35, 5), 1).annotation_id == 1
    assert hit(annotations, [], (20, 5), 1) is None
    assert hit(annotations, [1], (40, 10), 1).vertex == VertexIndex(1, 0, 2)


def test_the_foot_of_an_edge_is_where_a_vertex_would_be_inserted():
    assert hit(of(SQUARE), [1], (40, 21), 4).point == (40, 20)


def test_a_selected_one_that_is_not_shown_is_not_hit():
    assert hit({}, [1], (40, 40), 4) is None


@pytest.mark.parametrize(
    ("point", "taken"), [((20, 40), True), ((18, 40), True), ((40, 40), False), ((10, 40), False)]
)
def test_a_box_is_taken_by_its_border(point, taken):
    annotations = {1: boxed(1, (20, 20, 60, 60))}
    assert (hit(annotations, [], point, 4) is not None) == taken


def test_a_rubber_band_takes_what_lies_wholly_within_it():
    annotations = of(SQUARE, IN_TWO)
    assert within(annotations, (70, 70), (-1, -1)) == [1, 2]
    assert within(annotations, (19, 19), (61, 61)) == [1]
    assert within(annotations, (21, 19), (61, 61)) == []
