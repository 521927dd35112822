"""Trace a run-length encoded mask along its pixel edges without making the mask.

What it costs depends on the number of runs, not on the size of the image.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.many_outlines import segmentations
from maskstudio.annotation.many_runs import runs_of
from maskstudio.annotation.segmentation import Part, Ring, Segmentation
from maskstudio.errors import UserError
from maskstudio.later import shapely

MAX_RUNS, MAX_RINGS = 500_000, 20_000
"""No outline of a thing has as many; noise has, and is not worth minutes."""

# So many runs take some megabytes.
_PIECES_AT_ONCE = 50_000

# Numbers of five bits a character, all but the last with the sixth bit. Seven characters hold more
# than any image has pixels.
_PACKED = re.compile(rb"([P-o]{0,6}[0-O])+")

_Ints = NDArray[np.int64]


def unpacked(counts: bytes) -> _Ints:
    """Return the lengths of the runs of a compressed RLE; see `many_runs.runs_of`.

    Raises:
        UserError: it is not an RLE.
    """
    (lengths,) = all_unpacked([counts])
    if isinstance(lengths, UserError):
        raise lengths
    return lengths


def all_unpacked(packed: Sequence[bytes]) -> list[_Ints | UserError]:
    """Return the lengths of the runs of compressed RLEs, or why one is none."""
    found: list[_Ints | UserError] = [
        UserError("The run lengths are packed in no way that is known.") for _ in packed
    ]
    known = [number for number, counts in enumerate(packed) if _PACKED.fullmatch(counts)]
    runs = runs_of([{"size": [], "counts": packed[number]} for number in known])
    for number, lengths in zip(known, runs, strict=True):
        found[number] = np.array(lengths, np.int64)
    return found


def trace_runs(lengths: _Ints, height: int, width: int) -> Segmentation | None:
    """Trace a mask along its pixel edges, as `masks.trace` does.

    Args:
        lengths: of the runs, column by column, the first of them outside the mask.
        height: rows of the mask.
        width: columns of the mask.

    Returns:
        The outline with all parts and holes, or None for an empty mask.

    Raises:
        UserError: the runs do not make up the mask, or are the noise of no outline.
    """
    (traced,) = trace_all_runs([lengths], height, width)
    if isinstance(traced, UserError):
        raise traced
    return traced


def trace_all_runs(
    masks: Sequence[_Ints], height: int, width: int
) -> list[Segmentation | UserError | None]:
    """Trace masks of one size; see `trace_runs`.

    Together they take a third of the time that they take one by one.

    Returns:
        For each its outline, None where it is empty, or why there is none.
    """
    found: list[Segmentation | UserError | None] = [None] * len(masks)
    waiting: list[int] = []
    pieces = 0
    for number, lengths in enumerate(masks):
        fault = _fault(lengths, height, width)
        if fault:
            found[number] = UserError(fault)
            continue
        waiting.append(number)
        pieces += len(lengths) + width
        if pieces > _PIECES_AT_ONCE:
            _trace(masks, waiting, (height, width), found)
            waiting, pieces = [], 0
    _trace(masks, waiting, (height, width), found)
    return found


def _fault(lengths: _Ints, height: int, width: int) -> str:
    """Return why runs are no mask that can be traced, or nothing."""
    pixels = height * width
    within = len(lengths) and lengths.min() >= 0 and lengths.max() <= pixels
    if not within or lengths.sum() != pixels:
        return f"The run lengths do not make up a mask of {height} by {width} pixels."
    if len(lengths) > MAX_RUNS:
        # Most runs of an outline end where those of the next column do, or near it.
        return "The mask has more runs than any outline."
    return ""


def _trace(
    masks: Sequence[_Ints],
    numbers: Sequence[int],
    size: tuple[int, int],
    found: list[Segmentation | UserError | None],
) -> None:
    """Trace some of the masks and put them where they belong in `found`."""
    if not numbers:
        return
    rings: list[list[tuple[Ring, bool]]] = [[] for _ in numbers]
    for at, ring, opens in _rings(
        _corners(_side_by_side([masks[n] for n in numbers], size), *size)
    ):
        rings[at].append((ring, opens))
    traced: dict[int, tuple[Part, ...]] = {}
    for number, own in zip(numbers, rings, strict=True):
        if len(own) > MAX_RINGS:
            found[number] = UserError("The mask falls into more pieces than any outline.")
        elif own:
            traced[number] = _parts(own)
    for number, made in zip(traced, segmentations(list(traced.values())), strict=True):
        found[number] = made if made.is_valid else _mended(made)


def _side_by_side(masks: Sequence[_Ints], size: tuple[int, int]) -> "_Pieces":
    """Return the runs of masks laid out from left to right, an empty column behind each."""
    height, _ = size
    behind = np.array([height, 0], np.int64)
    ended = np.zeros(1, np.int64)
    laid: list[_Ints] = []
    for lengths in masks:
        # A run outside follows one inside, be it of no length.
        laid += (lengths, ended, behind) if len(lengths) % 2 else (lengths, behind)
    return _by_column(_runs(np.concatenate(laid)), height)


@dataclass(frozen=True)
class _Pieces:
    """Runs inside the mask, cut at the ends of columns: column, first row, row after the last."""

    column: _Ints
    top: _Ints
    bottom: _Ints


@dataclass(frozen=True)
class _Corners:
    """Where the outline turns, column by column, from top to bottom.

    Every corner ends one vertical and one horizontal edge. Two of them lie at a point where four
    pixels meet of which two opposite ones are inside; first comes the one whose edge goes up.

    Attributes:
        mask: of which mask it is.
        x: pixel edge.
        y: pixel edge.
        right: the horizontal edge goes to the right.
        opens: a pixel to the lower right is inside, and none above that one.
    """

    mask: _Ints
    x: _Ints
    y: _Ints
    right: NDArray[np.bool_]
    opens: NDArray[np.bool_]


def _runs(lengths: _Ints) -> tuple[_Ints, _Ints]:
    """Return where the runs inside begin and end; none is empty, and no two touch."""
    places = np.cumsum(lengths)
    starts, ends = places[:-1:2], places[1::2]
    kept = starts < ends
    starts, ends = starts[kept], ends[kept]
    joined = np.flatnonzero(starts[1:] == ends[:-1])
    return np.delete(starts, joined + 1), np.delete(ends, joined)


def _by_column(runs: tuple[_Ints, _Ints], height: int) -> _Pieces:
    starts, ends = runs
    first, last = starts // height, (ends - 1) // height
    columns = last - first + 1
    run = np.repeat(np.arange(len(starts)), columns)
    column = first[run] + np.arange(len(run)) - np.repeat(np.cumsum(columns) - columns, columns)
    top = np.where(column == first[run], starts[run] % height, 0)
    bottom = np.where(column == last[run], (ends[run] - 1) % height + 1, height)
    return _Pieces(column, top, bottom)


def _corners(pieces: _Pieces, height: int, width: int) -> _Corners:
    """Find where the ends of runs in two neighbouring columns differ."""
    stride = height + 1
    column = np.repeat(pieces.column, 2)
    row = np.stack([pieces.top, pieces.bottom], axis=1).ravel()
    # +1: the mask begins here (downwards), -1: it ends.
    sign = np.tile(np.array([1, -1], np.int8), len(pieces.column))
    places = np.concatenate([column * stride + row, (column + 1) * stride + row])
    at, inverse = np.unique(places, return_inverse=True)
    right, left = (np.zeros(len(at), np.int8) for _ in range(2))
    right[inverse[: len(row)]] = sign
    left[inverse[len(row) :]] = sign
    saddle = left * right == -1
    turns = left != right
    at, left, right, saddle = (one[turns] for one in (at, left, right, saddle))
    node = np.repeat(np.arange(len(at)), np.where(saddle, 2, 1))
    second = np.concatenate([[False], node[1:] == node[:-1]])[: len(node)]
    # At a saddle the outline stays with its pixel: if the mask begins on the left, the edge that
    # goes up belongs to the one on the right.
    to_right = np.where(saddle[node], (left[node] == 1) != second, right[node] != 0)
    at = at[node]
    mask, x = np.divmod(at // stride, width + 1)
    return _Corners(mask, x, at % stride, to_right, right[node] == 1)


def _rings(corners: _Corners) -> Iterator[tuple[int, Ring, bool]]:
    """Follow the edges; yield each ring, of which mask it is, and whether it is an outer one.

    Those of a mask come from left to right.
    """
    # The corners of a column, and those of a row, are joined two by two.
    order = np.lexsort((corners.right, corners.x, corners.y, corners.mask))
    across = np.empty(len(order), np.int64)
    across[order[0::2]], across[order[1::2]] = order[1::2], order[0::2]
    partner = across.tolist()
    seen = bytearray(len(partner))
    way: list[int] = []
    begins: list[int] = []
    for start in range(0, len(partner), 2):
        if seen[start]:
            continue
        begins.append(len(way))
        corner = start
        while not seen[corner]:
            opposite = partner[corner]
            seen[corner] = seen[opposite] = 1
            way += (corner, opposite)
            corner = opposite ^ 1
    # The first corner of a ring is the upper one of its leftmost edge.
    firsts = [way[begin] for begin in begins]
    vertices = np.stack([corners.x, corners.y], axis=1).astype(np.float64)[way]
    vertices.setflags(write=False)
    known = zip(corners.mask[firsts].tolist(), corners.opens[firsts].tolist(), strict=True)
    for (mask, opens), (begin, end) in zip(known, pairwise([*begins, len(way)]), strict=True):
        yield mask, vertices[begin:end], opens


def _parts(rings: list[tuple[Ring, bool]]) -> tuple[Part, ...]:
    """Give each hole to the outer ring that it lies in."""
    outer = [ring for ring, opens in rings if opens]
    holes = [ring for ring, opens in rings if not opens]
    inner: list[list[Ring]] = [[] for _ in outer]
    for hole, owner in zip(holes, _owners(holes, outer), strict=True):
        inner[owner].append(hole)
    return tuple(Part(ring, tuple(own)) for ring, own in zip(outer, inner, strict=True))


def _mended(traced: Segmentation) -> Segmentation:
    """Return an outline of which some part touches itself at a corner, with sound parts."""
    parts: list[Part] = []
    for part in traced.parts:
        whole = shapely.Polygon(part.outer, part.holes)
        if whole.is_valid:
            parts.append(part)
            continue
        mended = Segmentation.from_geometry(shapely.make_valid(whole, method="structure"))
        parts += mended.parts if mended else ()
    return Segmentation(tuple(parts))


def _owners(holes: list[Ring], outer: list[Ring]) -> list[int]:
    """Return the number of the outer ring that each hole lies in."""
    if len(outer) == 1 or not holes:
        return [0] * len(holes)
    polygons = [shapely.Polygon(ring) for ring in outer]
    # The pixel to the left of a hole's first corner is inside, and of its own piece.
    beside = [shapely.Point(hole[0] + (-0.5, 0.5)) for hole in holes]
    hole, around = shapely.STRtree(polygons).query(beside, predicate="within")
    smallest_first = np.argsort([polygons[n].area for n in around], kind="stable")
    owners = dict(zip(hole[smallest_first][::-1], around[smallest_first][::-1], strict=True))
    return [int(owners[number]) for number in range(len(holes))]
