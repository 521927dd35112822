"""Real COCO files of a few small pictures, made the same way every time."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco_mask

Entry = dict[str, Any]
NUCLEUS: Entry = {"id": 1, "name": "nucleus", "supercategory": "cell"}
"""The category of the embedded model."""


def image_entry(image_id: int, file_name: str, height: int, width: int) -> Entry:
    """Return one entry of `images`."""
    return {"id": image_id, "file_name": file_name, "height": height, "width": width}


def mask_entry(
    annotation_id: int, image_id: int, mask: NDArray[np.bool_], **values: object
) -> Entry:
    """Return one entry of `annotations` whose segmentation is a mask, of category 1."""
    rle: Any = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    box = coco_mask.toBbox(rle).tolist()
    area = int(coco_mask.area(rle))
    rle["counts"] = rle["counts"].decode("ascii")
    entry = {"id": annotation_id, "image_id": image_id, "category_id": 1, "segmentation": rle}
    return {**entry, "bbox": box, "area": area, "iscrowd": 0, **values}


def write_json(
    path: Path,
    images: Sequence[Entry],
    annotations: Sequence[Entry],
    categories: Sequence[Mapping[str, Any]] = (NUCLEUS,),
) -> Path:
    """Write a COCO file and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = {"images": images, "annotations": annotations, "categories": categories}
    path.write_text(json.dumps(raw), encoding="utf-8")
    return path


def disc_mask(height: int, width: int, x: float, y: float, radius: float) -> NDArray[np.bool_]:
    """Return a mask (height, width) of one disc."""
    rows, columns = np.mgrid[:height, :width] + 0.5
    return np.asarray(np.hypot(columns - x, rows - y) <= radius, np.bool_)


def write_discs(folder: Path, images: int = 2, side: int = 64, discs: int = 3) -> Path:
    """Write pictures `discs-1.png`, ... of bright discs on dark ground.

    Returns:
        The COCO file `discs.json` beside them.
    """
    random = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    entries: list[Entry] = []
    annotations: list[Entry] = []
    for number in range(1, images + 1):
        picture = random.integers(20, 40, (side, side, 3), np.uint8)
        for _ in range(discs):
            radius = side * random.uniform(0.1, 0.16)
            x, y = random.uniform(radius, side - radius, 2)
            mask = disc_mask(side, side, x, y, radius)
            picture[mask] = random.integers(170, 230, 3)
            annotations.append(mask_entry(len(annotations) + 1, number, mask))
        name = f"discs-{number}.png"
        Image.fromarray(cv2.blur(picture, (3, 3))).save(folder / name)
        entries.append(image_entry(number, name, side, side))
    return write_json(folder / "discs.json", entries, annotations)
