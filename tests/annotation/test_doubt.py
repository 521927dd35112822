"""Which parts of an outline a model doubts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.shapes import rectangle
from maskstudio.annotation.doubt import Stretch, doubtful_stretches
from maskstudio.annotation.masks import trace_roi_mask
from maskstudio.annotation.segmentation import Box, Segmentation

BOX: Box = (100, 200, 212, 312)
"""A cell of the RoI mask is 4 x 4 pixels."""


def square(right: float = 0, left: float = 0) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Return a mask of a square whose sides fade over so many cells; 0 is sharp."""
    x = np.arange(28.0)[None]
    rise = np.clip((x - 6) / left, 0, 1) if left else (x >= 6) * 1.0
    fall = np.clip((22 - x) / right, 0, 1) if right else (x < 22) * 1.0
    inside = (np.arange(28)[:, None] >= 4) & (np.arange(28)[:, None] < 24)
    return np.asarray(255 * np.minimum(rise, fall) * inside, np.uint8)


def stretches(mask: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> tuple[Stretch, ...]:
    outline = trace_roi_mask(mask, BOX, (400, 400))
    assert outline is not None
    return doubtful_stretches(outline, mask, BOX, 0.5)


def test_a_sharp_outline_is_not_doubted() -> None:
    assert stretches(square()) == ()


def test_the_side_that_fades_slowly_is() -> None:
    (side,) = stretches(square(right=14))
    # It falls by one half over 7 cells of 4 pixels, and 0.4 of it is the band.
    assert side.width == pytest.approx(2 * 0.2 * 14 * 4, rel=0.15)
    x0, y0, x1, y1 = side.box
    assert x0 > 100 + 11 * 4
    assert x1 < 100 + 19 * 4
    assert y1 - y0 > 15 * 4


def test_the_widest_comes_first() -> None:
    both = stretches(square(right=9.5, left=11.5))
    assert [stretch.box[0] < 160 for stretch in both] == [True, False]
    assert both[0].width > both[1].width


def test_an_outline_cut_off_by_its_box_is_not_doubted() -> None:
    assert stretches(np.full((28, 28), 250, np.uint8)) == ()


def test_a_box_without_size_is_no_error() -> None:
    outline = Segmentation.from_rings(rectangle(0, 0, 5, 5))
    assert doubtful_stretches(outline, square(14), (3, 3, 3, 9), 0.5) == ()


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 2**32 - 1),
    st.floats(0, 300),
    st.floats(0.5, 300),
    st.integers(1, 19).map(lambda n: n / 20),
)
def test_every_doubt_lies_on_the_outline(
    seed: int, left: float, width: float, threshold: float
) -> None:
    mask = np.random.default_rng(seed).integers(0, 256, (28, 28)).astype(np.uint8)
    mask = np.asarray((mask.astype(int) + np.roll(mask, 1, 0) + np.roll(mask, 1, 1)) // 3, np.uint8)
    box = (left, 20.0, left + width, 80.0)
    outline = trace_roi_mask(mask, box, (400, 700), threshold)
    if outline is None:
        return
    import shapely

    lines = outline.geometry.boundary
    for stretch in doubtful_stretches(outline, mask, box, threshold):
        assert 0 < stretch.width <= max(width, 60.0) / 2
        assert shapely.distance(shapely.points(stretch.points), lines).max() < 1e-6
