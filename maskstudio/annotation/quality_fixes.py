"""The one right answer to a finding, where there is one: what was wrong is put right, no more."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np

from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.edits import Edit, ImageContent
from maskstudio.annotation.findings import TITLES, Finding, FindingKind, stamp_of
from maskstudio.annotation.outlines import few_cornered, slivers, stray_parts, without
from maskstudio.annotation.regions import made_sound
from maskstudio.annotation.segmentation import Part, Ring, Segmentation, as_ring, repaired

_Mended = dict[int, Annotation | None]


def fixed(content: ImageContent, findings: Iterable[Finding]) -> Edit:
    """Return the edit that puts findings of one image right.

    Whatever has changed since it was found, is locked, or has no one right answer, is left as it
    is.

    Args:
        content: the image as it is now.
        findings: what was found on it.
    """
    after: _Mended = {}
    title = ""
    for finding in findings:
        there = [_now(content, after, i) for i in finding.annotation_ids]
        known = [annotation for annotation in there if annotation is not None]
        unchanged = len(known) == len(there) and stamp_of(known) == finding.stamp
        mend = _MENDS.get(finding.kind)
        if mend is None or not (finding.fixable and known and unchanged):
            continue
        mended = mend(known, finding)
        if not any(content.annotations[i].locked for i in mended):
            after |= mended
            title = f"Fix: {TITLES[finding.kind].lower()}"
    return edits.mend(content, after, title)


def _now(content: ImageContent, after: _Mended, annotation_id: int) -> Annotation | None:
    """Return an annotation as the findings before have left it."""
    return after.get(annotation_id, content.annotations.get(annotation_id))


def _delete(known: list[Annotation], _: Finding) -> _Mended:
    """Delete the first; of two that are the same that is the lesser one."""
    return {known[0].id: None}


def _without_bare(known: list[Annotation], _: Finding) -> _Mended:
    return _outlined(known[0], lambda outline: without(outline, few_cornered(outline)))


def _uncrossed(known: list[Annotation], _: Finding) -> _Mended:
    return _outlined(known[0], made_sound)


def _cut(known: list[Annotation], finding: Finding) -> _Mended:
    """Cut an outline, or a box alone, at the edge of the image."""
    annotation, (height, width) = known[0], finding.size
    if annotation.segmentation is not None:
        return _outlined(annotation, lambda outline: repaired(outline, height, width))
    x0, y0, x1, y1 = annotation.box
    box = max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height))
    inside = box[0] < box[2] and box[1] < box[3]
    return {annotation.id: replace(annotation, box_only=box) if inside else None}


def _without_slivers(known: list[Annotation], _: Finding) -> _Mended:
    return _outlined(known[0], lambda outline: without(outline, slivers(outline).rings))


def _without_strays(known: list[Annotation], _: Finding) -> _Mended:
    return _outlined(
        known[0], lambda outline: without(outline, [(p, 0) for p in stray_parts(outline)])
    )


def _turned(known: list[Annotation], finding: Finding) -> _Mended:
    """Turn all outlines of an image from how it stands in its file to how it is shown."""

    def upright(ring: Ring) -> Ring:
        return as_ring(turned_upright(ring, finding.orientation, *finding.size))

    def turn(annotation: Annotation) -> Annotation:
        outline = annotation.segmentation
        if outline is not None:
            parts = (Part(upright(p.outer), tuple(map(upright, p.holes))) for p in outline.parts)
            return replace(annotation, segmentation=Segmentation(tuple(parts)))
        corners = np.reshape(annotation.box, (2, 2))
        turned = turned_upright(corners, finding.orientation, *finding.size)
        (x0, y0), (x1, y1) = turned.min(axis=0).tolist(), turned.max(axis=0).tolist()
        return replace(annotation, box_only=(x0, y0, x1, y1))

    return {annotation.id: turn(annotation) for annotation in known}


def turned_upright(points: Ring, orientation: int, height: int, width: int) -> Ring:
    """Return where points of an image as it stands in its file lie once it stands upright.

    Args:
        points: (n, 2), pixel-edge coordinates x, y in the file.
        orientation: as EXIF names it (tag 0x0112, TIFF 6.0 «Orientation»): 5 to 8.
        height: rows of the upright image.
        width: columns of the upright image.
    """
    x, y = points.T
    right, down = width - y, height - x
    turned = {5: (y, x), 6: (right, x), 7: (right, down), 8: (y, down)}[orientation]
    return np.stack(turned, axis=1)


def _outlined(
    annotation: Annotation, mend: Callable[[Segmentation], Segmentation | None]
) -> _Mended:
    """Give an annotation another outline; with none left it is deleted."""
    outline = annotation.segmentation
    if outline is None:
        return {}
    mended = mend(outline)
    return {annotation.id: None if mended is None else replace(annotation, segmentation=mended)}


_MENDS: Mapping[FindingKind, Callable[[list[Annotation], Finding], _Mended]] = {
    FindingKind.ORIENTATION: _turned,
    FindingKind.NO_PIXEL: _delete,
    FindingKind.FEW_CORNERS: _without_bare,
    FindingKind.CROSSING: _uncrossed,
    FindingKind.OUTSIDE: _cut,
    FindingKind.DUPLICATE: _delete,
    FindingKind.SLIVER: _without_slivers,
    FindingKind.STRAY_PART: _without_strays,
}
