"""What was taken for what, as somebody else counts it too."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from supervision import ConfusionMatrix

from maskstudio.annotation.confusion import confusions, ious

KINDS = 3
# Odd sides and steps: no two boxes overlap by exactly one half.
_BOX = st.tuples(
    st.integers(0, 8), st.integers(0, 8), st.sampled_from((7, 9)), st.sampled_from((7, 11))
)
_SOME = st.lists(
    st.tuples(_BOX, st.integers(0, KINDS - 1)), max_size=6, unique_by=lambda one: one[0]
)


def rows(some: list[tuple[tuple[int, int, int, int], int]]) -> NDArray[np.float64]:
    """Boxes as x, y, width, height, and their categories: (n, 5)."""
    return np.array([(*box, kind) for box, kind in some], np.float64).reshape(-1, 5)


@given(_SOME, _SOME)
def test_it_counts_as_supervision_does(
    wanted: list[tuple[tuple[int, int, int, int], int]],
    found: list[tuple[tuple[int, int, int, int], int]],
) -> None:
    truth, answer = rows(wanted), rows(found)
    overlap = ious(answer[:, :4], truth[:, :4])
    if (np.abs(overlap - 0.5) < 1e-6).any() or len(np.unique(overlap[overlap > 0])) < (
        overlap > 0
    ).sum():
        return  # who comes first among equals is nobody's rule
    counts = confusions(
        truth[:, 4].astype(np.int64),
        answer[:, 4].astype(np.int64),
        overlap,
        np.zeros(len(answer), np.bool_),
        KINDS,
    )
    corners, answered = truth.copy(), np.c_[answer, np.ones(len(answer))]
    corners[:, 2:4] += truth[:, :2]
    answered[:, 2:4] += answer[:, :2]
    theirs = ConfusionMatrix.from_tensors(
        [answered.astype(np.float32)], [corners.astype(np.float32)], ["a", "b", "c"], 0.3, 0.5
    )
    np.testing.assert_array_equal(counts, theirs.matrix)


def test_what_lies_in_a_crowd_is_no_mistake() -> None:
    none = np.zeros((2, 0))
    found = np.array([0, 0], np.int64)
    counts = confusions(np.zeros(0, np.int64), found, none, np.array([True, False]), 1)
    assert counts.tolist() == [[0, 0], [1, 0]]


def test_of_a_crowd_only_the_shapes_own_area_counts() -> None:
    small, large = np.array([[0.0, 0, 2, 2]]), np.array([[0.0, 0, 10, 10]])
    assert ious(small, large)[0, 0] == pytest.approx(0.04)
    assert ious(small, large, crowds=True)[0, 0] == pytest.approx(1)
