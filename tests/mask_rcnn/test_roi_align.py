"""RoI Align on a CPU gives torchvision's numbers, whatever the boxes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision.ops import MultiScaleRoIAlign

from maskstudio.mask_rcnn.roi_align import QuickRoIAlign

STRIDES = [4, 8, 16, 32]
SIZE = (160, 224)
SHAPES = [SIZE, SIZE]


def pyramid() -> dict[str, Tensor]:
    """Two images, four levels, channels last in memory as a network on a CPU gives them."""
    torch.manual_seed(0)
    return {
        str(number): torch.randn(2, 6, SIZE[0] // stride, SIZE[1] // stride).contiguous(
            memory_format=torch.channels_last
        )
        for number, stride in enumerate(STRIDES)
    }


def usual(cells: int) -> MultiScaleRoIAlign:
    return MultiScaleRoIAlign([str(n) for n in range(len(STRIDES))], cells, 2)


edges = st.floats(0, 1, width=32)


@st.composite
def boxes(draw: st.DrawFn) -> Tensor:
    """Boxes within the image, as thin as a line and as large as the image."""
    count = draw(st.integers(0, 6))
    rows = []
    for _ in range(count):
        x0, x1 = sorted((draw(edges), draw(edges)))
        y0, y1 = sorted((draw(edges), draw(edges)))
        rows.append([x0 * SIZE[1], y0 * SIZE[0], x1 * SIZE[1], y1 * SIZE[0]])
    return torch.tensor(rows, dtype=torch.float32).reshape(-1, 4)


@settings(deadline=None, max_examples=60)
@given(first=boxes(), second=boxes(), cells=st.sampled_from([7, 14]))
@torch.inference_mode()
def test_the_cells_of_any_box_are_torchvisions(first: Tensor, second: Tensor, cells: int) -> None:
    # A box as large as the image, so that torchvision has something to go by.
    first = torch.cat([first, torch.tensor([[0.0, 0, SIZE[1], SIZE[0]]])])
    features = pyramid()
    found = QuickRoIAlign(cells, STRIDES)(features, [first, second], SHAPES)
    expected = usual(cells)(features, [first, second], SHAPES)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


@torch.inference_mode()
def test_levels_with_channels_first_in_memory_are_read_as_well() -> None:
    features = {name: level.contiguous() for name, level in pyramid().items()}
    some = [torch.tensor([[3.5, 7.25, 90.0, 60.0]]), torch.tensor([[0.0, 0.0, 20.0, 30.0]])]
    found = QuickRoIAlign(7, STRIDES)(features, some, SHAPES)
    expected = usual(7)(features, some, SHAPES)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


@torch.inference_mode()
def test_no_box_gives_no_cells() -> None:
    nothing = torch.zeros(0, 4)
    found = QuickRoIAlign(7, STRIDES)(pyramid(), [nothing, nothing], SHAPES)
    assert found.shape == (0, 6, 7, 7)


@settings(deadline=None, max_examples=30)
@given(first=boxes(), second=boxes(), cells=st.sampled_from([7, 14]))
def test_the_gradients_are_torchvisions(first: Tensor, second: Tensor, cells: int) -> None:
    first = torch.cat([first, torch.tensor([[0.0, 0, SIZE[1], SIZE[0]]])])
    gradients = []
    for pool in (QuickRoIAlign(cells, STRIDES), usual(cells)):
        features = {name: level.requires_grad_() for name, level in pyramid().items()}
        pooled = pool(features, [first, second], SHAPES)
        # Others for every cell, or a mistake in the order would not be seen.
        (pooled * torch.arange(pooled.numel()).reshape(pooled.shape).remainder(7)).sum().backward()
        gradients.append(
            [
                torch.zeros_like(level) if level.grad is None else level.grad
                for level in features.values()
            ]
        )
    for own, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(own, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("size", [(33, 40), (20, 300)])
@torch.inference_mode()
def test_a_small_first_image_does_not_spoil_the_strides(size: tuple[int, int]) -> None:
    """torchvision guesses strides from the first image, and 33 rows make 9 places, not 8.25."""
    pool = QuickRoIAlign(7, STRIDES)
    small = {
        str(number): torch.randn(1, 6, -(-size[0] // stride), -(-size[1] // stride))
        for number, stride in enumerate(STRIDES)
    }
    pool(small, [torch.tensor([[1.0, 1, 30, 20]])], [size])
    some = [torch.tensor([[3.5, 7.25, 90.0, 60.0]]), torch.zeros(0, 4)]
    expected = QuickRoIAlign(7, STRIDES)(pyramid(), some, SHAPES)
    torch.testing.assert_close(pool(pyramid(), some, SHAPES), expected)
