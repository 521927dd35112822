"""Write a data set as COCO instance JSON, entry by entry, so that it never stands in memory twice.

The file is ASCII (pycocotools opens it with the encoding of the computer's language settings), has
one entry a line, and is the same to the byte whenever the data set is the same.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from pycocotools import mask as coco_mask

from maskstudio.annotation.annotation import Annotation, Category, Dataset, ImageRecord
from maskstudio.annotation.masks import Rle, decode, mask_iou, rasterize, run_lengths, trace
from maskstudio.annotation.segmentation import Box, Part, Segmentation
from maskstudio.errors import UserError
from maskstudio.formats.keyhole import keyhole
from maskstudio.progress import TaskContext

# No clock, no machine: an export that changes only where the work changed can be compared and kept
# under version control. Readers ask for the keys, not for what they hold.
INFO: Mapping[str, Any] = {
    "year": 0,
    "version": "",
    "description": "",
    "contributor": "",
    "url": "",
    "date_created": "",
}

_SILENT = TaskContext()


@dataclass(frozen=True)
class WriteReport:
    """What went into a COCO file and what did not.

    Attributes:
        images: images listed, those without annotations included.
        annotations: annotations written.
        categories: categories listed.
        boxes_only: annotations that are a box alone, written as a rectangle.
        left_out: a sentence for each annotation that covers no pixel and was left out.
        redrawn: a sentence for each annotation with a part that had to be redrawn along the edges
            of its pixels, because its rings cross or all but touch each other.
    """

    images: int
    annotations: int
    categories: int
    boxes_only: int
    left_out: tuple[str, ...]
    redrawn: tuple[str, ...]


def write_coco(dataset: Dataset, file: BinaryIO, context: TaskContext = _SILENT) -> WriteReport:
    """Write a data set as COCO instance JSON.

    Only the annotations of the images that the data set lists are written.

    Args:
        dataset: what to write; every image must have its size.
        file: where to; it is only ever appended to.
        context: told which image is being written.

    Raises:
        UserError: an image was never opened, so that its size is not known, or a number is not
            finite. Nothing has been written in the first case.
        OSError: the file cannot be written.
        CancelledError: the person asked to stop.
    """
    for image in dataset.images:
        if image.width < 1 or image.height < 1:
            raise UserError(
                f"The size of {image.path} is not known; open the image once and export again."
            )
    tally = _Tally()
    annotations = _annotation_entries(dataset, tally, context)
    file.write(b'{"info":' + _json(INFO) + b',\n"licenses":[]')
    _write_list(file, "images", map(_image_entry, dataset.images))
    _write_list(file, "annotations", annotations)
    _write_list(file, "categories", map(_category_entry, dataset.categories))
    file.write(b"\n}\n")
    return WriteReport(
        images=len(dataset.images),
        annotations=tally.annotations,
        categories=len(dataset.categories),
        boxes_only=tally.boxes_only,
        left_out=tuple(tally.left_out),
        redrawn=tuple(tally.redrawn),
    )


def exported_outline(annotation: Annotation) -> Segmentation:
    """Return the outline an annotation has in a COCO file, before holes become keyholes.

    A box alone becomes a rectangle: pycocotools does the same, and fails on an empty segmentation.

    Raises:
        UserError: a coordinate of the box is not finite.
    """
    if annotation.segmentation is not None:
        return annotation.segmentation
    x0, y0, x1, y1 = annotation.box
    return Segmentation.from_rings([(x0, y0), (x0, y1), (x1, y1), (x1, y0)])


def left_out_sentence(image: ImageRecord, annotation: Annotation) -> str:
    """Say that an annotation is not in the file because a mask without pixels breaks training."""
    return f"{image.path}: annotation {annotation.id} covers no pixel and was left out."


def raster_area(rle: Rle) -> float:
    """Return the number of pixels a mask covers."""
    anything: Any = rle  # the stubs of pycocotools take its own type only
    return float(coco_mask.area(anything))


def raster_box_xywh(rle: Rle) -> Box:
    """Return the smallest box around a mask as x, y, width, height; all 0 when it is empty."""
    anything: Any = rle
    x, y, width, height = coco_mask.toBbox(anything).tolist()
    return x, y, width, height


def to_polygons(
    segmentation: Segmentation, height: int, width: int
) -> tuple[list[list[float]], bool]:
    """Return the flat rings of a COCO segmentation, one a part, holes as keyholes.

    Rasterised by pycocotools they give `rasterize(segmentation, height, width)`, to the pixel.
    Where no keyhole does (a hole crosses the outer ring or another hole, or stands closer to it
    than the tenth of a pixel that pycocotools rounds to), the part is traced along its pixels.

    Args:
        segmentation: any outline.
        height: rows of the image.
        width: columns of the image.

    Returns:
        Lists of x1, y1, x2, y2, ..., and whether a part was traced anew.
    """
    flat: list[list[float]] = []
    redrawn = False
    for part in segmentation.parts:
        ring = keyhole(part)
        if not part.holes or _same_pixels(Part(ring), part, height, width):
            flat.append(ring.ravel().tolist())
            continue
        redrawn = True
        flat += [keyhole(p).ravel().tolist() for p in _traced(part, height, width)]
    return flat, redrawn


@dataclass
class _Tally:
    """Counts kept while the entries pass by."""

    annotations: int = 0
    boxes_only: int = 0
    left_out: list[str] = field(default_factory=list)
    redrawn: list[str] = field(default_factory=list)


def _same_pixels(a: Part, b: Part, height: int, width: int) -> bool:
    first, second = (rasterize(Segmentation((part,)), height, width) for part in (a, b))
    return mask_iou(first, second) == 1.0


def _traced(part: Part, height: int, width: int) -> tuple[Part, ...]:
    """Return a part along the edges of its pixels; nothing when it covers none."""
    rle = rasterize(Segmentation((part,)), height, width)
    x, y, w, h = (int(number) for number in raster_box_xywh(rle))
    traced = trace(decode(rle)[y : y + h, x : x + w], left=x, top=y)
    return traced.parts if traced else ()


def _annotation_entries(
    dataset: Dataset, tally: _Tally, context: TaskContext
) -> Iterator[Mapping[str, Any]]:
    for number, image in enumerate(dataset.images):
        context.raise_if_cancelled()
        context.report(number, len(dataset.images), image.path)
        for annotation in dataset.annotations.get(image.id, ()):
            entry = _annotation_entry(image, annotation, tally)
            if entry is not None:
                yield entry
    context.report(len(dataset.images), len(dataset.images))


def _annotation_entry(
    image: ImageRecord, annotation: Annotation, tally: _Tally
) -> Mapping[str, Any] | None:
    """Return one entry of `annotations`, or None when it covers no pixel."""
    name = f"{image.path}: annotation {annotation.id}"
    try:
        segmentation = exported_outline(annotation)
    except UserError as error:
        raise UserError(f"{name} cannot be written. {error}") from error
    rle = rasterize(segmentation, image.height, image.width)
    area = raster_area(rle)
    if area == 0:
        tally.left_out.append(left_out_sentence(image, annotation))
        return None
    shape: Any
    redrawn = False
    if annotation.iscrowd:
        # As the format asks for, and not packed: torchvision's reference loader refuses that.
        shape = {"size": list(rle["size"]), "counts": run_lengths(rle)}
    else:
        shape, redrawn = to_polygons(segmentation, image.height, image.width)
    if redrawn:
        tally.redrawn.append(
            f"{name} has rings that cross or touch; it was written along its pixels."
        )
    tally.annotations += 1
    tally.boxes_only += annotation.box_only is not None
    return {
        "id": annotation.id,
        "image_id": image.id,
        "category_id": annotation.category_id,
        "segmentation": shape,
        "area": area,
        "bbox": list(raster_box_xywh(rle)),
        "iscrowd": int(annotation.iscrowd),
    } | _more(annotation)


def _more(annotation: Annotation) -> dict[str, Any]:
    """Return the keys that are not COCO's own; `attributes` is CVAT's."""
    more: dict[str, Any] = {}
    if annotation.score is not None and not annotation.touched:
        more["score"] = float(annotation.score)
    attributes: dict[str, object] = dict(annotation.attributes)
    if annotation.box_only is not None:
        attributes["box_only"] = True
    if attributes:
        more["attributes"] = attributes
    if annotation.note:
        more["note"] = annotation.note
    return more


def _image_entry(image: ImageRecord) -> Mapping[str, Any]:
    # No key `license`: it would have to name one of `licenses`, and there is none.
    return {
        "id": image.id,
        "width": image.width,
        "height": image.height,
        "file_name": image.path,
    }


def _category_entry(category: Category) -> Mapping[str, Any]:
    return {"id": category.id, "name": category.name, "supercategory": category.supercategory}


def _write_list(file: BinaryIO, key: str, entries: Iterable[Mapping[str, Any]]) -> None:
    file.write(b',\n"%s":[' % key.encode("ascii"))
    separator = b"\n"
    for entry in entries:
        file.write(separator + _json(entry))
        separator = b",\n"
    file.write(b"\n]")


def _json(entry: Mapping[str, Any]) -> bytes:
    try:
        text = json.dumps(entry, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise UserError(f"Entry {entry.get('id')} holds a number that is not finite.") from error
    return text.encode("ascii")
