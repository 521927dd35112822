"""Prove that the files of a COCO panoptic export say what is on screen, pixel for pixel.

Each PNG is read back and held against the outlines from front to back: a pixel must have the id of
the first that covers it, and no other may have any.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.annotation import Annotation, ImageRecord
from maskstudio.annotation.masks import rasterize
from maskstudio.annotation.run_tracing import unpacked
from maskstudio.formats.coco_writing import exported_outline
from maskstudio.formats.gate_piece import count
from maskstudio.formats.options import ExportOptions, ExportPart
from maskstudio.formats.panoptic import PanopticPlace, segment_ids
from maskstudio.formats.pieces import Piece, cut
from maskstudio.formats.reading_back import Proof, first
from maskstudio.formats.written import Written
from maskstudio.later import cv2
from maskstudio.processes import Helpers
from maskstudio.progress import TaskContext

_READ_ERRORS = (OSError, ValueError, KeyError, TypeError, RecursionError)


def prove_panoptic(
    parts: Sequence[ExportPart],
    folder: Path,
    options: ExportOptions,
    written: Written,
    context: TaskContext,
) -> Proof:
    """Read back what `write_panoptic` wrote.

    Raises:
        CancelledError: the person asked to stop.
    """
    del options
    problems: list[str] = []
    done, total = 0, sum(len(part.dataset.images) for part in parts)
    segments = 0
    with Helpers() as helpers:
        for part in parts:
            place = PanopticPlace.of(folder, part.name)
            try:
                entries = _entries(place.json, part)
            except _READ_ERRORS as error:
                reason = f"{type(error).__name__}: {error}"
                problems.append(f"{place.json.name} cannot be read ({reason}).")
                continue
            tasks = (_task(piece, place.pictures, entries) for piece in cut(part.dataset))
            for found in helpers.in_order(_check_piece, tasks):
                context.raise_if_cancelled()
                done += found.images
                segments += found.segments
                problems += found.problems
                context.report(done, total, "comparing masks")
    said = [f"{count(done, 'image')}, {count(segments, 'segment')}."]
    if not problems:
        said.append("Read back from the PNG files: every pixel is of what is in front on screen.")
    return Proof((*said, *first(written.left_out), *first(written.changed)), tuple(problems))


@dataclass(frozen=True)
class _Task:
    piece: Piece
    folder: Path
    entries: tuple[dict[str, Any] | None, ...]
    """Of each image."""


@dataclass
class _Found:
    images: int = 0
    segments: int = 0
    problems: list[str] = field(default_factory=list)


def _task(piece: Piece, folder: Path, entries: Mapping[int, dict[str, Any]]) -> _Task:
    return _Task(piece, folder, tuple(entries.get(image.id) for image in piece.images))


def _entries(path: Path, part: ExportPart) -> dict[int, dict[str, Any]]:
    """Return image id to its entry, of a file that lists the images and categories of a part."""
    whole = json.loads(path.read_bytes())
    images = {image["id"]: (image["height"], image["width"]) for image in whole["images"]}
    categories = {category["id"]: category["name"] for category in whole["categories"]}
    if images != {image.id: (image.height, image.width) for image in part.dataset.images}:
        raise ValueError("its images are others")
    if categories != {category.id: category.name for category in part.dataset.categories}:
        raise ValueError("its categories are others")
    return {entry["image_id"]: entry for entry in whole["annotations"]}


def _check_piece(task: _Task) -> _Found:
    found = _Found()
    annotations = task.piece.annotations()
    for image, entry in zip(task.piece.images, task.entries, strict=True):
        found.images += 1
        problem: str | None = "is not listed"
        if entry is not None:
            found.segments += len(entry["segments_info"])
            path = task.folder / entry["file_name"]
            problem = _problem(path, image, annotations.get(image.id, ()), entry)
        if problem is not None:
            found.problems.append(f"{image.path} {problem}.")
    return found


def _problem(
    path: Path, image: ImageRecord, annotations: Sequence[Annotation], entry: dict[str, Any]
) -> str | None:
    """Return what is wrong with the files of an image, as the end of a sentence; None for nothing.

    Args:
        path: its PNG.
        image: the image.
        annotations: what stands on it, back to front.
        entry: what the JSON says of it.
    """
    try:
        ids = _read_ids(path)
    except _READ_ERRORS as error:
        return f"has a mask that cannot be read ({error})"
    if ids.shape != (image.height, image.width):
        return "has a mask of another size"
    expected = _strike_out(ids, image, annotations)
    if expected is None or ids.any():
        return "has a mask that is not what is on screen"
    for segment in entry["segments_info"]:
        if expected.pop(segment["id"], None) != _told(segment):
            return f"has a segment {segment['id']} that is not what is on screen"
    return "has segments that are not listed" if expected else None


def _read_ids(path: Path) -> NDArray[np.uint32]:
    """Return (height, width) uint32 from the colours of a PNG."""
    pixels = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError("it is no PNG")
    blue, green, red = (pixels[:, :, channel].astype(np.uint32) for channel in range(3))
    return np.asarray(red + (green << 8) + (blue << 16), np.uint32)


def _strike_out(
    ids: NDArray[np.uint32], image: ImageRecord, annotations: Sequence[Annotation]
) -> dict[int, tuple[Any, ...]] | None:
    """Take the pixels of the annotations out of a mask, from front to back.

    Args:
        ids: (height, width); 0 where an annotation was taken out.
        image: the image.
        annotations: what stands on it, back to front.

    Returns:
        What each segment must be listed as; None where a pixel is of another.
    """
    # Column by column, as run lengths go.
    pixels = ids.T.copy().ravel()
    taken = np.zeros(len(pixels), np.bool_)
    expected: dict[int, tuple[Any, ...]] = {}
    for annotation, segment_id in reversed(
        list(zip(annotations, segment_ids(annotations), strict=True))
    ):
        rle = rasterize(exported_outline(annotation), image.height, image.width)
        ends = np.cumsum(unpacked(rle["counts"])).tolist()
        seen = [
            start + np.flatnonzero(~taken[start:end])
            for start, end in zip(ends[:-1:2], ends[1::2], strict=True)
        ]
        places = np.concatenate([*seen, np.zeros(0, np.int64)])
        if (pixels[places] != segment_id).any():
            return None
        pixels[places] = 0
        taken[places] = True
        if len(places):
            box = _box_xywh(places, image.height)
            crowd = int(annotation.iscrowd)
            expected[segment_id] = annotation.category_id, len(places), box, crowd
    ids[:] = pixels.reshape(ids.shape[::-1]).T
    return expected


def _box_xywh(places: NDArray[np.int64], height: int) -> list[int]:
    columns, rows = np.divmod(places, height)
    x, y = int(columns.min()), int(rows.min())
    return [x, y, int(columns.max()) - x + 1, int(rows.max()) - y + 1]


def _told(segment: dict[str, Any]) -> tuple[Any, ...]:
    return segment["category_id"], segment["area"], segment["bbox"], segment["iscrowd"]
