"""What leaves as YOLO comes back to the pixel, and loses what YOLO cannot hold and no more."""

import tempfile
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
import yaml
from hypothesis import given

from maskstudio.annotation.annotation import (
    Annotation,
    Category,
    Dataset,
    ImageRecord,
    ImageState,
    ImageStatus,
)
from maskstudio.annotation.masks import decode, mask_iou, rasterize, trace
from maskstudio.annotation.outlines import outline_of
from maskstudio.annotation.segmentation import Part, Segmentation, as_ring
from maskstudio.errors import UserError
from maskstudio.formats.options import ExportFormat, ExportOptions, ExportPart
from maskstudio.formats.yolo import open_yolo
from maskstudio.formats.yolo_writer import label_path, shares, write_yolo
from support.annotation_sets import CATEGORY_IDS, HEIGHT, OUTLINES, WIDTH, annotation_stacks

OPTIONS = ExportOptions(ExportFormat.YOLO, tuple(ImageState))
CATEGORIES = tuple(Category(n, f"c{n}") for n in CATEGORY_IDS)
SQUARE = Segmentation.from_rings([(2, 2), (6, 2), (6, 6), (2, 6)])


def one_image(*annotations, height=HEIGHT, width=WIDTH):
    return Dataset(CATEGORIES, (ImageRecord(4, "a.png", height, width),), {4: annotations})


def written(folder, dataset):
    return write_yolo([ExportPart("", dataset)], folder, OPTIONS)


def there_and_back(folder, *annotations, **size):
    dataset = one_image(*annotations, **size)
    report = written(folder, dataset)
    image = dataset.images[0]
    return report, open_yolo(folder).content(0, image.height, image.width)


@given(annotation_stacks())
def test_exactly_what_yolo_cannot_hold_is_lost(annotations):
    covering = [a for a in annotations if decode(rasterize(outline_of(a), HEIGHT, WIDTH)).any()]
    kept = [a for a in covering if not a.iscrowd]
    with tempfile.TemporaryDirectory() as folder:
        dataset = one_image(*annotations)
        report = written(Path(folder), dataset)
        found = open_yolo(Path(folder)).content(0, HEIGHT, WIDTH) if kept else None
    assert report.annotations == len(kept)
    assert len(report.left_out) == len(annotations) - len(kept)
    if found is None:
        return
    assert found.left_out == ()
    assert [CATEGORY_IDS[a.category] for a in found.annotations] == [a.category_id for a in kept]
    for before, after in zip(kept, found.annotations, strict=True):
        masks = (rasterize(s, HEIGHT, WIDTH) for s in (outline_of(before), after.segmentation))
        assert mask_iou(*masks) == 1.0
        assert (after.box, after.score, after.iscrowd, after.attributes, after.note) == (
            (None, None, False, (), "")
        )


@given(OUTLINES)
def test_an_outline_of_one_ring_keeps_its_corners(outline):
    ring = outline.parts[0].outer.clip(0, (WIDTH, HEIGHT))
    back = np.array(shares(ring, HEIGHT, WIDTH).split(), np.float64).reshape(-1, 2) * (
        WIDTH,
        HEIGHT,
    )
    assert np.abs(back - ring).max() < 1e-6


@given(st.integers(10, 40_000), st.data())
def test_corners_stay_in_the_cell_that_pycocotools_puts_them_in(width, data):
    halves = data.draw(st.lists(st.integers(0, 10 * width), min_size=3, max_size=30))
    ring = as_ring(np.array([[n / 10, min(n / 7, 10)] for n in halves] + [[0, 0], [1, 0], [0, 1]]))
    back = np.array(shares(ring, 10, width).split(), np.float64).reshape(-1, 2) * (width, 10)
    assert np.array_equal((5 * back + 0.5).astype(int), (5 * ring + 0.5).astype(int))


def test_holes_and_parts_come_back_as_holes_and_parts(tmp_path):
    holed = Part(
        as_ring([(1, 1), (12, 1), (12, 12), (1, 12)]),
        (
            as_ring([(2, 2), (4, 2), (4, 4), (2, 4)]),
            as_ring([(6, 6), (11, 6), (11, 11), (6, 11)]),
        ),
    )
    island = Part(as_ring([(7, 7), (9, 7), (9, 9), (7, 9)]))
    apart = Part(as_ring([(13, 2), (17, 2), (15, 9.25)]))
    outline = Segmentation((holed, island, apart))
    report, content = there_and_back(tmp_path, Annotation(1, 2, outline))
    (found,) = content.annotations
    sizes = sorted((len(part.outer), len(part.holes)) for part in found.segmentation.parts)
    assert sizes == [(3, 0), (4, 0), (4, 2)]
    assert found.segmentation.area == pytest.approx(outline.area)
    assert (report.changed, content.mended) == ((), ())


def test_many_parts_are_joined_over_short_bridges(tmp_path):
    mask = np.zeros((60, 60), bool)
    mask[::6, ::6] = True
    (outline,) = (trace(mask),)
    report, content = there_and_back(tmp_path, Annotation(1, 2, outline), height=60, width=60)
    assert len(content.annotations[0].segmentation.parts) == 100
    assert report.changed == ()
    numbers = (tmp_path / "labels" / "a.txt").read_text().split()[1:]
    ring = np.array(numbers, np.float64).reshape(-1, 2) * 60
    steps = np.abs(np.roll(ring, -1, axis=0) - ring).sum(axis=1)
    assert steps[:-1].max() <= 5  # the gap between two neighbours


def test_parts_that_overlap_are_one_and_that_is_told(tmp_path):
    both = Segmentation.from_rings(
        [(1, 1), (8, 1), (8, 8), (1, 8)], [(5, 5), (12, 5), (12, 12), (5, 12)]
    )
    report, content = there_and_back(tmp_path, Annotation(7, 2, both))
    (found,) = content.annotations
    assert found.segmentation.area == pytest.approx(49 + 49 - 9)
    assert report.changed == (
        "a.png: annotation 7 has rings that cross, overlap or reach out of the image; it was "
        "written along its pixels.",
    )


def test_a_box_alone_is_a_rectangle_and_a_crowd_is_left_out(tmp_path):
    alone = Annotation(1, 2, None, (1.5, 2, 8, 9.25))
    crowd = Annotation(2, 2, SQUARE, iscrowd=True)
    report, content = there_and_back(tmp_path, alone, crowd)
    (found,) = content.annotations
    assert found.segmentation.box == pytest.approx((1.5, 2, 8, 9.25))
    assert report.changed == ("a.png: annotation 1 is a box alone; it was written as a rectangle.",)
    assert report.left_out == (
        "a.png: annotation 2 is a crowd, which YOLO does not know; it was left out.",
    )


def state_of(state, *annotations):
    image = ImageRecord(4, "a.png", HEIGHT, WIDTH, ImageStatus(state))
    return Dataset(CATEGORIES, (image,), {4: annotations} if annotations else {})


@pytest.mark.parametrize(
    ("dataset", "text"),
    [
        (state_of(ImageState.EMPTY), ""),
        (state_of(ImageState.VERIFIED), ""),
        (state_of(ImageState.EDITED), None),
        (state_of(ImageState.NEW), None),
        (state_of(ImageState.VERIFIED, Annotation(1, 2, SQUARE, iscrowd=True)), None),
    ],
)
def test_a_label_file_that_is_empty_says_that_the_image_is(tmp_path, dataset, text):
    written(tmp_path, dataset)
    label = tmp_path / "labels" / "a.txt"
    assert (label.read_text() if label.exists() else None) == text


def test_the_document_names_parts_and_categories(tmp_path):
    categories = (Category(1, "no"), Category(5, "ü: [#1]"), Category(6, "🙂"))
    parts = [
        ExportPart(name, Dataset(categories, (ImageRecord(n, f"{n}.png", 9, 9),)))
        for n, name in enumerate(("val", "train"))
    ]
    write_yolo(parts, tmp_path, OPTIONS)
    text = (tmp_path / "data.yaml").read_bytes()
    assert yaml.safe_load(text) == {
        "train": "images/train",
        "val": "images/val",
        "names": {0: "no", 1: "ü: [#1]", 2: "🙂"},
    }
    for name in ("train", "val"):
        (tmp_path / "images" / name).mkdir(parents=True)
        (tmp_path / "images" / name / "1.png").touch()
    assert [c.name for c in open_yolo(tmp_path).categories] == ["no", "ü: [#1]", "🙂"]


def test_without_validation_the_training_images_stand_in(tmp_path):
    written(tmp_path, one_image(Annotation(1, 2, SQUARE)))
    text = (tmp_path / "data.yaml").read_text()
    assert text.startswith("# No images were set apart for validation")
    assert yaml.safe_load(text)["train"] == yaml.safe_load(text)["val"] == "images"


def test_names_that_differ_in_their_ending_and_folders_called_images(tmp_path):
    images = [ImageRecord(n, p, 9, 9) for n, p in enumerate(("x/a.png", "x/a.jpg", "images/b.png"))]
    annotations = {image.id: (Annotation(image.id + 1, 2, SQUARE),) for image in images}
    write_yolo(
        [ExportPart("train", Dataset(CATEGORIES, tuple(images), annotations))], tmp_path, OPTIONS
    )
    labels = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.txt")}
    assert labels == {
        "labels/train/x/a_png.txt",
        "labels/train/x/a_jpg.txt",
        "images/train/labels/b.txt",
    }
    assert label_path("train", "images/b.png") in labels


def test_the_same_project_gives_the_same_bytes(tmp_path):
    contents = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        written(folder, one_image(Annotation(1, 2, SQUARE), Annotation(2, 9, SQUARE)))
        files = sorted(p for p in folder.rglob("*") if p.is_file())
        contents.append([(p.relative_to(folder), p.read_bytes()) for p in files])
    assert contents[0] == contents[1]
    (text,) = (raw for path, raw in contents[0] if path.name == "a.txt")
    corners = (
        "0.11111111 0.14285714 0.33333333 0.14285714 0.33333333 0.42857143 0.11111111 0.42857143"
    )
    assert text.decode() == f"0 {corners}\n2 {corners}\n"


def test_an_image_that_was_never_opened(tmp_path):
    with pytest.raises(UserError, match=r"The size of a\.png is not known"):
        written(tmp_path, one_image(Annotation(1, 2, SQUARE), height=0, width=0))
