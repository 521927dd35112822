"""A data set of the size and shape of COCO's own training set, made up, the same every time.

COCO's train2017 has 118,287 images and 860,001 annotations: 7.3 an image, 25 vertices an outline
after each other, areas from a few pixels to half the image, some outlines of several rings, one in
a hundred a crowd. The pictures are blank, but files of their own with the sizes of COCO's.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from maskstudio.annotation.run_tracing import unpacked

FULL_SIZE = 118_000
"""Images of the whole."""

ANNOTATIONS_AN_IMAGE = 7.29

# Height and width, and of how many images; the others are of any size up to 640.
_SIZES = {(480, 640): 0.37, (640, 480): 0.12, (427, 640): 0.16, (640, 427): 0.06, (426, 640): 0.05}

# Ids of 80 categories among 1 to 90, as COCO's are.
_CATEGORY_IDS = [n for n in range(1, 91) if n not in (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)]

# More links to one file are refused by some file systems.
_MOST_LINKS = 30_000

_Random = np.random.Generator


def make_coco_sized(folder: Path, count: int) -> tuple[Path, int]:
    """Write the pictures `images/*.jpg` and the annotations `instances.json`.

    Args:
        folder: where to; made if need be.
        count: how many images.

    Returns:
        The COCO file and the number of annotations in it.
    """
    random = np.random.default_rng(5)
    pictures = _Pictures(folder / "images")
    file = folder / "instances.json"
    annotations = 0
    sizes: list[tuple[int, int]] = []
    with file.open("w", encoding="ascii") as out:
        out.write('{"images": [')
        for number in range(1, count + 1):
            sizes.append(_size(random))
            name = f"{number:012}.jpg"
            pictures.add(name, sizes[-1])
            height, width = sizes[-1]
            entry = {"id": number, "file_name": name, "height": height, "width": width}
            out.write(("" if number == 1 else ", ") + json.dumps(entry))
        out.write('], "annotations": [')
        for number, size in enumerate(sizes, 1):
            for entry in _annotations(random, size):
                annotations += 1
                entry |= {"id": annotations * 3, "image_id": number}
                out.write(("" if annotations == 1 else ", ") + json.dumps(entry))
        categories = [{"id": n, "name": f"thing {n}", "supercategory": ""} for n in _CATEGORY_IDS]
        out.write(f'], "categories": {json.dumps(categories)}}}')
    return file, annotations


class _Pictures:
    """Blank pictures; those of one size are one file with many names."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._made: dict[tuple[int, int], tuple[Path, int]] = {}

    def add(self, name: str, size: tuple[int, int]) -> None:
        first, links = self._made.get(size, (None, 0))
        path = self._folder / name
        if first is None or links >= _MOST_LINKS:
            cv2.imwrite(str(path), np.full((*size, 3), 128, np.uint8))
            self._made[size] = path, 1
        else:
            os.link(first, path)
            self._made[size] = first, links + 1


def _size(random: _Random) -> tuple[int, int]:
    common = list(_SIZES)
    rest = 1 - sum(_SIZES.values())
    chosen = int(random.choice(len(common) + 1, p=[*_SIZES.values(), rest]))
    if chosen < len(common):
        return common[chosen]
    other = int(random.integers(300, 64 * 10, endpoint=True))
    return (other, 640) if random.random() < 0.6 else (640, other)


def _annotations(random: _Random, size: tuple[int, int]) -> Iterator[dict[str, Any]]:
    for _ in range(min(int(random.geometric(1 / (ANNOTATIONS_AN_IMAGE + 1))) - 1, 93)):
        category = _CATEGORY_IDS[min(int(random.zipf(1.4)) - 1, 79)]
        parts = 1 if random.random() < 0.9 else int(random.integers(2, 5))
        rings = [_ring(random, size) for _ in range(parts)]
        points = np.concatenate(rings)
        low, high = points.min(axis=0), points.max(axis=0)
        crowd = random.random() < 0.01
        yield {
            "segmentation": _run_lengths(rings, size)
            if crowd
            else [r.ravel().tolist() for r in rings],
            "area": round(sum(map(_area, rings)), 4),
            "iscrowd": int(crowd),
            "bbox": [round(float(n), 2) for n in (*low, *(high - low))],
            "category_id": category,
        }


def _ring(random: _Random, size: tuple[int, int]) -> NDArray[np.float64]:
    """Return a wavy ring (n, 2) inside the image, two digits behind the point as COCO has them."""
    height, width = size
    area = np.clip(np.exp(random.normal(np.log(1700), 1.9)), 40, 0.5 * height * width)
    vertices = max(5, int(random.gamma(3, 8)))
    turns = (np.arange(vertices) + random.uniform(0.2, 0.8, vertices)) * 2 * np.pi / vertices
    waves = 0.25 * np.sin(3 * turns + random.uniform(0, 6)) + random.uniform(-0.1, 0.1, vertices)
    stretch = np.exp(random.normal(0, 0.35))
    reach = np.sqrt(area / np.pi) * (1 + waves)
    across = np.array([stretch * np.cos(turns), np.sin(turns) / stretch]) * reach
    ring = across.T + random.uniform((4, 4), (width - 4, height - 4))
    return np.asarray(np.clip(ring, 0, (width, height)).round(2), np.float64)


def _area(ring: NDArray[np.float64]) -> float:
    x, y = ring.T
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2


def _run_lengths(rings: list[NDArray[np.float64]], size: tuple[int, int]) -> dict[str, Any]:
    flat = [ring.ravel().tolist() for ring in rings]
    whole = coco_mask.merge(coco_mask.frPyObjects(flat, *size))
    return {"size": list(size), "counts": unpacked(whole["counts"]).tolist()}
