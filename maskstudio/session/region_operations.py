"""What a person can do to the regions of annotations: put them together, cut them apart, brush.

Each verb is one edit. The annotation that is kept keeps its id and its category; what is deleted
goes by the rules of `edits.delete`, and what is made anew is the person's own.
Every function returns True when the change was made (or nothing needed changing).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from numpy.typing import ArrayLike

from maskstudio.annotation import edits, regions
from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.edits import Edit, ImageContent
from maskstudio.annotation.segmentation import Segmentation, repaired
from maskstudio.session import operations
from maskstudio.session.session import Session


def can_combine(session: Session) -> bool:
    """Tell whether there are at least two outlines in the selection."""
    return len(_outlined(session.selected())) > 1


def can_split(session: Session) -> bool:
    """Tell whether something selected has more than one part."""
    return any(len(outline.parts) > 1 for outline in _outlined(session.selected()).values())


def unite_selected(session: Session) -> bool:
    """Make one of the selected annotations; the topmost is kept, the others are deleted."""
    outlines = _outlined(session.selected())
    if len(outlines) < 2:
        return False
    united = regions.united(list(outlines.values()))
    return _combine(session, max(outlines), outlines, united, "Unite")


def subtract_selected(session: Session) -> bool:
    """Take the other selected annotations off the largest, which is kept; they are deleted."""
    outlines = _outlined(session.selected())
    if len(outlines) < 2:
        return False
    largest = max(outlines, key=lambda i: (outlines[i].area, -i))
    others = [outline for i, outline in outlines.items() if i != largest]
    left = regions.subtracted(outlines[largest], others)
    if left == outlines[largest]:
        session.problem.emit("The others do not overlap the largest one; nothing was changed.")
        return False
    return _combine(session, largest, outlines, left, "Subtract")


def intersect_selected(session: Session) -> bool:
    """Keep what all selected annotations share, in the one of lowest id; the others are deleted."""
    outlines = _outlined(session.selected())
    if len(outlines) < 2:
        return False
    common = regions.intersected(list(outlines.values()))
    return _combine(session, min(outlines), outlines, common, "Intersect")


def split_selected(session: Session) -> bool:
    """Make an annotation of each part of the selected ones; the largest part keeps the id."""
    outlines = _outlined(session.selected())
    pieces = {i: regions.split_parts(outline) for i, outline in outlines.items()}
    return _take_apart(session, pieces, "Split", "No selected annotation has several parts.")


def cut(session: Session, annotation_ids: Iterable[int], line: ArrayLike) -> bool:
    """Cut annotations along a line; of each the largest piece keeps the id.

    Args:
        session: the open project.
        annotation_ids: what may be cut; what the line does not go across stays as it is.
        line: (n, 2), image pixels.
    """
    known = [session.annotations[i] for i in annotation_ids if i in session.annotations]
    pieces = {i: regions.cut(outline, line) for i, outline in _outlined(known).items()}
    return _take_apart(session, pieces, "Cut", "The line goes across no annotation.")


def paint(session: Session, stroke: ArrayLike, radius: float, category_id: int | None) -> bool:
    """Put a new annotation of the stroke of a round brush on the current image and select it.

    Args:
        session: the open project.
        stroke: (n, 2), where the middle of the brush went, image pixels.
        radius: of the brush, image pixels.
        category_id: its category; None takes the first, which is made if there is none.
    """
    painted = regions.brushed(None, stroke, radius)
    return painted is not None and operations.draw(session, painted, category_id)


def brush(
    session: Session, annotation_id: int, stroke: ArrayLike, radius: float, *, erase: bool
) -> bool:
    """Add the stroke of a round brush to an annotation or take it off; with none left, delete it.

    Args:
        session: the open project.
        annotation_id: the annotation.
        stroke: (n, 2), where the middle of the brush went, image pixels.
        radius: of the brush, image pixels.
        erase: take the stroke off.
    """
    content = _content(session)
    if content is None or annotation_id not in content.annotations:
        return False
    old = content.annotations[annotation_id]
    if erase and old.segmentation is None:
        return False
    brushed = regions.brushed(old.segmentation, stroke, radius, erase=erase)
    fitting = _inside(content, brushed)
    if fitting is None:
        return erase and session.edit(edits.delete(content, [annotation_id]))
    title = "Erase" if erase else "Brush"
    return session.edit(edits.change(content, [_reshaped(old, fitting)], title))


def fill_hole(session: Session, annotation_id: int, x: float, y: float) -> bool:
    """Fill the hole of an annotation that lies under a point of the image."""
    content = _content(session)
    if content is None or annotation_id not in content.annotations:
        return False
    old = content.annotations[annotation_id]
    filled = old.segmentation and regions.hole_filled(old.segmentation, x, y)
    if filled is None or filled is old.segmentation:
        session.problem.emit("There is no hole there; nothing was changed.")
        return False
    return session.edit(edits.change(content, [_reshaped(old, filled)], "Fill hole"))


def _combine(
    session: Session,
    kept: int,
    outlines: Mapping[int, Segmentation],
    combined: Segmentation | None,
    verb: str,
) -> bool:
    """Give one annotation the outline made of all of them, and delete the others, as one edit."""
    content = _content(session)
    if content is None:
        return False
    fitting = _inside(content, combined)
    if fitting is None:
        session.problem.emit("Nothing would be left of these annotations; nothing was changed.")
        return False
    others = [annotation_id for annotation_id in sorted(outlines) if annotation_id != kept]
    gone = edits.delete(content, others)
    # Even where its outline stays the same a person has now decided on it.
    decided = replace(_reshaped(content.annotations[kept], fitting), touched=True)
    reshaped = edits.change(content, [decided], verb)
    title = f"{verb} {len(outlines)} annotations"
    if not session.edit(_both(title, gone, reshaped)):
        return False
    session.select([kept])
    return True


def _take_apart(
    session: Session, pieces: Mapping[int, Sequence[Segmentation]], verb: str, if_none: str
) -> bool:
    """Make annotations of pieces; the first of each keeps the id. All of them are selected."""
    content = _content(session)
    if content is None:
        return False
    ids = session.require_database().take_annotation_ids()
    changed: list[Annotation] = []
    made: list[Annotation] = []
    for annotation_id, found in pieces.items():
        first, *rest = [_inside(content, piece) for piece in found]
        others = [piece for piece in rest if piece is not None]
        if first is not None and others:
            old = content.annotations[annotation_id]
            changed.append(_reshaped(old, first))
            made += [Annotation(next(ids), old.category_id, piece) for piece in others]
    if not made:
        session.problem.emit(f"{if_none} Nothing was changed.")
        return False
    title = f"{verb} annotation" if len(changed) == 1 else f"{verb} {len(changed)} annotations"
    reshaped, added = edits.change(content, changed, verb), edits.add(content, made)
    if not session.edit(_both(title, reshaped, added)):
        return False
    session.select(annotation.id for annotation in (*changed, *made))
    return True


def _both(title: str, first: Edit, second: Edit) -> Edit:
    """Return one edit that does both; the first one's change of the image's status holds.

    Either knows what becomes of the image as long as one annotation stays on it.
    """
    both = first.annotations + second.annotations
    return replace(first, title=title, annotations=both, images=first.images or second.images)


def _content(session: Session) -> ImageContent | None:
    """Return the current image with its annotations, once its size is known."""
    image = session.current
    return session.content(image.id) if image is not None and image.height else None


def _outlined(annotations: Iterable[Annotation]) -> dict[int, Segmentation]:
    """Return id to outline of those that have one; where only a box is known there is none."""
    return {a.id: a.segmentation for a in annotations if a.segmentation is not None}


def _reshaped(annotation: Annotation, segmentation: Segmentation) -> Annotation:
    return replace(annotation, segmentation=segmentation, box_only=None)


def _inside(content: ImageContent, segmentation: Segmentation | None) -> Segmentation | None:
    """Return an outline made valid and cut to the image; None when nothing is left."""
    image = content.record
    return repaired(segmentation, image.height, image.width) if segmentation else None
