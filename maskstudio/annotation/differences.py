"""What a new run of a model changed on an image: what is new, what is gone, what lies otherwise."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.detection_filter import as_boxes, overlapping
from maskstudio.annotation.edits import AnnotationChange
from maskstudio.annotation.masks import Rle, mask_iou, rasterize
from maskstudio.annotation.stack import back_to_front
from maskstudio.annotation.twice import SAME_IOU

# pycocotools' lowest IoU at which a detection counts as found (COCO's AP50).
_SAME_OBJECT_IOU = 0.5


@dataclass(frozen=True)
class Differences:
    """What differs between two states of an image.

    Attributes:
        new: what stands there now, and nothing stood at its place.
        gone: what stood there, and nothing stands at its place.
        changed: the same object with another outline or category, as it was and as it is.
    """

    new: tuple[Annotation, ...] = ()
    gone: tuple[Annotation, ...] = ()
    changed: tuple[tuple[Annotation, Annotation], ...] = ()

    def __bool__(self) -> bool:
        """False when nobody could see a difference."""
        return bool(self.new or self.gone or self.changed)

    @property
    def words(self) -> str:
        """Say how much differs: `3 new, 2 gone, 5 changed`."""
        counts = ((self.new, "new"), (self.gone, "gone"), (self.changed, "changed"))
        said = [f"{len(of):,} {word}" for of, word in counts if of]
        return ", ".join(said) or "nothing changed"


def stood_before(
    now: Mapping[int, Annotation], changes: Sequence[AnnotationChange]
) -> dict[int, Annotation]:
    """Return what stood on an image before a model's changes; a person's work since then stays.

    What a person did no more than accept is still what the model brought.

    Args:
        now: what stands there, by id.
        changes: what the model changed, in order.

    Returns:
        By id, back to front.
    """
    before = dict(now)
    for change in reversed(changes):
        after, old = change.after, change.before
        if after is not None and after.id in before:
            if replace(before[after.id], touched=after.touched) != after:
                continue
            del before[after.id]
        if old is not None:
            before.setdefault(old.id, old)
    return {a.id: a for a in back_to_front(before.values())}


def differences(before: Mapping[int, Annotation], now: Mapping[int, Annotation]) -> Differences:
    """Compare what stood on an image with what stands there.

    An annotation that is gone and a new one are the same object where their masks share at least
    half of what they cover together; the most alike are paired first.
    """
    gone = [a for i, a in before.items() if now.get(i) != a]
    new = [a for i, a in now.items() if before.get(i) != a]
    pairs = _pairs(gone, new)
    changed = tuple((gone[a], new[b]) for a, b, same in pairs if not same)
    left, come = {a for a, _, _ in pairs}, {b for _, b, _ in pairs}
    return Differences(
        tuple(a for n, a in enumerate(new) if n not in come),
        tuple(a for n, a in enumerate(gone) if n not in left),
        changed,
    )


def _pairs(gone: Sequence[Annotation], new: Sequence[Annotation]) -> list[tuple[int, int, bool]]:
    """Return which are the same object, and whether nobody could see that one is another."""
    first, second, box_iou = overlapping(
        as_boxes([a.box for a in gone]), as_boxes([a.box for a in new])
    )
    boxes = [a.box for a in (*gone, *new)]
    width, height = (max((math.ceil(b[n]) for b in boxes), default=1) for n in (2, 3))
    old_masks, new_masks = (_Masks(of, height, width) for of in (gone, new))
    found = []
    for a, b, of_boxes in zip(first.tolist(), second.tolist(), box_iou.tolist(), strict=True):
        old, now = old_masks.of(a), new_masks.of(b)
        iou = of_boxes if old is None or now is None else mask_iou(old, now)
        if iou >= _SAME_OBJECT_IOU:
            found.append((iou, a, b))
    found.sort(key=lambda pair: (-pair[0], *pair[1:]))
    taken_old: set[int] = set()
    taken_new: set[int] = set()
    pairs = []
    for iou, a, b in found:
        if a in taken_old or b in taken_new:
            continue
        taken_old.add(a)
        taken_new.add(b)
        same = iou > SAME_IOU and gone[a].category_id == new[b].category_id
        pairs.append((a, b, same))
    return pairs


class _Masks:
    """The masks of annotations, each rasterised once; None of a box alone."""

    def __init__(self, annotations: Sequence[Annotation], height: int, width: int) -> None:
        self._annotations = annotations
        self._size = height, width
        self._known: dict[int, Rle | None] = {}

    def of(self, place: int) -> Rle | None:
        if place not in self._known:
            outline = self._annotations[place].segmentation
            self._known[place] = None if outline is None else rasterize(outline, *self._size)
        return self._known[place]
