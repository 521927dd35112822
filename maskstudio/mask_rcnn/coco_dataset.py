"""A COCO file as training samples: crops of one size at varied scale, with augmentation.

Only the masks that reach into a crop are decoded, so an image of a thousand instances costs no
more memory than its crop does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.utils.data import Dataset
from torchvision import tv_tensors
from torchvision.transforms import v2

from maskstudio.annotation.masks import decode
from maskstudio.errors import UserError
from maskstudio.formats.coco_reader import (
    CocoAnnotation,
    CocoFile,
    CocoImage,
    segmentation_to_rle,
)
from maskstudio.mask_rcnn.settings import Augmentation
from maskstudio.storage.images import read_image, read_size

CACHE_BYTES = 2**30
"""Pixels kept in memory; what does not fit is read from its file each time."""

# A cut-off object is still learned from while a tenth of it, and at least four pixels, are seen.
_MIN_VISIBLE_SHARE, _MIN_VISIBLE_PIXELS = 0.1, 4
_MIN_SCALE, _MAX_SCALE = 0.6, 1.4


@dataclass(frozen=True)
class Sample:
    """One training view.

    Attributes:
        image: (3, H, W) float, 0 to 1.
        target: `boxes` (n, 4) float xyxy in pixels of `image`, `labels` (n,) int64, 1-based,
            `masks` (n, h, w) uint8 of the same view at the source's resolution.
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
    ) -> None:
        """Prepare to read; no image is touched yet.

        Args:
            coco: the annotations.
            images_dir: folder that `file_name` is relative to.
            input_size: pixels the shorter side of an image has in prediction.
            crop: side of a training view in pixels.
            augmentation: which changes are allowed.
        """
        self._coco = coco
        self._images_dir = images_dir
        self._input_size = input_size
        self._crop = crop
        self._images = [
            image
            for image in coco.images.values()
            if any(_is_learned(annotation) for annotation in coco.annotations[image.id])
        ]
        if not self._images:
            raise UserError(f"{coco.path} has no annotated image to learn from.")
        self._labels = {category.id: n + 1 for n, category in enumerate(coco.categories)}
        self._augmentation = augmentation
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
        """How often each image is to be drawn: once for every window it holds, at most four."""
        return [
            min(
                4.0,
                max(i.height, i.width)
                / min(i.height, i.width)
                * (self._input_size / self._crop) ** 2,
            )
            for i in self._images
        ]

    def __getitem__(self, index: int) -> Sample:
        image = self._images[index]
        while True:  # An empty window teaches little; most windows hold something.
            sample = self._cut(image, self._read(image))
            if len(sample.target["labels"]) or torch.rand(()) < 0.1:
                return sample

    def _read(self, image: CocoImage) -> NDArray[np.uint8]:
        pixels = self._pixels.get(image.id)
        if pixels is None:
            pixels = read_listed_image(self._coco, image, self._images_dir)
            if self._kept_bytes + pixels.nbytes <= CACHE_BYTES:
                self._pixels[image.id] = pixels
                self._kept_bytes += pixels.nbytes
        return pixels

    def _cut(self, image: CocoImage, pixels: NDArray[np.uint8]) -> Sample:
        scale = self._input_size / min(image.height, image.width) * _uniform(_MIN_SCALE, _MAX_SCALE)
        window = max(8, round(self._crop / scale))
        top, rows = _window(image.height, window)
        left, columns = _window(image.width, window)
        masks, labels = self._masks(image, (top, left, rows, columns))
        view = tv_tensors.Image(
            torch.from_numpy(pixels[top : top + rows, left : left + columns].copy()).permute(
                2, 0, 1
            )
        )
        mask = tv_tensors.Mask(torch.from_numpy(masks))
        if self._augmentation is Augmentation.MICROSCOPY and torch.rand(()) < 0.5:
            view, mask = view.transpose(-1, -2), mask.transpose(-1, -2)
        changed, mask = self._transform(tv_tensors.Image(view), tv_tensors.Mask(mask))
        size = [max(1, round(side * scale)) for side in changed.shape[-2:]]
        scaled = functional.interpolate(
            changed.as_subclass(Tensor)[None].float() / 255, size, mode="bilinear", antialias=True
        )[0].clamp(0, 1)
        boxes = _boxes(mask.as_subclass(Tensor), size)
        return Sample(
            scaled,
            {
                "boxes": boxes,
                "labels": torch.tensor(labels, dtype=torch.int64),
                "masks": mask.as_subclass(Tensor).contiguous(),
            },
        )

    def _masks(
        self, image: CocoImage, window: tuple[int, int, int, int]
    ) -> tuple[NDArray[np.uint8], list[int]]:
        top, left, rows, columns = window
        found: list[NDArray[np.uint8]] = []
        labels: list[int] = []
        for annotation in self._coco.annotations[image.id]:
            if not (_is_learned(annotation) and _reaches(annotation, window)):
                continue
            rle = segmentation_to_rle(annotation.segmentation, image.height, image.width)
            whole = decode(rle)
            cut = whole[top : top + rows, left : left + columns]
            seen = np.count_nonzero(cut)
            if seen >= max(_MIN_VISIBLE_PIXELS, _MIN_VISIBLE_SHARE * np.count_nonzero(whole)):
                found.append(cut.astype(np.uint8))
                labels.append(self._labels[annotation.category_id])
        if not found:
            return np.zeros((0, rows, columns), np.uint8), []
        return np.stack(found), labels


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


def _window(length: int, window: int) -> tuple[int, int]:
    used = min(length, window)
    return int(torch.randint(length - used + 1, ())), used


def _is_learned(annotation: CocoAnnotation) -> bool:
    return not annotation.iscrowd and annotation.segmentation is not None


def _reaches(annotation: CocoAnnotation, window: tuple[int, int, int, int]) -> bool:
    top, left, rows, columns = window
    x, y, w, h = annotation.bbox_xywh
    if w <= 0 or h <= 0:  # The file does not say; the mask will tell.
        return True
    return x < left + columns and x + w > left and y < top + rows and y + h > top


def _boxes(masks: Tensor, size: Sequence[int]) -> Tensor:
    """Boxes (n, 4) xyxy around masks (n, h, w), in pixels of an image of `size`."""
    height, width = masks.shape[-2:]
    rows, columns = masks.any(dim=2), masks.any(dim=1)
    x0 = columns.int().argmax(1)
    x1 = width - columns.flip(1).int().argmax(1)
    y0 = rows.int().argmax(1)
    y1 = height - rows.flip(1).int().argmax(1)
    boxes = torch.stack([x0, y0, x1, y1], dim=1).float()
    return boxes * torch.tensor([size[1] / width, size[0] / height]).repeat(2)
