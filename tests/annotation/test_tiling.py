"""Tiles cover an image, and what lies on their seams comes out once and whole."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from annotation.tile_truth import Ellipse, TruthPredictor, scattered
from maskstudio.annotation.detections import Detections
from maskstudio.annotation.masks import trace_roi_mask
from maskstudio.annotation.tile_run import find_instances
from maskstudio.annotation.tiling import (
    MOST_TILES,
    Sight,
    TileChoice,
    Tiling,
    estimate,
    grid,
    overlap_of,
    small_side,
    tile_scale,
    too_small,
    window_around,
)
from maskstudio.progress import TaskContext

QUIET = TaskContext()
NUCLEI = Sight(512, 1024, 8)
PHOTOS = Sight(800, 1333, 32)
SMALL = Sight(64, 128, 4)
ALWAYS = Tiling(TileChoice.ALWAYS)

sides = st.integers(1, 30_000)
sights = st.sampled_from([NUCLEI, PHOTOS, SMALL])
smalls = st.none() | st.floats(1, 5_000)


@given(sides, sides, sights, smalls)
def test_tiles_cover_the_image_and_share_the_overlap(
    height: int, width: int, sight: Sight, small: float | None
) -> None:
    boxes = grid(sight, (height, width), small)
    assert 1 <= len(boxes) <= MOST_TILES
    assert len(set(boxes)) == len(boxes)
    rows = sorted({(y0, y1) for _, y0, _, y1 in boxes})
    columns = sorted({(x0, x1) for x0, _, x1, _ in boxes})
    assert len(boxes) == len(rows) * len(columns)
    shared = overlap_of(sight, tile_scale(sight, (height, width), small))
    for spans, whole in ((rows, height), (columns, width)):
        assert spans[0][0] == 0
        assert spans[-1][1] == whole
        for (_, end), (begin, _) in itertools.pairwise(spans):
            assert end - begin >= shared


@given(st.integers(600, 9_000), st.integers(600, 9_000), st.floats(0, 1), st.floats(0, 1), smalls)
def test_what_is_no_larger_than_the_overlap_lies_whole_in_a_tile(
    height: int, width: int, across: float, down: float, small: float | None
) -> None:
    size = (height, width)
    side = min(overlap_of(NUCLEI, tile_scale(NUCLEI, size, small)), height, width)
    x, y = across * (width - side), down * (height - side)
    assert any(
        x0 <= x and y0 <= y and x1 >= x + side and y1 >= y + side
        for x0, y0, x1, y1 in grid(NUCLEI, size, small)
    )


@pytest.mark.parametrize(
    ("sight", "size", "small", "wanted"),
    [
        (NUCLEI, (512, 512), None, False),  # one tile
        (NUCLEI, (520, 696), None, False),  # hardly larger in tiles
        (NUCLEI, (3000, 4000), None, None),  # ask what is found in the whole
        (NUCLEI, (20_000, 20_000), None, True),  # shrunk 39 times
        (NUCLEI, (3000, 4000), 20.0, True),  # 3.4 pixels are left of them
        (NUCLEI, (3000, 4000), 60.0, False),  # 10 pixels are left
        (PHOTOS, (3000, 4000), None, None),
        (PHOTOS, (3000, 4000), 60.0, True),
        (PHOTOS, (3000, 4000), 200.0, False),
        (Sight(512, 1024, 8, small=20), (3000, 4000), None, True),
        (Sight(512, 1024, 8, small=20), (3000, 4000), 60.0, False),  # the project's own go first
        (NUCLEI, (10, 20_000), None, True),  # scaled, the whole would be a line
    ],
)
def test_when_an_image_is_tiled(
    sight: Sight, size: tuple[int, int], small: float | None, wanted: bool | None
) -> None:
    assert Tiling(TileChoice.AUTO, small).in_tiles(sight, size) is wanted
    assert Tiling(TileChoice.NEVER, small).in_tiles(sight, size) is False


def test_always_means_wherever_there_is_more_than_one_tile() -> None:
    assert ALWAYS.in_tiles(NUCLEI, (520, 696)) is True
    assert ALWAYS.in_tiles(NUCLEI, (500, 512)) is False


def test_what_is_found_in_the_whole_decides() -> None:
    size = (3000, 4000)  # shrunk 5.9 times
    assert too_small(NUCLEI, size, [50.0, 60.0, 400.0])
    assert not too_small(NUCLEI, size, [150.0, 200.0, 20.0])
    assert too_small(NUCLEI, size, [])
    assert not too_small(NUCLEI, (1500, 1500), [])


def test_large_objects_need_fewer_tiles() -> None:
    size = (20_000, 20_000)
    assert tile_scale(NUCLEI, size, 10) == 1
    assert tile_scale(NUCLEI, size, 160) == pytest.approx(0.1)
    assert len(grid(NUCLEI, size, 160)) < len(grid(NUCLEI, size)) / 50


def test_an_estimate_before_the_run() -> None:
    size = (20_000, 20_000)
    known = estimate(Tiling(), NUCLEI, size, 0.25)
    assert known is not None
    assert known.tiles == len(grid(NUCLEI, size))
    assert known.seconds == pytest.approx((known.tiles + 1) / 4)
    assert known.certain
    unsure = estimate(Tiling(), NUCLEI, (3000, 4000), None)
    assert unsure is not None
    assert not unsure.certain
    assert unsure.seconds is None
    assert estimate(Tiling(), NUCLEI, (512, 512), 0.25) is None


def test_few_objects_say_nothing_of_their_usual_size() -> None:
    assert small_side([10.0] * 9) is None
    assert small_side([float(side) for side in range(1, 102)]) == pytest.approx(11)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 900), st.floats(0, 900))
def test_a_box_lies_in_the_window_around_it(
    across: float, down: float, width: float, height: float
) -> None:
    x, y = across * (2000 - width), down * (1000 - height)
    box = (x, y, x + width, y + height)
    x0, y0, x1, y1 = window_around(box, (1000, 2000), NUCLEI)
    assert 0 <= x0 <= box[0]
    assert 0 <= y0 <= box[1]
    assert box[2] <= x1 <= 2000
    assert box[3] <= y1 <= 1000
    assert min(x1 - x0, y1 - y0) >= 512


def outlines(found: Detections) -> list[BaseGeometry]:
    assert found.roi_masks is not None
    traced = [
        trace_roi_mask(mask, found.box(index), found.size, min_iou=1)
        for index, mask in enumerate(found.roi_masks)
    ]
    return [one.geometry for one in traced if one is not None]


def agreement(a: BaseGeometry, b: BaseGeometry) -> float:
    return float(a.intersection(b).area / a.union(b).area)


def assert_each_once(found: Detections, truth: list[Ellipse], least_iou: float = 0.9) -> None:
    assert len(found) == len(truth)
    shapes = outlines(found)
    assert len(shapes) == len(truth)
    for one in truth:
        near = [agreement(one.shape, shape) for shape in shapes]
        best = int(np.argmax(near))
        assert near[best] >= least_iou
        assert found.labels[best] == one.label
        assert sum(iou > 0.1 for iou in near) == 1


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_objects_up_to_the_overlap_come_out_once_and_whole(seed: int) -> None:
    size = (700, 900)
    sight = Sight(256, 512, 4)  # an overlap of 64
    truth = scattered(seed, size, (16, 40), 90)
    model = TruthPredictor(truth, size, sight, seed)
    found = find_instances(model, model, ALWAYS, QUIET)
    assert_each_once(found, truth)
    assert len(model.windows) == 20


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_objects_larger_than_the_overlap_are_put_together(seed: int) -> None:
    size = (700, 900)
    # In the whole image the model sees none of them well: they are united from their pieces.
    sight = Sight(256, 512, 4)
    truth = scattered(seed, size, (80, 150), 30)
    model = TruthPredictor(truth, size, sight, seed)
    whole_blind = replace_whole(model)
    found = find_instances(model, model, ALWAYS, QUIET, whole_blind)
    assert_each_once(found, truth)


def replace_whole(model: TruthPredictor) -> Callable[[], Detections]:
    truth = model.truth

    def nothing() -> Detections:
        model.truth = []
        found = model.predict(model.reduced(1, QUIET)[0], QUIET)
        model.truth = truth
        return found

    return nothing


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_objects_larger_than_a_tile_come_from_the_whole(seed: int) -> None:
    size = (1400, 1800)
    sight = Sight(256, 512, 4)
    small, large = scattered(seed, size, (16, 50), 40), scattered(seed, size, (300, 700), 3)
    free = [one for one in small if all(one.shape.distance(o.shape) > 2 for o in large)]
    truth = large + free
    model = TruthPredictor(truth, size, sight, seed)
    found = find_instances(model, model, ALWAYS, QUIET)
    assert_each_once(found, truth)
