"""What another model changed, pointed out: around what was, and along what came."""

import numpy as np

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.difference_marks import marks_of
from maskstudio.annotation.differences import Differences
from maskstudio.annotation.segmentation import Box


def box_alone(box: Box) -> Annotation:
    return Annotation(1, 1, None, box)


def test_what_is_gone_or_changed_gets_four_corners_beside_its_outline() -> None:
    gone, other = box_alone((10, 20, 60, 120)), box_alone((0, 0, 5, 5))
    for found in (Differences(gone=(gone,)), Differences(changed=((gone, other),))):
        lines = marks_of(found).lines
        assert len(lines) == 4
        points = np.concatenate(lines)
        assert points.min(axis=0).tolist() == [6.0, 13.0]
        assert points.max(axis=0).tolist() == [64.0, 127.0]
        x, y = points.T
        inside = (x > 10) & (x < 60) & (y > 20) & (y < 120)
        assert not inside.any()


def test_what_is_new_is_drawn_along_its_outline_in_pieces_that_join() -> None:
    lines = marks_of(Differences(new=(box_alone((0, 0, 40, 40)),))).lines
    assert len(lines) > 8
    ends = [(line[-1], after[0]) for line, after in zip(lines, (*lines[1:], lines[0]), strict=True)]
    assert all(np.allclose(a, b) for a, b in ends)
    points = np.concatenate(lines)
    on_edge = np.isclose(points, 0) | np.isclose(points, 40)
    assert on_edge.any(axis=1).all()


def test_nothing_is_marked_where_nothing_differs() -> None:
    assert marks_of(Differences()).lines == ()
