"""What is wrong with an annotation in a COCO file, whatever it is meant to be."""

import math
from collections.abc import Iterator
from typing import Any

from pycocotools.coco import COCO

from maskstudio.annotation.segmentation import MAX_COORDINATE

_Entry = dict[str, Any]


def entry_faults(coco: COCO, entry: _Entry) -> list[str]:
    """Return a few words for each thing because of which readers fail on an entry.

    Args:
        coco: the file.
        entry: one of its annotations, as it stands there.
    """
    image: Any = coco.imgs.get(entry["image_id"], {})
    return [*_dangling(coco, entry), *_malformed(entry, image)]


def _dangling(coco: COCO, entry: _Entry) -> Iterator[str]:
    for kind, known in (("image", coco.imgs), ("category", coco.cats)):
        if entry[f"{kind}_id"] not in known:
            yield f"refers to {kind} {entry[f'{kind}_id']}, which is not listed"


def _malformed(entry: _Entry, image: _Entry) -> Iterator[str]:
    crowd = entry.get("iscrowd")
    if type(crowd) is not int or crowd not in (0, 1):
        yield f"has iscrowd {crowd!r}, not 0 or 1"
    if "ignore" in entry:
        yield "has the key 'ignore', which readers refuse or misread"
    if not _numbers([entry.get("area")]):
        yield f"has the area {entry.get('area')!r}, which is no number"
    if not _numbers(entry.get("bbox"), 4):
        yield f"has the bbox {entry.get('bbox')!r}, which is not four numbers"
    shape = entry.get("segmentation")
    if crowd != 1:
        yield from _ring_faults(shape)
    elif not _is_rle(shape, image):
        yield "is a crowd without the run lengths of a mask of its image's size"


def _ring_faults(rings: Any) -> Iterator[str]:
    if not isinstance(rings, list) or not rings:
        yield "has no list of rings"
    elif not all(map(_is_ring, rings)):
        yield "has a ring that is not an even number of at least six coordinates in reach"


def _is_rle(value: Any, image: _Entry) -> bool:
    height, width = image.get("height", 0), image.get("width", 0)
    if not isinstance(value, dict) or value.get("size") != [height, width]:
        return False
    runs: Any = value.get("counts")
    whole = isinstance(runs, list) and all(type(run) is int and run >= 0 for run in runs)
    return whole and bool(sum(runs) == height * width)


def _is_ring(values: Any) -> bool:
    sound = _numbers(values) and len(values) >= 6 and len(values) % 2 == 0
    return sound and max(map(abs, values)) <= MAX_COORDINATE


def _numbers(values: object, count: int | None = None) -> bool:
    if not isinstance(values, list) or not {type(value) for value in values} <= {int, float}:
        return False
    return (count is None or len(values) == count) and all(map(math.isfinite, values))
