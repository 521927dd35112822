"""Neighbours that share a border instead of lying over each other.

What is cut keeps off its neighbours and takes their vertices along the border; neighbours get the
vertices where that border begins and ends, and keep all of their own. A locked neighbour is cut at
like any other, and left as it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from maskstudio.annotation import borders, edits
from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.edits import AnnotationChange, Edit
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.annotation.trimming import Trimmed, trim, with_vertices
from maskstudio.progress import TaskContext
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, LaneName, Tasks

# So many selected annotations are trimmed before a person could notice.
_AT_ONCE = 20


def cut_at(
    session: Session, outline: Segmentation, neighbours: Sequence[Annotation]
) -> Segmentation | None:
    """Return what of an outline lies in no neighbour; None, and a sentence, when nothing does."""
    left = borders.trimmed(outline, [n.segmentation for n in neighbours if n.segmentation])
    if left is None:
        session.problem.emit("All of that outline lies inside its neighbours; nothing was changed.")
    return left


def with_shared_borders(
    session: Session, edit: Edit, outline: Segmentation, neighbours: Iterable[Annotation]
) -> Edit:
    """Return an edit that also gives the neighbours of an outline its vertices on their borders.

    To the neighbour that is no correction: a model's annotation stays the model's.

    Args:
        session: the open project.
        edit: what is done on the current image anyway; it changes none of the neighbours.
        outline: what was cut at the neighbours.
        neighbours: those that stand on the image, not a preview of others, can be changed.
    """
    if session.current is None:
        return edit
    image_id = session.current.id
    open_ones = (n for n in neighbours if session.annotations.get(n.id) is n and not n.locked)
    finer = ((n, with_vertices(n, outline)) for n in open_ones)
    more = tuple(AnnotationChange(image_id, n, after) for n, after in finer if after is not n)
    return replace(edit, annotations=edit.annotations + more)


def can_trim(session: Session) -> bool:
    """Tell whether something selected has an outline, and anything else stands beside it."""
    outlined = any(annotation.segmentation for annotation in session.selected())
    return outlined and len(session.annotations) > 1


def trim_selected(session: Session, visible: Mapping[int, Annotation], tasks: Tasks) -> None:
    """Cut the selected annotations where others lie over or under them, as one edit.

    They give way to all that is not selected; among themselves those in front give way. For many
    it is worked out on lane FILES: thousands take seconds.

    Args:
        session: the open project.
        visible: id to annotation: what may be cut and be cut at.
        tasks: the lanes.
    """
    image, there = session.current, dict(visible)
    if image is None or not image.height:
        return
    chosen = [a.id for a in session.selected() if a.id in there and a.segmentation]
    if not chosen or not session.allows_changing([there[i] for i in chosen]):
        return
    size = image.height, image.width

    def work(context: TaskContext) -> Trimmed:
        return trim(chosen, there, size, context.raise_if_cancelled)

    def done(found: Trimmed) -> None:
        _keep_trimmed(session, image.id, there, found)

    if len(chosen) <= _AT_ONCE:
        done(trim(chosen, there, size))
    else:
        tasks.submit(LaneName.FILES, work, Callbacks(done, session.problem.emit))


def _keep_trimmed(
    session: Session, image_id: int, there: Mapping[int, Annotation], found: Trimmed
) -> None:
    """Do what was worked out for annotations, unless they have changed since."""
    changed = (*found.cut, *found.finer)
    here = session.current is not None and session.current.id == image_id
    if not here or any(session.annotations.get(a.id) is not there[a.id] for a in changed):
        session.problem.emit("The annotations changed meanwhile; nothing was trimmed.")
        return
    if found.covered:
        these = "1 of these lies" if found.covered == 1 else f"{found.covered} of these lie"
        left = "it was" if found.covered == 1 else "they were"
        session.problem.emit(f"{these} wholly inside others; {left} left as before.")
    elif not found.cut:
        session.problem.emit("Nothing selected overlaps a neighbour; nothing was changed.")
    if found.cut:
        count = len(found.cut)
        title = "Trim annotation" if count == 1 else f"Trim {count} annotations"
        edit = edits.change(session.content(image_id), found.cut, title)
        more = tuple(AnnotationChange(image_id, there[a.id], a) for a in found.finer)
        session.edit(replace(edit, annotations=edit.annotations + more))
