"""Write a data set as COCO panoptic: PNG files whose pixels say of which segment they are.

Segment `id` has the colour R + 256 G + 65536 B = id; black is of no segment. A pixel has one
segment: where annotations overlap, the one in front has it. The ids are those of the annotations.
https://cocodataset.org/#format-data, 4. Panoptic Segmentation
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.annotation import Annotation, Category, ImageRecord
from maskstudio.annotation.segmentation import Box
from maskstudio.errors import UserError
from maskstudio.formats.coco import INFO, check_sizes
from maskstudio.formats.coco_writing import exported_outline, json_line, left_out_sentence
from maskstudio.formats.label_map import LabelMap, label_map
from maskstudio.formats.names import stems
from maskstudio.formats.options import ExportOptions, ExportPart
from maskstudio.formats.pieces import Piece, cut
from maskstudio.formats.written import Written
from maskstudio.later import cv2
from maskstudio.processes import Helpers
from maskstudio.progress import TaskContext

HIGHEST_ID = (1 << 24) - 1
"""What three colours of 8 bits can say."""

_MOST_SEGMENTS = 65_535


@dataclass(frozen=True)
class PanopticPlace:
    """Where one part of an export lies.

    Attributes:
        json: the file that lists the segments.
        pictures: the folder of the PNG files.
    """

    json: Path
    pictures: Path

    @classmethod
    def of(cls, folder: Path, part: str) -> "PanopticPlace":
        """Return where a part lies in the folder of the export."""
        pictures = folder / "annotations" / (f"panoptic_{part}" if part else "panoptic")
        return cls(pictures.with_name(f"{pictures.name}.json"), pictures)


def write_panoptic(
    parts: Sequence[ExportPart], folder: Path, options: ExportOptions, context: TaskContext
) -> Written:
    """Write all but the images.

    Raises:
        UserError: the size of an image is not known, or it has more annotations than can be told
            apart.
        OSError: a file cannot be written.
        CancelledError: the person asked to stop.
    """
    del options
    names = stems(parts)
    made: list[_Made] = []
    done, total = 0, sum(len(part.dataset.images) for part in parts)
    with Helpers() as helpers:
        for part in parts:
            check_sizes(part.dataset)
            place = PanopticPlace.of(folder, part.name)
            place.pictures.mkdir(parents=True)
            tasks = (PanopticTask.of(piece, place.pictures, names) for piece in cut(part.dataset))
            of_part: list[_Made] = []
            for some in helpers.in_order(_write_piece, tasks):
                context.raise_if_cancelled()
                of_part.append(some)
                done += len(some.lines)
                context.report(done, total, "writing masks")
            _write_json(place.json, part, [line for some in of_part for line in some.lines])
            made += of_part
    return Written(
        done,
        sum(some.segments for some in made),
        tuple(sentence for some in made for sentence in some.left_out),
        tuple(sentence for some in made for sentence in some.changed),
    )


@dataclass(frozen=True)
class PanopticTask:
    """A piece of the work.

    Attributes:
        piece: some images and what stands on them.
        folder: of the PNG files.
        names: of the PNG files in it, POSIX, one for each image.
    """

    piece: Piece
    folder: Path
    names: tuple[str, ...]

    @classmethod
    def of(cls, piece: Piece, folder: Path, stems: Mapping[int, str]) -> "PanopticTask":
        """Name the files of a piece."""
        return cls(piece, folder, tuple(f"{stems[image.id]}.png" for image in piece.images))


@dataclass
class _Made:
    """What became of a piece: the entry of each image, and what is to be told."""

    lines: list[bytes] = field(default_factory=list)
    segments: int = 0
    left_out: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


def segment_ids(annotations: Sequence[Annotation]) -> list[int]:
    """Return the id of the segment of each annotation of an image: its own where that fits."""
    ids = [annotation.id for annotation in annotations]
    return ids if max(ids, default=0) <= HIGHEST_ID else list(range(1, len(ids) + 1))


def _write_piece(task: PanopticTask) -> _Made:
    made = _Made()
    annotations = task.piece.annotations()
    for image, name in zip(task.piece.images, task.names, strict=True):
        on_image = annotations.get(image.id, ())
        painted = _painted(image, on_image)
        segments = _segments(image, on_image, painted, made)
        _write_picture(task.folder / name, painted.values, segment_ids(on_image))
        made.segments += len(segments)
        entry = {"image_id": image.id, "file_name": name, "segments_info": segments}
        made.lines.append(json_line(entry))
    return made


def _painted(image: ImageRecord, annotations: Sequence[Annotation]) -> LabelMap:
    """Number the annotations of an image from 1, back to front."""
    if len(annotations) > _MOST_SEGMENTS:
        raise UserError(
            f"{image.path} has more annotations than a mask can tell apart ({_MOST_SEGMENTS:,}); "
            "export it in another format."
        )
    outlines = [exported_outline(annotation) for annotation in annotations]
    return label_map(outlines, range(1, len(outlines) + 1), image.height, image.width)


def _segments(
    image: ImageRecord, annotations: Sequence[Annotation], painted: LabelMap, made: _Made
) -> list[dict[str, Any]]:
    """Return the entries of the segments of an image; what cannot be seen is told."""
    segments: list[dict[str, Any]] = []
    for number, (annotation, segment_id) in enumerate(
        zip(annotations, segment_ids(annotations), strict=True)
    ):
        area, visible = painted.areas[number], painted.visible[number]
        name = f"{image.path}: annotation {annotation.id}"
        if area == 0:
            made.left_out.append(left_out_sentence(image, annotation))
        elif visible == 0:
            made.left_out.append(f"{name} lies wholly behind others and was left out.")
        else:
            segments.append(
                {
                    "id": segment_id,
                    "category_id": annotation.category_id,
                    "area": visible,
                    "bbox": _box_xywh(painted.values, number + 1, annotation.box),
                    "iscrowd": int(annotation.iscrowd),
                }
            )
            if visible < area:
                behind = f"{area - visible:,} of its {area:,} pixels"
                made.changed.append(f"{name} has lost {behind} to what lies in front of it.")
    return segments


def _box_xywh(values: NDArray[np.uint16], number: int, around: Box) -> list[int]:
    """Return the smallest box around the pixels of a number, which lie in another box, xyxy."""
    left, top = (max(0, math.floor(low) - 1) for low in around[:2])
    right, bottom = (max(0, math.ceil(high) + 1) for high in around[2:])
    seen = values[top:bottom, left:right] == number
    columns, rows = np.flatnonzero(seen.any(axis=0)), np.flatnonzero(seen.any(axis=1))
    x, y = int(columns[0]), int(rows[0])
    return [left + x, top + y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1]


def _write_picture(path: Path, values: NDArray[np.uint16], ids: Sequence[int]) -> None:
    """Write the PNG of an image whose number n stands for the n-th id."""
    colours = np.array([0, *ids], "<u4").view(np.uint8).reshape(-1, 4)  # R, G, B, 0
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not `imwrite`: it knows no letters but ASCII on Windows.
    _, png = cv2.imencode(".png", colours[values][:, :, 2::-1])
    path.write_bytes(png.tobytes())


def _write_json(path: Path, part: ExportPart, lines: Sequence[bytes]) -> None:
    images = [
        json_line({"id": i.id, "width": i.width, "height": i.height, "file_name": i.path})
        for i in part.dataset.images
    ]
    categories = [json_line(_category(category)) for category in part.dataset.categories]
    with path.open("wb") as file:
        file.write(b'{"info":' + json_line(INFO) + b',\n"licenses":[]')
        for key, entries in (
            ("images", images),
            ("annotations", lines),
            ("categories", categories),
        ):
            file.write(b',\n"%s":[\n' % key.encode("ascii"))
            file.write(b",\n".join(entries))
            file.write(b"\n]")
        file.write(b"\n}\n")


def _category(category: Category) -> dict[str, Any]:
    """Return an entry of `categories`; things are what can be counted, as all that is outlined."""
    colour = list(bytes.fromhex(category.shown_colour[1:]))
    named = {"id": category.id, "name": category.name, "supercategory": category.supercategory}
    return named | {"isthing": 1, "color": colour}
