"""Between pixels and outlines: nothing is lost on the way there and back."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from annotation.shapes import boxes, holed_square, masks, rectangle, rings
from maskstudio.annotation.masks import (
    decode,
    mask_iou,
    place,
    rasterize,
    sample_roi_mask,
    simplify_traced,
    trace,
    trace_roi_mask,
)
from maskstudio.annotation.segmentation import Box, Part, Segmentation, as_ring

RoiMask = NDArray[np.uint8]


def in_frame(
    mask: NDArray[np.bool_], left: int, top: int, height: int, width: int
) -> NDArray[np.bool_]:
    frame = np.zeros((height, width), np.bool_)
    frame[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
    return frame


def disc(side: int, inner: float = 0) -> NDArray[np.bool_]:
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    distance = np.hypot(x, y)
    return np.asarray((distance <= side / 2) & (distance >= inner))


@settings(deadline=None, max_examples=120)
@given(masks(), st.integers(0, 5), st.integers(0, 5), st.integers(0, 4), st.integers(0, 4))
def test_tracing_a_mask_and_rasterising_it_gives_the_mask(
    mask: NDArray[np.bool_], left: int, top: int, right: int, bottom: int
) -> None:
    height, width = mask.shape[0] + top + bottom, mask.shape[1] + left + right
    traced = trace(mask, left, top)
    if traced is None:
        assert not mask.any()
        return
    whole = in_frame(mask, left, top, height, width)
    back = rasterize(traced, height, width)
    assert np.array_equal(decode(back), whole)
    assert mask_iou(back, coco_mask.encode(np.asfortranarray(whole, np.uint8))) == 1
    assert traced.geometry.is_valid
    assert traced.area == mask.sum()


@pytest.mark.parametrize(
    ("rows", "parts", "holes"),
    [
        (["#"], 1, 0),
        (["###", "###"], 1, 0),
        (["#.", ".#"], 2, 0),
        ([".#", "#."], 2, 0),
        (["###", "#.#", "###"], 1, 1),
        (["####", "#..#", "##.#", "####"], 1, 1),
        (["#####", "#.###", "##.##", "#####"], 1, 2),  # holes that touch at a corner
        (["###.", "#.#.", "##.#", "..##"], 2, 1),  # a hole open at a corner only
        (["#####", "#...#", "#.#.#", "#...#", "#####"], 2, 1),  # an island in a hole
        (["#.#.#", ".#.#.", "#.#.#"], 8, 0),
    ],
)
def test_pieces_and_holes_are_told_apart(rows: list[str], parts: int, holes: int) -> None:
    traced = trace(np.array([[cell == "#" for cell in row] for row in rows]))
    assert traced is not None
    assert len(traced.parts) == parts
    assert sum(len(part.holes) for part in traced.parts) == holes


def test_a_traced_outline_runs_along_pixel_edges_and_turns_at_every_vertex() -> None:
    mask = np.zeros((9, 9), np.bool_)
    mask[2:5, 3:8] = True
    traced = trace(mask, 100, 50)
    assert traced is not None
    corners = {(float(x), float(y)) for x, y in traced.parts[0].outer}
    assert corners == {(103, 52), (108, 52), (108, 55), (103, 55)}


@pytest.mark.parametrize("shape", [(3, 4), (0, 5), (5, 0), (0, 0)])
def test_an_empty_mask_has_no_outline(shape: tuple[int, int]) -> None:
    assert trace(np.zeros(shape, np.bool_)) is None


@settings(deadline=None, max_examples=80)
@given(masks(), st.integers(0, 4), st.integers(0, 4), st.integers(0, 4), st.integers(0, 4))
def test_a_placed_mask_is_what_encoding_the_whole_mask_gives(
    mask: NDArray[np.bool_], left: int, top: int, right: int, bottom: int
) -> None:
    height, width = mask.shape[0] + top + bottom, mask.shape[1] + left + right
    whole = in_frame(mask, left, top, height, width)
    expected = coco_mask.encode(np.asfortranarray(whole, np.uint8))
    assert place(mask, left, top, height, width) == expected


@settings(deadline=None, max_examples=50)
@given(rings(-5, 25), rings(-5, 25), rings(-5, 25))
def test_holes_come_off_and_parts_come_together(
    outer: list[tuple[float, float]],
    hole: list[tuple[float, float]],
    second: list[tuple[float, float]],
) -> None:
    def filled(ring: list[tuple[float, float]]) -> NDArray[np.bool_]:
        flat = [number for corner in ring for number in corner]
        mask = coco_mask.decode(coco_mask.frPyObjects([flat], 18, 20))[..., 0]
        return np.asarray(mask, np.bool_)

    both = Segmentation((Part(as_ring(outer), (as_ring(hole),)), Part(as_ring(second))))
    expected = (filled(outer) & ~filled(hole)) | filled(second)
    assert np.array_equal(decode(rasterize(both, 18, 20)), expected)


@settings(deadline=None, max_examples=60)
@given(arrays(np.bool_, (6, 7)), arrays(np.bool_, (6, 7)))
def test_mask_iou_counts_pixels(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> None:
    union = int((a | b).sum())
    expected = int((a & b).sum()) / union if union else 1.0
    iou = mask_iou(place(a, 0, 0, 6, 7), place(b, 0, 0, 6, 7))
    assert iou == pytest.approx(expected)


def reference(roi_mask: RoiMask, box: Box, height: int, width: int) -> NDArray[np.float64]:
    """Sample a RoI mask at every pixel of the image, one by one; -1 outside the box."""
    x0, y0, x1, y1 = box
    cells = roi_mask.astype(np.float64).tolist()
    last = len(cells) - 1
    sampled = np.full((height, width), -1.0)
    for row in range(height):
        for column in range(width):
            x, y = column + 0.5, row + 0.5
            if not (x0 <= x < x1 and y0 <= y < y1):
                continue
            u = min(max((x - x0) / (x1 - x0) * (last + 1) - 0.5, 0), last)
            v = min(max((y - y0) / (y1 - y0) * (last + 1) - 0.5, 0), last)
            left, above = min(int(u), last - 1), min(int(v), last - 1)
            s, t = u - left, v - above
            upper = cells[above][left] * (1 - s) + cells[above][left + 1] * s
            lower = cells[above + 1][left] * (1 - s) + cells[above + 1][left + 1] * s
            sampled[row, column] = upper * (1 - t) + lower * t
    return sampled


def roi_masks() -> st.SearchStrategy[RoiMask]:
    """RoI masks like a model's (blobs with holes) and pure noise."""

    def build(seed: int, cells: int) -> RoiMask:
        noise = np.random.default_rng(seed).integers(0, 256, (cells, cells), np.uint8)
        return np.asarray(cv2.resize(noise, (28, 28), interpolation=cv2.INTER_CUBIC), np.uint8)

    return st.builds(build, st.integers(0, 10_000), st.sampled_from([3, 5, 9, 28]))


@settings(deadline=None, max_examples=100)
@given(roi_masks(), boxes(), st.sampled_from([0.3, 0.5, 0.7]))
def test_a_roi_mask_is_traced_as_the_full_size_reference_samples_it(
    roi_mask: RoiMask, box: Box, threshold: float
) -> None:
    height, width = 24, 31
    values = reference(roi_mask, box, height, width)
    traced = trace_roi_mask(roi_mask, box, (height, width), threshold, min_iou=1)
    mask = np.zeros((height, width), np.bool_)
    if traced is not None:
        mask = decode(rasterize(traced, height, width))
        assert traced.geometry.is_valid
    # On the threshold itself the last bit of a float32 decides.
    sure = np.abs(values - threshold * 255) > 1e-3
    assert np.array_equal(mask[sure], values[sure] >= threshold * 255)
    assert np.count_nonzero(~sure) <= 0.02 * sure.size


@pytest.mark.parametrize(
    "box",
    [
        (3.3, 4.7, 33.1, 29.9),
        (-12.3, -7.1, 21.7, 30.2),  # over the left and the upper edge
        (20.9, 15.3, 70.2, 55.6),  # over the right and the lower edge
        (-400.7, -300.1, 433.3, 351.9),  # far larger than the image
        (10.6, 12.7, 13.3, 15.1),  # a few pixels
        (10.3, 12.4, 10.9, 12.9),  # one pixel
        (0.0, 0.0, 40.0, 36.0),
        (1.5, 2.5, 21.5, 23.5),  # its edges run through the centres of pixels
    ],
)
def test_the_mask_of_a_detection_has_iou_1_with_the_reference(box: Box) -> None:
    height, width = 36, 40
    y, x = np.mgrid[:28, :28] - 13.5
    distance = np.hypot(x * 0.9 + 1.1, y)
    ring = 255 / (1 + np.exp((np.abs(distance - 8.3) - 4.1) * 1.7))
    roi_mask = np.asarray(ring, np.uint8)
    expected = reference(roi_mask, box, height, width) >= 127.5
    traced = trace_roi_mask(roi_mask, box, (height, width), min_iou=1)
    whole = coco_mask.encode(np.asfortranarray(expected, np.uint8))
    if traced is None:
        assert not expected.any()
    else:
        assert mask_iou(rasterize(traced, height, width), whole) == 1
    if box == (3.3, 4.7, 33.1, 29.9):
        assert traced is not None
        assert [len(part.holes) for part in traced.parts] == [1]


def test_a_roi_mask_is_sampled_under_its_box_only() -> None:
    roi_mask = np.full((28, 28), 200, np.uint8)
    sampled, left, top = sample_roi_mask(roi_mask, (4.4, 2.6, 9.6, 5.4), 1000, 1000)
    assert (left, top) == (4, 3)
    assert sampled.shape == (2, 6)
    assert np.allclose(sampled, 200)


@pytest.mark.parametrize(
    "box", [(50, 5, 60, 9), (-9, 5, -1, 9), (5, 5, 5, 9), (5.6, 5.6, 6.4, 6.4), (7, 7, 3, 3)]
)
def test_a_box_over_no_pixel_centre_has_no_outline(box: Box) -> None:
    assert trace_roi_mask(np.full((28, 28), 255, np.uint8), box, (40, 40)) is None


def test_a_detection_below_the_threshold_has_no_outline() -> None:
    roi_mask = np.full((28, 28), 127, np.uint8)
    assert trace_roi_mask(roi_mask, (2, 2, 20, 20), (30, 30)) is None
    assert trace_roi_mask(roi_mask, (2, 2, 20, 20), (30, 30), threshold=0.4) is not None


@settings(deadline=None, max_examples=100)
@given(masks(16), st.sampled_from([0.8, 0.9, 0.98]), st.sampled_from([1, 4]))
def test_simplifying_keeps_the_bound_and_adds_no_vertex(
    mask: NDArray[np.bool_], min_iou: float, zoom: int
) -> None:
    mask = np.repeat(np.repeat(mask, zoom, axis=0), zoom, axis=1)
    traced = trace(mask)
    if traced is None:
        return
    height, width = mask.shape
    simple = simplify_traced(traced, height, width, min_iou)
    before, after = rasterize(traced, height, width), rasterize(simple, height, width)
    assert mask_iou(before, after) >= min_iou
    assert simple.vertex_count <= traced.vertex_count
    assert simple.geometry.is_valid


@pytest.mark.parametrize("side", [24, 30, 100, 301])
def test_simplifying_takes_the_steps_off_and_leaves_the_hole(side: int) -> None:
    traced = trace(disc(side, side / 4))
    assert traced is not None
    simple = simplify_traced(traced, side, side)
    assert simple.vertex_count < traced.vertex_count / 2
    assert [len(part.holes) for part in simple.parts] == [1]


def test_a_detection_keeps_98_percent_of_its_mask_unless_told_otherwise() -> None:
    y, x = np.mgrid[:28, :28] - 13.5
    roi_mask = np.asarray(255 / (1 + np.exp(np.hypot(x, y) - 11)), np.uint8)
    box, size = (5.2, 9.7, 190.4, 150.1), (200, 220)
    exact = trace_roi_mask(roi_mask, box, size, min_iou=1)
    simple = trace_roi_mask(roi_mask, box, size)
    assert exact is not None
    assert simple is not None
    assert simple.vertex_count < exact.vertex_count / 5
    assert mask_iou(rasterize(exact, *size), rasterize(simple, *size)) >= 0.98


@settings(deadline=None, max_examples=40)
@given(
    radius=st.floats(4, 15),
    stretch=st.floats(0.5, 2),
    hole=st.floats(0, 0.6),
    left=st.floats(0, 60),
    top=st.floats(0, 60),
    width=st.floats(225, 700),
    height=st.floats(225, 700),
    threshold=st.floats(0.3, 0.7),
)
def test_a_large_object_keeps_98_percent_of_its_exact_mask_too(
    radius: float,
    stretch: float,
    hole: float,
    left: float,
    top: float,
    width: float,
    height: float,
    threshold: float,
) -> None:
    """It is traced on a grid of its RoI mask; its exact mask is that of its pixels."""
    y, x = np.mgrid[:28, :28] - 13.5
    distance = np.hypot(x, y * stretch)
    inside = 1 / (1 + np.exp(distance - radius)) - 1 / (1 + np.exp(distance - radius * hole))
    roi_mask = np.clip(255 * inside, 0, 255).astype(np.uint8)
    box, size = (left, top, left + width, top + height), (800, 800)
    exact = trace_roi_mask(roi_mask, box, size, threshold, min_iou=1)
    simple = trace_roi_mask(roi_mask, box, size, threshold)
    if exact is None or exact.area < 500:
        return
    assert simple is not None
    assert simple.geometry.is_valid
    x0, y0, x1, y1 = simple.box
    # Whole pixels reach up to half of one beyond the box.
    assert min(x0 - left, y0 - top, left + width - x1, top + height - y1) >= -0.5
    assert mask_iou(rasterize(exact, *size), rasterize(simple, *size)) >= 0.98


def test_what_lies_outside_the_image_is_cut() -> None:
    beyond = Segmentation.from_rings(rectangle(-10, -10, 4, 3), rectangle(18, 18, 40, 40))
    mask = decode(rasterize(beyond, 20, 20))
    expected = np.zeros((20, 20), np.bool_)
    expected[:3, :4] = True
    expected[18:, 18:] = True
    assert np.array_equal(mask, expected)


def test_a_hole_is_not_rasterised() -> None:
    mask = decode(rasterize(holed_square(), 24, 24))
    assert mask.sum() == 20 * 20 - 8 * 8
    assert not mask[8:16, 8:16].any()
