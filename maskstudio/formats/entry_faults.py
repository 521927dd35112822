"""What is wrong with an annotation in a COCO file, whatever it is meant to be."""

import math
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from pycocotools.coco import COCO

from maskstudio.annotation.run_tracing import unpacked
from maskstudio.annotation.segmentation import MAX_COORDINATE
from maskstudio.errors import UserError
from maskstudio.formats.options import SegmentationStyle

_Entry = dict[str, Any]


def entry_faults(coco: COCO, entry: _Entry, style: SegmentationStyle | None = None) -> list[str]:
    """Return a few words for each thing because of which readers fail on an entry.

    Args:
        coco: the file.
        entry: one of its annotations, as it stands there.
        style: how its outline must stand there; None takes polygons and run lengths. A crowd is
            always run lengths.
    """
    dangling = list(_dangling(coco, entry))
    # What is said of nearly every entry is nothing, and there may be a million.
    if style is not SegmentationStyle.RLE and _has_sound_rings(entry):
        return dangling
    image: Any = coco.imgs.get(entry["image_id"], {})
    return [*dangling, *_malformed(entry, image, style)]


_Runs = list[Annotated[int, msgspec.Meta(ge=0)]]
_Coordinate = Annotated[float, msgspec.Meta(ge=-MAX_COORDINATE, le=MAX_COORDINATE)]


class _WithRings(msgspec.Struct):
    """An entry in which the rest of this module finds nothing wrong, but for odd rings."""

    iscrowd: Literal[0]
    area: Annotated[float, msgspec.Meta(ge=0, le=1e15)]
    bbox: Annotated[list[_Coordinate], msgspec.Meta(min_length=4, max_length=4)]
    segmentation: Annotated[
        list[Annotated[list[_Coordinate], msgspec.Meta(min_length=6)]], msgspec.Meta(min_length=1)
    ]


def _has_sound_rings(entry: _Entry) -> bool:
    """Tell whether nothing is wrong with an entry; False may only mean that it is unusual."""
    try:
        rings = msgspec.convert(entry, _WithRings).segmentation
    except msgspec.ValidationError:
        return False
    return "ignore" not in entry and not any(len(ring) % 2 for ring in rings)


def _dangling(coco: COCO, entry: _Entry) -> Iterator[str]:
    for kind, known in (("image", coco.imgs), ("category", coco.cats)):
        if entry[f"{kind}_id"] not in known:
            yield f"refers to {kind} {entry[f'{kind}_id']}, which is not listed"


def _malformed(entry: _Entry, image: _Entry, style: SegmentationStyle | None) -> Iterator[str]:
    crowd = entry.get("iscrowd")
    if type(crowd) is not int or crowd not in (0, 1):
        yield f"has iscrowd {crowd!r}, not 0 or 1"
    if "ignore" in entry:
        yield "has the key 'ignore', which readers refuse or misread"
    if not _numbers([entry.get("area")]):
        yield f"has the area {entry.get('area')!r}, which is no number"
    if not _numbers(entry.get("bbox"), 4):
        yield f"has the bbox {entry.get('bbox')!r}, which is not four numbers"
    yield from _shape_faults(entry, image, style)


def _shape_faults(entry: _Entry, image: _Entry, style: SegmentationStyle | None) -> Iterator[str]:
    shape, crowd = entry.get("segmentation"), entry.get("iscrowd") == 1
    exact = crowd or style is SegmentationStyle.RLE or (style is None and isinstance(shape, dict))
    if not exact:
        yield from _ring_faults(shape)
    elif not _is_rle(shape, image, packed_too=style is None):
        what = "is a crowd without" if crowd else "has not"
        yield f"{what} the run lengths of a mask of its image's size"


def _ring_faults(rings: Any) -> Iterator[str]:
    if not isinstance(rings, list) or not rings:
        yield "has no list of rings"
    elif not all(map(_is_ring, rings)):
        yield "has a ring that is not an even number of at least six coordinates in reach"


def _is_rle(value: Any, image: _Entry, *, packed_too: bool) -> bool:
    height, width = image.get("height", 0), image.get("width", 0)
    if not isinstance(value, dict) or value.get("size") != [height, width]:
        return False
    runs: Any = value.get("counts")
    if packed_too and isinstance(runs, str):
        try:
            runs = unpacked(runs.encode("ascii")).tolist()
        except (UserError, UnicodeEncodeError):
            return False
    try:
        return bool(sum(msgspec.convert(runs, _Runs)) == height * width)
    except msgspec.ValidationError:
        return False


def _is_ring(values: Any) -> bool:
    sound = _numbers(values) and len(values) >= 6 and len(values) % 2 == 0
    return sound and max(map(abs, values)) <= MAX_COORDINATE


def _numbers(values: object, count: int | None = None) -> bool:
    if not isinstance(values, list) or not {type(value) for value in values} <= {int, float}:
        return False
    try:
        return (count is None or len(values) == count) and all(map(math.isfinite, values))
    except OverflowError:  # a whole number larger than any float
        return False
