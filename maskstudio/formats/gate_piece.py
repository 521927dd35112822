"""Compare the annotations that a COCO file has on some images with those it was written from."""

import contextlib
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from pycocotools.coco import COCO

from maskstudio.annotation.annotation import Annotation, ImageRecord
from maskstudio.annotation.masks import Rle, mask_iou, rasterize
from maskstudio.formats.coco_lines import Entry
from maskstudio.formats.coco_writing import (
    exported_outline,
    left_out_sentence,
    raster_areas,
    raster_boxes_xywh,
)
from maskstudio.formats.entry_faults import entry_faults
from maskstudio.formats.options import SegmentationStyle
from maskstudio.formats.pieces import Piece
from maskstudio.formats.self_ap import OfCategory, mask_of, self_precision

MIN_IOU = 0.99
"""How much of the mask on screen the polygons in the file must be."""


@dataclass(frozen=True)
class CompareTask:
    """What a piece of the work of the gate is.

    Attributes:
        piece: images of the data set, and what stands on them.
        style: how outlines must stand in the file.
        images: the entries of images that the file has for them.
        categories: the entries of all categories in the file.
        annotations: the entries of annotations that the file has on them, a JSON list.
    """

    piece: Piece
    style: SegmentationStyle
    images: Sequence[Entry]
    categories: Sequence[Entry]
    annotations: bytes


@dataclass
class Compared:
    """What comparing found.

    Attributes:
        images: how many images of the data set were gone through.
        annotations: how many annotations the file has on them.
        masks: how many masks were compared.
        min_iou: the lowest IoU of a mask in the file with the mask on screen.
        sum_iou: the sum of all.
        precisions: by category, for `self_ap.average`; None where an entry is so broken that
            COCOeval would raise or, worse, not.
        malformed: a sentence for each fault of an entry that readers stumble over.
        problems: a sentence for each difference.
        left_out: a sentence for each annotation that covers no pixel.
        boxes_only: annotations that are a box alone.
        crowds: annotations that are crowds.
        missing: id to what stands in the data set and not so in the file.
        extra: id to what stands in the file and not so in the data set.
    """

    images: int = 0
    annotations: int = 0
    masks: int = 0
    min_iou: float = 1.0
    sum_iou: float = 0.0
    precisions: Mapping[int, OfCategory] | None = None
    malformed: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    boxes_only: int = 0
    crowds: int = 0
    missing: dict[int, str] = field(default_factory=dict)
    extra: dict[Any, str] = field(default_factory=dict)


def compare(task: CompareTask) -> Compared:
    """Hold what a file has on some images against the data set."""
    coco, entries = _read(task)
    found = Compared(images=len(task.piece.images), annotations=len(entries))
    sound = _well_formed(coco, entries, task, found)
    pairs = _paired(task.piece, sound, found)
    _compare_masks(coco, pairs, task.style, found)
    for pair in pairs:
        _compare_properties(pair, found)
    _compare_places(task.piece, entries, found)
    if not found.malformed and len(sound) == len(entries):
        found.precisions = self_precision(coco, entries)
    return found


@dataclass(frozen=True)
class _Pair:
    """An annotation, its mask, and its entry in the file."""

    image: ImageRecord
    annotation: Annotation
    rle: Rle
    entry: Entry

    @property
    def name(self) -> str:
        return f"{self.image.path}: annotation {self.annotation.id}"


def floor(value: float) -> str:
    """Write a number with three digits that never says more than is true."""
    return f"{math.floor(value * 1000 + 1e-6) / 1000:.3f}"


def count(number: int, one: str, many: str = "") -> str:
    """Write how many there are of something."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _read(task: CompareTask) -> tuple[COCO, list[Entry]]:
    """Give the part of the file to pycocotools, as if it were a file of its own."""
    try:
        entries = msgspec.json.decode(task.annotations)
    except (msgspec.DecodeError, UnicodeDecodeError):
        entries = json.loads(task.annotations)  # Python's own takes NaN, and so pycocotools does
    coco = COCO()
    part: Any = {
        "images": list(task.images),
        "categories": list(task.categories),
        "annotations": entries,
    }
    coco.dataset = part
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints
        coco.createIndex()
    return coco, entries


def _well_formed(
    coco: COCO, entries: Sequence[Entry], task: CompareTask, found: Compared
) -> dict[Any, Entry]:
    """Return id to entry of those that pycocotools can take; the faults of others are noted."""
    sizes = {image.id: [image.height, image.width] for image in task.piece.images}
    sound: dict[Any, Entry] = {}
    for entry in entries:
        faults = entry_faults(coco, entry, task.style)
        image: Any = coco.imgs.get(entry["image_id"], {})
        if faults:
            name = f"{image.get('file_name', 'nowhere')}: annotation {entry['id']}"
            found.malformed += [f"{name} {fault}." for fault in faults]
        elif sizes.get(entry["image_id"]) == [image.get("height"), image.get("width")]:
            sound[entry["id"]] = entry
    return sound


def _paired(piece: Piece, sound: Mapping[Any, Entry], found: Compared) -> list[_Pair]:
    """Find the entry of each annotation; what has none, or must have none, is noted."""
    pairs = []
    annotations = piece.annotations()
    for image in piece.images:
        on_image = annotations.get(image.id, ())
        rles = [rasterize(exported_outline(a), image.height, image.width) for a in on_image]
        areas = raster_areas(rles)
        for annotation, rle, area in zip(on_image, rles, areas, strict=True):
            if area == 0:
                found.left_out.append(left_out_sentence(image, annotation))
                continue
            found.boxes_only += annotation.box_only is not None
            found.crowds += annotation.iscrowd
            found.missing[annotation.id] = _place(image.path, annotation.category_id)
            entry = sound.get(annotation.id)
            if entry is not None and entry["image_id"] == image.id:
                pairs.append(_Pair(image, annotation, rle, entry))
    return pairs


def _compare_masks(
    coco: COCO, pairs: Sequence[_Pair], style: SegmentationStyle, found: Compared
) -> None:
    """Hold each mask in the file against the editor's own."""
    read = [mask_of(coco, pair.entry) for pair in pairs]
    areas, boxes = raster_areas(read), raster_boxes_xywh(read)
    for pair, rle, area, box in zip(pairs, read, areas, boxes, strict=True):
        # The same runs are the same mask; to ask pycocotools takes as long as to rasterise it.
        iou = 1.0 if rle["counts"] == pair.rle["counts"] else mask_iou(rle, pair.rle)
        found.masks += 1
        found.sum_iou += iou
        found.min_iou = min(found.min_iou, iou)
        exact = style is SegmentationStyle.RLE or pair.annotation.iscrowd
        if iou < (1.0 if exact else MIN_IOU):
            found.problems.append(f"{pair.name} is not the mask on screen (IoU {floor(iou)}).")
        if pair.entry["area"] != area:
            covered = count(int(area), "pixel")
            stands = pair.entry["area"]
            found.problems.append(f"{pair.name} has the area {stands}, but covers {covered}.")
        if pair.entry["bbox"] != box:
            stands = pair.entry["bbox"]
            found.problems.append(f"{pair.name} has the bbox {stands}, but its mask has {box}.")


def _compare_properties(pair: _Pair, found: Compared) -> None:
    annotation = pair.annotation
    meant: Entry = dict(annotation.attributes)
    if annotation.box_only is not None:
        meant["box_only"] = True
    for key, wanted in (
        ("iscrowd", int(annotation.iscrowd)),
        ("attributes", meant),
        ("note", annotation.note),
    ):
        stands = pair.entry.get(key, type(wanted)())
        if stands != wanted:
            found.problems.append(f"{pair.name} has the {key} {stands!r}, not {wanted!r}.")


def _compare_places(piece: Piece, entries: Sequence[Entry], found: Compared) -> None:
    """Strike out what stands where it must, and note what does not."""
    paths = {image.id: image.path for image in piece.images}
    for entry in entries:
        image_id = entry["image_id"]
        place = _place(paths.get(image_id, image_id), entry["category_id"])
        if found.missing.get(entry["id"]) == place:
            del found.missing[entry["id"]]
        else:
            found.extra[entry["id"]] = place


def _place(image: object, category_id: object) -> str:
    return f"on image {image} with category {category_id}"
