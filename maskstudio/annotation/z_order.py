"""Which annotation lies in front of which: new places in the stack for some of them.

The place is `(z, id)`. Of a step only what overlaps matters, so `z` changes where it must and
nowhere else: what is changed must be written, and thousands may stand on an image.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from enum import IntEnum
from typing import TYPE_CHECKING

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.box_index import BoxIndex
from maskstudio.annotation.stack import back_to_front
from maskstudio.later import shapely

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


class Towards(IntEnum):
    """The direction in which something is moved through the stack."""

    FRONT = 1
    BACK = -1


def moved_to_end(
    annotations: Mapping[int, Annotation], chosen: Collection[int], towards: Towards
) -> list[Annotation]:
    """Return what must change so that the chosen ones lie in front of, or behind, all others.

    Args:
        annotations: id to annotation, back to front.
        chosen: ids of those to move; among themselves they keep their order.
        towards: which end.
    """
    values = annotations.values()
    inward = reversed(list(values)) if towards is Towards.FRONT else values
    last = next((a for a in inward if a.id not in chosen), None)
    changed = []
    for annotation in _towards(back_to_front(annotations[i] for i in chosen), towards):
        if last is None:
            break
        last = _beyond(annotation, last, towards)
        if last is not annotation:
            changed.append(last)
    return changed


def stepped(
    annotations: Mapping[int, Annotation],
    boxes: BoxIndex,
    chosen: Collection[int],
    towards: Towards,
) -> list[Annotation]:
    """Return what must change so that each chosen one passes the next one that it overlaps.

    What overlaps otherwise keeps its order, and so do the chosen ones among themselves.

    Args:
        annotations: id to annotation, back to front.
        boxes: where those are that can be passed.
        chosen: ids of those to move.
        towards: to the front or to the back.
    """
    step = _Step(annotations, boxes, frozenset(chosen), towards)
    for annotation in reversed(_towards(back_to_front(annotations[i] for i in chosen), towards)):
        step.take(annotation.id)
    return list(step.changed.values())


class _Step:
    """One step of some annotations.

    Attributes:
        changed: id to what was changed so far.
    """

    def __init__(
        self,
        annotations: Mapping[int, Annotation],
        boxes: BoxIndex,
        chosen: frozenset[int],
        towards: Towards,
    ) -> None:
        self.changed: dict[int, Annotation] = {}
        self._annotations = annotations
        self._boxes = boxes
        self._chosen = chosen
        self._towards = towards

    def take(self, annotation_id: int) -> None:
        """Move one annotation past the next that it overlaps and that is not chosen itself."""
        one = self._now(annotation_id)
        ahead = self._ahead(one)
        passed = next((a for a in ahead if a.id not in self._chosen), None)
        if passed is None:
            return
        moved = {one.id: self._past(one, passed)}
        # What lies ahead of something that moves moves on before it, as far as it must.
        waiting = {a.id: moved[one.id] for a in ahead if a is not passed}
        while waiting:
            old = min(map(self._now, waiting), key=self._place)
            new = self._past(old, waiting.pop(old.id))
            if new is old:
                continue
            moved[old.id] = new
            for further in self._ahead(old):
                if further.id not in (one.id, passed.id):
                    behind = waiting.get(further.id, new)
                    waiting[further.id] = max(behind, new, key=self._place)
        self.changed |= moved

    def _ahead(self, one: Annotation) -> list[Annotation]:
        """Return those that overlap an annotation and lie ahead of it, the nearest first."""
        near = map(self._now, self._boxes.meeting(one.box))
        ahead = [a for a in near if self._place(a) > self._place(one)]
        if not ahead:
            return []
        own, others = _shape(one), [_shape(a) for a in ahead]
        overlap = shapely.intersects(others, own) & ~shapely.touches(others, own)
        found = [a for a, overlaps in zip(ahead, overlap, strict=True) if overlaps]
        return sorted(found, key=self._place)

    def _now(self, annotation_id: int) -> Annotation:
        return self.changed.get(annotation_id) or self._annotations[annotation_id]

    def _past(self, annotation: Annotation, other: Annotation) -> Annotation:
        return _beyond(annotation, other, self._towards)

    def _place(self, annotation: Annotation) -> tuple[int, int]:
        return _place(annotation, self._towards)


def _beyond(annotation: Annotation, other: Annotation, towards: Towards) -> Annotation:
    """Return an annotation as near as it can be where it lies beyond another; itself if it does."""
    if _place(annotation, towards) > _place(other, towards):
        return annotation
    further = towards * annotation.id > towards * other.id
    return replace(annotation, z=other.z if further else other.z + towards)


def _place(annotation: Annotation, towards: Towards) -> tuple[int, int]:
    z, identity = annotation.stacking
    return z * towards, identity * towards


def _towards(annotations: list[Annotation], towards: Towards) -> list[Annotation]:
    return annotations if towards is Towards.FRONT else annotations[::-1]


def _shape(annotation: Annotation) -> "BaseGeometry":
    if annotation.segmentation is None:
        return shapely.box(*annotation.box)
    geometry = annotation.segmentation.geometry
    return geometry if geometry.is_valid else shapely.make_valid(geometry)
