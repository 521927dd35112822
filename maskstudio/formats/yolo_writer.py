"""Write an Ultralytics YOLO data set for instance segmentation.

https://docs.ultralytics.com/datasets/segment/: for each image a text file, for each instance a line
of its class number, from 0, and the corners of one ring in shares of the image's width and height.
Holes and several parts are one ring with bridges, as its own converter from COCO makes them.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from maskstudio.annotation.annotation import Annotation, ImageRecord, ImageState
from maskstudio.annotation.masks import Rle, rasterize
from maskstudio.annotation.outlines import outline_of
from maskstudio.annotation.segmentation import Ring
from maskstudio.errors import UserError
from maskstudio.formats.bridges import single_ring
from maskstudio.formats.names import stems
from maskstudio.formats.options import ExportOptions, ExportPart
from maskstudio.formats.written import Tally, Written
from maskstudio.formats.yolo_layout import SPLITS, label_place
from maskstudio.progress import TaskContext

DOCUMENT_NAME = "data.yaml"

# A corner comes back within half a millionth of a pixel.
_DECIMALS_OF_A_PIXEL = 6
# pycocotools rounds corners to the fifth of a pixel (`rleFrPoly` in its maskApi.c).
_GRID = 5
_NO_LINE_BREAKS = 1 << 20
_SILENT = TaskContext()


def write_yolo(
    parts: Sequence[ExportPart],
    folder: Path,
    options: ExportOptions,  # noqa: ARG001 - what every writer is given
    context: TaskContext = _SILENT,
) -> Written:
    """Write the labels and `data.yaml`; the images belong into `images`, see `label_path`.

    Where an image is verified to be empty, its label file is there and empty; where nothing was
    said of it, there is none. Readers take both for background.

    Args:
        parts: train, val and test, or one without a name.
        folder: an existing folder.
        options: how; nothing of it concerns this format.
        context: told which image is being written.

    Raises:
        UserError: the size of an image is not known.
        OSError: a file cannot be written.
        CancelledError: the person asked to stop.
    """
    tally = Tally()
    names = stems(parts)
    total = sum(len(part.dataset.images) for part in parts)
    for part in parts:
        classes = {c.id: number for number, c in enumerate(part.dataset.categories)}
        for image in part.dataset.images:
            context.raise_if_cancelled()
            context.report(tally.images, total, image.path)
            annotations = part.dataset.annotations.get(image.id, ())
            text = "".join(_lines(image, annotations, classes, tally))
            tally.images += 1
            if text or (not annotations and image.state in (ImageState.EMPTY, ImageState.VERIFIED)):
                ending = PurePosixPath(image.path).suffix
                label = folder / label_path(part.name, names[image.id] + ending)
                label.parent.mkdir(parents=True, exist_ok=True)
                label.write_text(text, encoding="ascii", newline="\n")
    (folder / DOCUMENT_NAME).write_bytes(_document(parts))
    return tally.written()


def label_path(part: str, image: str) -> str:
    """Return where the label file of an image lies, POSIX, below the folder of the export.

    Args:
        part: the name of its part, or empty.
        image: its path below `images/PART`; where a folder in it is called `images` as well,
            Ultralytics exchanges that one.
    """
    return label_place("/".join(filter(None, ("images", part, image))))


def shares(ring: Ring, height: int, width: int) -> str:
    """Return the corners of a ring as a label file has them: `x1 y1 x2 y2 ...`.

    Read back and multiplied, they lie within half a millionth of a pixel of where they were, and
    cover the same pixels.

    Args:
        ring: (n, 2), within the image.
        height: rows of the image.
        width: columns of the image.
    """
    decimals = _DECIMALS_OF_A_PIXEL + math.ceil(math.log10(max(height, width, 10)))
    scale = 10.0**decimals
    size = np.array([width, height], np.float64)
    units = np.rint(ring / size * scale)
    for step in (1.0, -2.0):
        # Half pixels are common, and just those are where the grid's cells meet.
        moved = _cells(units / scale * size) != _cells(ring)
        units[moved] = (units[moved] + step).clip(0, scale)
    values = (units / scale).ravel().tolist()
    return " ".join([f"%.{decimals}f"] * len(values)) % tuple(values)


def _lines(
    image: ImageRecord,
    annotations: Sequence[Annotation],
    classes: Mapping[int, int],
    tally: Tally,
) -> Iterator[str]:
    if annotations and (image.height < 1 or image.width < 1):
        raise UserError(
            f"The size of {image.path} is not known; open the image once and export again."
        )
    for annotation in annotations:
        name = f"{image.path}: annotation {annotation.id}"
        if annotation.iscrowd:
            tally.left_out.append(f"{name} is a crowd, which YOLO does not know; it was left out.")
            continue
        outline = outline_of(annotation)
        mask = rasterize(outline, image.height, image.width)
        if not _area(mask):
            tally.left_out.append(f"{name} covers no pixel and was left out.")
            continue
        ring, redrawn = single_ring(outline, mask)
        if annotation.box_only is not None:
            tally.changed.append(f"{name} is a box alone; it was written as a rectangle.")
        if redrawn:
            tally.changed.append(
                f"{name} has rings that cross, overlap or reach out of the image; it was written "
                "along its pixels."
            )
        tally.annotations += 1
        corners = shares(ring, image.height, image.width)
        yield f"{classes[annotation.category_id]} {corners}\n"


def _area(mask: Rle) -> int:
    anything: Any = mask  # the stubs of pycocotools take its own type only
    return int(coco_mask.area(anything))


def _cells(coordinates: NDArray[np.float64]) -> NDArray[np.int64]:
    return (_GRID * coordinates + 0.5).astype(np.int64)


def _document(parts: Sequence[ExportPart]) -> bytes:
    """Return `data.yaml`. Without `path`, all is relative to the file itself."""
    written = {part.name for part in parts}
    places = {name: f"images/{name}" for name in SPLITS if name in written} or {"train": "images"}
    note = ""
    if "val" not in places:
        # Ultralytics refuses a data set without one of the two.
        places["val"] = places["train"]
        note = "# No images were set apart for validation: it uses those of the training.\n"
    ordered = {name: places[name] for name in SPLITS if name in places}
    names = {number: c.name for number, c in enumerate(parts[0].dataset.categories)}
    text: str = yaml.dump(
        {**ordered, "names": names},
        Dumper=yaml.CSafeDumper,
        allow_unicode=True,
        sort_keys=False,
        width=_NO_LINE_BREAKS,
    )
    return (note + text).encode("utf-8")
