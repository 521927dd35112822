"""Outlines of every kind for round trips through formats, and when two of them are the same."""

import hypothesis.strategies as st
import numpy as np
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from maskstudio.annotation.masks import trace
from maskstudio.annotation.segmentation import Part, Segmentation, as_ring

HEIGHT, WIDTH = 40, 60


def _outline(mask: NDArray[np.bool_], step: tuple[float, float]) -> Segmentation:
    traced = trace(mask)
    if traced is None:
        raise AssertionError("the mask is not empty")
    offset = np.array([2.0, 3.0])

    def moved(ring: NDArray[np.float64]) -> NDArray[np.float64]:
        return as_ring(ring * step + offset)

    return Segmentation(
        tuple(Part(moved(part.outer), tuple(map(moved, part.holes))) for part in traced.parts)
    )


def outlines() -> st.SearchStrategy[Segmentation]:
    """Valid outlines within the image, of several parts with holes that touch at corners."""
    masks = arrays(np.bool_, (7, 8), elements=st.integers(0, 3).map(bool), fill=st.nothing())
    steps = st.tuples(st.floats(0.3, 6.5), st.floats(0.3, 4.9))
    return st.builds(_outline, masks.filter(np.any), steps)


def same_outline(a: Segmentation | None, b: Segmentation | None) -> bool:
    """Tell whether two outlines have the same rings, wherever each of them begins."""
    if a is None or b is None:
        return a is b
    return bool(a.geometry.normalize().equals_exact(b.geometry.normalize(), 0))
