"""What a person can do to many vertices at once, as one edit.

Every function returns True when the change was made (or nothing needed changing).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.segmentation import Segmentation, repaired
from maskstudio.annotation.vertices import without_specks
from maskstudio.session import operations
from maskstudio.session.session import Session


def changeable(session: Session) -> Iterator[Annotation]:
    """Yield the selected annotations with vertices that are neither locked nor hidden."""
    for annotation in session.selected():
        if annotation.segmentation is not None and not (annotation.locked or annotation.hidden):
            yield annotation


def can_change_detail(session: Session) -> bool:
    """Tell whether there are any."""
    return next(changeable(session), None) is not None


def redraw(session: Session, annotation_id: int, outline: Segmentation, speck: float) -> bool:
    """Give an annotation an outline with a stretch drawn by hand.

    Args:
        session: the open project.
        annotation_id: an annotation of the current image with an outline.
        outline: the new one; it is repaired and cut to the image.
        speck: what repairing makes of it goes if its area is smaller than this, square pixels.
    """
    image, old = session.current, session.annotations[annotation_id].segmentation
    if image is None or old is None:
        return False
    fitting = repaired(outline, image.height, image.width)
    if fitting is not None and fitting is not outline:
        fitting = without_specks(fitting, old, speck)
    # Where nothing is left it is said there.
    return operations.reshape(session, annotation_id, fitting or outline, "Redraw outline")


def reshape_each(session: Session, outlines: Mapping[int, Segmentation], title: str) -> bool:
    """Give annotations of the current image other outlines, all of them or none.

    Args:
        session: the open project.
        outlines: id to outline; each is repaired and cut to the image.
        title: for the Undo menu.
    """
    image = session.current
    if image is None or not image.height:
        return False
    content = session.content(image.id)
    changed = []
    for annotation_id, outline in outlines.items():
        fitting = repaired(outline, image.height, image.width)
        if fitting is None:
            session.problem.emit("An outline would enclose nothing; nothing was changed.")
            return False
        old = content.annotations[annotation_id]
        changed.append(replace(old, segmentation=fitting, box_only=None))
    return session.edit(edits.change(content, changed, title))
