"""Between outlines and one array of numbers for the pixels of an image, exactly.

A pixel has one number: where instances overlap, the one in front has it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.masks import Rle, rasterize
from maskstudio.annotation.run_tracing import trace_runs, unpacked
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.errors import UserError

# In a photograph the next pixel is another one more often than not; in a mask of things that
# somebody outlined it hardly ever is, unless it is very small.
_FEW_RUNS, _MAX_RUNS = 10_000, 20_000_000

_Ints = NDArray[np.int64]


@dataclass(frozen=True)
class LabelMap:
    """Numbers for the pixels of an image, and what became of what was painted.

    Attributes:
        values: (height, width) uint16; 0 is background.
        areas: pixels that each outline covers.
        visible: of these, those that have its number.
    """

    values: NDArray[np.uint16]
    areas: tuple[int, ...]
    visible: tuple[int, ...]


def label_map(
    outlines: Sequence[Segmentation], values: Sequence[int], height: int, width: int
) -> LabelMap:
    """Paint outlines one over the other, each with its number.

    The pixels are those of `masks.rasterize`.

    Args:
        outlines: back to front.
        values: a number from 1 to 65535 for each; several may have the same.
        height: rows of the image.
        width: columns of the image.
    """
    # Column by column, as run lengths go.
    pixels = np.zeros(height * width, np.uint16)
    runs = [_inner_runs(rasterize(outline, height, width)) for outline in outlines]
    for (starts, ends), value in zip(runs, values, strict=True):
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            pixels[start:end] = value
    areas = tuple(int((ends - starts).sum()) for starts, ends in runs)
    apart = sum(areas) == np.count_nonzero(pixels)
    visible = areas if apart else tuple(map(partial(_count, pixels), runs, values))
    return LabelMap(np.ascontiguousarray(pixels.reshape(width, height).T), areas, visible)


def _count(pixels: NDArray[np.uint16], runs: tuple[_Ints, _Ints], value: int) -> int:
    """Return how many pixels of some runs have a number."""
    starts, ends = runs
    return sum(
        int(np.count_nonzero(pixels[start:end] == value))
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    )


def outlines_of(
    values: NDArray[np.unsignedinteger],
) -> Iterator[tuple[int, Segmentation | UserError]]:
    """Trace what has each number but 0, along its pixel edges.

    Args:
        values: (height, width).

    Yields:
        The number, rising, and the outline of all its pixels; an error where that has more corners
        than any outline.

    Raises:
        UserError: this is a photograph or noise; the end of a sentence about the file.
    """
    height = values.shape[0]
    pixels = values.T.ravel()
    changes = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    if len(changes) > min(_FEW_RUNS + pixels.size // 2, _MAX_RUNS):
        raise UserError("changes its numbers too often: it is a picture, not a mask")
    starts = np.concatenate([[0], changes])
    ends = np.concatenate([changes, [pixels.size]])
    numbers = pixels[starts]
    order = np.argsort(numbers, kind="stable")
    found, first = np.unique(numbers[order], return_index=True)
    for number, places in zip(found.tolist(), np.split(order, first[1:]), strict=True):
        if number:
            yield number, _traced(starts[places], ends[places], height)


def _traced(starts: _Ints, ends: _Ints, height: int) -> Segmentation | UserError:
    left, right = int(starts[0]) // height, (int(ends[-1]) - 1) // height + 1
    edges = np.stack([starts, ends], axis=1).ravel() - left * height
    lengths = np.diff(np.concatenate([[0], edges, [(right - left) * height]]))
    try:
        outline = trace_runs(lengths, height, right - left)
    except UserError as error:
        return error
    if outline is None:
        raise AssertionError("what has a number has pixels")
    return outline.translated(left, 0)


def _inner_runs(mask: Rle) -> tuple[_Ints, _Ints]:
    """Return where the runs inside a mask begin and end, column by column."""
    places = np.cumsum(unpacked(mask["counts"]))
    return places[:-1:2], places[1::2]
