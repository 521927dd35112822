"""Masks and outlines for the tests of the domain, drawn by hypothesis or by a few numbers."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from maskstudio.annotation.segmentation import Box, Part, Segmentation, as_ring

Points = list[tuple[float, float]]


def places(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers as a mouse gives them: shapely warns of overflow below the smallest normal ones."""
    return st.floats(low, high).map(lambda value: round(value, 9) + 0.0)  # -0.0 is 0.0 to a mouse


def masks(max_side: int = 10) -> st.SearchStrategy[NDArray[np.bool_]]:
    """Masks of any content: holes, pieces that touch at corners, single pixels, full, empty."""
    shapes = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=max_side)
    return arrays(np.bool_, shapes)


def rings(low: float, high: float, *, most: int = 10) -> st.SearchStrategy[Points]:
    """Rings that may cross themselves, turn on the spot or have no area; three corners at least."""
    number = st.one_of(
        st.floats(low, high, allow_subnormal=False), st.integers(int(low), int(high)).map(float)
    )
    corner = st.tuples(number, number)
    return st.lists(corner, min_size=3, max_size=most, unique=True)


def rectangle(x0: float, y0: float, x1: float, y1: float) -> Points:
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def star(centre: tuple[float, float], radii: Sequence[float]) -> NDArray[np.float64]:
    """Return a ring around a point that never crosses itself."""
    angles = np.arange(len(radii)) / len(radii) * 2 * np.pi
    around = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return np.asarray(np.asarray(centre) + np.asarray(radii)[:, None] * around, np.float64)


def stars() -> st.SearchStrategy[Segmentation]:
    """Valid outlines: one part with a hole, and a second part beside it."""
    radii = st.lists(st.floats(4, 9), min_size=5, max_size=12)

    def build(outer: list[float], hole: list[float], beside: list[float]) -> Segmentation:
        return Segmentation(
            (
                Part(
                    as_ring(star((10, 10), outer)),
                    (as_ring(star((10, 10), [radius / 4 for radius in hole])),),
                ),
                Part(as_ring(star((30, 12), beside))),
            )
        )

    return st.builds(build, radii, radii, radii)


def holed_square() -> Segmentation:
    """A square from (2, 2) to (22, 22) with a square hole from (8, 8) to (16, 16)."""
    hole = as_ring(rectangle(8, 8, 16, 16))
    return Segmentation((Part(as_ring(rectangle(2, 2, 22, 22)), (hole,)),))


def boxes() -> st.SearchStrategy[Box]:
    """Boxes inside, partly outside and far outside a small image; some tiny, some huge."""
    start = st.floats(-60, 50)
    side = st.one_of(st.floats(0.01, 3), st.floats(3, 60), st.floats(60, 3000))
    return st.builds(lambda x, y, w, h: (x, y, x + w, y + h), start, start, side, side)
