"""Boxes as a person might draw them around objects whose outlines are known."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from torchvision.models.detection import FasterRCNN

from maskstudio.annotation.masks import Rle, place, rasterize, trace_roi_mask
from maskstudio.annotation.segmentation import Box, Segmentation
from maskstudio.formats.coco_reader import CocoFile, segmentation_to_rle
from maskstudio.mask_rcnn.stages import run_mask_head, see
from maskstudio.storage.images import read_image

JITTER = 0.05
"""Normal error of every side of a box, in units of the box's width or height."""

_SEED = 4


@dataclass(frozen=True)
class Drawn:
    """Boxes as a person might draw them around the objects of one image.

    Attributes:
        pixels: (height, width, 3) uint8 RGB.
        truth: the objects.
        boxes: (n, 4) float64 xyxy, cut to the image.
    """

    pixels: NDArray[np.uint8]
    truth: list[Rle]
    boxes: NDArray[np.float64]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.pixels.shape[0], self.pixels.shape[1]


def draw(coco: CocoFile, folder: Path, every: int) -> list[Drawn]:
    """Read images and jitter the boxes of their objects, the same way every time."""
    random = np.random.default_rng(_SEED)
    drawn = []
    for image in coco.images.values():
        truth = [
            segmentation_to_rle(a.segmentation, image.height, image.width)
            for a in coco.annotations[image.id]
            if a.segmentation is not None
        ]
        exact = np.array([coco_mask.toBbox(rle) for rle in truth]).reshape(-1, 4)
        sides = np.tile(exact[:, 2:], 2)
        exact[:, 2:] += exact[:, :2]
        boxes = exact + random.normal(0, JITTER, exact.shape) * sides
        boxes = np.clip(boxes, 0, [image.width, image.height] * 2)
        if len(truth[::every]):
            pixels = read_image(folder / image.file_name)
            drawn.append(Drawn(pixels, truth[::every], boxes[::every]))
    return drawn


def plain_masks(model: FasterRCNN, one: Drawn) -> NDArray[np.float32]:
    """Return what the mask head alone gives under each box, (n, 28, 28)."""
    seen = see(model, [torch.from_numpy(one.pixels.transpose(2, 0, 1).copy()).float() / 255])
    (height, width), (rows, columns) = seen.scaled[0], one.size
    scale = torch.tensor([width / columns, height / rows]).repeat(2)
    masks = run_mask_head(model, seen, torch.from_numpy(one.boxes).float() * scale)[:, 1]
    return np.asarray(masks.sigmoid().numpy())


def filled(outline: Segmentation | None, size: tuple[int, int]) -> Rle:
    """Return the pixels of an outline; none where there is none."""
    if outline is None:
        return place(np.zeros((1, 1), np.bool_), 0, 0, *size)
    return rasterize(outline, *size)


def traced(mask: NDArray[np.float32], box: Box, size: tuple[int, int]) -> Rle:
    """Return a RoI mask as it is after tracing."""
    return filled(trace_roi_mask((mask * 255).round().astype(np.uint8), box, size), size)


def as_box(corners: NDArray[np.float64]) -> Box:
    """Return corners as plain numbers."""
    x0, y0, x1, y1 = corners.tolist()
    return x0, y0, x1, y1
