"""From what a model found to the pre-annotations of an image, leaving room for a person's work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation, Rejection
from maskstudio.annotation.category_map import IGNORED, TO_MAKE
from maskstudio.annotation.detection_filter import (
    DetectionFilter,
    as_boxes,
    mask_areas,
    overlapping,
    passing,
)
from maskstudio.annotation.detections import Detections, Outlined, pre_annotation
from maskstudio.annotation.edits import Edit, ImageContent
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.later import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A detection that overlaps a person's annotation this much (box IoU) is of the same object: two
# detections of one model overlap by less than 0.5, which its own suppression sees to.
_SAME_OBJECT_IOU = 0.6
# A detection is the one a person deleted only if it lies nearly where that one lay.
_SAME_DETECTION_IOU = 0.8


def chosen(
    detections: Detections, shown: DetectionFilter, destinations: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Tell which detections a filter lets pass, (n,).

    Detections of two of the model's categories that go to one of the project's can be doubles of
    each other; those of a category that is ignored never pass.

    Args:
        detections: what was found.
        shown: what is wanted of it.
        destinations: where each of the model's categories goes; see `category_map.destinations`.
    """
    goes_to = destinations[detections.labels]
    # Each of the categories that are still to be made is another one.
    groups = np.where(goes_to == TO_MAKE, -2 - detections.labels, goes_to)
    lowest = shown.lowest_scores([category.name for category in detections.categories])
    areas = np.full(len(detections), np.inf)
    if shown.min_area > 0:
        areas = mask_areas(detections.boxes, detections.roi_masks, shown.mask_threshold)
    least = np.where(goes_to == IGNORED, np.inf, lowest[detections.labels])
    return passing(shown, detections.scores, least, areas, groups, detections.overlaps)


def untaken(
    detections: Detections,
    destinations: NDArray[np.int64],
    kept: Sequence[Annotation],
    rejections: Sequence[Rejection],
) -> NDArray[np.bool_]:
    """Tell which detections a person has neither annotated nor deleted, (n,).

    Those of the same model and score are the same, too, wherever their outline was drawn.

    Args:
        detections: what was found.
        destinations: where each of the model's categories goes.
        kept: the person's annotations on the image.
        rejections: what a person deleted from it.
    """
    free = np.ones(len(detections), np.bool_)
    scores = detections.scores.astype(np.float64)
    goes_to = destinations[detections.labels]
    first, second, iou = overlapping(detections.mask_boxes, as_boxes([a.box for a in kept]))
    own = _scores(a.score if a.model_id == detections.model_id else None for a in kept)
    free[first[(iou >= _SAME_OBJECT_IOU) | (scores[first] == own[second])]] = False
    first, second, iou = overlapping(detections.mask_boxes, as_boxes([r.box for r in rejections]))
    there = np.array([r.category_id for r in rejections], np.int64)
    same = (iou >= _SAME_DETECTION_IOU) | (
        scores[first] == _scores(r.score for r in rejections)[second]
    )
    free[first[same & (goes_to[first] == there[second])]] = False
    return free


def _scores(scores: Iterable[float | None]) -> NDArray[np.float64]:
    """Return scores as an array; what has none is like no other."""
    return np.array([np.nan if score is None else score for score in scores], np.float64)


@dataclass(frozen=True, eq=False)
class Refiltering:
    """The detections of an image and what stands on it: what a filter would make of it.

    What one step of a slider has in common with the next is worked out once.

    Attributes:
        content: the image as it is.
        detections: what was found on it.
        destinations: where each of the model's categories goes.
        ids: for each detection the id it gets if it becomes an annotation.
    """

    content: ImageContent
    detections: Detections
    destinations: NDArray[np.int64]
    ids: Sequence[int]

    @cached_property
    def _untaken(self) -> NDArray[np.bool_]:
        kept = [a for a in self.content.annotations.values() if not a.is_replaceable]
        rejections = self.content.record.status.rejections
        return untaken(self.detections, self.destinations, kept, rejections)

    @cached_property
    def standing(self) -> dict[int, Annotation]:
        """What stands on the image already: position of a detection to its pre-annotation."""
        open_ones = (a for a in self.content.annotations.values() if a.is_replaceable)
        return matched(self.detections, open_ones)

    @cached_property
    def _made(self) -> dict[tuple[int, int], Annotation]:
        return {}

    def passing(self, shown: DetectionFilter) -> list[int]:
        """Return the positions of the detections that are to be shown, best first."""
        passes = chosen(self.detections, shown, self.destinations) & self._untaken
        found: list[int] = np.flatnonzero(passes).tolist()
        return found

    def missing(
        self, shown: DetectionFilter, outlines: Mapping[int, Segmentation | None]
    ) -> list[int]:
        """Return the positions of what is to be shown and has not been traced yet."""
        if self.detections.roi_masks is None:
            return []
        return [index for index in self.passing(shown) if index not in outlines]

    def edit(
        self,
        shown: DetectionFilter,
        outlines: Mapping[int, Segmentation | None],
        title: str = "Pre-annotate",
    ) -> Edit:
        """Return the edit that shows what passes; the best lies in front.

        Args:
            shown: what is wanted.
            outlines: position of a detection to its outline; one that is not among them is not
                shown, nor one of a model with masks that has none.
            title: for the Undo menu.
        """
        boxes_alone = self.detections.roi_masks is None
        new = [
            self._annotation(index, outlines.get(index))
            for index in reversed(self.passing(shown))
            if boxes_alone or outlines.get(index) is not None
        ]
        return edits.pre_annotate(self.content, self.detections.model_id, new, shown, title)

    def _annotation(self, index: int, segmentation: Segmentation | None) -> Annotation:
        old = self.standing.get(index)
        if old is not None and old.segmentation is segmentation and self._stays(index, old):
            return old
        # The annotation holds its outline, so no other one can get the same identity.
        key = index, id(segmentation)
        made = self._made.get(key)
        if made is None:
            category = int(self.destinations[self.detections.labels[index]])
            own = self.ids[index]
            made = pre_annotation(self.detections, index, segmentation, category, own)
            if old is not None:
                made = replace(old, segmentation=segmentation, category_id=category)
            self._made[key] = made
        return made

    def _stays(self, index: int, annotation: Annotation) -> bool:
        return annotation.category_id == int(self.destinations[self.detections.labels[index]])


def known_outlines(
    detections: Detections, standing: Iterable[Annotation], mask_threshold: float
) -> Outlined:
    """Return detections with the outlines that pre-annotations of an image have already.

    Nothing needs to be traced then until more of them are to be shown.

    Args:
        detections: what was kept of an image.
        standing: pre-annotations on it that no person has touched.
        mask_threshold: at which their outlines were drawn.
    """
    detections.prepare()
    outlines = {i: a.segmentation for i, a in matched(detections, standing).items()}
    return Outlined(detections, outlines, mask_threshold)


def matched(detections: Detections, standing: Iterable[Annotation]) -> dict[int, Annotation]:
    """Return which detections stand on an image: position of a detection to its annotation.

    They are known by model, score and place.

    Args:
        detections: what was kept of an image.
        standing: pre-annotations on it.
    """
    own = [a for a in standing if a.model_id == detections.model_id]
    first, second, iou = overlapping(detections.mask_boxes, as_boxes([a.box for a in own]))
    same = detections.scores.astype(np.float64)[first] == _scores(a.score for a in own)[second]
    first, second, iou = first[same], second[same], iou[same]
    found: dict[int, Annotation] = {}
    left = set(range(len(own)))
    for pair in np.argsort(-iou, kind="stable").tolist():
        index, which = int(first[pair]), int(second[pair])
        if index not in found and which in left:
            found[index] = own[which]
            left.remove(which)
    return found
