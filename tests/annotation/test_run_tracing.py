"""A run-length encoded mask becomes the outline of its pixels, and is never decoded for it."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from maskstudio.annotation.masks import Rle, decode, rasterize, trace
from maskstudio.annotation.run_tracing import all_unpacked, trace_all_runs, trace_runs, unpacked
from maskstudio.errors import UserError

MASKS = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12))


def encoded(mask: NDArray[np.bool_]) -> Rle:
    rle: Rle = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    return rle


@given(MASKS)
def test_the_outline_covers_exactly_the_pixels_of_the_mask(mask: NDArray[np.bool_]) -> None:
    height, width = mask.shape
    traced = trace_runs(unpacked(encoded(mask)["counts"]), height, width)
    if traced is None:
        assert not mask.any()
        return
    assert traced.is_valid
    assert np.array_equal(decode(rasterize(traced, height, width)), mask)
    decoded = trace(mask)
    assert decoded is not None
    assert (len(traced.parts), traced.vertex_count) == (len(decoded.parts), decoded.vertex_count)
    assert traced.geometry.equals(decoded.geometry)


@given(MASKS)
def test_run_lengths_are_unpacked_as_pycocotools_packs_them(mask: NDArray[np.bool_]) -> None:
    rle = encoded(mask)
    plain = {"size": rle["size"], "counts": unpacked(rle["counts"]).tolist()}
    assert coco_mask.frPyObjects(plain, *rle["size"]) == rle


def test_runs_of_no_length_say_nothing() -> None:
    # Two runs of two pixels that touch are one of four.
    traced = trace_runs(np.array([2, 2, 0, 2, 0, 0, 6], np.int64), 4, 3)
    assert traced is not None
    assert (traced.area, traced.box) == (4, (0, 0, 2, 4))


def test_a_mask_that_no_memory_holds_is_traced() -> None:
    side = 1_000_000
    first = 3 * side + 5
    lengths = np.array([first, 10, side - 10, 10, side * side - first - side - 10], np.int64)
    traced = trace_runs(lengths, side, side)
    assert traced is not None
    assert traced.box == (3, 5, 5, 15)


@pytest.mark.parametrize("lengths", [[3], [4, -1, 3], [2, 2, 3], [], [*[2**62] * 4, 6]])
def test_runs_that_do_not_make_up_the_mask_are_refused(lengths: list[int]) -> None:
    with pytest.raises(UserError, match="do not make up a mask of 2 by 3"):
        trace_runs(np.array(lengths, np.int64), 2, 3)


def test_noise_is_refused() -> None:
    side = 2000
    with pytest.raises(UserError, match="more runs than any outline"):
        trace_runs(np.ones(side * side, np.int64), side, side)


@given(st.lists(arrays(np.bool_, (5, 4)), max_size=5))
def test_masks_traced_together_are_traced_as_each_by_itself(masks: list[NDArray[np.bool_]]) -> None:
    lengths = [unpacked(encoded(mask)["counts"]) for mask in masks]
    wrong = np.array([3], np.int64)
    *together, refused = trace_all_runs([*lengths, wrong], 5, 4)
    assert together == [trace_runs(one, 5, 4) for one in lengths]
    assert isinstance(refused, UserError)


@given(st.lists(MASKS.map(encoded), max_size=5), st.binary(max_size=9))
def test_what_is_unpacked_together_is_unpacked_as_each_by_itself(
    rles: list[Rle], noise: bytes
) -> None:
    packed = [noise, *(rle["counts"] for rle in rles)]
    for one, counts in zip(all_unpacked(packed), packed, strict=True):
        if isinstance(one, UserError):
            with pytest.raises(UserError):
                unpacked(counts)
        else:
            assert np.array_equal(one, unpacked(counts))


def test_a_mask_in_very_many_pieces_is_refused() -> None:
    lengths = np.tile(np.array([1, 1], np.int64), 200 * 201)
    with pytest.raises(UserError, match="more pieces than any outline"):
        trace_runs(lengths, 201, 400)


@given(st.binary(max_size=20))
def test_any_bytes_are_run_lengths_or_refused(counts: bytes) -> None:
    try:
        lengths = unpacked(counts)
    except UserError:
        return
    assert lengths.dtype == np.int64
