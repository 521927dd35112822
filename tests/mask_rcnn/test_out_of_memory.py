"""A device that is too small or fails: smaller batches, smaller images, the CPU; said once each.

The GPU here is a CPU that goes by the name of one and raises what a GPU raises.
"""

import copy
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn
from torchvision.models.detection import FasterRCNN

from maskstudio.annotation.annotation import Category
from maskstudio.errors import CancelledError, UserError
from maskstudio.mask_rcnn import placement
from maskstudio.mask_rcnn.architectures import build, default_architecture
from maskstudio.mask_rcnn.device import Device
from maskstudio.mask_rcnn.model_file import ModelInfo
from maskstudio.mask_rcnn.precision import FLOAT32
from maskstudio.mask_rcnn.predictor import MaskRCNNPredictor
from maskstudio.progress import TaskContext

GPU = Device(torch.device("cpu"), "CUDA: a test")
QUIET = TaskContext()
SMALLER = (
    "The GPU has too little memory for this image; tiny looks at images at half the size now and "
    "may miss small objects."
)


def no_room() -> Exception:
    return torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")


def model() -> tuple[ModelInfo, FasterRCNN]:
    torch.manual_seed(0)
    architecture = replace(
        default_architecture("maskrcnn_resnet10t_fpn"), min_size=64, max_size=128, max_detections=9
    )
    info = ModelInfo("tiny", architecture, (Category(1, "cell"),))
    return info, build(architecture, categories=1).eval()


class Memory(nn.Module):
    """Stands before a backbone and lets through what fits.

    Attributes:
        rows: rows of all images of a batch together that fit.
        seen: (images, rows) of each batch that came.
    """

    def __init__(self, inner: nn.Module, rows: float, raised: Callable[[], Exception]) -> None:
        super().__init__()
        self.inner, self.rows, self.raised = inner, rows, raised
        self.seen: list[tuple[int, int]] = []

    def forward(self, images: torch.Tensor) -> object:
        self.seen.append((images.shape[0], images.shape[2]))
        if images.shape[0] * images.shape[2] > self.rows:
            raise self.raised()
        return self.inner(images)


def on_gpu(
    rows: float, raised: Callable[[], Exception] = no_room
) -> tuple[MaskRCNNPredictor, Memory]:
    """A predictor on a GPU that is so large; the CPU beside it knows no bounds."""
    info, network = model()
    spare = copy.deepcopy(network.backbone)

    class Spared(Memory):
        def __deepcopy__(self, memo: object) -> nn.Module:
            return spare

    network.backbone = memory = Spared(network.backbone, rows, raised)
    return MaskRCNNPredictor(info, network, GPU, FLOAT32), memory


def picture(height: int = 64, width: int = 64) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)


def test_an_image_that_does_not_fit_is_looked_at_smaller_and_that_is_said_once() -> None:
    predictor, memory = on_gpu(rows=32)
    found = predictor.predict(picture(), QUIET)
    assert found.size == (64, 64)
    assert len(found) > 0
    predictor.predict(picture(), QUIET)
    assert memory.seen == [(1, 64), (1, 32), (1, 32)]
    assert predictor.facts().steps == (SMALLER,)
    assert predictor.device_name == "CUDA: a test"


def test_what_does_not_fit_even_so_goes_to_the_cpu_at_full_size() -> None:
    predictor, memory = on_gpu(rows=0)
    found = predictor.predict(picture(), QUIET)
    assert memory.seen == [(1, 64), (1, 32)]
    facts = predictor.facts()
    assert facts.steps == (
        SMALLER,
        "The GPU has too little memory even so; tiny goes on with the CPU, at full size.",
    )
    assert facts.device.startswith("CPU")
    assert facts.why_not_gpu == predictor.why_not_gpu == "it has too little memory for this model"
    expected = MaskRCNNPredictor(*model(), Device(torch.device("cpu"), "CPU", "a test"))
    np.testing.assert_array_equal(found.boxes, expected.predict(picture(), QUIET).boxes)


@pytest.mark.parametrize(
    "sentence",
    [
        "MPS backend out of memory (MPS allocated: 8.00 GB)",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    ],
)
def test_lack_of_memory_is_known_by_its_many_words(sentence: str) -> None:
    predictor, _ = on_gpu(32, lambda: RuntimeError(sentence))
    predictor.predict(picture(), QUIET)
    assert predictor.facts().steps == (SMALLER,)


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (
            RuntimeError("CUDA error: an illegal memory access was encountered\nCUDA kernel ..."),
            "The GPU failed (CUDA error: an illegal memory access was encountered); tiny goes on "
            "with the CPU.",
        ),
        (
            NotImplementedError("The operator is not currently implemented for the MPS device."),
            "The GPU failed (The operator is not currently implemented for the MPS device); tiny "
            "goes on with the CPU.",
        ),
    ],
)
def test_a_gpu_that_fails_in_the_middle_leaves_the_work_to_the_cpu(
    raised: Exception, said: str
) -> None:
    predictor, memory = on_gpu(1000, lambda: raised)
    predictor.predict(picture(), QUIET)
    memory.rows = 0
    assert len(predictor.predict(picture(), QUIET)) > 0
    assert len(predictor.predict(picture(), QUIET)) > 0
    assert len(memory.seen) == 2, "the GPU was asked again"
    assert predictor.facts().steps == (said,)


def test_what_a_failed_gpu_had_seen_is_seen_anew() -> None:
    """Its features are gone with it; the image is kept beside them."""
    predictor, _ = on_gpu(1000)
    seen = predictor.see(picture(), QUIET)
    expected = predictor.find(seen, QUIET)
    # Where `meta` tensors lie there are no numbers, as on a GPU that failed.
    seen.seen.proposals[0] = seen.seen.proposals[0].to("meta")
    np.testing.assert_array_equal(predictor.find(seen, QUIET).boxes, expected.boxes)
    assert seen.device == torch.device("cpu")


def test_a_batch_that_does_not_fit_is_halved_until_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(placement, "gpu_megabytes", lambda _: (100.0, 100_000.0))
    predictor, memory = on_gpu(rows=2 * 64)
    images = [picture()] * 9 + [picture(40, 64)]
    found = predictor.predict_many(images, QUIET)
    assert [one.size for one in found] == [(64, 64)] * 9 + [(40, 64)]
    assert [count for count, _ in memory.seen] == [8, 4, 2, 2, 2, 2, 1, 1]
    assert predictor.facts().steps == (
        "The GPU has too little memory for 8 images at once; it takes 4 at a time now.",
        "The GPU has too little memory for 4 images at once; it takes 2 at a time now.",
    )
    alone = predictor.predict(picture(), QUIET)
    np.testing.assert_allclose(found[0].boxes, alone.boxes, atol=1e-3)


def test_a_batch_of_one_that_does_not_fit_goes_the_way_of_one_image(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(placement, "gpu_megabytes", lambda _: (100.0, 4_000.0))
    predictor, memory = on_gpu(rows=0)
    assert len(predictor.predict_many([picture()] * 2, QUIET)) == 2
    assert [count for count, _ in memory.seen] == [1, 1]
    assert predictor.device_name.startswith("CPU")


def test_a_cpu_takes_one_image_at_a_time(cpu: Device) -> None:
    info, network = model()
    network.backbone = memory = Memory(network.backbone, 1000, no_room)
    MaskRCNNPredictor(info, network, cpu, FLOAT32).predict_many([picture()] * 3, QUIET)
    assert [count for count, _ in memory.seen] == [1, 1, 1]


def test_a_computer_without_memory_says_so_after_smaller_images(cpu: Device) -> None:
    info, network = model()
    network.backbone = memory = Memory(network.backbone, 0, MemoryError)
    predictor = MaskRCNNPredictor(info, network, cpu, FLOAT32)
    with pytest.raises(UserError, match="There is too little memory for tiny; close other"):
        predictor.predict(picture(), QUIET)
    assert [rows for _, rows in memory.seen] == [64, 32, 32], "padded to 32"
    memory.rows = 1000
    assert len(predictor.predict(picture(), QUIET)) > 0, "the lane lives on"


def test_other_errors_and_a_cancel_are_no_step_down(cpu: Device) -> None:
    for raised in (RuntimeError("a bug of ours"), CancelledError()):
        predictor, _ = on_gpu(0, lambda raised=raised: raised)  # type: ignore[misc]
        with pytest.raises(type(raised)):
            predictor.predict(picture(), QUIET)
        assert predictor.facts().steps == ()
    info, network = model()
    network.backbone = Memory(network.backbone, 0, lambda: RuntimeError("CUDA error: odd"))
    with pytest.raises(RuntimeError, match="odd"):
        MaskRCNNPredictor(info, network, cpu, FLOAT32).predict(picture(), QUIET)


def test_facts_tell_speed_after_the_first_image_and_memory_at_once(cpu: Device) -> None:
    predictor = MaskRCNNPredictor(*model(), cpu)
    before = predictor.facts()
    assert before.ms_per_image is None
    assert before.device == cpu.name
    assert before.why_not_gpu == "chosen by hand"
    assert before.of_megabytes is None
    assert before.megabytes is not None
    assert 1 < before.megabytes < 100
    seen = predictor.see(picture(), QUIET)
    assert predictor.facts().ms_per_image is None, "half of the work is to come"
    predictor.find(seen, QUIET)
    predictor.predict(picture(), QUIET)
    after = predictor.facts().ms_per_image
    assert after is not None
    assert after > 0
