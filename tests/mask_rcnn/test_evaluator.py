"""Figures are those of pycocotools; what distorts them there is taken out."""

import contextlib
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.detections import Detections
from maskstudio.errors import CancelledError, UserError
from maskstudio.formats.coco_reader import read_coco
from maskstudio.mask_rcnn.evaluator import detection_rle, evaluate
from maskstudio.progress import TaskContext
from support.coco_sets import NUCLEUS, write_json
from support.prepared import Box, Prepared, box_mask, rectangles, write_truth


def figures(path: Path, predictor: Prepared) -> dict[str, Any]:
    return evaluate(predictor, read_coco(path), path.parent, TaskContext())


def plain(path: Path, answers: Sequence[Detections], kind: str) -> list[float]:
    """AP, AP50, AP75, small, medium, large as a plain call of pycocotools gives them."""
    results = []
    for image_id, found in enumerate(answers, start=1):
        for box, one in zip(found.boxes, found.scores, strict=True):
            x0, y0, x1, y1 = (int(v) for v in box)
            rle = coco_mask.encode(np.asfortranarray(box_mask((x0, y0, x1, y1)).astype(np.uint8)))
            result = {"image_id": image_id, "category_id": 1, "score": float(one)}
            shape = (
                {"bbox": [x0, y0, x1 - x0, y1 - y0]} if kind == "bbox" else {"segmentation": rle}
            )
            results.append(result | shape)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(path))
        run = COCOeval(truth, truth.loadRes(results), kind)
        run.evaluate()
        run.accumulate()
        run.summarize()
    return [float(value) for value in run.stats[:6]]


GRID: list[Box] = [(x, y, x + 8, y + 6) for x in range(2, 152, 10) for y in range(2, 102, 10)]


def test_perfect_detections_reach_one(tmp_path: Path) -> None:
    boxes: list[Box] = [(4, 4, 20, 24), (30, 8, 90, 50), (40, 10, 160, 110)]
    path = write_truth(tmp_path, boxes, boxes[:1])
    report = figures(path, Prepared(rectangles(boxes), rectangles(boxes[:1])))
    for kind in ("box", "mask"):
        keys = ("AP", "AP50", "AP75", "small", "medium", "large")
        assert [report[kind][key] for key in keys] == pytest.approx([1.0] * 6)
        assert report[kind]["per_category"] == {"nucleus": pytest.approx(1.0)}
    assert report["images"] == 2
    assert report["max_detections"] == 500
    assert report["device"] == "CPU, 1 thread"
    assert report["seconds_per_image"] >= 0


FIRST: list[Box] = [(10, 10, 30, 30), (50, 10, 90, 40)]
SECOND: list[Box] = [(20, 60, 60, 100)]
CASES = {
    "one false positive in front": (
        rectangles([(100, 80, 120, 100), *FIRST], [0.95, 0.9, 0.8]),
        rectangles(SECOND),
    ),
    "one false positive behind": (
        rectangles([*FIRST, (100, 80, 120, 100)], [0.9, 0.8, 0.3]),
        rectangles(SECOND),
    ),
    "one missed": (rectangles(FIRST[:1]), rectangles(SECOND)),
    "found twice": (rectangles([FIRST[0], *FIRST], [0.9, 0.85, 0.8]), rectangles(SECOND)),
    "shifted": (
        rectangles([(14, 10, 34, 30), (50, 12, 90, 42)], [0.9, 0.8]),
        rectangles([(23, 63, 63, 103)], [0.85]),
    ),
    "shifted by less than a quarter": (
        rectangles([(10, 10, 30, 30), (55, 10, 95, 40)], [0.9, 0.8]),
        rectangles([(25, 60, 65, 100)], [0.85]),
    ),
    "nothing on the second image": (rectangles(FIRST), rectangles([])),
}


@pytest.mark.parametrize("case", CASES)
def test_figures_are_those_of_a_plain_call_of_pycocotools(case: str, tmp_path: Path) -> None:
    answers = CASES[case]
    path = write_truth(tmp_path, FIRST, SECOND)
    report = figures(path, Prepared(*answers))
    for kind, name in (("box", "bbox"), ("mask", "segm")):
        expected = plain(path, answers, name)
        assert expected[0] < 1 or case == "one false positive behind"
        keys = ("AP", "AP50", "AP75", "small", "medium", "large")
        found = [report[kind][key] for key in keys]
        assert [-1 if math.isnan(value) else value for value in found] == pytest.approx(expected)


def test_a_crowded_image_is_counted_to_five_hundred(tmp_path: Path) -> None:
    assert len(GRID) == 150
    path = write_truth(tmp_path, GRID)
    answer = rectangles(GRID)
    assert plain(path, [answer], "segm")[0] < 0.7
    report = figures(path, Prepared(answer))
    assert report["mask"]["AP"] == pytest.approx(1.0)
    assert report["box"]["AP"] == pytest.approx(1.0)


def test_the_id_zero_is_no_miss(tmp_path: Path) -> None:
    path = write_truth(tmp_path, FIRST)
    raw = json.loads(path.read_text())
    for number, annotation in enumerate(raw["annotations"]):
        annotation["id"] = number
    path.write_text(json.dumps(raw))
    answer = rectangles(FIRST)
    assert plain(path, [answer], "segm")[0] < 0.9
    assert figures(path, Prepared(answer))["mask"]["AP"] == pytest.approx(1.0)


def test_a_crowd_is_neither_hit_nor_missed(tmp_path: Path) -> None:
    path = write_truth(tmp_path, [*FIRST, (0, 60, 160, 120)])
    raw = json.loads(path.read_text())
    raw["annotations"][2]["iscrowd"] = 1
    path.write_text(json.dumps(raw))
    answer = rectangles([*FIRST, (10, 70, 30, 90)], [0.9, 0.8, 0.95])
    assert figures(path, Prepared(answer))["mask"]["AP"] == pytest.approx(1.0)


def test_a_missing_box_is_taken_from_the_mask(tmp_path: Path) -> None:
    path = write_truth(tmp_path, FIRST)
    raw = json.loads(path.read_text())
    for annotation in raw["annotations"]:
        del annotation["bbox"]
    path.write_text(json.dumps(raw))
    assert figures(path, Prepared(rectangles(FIRST)))["box"]["AP"] == pytest.approx(1.0)


def test_categories_are_matched_by_name(tmp_path: Path) -> None:
    """The file's ids and order differ from the model's."""
    listed = [NUCLEUS | {"id": 9, "name": "a"}, NUCLEUS | {"id": 5, "name": "b"}]
    path = write_truth(tmp_path, FIRST, categories=listed)
    raw = json.loads(path.read_text())
    for annotation, category in zip(raw["annotations"], (9, 5), strict=True):
        annotation["category_id"] = category
    path.write_text(json.dumps(raw))
    known = (Category(1, "a"), Category(2, "b"), Category(3, "c"))
    extra: Box = (100, 80, 120, 100)
    right = rectangles([*FIRST, extra], labels=[0, 1, 2], categories=known)
    assert figures(path, Prepared(right))["mask"]["per_category"] == {
        "a": pytest.approx(1.0),
        "b": pytest.approx(1.0),
    }
    half = rectangles(FIRST[:1], categories=known)
    assert figures(path, Prepared(half))["box"]["per_category"] == {"a": pytest.approx(1.0), "b": 0}
    swapped = rectangles(FIRST, labels=[1, 0], categories=known)
    assert figures(path, Prepared(swapped))["mask"]["AP"] == 0


def test_annotations_of_a_category_the_model_does_not_know_are_refused(tmp_path: Path) -> None:
    unused = NUCLEUS | {"id": 2, "name": "mitosis"}
    path = write_truth(tmp_path, FIRST, categories=(NUCLEUS, unused))
    assert figures(path, Prepared(rectangles(FIRST)))["box"]["AP"] == pytest.approx(1.0)
    other = (Category(1, "cell"),)
    with pytest.raises(UserError, match=r"truth\.json has annotations of nucleus, which prepared"):
        figures(path, Prepared(rectangles(FIRST, categories=other)))


def test_faster_rcnn_is_measured_by_its_boxes_alone(tmp_path: Path) -> None:
    path = write_truth(tmp_path, FIRST)
    report = figures(path, Prepared(rectangles(FIRST, masks=False)))
    assert report["box"]["AP"] == pytest.approx(1.0)
    assert "mask" not in report


def test_what_cannot_be_measured_is_not_a_number(tmp_path: Path) -> None:
    path = write_truth(tmp_path, [])
    report = figures(path, Prepared(rectangles(FIRST)))
    assert math.isnan(report["box"]["AP"])
    assert math.isnan(report["mask"]["per_category"]["nucleus"])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("missing", r"1\.png is gone"),
        ("other size", r"1\.png is 40 by 30 pixels, but .*truth\.json says 160 by 120"),
        ("no image", r"truth\.json lists no image to evaluate on"),
    ],
)
def test_images_that_cannot_be_evaluated_on_are_refused(
    change: str, says: str, tmp_path: Path
) -> None:
    path = write_truth(tmp_path, FIRST)
    if change == "missing":
        (tmp_path / "1.png").unlink()
    elif change == "other size":
        Image.new("RGB", (40, 30)).save(tmp_path / "1.png")
    else:
        write_json(path, [], [])
    with pytest.raises(UserError, match=says):
        figures(path, Prepared(rectangles(FIRST)))


def test_it_stops_when_asked(tmp_path: Path) -> None:
    class Impatient(TaskContext):
        def raise_if_cancelled(self) -> None:
            raise CancelledError

    path = write_truth(tmp_path, FIRST)
    with pytest.raises(CancelledError):
        evaluate(Prepared(rectangles(FIRST)), read_coco(path), tmp_path, Impatient())


def test_the_mask_of_a_detection_is_cut_at_the_image(tmp_path: Path) -> None:
    found = rectangles([(-10, -20, 30, 40)])
    decoded = coco_mask.decode(detection_rle(found, 0)).astype(bool)
    np.testing.assert_array_equal(decoded, box_mask((0, 0, 30, 40)))
