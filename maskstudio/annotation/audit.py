"""Where a model disagrees with what a person has verified: the person, or the model, has erred.

Only what the model is sure of counts. The idea is that of confident learning (Northcutt et al.,
JAIR 2021) taken to instances: a label that a sure model contradicts is wrong more often than not.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.detection_filter import as_boxes, overlapping
from maskstudio.annotation.detections import Detections, outline_of
from maskstudio.annotation.edits import ImageContent
from maskstudio.annotation.findings import Finding, FindingKind, Severity, stamp_of
from maskstudio.annotation.refiltering import untaken
from maskstudio.annotation.segmentation import Box, Segmentation
from maskstudio.later import np, shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

SURE = 0.8
"""Score from which the model is taken at its word."""

# An outline that shares so much with the model's is good; one that shares less than the other is
# of something else.
_GOOD_IOU, _SAME_IOU = 0.8, 0.5
# Of a detection nothing is labelled where annotations cover less of it than this.
_COVERED = 0.3
# Nobody corrects an outline by less; small objects lie that far apart by a pixel or two.
_LEAST_APART_PX = 1.5


@dataclass(frozen=True)
class Opinion:
    """What a model thinks of an image that a person has verified.

    Attributes:
        detections: what it found.
        goes_to: for each of its categories that of the project; see `category_map.destinations`.
        names: the project's categories by id.
        mask_threshold: probability from which a pixel belongs to an instance.
    """

    detections: Detections
    goes_to: NDArray[np.int64]
    names: Mapping[int, str]
    mask_threshold: float


def audit(content: ImageContent, opinion: Opinion) -> tuple[Finding, ...]:
    """Find where a model that is sure disagrees with what stands on an image.

    A detection that a person has deleted is not offered again, and one without a category in the
    project says nothing.

    Args:
        content: the image.
        opinion: what the model thinks of it.
    """
    detections = opinion.detections
    goes_to = opinion.goes_to[detections.labels]
    sure = (detections.scores >= SURE) & np.isin(goes_to, list(opinion.names))
    annotations = [a for a in content.annotations.values() if a.segmentation is not None]
    sure &= untaken(detections, opinion.goes_to, (), content.record.status.rejections)
    found = [
        (index, traced)
        for index in np.flatnonzero(sure).tolist()
        if (traced := outline_of(detections, index, opinion.mask_threshold)) is not None
    ]
    overlaps = _Overlaps(annotations, [traced for _, traced in found])
    boxes_alone = [a for a in content.annotations.values() if a.segmentation is None]
    judged = _Judged(content.record.id, opinion, annotations, boxes_alone, overlaps)
    said = (
        judged.of(position, index, traced, int(goes_to[index]))
        for position, (index, traced) in enumerate(found)
    )
    return tuple(finding for finding in said if finding is not None)


class _Overlaps:
    """How much outlines that a model traced share with annotations."""

    def __init__(self, annotations: Sequence[Annotation], traced: Sequence[Segmentation]) -> None:
        self._outlines = [a.segmentation for a in annotations]
        self._areas = [0.0 if one is None else one.area for one in self._outlines]
        self._traced = traced
        first, second, _ = overlapping(
            as_boxes([one.box for one in traced]), as_boxes([a.box for a in annotations])
        )
        self._near: dict[int, list[int]] = {}
        for one, other in zip(first.tolist(), second.tolist(), strict=True):
            self._near.setdefault(one, []).append(other)

    def of(self, position: int) -> list[tuple[int, float, float]]:
        """Return which annotations a traced outline meets: position, IoU, share of it covered."""
        return list(self._measured(position))

    def _measured(self, position: int) -> Iterator[tuple[int, float, float]]:
        traced = self._traced[position]
        own = traced.area
        for other in self._near.get(position, ()):
            outline = self._outlines[other]
            if outline is None:
                continue
            common = _common_area(traced, outline)
            yield other, common / (own + self._areas[other] - common), common / max(own, 1e-9)


def _common_area(a: Segmentation, b: Segmentation) -> float:
    """Return the area two outlines share, also where one of them crosses itself."""
    first, second = (one.geometry if one.is_valid else one.geometry.buffer(0) for one in (a, b))
    return float(shapely.area(shapely.intersection(first, second)))


@dataclass(frozen=True)
class _Judged:
    """Compares what a model is sure of with what stands on the image."""

    image_id: int
    opinion: Opinion
    annotations: Sequence[Annotation]
    boxes_alone: Sequence[Annotation]
    overlaps: _Overlaps

    def of(
        self, position: int, index: int, traced: Segmentation, category_id: int
    ) -> Finding | None:
        """Return what is to be said of a detection, if anything.

        Args:
            position: in the outlines that were traced.
            index: in the detections.
            traced: its outline.
            category_id: what it is in the project.
        """
        met = self.overlaps.of(position)
        same = [one for one in met if one[1] >= _SAME_IOU]
        own = [one for one in same if self.annotations[one[0]].category_id == category_id]
        if own:
            best, iou, _ = max(own, key=lambda one: one[1])
            return self._sloppy(index, traced, self.annotations[best], iou)
        if same:
            best, *_ = max(same, key=lambda one: one[1])
            return self._other_category(index, self.annotations[best])
        if sum(covered for *_, covered in met) < _COVERED and not self._has_box(traced.box):
            return self._missed(index)
        return None

    def _has_box(self, box: Box) -> bool:
        """Tell whether a box alone may stand for what lies here."""
        there = as_boxes([annotation.box for annotation in self.boxes_alone])
        return bool((overlapping(as_boxes([box]), there)[2] >= _SAME_IOU).any())

    def _sloppy(
        self, index: int, traced: Segmentation, annotation: Annotation, iou: float
    ) -> Finding | None:
        outline = annotation.segmentation
        if outline is None or iou >= _GOOD_IOU or annotation.iscrowd:
            return None
        union = (traced.area + outline.area) / (1 + iou)
        # What lies between the two, shared out along both edges.
        apart = (1 - iou) * union * 2 / (traced.geometry.length + outline.geometry.length)
        if apart < _LEAST_APART_PX:
            return None
        sentence = f"The model's outline ({self._score(index)} sure) shares {100 * iou:.0f} %"
        return self._finding(FindingKind.SLOPPY, f"{sentence} with this one.", index, annotation)

    def _other_category(self, index: int, annotation: Annotation) -> Finding | None:
        if annotation.iscrowd:
            return None
        name = self.opinion.names[annotation.category_id]
        sentence = f"Labelled {name}; the model is {self._score(index)} sure of {self._name(index)}"
        return self._finding(FindingKind.OTHER_CATEGORY, f"{sentence}.", index, annotation)

    def _missed(self, index: int) -> Finding:
        sentence = f"The model is {self._score(index)} sure of {self._name(index)} here"
        return self._finding(FindingKind.MISSED, f"{sentence}; nothing is labelled.", index, None)

    def _finding(
        self, kind: FindingKind, sentence: str, index: int, annotation: Annotation | None
    ) -> Finding:
        box = self.opinion.detections.box(index)
        stamp = stamp_of([annotation] if annotation else ())
        if annotation is None:
            # Known again until the model finds it elsewhere, or as something else.
            where = " ".join(f"{value:.0f}" for value in box)
            stamp = zlib.crc32(f"{self._name(index)} {where}".encode())
        ids = () if annotation is None else (annotation.id,)
        return Finding(kind, Severity.DOUBT, sentence, self.image_id, ids, box, stamp=stamp)

    def _score(self, index: int) -> str:
        # No model is sure altogether.
        return f"{min(99, round(100 * float(self.opinion.detections.scores[index])))} %"

    def _name(self, index: int) -> str:
        """Return what the model takes it for, as the project calls it."""
        return self.opinion.names[int(self.opinion.goes_to[self.opinion.detections.labels[index]])]
