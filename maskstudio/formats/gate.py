"""Prove that a COCO file just written says what the data set says, before anyone trains on it.

The file is read back with pycocotools, the reader the field compares with. Nothing of the writer
but the rule which outline is meant is used here: a mistake in the writer is not repeated.
"""

import contextlib
import io
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from maskstudio.annotation.annotation import Annotation, Dataset, ImageRecord
from maskstudio.annotation.masks import Rle, mask_iou, rasterize
from maskstudio.formats.coco import (
    exported_outline,
    left_out_sentence,
    raster_area,
    raster_box_xywh,
)
from maskstudio.formats.entry_faults import entry_faults
from maskstudio.progress import TaskContext

_Entry = dict[str, Any]

MIN_IOU = 0.99
"""How much of the mask on screen the mask in the file must be."""

_LISTED = 10
_AT_ONCE = 25
_PERFECT = 1 - 1e-9  # COCOeval adds an epsilon to the denominator of precision
_READ_ERRORS = (OSError, ValueError, KeyError, TypeError, AssertionError, RecursionError)
_SILENT = TaskContext()


@dataclass(frozen=True)
class GateReport:
    """What was found when a COCO file was read back.

    Attributes:
        images: images in the file.
        annotations: annotations in the file.
        categories: categories in the file.
        min_iou: the lowest IoU of a mask in the file with the mask on screen; None without masks.
        mean_iou: their mean.
        ap: AP (0.50:0.95) of the masks as detections of themselves; None when there is nothing to
            evaluate, or the file is too broken to try.
        left_out: a sentence for each annotation that covers no pixel and is not in the file.
        boxes_only: annotations that are a box alone, in the file as rectangles.
        crowds: annotations that are crowds, in the file as run lengths.
        problems: a sentence for each thing that is wrong.
    """

    images: int = 0
    annotations: int = 0
    categories: int = 0
    min_iou: float | None = None
    mean_iou: float | None = None
    ap: float | None = None
    left_out: tuple[str, ...] = ()
    boxes_only: int = 0
    crowds: int = 0
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True when the file may be handed over."""
        return not self.problems

    def sentences(self) -> tuple[str, ...]:
        """Return the report as a person reads it; long lists are cut."""
        counts = (
            _count(self.images, "image"),
            _count(self.annotations, "annotation"),
            _count(self.categories, "category", "categories"),
        )
        said = [", ".join(counts) + "."]
        if self.min_iou is not None:
            same = self.min_iou >= MIN_IOU
            masks = "every mask is the one" if same else "not every mask is the one"
            iou = _floor(self.min_iou)
            said.append(f"Read back with pycocotools: {masks} on screen (IoU at least {iou}).")
        if self.ap is not None:
            said.append(f"Evaluated against itself: AP {_floor(self.ap)}.")
        elif self.annotations == 0 and self.ok:
            said.append("Without annotations there is nothing to evaluate.")
        if self.boxes_only:
            boxes = _count(self.boxes_only, "annotation")
            said.append(f"{boxes} without an outline stand in the file as rectangles.")
        if self.crowds:
            said.append(f"{_count(self.crowds, 'crowd')}: evaluation and training pass over them.")
        return (*said, *_first(self.left_out), *_first(self.problems))


def check_coco(path: Path, dataset: Dataset, context: TaskContext = _SILENT) -> GateReport:
    """Read a COCO file back and compare it with the data set it was written from.

    No mask is decoded, and memory grows with the file alone, however crowded an image is.

    Args:
        path: the file, wherever it stands for now.
        dataset: what `write_coco` was given.
        context: told which image is being compared.

    Returns:
        The report; whatever is wrong with the file is in its problems, nothing is raised for it.

    Raises:
        CancelledError: the person asked to stop.
    """
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints
            coco = COCO(str(path))
    except _READ_ERRORS as error:
        reason = f"{type(error).__name__}: {error}"
        return GateReport(problems=(f"pycocotools cannot read {path.name} ({reason}).",))
    raw = _Lists.of(coco)
    entries, malformed = _well_formed(coco, raw, dataset)
    found = _compare_masks(coco, entries, dataset, context)
    problems = [*_missing_keys(coco), *malformed, *_listing_problems(raw, dataset, found)]
    # COCOeval takes what it is given; on a malformed file it would raise or, worse, not.
    whole = not malformed and len(entries) == len({entry["id"] for entry in raw.annotations})
    ap = _self_ap(coco, raw.annotations, context) if whole else None
    if ap is not None and ap < _PERFECT:
        problems.append(f"Evaluated against itself the file reaches AP {_floor(ap)}, not 1.000.")
    return GateReport(
        images=len(raw.images),
        annotations=len(raw.annotations),
        categories=len(raw.categories),
        min_iou=min(found.ious, default=None),
        mean_iou=float(np.mean(found.ious)) if found.ious else None,
        ap=ap,
        left_out=tuple(found.left_out),
        boxes_only=found.boxes_only,
        crowds=found.crowds,
        problems=(*problems, *found.problems),
    )


@dataclass(frozen=True)
class _Lists:
    """The three lists of a file as they stand in it; empty where one is missing."""

    images: Sequence[_Entry]
    annotations: Sequence[_Entry]
    categories: Sequence[_Entry]

    @classmethod
    def of(cls, coco: COCO) -> "_Lists":
        raw: Mapping[str, Any] = dict(coco.dataset)
        return cls(*(raw.get(key, ()) for key in ("images", "annotations", "categories")))


@dataclass
class _Comparison:
    """What comparing the masks found, image by image."""

    expected: dict[int, str] = field(default_factory=dict)
    ious: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    boxes_only: int = 0
    crowds: int = 0


def _missing_keys(coco: COCO) -> Iterator[str]:
    for key in ("info", "licenses", "images", "annotations", "categories"):
        if key not in coco.dataset:
            yield f"The file has no {key!r}."


def _well_formed(coco: COCO, raw: _Lists, dataset: Dataset) -> tuple[dict[int, _Entry], list[str]]:
    """Tell the annotations that pycocotools can take from those that it cannot.

    Returns:
        id to entry of the well-formed ones, and a sentence for each fault of the others.
    """
    sizes = {image.id: (image.height, image.width) for image in dataset.images}
    found = {e["id"]: (e.get("height"), e.get("width")) for e in raw.images}
    entries: dict[int, _Entry] = {}
    problems: list[str] = []
    for entry in raw.annotations:
        image: Any = coco.imgs.get(entry["image_id"], {})
        name = f"{image.get('file_name', 'nowhere')}: annotation {entry['id']}"
        faults = entry_faults(coco, entry)
        problems += [f"{name} {fault}." for fault in faults]
        image_id = entry["image_id"]
        if not faults and image_id in sizes and found[image_id] == sizes[image_id]:
            entries[entry["id"]] = entry
    return entries, problems


def _compare_masks(
    coco: COCO, entries: Mapping[int, _Entry], dataset: Dataset, context: TaskContext
) -> _Comparison:
    """Hold each mask in the file against the editor's own."""
    found = _Comparison()
    for number, image in enumerate(dataset.images):
        context.raise_if_cancelled()
        context.report(number, len(dataset.images), image.path)
        for annotation in dataset.annotations.get(image.id, ()):
            rle = rasterize(exported_outline(annotation), image.height, image.width)
            if raster_area(rle) == 0:
                found.left_out.append(left_out_sentence(image, annotation))
                continue
            found.boxes_only += annotation.box_only is not None
            found.crowds += annotation.iscrowd
            found.expected[annotation.id] = _place(image.path, annotation.category_id)
            entry = entries.get(annotation.id)
            if entry is not None and entry["image_id"] == image.id:
                _compare_mask(coco, image, entry, rle, found)
                _compare_properties(image, entry, annotation, found)
    context.report(len(dataset.images), len(dataset.images), "evaluating against itself")
    return found


def _compare_mask(
    coco: COCO, image: ImageRecord, entry: _Entry, rle: Rle, found: _Comparison
) -> None:
    read = _rle(coco, entry)
    iou = mask_iou(read, rle)
    found.ious.append(iou)
    name = f"{image.path}: annotation {entry['id']}"
    if iou < (1.0 if entry["iscrowd"] else MIN_IOU):
        found.problems.append(f"{name} is not the mask on screen (IoU {_floor(iou)}).")
    if entry["area"] != raster_area(read):
        covered = _count(int(raster_area(read)), "pixel")
        found.problems.append(f"{name} has the area {entry['area']}, but covers {covered}.")
    box = list(raster_box_xywh(read))
    if entry["bbox"] != box:
        found.problems.append(f"{name} has the bbox {entry['bbox']}, but its mask has {box}.")


def _compare_properties(
    image: ImageRecord, entry: _Entry, annotation: Annotation, found: _Comparison
) -> None:
    meant: _Entry = dict(annotation.attributes)
    if annotation.box_only is not None:
        meant["box_only"] = True
    for key, wanted in (
        ("iscrowd", int(annotation.iscrowd)),
        ("attributes", meant),
        ("note", annotation.note),
    ):
        stands = entry.get(key, type(wanted)())
        if stands != wanted:
            name = f"{image.path}: annotation {entry['id']}"
            found.problems.append(f"{name} has the {key} {stands!r}, not {wanted!r}.")


def _rle(coco: COCO, entry: _Entry) -> Rle:
    """Return the mask of an entry by pycocotools, and let the entry keep that in place of rings."""
    anything: Any = entry  # the stubs of pycocotools take its own type only
    read: Rle = coco.annToRLE(anything)
    entry["segmentation"] = read
    return read


def _listing_problems(raw: _Lists, dataset: Dataset, found: _Comparison) -> Iterator[str]:
    """Yield what is missing, too much, or listed as something else."""
    yield from _differences(
        "Image",
        {i.id: f"{i.path} ({i.width} x {i.height})" for i in dataset.images},
        [
            (e["id"], f"{e.get('file_name')} ({e.get('width')} x {e.get('height')})")
            for e in raw.images
        ],
    )
    yield from _differences(
        "Category",
        {c.id: f"{c.name!r} in {c.supercategory!r}" for c in dataset.categories},
        [(e["id"], f"{e.get('name')!r} in {e.get('supercategory')!r}") for e in raw.categories],
    )
    paths = {image.id: image.path for image in dataset.images}
    yield from _differences(
        "Annotation",
        found.expected,
        [
            (e["id"], _place(paths.get(e["image_id"], e["image_id"]), e["category_id"]))
            for e in raw.annotations
        ],
    )


def _place(image: object, category_id: object) -> str:
    return f"on image {image} with category {category_id}"


def _differences(
    kind: str, expected: Mapping[int, str], found: Sequence[tuple[int, str]]
) -> Iterator[str]:
    listed = dict(found)
    yield from _id_problems(kind, [entry_id for entry_id, _ in found])
    for entry_id, text in expected.items():
        if entry_id not in listed:
            yield f"{kind} {entry_id}, {text}, is missing."
        elif listed[entry_id] != text:
            yield f"{kind} {entry_id} is {listed[entry_id]}, not {text}."
    for entry_id, text in listed.items():
        if entry_id not in expected:
            yield f"{kind} {entry_id}, {text}, is not in the data set."


def _id_problems(kind: str, ids: Sequence[int]) -> Iterator[str]:
    for entry_id, times in Counter(ids).items():
        if type(entry_id) is not int or entry_id < 1:
            yield f"{kind} id {entry_id!r} is not a whole number from 1."
        if times > 1:
            yield f"{kind} id {entry_id} is used {times} times."


def _self_ap(coco: COCO, entries: Sequence[_Entry], context: TaskContext) -> float | None:
    """Return the AP (0.50:0.95) of the annotations as detections of themselves."""
    context.raise_if_cancelled()
    truth = COCO()
    dealt: Any = _dealt_out(coco, entries)
    truth.dataset = dealt
    asked = ("image_id", "category_id", "segmentation")
    # A crowd is truth that nothing has to match; as a detection it could take what is another's.
    results = [
        {key: entry[key] for key in asked} | {"score": 1.0}
        for entry in dealt["annotations"]
        if not entry["iscrowd"]
    ]
    if not results:
        return None
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results), "segm")
        evaluation.params.maxDets = [_AT_ONCE]
        evaluation.params.areaRng = evaluation.params.areaRng[:1]  # all sizes
        evaluation.evaluate()
        evaluation.accumulate()
    # Not summarize(): it knows no other number of detections than 100.
    precision = evaluation.eval["precision"]
    measured = precision[precision > -1]
    return float(measured.mean()) if measured.size else None


def _dealt_out(coco: COCO, entries: Sequence[_Entry]) -> dict[str, list[Any]]:
    """Deal annotations out to images so that none has more than a few of one category.

    COCOeval compares everything on an image with everything, in Python, and keeps all it found: a
    thousand annotations on an image take seconds and megabytes. A detection that equals its
    annotation matches it wherever the others are, so as long as the two stay together the AP is
    the same.
    """
    images: dict[tuple[int, int], dict[str, int]] = {}
    seen: Counter[tuple[int, int]] = Counter()
    annotations = []
    for entry in entries:
        image_id, category_id = entry["image_id"], entry["category_id"]
        deal = seen[image_id, category_id] // _AT_ONCE
        seen[image_id, category_id] += 1
        height, width = coco.imgs[image_id]["height"], coco.imgs[image_id]["width"]
        new = {"id": len(images) + 1, "height": height, "width": width}
        image = images.setdefault((image_id, deal), new)
        kept = {key: entry[key] for key in ("id", "category_id", "area", "iscrowd")}
        annotations.append(kept | {"image_id": image["id"], "segmentation": _rle(coco, entry)})
    categories = list(coco.cats.values())
    return {"images": list(images.values()), "annotations": annotations, "categories": categories}


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _floor(value: float) -> str:
    """Write a number with three digits that never says more than is true."""
    return f"{math.floor(value * 1000 + 1e-6) / 1000:.3f}"


def _first(sentences: Sequence[str]) -> list[str]:
    more = len(sentences) - _LISTED
    return [*sentences[:_LISTED], *([f"... and {more:,} more."] if more > 0 else [])]
