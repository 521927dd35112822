"""What a person can do to the categories of a project, one short function for each verb.

Every function says what cannot be done through `session.problem` and returns False or None then.
"""

from dataclasses import replace

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.edits import AnnotationChange, CategoryChange, Edit, ImageChange
from maskstudio.session.session import Session


def add_category(session: Session, name: str) -> Category | None:
    """Make a category; None when there is one of that name or the name is empty."""
    name = name.strip()
    if not _is_free(session, name):
        return None
    category = Category(session.require_database().next_category_id(), name)
    made = Edit(f"Add category {name}", categories=(CategoryChange(None, category),))
    return category if session.edit(made) else None


def rename_category(session: Session, category_id: int, name: str) -> bool:
    """Give a category another name, one that no other has."""
    old, name = session.category(category_id), name.strip()
    if name == old.name:
        return True
    if not _is_free(session, name):
        return False
    title = f"Rename category {old.name} to {name}"
    return _change(session, title, old, replace(old, name=name))


def recolour_category(session: Session, category_id: int, colour: str) -> bool:
    """Paint a category in another colour, `#rrggbb`."""
    old = session.category(category_id)
    if colour == old.shown_colour:
        return True
    return _change(session, f"Recolour category {old.name}", old, replace(old, colour=colour))


def delete_category(session: Session, category_id: int, into_id: int | None = None) -> bool:
    """Delete a category; what it stands on in the whole project is of another one afterwards.

    Nobody has looked at those annotations, so the states of the images stay, and what a model
    found stays a pre-annotation.

    Args:
        session: the open project.
        category_id: the one to delete.
        into_id: the category its annotations get; None where it has none.
    """
    old = session.category(category_id)
    annotations = _reassigned(session, category_id, into_id)
    if annotations is None:
        session.problem.emit(f"Category {old.name!r} is in use: choose what its annotations get.")
        return False
    return session.edit(
        Edit(
            f"Delete category {old.name}",
            annotations=annotations,
            images=_rejections_moved(session, category_id, into_id),
            categories=(CategoryChange(old, None),),
        )
    )


def _is_free(session: Session, name: str) -> bool:
    """Tell whether a category may have this name; says it when another has it."""
    if name and any(category.name == name for category in session.categories):
        session.problem.emit(f"There is a category {name!r} already.")
        return False
    return bool(name)


def _change(session: Session, title: str, before: Category, after: Category) -> bool:
    return session.edit(Edit(title, categories=(CategoryChange(before, after),)))


def _reassigned(
    session: Session, category_id: int, into_id: int | None
) -> tuple[AnnotationChange, ...] | None:
    """Return all annotations of a category as of another; None when there is none to take them."""
    uses = session.require_database().category_uses(category_id)
    if into_id is None:
        return None if uses else ()
    return tuple(
        AnnotationChange(image_id, a, replace(a, category_id=into_id))
        for image_id in uses
        for a in session.content(image_id).annotations.values()
        if a.category_id == category_id
    )


def _rejections_moved(
    session: Session, category_id: int, into_id: int | None
) -> tuple[ImageChange, ...]:
    """Return what persons rejected as of another category; without one it is forgotten."""
    changes = []
    for image_id in session.image_ids:
        status = session.record(image_id).status
        moved = tuple(
            replace(r, category_id=into_id or 0) if r.category_id == category_id else r
            for r in status.rejections
            if into_id is not None or r.category_id != category_id
        )
        if moved != status.rejections:
            changes.append(ImageChange(image_id, status, replace(status, rejections=moved)))
    return tuple(changes)
