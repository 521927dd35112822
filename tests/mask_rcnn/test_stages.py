"""The opened forward pass equals torchvision's; mask targets equal the share that is covered."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.models import detection
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.roi_heads import (
    paste_masks_in_image,
    project_masks_on_boxes,
)

from maskstudio.errors import CancelledError
from maskstudio.mask_rcnn.architectures import build, default_architecture
from maskstudio.mask_rcnn.model_file import ModelInfo
from maskstudio.mask_rcnn.stages import RawDetections, detect, interrupted_by, mask_targets

CELLS = 28


def as_tensor(image: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(image.transpose(2, 0, 1).copy()).float() / 255


def assert_same(raw: RawDetections, own: dict[str, Tensor], size: tuple[int, int]) -> None:
    assert len(raw.boxes) == len(own["boxes"])
    # In pixels: float32 holds 3e-5 of one at 500, and the sums are made in another order.
    torch.testing.assert_close(raw.boxes, own["boxes"], rtol=0, atol=1e-4)
    torch.testing.assert_close(raw.scores, own["scores"], rtol=0, atol=1e-5)
    assert torch.equal(raw.labels, own["labels"])
    if "masks" not in own:
        assert raw.roi_masks is None
        return
    assert raw.roi_masks is not None
    assert raw.roi_masks.shape[1:] == (CELLS, CELLS)
    pasted = paste_masks_in_image(raw.roi_masks[:, None], raw.boxes, size)
    # A stored mask has steps of 4e-3.
    torch.testing.assert_close(pasted, own["masks"], rtol=0, atol=2e-4)


@torch.inference_mode()
def test_the_embedded_model_detects_what_torchvisions_forward_does(
    nuclei: tuple[ModelInfo, FasterRCNN], sample_image: NDArray[np.uint8]
) -> None:
    _, model = nuclei
    image = as_tensor(sample_image[:200, :240])
    (raw,) = detect(model, [image])
    (own,) = model([image])
    assert len(raw.boxes) >= 5
    assert_same(raw, own, (200, 240))


@pytest.mark.parametrize("name", ["maskrcnn_resnet50_fpn", "fasterrcnn_resnet50_fpn"])
@torch.inference_mode()
def test_torchvisions_own_network_with_our_weights_finds_the_same(name: str) -> None:
    torch.manual_seed(0)
    architecture = replace(default_architecture(name), min_size=96, max_size=160, max_detections=20)
    ours = build(architecture, categories=3).eval()
    theirs = getattr(detection, name)(
        weights=None,
        weights_backbone=None,
        num_classes=4,
        min_size=96,
        max_size=160,
        box_detections_per_img=20,
    ).eval()
    theirs.load_state_dict(ours.state_dict())
    images = [torch.rand(3, 80, 100), torch.rand(3, 120, 70)]
    own = theirs(images)
    for raw, expected, size in zip(detect(ours, images), own, [(80, 100), (120, 70)], strict=True):
        assert len(raw.boxes) > 0
        assert_same(raw, expected, size)


def covered(low: float, high: float, start: float, end: float) -> NDArray[np.float64]:
    """The share of each of 28 cells between low and high that start..end covers."""
    edges = np.linspace(low, high, CELLS + 1)
    common = np.minimum(edges[1:], end) - np.maximum(edges[:-1], start)
    return np.clip(common, 0, None) / ((high - low) / CELLS)


def rectangle(height: int, width: int, x: slice, y: slice) -> Tensor:
    mask = torch.zeros(1, height, width, dtype=torch.uint8)
    mask[0, y, x] = 1
    return mask


FIRST = torch.tensor([0])


def whole(size: tuple[int, int], count: int = 1) -> Tensor:
    """Say of each of the masks that it shows the whole of an image (height, width)."""
    return torch.tensor([[0.0, 0.0, size[1], size[0]]] * count)


def test_targets_of_a_half_covered_box_are_exact_where_torchvisions_are_half_a_pixel_off() -> None:
    mask = rectangle(40, 48, slice(0, 18), slice(0, 40))
    box = torch.tensor([[4.0, 6.0, 32.0, 34.0]])
    expected = torch.zeros(CELLS, CELLS)
    expected[:, :14] = 1
    assert torch.equal(mask_targets(mask, whole((40, 48)), FIRST, box, CELLS)[0], expected)
    theirs = project_masks_on_boxes(mask, box, FIRST, CELLS)[0]
    assert torch.equal(theirs[:, 13], torch.full((CELLS,), 0.5))


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_targets_are_the_share_of_each_cell_that_the_mask_covers(scale: float) -> None:
    """The network's image is `scale` times as large as the mask; the box is in its pixels."""
    random = np.random.default_rng(1)
    errors, theirs = [], []
    for _ in range(40):
        x0, y0 = random.uniform(0, 30, 2)
        x1, y1 = random.uniform(70, 110, 2)
        left, top = random.integers(0, 60, 2)
        right, bottom = left + random.integers(5, 60), top + random.integers(5, 60)
        mask = rectangle(120, 140, slice(left, right), slice(top, bottom))
        box = torch.tensor([[x0, y0, x1, y1]], dtype=torch.float32)
        size = (int(120 * scale), int(140 * scale))
        targets = mask_targets(mask, whole(size), FIRST, box * scale, CELLS)[0].numpy()
        expected = np.outer(covered(y0, y1, top, bottom), covered(x0, x1, left, right))
        errors.append(np.abs(targets - expected))
        projected = project_masks_on_boxes(mask, box, FIRST, CELLS)[0].numpy()
        theirs.append(np.abs(projected - expected))
    assert np.max(errors) < 0.15
    assert np.mean(errors) < np.mean(theirs) / 5


def test_targets_of_each_box_are_of_its_own_instance() -> None:
    masks = torch.cat(
        [
            rectangle(40, 40, slice(0, 20), slice(0, 40)),
            rectangle(40, 40, slice(20, 40), slice(0, 40)),
        ]
    )
    boxes = torch.tensor([[6.0, 6.0, 34.0, 34.0]]).repeat(3, 1)
    first, second, third = mask_targets(
        masks, whole((40, 40), 2), torch.tensor([1, 0, 1]), boxes, CELLS
    )
    assert torch.equal(first, third)
    assert torch.equal(first + second, torch.ones(CELLS, CELLS))
    assert first[:, 14:].all()
    nothing = mask_targets(masks, whole((40, 40), 2), FIRST[:0], boxes[:0], CELLS)
    assert nothing.shape == (0, CELLS, CELLS)


def raise_after(calls: int) -> tuple[Callable[[], None], list[int]]:
    made: list[int] = []

    def check() -> None:
        made.append(1)
        if len(made) == calls:
            raise CancelledError

    return check, made


@torch.inference_mode()
def test_a_check_before_every_layer_can_end_the_forward_pass_and_leaves_no_trace() -> None:
    model = build(default_architecture("fasterrcnn_resnet10t_fpn"), categories=1).eval()
    image = torch.rand(1, 3, 64, 64)
    check, made = raise_after(3)
    with pytest.raises(CancelledError), interrupted_by(model, check):
        model.backbone(image)
    assert len(made) == 3
    model.backbone(image)
    assert len(made) == 3, "a hook stayed behind"
