"""A COCO file as training samples: crops of one size at varied scale, with augmentation.

Masks are cut out around their instances, and those outside a crop are not decoded: an image of a
thousand instances costs no more memory than they cover in the crop.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, get_worker_info
from torchvision import tv_tensors
from torchvision.transforms import v2

from maskstudio.errors import UserError
from maskstudio.formats.coco_reader import CocoAnnotation, CocoFile, CocoImage
from maskstudio.mask_rcnn.instances import Instance, Instances, Window, covered, tightened
from maskstudio.mask_rcnn.settings import Augmentation
from maskstudio.storage.images import read_image, read_size

CACHE_BYTES = 2**30
"""Pixels kept in memory; what does not fit is read from its file each time."""

MOST_INSTANCES = 300
"""In one view; where there are more, it shows less of the image. The region proposal network
compares each of them with each of its anchors."""

SCALES = (0.6, 1.4)
"""How much smaller and larger than in prediction an image is shown."""

# Objects put in from another image, and how much larger or smaller they may become by it.
_MOST_PASTED, _PASTED_SCALE = 3, 1.25
# A mask is kept as fine as this: four pixels to a cell of the RoI mask it teaches.
_MASK_SIDE = 112
# How often an image on which nothing is may be drawn, for each in which there is something.
_EMPTY_SHARE = 0.1


@dataclass(frozen=True)
class Sample:
    """One training view.

    Attributes:
        image: (3, H, W) float, 0 to 1.
        target: `boxes` (n, 4) float xyxy in pixels of `image`; `labels` (n,) int64, 1-based;
            `outlined` (n,) bool, False where the mask is a mere box; `masks` (n, h, w) uint8,
            each of the part of the view around its instance that `windows` (n, 4) xyxy in
            pixels of `image` tells.
    """

    image: Tensor
    target: dict[str, Tensor]


class CocoCrops(Dataset[Sample]):
    """Random crops of the images of a COCO file; crowds are left out.

    An image is scaled so that its shorter side is the network's input size times a random factor,
    and a window of `crop` pixels is cut from it: what training sees has the size that prediction
    sees. Large images hold several windows and are drawn that much more often.
    """

    def __init__(
        self,
        coco: CocoFile,
        images_dir: Path,
        input_size: int,
        crop: int,
        augmentation: Augmentation,
        *,
        copy_paste: float = 0.0,
    ) -> None:
        """Prepare to read; no image is touched yet.

        Args:
            coco: the annotations.
            images_dir: folder that `file_name` is relative to.
            input_size: pixels the shorter side of an image has in prediction.
            crop: side of a training view in pixels.
            augmentation: which changes are allowed.
            copy_paste: share of the views into which objects of other images are put.
        """
        self._coco = coco
        self._images_dir = images_dir
        self._input_size = input_size
        self._crop = crop
        self._instances = Instances(coco)
        every = coco.images.values()
        self._filled = [image for image in every if self._instances.learned(image)]
        if not self._filled:
            raise UserError(f"{coco.path} has no annotated image to learn from.")
        self._images = [*self._filled, *(i for i in every if not coco.annotations[i.id])]
        self._augmentation = augmentation
        self._copy_paste = copy_paste
        self._transform = _transform(augmentation)
        self._pixels: dict[int, NDArray[np.uint8]] = {}
        self._kept_bytes = 0

    def __len__(self) -> int:
        return len(self._images)

    def check_images(self) -> None:
        """Find out, before hours of training and not amid them, whether all images are there.

        Raises:
            UserError: one is missing, unreadable, or has another size than the file says.
        """
        for image in self._images:
            _check_size(self._coco, image, read_size(self._images_dir / image.file_name))

    def weights(self) -> list[float]:
        """How often each image is to be drawn: once for every window it holds, at most four.

        Images on which nothing is come last, and make up a tenth of the views at most.
        """
        filled = [
            min(
                4.0,
                max(i.height, i.width)
                / min(i.height, i.width)
                * (self._input_size / self._crop) ** 2,
            )
            for i in self._filled
        ]
        empty = len(self._images) - len(filled)
        share = min(sum(filled) / len(filled), _EMPTY_SHARE * sum(filled) / max(1, empty))
        return [*filled, *[share] * empty]

    def __getitem__(self, index: int) -> Sample:
        image = self._images[index]
        while True:  # An empty window teaches little; most windows hold something.
            scale = self._scale(image) * _uniform(*SCALES)
            window, seen = self._look(image, scale)
            if seen or index >= len(self._filled) or torch.rand(()) < 0.1:
                return self._view(image, window, seen, scale)

    def _scale(self, image: CocoImage) -> float:
        return self._input_size / min(image.height, image.width)

    def _look(self, image: CocoImage, scale: float) -> tuple[Window, list[Instance]]:
        """Choose a window and return what is seen in it."""
        side = max(8, round(self._crop / scale))
        while True:
            (top, rows), (left, columns) = _span(image.height, side), _span(image.width, side)
            window = (top, left, rows, columns)
            seen = self._instances.within(image, window)
            if len(seen) <= MOST_INSTANCES:
                return window, seen
            side = max(1, min(side, max(rows, columns)) * 2 // 3)

    def _view(self, image: CocoImage, window: Window, seen: list[Instance], scale: float) -> Sample:
        top, left, rows, columns = window
        pixels = self._read(image)[top : top + rows, left : left + columns]
        if self._copy_paste and torch.rand(()) < self._copy_paste:
            pixels, seen = self._pasted(pixels, seen, scale)
        size = (max(1, round(rows * scale)), max(1, round(columns * scale)))
        view = tv_tensors.Image(torch.from_numpy(_resized(pixels, size)).permute(2, 0, 1))
        factor = np.tile([size[1] / columns, size[0] / rows], 2)
        places = np.array([one.box for one in seen], np.float64).reshape(-1, 4) * factor
        boxes = torch.from_numpy(places).float()
        masks = [torch.from_numpy(_bounded(one.mask)) for one in seen]
        if self._augmentation is Augmentation.MICROSCOPY and torch.rand(()) < 0.5:
            view = tv_tensors.Image(view.transpose(-1, -2))
            boxes = boxes[:, [1, 0, 3, 2]]
            masks = [mask.T for mask in masks]
        canvas = (int(view.shape[-2]), int(view.shape[-1]))
        told = tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=canvas)
        view, told, masks = self._transform(view, told, [tv_tensors.Mask(m) for m in masks])
        target = {
            "boxes": told.as_subclass(Tensor),
            "labels": torch.tensor([one.label for one in seen], dtype=torch.int64),
            "outlined": torch.tensor([one.outlined for one in seen], dtype=torch.bool),
        }
        cut = [mask.as_subclass(Tensor) for mask in masks]
        target["masks"], target["windows"] = _padded(cut, target["boxes"])
        return Sample(view.as_subclass(Tensor).float() / 255, target)

    def _pasted(
        self, pixels: NDArray[np.uint8], seen: list[Instance], scale: float
    ) -> tuple[NDArray[np.uint8], list[Instance]]:
        """Put some objects of another image over a view, as Ghiasi et al. do (CVPR 2021)."""
        other = self._filled[int(torch.randint(len(self._filled), ()))]
        annotations = self._instances.learned(other)
        ratio = self._scale(other) * _uniform(*SCALES) / scale
        pixels = pixels.copy()
        for number in torch.randperm(len(annotations))[:_MOST_PASTED].tolist():
            factor = ratio * _uniform(1 / _PASTED_SCALE, _PASTED_SCALE)
            given = self._cutout(other, annotations[number], factor, pixels.shape)
            if given is not None:
                cut, over = given
                x0, y0, x1, y1 = over.box
                pixels[y0:y1, x0:x1][over.mask > 0] = cut[over.mask > 0]
                seen = [*covered(seen, over), over]
        return pixels, seen

    def _cutout(
        self, image: CocoImage, annotation: CocoAnnotation, factor: float, room: tuple[int, ...]
    ) -> tuple[NDArray[np.uint8], Instance] | None:
        """Return an object at another size, and where in a view it goes; None if too large."""
        whole = self._instances.whole(image, annotation)
        if whole is None or not whole.outlined:
            return None
        x0, y0, x1, y1 = whole.box
        size = (max(1, round((y1 - y0) * factor)), max(1, round((x1 - x0) * factor)))
        if size[0] > room[0] or size[1] > room[1] or min(size) < 2:
            return None
        cut = _resized(self._read(image)[y0:y1, x0:x1], size)
        mask = (_resized(whole.mask * np.uint8(255), size) > 127).astype(np.uint8)
        top = int(torch.randint(room[0] - size[0] + 1, ()))
        left = int(torch.randint(room[1] - size[1] + 1, ()))
        over = tightened(whole, top, left, mask)
        if over is None:
            return None
        rows, columns = over.mask.shape
        down, right = over.top - top, over.left - left
        return cut[down : down + rows, right : right + columns], over

    def _read(self, image: CocoImage) -> NDArray[np.uint8]:
        pixels = self._pixels.get(image.id)
        if pixels is None:
            pixels = read_listed_image(self._coco, image, self._images_dir)
            worker = get_worker_info()
            room = CACHE_BYTES // (worker.num_workers if worker else 1)
            if self._kept_bytes + pixels.nbytes <= room:
                self._pixels[image.id] = pixels
                self._kept_bytes += pixels.nbytes
        return pixels


def read_listed_image(coco: CocoFile, image: CocoImage, images_dir: Path) -> NDArray[np.uint8]:
    """Read an image of a COCO file; see `read_image`.

    Raises:
        UserError: it cannot be read, or has another size than the file says.
    """
    pixels = read_image(images_dir / image.file_name)
    _check_size(coco, image, (pixels.shape[0], pixels.shape[1]))
    return pixels


def collate(samples: Sequence[Sample]) -> tuple[list[Tensor], list[dict[str, Tensor]]]:
    """Return a batch as lists: images differ in size."""
    return [sample.image for sample in samples], [sample.target for sample in samples]


def _check_size(coco: CocoFile, image: CocoImage, size: tuple[int, int]) -> None:
    if size != (image.height, image.width):
        raise UserError(
            f"{image.file_name} is {size[1]} by {size[0]} pixels, but "
            f"{coco.path} says {image.width} by {image.height}."
        )


def _transform(augmentation: Augmentation) -> v2.Compose:
    steps: list[torch.nn.Module] = [v2.RandomHorizontalFlip()]
    if augmentation is Augmentation.MICROSCOPY:
        steps += [v2.RandomVerticalFlip(), v2.RandomInvert(0.15), v2.RandomGrayscale(0.15)]
    steps += [
        v2.RandomApply([v2.ColorJitter(0.3, 0.3, 0.3, 0.05)], p=0.7),
        v2.RandomApply([v2.GaussianBlur(5, (0.3, 1.2))], p=0.15),
    ]
    return v2.Compose(steps)


def _uniform(low: float, high: float) -> float:
    return float(torch.empty(()).uniform_(low, high))


def _span(length: int, window: int) -> tuple[int, int]:
    used = min(length, window)
    return int(torch.randint(length - used + 1, ())), used


def _resized(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Scale an image or mask to (height, width), averaging where it becomes smaller."""
    if pixels.shape[:2] == size:
        return pixels.copy()
    smaller = size[0] * size[1] < pixels.shape[0] * pixels.shape[1]
    method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, size[::-1], interpolation=method), np.uint8)


def _bounded(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a mask (rows, columns) uint8 0 or 1 that is no finer than what is learned from it."""
    rows, columns = mask.shape
    size = (min(rows, _MASK_SIDE), min(columns, _MASK_SIDE))
    if size == mask.shape:
        return mask
    return (_resized(mask * np.uint8(255), size) > 127).astype(np.uint8)


def _padded(masks: list[Tensor], boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Put masks (h, w) of boxes (n, 4) into one tensor, with an empty pixel around each.

    Returns:
        Masks (n, H, W) uint8 and the windows (n, 4) that they cover: beyond a box nothing is.
    """
    height = max((mask.shape[0] for mask in masks), default=0) + 2
    width = max((mask.shape[1] for mask in masks), default=0) + 2
    together = torch.zeros(len(masks), height, width, dtype=torch.uint8)
    for into, mask in zip(together, masks, strict=True):
        into[1 : mask.shape[0] + 1, 1 : mask.shape[1] + 1] = mask
    sides = torch.tensor([[mask.shape[1], mask.shape[0]] for mask in masks]).reshape(-1, 2)
    pixel = (boxes[:, 2:] - boxes[:, :2]) / sides
    first = boxes[:, :2] - pixel
    return together, torch.cat([first, first + pixel * torch.tensor([width, height])], dim=1)
