"""The runs of many masks are those of each."""

from itertools import groupby

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from maskstudio.annotation.many_runs import runs_of


def runs_by_hand(mask: NDArray[np.bool_]) -> list[int]:
    """Count column by column; the first run is outside."""
    lengths = [(inside, len(list(run))) for inside, run in groupby(mask.T.ravel().tolist())]
    return [length for _, length in ([] if not lengths[0][0] else [(False, 0)]) + lengths]


masks = st.integers(1, 40).flatmap(
    lambda height: st.lists(st.integers(0, 2**height - 1), min_size=1, max_size=30).map(
        lambda columns: np.array([[c >> row & 1 for c in columns] for row in range(height)], bool)
    )
)


@given(st.lists(masks, max_size=6))
def test_runs_of_many_masks(grids: list[NDArray[np.bool_]]) -> None:
    rles = [coco_mask.encode(np.asfortranarray(grid.astype(np.uint8))) for grid in grids]
    assert runs_of(rles) == [runs_by_hand(grid) for grid in grids]


def test_long_runs() -> None:
    grid = np.zeros((3000, 2000), np.uint8, order="F")
    grid[7, 3] = grid[2990:, 1990:] = 1
    assert runs_of([coco_mask.encode(grid)]) == [runs_by_hand(grid.astype(bool))]
