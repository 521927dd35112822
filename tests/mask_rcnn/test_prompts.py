"""A box becomes an outline with categories, and a place becomes a few objects to choose from."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torchvision.ops import box_iou

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.box_answers import MAX_CHOICES, BoxAnswers
from maskstudio.annotation.masks import mask_iou
from maskstudio.errors import CancelledError, UserError
from maskstudio.formats.coco_reader import read_coco
from maskstudio.mask_rcnn.architectures import build, default_architecture
from maskstudio.mask_rcnn.device import choose_device
from maskstudio.mask_rcnn.model_file import ModelInfo, find_model, load_model
from maskstudio.mask_rcnn.precision import FLOAT32
from maskstudio.mask_rcnn.predictor import MaskRCNNPredictor
from maskstudio.progress import TaskContext
from maskstudio.resources import resource_path
from support.drawn_boxes import Drawn, as_box, draw, filled, plain_masks, traced

QUIET = TaskContext()
TRUTH = Path(__file__).parents[1] / "data" / "nuclei" / "samples.json"


@pytest.fixture(scope="module")
def embedded() -> MaskRCNNPredictor:
    return MaskRCNNPredictor.load(find_model("nuclei"), "cpu")


@pytest.fixture(scope="module")
def drawn() -> list[Drawn]:
    """Sample pictures with boxes as a person might draw them."""
    return draw(read_coco(TRUTH), resource_path("samples", "nuclei"), every=1)


def tiny(name: str, categories: int) -> MaskRCNNPredictor:
    """A small network with fresh weights."""
    torch.manual_seed(0)
    architecture = replace(default_architecture(name), min_size=64, max_size=128)
    known = tuple(Category(number, f"kind {number}") for number in range(1, categories + 1))
    model = build(architecture, categories).eval()
    return MaskRCNNPredictor(
        ModelInfo("tiny", architecture, known), model, choose_device("cpu"), FLOAT32
    )


@pytest.fixture(scope="module")
def five() -> MaskRCNNPredictor:
    """A Mask R-CNN of five categories."""
    return tiny("maskrcnn_resnet10t_fpn", 5)


@pytest.fixture(scope="module")
def noise() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 255, (70, 90, 3), np.uint8)


def overlap(answers: BoxAnswers, one: Drawn) -> list[float]:
    return [
        mask_iou(filled(answers.outline(index), one.size), truth)
        for index, truth in enumerate(one.truth)
    ]


def test_outlines_of_drawn_boxes_are_nearer_the_truth_than_the_mask_heads_own(
    embedded: MaskRCNNPredictor, drawn: list[Drawn]
) -> None:
    _, model = load_model(find_model("nuclei"))
    ours, plain = [], []
    for one in drawn:
        ours += overlap(embedded.answer(embedded.see(one.pixels, QUIET), one.boxes, QUIET), one)
        masks = plain_masks(model, one)
        for mask, corners, truth in zip(masks, one.boxes, one.truth, strict=True):
            plain.append(mask_iou(traced(mask, as_box(corners), one.size), truth))
    assert len(ours) == 151
    assert np.mean(ours) > 0.86
    assert np.mean(ours) > np.mean(plain) + 0.005


def test_small_objects_of_a_large_picture_are_looked_at_closer(
    embedded: MaskRCNNPredictor, drawn: list[Drawn]
) -> None:
    one = drawn[0]
    large = np.tile(one.pixels, (6, 6, 1))
    features = embedded.see(large, QUIET)
    chosen = slice(0, None, 4)
    boxes = one.boxes[chosen] + [512, 256, 512, 256]
    answers = embedded.answer(features, boxes, QUIET)
    found = [
        mask_iou(filled(outline.translated(-512, -256), one.size), truth)
        for index, truth in enumerate(one.truth[chosen])
        if (outline := answers.outline(index))
    ]
    own = overlap(embedded.answer(embedded.see(one.pixels, QUIET), one.boxes, QUIET), one)[chosen]
    assert len(found) == len(boxes)
    assert np.mean(found) > np.mean(own) - 0.03, "as good as where the picture is small"


def test_answers_come_in_the_order_of_the_boxes_however_each_is_looked_at(
    embedded: MaskRCNNPredictor, drawn: list[Drawn]
) -> None:
    features = embedded.see(np.tile(drawn[0].pixels, (4, 4, 1)), QUIET)
    boxes = np.array([[20, 20, 50, 45], [0, 0, 900, 700], [600, 300, 625, 330], [9, 9, 800, 999.0]])
    together = embedded.answer(features, boxes, QUIET)
    np.testing.assert_allclose(together.boxes, boxes, atol=1e-3)
    for index, box in enumerate(boxes):
        alone = embedded.answer(features, box[None], QUIET)
        np.testing.assert_allclose(together.mask_boxes[index], alone.mask_boxes[0], atol=1e-3)
        assert alone.roi_masks is not None
        assert together.roi_masks is not None
        difference = together.roi_masks[index].astype(int) - alone.roi_masks[0]
        assert np.abs(difference).max() <= 2


def test_the_likeliest_categories_come_first_each_with_a_mask_of_its_own(
    five: MaskRCNNPredictor, noise: NDArray[np.uint8]
) -> None:
    features = five.see(noise, QUIET)
    answers = five.answer(features, np.array([[5, 5, 40, 50], [20, 10, 80, 60]]), QUIET)
    assert (len(answers), answers.choices, answers.model_id) == (2, MAX_CHOICES, "tiny")
    assert (np.diff(answers.scores, axis=1) <= 0).all()
    assert (answers.scores.sum(axis=1) < 1).all()
    assert all(len(set(labels)) == MAX_CHOICES for labels in answers.labels.tolist())
    assert answers.category(0) == five.categories[answers.labels[0, 0]]
    assert answers.score(1, 2) == pytest.approx(answers.scores[1, 2])
    assert answers.roi_masks is not None
    assert not np.array_equal(answers.roi_masks[0, 0], answers.roi_masks[0, 1])
    arrays = (answers.boxes, answers.labels, answers.scores, answers.roi_masks)
    assert not any(array.flags.writeable for array in arrays)


def test_a_faster_r_cnn_names_what_is_in_a_box_and_draws_nothing(
    noise: NDArray[np.uint8],
) -> None:
    predictor = tiny("fasterrcnn_resnet10t_fpn", 2)
    features = predictor.see(noise, QUIET)
    answers = predictor.answer(features, np.array([[5, 5, 40, 50]]), QUIET)
    assert answers.roi_masks is None
    assert answers.outline(0) is None
    assert answers.choices == 2
    assert answers.box(0) == (5, 5, 40, 50)
    offered = predictor.candidates(features, 45, 35, QUIET)
    assert offered.roi_masks is None


@pytest.mark.parametrize("name", ["maskrcnn_resnet10t_fpn", "fasterrcnn_resnet10t_fpn"])
def test_no_boxes_no_answers(name: str, noise: NDArray[np.uint8]) -> None:
    predictor = tiny(name, 1)
    assert len(predictor.answer(predictor.see(noise, QUIET), np.zeros((0, 4)), QUIET)) == 0


@pytest.mark.parametrize(
    ("box", "says"),
    [
        ((5, 5, 5, 20), "has no size or lies outside"),
        ((30, 5, 10, 20), "has no size or lies outside"),
        ((95, 5, 120, 20), "has no size or lies outside"),
        ((-20, -20, -1, 5), "has no size or lies outside"),
        ((5, np.nan, 9, 20), "not a number"),
        ((5, 5, np.inf, 20), "not a number"),
    ],
)
def test_a_box_that_holds_nothing_is_refused_in_one_sentence(
    box: tuple[float, ...], says: str, five: MaskRCNNPredictor, noise: NDArray[np.uint8]
) -> None:
    features = five.see(noise, QUIET)
    with pytest.raises(UserError, match=says):
        five.answer(features, np.array([(1, 1, 9, 9), box]), QUIET)
    assert len(five.answer(features, np.array([(1, 1, 9, 9)]), QUIET)) == 1


@pytest.mark.parametrize(
    "box", [(-50, -50, 500, 500), (89.5, 69.5, 90, 70), (3, 3, 3.02, 3.02), (0, 0, 90, 0.02)]
)
def test_boxes_of_any_size_are_answered_and_cut_to_the_image(
    box: tuple[float, ...], five: MaskRCNNPredictor, noise: NDArray[np.uint8]
) -> None:
    answers = five.answer(five.see(noise, QUIET), np.array([box]), QUIET)
    np.testing.assert_allclose(answers.boxes[0], np.clip(box, 0, [90, 70, 90, 70]), atol=1e-4)
    outline = answers.outline(0)
    assert outline is None or outline.area <= 90 * 70


def test_a_place_in_an_object_offers_it_and_nothing_twice(
    embedded: MaskRCNNPredictor, sample_image: NDArray[np.uint8]
) -> None:
    features = embedded.see(sample_image, QUIET)
    found = embedded.find(features, QUIET)
    for index in range(10):
        x0, y0, x1, y1 = found.box(index)
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        offered = embedded.candidates(features, x, y, QUIET)
        assert len(offered) > 0
        boxes = torch.from_numpy(offered.boxes.copy())
        near = box_iou(boxes[:1], torch.tensor([[x0, y0, x1, y1]]))
        assert near.item() > 0.6, "the surest detection comes first"
        assert (np.diff(offered.scores[:, 0]) <= 0).all()
        between = box_iou(boxes, boxes).fill_diagonal_(0)
        assert between.max() <= 0.6
        for number in range(len(offered)):
            outline = offered.outline(number)
            assert outline is not None
            left, top, right, bottom = outline.box
            assert left <= x <= right
            assert top <= y <= bottom


def test_objects_the_model_missed_are_offered_where_a_person_points(
    embedded: MaskRCNNPredictor, drawn: list[Drawn]
) -> None:
    missed = offered = 0
    for one in drawn:
        features = embedded.see(one.pixels, QUIET)
        found = embedded.find(features, QUIET)
        sure = torch.from_numpy(found.boxes[found.scores >= 0.5].copy())
        for truth, box in zip(one.truth, torch.from_numpy(one.boxes).float(), strict=True):
            if len(sure) and box_iou(box[None], sure).max() >= 0.5:
                continue
            missed += 1
            x, y = ((box[:2] + box[2:]) / 2).tolist()
            candidates = embedded.candidates(features, x, y, QUIET)
            offered += any(
                mask_iou(filled(candidates.outline(index), one.size), truth) >= 0.5
                for index in range(len(candidates))
            )
    assert missed >= 5
    assert offered >= missed / 2


def test_a_small_object_of_a_large_picture_is_offered(
    embedded: MaskRCNNPredictor, drawn: list[Drawn]
) -> None:
    one = drawn[0]
    features = embedded.see(np.tile(one.pixels, (6, 6, 1)), QUIET)
    offered = 0
    for box, truth in zip(one.boxes[::4], one.truth[::4], strict=True):
        x, y = ((box[:2] + box[2:]) / 2).tolist()
        candidates = embedded.candidates(features, x + 512, y + 256, QUIET)
        outlines = [candidates.outline(index) for index in range(len(candidates))]
        moved = [outline.translated(-512, -256) for outline in outlines if outline]
        offered += any(mask_iou(filled(outline, one.size), truth) > 0.7 for outline in moved)
    assert offered >= len(one.truth[::4]) - 1


def test_what_the_border_of_the_closer_look_cuts_is_not_offered(
    embedded: MaskRCNNPredictor, drawn: list[Drawn]
) -> None:
    """At a place it looks at 192 x 192 pixels; the nuclei of this picture are about as wide."""
    one = drawn[0]
    large = np.asarray(cv2.resize(one.pixels, None, fx=9, fy=9, interpolation=cv2.INTER_CUBIC))
    features = embedded.see(large.astype(np.uint8), QUIET)
    offered = 0
    for box in one.boxes[::3]:
        place = (box[:2] + box[2:]) / 2 * 9
        x, y = place.tolist()
        candidates = embedded.candidates(features, x, y, QUIET)
        offered += len(candidates)
        border = np.concatenate([place - 96, place + 96])
        inner = (border > 10) & (border < 9 * 256 - 10)
        near = np.abs(candidates.boxes - border) < 2
        assert not (near & inner).any()
    assert offered >= len(one.boxes[::3])


@pytest.mark.parametrize(("x", "y"), [(-5, 10), (10, 71), (1e9, 1e9), (np.nan, 3)])
def test_a_place_outside_the_image_offers_nothing(
    x: float, y: float, five: MaskRCNNPredictor, noise: NDArray[np.uint8]
) -> None:
    assert len(five.candidates(five.see(noise, QUIET), x, y, QUIET)) == 0


class CancelledAt(TaskContext):
    """Cancels the `number`-th time it is asked."""

    def __init__(self, number: int) -> None:
        self.left = number

    def raise_if_cancelled(self) -> None:
        self.left -= 1
        if not self.left:
            raise CancelledError


@pytest.mark.parametrize("number", [1, 3, 9])
def test_questions_stop_when_asked(
    number: int, five: MaskRCNNPredictor, noise: NDArray[np.uint8]
) -> None:
    features = five.see(noise, QUIET)
    box = np.array([[5, 5, 40, 50]])
    before = five.answer(features, box, QUIET)
    with pytest.raises(CancelledError):
        five.answer(features, box, CancelledAt(number))
    with pytest.raises(CancelledError):
        five.candidates(features, 40, 30, CancelledAt(number))
    np.testing.assert_array_equal(five.answer(features, box, QUIET).scores, before.scores)


def test_finding_in_what_was_seen_is_the_prediction(
    five: MaskRCNNPredictor, noise: NDArray[np.uint8]
) -> None:
    features = five.see(noise, QUIET)
    five.answer(features, np.array([[5, 5, 40, 50]]), QUIET)
    found, predicted = five.find(features, QUIET), five.predict(noise, QUIET)
    assert len(found) > 0
    np.testing.assert_array_equal(found.boxes, predicted.boxes)
    np.testing.assert_array_equal(found.scores, predicted.scores)
    assert found.roi_masks is not None
    assert predicted.roi_masks is not None
    np.testing.assert_array_equal(found.roi_masks, predicted.roi_masks)


def test_features_say_what_memory_they_take(
    five: MaskRCNNPredictor, noise: NDArray[np.uint8]
) -> None:
    """Levels of a stride of 4 to 64, of 96 channels in float32, of an image scaled to 64 x 96."""
    features = five.see(noise, QUIET)
    places = sum(-(-64 // stride) * -(-96 // stride) for stride in (4, 8, 16, 32, 64))
    least = places * 96 * 4 + noise.nbytes
    assert features.size == (70, 90)
    assert least <= features.nbytes <= least * 1.2 + 1000 * 16
