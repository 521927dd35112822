"""The views of an image that are kept to learn from: itself and its mirror image.

The features of a mirror image are not those of the image mirrored, so it is looked at too. Kept is
what enters the feature pyramid where that learns too, else what leaves it.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from maskstudio.mask_rcnn.lessons import Lesson, Objects
from maskstudio.mask_rcnn.scaling import network_image

VIEWS = 2
"""Views of an image."""


@torch.inference_mode()
def views(
    model: FasterRCNN, image: Tensor, objects: Objects, *, below_pyramid: bool
) -> list[Lesson]:
    """Look at an image in each view.

    Args:
        model: in evaluation mode.
        image: (3, H, W) uint8 on the model's device.
        objects: what is there, in pixels of the image.
        below_pyramid: keep what enters the pyramid, not what leaves it.
    """
    look = model.backbone.look if below_pyramid else model.backbone
    mirrored = objects.mirrored(image.shape[-1])
    return [
        _lesson(model.transform, look, *view)
        for view in ((image, objects), (image.flip(2), mirrored))
    ]


def _lesson(
    transform: GeneralizedRCNNTransform,
    look: Callable[[Tensor], Mapping[str, Tensor]],
    image: Tensor,
    objects: Objects,
) -> Lesson:
    height, width = image.shape[-2:]
    shown = network_image(transform, image)
    size = (shown.shape[-2], shown.shape[-1])
    batch = transform.batch_images([shown])
    levels = look(batch)
    return Lesson(
        {name: level.to("cpu", torch.float16) for name, level in levels.items()},
        size,
        (batch.shape[-2], batch.shape[-1]),
        objects.scaled(size[1] / width, size[0] / height),
    )
