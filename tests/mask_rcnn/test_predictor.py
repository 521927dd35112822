"""A predictor turns an image into detections, and stops at once when asked."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torchvision.models.detection import FasterRCNN

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.detections import LOWEST_SCORE
from maskstudio.errors import CancelledError, UserError
from maskstudio.mask_rcnn.architectures import build, default_architecture
from maskstudio.mask_rcnn.device import Device
from maskstudio.mask_rcnn.model_file import ModelInfo, find_model
from maskstudio.mask_rcnn.predictor import MaskRCNNPredictor
from maskstudio.mask_rcnn.stages import detect
from maskstudio.progress import TaskContext

QUIET = TaskContext()


@pytest.fixture(scope="module")
def embedded() -> MaskRCNNPredictor:
    return MaskRCNNPredictor.load(find_model("nuclei"), "cpu")


@pytest.fixture(scope="module")
def tiny() -> tuple[ModelInfo, FasterRCNN]:
    torch.manual_seed(0)
    architecture = replace(
        default_architecture("maskrcnn_resnet10t_fpn"),
        min_size=64,
        max_size=128,
        max_detections=20,
    )
    model = build(architecture, categories=1).eval()
    return ModelInfo("tiny", architecture, (Category(1, "cell"),)), model


def test_the_embedded_model_finds_nuclei(
    embedded: MaskRCNNPredictor, sample_image: NDArray[np.uint8]
) -> None:
    found = embedded.predict(sample_image, QUIET)
    assert np.count_nonzero(found.scores >= 0.5) >= 15
    assert found.model_id == embedded.model_id == "nuclei"
    assert found.size == (520, 696)
    assert [category.name for category in found.categories] == ["nucleus"]
    assert set(found.labels.tolist()) == {0}
    assert (np.diff(found.scores) <= 0).all(), "best score first"
    assert found.scores.min() >= LOWEST_SCORE
    assert (found.boxes[:, :2] < found.boxes[:, 2:]).all()
    assert found.boxes.min() >= 0
    assert (found.boxes <= np.array([696, 520, 696, 520]) + 1e-3).all()
    arrays = (found.boxes, found.labels, found.scores, found.roi_masks)
    types = [array.dtype for array in arrays if array is not None]
    assert types == [np.float32, np.int64, np.float32, np.uint8]
    assert not any(array.flags.writeable for array in arrays if array is not None)


def test_kept_masks_are_within_half_a_step_of_the_probabilities(
    tiny: tuple[ModelInfo, FasterRCNN], cpu: Device
) -> None:
    info, model = tiny
    image = np.random.default_rng(0).integers(0, 255, (70, 90, 3), np.uint8)
    found = MaskRCNNPredictor(info, model, cpu).predict(image, QUIET)
    scaled = torch.from_numpy(image.transpose(2, 0, 1).copy()).float() / 255
    (raw,) = detect(model, [scaled])
    assert raw.roi_masks is not None
    assert found.roi_masks is not None
    assert len(found) == len(raw.boxes) > 0
    np.testing.assert_array_equal(found.boxes, raw.boxes.numpy())
    error = np.abs(found.roi_masks / 255 - raw.roi_masks.numpy())
    assert 0 < error.max() <= 1 / 510 + 1e-6


class CancelledElsewhere(TaskContext):
    """Another thread cancels as soon as the work has begun; checks are counted."""

    def __init__(self) -> None:
        self.checks = 0
        self.begun = threading.Event()
        self.cancelled = threading.Event()

    def raise_if_cancelled(self) -> None:
        self.checks += 1
        self.begun.set()
        assert self.cancelled.wait(60)
        raise CancelledError


class Counting(TaskContext):
    """Counts how often it is asked, and cancels at one of them."""

    def __init__(self, cancel_at: int | None = None) -> None:
        self.checks = 0
        self._cancel_at = cancel_at

    def raise_if_cancelled(self) -> None:
        self.checks += 1
        if self.checks == self._cancel_at:
            raise CancelledError


def test_a_large_network_on_a_large_image_stops_at_the_next_layer(cpu: Device) -> None:
    architecture = default_architecture("maskrcnn_resnet50_fpn")
    info = ModelInfo("large", architecture, (Category(1, "cell"),))
    model = build(architecture, categories=1).eval()
    predictor = MaskRCNNPredictor(info, model, cpu)
    context = CancelledElsewhere()

    def cancel() -> None:
        assert context.begun.wait(60)
        context.cancelled.set()

    person = threading.Thread(target=cancel)
    person.start()
    with pytest.raises(CancelledError):
        predictor.predict(np.zeros((800, 800, 3), np.uint8), context)
    person.join()
    layers = sum(1 for module in model.modules() if not list(module.children()))
    assert layers > 150
    assert context.checks == 1


def test_a_cancel_is_heard_between_any_two_layers(
    tiny: tuple[ModelInfo, FasterRCNN], cpu: Device
) -> None:
    info, model = tiny
    predictor = MaskRCNNPredictor(info, model, cpu)
    image = np.zeros((64, 64, 3), np.uint8)
    whole = Counting()
    before = predictor.predict(image, whole)
    assert whole.checks > 50
    for number in (1, whole.checks // 2, whole.checks):
        context = Counting(cancel_at=number)
        with pytest.raises(CancelledError):
            predictor.predict(image, context)
        assert context.checks == number
    after = predictor.predict(image, QUIET)
    np.testing.assert_array_equal(after.boxes, before.boxes)


@pytest.mark.parametrize("size", [(1, 1), (1, 64), (65, 40), (127, 1)])
def test_images_of_odd_sizes_are_taken_read_only_as_they_come(
    size: tuple[int, int], tiny: tuple[ModelInfo, FasterRCNN], cpu: Device
) -> None:
    image = np.full((*size, 3), 128, np.uint8)
    image.setflags(write=False)
    found = MaskRCNNPredictor(*tiny, cpu).predict(image, QUIET)
    assert found.size == size
    assert (
        not found.boxes.size
        or (found.boxes.max(axis=0) <= np.array([size[1], size[0]] * 2) + 1e-3).all()
    )


@pytest.mark.parametrize("size", [(1, 500), (4000, 2), (1, 128)])
def test_an_image_that_is_all_but_a_line_is_refused(
    size: tuple[int, int], tiny: tuple[ModelInfo, FasterRCNN], cpu: Device
) -> None:
    says = f"An image of {size[1]} by {size[0]} pixels is too narrow for tiny"
    with pytest.raises(UserError, match=says):
        MaskRCNNPredictor(*tiny, cpu).predict(np.zeros((*size, 3), np.uint8), QUIET)


def test_it_says_where_it_runs(embedded: MaskRCNNPredictor) -> None:
    assert embedded.device_name.startswith("CPU, ")
    assert embedded.why_not_gpu == "chosen by hand"
