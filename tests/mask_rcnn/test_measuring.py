"""One pass gives the figures of pycocotools, who was taken for whom, and what is left to do."""

import contextlib
import io
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.detections import Detections, ImageFeatures
from maskstudio.annotation.effort import BOX, DELETE, HAND, RENAME, Effort
from maskstudio.annotation.evaluation import ALL, ModelFigures, Report
from maskstudio.annotation.tiling import Sight, TileChoice, Tiling
from maskstudio.errors import CancelledError, UserError
from maskstudio.formats.coco_reader import read_coco
from maskstudio.mask_rcnn.evaluator import evaluate
from maskstudio.mask_rcnn.measuring import Yardstick, measure
from maskstudio.progress import TaskContext
from support.coco_sets import NUCLEUS
from support.prepared import SIZE, Box, Prepared, Seen, rectangles, write_truth

FIRST: list[Box] = [(10, 10, 30, 30), (50, 10, 90, 40)]
SECOND: list[Box] = [(20, 60, 60, 100)]
EXTRA: Box = (100, 80, 120, 100)
BY_HAND = 4 + HAND
TWO = (NUCLEUS | {"id": 9, "name": "a"}, NUCLEUS | {"id": 0, "name": "b"})
A, B, C = Category(1, "a"), Category(2, "b"), Category(3, "c")


def measured(path: Path, predictor: Prepared, **more: object) -> ModelFigures:
    yardstick = Yardstick(read_coco(path), path.parent)
    return measure(predictor, yardstick, TaskContext(), **more)  # type: ignore[arg-type]


def two_categories(folder: Path) -> Path:
    """FIRST, the left one of category `a` and the right one of `b`, whose id is 0."""
    path = write_truth(folder, FIRST, categories=TWO)
    raw = json.loads(path.read_text())
    for annotation, category in zip(raw["annotations"], (9, 0), strict=True):
        annotation["category_id"] = category
    path.write_text(json.dumps(raw))
    return path


ANSWERS = (
    rectangles([FIRST[0], EXTRA, FIRST[1], (48, 12, 88, 44)], [0.9, 0.85, 0.8, 0.3]),
    rectangles([(23, 63, 63, 103)], [0.83]),
)


def test_figures_and_curves_are_those_of_pycocotools(tmp_path: Path) -> None:
    path = write_truth(tmp_path, FIRST, SECOND)
    found = measured(path, Prepared(*ANSWERS))
    plain = evaluate(Prepared(*ANSWERS), read_coco(path), tmp_path, TaskContext())
    for figures, kind in ((found.box, "box"), (found.mask, "mask")):
        assert figures is not None
        expected = {
            key: None if isinstance(value, float) and np.isnan(value) else value
            for key, value in plain[kind].items()
        }
        assert figures.summary() == expected
    assert found.mask is not None
    assert found.mask.ap is not None
    assert 0 < found.mask.ap < 1
    assert found.mask.large is None
    precision = by_pycocotools(path)
    for curve in found.box.curves:
        at = {0.5: 0, 0.75: 5}[curve.iou]
        np.testing.assert_allclose(curve.precision, precision[at], atol=5e-5)
    assert [(c.category, c.iou) for c in found.box.curves] == [
        *((ALL, 0.5), ("nucleus", 0.5)),
        *((ALL, 0.75), ("nucleus", 0.75)),
    ]
    assert len(set(found.box.curves[0].precision)) > 1


def by_pycocotools(path: Path) -> np.ndarray:
    """The precision of ANSWERS' boxes at the thresholds of IoU and of recall."""
    results = [
        {
            "image_id": number,
            "category_id": 1,
            "score": float(score),
            "bbox": [float(x0), float(y0), float(x1 - x0), float(y1 - y0)],
        }
        for number, answer in enumerate(ANSWERS, start=1)
        for (x0, y0, x1, y1), score in zip(answer.boxes, answer.scores, strict=True)
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(path))
        run = COCOeval(truth, truth.loadRes(results), "bbox")
        run.evaluate()
        run.accumulate()
    return np.asarray(run.eval["precision"][:, :, 0, 0, -1])


def test_what_a_person_would_have_to_do_is_about_what_she_is_shown(tmp_path: Path) -> None:
    """What has a score below 0.5 is neither to be deleted nor does it find anything."""
    path = write_truth(tmp_path, [*FIRST, EXTRA], SECOND)
    answer = rectangles([FIRST[0], (0, 80, 20, 100), FIRST[1]], [0.9, 0.6, 0.4])
    predictor = Prepared(answer, rectangles([]))
    found = measured(path, predictor)
    assert found.effort == Effort(
        accepted=1, deleted=1, boxed=3, gestures=DELETE + 3 * BOX, by_hand=4 * BY_HAND
    )
    asked = [[list(box) for box in (FIRST[1], EXTRA)], [list(SECOND[0])]]
    assert predictor.prompted == asked
    assert found.confusion.counts == ((1, 3), (1, 0))


def test_a_box_prompt_counts_where_it_is_good_enough(tmp_path: Path) -> None:
    path = write_truth(tmp_path, FIRST)
    found = measured(path, Prepared(rectangles([]), reach=0.7))
    assert found.effort == Effort(drawn=2, gestures=2 * BY_HAND, by_hand=2 * BY_HAND)


def test_doubles_that_the_program_leaves_out_are_not_to_be_deleted(tmp_path: Path) -> None:
    path = write_truth(tmp_path, FIRST[:1])
    found = measured(path, Prepared(rectangles([FIRST[0], (11, 10, 31, 30)], [0.9, 0.8])))
    assert found.effort == Effort(accepted=1, by_hand=BY_HAND)


def test_what_has_no_likely_pixel_is_shown_to_nobody(tmp_path: Path) -> None:
    path = write_truth(tmp_path, FIRST[:1])
    answer = rectangles([FIRST[0], EXTRA])
    assert answer.roi_masks is not None
    masks = answer.roi_masks.copy()
    masks[1] = 100
    found = measured(path, Prepared(replace(answer, roi_masks=masks)))
    assert found.effort == Effort(accepted=1, by_hand=BY_HAND)
    assert found.confusion.counts == ((1, 0), (0, 0))


def of_both(*labels: int) -> Detections:
    return rectangles(FIRST, labels=labels, categories=(A, B, C))


def test_one_category_taken_for_the_other_is_counted(tmp_path: Path) -> None:
    path = two_categories(tmp_path)
    found = measured(path, Prepared(of_both(0, 0)))
    assert found.confusion.categories == ("b", "a"), "by id"
    assert found.confusion.counts == ((0, 1, 0), (0, 1, 0), (0, 0, 0))
    assert found.effort == Effort(accepted=1, adjusted=1, gestures=RENAME, by_hand=2 * BY_HAND)
    assert found.best.per_category == {"b": 0, "a": pytest.approx(1)}


def test_what_the_data_has_no_category_for_is_left_out(tmp_path: Path) -> None:
    found = measured(two_categories(tmp_path), Prepared(of_both(0, 2)))
    assert found.effort is not None
    assert (found.effort.accepted, found.effort.deleted) == (1, 0)
    assert found.confusion.counts == ((0, 0, 1), (0, 1, 0), (0, 0, 0))
    assert found.unknown == ()


def test_a_model_is_measured_on_what_it_does_not_know(tmp_path: Path) -> None:
    """Another model is to be compared with it; box prompts outline things it has no name for."""
    answer = rectangles(FIRST[:1], categories=(A,))
    found = measured(two_categories(tmp_path), Prepared(answer))
    assert found.unknown == ("b",)
    assert found.best.per_category == {"b": 0, "a": pytest.approx(1)}
    assert found.effort == Effort(accepted=1, boxed=1, gestures=BOX, by_hand=2 * BY_HAND)


def test_a_models_categories_may_be_called_otherwise(tmp_path: Path) -> None:
    path = two_categories(tmp_path)
    names = {"c": "b", "b": ""}
    found = measured(path, Prepared(of_both(0, 2)), names=names)
    assert found.effort == Effort(accepted=2, by_hand=2 * BY_HAND)
    assert found.best.ap == pytest.approx(1)
    ignored = measured(path, Prepared(of_both(0, 1)), names={"b": ""})
    assert ignored.unknown == ("b",)
    assert ignored.best.per_category == {"b": 0, "a": pytest.approx(1)}


def test_a_model_of_boxes_has_neither_masks_nor_outlines_to_adjust(tmp_path: Path) -> None:
    path = write_truth(tmp_path, FIRST)
    predictor = Prepared(rectangles([FIRST[0], EXTRA], masks=False))
    found = measured(path, predictor)
    assert (found.mask, found.effort) == (None, None)
    assert found.confusion.counts == ((1, 1), (1, 0))
    assert predictor.prompted == []
    assert found.best is found.box


def test_a_crowd_is_neither_missed_nor_wrong(tmp_path: Path) -> None:
    path = write_truth(tmp_path, [*FIRST, (0, 60, 160, 120)])
    raw = json.loads(path.read_text())
    raw["annotations"][2]["iscrowd"] = 1
    path.write_text(json.dumps(raw))
    for masks in (True, False):
        found = measured(path, Prepared(rectangles([*FIRST, (10, 70, 30, 90)], masks=masks)))
        assert found.confusion.counts == ((2, 0), (0, 0))
        assert found.effort == (Effort(accepted=2, by_hand=2 * BY_HAND) if masks else None)


def test_the_report_tells_what_was_measured_on(tmp_path: Path) -> None:
    path = write_truth(tmp_path, FIRST, SECOND)
    yardstick = Yardstick(read_coco(path), tmp_path)
    one = measure(Prepared(*ANSWERS), yardstick, TaskContext())
    report = yardstick.report("truth.json", (one,))
    assert (report.images, report.objects, report.min_score) == (2, 3, 0.5)
    assert Report.from_json(report.to_json()) == report
    assert report.models[0].summary()["sha256"] == report.sha256


def test_the_same_data_has_the_same_hash_whatever_its_ids_and_order(tmp_path: Path) -> None:
    path = write_truth(tmp_path, FIRST, SECOND)
    before = Yardstick(read_coco(path), tmp_path).sha256
    raw = json.loads(path.read_text())
    raw["annotations"].reverse()
    raw["images"].reverse()
    for number, annotation in enumerate(raw["annotations"], start=70):
        annotation["id"] = number
    path.write_text(json.dumps(raw))
    assert Yardstick(read_coco(path), tmp_path).sha256 == before
    raw["annotations"].pop()
    path.write_text(json.dumps(raw))
    assert Yardstick(read_coco(path), tmp_path).sha256 != before


class Nearsighted(Prepared):
    """Finds bright rectangles, but nothing in what is larger than a tile."""

    sight = Sight(64, 128, 8)

    def see(self, image: NDArray[np.uint8], context: TaskContext) -> ImageFeatures:
        context.raise_if_cancelled()
        found = []
        if max(image.shape) <= 64:
            _, _, around, _ = cv2.connectedComponentsWithStats(image[:, :, 0].copy())
            found = [(x, y, x + w, y + h) for x, y, w, h, _ in around[1:].tolist()]
        return Seen(replace(rectangles(found), size=(image.shape[0], image.shape[1])))


def test_a_large_image_is_looked_at_in_tiles_where_that_is_wanted(tmp_path: Path) -> None:
    path = write_truth(tmp_path, FIRST)
    picture = np.zeros((*SIZE, 3), np.uint8)
    for x0, y0, x1, y1 in FIRST:
        picture[y0:y1, x0:x1] = 255
    Image.fromarray(picture).save(tmp_path / "1.png")
    blind = measured(path, Nearsighted(rectangles([])))
    assert blind.effort == Effort(boxed=2, gestures=2 * BOX, by_hand=2 * BY_HAND)
    found = measured(path, Nearsighted(rectangles([])), tiling=Tiling(TileChoice.ALWAYS))
    assert found.effort == Effort(accepted=2, by_hand=2 * BY_HAND)
    assert found.best.ap == pytest.approx(1)


def test_no_image_is_said(tmp_path: Path) -> None:
    path = write_truth(tmp_path)
    with pytest.raises(UserError, match=r"truth\.json lists no image to evaluate on"):
        measured(path, Prepared(rectangles([])))


def test_it_stops_when_asked(tmp_path: Path) -> None:
    class Impatient(TaskContext):
        def raise_if_cancelled(self) -> None:
            raise CancelledError

    path = write_truth(tmp_path, FIRST)
    with pytest.raises(CancelledError):
        measure(Prepared(rectangles(FIRST)), Yardstick(read_coco(path), tmp_path), Impatient())
