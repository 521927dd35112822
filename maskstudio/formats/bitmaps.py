"""Make outlines of masks that a file has as pixels."""

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.run_tracing import trace_runs
from maskstudio.annotation.segmentation import Segmentation


def traced(mask: NDArray[np.bool_], left: int = 0, top: int = 0) -> Segmentation | None:
    """Trace a mask along its pixel edges, as `masks.trace` does, but refuse what is noise.

    Args:
        mask: (height, width), true inside.
        left: column of the mask's first column in the image.
        top: row of the mask's first row in the image.

    Returns:
        The outline with all parts and holes, or None for an empty mask.

    Raises:
        UserError: it has more corners than any outline.
    """
    if not mask.any():
        return None
    columns = np.flatnonzero(mask.any(axis=0))
    x0, x1 = int(columns[0]), int(columns[-1]) + 1
    cut = mask[:, x0:x1]
    column_by_column = np.concatenate([[False], cut.T.ravel(), [False]])
    ends = np.flatnonzero(column_by_column[1:] != column_by_column[:-1])
    lengths = np.diff(np.concatenate([[0], ends, [cut.size]]))
    outline = trace_runs(lengths, *cut.shape)
    return None if outline is None else outline.translated(left + x0, top)
