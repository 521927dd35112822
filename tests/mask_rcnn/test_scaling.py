"""An image comes to the network as torchvision would bring it."""

import pytest
import torch
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from maskstudio.mask_rcnn.scaling import network_image


@pytest.mark.parametrize(
    "size", [(300, 400), (47, 64), (70, 90), (1, 1), (1200, 65), (801, 1400), (64, 64)]
)
def test_the_pixels_are_torchvisions(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    transform = GeneralizedRCNNTransform(64, 128, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    image = torch.randint(0, 256, (*size, 3), dtype=torch.uint8).permute(2, 0, 1)
    expected, _ = transform.eval()([image.float() / 255])
    height, width = expected.image_sizes[0]
    for given in (image, image.float() / 255):
        found = network_image(transform, given)
        assert found.shape == (3, height, width)
        # Noise is the worst there is: a place off by float32's rounding at 1400 counts in full.
        torch.testing.assert_close(
            found, expected.tensors[0][:, :height, :width], rtol=0, atol=1e-3
        )
