"""A real reader of YOLO files, which fills rings as OpenCV does, sees what is on screen."""

import numpy as np
import pytest
import supervision
from PIL import Image

from maskstudio.annotation.annotation import Annotation, Category, Dataset, ImageRecord, ImageState
from maskstudio.annotation.masks import decode, rasterize
from maskstudio.annotation.segmentation import Part, Segmentation, as_ring
from maskstudio.formats.options import ExportFormat, ExportOptions, ExportPart
from maskstudio.formats.yolo_writer import write_yolo

HEIGHT, WIDTH = 120, 160
HOLED = Part(
    as_ring([(10, 10), (70, 10), (70, 70), (10, 70)]),
    (as_ring([(20, 20), (60, 20), (60, 60), (20, 60)]),),
)
ISLAND = Part(as_ring([(32, 32), (48, 32), (48, 48), (32, 48)]))
APART = Part(as_ring([(90, 80), (150, 80), (150, 110), (90, 110)]))


@pytest.fixture
def exported(tmp_path):
    outlines = {1: (HOLED,), 2: (APART,), 3: (HOLED, ISLAND), 4: (HOLED, APART)}
    annotations = tuple(
        Annotation(n, 1 + n % 2, Segmentation(parts)) for n, parts in outlines.items()
    )
    images = ImageRecord(1, "a.png", HEIGHT, WIDTH), ImageRecord(2, "b.png", HEIGHT, WIDTH)
    categories = Category(1, "cell"), Category(2, "no")
    part = ExportPart("train", Dataset(categories, images, {1: annotations}))
    write_yolo([part], tmp_path, ExportOptions(ExportFormat.YOLO, tuple(ImageState)))
    (tmp_path / "images" / "train").mkdir(parents=True)
    for image in images:
        Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "images" / "train" / image.path)
    return tmp_path, annotations


def test_supervision_sees_categories_holes_and_parts(exported):
    folder, annotations = exported
    read = supervision.DetectionDataset.from_yolo(
        str(folder / "images" / "train"),
        str(folder / "labels" / "train"),
        str(folder / "data.yaml"),
    )
    assert read.classes == ["cell", "no"]
    found = {path[-5:]: detections for path, _, detections in read}
    assert len(found["b.png"]) == 0
    detections = found["a.png"]
    assert detections.class_id.tolist() == [1, 0, 1, 0]
    for mask, annotation in zip(detections.mask, annotations, strict=True):
        on_screen = decode(rasterize(annotation.segmentation, HEIGHT, WIDTH))
        # OpenCV draws the ring itself as well, half a pixel beyond it, and so the bridges.
        beside = mask & ~on_screen
        assert (on_screen & ~mask).sum() == 0
        rings = [ring for _, _, ring in annotation.segmentation.rings()]
        around = sum(np.abs(np.roll(ring, -1, axis=0) - ring).sum() for ring in rings)
        assert beside.sum() <= around + 100
