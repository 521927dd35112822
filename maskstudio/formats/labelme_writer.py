"""Write labelme files: one JSON file beside each image, for any labelme from version 5 on.

labelme has one ring a shape. So the parts of an annotation become shapes of one group, and a part
with holes becomes a keyhole ring. labelme, X-AnyLabeling and our own reader keep the keys that are
not labelme's own (`score`, `attributes`, `iscrowd`, `checked`); see docs/decisions/0028.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from maskstudio.annotation.annotation import Annotation, ImageRecord, ImageState
from maskstudio.annotation.segmentation import Part, Segmentation
from maskstudio.errors import UserError
from maskstudio.formats.coco_writing import to_polygons
from maskstudio.formats.keyhole import keyhole
from maskstudio.formats.labelme import CATEGORY_FILE
from maskstudio.formats.names import stems
from maskstudio.formats.options import ExportOptions, ExportPart
from maskstudio.formats.written import Tally, Written
from maskstudio.later import shapely
from maskstudio.progress import TaskContext

VERSION = "5.5.0"
"""The version of labelme whose files these are; later ones only added kinds of shapes."""

_FLAGS = {"true": True, "false": False}


def write_labelme(
    parts: Sequence[ExportPart], folder: Path, _options: ExportOptions, context: TaskContext
) -> Written:
    """Write a labelme file for each image, and the names of the categories.

    Args:
        parts: what to write; the images lie beside the files, under the names they have here.
        folder: an empty folder; each part has a folder of its name in it.
        context: told which image is being written.

    Raises:
        UserError: an image was never opened, so that its size is not known.
        OSError: a file cannot be written.
        CancelledError: the person asked to stop.
    """
    tally = Tally()
    names = stems(parts)
    total = len(names)
    for part in parts:
        labels = {category.id: category.name for category in part.dataset.categories}
        for image in part.dataset.images:
            context.raise_if_cancelled()
            context.report(tally.images, total, image.path)
            path = folder / part.name / f"{names[image.id]}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            annotations = part.dataset.annotations.get(image.id, ())
            path.write_bytes(_file(image, annotations, labels, tally))
            tally.images += 1
    if parts:
        (folder / CATEGORY_FILE).write_bytes(_category_lines(parts[0]))
    return tally.written()


def _file(
    image: ImageRecord,
    annotations: Sequence[Annotation],
    labels: dict[int, str],
    tally: Tally,
) -> bytes:
    """Return the file of one image: ASCII, each shape on a line of its own."""
    if image.width < 1 or image.height < 1:
        raise UserError(
            f"The size of {image.path} is not known; open the image once and export again."
        )
    whole: dict[str, Any] = {
        "version": VERSION,
        "flags": {},
        "shapes": [],
        "imagePath": PurePosixPath(image.path).name,
        "imageData": None,
        "imageHeight": image.height,
        "imageWidth": image.width,
    }
    if image.state in (ImageState.VERIFIED, ImageState.EMPTY):
        whole["checked"] = True
    shapes: list[str] = []
    for annotation in annotations:
        entries = list(_shapes(image, annotation, labels[annotation.category_id], tally))
        tally.annotations += bool(entries)
        shapes += map(json.dumps, entries)
    listed = "[\n" + ",\n".join(shapes) + "\n]" if shapes else "[]"
    lines = ",\n".join(
        f"{json.dumps(key)}: {listed if key == 'shapes' else json.dumps(value)}"
        for key, value in whole.items()
    )
    return f"{{\n{lines}\n}}\n".encode("ascii")


def _shapes(
    image: ImageRecord, annotation: Annotation, label: str, tally: Tally
) -> Iterator[dict[str, Any]]:
    """Yield the shapes of one annotation, none where nothing is left of it."""
    name = f"{image.path}: annotation {annotation.id}"
    if annotation.segmentation is None:
        x0, y0, x1, y1 = annotation.box
        yield _entry(annotation, label, "rectangle", [[x0, y0], [x1, y1]], None)
        return
    rings: list[list[list[float]]] = []
    sound = True
    for part in annotation.segmentation.parts:
        if not part.holes or shapely.Polygon(part.outer, part.holes).is_valid:
            rings.append(keyhole(part).tolist())
        else:
            sound = False
            rings += _along_pixels(part, image)
    if not sound:
        tally.changed.append(f"{name} has rings that cross; it was written along its pixels.")
    if not rings:
        tally.left_out.append(f"{name} covers no pixel and was left out.")
    group = annotation.id if len(rings) > 1 else None
    for ring in rings:
        yield _entry(annotation, label, "polygon", ring, group)


def _along_pixels(part: Part, image: ImageRecord) -> list[list[list[float]]]:
    flat, _ = to_polygons(Segmentation((part,)), image.height, image.width)
    return [[list(point) for point in zip(f[::2], f[1::2], strict=True)] for f in flat]


def _entry(
    annotation: Annotation, label: str, kind: str, points: list[list[float]], group: int | None
) -> dict[str, Any]:
    """Return one shape; labelme's flags are true or false and nothing else."""
    said = dict(annotation.attributes)
    entry: dict[str, Any] = {
        "label": label,
        "points": points,
        "group_id": group,
        "description": annotation.note,
        "shape_type": kind,
        "flags": {name: _FLAGS[value] for name, value in said.items() if value in _FLAGS},
        "mask": None,
    }
    others = {name: value for name, value in said.items() if value not in _FLAGS}
    if others:
        entry["attributes"] = others
    if annotation.score is not None and not annotation.touched:
        entry["score"] = float(annotation.score)
    if annotation.iscrowd:
        entry["iscrowd"] = True
    return entry


def _category_lines(part: ExportPart) -> bytes:
    """Return the names of the categories, one a line, as far as a line holds them."""
    names = [category.name for category in part.dataset.categories]
    sound = [name for name in names if name.splitlines() == [name.strip()]]
    return "".join(f"{name}\n" for name in sound).encode()
