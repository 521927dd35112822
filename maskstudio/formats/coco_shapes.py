"""The shapes of a COCO file's entries: rings, run lengths and boxes become outlines and boxes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.many_outlines import outlines_of_rings
from maskstudio.annotation.run_tracing import all_unpacked, trace_all_runs
from maskstudio.annotation.segmentation import Box, Segmentation
from maskstudio.errors import UserError
from maskstudio.formats.coco_entries import AnnotationEntry, RleEntry
from maskstudio.formats.incoming import IncomingAnnotation
from maskstudio.formats.rings import outline

BOX_ONLY = "box_only"
"""By this attribute an export says that the rectangle it writes for an outline is only a box."""

Shape = Segmentation | Box


class EntryShapes:
    """The shapes of the entries of one image; those of rings are made all at once."""

    def __init__(self, entries: Sequence[AnnotationEntry], height: int, width: int) -> None:
        self._entries = entries
        self._size = (height, width)
        self._rings = {
            place: [np.array(ring).reshape(-1, 2) for ring in entry.segmentation]
            for place, entry in enumerate(entries)
            if isinstance(entry.segmentation, list)
            and entry.segmentation
            and not any(len(ring) % 2 for ring in entry.segmentation)
        }
        made = outlines_of_rings(list(self._rings.values()))
        self._made = dict(zip(self._rings, made, strict=True))
        self._traced = self._trace()

    def _trace(self) -> dict[int, Segmentation | UserError | None]:
        """Return what becomes of the masks that have the size of the image."""
        runs: dict[int, NDArray[np.int64] | UserError] = {}
        packed: dict[int, bytes] = {}
        for place, entry in enumerate(self._entries):
            rle = entry.segmentation
            if not isinstance(rle, RleEntry) or rle.size != self._size:
                continue
            if isinstance(rle.counts, str):
                packed[place] = rle.counts.encode("utf-8")
            else:
                runs[place] = _plain_runs(rle.counts)
        runs.update(zip(packed, all_unpacked(list(packed.values())), strict=True))
        sound = {place: one for place, one in runs.items() if not isinstance(one, UserError)}
        traced = trace_all_runs(list(sound.values()), *self._size)
        faults = {place: one for place, one in runs.items() if isinstance(one, UserError)}
        return faults | dict(zip(sound, traced, strict=True))

    def shape(self, place: int) -> tuple[Shape | None, tuple[str, ...]]:
        """Return the outline or the box of an entry, None where there is none, and what to say."""
        entry = self._entries[place]
        segmentation = entry.segmentation
        if isinstance(segmentation, RleEntry):
            return self._mask(place, segmentation)
        if not segmentation:
            return self._box(entry.bbox)
        shape, notes = self._outline(place)
        if shape is not None and _is_box_only(entry):
            return shape.box, notes
        return shape, notes

    def _outline(self, place: int) -> tuple[Segmentation | None, tuple[str, ...]]:
        if place not in self._rings:
            return None, ("has a ring with an odd number of coordinates",)
        made = self._made[place]
        if made is not None and made.is_valid and self._holds(made.box):
            return made, ()
        found = outline(self._rings[place], *self._size)
        return found.segmentation, found.notes

    def _mask(self, place: int, rle: RleEntry) -> tuple[Segmentation | None, tuple[str, ...]]:
        if place not in self._traced:
            (high, wide), (height, width) = rle.size, self._size
            told = f"has a mask of {high} by {wide} pixels on an image of {height} by {width}"
            return None, (told,)
        found = self._traced[place]
        if isinstance(found, UserError):
            return None, (f"cannot be traced: {str(found).rstrip('.')}",)
        return (found, ()) if found is not None else (None, ("has an empty mask",))

    def _box(self, bbox: list[float] | None) -> tuple[Box | None, tuple[str, ...]]:
        if not bbox:
            return None, ("has neither an outline nor a box",)
        if len(bbox) != len(("x", "y", "width", "height")):
            return None, (f"has a box of {len(bbox)} numbers instead of four",)
        x, y, w, h = bbox
        height, width = self._size
        box = (x, y, x + w, y + h)
        if self._holds(box) and w > 0 and h > 0:
            return box, ()
        cut = (max(x, 0.0), max(y, 0.0), min(x + w, float(width)), min(y + h, float(height)))
        if cut[0] < cut[2] and cut[1] < cut[3]:
            return cut, ("reached out of the image and was cut at its edge",)
        return None, ("covers no area within the image",)

    def _holds(self, box: Box) -> bool:
        height, width = self._size
        return box[0] >= 0 and box[1] >= 0 and box[2] <= width and box[3] <= height


def _plain_runs(counts: list[int]) -> NDArray[np.int64] | UserError:
    try:
        return np.array(counts, np.int64)
    except OverflowError:
        return UserError("A run is longer than any image.")


def incoming_annotation(entry: AnnotationEntry, shape: Shape, category: int) -> IncomingAnnotation:
    """Return an entry with its shape.

    Args:
        entry: the entry.
        shape: what `EntryShapes.shape` gives for it.
        category: the place of its category among those of the data set.
    """
    segmentation, box = (shape, None) if isinstance(shape, Segmentation) else (None, shape)
    attributes = entry.texts()
    if _is_box_only(entry):
        attributes = tuple(pair for pair in attributes if pair[0] != BOX_ONLY)
    crowd, note = bool(entry.iscrowd), entry.note or ""
    return IncomingAnnotation(category, segmentation, box, entry.score, crowd, attributes, note)


def _is_box_only(entry: AnnotationEntry) -> bool:
    return entry.attributes is not None and entry.attributes.get(BOX_ONLY) is True
