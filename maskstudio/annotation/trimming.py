"""Many annotations cut at their neighbours in one go."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from maskstudio.annotation import borders
from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.segmentation import Segmentation, repaired
from maskstudio.later import np, shapely


@dataclass(frozen=True)
class Trimmed:
    """What becomes of annotations that were cut at their neighbours.

    Attributes:
        cut: those that lost ground, as they are then.
        finer: those that only got vertices on borders they now share.
        covered: the number of those that lie wholly inside others, and stay as they are.
    """

    cut: tuple[Annotation, ...]
    finer: tuple[Annotation, ...]
    covered: int


def trim(
    chosen: Sequence[int],
    there: Mapping[int, Annotation],
    size: tuple[int, int],
    check: Callable[[], None] = lambda: None,
) -> Trimmed:
    """Cut annotations where others lie over or under them.

    They give way to all that is not chosen, and to those chosen before them. A locked one gets no
    vertices.

    Args:
        chosen: ids of what is cut, those that give way to the others last.
        there: id to annotation: what stands on the image.
        size: (height, width) of the image.
        check: called again and again; may raise to break it off.
    """
    outlined = [a for a in there.values() if a.segmentation]
    tree = shapely.STRtree(shapely.box(*np.array([a.box for a in outlined]).T))
    now = dict(there)
    waiting, cut, covered = set(chosen), set(), 0
    for annotation_id in chosen:
        check()
        waiting.discard(annotation_id)
        own = now[annotation_id]
        ids = (outlined[i].id for i in tree.query(shapely.box(*own.box)).tolist())
        near = _overlapping(own, [now[i] for i in ids], waiting)
        left = _cut(own, near, size) if near else own
        if left is None:
            covered += 1
        elif left is not own:
            cut.add(annotation_id)
            now[annotation_id] = left
            now |= {n.id: with_vertices(n, left.segmentation) for n in near if not n.locked}
    changed = [a for i, a in now.items() if a is not there[i]]
    return Trimmed(
        tuple(a for a in changed if a.id in cut),
        tuple(a for a in changed if a.id not in cut),
        covered,
    )


def with_vertices(annotation: Annotation, outline: Segmentation | None) -> Annotation:
    """Return an annotation with an outline's vertices on its border; the very same one if none."""
    old = annotation.segmentation
    finer = borders.noded(old, [outline]) if old and outline else old
    return annotation if finer is old else replace(annotation, segmentation=finer)


def _overlapping(
    own: Annotation, others: Sequence[Annotation], but: Collection[int]
) -> list[Annotation]:
    """Return those of others that lie over or under an annotation."""
    return [
        other
        for other in others
        if other.id != own.id
        and other.id not in but
        and own.segmentation
        and other.segmentation
        and borders.overlap(own.segmentation, other.segmentation)
    ]


def _cut(
    annotation: Annotation, near: Sequence[Annotation], size: tuple[int, int]
) -> Annotation | None:
    """Return an annotation cut at others and to the image; None when nothing is left."""
    own = annotation.segmentation
    left = own and borders.trimmed(own, [n.segmentation for n in near if n.segmentation])
    fitting = left and repaired(left, *size)
    return replace(annotation, segmentation=fitting) if fitting else None
