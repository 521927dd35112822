"""Read COCO instance JSON, strictly: what is wrong is said in one sentence, with file and place."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pycocotools import mask as coco_mask

from maskstudio.annotation.masks import Rle
from maskstudio.annotation.segmentation import MAX_COORDINATE
from maskstudio.errors import UserError
from maskstudio.formats.coco_entries import (
    AnnotationEntry,
    CategoryEntry,
    CocoEntries,
    ImageEntry,
    RleEntry,
    read_category_entries,
    read_entries,
)
from maskstudio.progress import TaskContext

_SILENT = TaskContext()


@dataclass(frozen=True)
class CocoImage:
    """One entry of `images`."""

    id: int
    file_name: str
    height: int
    width: int


@dataclass(frozen=True)
class CocoAnnotation:
    """One entry of `annotations`; `segmentation` is as in the file, None when there is none.

    Attributes and note are as `Annotation` has them; what is not text in the file is as JSON.
    """

    id: int
    image_id: int
    category_id: int
    segmentation: Any
    bbox_xywh: tuple[float, float, float, float]
    iscrowd: bool
    attributes: tuple[tuple[str, str], ...] = ()
    note: str = ""


@dataclass(frozen=True)
class CocoCategory:
    """One entry of `categories`."""

    id: int
    name: str
    supercategory: str


@dataclass(frozen=True)
class CocoFile:
    """A COCO instance file whose references all resolve.

    Attributes:
        path: where it was read from, for messages.
        images: image id to image, in the order of the file.
        annotations: image id to its annotations; every image has an entry.
        categories: sorted by id.
    """

    path: Path
    images: Mapping[int, CocoImage]
    annotations: Mapping[int, tuple[CocoAnnotation, ...]]
    categories: tuple[CocoCategory, ...]


def read_coco(path: Path) -> CocoFile:
    """Read a COCO instance file.

    Raises:
        UserError: the file cannot be read, is not COCO, or refers to what it does not contain.
    """
    entries = read_entries(path)
    if not isinstance(entries, CocoEntries):
        raise UserError(f"{path} is a list of results; choose the COCO file they are of.")
    images = {one.id: _image(path, n, one) for n, one in enumerate(entries.images)}
    known = {category.id for category in entries.categories}
    by_image: dict[int, list[CocoAnnotation]] = {image_id: [] for image_id in images}
    for number, entry in enumerate(entries.annotations.checked(_SILENT)):
        where = f"{path}: annotations[{number}]"
        if entry.image_id not in by_image:
            raise UserError(f"{where} is on image {entry.image_id}, which is not listed.")
        if entry.category_id not in known:
            raise UserError(f"{where} has category {entry.category_id}, which is not listed.")
        by_image[entry.image_id].append(_annotation(number, entry, where))
    return CocoFile(
        path,
        images,
        {image_id: tuple(annotations) for image_id, annotations in by_image.items()},
        _sorted(entries.categories),
    )


def read_categories(path: Path) -> tuple[CocoCategory, ...]:
    """Read the categories alone of a COCO file, sorted by id.

    Raises:
        UserError: the file cannot be read or lists no categories.
    """
    return _sorted(read_category_entries(path))


def segmentation_to_rle(segmentation: Any, height: int, width: int) -> Rle:
    """Return a COCO segmentation (polygons, uncompressed or compressed RLE) as one RLE.

    Raises:
        UserError: it is none of the three, of another size than the image, or far beyond it.
    """
    try:
        if isinstance(segmentation, list):
            polygons = [ring for ring in segmentation if len(ring) >= 6]
            if not all(abs(number) <= MAX_COORDINATE for ring in polygons for number in ring):
                raise UserError("A polygon has a coordinate that lies in no image.")
            merged: Rle = coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))
            return merged
        size = [int(n) for n in segmentation["size"]]
        if size != [height, width]:
            raise UserError(f"An RLE of size {size} stands on an image of {[height, width]}.")
        counts = segmentation["counts"]
        if isinstance(counts, list):
            compressed: Rle = coco_mask.frPyObjects(segmentation, height, width)
            return compressed
        return {"size": size, "counts": counts.encode("ascii")}
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise UserError(f"A segmentation is neither polygons nor RLE ({error}).") from error


def _image(path: Path, number: int, entry: ImageEntry) -> CocoImage:
    if entry.height is None or entry.width is None:
        raise UserError(f"{path}: images[{number}] lacks its height or width.")
    return CocoImage(entry.id, entry.file_name, entry.height, entry.width)


def _sorted(entries: Iterable[CategoryEntry]) -> tuple[CocoCategory, ...]:
    found = (CocoCategory(one.id, one.name, one.supercategory or "") for one in entries)
    return tuple(sorted(found, key=lambda category: category.id))


def _annotation(number: int, entry: AnnotationEntry, where: str) -> CocoAnnotation:
    box = entry.bbox or [0.0] * 4
    if len(box) != len(("x", "y", "width", "height")):
        raise UserError(f"{where} has a bbox of {len(box)} numbers instead of four.")
    segmentation: Any = entry.segmentation or None
    if isinstance(segmentation, RleEntry):
        segmentation = {"size": list(segmentation.size), "counts": segmentation.counts}
    return CocoAnnotation(
        number + 1 if entry.id is None else entry.id,
        entry.image_id,
        entry.category_id,
        segmentation,
        (box[0], box[1], box[2], box[3]),
        bool(entry.iscrowd),
        entry.texts(),
        entry.note or "",
    )
