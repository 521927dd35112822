"""A second look at a small part of a large image.

The network sees an image scaled down to its input size. What is small in it then covers a few
places of the coarsely spaced features, and its outline is lost; a window around it, scaled down
less, goes through the network in a fraction of the time the image took.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.models.detection import FasterRCNN

from maskstudio.mask_rcnn.seen_image import SeenImage
from maskstudio.mask_rcnn.stages import Seen, see_scaled

# An object is shown this large, in pixels of the network's image: a dozen places of the finest
# features, spaced by 4. Beyond that nothing is gained (tests/benchmarks/prompts.py).
_SHOWN = 48.0
# Its surroundings tell the object from the background: a window is so many times as wide as it.
_AROUND = 4.0
# Enlarged more than this a photograph shows nothing new.
_MOST_ENLARGED = 2.0
# What is shown so much larger than in the whole image is worth a second look.
_WORTH = 2.0
# Far to the right a box of a hundredth of a pixel has no width left in float32.
_LEAST_SIDE = 1e-3
# A window at a place is at most so large, in pixels of the network's image.
_LARGEST = _SHOWN * _AROUND


@dataclass(frozen=True)
class Window:
    """A part of an image to be looked at.

    Attributes:
        corner: column and row where it begins, in whole pixels of the image.
        size: (height, width) in pixels of the image.
        zoom: pixels of the network's image for each pixel of the image.
    """

    corner: tuple[int, int]
    size: tuple[int, int]
    zoom: float


def window_for(seen: SeenImage, box: Tensor) -> Window | None:
    """Return the window in which a box is to be seen; None where the whole image shows it as well.

    Args:
        seen: the whole image.
        box: (4,) xyxy in pixels of the image.
    """
    side = max(float((box[2:] - box[:2]).max()), _LEAST_SIDE)
    zoom = min(_MOST_ENLARGED, _SHOWN / side)
    if zoom < _WORTH * float(seen.scale.min()):
        return None
    middle = (box[:2] + box[2:]) / 2
    return _window(seen.size, middle, side * _AROUND, zoom)


def window_at(seen: SeenImage, place: Tensor) -> Window | None:
    """Return the window in which to look for small objects at a place (x, y); None as above."""
    inside = (place >= 0).all() and place[0] < seen.size[1] and place[1] < seen.size[0]
    if not inside or _WORTH * float(seen.scale.min()) > 1:
        return None
    return _window(seen.size, place, _LARGEST, 1.0)


def look_closer(model: FasterRCNN, seen: SeenImage, window: Window, *, propose: bool) -> Seen:
    """Run everything before the heads on a window, the region proposal network if wanted."""
    (x, y), (height, width) = window.corner, window.size
    part = torch.from_numpy(seen.image[y : y + height, x : x + width].transpose(2, 0, 1).copy())
    size = (max(1, round(height * window.zoom)), max(1, round(width * window.zoom)))
    pixels = (part.to(seen.device).float() / 255)[None]
    scaled = functional.interpolate(pixels, size=size, mode="bilinear", antialias=window.zoom < 1)
    return see_scaled(model, scaled[0], window.size, propose=propose)


def _window(size: tuple[int, int], middle: Tensor, side: float, zoom: float) -> Window:
    ends = torch.tensor([size[1], size[0]])
    begin = (middle.cpu() - side / 2).floor().long().clamp(min=0)
    end = (middle.cpu() + side / 2).ceil().long()
    begin, end = torch.minimum(begin, ends - 1), torch.minimum(end, ends)
    (x, y), (width, height) = begin.tolist(), (end - begin).clamp(min=1).tolist()
    return Window((x, y), (height, width), zoom)
