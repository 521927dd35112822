"""Read COCO instance JSON, strictly: what is wrong is said in one sentence, with file and place."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pycocotools import mask as coco_mask

from maskstudio.annotation.masks import Rle
from maskstudio.annotation.segmentation import MAX_COORDINATE
from maskstudio.errors import UserError


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
    raw = _load(path)
    images = {i.id: i for i in (_image(path, n, e) for n, e in _entries(path, raw, "images"))}
    categories = [_category(path, n, e) for n, e in _entries(path, raw, "categories")]
    known = {category.id for category in categories}
    by_image: dict[int, list[CocoAnnotation]] = {image_id: [] for image_id in images}
    for number, entry in _entries(path, raw, "annotations"):
        annotation = _annotation(path, number, entry)
        where = f"{path}: annotations[{number}]"
        if annotation.image_id not in by_image:
            raise UserError(f"{where} is on image {annotation.image_id}, which is not listed.")
        if annotation.category_id not in known:
            raise UserError(f"{where} has category {annotation.category_id}, which is not listed.")
        by_image[annotation.image_id].append(annotation)
    return CocoFile(
        path,
        images,
        {image_id: tuple(annotations) for image_id, annotations in by_image.items()},
        tuple(sorted(categories, key=lambda category: category.id)),
    )


def read_categories(path: Path) -> tuple[CocoCategory, ...]:
    """Read the categories alone of a COCO file, sorted by id.

    Raises:
        UserError: the file cannot be read or lists no categories.
    """
    entries = _entries(path, _load(path), "categories")
    categories = [_category(path, number, entry) for number, entry in entries]
    return tuple(sorted(categories, key=lambda category: category.id))


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


def _load(path: Path) -> dict[str, Any]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not JSON: {error}.") from error
    if not isinstance(raw, dict):
        raise UserError(f"{path} is not a COCO file: it holds a {type(raw).__name__}, no object.")
    return raw


def _entries(path: Path, raw: Mapping[str, Any], key: str) -> list[tuple[int, Mapping[str, Any]]]:
    entries = raw.get(key)
    if not isinstance(entries, list):
        raise UserError(f"{path} is not a COCO instance file: it has no list {key!r}.")
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise UserError(f"{path}: {key}[{number}] is no object.")
    return list(enumerate(entries))


def _image(path: Path, number: int, entry: Mapping[str, Any]) -> CocoImage:
    try:
        return CocoImage(
            int(entry["id"]), str(entry["file_name"]), int(entry["height"]), int(entry["width"])
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: images[{number}] is wrong or lacks {error}.") from error


def _category(path: Path, number: int, entry: Mapping[str, Any]) -> CocoCategory:
    try:
        return CocoCategory(
            int(entry["id"]), str(entry["name"]), str(entry.get("supercategory") or "")
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: categories[{number}] is wrong or lacks {error}.") from error


def _annotation(path: Path, number: int, entry: Mapping[str, Any]) -> CocoAnnotation:
    try:
        x, y, w, h = (float(v) for v in entry.get("bbox") or (0, 0, 0, 0))
        return CocoAnnotation(
            int(entry.get("id", number + 1)),
            int(entry["image_id"]),
            int(entry["category_id"]),
            entry.get("segmentation") or None,
            (x, y, w, h),
            bool(entry.get("iscrowd", 0)),
            tuple(sorted((n, _text(v)) for n, v in (entry.get("attributes") or {}).items())),
            _text(entry.get("note") or ""),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{path}: annotations[{number}] is wrong or lacks {error}.") from error


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
