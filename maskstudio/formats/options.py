"""What a person decides about an export."""

import math
from dataclasses import dataclass
from enum import StrEnum

from maskstudio.annotation.annotation import Dataset, ImageState
from maskstudio.errors import UserError


class ExportFormat(StrEnum):
    """Whose files are written."""

    COCO = "coco"
    PANOPTIC = "coco-panoptic"
    YOLO = "yolo"
    LABELME = "labelme"
    INSTANCE_MASKS = "instance-masks"
    CATEGORY_MASKS = "category-masks"


class SegmentationStyle(StrEnum):
    """How an outline stands in a COCO file; a crowd is always run lengths."""

    POLYGON = "polygon"
    RLE = "rle"


class ImagePlacement(StrEnum):
    """What becomes of the image files."""

    REFERENCE = "reference"
    COPY = "copy"
    LINK = "link"


@dataclass(frozen=True)
class SplitRatios:
    """How large the parts are; the three add up to 1, and `train` is not 0."""

    train: float
    val: float
    test: float = 0.0

    @classmethod
    def from_text(cls, text: str) -> "SplitRatios":
        """Read `0.8,0.1,0.1` or `80,20`: two or three numbers, scaled to add up to 1.

        Raises:
            UserError: it is anything else.
        """
        try:
            numbers = [float(number) for number in text.split(",")]
        except ValueError:
            numbers = []
        total = sum(numbers)
        if len(numbers) not in (2, 3) or min(numbers) < 0 or not math.isfinite(total):
            raise UserError(f"{text!r} is no split; write the parts like 0.8,0.1,0.1 or 80,20.")
        if numbers[0] <= 0:
            raise UserError(f"The split {text!r} leaves nothing to train on; write 0.8,0.1,0.1.")
        return cls(*(number / total for number in numbers))

    @property
    def shares(self) -> dict[str, float]:
        """The share of each part by its name, those of nothing included."""
        return {"train": self.train, "val": self.val, "test": self.test}


@dataclass(frozen=True)
class ExportPart:
    """One split of an export: `train`, `val` or `test`; the name is empty where there is only one.

    Every part of an export has the same categories.
    """

    name: str
    dataset: Dataset


@dataclass(frozen=True)
class ExportOptions:
    """All of it.

    Attributes:
        format: whose files are written.
        states: the states of the images that go out.
        categories: ids of the categories that go out; None for all.
        segmentation: how outlines stand in COCO files.
        splits: how large the parts are; None writes one whole.
        placement: what becomes of the image files.
        draw_anew: forget which image was in which part before, and draw the parts again.
    """

    format: ExportFormat
    states: tuple[ImageState, ...]
    categories: frozenset[int] | None = None
    segmentation: SegmentationStyle = SegmentationStyle.POLYGON
    splits: SplitRatios | None = None
    placement: ImagePlacement = ImagePlacement.REFERENCE
    draw_anew: bool = False
