"""What a person can do to the regions of annotations: put them together, cut them apart, brush.

Each verb is one edit. The annotation that is kept keeps its id and its category; what is deleted
goes by the rules of `edits.delete`, and what is made anew is the person's own.
Every function returns True when the change was made (or nothing needed changing).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from maskstudio.annotation import edits, regions
from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.edits import Edit, ImageContent
from maskstudio.annotation.segmentation import Segmentation, repaired
from maskstudio.session import border_operations, operations
from maskstudio.session.session import Session

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def can_combine(session: Session) -> bool:
    """Tell whether there are at least two outlines in the selection."""
    return len(_outlined(session.selected())) > 1


def can_fill_holes(session: Session) -> bool:
    """Tell whether something selected has a hole."""
    outlines = _outlined(session.selected()).values()
    return any(part.holes for outline in outlines for part in outline.parts)


def can_split(session: Session) -> bool:
    """Tell whether something selected has more than one part."""
    return any(len(outline.parts) > 1 for outline in _outlined(session.selected()).values())


def unite_selected(session: Session) -> bool:
    """Make one of the selected annotations; the topmost is kept, the others are deleted."""
    outlines = _outlined(session.selected())
    if len(outlines) < 2:
        return False
    united = regions.united(list(outlines.values()))
    return _combine(session, [*outlines][-1], outlines, united, "Unite")


def merge_selected(session: Session) -> bool:
    """Make the selected annotations the parts of one; the topmost is kept with all it says.

    Parts stay as they are, but for those that no valid outline can hold beside each other.
    """
    outlines = _outlined(session.selected())
    if len(outlines) < 2:
        return False
    merged = regions.merged(list(outlines.values()))
    return _combine(session, [*outlines][-1], outlines, merged, "Merge")


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


def paint(
    session: Session,
    stroke: ArrayLike,
    radius: float,
    category_id: int | None,
    neighbours: Sequence[Annotation] = (),
) -> bool:
    """Put a new annotation of the stroke of a round brush on the current image and select it.

    Args:
        session: the open project.
        stroke: (n, 2), where the middle of the brush went, image pixels.
        radius: of the brush, image pixels.
        category_id: its category; None takes the first, which is made if there is none.
        neighbours: what it is to share borders with: the stroke is cut where they lie.
    """
    painted = regions.brushed(None, stroke, radius)
    return painted is not None and operations.draw(session, painted, category_id, neighbours)


def brush_beside(
    session: Session,
    annotation_id: int,
    stroke: ArrayLike,
    radius: float,
    neighbours: Sequence[Annotation],
) -> bool:
    """Add the stroke of a round brush to an annotation, except where its neighbours lie.

    Args:
        session: the open project.
        annotation_id: the annotation.
        stroke: (n, 2), where the middle of the brush went, image pixels.
        radius: of the brush, image pixels.
        neighbours: what it is to share borders with; not itself.
    """
    content, ground = _content(session), regions.brushed(None, stroke, radius)
    if content is None or ground is None or annotation_id not in content.annotations:
        return False
    left = border_operations.cut_at(session, ground, neighbours)
    if left is None:
        return False
    old = content.annotations[annotation_id]
    wider = regions.added(old.segmentation, left) if old.segmentation else left
    fitting = _inside(content, wider)
    if fitting is None:
        return False
    edit = edits.change(content, [_reshaped(old, fitting)], "Brush")
    return session.edit(border_operations.with_shared_borders(session, edit, fitting, neighbours))


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


def fill_holes_selected(session: Session) -> bool:
    """Fill every hole of the selected annotations."""
    content, outlines = _content(session), _outlined(session.selected())
    if content is None:
        return False
    filled = {i: regions.holes_filled(outline) for i, outline in outlines.items()}
    changed = [
        _reshaped(content.annotations[i], outline)
        for i, outline in filled.items()
        if outline is not outlines[i]
    ]
    title = "Fill holes" if len(changed) == 1 else f"Fill holes of {len(changed)} annotations"
    return bool(changed) and session.edit(edits.change(content, changed, title))


def punch(session: Session, annotation_ids: Iterable[int], hole: Segmentation) -> bool:
    """Take a region out of annotations, as one edit; each has to keep something.

    Args:
        session: the open project.
        annotation_ids: what the hole is for; what it does not reach stays as it is.
        hole: the region.
    """
    content = _content(session)
    if content is None:
        return False
    known = [content.annotations[i] for i in annotation_ids if i in content.annotations]
    outlines = _outlined(known)
    left = {i: regions.subtracted(outline, [hole]) for i, outline in outlines.items()}
    changed: list[Annotation] = []
    for annotation_id, outline in left.items():
        if outline is None:
            session.problem.emit("The hole would leave nothing of it; nothing was changed.")
            return False
        if outline is not outlines[annotation_id] and (fitting := _inside(content, outline)):
            changed.append(_reshaped(content.annotations[annotation_id], fitting))
    if not changed:
        session.problem.emit("The hole lies outside what it is for; nothing was changed.")
        return False
    title = "Draw hole" if len(changed) == 1 else f"Draw hole in {len(changed)} annotations"
    return session.edit(edits.change(content, changed, title))


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
            made += [_piece(old, next(ids), piece) for piece in others]
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


def _piece(annotation: Annotation, number: int, segmentation: Segmentation) -> Annotation:
    """Return a person's annotation of a piece of one, with all that was said about the whole."""
    piece = replace(_reshaped(annotation, segmentation), id=number, touched=True)
    return replace(piece, model_id=None, score=None)


def _reshaped(annotation: Annotation, segmentation: Segmentation) -> Annotation:
    return replace(annotation, segmentation=segmentation, box_only=None)


def _inside(content: ImageContent, segmentation: Segmentation | None) -> Segmentation | None:
    """Return an outline made valid and cut to the image; None when nothing is left."""
    image = content.record
    return repaired(segmentation, image.height, image.width) if segmentation else None
