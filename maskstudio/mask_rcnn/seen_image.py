"""What the network saw of one image, kept so that it can be asked again and again."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from maskstudio.mask_rcnn.stages import Seen


@dataclass(eq=False)
class SeenImage:
    """One image's features; implements `annotation.detections.ImageFeatures`.

    Attributes:
        image: (height, width, 3) uint8 RGB, as it was given; not to be changed.
        seen: a batch of one; another after the GPU that held the first has failed.
        viewer: the backbone, with its pyramid, that saw it.
        proposer: the region proposal network whose proposals these are.
    """

    image: NDArray[np.uint8]
    seen: Seen
    viewer: nn.Module
    proposer: nn.Module

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the image."""
        return self.seen.sizes[0]

    @property
    def device(self) -> torch.device:
        """Where the features lie."""
        return self.seen.proposals[0].device

    @property
    def nbytes(self) -> int:
        """Memory it takes, on the model's device and off it."""
        tensors = [*self.seen.features.values(), *self.seen.proposals]
        # A level may be a view of another; what counts is the memory below it.
        stores = {tensor.untyped_storage().data_ptr(): tensor for tensor in tensors}
        below = sum(tensor.untyped_storage().nbytes() for tensor in stores.values())
        return below + self.image.nbytes

    @property
    def scale(self) -> Tensor:
        """Pixels of the network's image for each pixel of the image: (4,), for xyxy."""
        return scale_of(self.seen)


def scale_of(seen: Seen) -> Tensor:
    """Return pixels of the network's image for each pixel of the image: (4,), for xyxy."""
    (height, width), (rows, columns) = seen.scaled[0], seen.sizes[0]
    return torch.tensor([width / columns, height / rows]).repeat(2)
