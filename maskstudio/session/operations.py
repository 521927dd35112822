"""What a person can do, one short function for each verb: it makes the edit and applies it.

Every function returns True when the change was made (or nothing needed changing).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation, Category, ImageRecord, ImageState
from maskstudio.annotation.edits import CategoryChange, Edit, ImageContent
from maskstudio.annotation.segmentation import Segmentation, repaired
from maskstudio.session import border_operations
from maskstudio.session.session import Session

FIRST_CATEGORY = "object"
"""Name of the category that is made when somebody draws before there is any."""

_NOTHING = Edit("")


@dataclass(frozen=True)
class Origin:
    """How a person came by an outline.

    Attributes:
        title: what was done, for the Undo menu.
        model_id: the model that drew it for them; None for their own hand.
        score: probability of the category, 0 to 1, where the model named it.
        made: the category it needs, with what is noted of it, if the project has it not.
    """

    title: str = "Draw"
    model_id: str | None = None
    score: float | None = None
    made: Edit = _NOTHING


BY_HAND = Origin()


def draw(
    session: Session,
    segmentation: Segmentation,
    category_id: int | None,
    neighbours: Sequence[Annotation] = (),
    origin: Origin = BY_HAND,
) -> bool:
    """Put a new annotation on the current image and select it.

    Args:
        session: the open project.
        segmentation: what was drawn; it is repaired and cut to the image.
        category_id: its category; None takes the first, which is made if there is none.
        neighbours: what it is to share borders with: it is cut where they lie.
        origin: how the person came by it.
    """
    content = _current(session)
    fitting = _fitting(session, segmentation)
    if fitting is not None and neighbours:
        fitting = border_operations.cut_at(session, fitting, neighbours)
    if content is None or fitting is None:
        return False
    known = session.categories
    made: tuple[CategoryChange, ...] = ()
    if category_id is None and not known:
        known = (Category(session.require_database().next_category_id(), FIRST_CATEGORY),)
        made = (CategoryChange(None, known[0]),)
    chosen = category_id or known[0].id
    identity = next(session.require_database().take_annotation_ids())
    annotation = Annotation(
        identity,
        chosen,
        fitting,
        model_id=origin.model_id,
        score=origin.score,
        z=content.front_z,
    )
    edit = edits.revealing(edits.add(content, [annotation], origin.title), session.categories)
    made += origin.made.categories
    edit = replace(edit, categories=made + edit.categories, rules=origin.made.rules)
    edit = border_operations.with_shared_borders(session, edit, fitting, neighbours)
    if not session.edit(edit):
        return False
    session.select([annotation.id])
    return True


def reshape(
    session: Session, annotation_id: int, segmentation: Segmentation | None, title: str
) -> bool:
    """Give an annotation another outline; with none left it is deleted."""
    content = _current(session)
    if content is None or annotation_id not in content.annotations:
        return False
    if segmentation is None:
        return session.edit(edits.delete(content, [annotation_id]))
    fitting = _fitting(session, segmentation)
    if fitting is None:
        return False
    old = content.annotations[annotation_id]
    return session.edit(
        edits.change(content, [replace(old, segmentation=fitting, box_only=None)], title)
    )


def move(session: Session, annotation_ids: Iterable[int], dx: float, dy: float) -> bool:
    """Move annotations by (dx, dy) pixels, as one edit; they stay whole and within the image."""
    content = _current(session)
    if content is None:
        return False
    chosen = [content.annotations[i] for i in annotation_ids]
    dx, dy = clamped_shift(content.record, chosen, dx, dy)
    title = "Move annotation" if len(chosen) == 1 else f"Move {len(chosen)} annotations"
    return session.edit(edits.change(content, [shifted(a, dx, dy) for a in chosen], title))


def clamped_shift(
    image: ImageRecord, annotations: Sequence[Annotation], dx: float, dy: float
) -> tuple[float, float]:
    """Return the part of a shift that keeps all annotations within the image."""
    if not annotations:
        return 0.0, 0.0
    boxes = [annotation.box for annotation in annotations]
    left, top = min(b[0] for b in boxes), min(b[1] for b in boxes)
    right, bottom = max(b[2] for b in boxes), max(b[3] for b in boxes)
    return (
        max(-left, min(dx, image.width - right)),
        max(-top, min(dy, image.height - bottom)),
    )


def shifted(annotation: Annotation, dx: float, dy: float) -> Annotation:
    """Return an annotation moved by (dx, dy)."""
    if annotation.segmentation is not None:
        return replace(annotation, segmentation=annotation.segmentation.translated(dx, dy))
    x0, y0, x1, y1 = annotation.box
    return replace(annotation, box_only=(x0 + dx, y0 + dy, x1 + dx, y1 + dy))


def delete_selected(session: Session) -> bool:
    """Delete the selected annotations."""
    content = _current(session)
    if content is None:
        return False
    return session.edit(edits.delete(content, sorted(session.selection)))


def set_category(session: Session, category_id: int) -> bool:
    """Give the selected annotations a category."""
    content = _current(session)
    if content is None:
        return False
    changed = [replace(a, category_id=category_id) for a in session.selected()]
    name = session.category(category_id).name
    edit = edits.change(content, changed, f"Change category to {name}")
    return session.edit(edits.revealing(edit, session.categories))


def verify(session: Session) -> bool:
    """Accept all that stands on the current image; with nothing on it it is verified empty."""
    content = _current(session)
    return content is not None and session.edit(edits.verify(content))


def reopen(session: Session) -> bool:
    """Take back that the current image is verified or skipped."""
    content = _current(session)
    if content is None:
        return False
    state = ImageState.EDITED if content.annotations else ImageState.NEW
    return session.edit(edits.set_state(content, state, "Reopen image"))


def skip(session: Session) -> bool:
    """Mark the current image as not to be labelled."""
    content = _current(session)
    return content is not None and session.edit(
        edits.set_state(content, ImageState.SKIPPED, "Skip image")
    )


def step(session: Session, by: int) -> bool:
    """Show the image `by` places further on in the list as shown; False at its end."""
    order = session.order
    if session.current is None:
        return bool(order.shown) and _show(session, order.shown[0])
    target = order.neighbour(session.current.id, by)
    return target is not None and _show(session, target)


def step_to_unfinished(session: Session) -> bool:
    """Show the next image that is neither verified nor skipped, from the top again at the end.

    Only images that the list shows are looked at.
    """
    done = (ImageState.VERIFIED, ImageState.EMPTY, ImageState.SKIPPED)
    order, current = session.order, session.current
    start = 0 if current is None else order.place(current.id) + (current.id in order)
    for image_id in _rotated(order.shown, start):
        if session.record(image_id).state not in done and image_id not in session.missing:
            return _show(session, image_id)
    return False


def go_to(session: Session, wanted: str) -> bool:
    """Show an image by its place in the list as shown, from 1, or by a part of its name."""
    image_id = session.order.find(wanted)
    return image_id is not None and _show(session, image_id)


def walk_annotations(session: Session, by: int) -> bool:
    """Select the annotation `by` places further on, round and round."""
    ids = list(session.shown)
    if not ids:
        return False
    selected = [n for n, annotation_id in enumerate(ids) if annotation_id in session.selection]
    place = (selected[-1] + by) % len(ids) if selected else (0 if by > 0 else len(ids) - 1)
    session.select([ids[place]])
    return True


def _current(session: Session) -> ImageContent | None:
    return session.content(session.current.id) if session.current else None


def _fitting(session: Session, segmentation: Segmentation) -> Segmentation | None:
    """Return the outline made valid and cut to the current image, None when nothing is left."""
    image = session.current
    if image is None or not image.height:
        return None
    fitting = repaired(segmentation, image.height, image.width)
    if fitting is None:
        session.problem.emit("That outline encloses nothing of the image; nothing was changed.")
    return fitting


def _show(session: Session, image_id: int) -> bool:
    session.show(image_id)
    return True


def _rotated(order: Sequence[int], start: int) -> tuple[int, ...]:
    return (*order[start:], *order[:start])
