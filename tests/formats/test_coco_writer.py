"""What leaves as COCO JSON is what stood on screen: ids, sizes, coordinates, holes, and no more."""

import dataclasses
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from maskstudio.annotation.annotation import Annotation, Category, Dataset, ImageRecord
from maskstudio.annotation.masks import decode, mask_iou, rasterize
from maskstudio.annotation.segmentation import Part, Segmentation, as_ring
from maskstudio.errors import CancelledError, UserError
from maskstudio.formats.coco import write_coco
from maskstudio.formats.coco_reader import read_coco, segmentation_to_rle
from maskstudio.formats.coco_writing import to_polygons
from maskstudio.formats.options import SegmentationStyle
from maskstudio.progress import TaskContext

# pycocotools 2.0 predates what numpy 2 asks of arrays.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

GOLDEN = Path(__file__).parents[1] / "data" / "coco" / "small.json"
SQUARE = [(2, 2), (22, 2), (22, 22), (2, 22)]


def written(dataset: Dataset) -> bytes:
    file = io.BytesIO()
    write_coco(dataset, file)
    return file.getvalue()


def one_annotation(annotation: Annotation, height: int = 64, width: int = 64) -> Dataset:
    image = ImageRecord(1, "a.png", height, width)
    return Dataset((Category(1, "cell"),), (image,), {1: (annotation,)})


def entry(annotation: Annotation) -> dict:
    (only,) = json.loads(written(one_annotation(annotation)))["annotations"]
    return only


def with_holes(outer: list, *holes: list) -> Segmentation:
    return Segmentation((Part(as_ring(outer), tuple(as_ring(hole) for hole in holes)),))


def test_small_data_set_is_the_golden_file(small_dataset: Dataset) -> None:
    assert written(small_dataset) == GOLDEN.read_bytes()


def test_same_data_set_gives_the_same_bytes(small_dataset: Dataset) -> None:
    assert written(small_dataset) == written(dataclasses.replace(small_dataset))


def test_report_counts_what_was_written(small_dataset: Dataset) -> None:
    report = write_coco(small_dataset, io.BytesIO())
    assert (report.images, report.annotations, report.categories) == (3, 5, 3)
    assert report.boxes_only == 1
    assert report.left_out == ("b.png: annotation 14 covers no pixel and was left out.",)
    assert report.redrawn == ()


def test_empty_data_set_is_a_whole_file() -> None:
    raw = json.loads(written(Dataset((), ())))
    assert list(raw) == ["info", "licenses", "images", "annotations", "categories"]
    assert [raw[key] for key in list(raw)[1:]] == [[], [], [], []]
    assert set(raw["info"]) == {
        *("year", "version", "description", "contributor", "url", "date_created")
    }


def test_names_outside_ascii_survive_in_a_file_that_is_ascii(small_dataset: Dataset) -> None:
    data = written(small_dataset)
    raw = json.loads(data)
    assert data.isascii()
    assert raw["images"][0]["file_name"] == "füße/a 1.png"
    assert [category["name"] for category in raw["categories"]] == ["Zelle", "細胞", "unused"]


def test_every_entry_has_its_line(small_dataset: Dataset) -> None:
    lines = written(small_dataset).decode("ascii").splitlines()
    entries = [json.loads(line.rstrip(",")) for line in lines if line.startswith('{"id"')]
    assert len(entries) == 3 + 5 + 3


def test_images_without_annotations_are_listed(small_dataset: Dataset) -> None:
    raw = json.loads(written(dataclasses.replace(small_dataset, annotations={})))
    assert [image["id"] for image in raw["images"]] == [4, 5, 9]
    assert raw["annotations"] == []


def test_annotations_of_images_that_are_not_listed_stay_out(small_dataset: Dataset) -> None:
    some = dataclasses.replace(small_dataset, images=small_dataset.images[1:])
    assert {a["image_id"] for a in json.loads(written(some))["annotations"]} == {5}


@pytest.mark.parametrize("size", [(0, 8), (6, 0)])
def test_image_never_opened_is_named_and_nothing_is_written(
    small_dataset: Dataset, size: tuple[int, int]
) -> None:
    new = ImageRecord(10, "new/never opened.png", *size)
    file = io.BytesIO()
    with pytest.raises(UserError, match=r"new/never opened\.png"):
        write_coco(dataclasses.replace(small_dataset, images=(*small_dataset.images, new)), file)
    assert file.getvalue() == b""


@pytest.mark.parametrize(
    ("made_by", "score"),
    [
        ({"model_id": "m", "score": 0.25, "touched": False}, 0.25),
        ({"model_id": "m", "score": 0.25, "touched": True}, None),
        ({"model_id": None, "score": 0.25, "touched": False}, 0.25),
        ({"model_id": "m", "score": None, "touched": False}, None),
        ({}, None),
    ],
)
def test_score_leaves_only_while_untouched(made_by: dict, score: float | None) -> None:
    raw = entry(Annotation(1, 1, Segmentation.from_rings(SQUARE), **made_by))
    assert raw.get("score") == score
    assert ("score" in raw) == (score is not None)
    assert "ignore" not in raw
    assert type(raw["iscrowd"]) is int


def test_area_and_box_are_those_of_the_pixels() -> None:
    parts = Segmentation.from_rings(SQUARE, [(12, 12), (32, 12), (32, 32), (12, 32)])
    raw = entry(Annotation(1, 1, parts))
    assert raw["area"] == 700.0  # the union, not the sum
    assert raw["bbox"] == [2.0, 2.0, 30.0, 30.0]


def test_box_alone_is_a_rectangle_that_readers_can_read() -> None:
    raw = entry(Annotation(1, 1, None, (1.25, 2.5, 8.5, 9.75)))
    assert raw["segmentation"] == [[1.25, 2.5, 1.25, 9.75, 8.5, 9.75, 8.5, 2.5]]
    assert raw["attributes"] == {"box_only": True}


@pytest.mark.parametrize(
    "outline",
    [
        Segmentation.from_rings([(5.1, 1), (5.3, 1), (5.3, 11)]),
        Segmentation.from_rings([(70, 70), (80, 70), (80, 80)]),
        with_holes(SQUARE, SQUARE),
    ],
    ids=["sliver", "outside the image", "nothing but a hole"],
)
def test_what_covers_no_pixel_is_left_out_and_named(outline: Segmentation) -> None:
    file = io.BytesIO()
    report = write_coco(one_annotation(Annotation(31, 1, outline)), file)
    assert json.loads(file.getvalue())["annotations"] == []
    assert report.annotations == 0
    assert report.left_out == ("a.png: annotation 31 covers no pixel and was left out.",)


@pytest.mark.parametrize(
    "annotation",
    [
        Annotation(8, 1, None, (1, 2, float("nan"), 9)),
        Annotation(8, 1, None, (1, 2, 1e12, 9)),
        Annotation(
            *(8, 1, Segmentation.from_rings(SQUARE)),
            model_id="m",
            score=float("nan"),
            touched=False,
        ),
    ],
    ids=["box", "box beyond reach", "score"],
)
def test_what_is_no_number_or_beyond_reach_never_leaves(annotation: Annotation) -> None:
    with pytest.raises(UserError, match="8"):
        written(one_annotation(annotation))


any_coordinate = st.floats(0, 5, allow_subnormal=True)


@settings(deadline=None, max_examples=60)
@given(st.lists(any_coordinate, min_size=6, max_size=6))
def test_coordinates_come_back_to_the_last_bit(noise: list[float]) -> None:
    ring = np.array([(0, 0), (60, 0), (0, 60)]) + np.reshape(noise, (3, 2))
    raw = entry(Annotation(1, 1, Segmentation.from_rings(ring)))
    assert np.array(raw["segmentation"][0]).tobytes() == ring.tobytes()


@pytest.mark.parametrize(
    "holes",
    [
        [[(10, 10), (30, 10), (30, 30), (10, 30)]],
        [[(5, 5), (15, 5), (15, 15)], [(10, 4), (20, 4), (20, 20), (10, 20)]],
        [[(3, 3), (9, 3), (6, 9)], [(2.04, 12), (8, 15), (8, 10)], [(20, 20), (50, 22), (22, 50)]],
    ],
    ids=["crosses the outer ring", "overlap", "all of it"],
)
def test_holes_that_cross_are_written_along_their_pixels(holes: list) -> None:
    outline = with_holes(SQUARE, *holes)
    rings, redrawn = to_polygons(outline, 64, 64)
    read = segmentation_to_rle(rings, 64, 64)
    assert redrawn
    assert mask_iou(read, rasterize(outline, 64, 64)) == 1.0
    report = write_coco(one_annotation(Annotation(3, 1, outline)), io.BytesIO())
    (sentence,) = report.redrawn
    assert "a.png: annotation 3" in sentence


def test_hole_closer_than_pycocotools_rounds_keeps_its_pixels() -> None:
    outline = with_holes(
        [(9.9, 5.5), (1.6, 19.1), (13.5, 15.3)], [(7.63, 9.32), (6.05, 12.12), (8.93, 12.6)]
    )
    assert outline.geometry.is_valid
    rings, redrawn = to_polygons(outline, 20, 20)
    assert redrawn
    assert mask_iou(segmentation_to_rle(rings, 20, 20), rasterize(outline, 20, 20)) == 1.0


def test_only_the_part_that_needs_it_is_redrawn() -> None:
    crossing = with_holes(SQUARE, [(10, 10), (30, 10), (30, 30), (10, 30)]).parts[0]
    slanted = as_ring([(40.5, 2.25), (60.5, 3.5), (50, 20)])
    rings, redrawn = to_polygons(Segmentation((crossing, Part(slanted))), 64, 64)
    assert redrawn
    assert rings[-1] == slanted.ravel().tolist()


coordinate = st.integers(0, 120).map(lambda n: n / 2)
corners = st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=6, unique=True)


@settings(deadline=None, max_examples=80)
@given(outer=corners, cuts=st.lists(corners, min_size=1, max_size=5))
def test_any_polygon_with_pieces_cut_out_keeps_its_pixels(outer: list, cuts: list) -> None:
    shape = shapely.make_valid(shapely.Polygon(outer)).union(shapely.box(5, 5, 55, 55))
    for cut in cuts:
        shape = shape.difference(shapely.make_valid(shapely.Polygon(cut)))
    outline = Segmentation.from_geometry(shape)
    if outline is not None:
        rings, _ = to_polygons(outline, 64, 64)
        masks = coco_mask.decode(coco_mask.frPyObjects(rings, 64, 64)).any(axis=2)
        np.testing.assert_array_equal(masks, decode(rasterize(outline, 64, 64)))


@settings(deadline=None, max_examples=60)
@given(outer=corners, holes=st.lists(corners, min_size=1, max_size=4))
def test_any_rings_at_all_keep_their_pixels(outer: list, holes: list) -> None:
    def pixels(*rings: list) -> np.ndarray:
        flat = [np.ravel(ring).tolist() for ring in rings]
        return coco_mask.decode(coco_mask.frPyObjects(flat, 64, 64)).any(axis=2)

    outline = with_holes(outer, *holes)
    rings, _ = to_polygons(outline, 64, 64)
    on_screen = decode(rasterize(outline, 64, 64))
    np.testing.assert_array_equal(on_screen, pixels(outer) & ~pixels(*holes))
    np.testing.assert_array_equal(on_screen, pixels(*rings) if rings else np.zeros((64, 64), bool))


def test_own_reader_gives_the_same_rings(
    small_dataset: Dataset, write_file: Callable[[Dataset], Path]
) -> None:
    read = read_coco(write_file(small_dataset))
    assert [image.file_name for image in read.images.values()] == [
        image.path for image in small_dataset.images
    ]
    by_id = {a.id: a for of_image in read.annotations.values() for a in of_image}
    for image in small_dataset.images:
        for annotation in small_dataset.annotations.get(image.id, ()):
            if annotation.segmentation is not None and annotation.id in by_id:
                rings = by_id[annotation.id].segmentation
                expected, _ = to_polygons(annotation.segmentation, image.height, image.width)
                assert rings == expected
                rle = segmentation_to_rle(rings, image.height, image.width)
                own = rasterize(annotation.segmentation, image.height, image.width)
                assert mask_iou(rle, own) == 1.0


@pytest.mark.parametrize("far", [1e12, -1e300, float("inf"), float("nan")])
def test_reader_refuses_coordinates_that_pycocotools_would_die_of(far: float) -> None:
    with pytest.raises(UserError, match="coordinate"):
        segmentation_to_rle([[0, 0, far, 0, 5, 5]], 64, 64)


class Watched(io.BytesIO):
    """A file that knows the longest piece it was ever given."""

    longest = 0

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.longest = max(self.longest, len(data))
        return super().write(data)


def test_run_lengths_are_exact_and_readers_of_all_kinds_take_them() -> None:
    crossing = with_holes(SQUARE, [(10, 10), (30, 10), (30, 30), (10, 30)])
    dataset = one_annotation(Annotation(3, 1, crossing))
    file = io.BytesIO()
    report = write_coco(dataset, file, SegmentationStyle.RLE)
    (read,) = json.loads(file.getvalue())["annotations"]
    assert read["iscrowd"] == 0
    assert read["segmentation"]["size"] == [64, 64]
    # As torchvision's reference loader calls it: a packed string would fail there.
    masks = coco_mask.decode(coco_mask.frPyObjects([read["segmentation"]], 64, 64))
    np.testing.assert_array_equal(masks[:, :, 0], decode(rasterize(crossing, 64, 64)))
    assert report.redrawn == ()


def many_images(count: int) -> Dataset:
    square = Segmentation.from_rings(SQUARE)
    images = tuple(ImageRecord(n, f"{n}.png", 64, 64) for n in range(1, count + 1))
    on_them = {image.id: (Annotation(image.id, 1, square),) for image in images}
    return Dataset((Category(1, "c"),), images, on_them)


def test_file_is_written_piece_by_piece() -> None:
    file = Watched()
    write_coco(many_images(4100), file)
    assert file.longest < len(file.getvalue()) / 2


class Stopping(TaskContext):
    """Notes how far it was told the work is, and stops it at the first piece."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []

    def report(self, done: int, total: int, note: str = "") -> None:
        assert note == "writing annotations"
        self.told.append((done, total))

    def raise_if_cancelled(self) -> None:
        if len(self.told) == 2:
            raise CancelledError


def test_progress_is_told_and_a_cancel_is_heard() -> None:
    context = Stopping()
    file = io.BytesIO()
    with pytest.raises(CancelledError):
        write_coco(many_images(4100), file, context=context)
    assert context.told == [(0, 4100), (2000, 4100)]
    assert file.getvalue().count(b'"segmentation"') == 2000
