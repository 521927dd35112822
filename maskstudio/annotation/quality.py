"""The checks of one image and of what stands on it.

Most outlines are sound: that is found out of all of an image at once, and only what is left is
looked at one by one.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.annotation import Annotation, ImageRecord, ImageState
from maskstudio.annotation.edits import ImageContent
from maskstudio.annotation.findings import Finding, FindingKind, Severity, stamp_of
from maskstudio.annotation.outlines import few_cornered, outline_of, slivers, stray_parts
from maskstudio.annotation.segmentation import Box, Segmentation
from maskstudio.annotation.twice import labelled_twice, raster_area
from maskstudio.later import shapely

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

SIDEWAYS = (5, 6, 7, 8)
"""EXIF orientations that swap height and width."""

# What is outside by less came of rounding, not of a hand; in pixels.
_ROUNDING = 1e-6
# An outline of this mean half-width (area by perimeter) holds the centre of a pixel wherever it
# lies: a disc of its size does, with a pixel to spare for pycocotools, which rounds corners.
_SURELY_COVERS_PX = 2.0
# So far out of the image, in pixels and as a share of its side, an outline of another orientation
# reaches at least; less is a hand that slipped over the edge.
_FAR_OUT_PX, _FAR_OUT = 2.0, 0.01
_FITS_PX = 1.0
_PLACE_PX = 12.0
_PLACE = re.compile(r"\[(-?[\d.e+-]+) (-?[\d.e+-]+)\]")


@dataclass(frozen=True)
class FileFacts:
    """What the head of an image file says.

    Attributes:
        height: rows of the image as it stands upright.
        width: columns of it.
        orientation: as EXIF names it; 1 where it stands upright in the file, or names none.
        fault: why it cannot be read, in a sentence; the rest is nothing then.
    """

    height: int = 0
    width: int = 0
    orientation: int = 1
    fault: str = ""


def check_image(content: ImageContent, facts: FileFacts) -> tuple[Finding, ...]:
    """Return all that is to be said of an image and of its annotations.

    Args:
        content: the image; its size may be not known.
        facts: what its file says.
    """
    record, annotations = content.record, tuple(content.annotations.values())
    found = list(_of_image(record, len(annotations), facts))
    size = (record.height, record.width) if record.height else (facts.height, facts.width)
    if annotations:
        sheet = _Sheet(record.id, annotations, size, facts.orientation)
        found += sheet.findings()
    return tuple(found)


def _of_image(record: ImageRecord, count: int, facts: FileFacts) -> Iterator[Finding]:
    if facts.fault:
        yield Finding(FindingKind.UNREADABLE, Severity.PROBLEM, facts.fault, record.id)
    elif count and record.height and (record.height, record.width) != (facts.height, facts.width):
        sentence = (
            f"Labelled at {record.width} by {record.height}, but the file has {facts.width} by "
            f"{facts.height} pixels now; put the old file back."
        )
        size, stamp = (record.height, record.width), facts.height << 32 | facts.width
        yield Finding(
            FindingKind.SIZE, Severity.PROBLEM, sentence, record.id, size=size, stamp=stamp
        )
    if count:
        return
    if record.state in (ImageState.EDITED, ImageState.VERIFIED):
        sentence = f"It is {record.state}, but nothing stands on it; verify it as empty, or label."
        yield Finding(FindingKind.UNLABELLED, Severity.DOUBT, sentence, record.id)
    elif record.state in (ImageState.NEW, ImageState.PREDICTED):
        sentence = "Nothing stands on it yet; label it, verify it as empty, or skip it."
        yield Finding(FindingKind.UNLABELLED, Severity.NOTE, sentence, record.id)


class _Sheet:
    """The outlines of one image, measured all at once."""

    def __init__(
        self,
        image_id: int,
        annotations: Sequence[Annotation],
        size: tuple[int, int],
        orientation: int,
    ) -> None:
        self._image_id = image_id
        self._annotations = annotations
        self._size = size
        self._orientation = orientation
        outlines = [outline_of(annotation) for annotation in annotations]
        self._outlines = outlines
        # Those that were read from the disk have it at hand: nothing is built of each vertex.
        self._geometries = shapely.from_wkb([outline.wkb for outline in outlines])
        self._valid: NDArray[np.bool_] = shapely.is_valid(self._geometries)
        self._boxes: NDArray[np.float64] = shapely.bounds(self._geometries)
        self._areas: NDArray[np.float64] = shapely.area(self._geometries)
        self._lengths: NDArray[np.float64] = shapely.length(self._geometries)
        # About as many as each covers: exactly, where the area on paper says little.
        self._pixels = self._areas.copy()

    def findings(self) -> Iterator[Finding]:
        """Yield what is found, outline by outline, then of several together."""
        outside = self._outside()
        turned = self._is_turned(outside)
        if turned:
            yield self._turned()
        empty = self._empty(outside)
        for number in self._suspicious(outside | empty):
            if not empty[number]:
                yield from self._of_outline(number, out=bool(outside[number]) and not turned)
            elif not turned:
                yield self._no_pixel(number)
        rest = np.flatnonzero(~empty)
        yield from self._twice(rest)

    def _outside(self) -> NDArray[np.bool_]:
        """Tell of each outline whether it reaches out of the image; of none if that is unknown."""
        height, width = self._size
        if not height:
            return np.zeros(len(self._boxes), np.bool_)
        x0, y0, x1, y1 = self._boxes.T
        low = (x0 < -_ROUNDING) | (y0 < -_ROUNDING)
        return np.asarray(low | (x1 > width + _ROUNDING) | (y1 > height + _ROUNDING), np.bool_)

    def _is_turned(self, outside: NDArray[np.bool_]) -> bool:
        """Tell whether the outlines fit the image only with its sides swapped."""
        height, width = self._size
        if not outside.any() or height == width:
            return False
        x0, y0 = self._boxes[:, :2].min(axis=0)
        x1, y1 = self._boxes[:, 2:].max(axis=0)
        far = max(
            (x1 - width) / max(_FAR_OUT_PX, _FAR_OUT * width),
            (y1 - height) / max(_FAR_OUT_PX, _FAR_OUT * height),
        )
        fits = min(x0, y0) >= -_FITS_PX and x1 <= height + _FITS_PX and y1 <= width + _FITS_PX
        return bool(far > 1 and fits)

    def _empty(self, outside: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell of each outline whether it covers no pixel of the image."""
        empty = np.zeros(len(self._outlines), np.bool_)
        if not self._size[0]:
            return empty
        # What crosses itself may have no area on paper and pixels all the same.
        thin = self._areas < _SURELY_COVERS_PX * self._lengths
        for number in np.flatnonzero(thin | outside | ~self._valid):
            self._pixels[number] = raster_area(self._outlines[number], *self._size)
            empty[number] = self._pixels[number] == 0
        return empty

    def _suspicious(self, known: NDArray[np.bool_]) -> list[int]:
        """Return which outlines must be looked at one by one."""
        polygons, owner = shapely.get_parts(self._geometries, return_index=True)
        several = np.bincount(owner, minlength=len(known)) > 1
        holed = np.zeros(len(known), np.bool_)
        holed[owner[shapely.get_num_interior_rings(polygons) > 0]] = True
        thin = self._areas < self._lengths
        return np.flatnonzero(known | ~self._valid | several | holed | thin).tolist()

    def _of_outline(self, number: int, *, out: bool) -> Iterator[Finding]:
        outline = self._outlines[number]
        bare = [] if self._valid[number] else few_cornered(outline)
        if bare:
            where: Box | None = self._box(outline, bare[0])
            sentence = f"{_rings(len(bare))} fewer than three different corners."
            yield self._found(FindingKind.FEW_CORNERS, number, sentence, where, fixable=True)
        elif not self._valid[number]:
            where = _crossing(self._geometries[number])
            sentence = "The outline crosses itself, or its parts and holes overlap."
            yield self._found(FindingKind.CROSSING, number, sentence, where, fixable=True)
        if out:
            yield self._out(number)
        if self._valid[number]:
            yield from self._specks(number, outline)

    def _out(self, number: int) -> Finding:
        sentence = "The outline reaches out of the image."
        return self._found(FindingKind.OUTSIDE, number, sentence, None, fixable=True)

    def _specks(self, number: int, outline: Segmentation) -> Iterator[Finding]:
        thin = slivers(outline)
        if thin.whole:
            sentence = "All of it is thinner than a pixel; widen it, or delete it."
            yield self._found(FindingKind.SLIVER, number, sentence, None, Severity.DOUBT)
        elif thin.rings:
            pieces = _pieces(len(thin.rings), "part or hole", "parts or holes")
            sentence = f"{pieces} thinner than a pixel."
            where = self._box(outline, thin.rings[0])
            yield self._found(
                FindingKind.SLIVER, number, sentence, where, Severity.DOUBT, fixable=True
            )
        stray = stray_parts(outline)
        if stray:
            sentence = f"{_pieces(len(stray), 'part', 'parts')} of a few pixels beside the rest."
            where = self._box(outline, (stray[0], 0))
            yield self._found(
                FindingKind.STRAY_PART, number, sentence, where, Severity.DOUBT, fixable=True
            )

    def _no_pixel(self, number: int) -> Finding:
        sentence = "It covers no pixel of the image, so that no mask can be made of it."
        return self._found(FindingKind.NO_PIXEL, number, sentence, None, fixable=True)

    def _turned(self) -> Finding:
        known = self._orientation in SIDEWAYS
        free = not any(annotation.locked for annotation in self._annotations)
        sentence = "The outlines fit only if the image is turned by a quarter"
        sentence += (
            ", as it stands in its file." if known else "; turn the image, or label it anew."
        )
        return Finding(
            FindingKind.ORIENTATION,
            Severity.PROBLEM,
            sentence,
            self._image_id,
            tuple(annotation.id for annotation in self._annotations),
            size=self._size,
            orientation=self._orientation,
            stamp=stamp_of(self._annotations),
            fixable=known and free,
        )

    def _twice(self, places: NDArray[np.intp]) -> Iterator[Finding]:
        """Yield the annotations that are another one once more."""
        if len(places) < 2 or not self._size[0]:
            return
        chosen = [self._annotations[place] for place in places]
        outlines = [self._outlines[place] for place in places]
        for again, first in labelled_twice(chosen, outlines, self._pixels[places], self._size):
            same = again.category_id == first.category_id
            sentence = "It covers what another one covers"
            sentence += "." if same else " that has another category; delete the wrong one."
            yield Finding(
                FindingKind.DUPLICATE,
                Severity.PROBLEM if same else Severity.DOUBT,
                sentence,
                self._image_id,
                (again.id, first.id),
                again.box,
                size=self._size,
                stamp=stamp_of((again, first)),
                fixable=same and not again.locked,
            )

    def _found(
        self,
        kind: FindingKind,
        number: int,
        sentence: str,
        box: Box | None,
        severity: Severity = Severity.PROBLEM,
        *,
        fixable: bool = False,
    ) -> Finding:
        annotation = self._annotations[number]
        return Finding(
            kind,
            severity,
            sentence,
            self._image_id,
            (annotation.id,),
            box or annotation.box,
            size=self._size,
            stamp=stamp_of((annotation,)),
            fixable=fixable and not annotation.locked,
        )

    @staticmethod
    def _box(outline: Segmentation, ring: tuple[int, int]) -> Box:
        vertices = outline.ring(*ring)
        (x0, y0), (x1, y1) = vertices.min(axis=0).tolist(), vertices.max(axis=0).tolist()
        return x0, y0, x1, y1


def _crossing(geometry: "BaseGeometry") -> Box | None:
    """Return where an outline crosses itself, as far as shapely says."""
    at = _PLACE.search(shapely.is_valid_reason(geometry))
    if at is None:
        return None
    x, y = float(at[1]), float(at[2])
    return x - _PLACE_PX, y - _PLACE_PX, x + _PLACE_PX, y + _PLACE_PX


def _rings(count: int) -> str:
    return "A ring has" if count == 1 else f"{count} rings have"


def _pieces(count: int, one: str, many: str) -> str:
    return f"It has a {one}" if count == 1 else f"It has {count} {many}"
