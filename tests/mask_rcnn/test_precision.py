"""Shorter numbers find the same as float32, and are chosen where they are fast.

How far they are off on hundreds of nuclei and in mask AP: tests/benchmarks/throughput.py.
"""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torchvision.ops import box_iou

from maskstudio.annotation.detections import Detections
from maskstudio.annotation.masks import mask_iou
from maskstudio.mask_rcnn.architectures import build, default_architecture
from maskstudio.mask_rcnn.device import Device
from maskstudio.mask_rcnn.evaluator import detection_rle
from maskstudio.mask_rcnn.model_file import find_model, load_model
from maskstudio.mask_rcnn.precision import (
    FLOAT16,
    FLOAT32,
    MOSTLY_BFLOAT16,
    Precision,
    choose_precision,
    lower,
)
from maskstudio.mask_rcnn.predictor import MaskRCNNPredictor
from maskstudio.mask_rcnn.stages import detect
from maskstudio.progress import TaskContext
from maskstudio.resources import resource_path
from maskstudio.storage.images import read_image

CPU = torch.device("cpu")


def find(precision: Precision, device: Device, image: NDArray[np.uint8]) -> Detections:
    predictor = MaskRCNNPredictor(*load_model(find_model("nuclei")), device, precision)
    assert predictor.facts().precision == precision.name
    return predictor.predict(image, TaskContext())


@pytest.mark.parametrize("name", ["fluorescence-small.png", "stained-pink-1.png"])
def test_bfloat16_finds_the_nuclei_that_float32_finds(name: str, cpu: Device) -> None:
    image = read_image(resource_path("samples", "nuclei", name))
    exact = find(FLOAT32, cpu, image)
    short = find(MOSTLY_BFLOAT16, cpu, image)
    overlap = box_iou(*(torch.from_numpy(one.boxes.copy()) for one in (exact, short))).numpy()
    seen = np.flatnonzero(exact.scores > 0.5)
    assert len(seen) >= 5
    boxes = overlap[seen].max(axis=1)
    masks = [
        mask_iou(detection_rle(exact, int(i)), detection_rle(short, int(overlap[i].argmax())))
        for i in seen
    ]
    assert boxes.mean() >= 0.98
    assert np.mean(masks) >= 0.97
    assert boxes.min() > 0.5, "every one of them is found"


@pytest.mark.parametrize("half", [MOSTLY_BFLOAT16, Precision("b", torch.bfloat16, throughout=True)])
@pytest.mark.parametrize(
    "name", ["maskrcnn_resnet50_fpn_v2", "fasterrcnn_resnet50_fpn", "maskrcnn_resnet10t_fpn"]
)
def test_every_part_of_every_family_takes_and_gives_float32(name: str, half: Precision) -> None:
    torch.manual_seed(0)
    model = build(default_architecture(name), categories=2).eval()
    model.transform.min_size, model.transform.max_size = (64,), 64
    lower(model, half)
    with torch.inference_mode():
        features = model.backbone(torch.rand(1, 3, 64, 64))
    assert {level.dtype for level in features.values()} == {torch.float32}
    (found,) = detect(model, [torch.rand(3, 64, 64)])
    assert found.boxes.dtype == found.scores.dtype == torch.float32
    shorter = [p for p in model.parameters() if p.dtype == torch.bfloat16]
    assert sum(p.numel() for p in shorter) > sum(p.numel() for p in model.parameters()) / 2


def test_float32_leaves_a_model_as_it_is() -> None:
    model = build(default_architecture("fasterrcnn_resnet10t_fpn"), categories=1)
    before = list(model.state_dict())
    lower(model, FLOAT32)
    assert list(model.state_dict()) == before
    assert {p.dtype for p in model.parameters()} == {torch.float32}


@pytest.mark.parametrize(("has", "chosen"), [(True, MOSTLY_BFLOAT16), (False, FLOAT32)])
def test_a_cpu_takes_bfloat16_where_it_multiplies_them_itself(
    has: bool, chosen: Precision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: has, raising=False)
    assert choose_precision(CPU) is chosen


def test_a_torch_that_cannot_tell_stays_at_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported", raising=False)
    assert choose_precision(CPU) is FLOAT32


@pytest.mark.parametrize(("generation", "chosen"), [((6, 1), FLOAT32), ((7, 0), FLOAT16)])
def test_a_gpu_takes_float16_from_volta_on(
    generation: tuple[int, int], chosen: Precision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: generation)
    assert choose_precision(torch.device("cuda")) is chosen


def test_an_apple_gpu_stays_at_float32() -> None:
    assert choose_precision(torch.device("mps")) is FLOAT32
