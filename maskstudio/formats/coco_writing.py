"""The entries of `annotations` in a COCO file, made of the annotations of some images."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from pycocotools import mask as coco_mask

from maskstudio.annotation.annotation import Annotation, ImageRecord
from maskstudio.annotation.many_runs import runs_of
from maskstudio.annotation.masks import Rle, decode, mask_iou, rasterize, trace
from maskstudio.annotation.segmentation import Box, Part, Segmentation
from maskstudio.errors import UserError
from maskstudio.formats.keyhole import keyhole
from maskstudio.formats.options import SegmentationStyle
from maskstudio.formats.pieces import Piece

# pycocotools (2.0.11) counts them in eight bits.
_AREAS_AT_ONCE = 255


@dataclass(frozen=True)
class EntriesTask:
    """What a piece of the work of writing is.

    Attributes:
        piece: the images and what stands on them.
        style: how outlines are written.
    """

    piece: Piece
    style: SegmentationStyle


@dataclass
class Entries:
    """Entries as they stand in the file, and what is to be told of them.

    Attributes:
        images: how many images they stand on, or could.
        text: ASCII, one entry a line, without a comma behind the last; empty where there is none.
        annotations: how many entries there are.
        boxes_only: how many of them are a box alone.
        left_out: a sentence for each annotation that covers no pixel.
        redrawn: a sentence for each annotation with a part that was traced anew.
    """

    images: int
    text: bytes = b""
    annotations: int = 0
    boxes_only: int = 0
    left_out: list[str] = field(default_factory=list)
    redrawn: list[str] = field(default_factory=list)


def make_entries(task: EntriesTask) -> Entries:
    """Make the entries of a piece of a data set.

    Raises:
        UserError: a number is not finite.
    """
    made = Entries(images=len(task.piece.images))
    annotations = task.piece.annotations()
    lines: list[bytes] = []
    for image in task.piece.images:
        on_image = annotations.get(image.id, ())
        lines += _lines(image, on_image, task.style, made) if on_image else ()
    made.text = b",\n".join(lines)
    made.annotations = len(lines)
    return made


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
    return raster_areas([rle])[0]


def raster_areas(rles: list[Rle]) -> list[float]:
    """Return the number of pixels that each mask covers."""
    areas: list[float] = []
    for start in range(0, len(rles), _AREAS_AT_ONCE):
        some: Any = rles[start : start + _AREAS_AT_ONCE]  # the stubs take its own type only
        areas += map(float, coco_mask.area(some))
    return areas


def raster_box_xywh(rle: Rle) -> Box:
    """Return the smallest box around a mask as x, y, width, height; all 0 when it is empty."""
    x, y, width, height = raster_boxes_xywh([rle])[0]
    return x, y, width, height


def raster_boxes_xywh(rles: list[Rle]) -> list[list[float]]:
    """Return the smallest box around each mask; see `raster_box_xywh`."""
    anything: Any = rles
    boxes: list[list[float]] = coco_mask.toBbox(anything).tolist()
    return boxes


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


def json_line(entry: Mapping[str, Any]) -> bytes:
    """Return an entry as JSON in ASCII; its numbers must be finite."""
    text = msgspec.json.encode(entry)
    if text.isascii():
        return text
    # A name or a note: hardly ever, and there it is a third as fast.
    plain = json.dumps(entry, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return plain.encode("ascii")


def _lines(
    image: ImageRecord, annotations: tuple[Annotation, ...], style: SegmentationStyle, made: Entries
) -> Iterator[bytes]:
    """Yield the entries of one image; empty masks are left out, which is noted in `made`."""
    outlines = [_outline(image, annotation) for annotation in annotations]
    rles = [rasterize(outline, image.height, image.width) for outline in outlines]
    # Of all at once: for each alone the calls take several times what is done in them.
    areas, boxes = raster_areas(rles), raster_boxes_xywh(rles)
    exact = [style is SegmentationStyle.RLE or annotation.iscrowd for annotation in annotations]
    runs = iter(runs_of([rle for rle, is_exact in zip(rles, exact, strict=True) if is_exact]))
    for number, annotation in enumerate(annotations):
        # Not packed: torchvision's reference loader wants that.
        shape: Any = {"size": rles[number]["size"], "counts": next(runs)} if exact[number] else None
        if areas[number] == 0:
            made.left_out.append(left_out_sentence(image, annotation))
            continue
        if shape is None:
            shape = _rings(image, annotation, outlines[number], made)
        made.boxes_only += annotation.box_only is not None
        entry = {
            "id": annotation.id,
            "image_id": image.id,
            "category_id": annotation.category_id,
            "segmentation": shape,
            "area": areas[number],
            "bbox": boxes[number],
            "iscrowd": int(annotation.iscrowd),
        }
        yield json_line(entry | _more(image, annotation))


def _rings(
    image: ImageRecord, annotation: Annotation, outline: Segmentation, made: Entries
) -> list[list[float]]:
    rings, redrawn = to_polygons(outline, image.height, image.width)
    if redrawn:
        name = f"{image.path}: annotation {annotation.id}"
        why = "has rings that cross or touch; it was written along its pixels"
        made.redrawn.append(f"{name} {why}.")
    return rings


def _outline(image: ImageRecord, annotation: Annotation) -> Segmentation:
    try:
        return exported_outline(annotation)
    except UserError as error:
        name = f"{image.path}: annotation {annotation.id}"
        raise UserError(f"{name} cannot be written. {error}") from error


def _more(image: ImageRecord, annotation: Annotation) -> dict[str, Any]:
    """Return the keys that are not COCO's own; `attributes` is CVAT's."""
    more: dict[str, Any] = {}
    if annotation.score is not None and not annotation.touched:
        more["score"] = float(annotation.score)
        if not math.isfinite(annotation.score):
            name = f"{image.path}: annotation {annotation.id}"
            raise UserError(f"{name} cannot be written: its score is no number; delete it.")
    attributes: dict[str, object] = dict(annotation.attributes)
    if annotation.box_only is not None:
        attributes["box_only"] = True
    if attributes:
        more["attributes"] = attributes
    if annotation.note:
        more["note"] = annotation.note
    return more


def _same_pixels(a: Part, b: Part, height: int, width: int) -> bool:
    first, second = (rasterize(Segmentation((part,)), height, width) for part in (a, b))
    return mask_iou(first, second) == 1.0


def _traced(part: Part, height: int, width: int) -> tuple[Part, ...]:
    """Return a part along the edges of its pixels; nothing when it covers none."""
    rle = rasterize(Segmentation((part,)), height, width)
    x, y, w, h = (int(number) for number in raster_box_xywh(rle))
    traced = trace(decode(rle)[y : y + h, x : x + w], left=x, top=y)
    return traced.parts if traced else ()
