"""What a person decides about an export."""

from dataclasses import dataclass
from enum import StrEnum

from maskstudio.annotation.annotation import Dataset, ImageState


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
    """

    format: ExportFormat
    states: tuple[ImageState, ...]
    categories: frozenset[int] | None = None
    segmentation: SegmentationStyle = SegmentationStyle.POLYGON
    splits: SplitRatios | None = None
    placement: ImagePlacement = ImagePlacement.REFERENCE
