"""What a person can do to the categories of a project, one short function for each verb.

Every function says what cannot be done through `session.problem` and returns False or None then.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.edits import CategoryChange, Edit, ImageChange, Reassignment
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, Tasks

if TYPE_CHECKING:
    # It brings the database library, which an empty window does without.
    from maskstudio.storage.project import ProjectDatabase


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
    return _change(session, title, [replace(old, name=name)])


def recolour_category(session: Session, category_id: int, colour: str) -> bool:
    """Paint a category in another colour, `#rrggbb`."""
    old = session.category(category_id)
    if colour == old.shown_colour:
        return True
    return _change(session, f"Recolour category {old.name}", [replace(old, colour=colour)])


def move_category(session: Session, category_id: int, place: int) -> bool:
    """Put a category at a place of the list, counted from 0 without it; its id stays.

    The digits follow the list. Exports do not: they hold the categories by id.
    """
    changed = moved(session.categories, category_id, place)
    name = session.category(category_id).name
    return _change(session, f"Move category {name}", changed)


def moved(categories: Sequence[Category], category_id: int, place: int) -> list[Category]:
    """Return those of ordered categories that have another position once one of them is moved."""
    (one,) = (category for category in categories if category.id == category_id)
    order = [category for category in categories if category is not one]
    order.insert(max(0, min(place, len(order))), one)
    # The same places, given out anew: what comes later has a higher id and stays behind them all.
    pairs = zip(order, (category.place for category in categories), strict=True)
    return [replace(c, position=its) for c, its in pairs if c.place != its]


def set_categories_hidden(session: Session, category_ids: Iterable[int], *, hidden: bool) -> bool:
    """Hide or show all annotations of categories; they are exported all the same."""
    chosen = [session.category(i) for i in category_ids]
    changed = [replace(c, hidden=hidden) for c in chosen if c.hidden != hidden]
    verb = "Hide" if hidden else "Show"
    what = f"category {changed[0].name}" if len(changed) == 1 else f"{len(changed)} categories"
    return _change(session, f"{verb} {what}", changed)


def show_only(session: Session, category_ids: Collection[int]) -> bool:
    """Hide all categories but these, which are shown."""
    wanted = [replace(c, hidden=c.id not in category_ids) for c in session.categories]
    changed = [category for category in wanted if category != session.category(category.id)]
    names = ", ".join(c.name for c in wanted if not c.hidden)
    return _change(session, f"Show only {names}", changed)


def delete_category(session: Session, category_id: int) -> bool:
    """Delete a category that has no annotations; what persons rejected of it is forgotten."""
    old = session.category(category_id)
    if session.require_database().category_uses([category_id]).annotations:
        session.problem.emit(f"Category {old.name!r} is in use: choose what its annotations get.")
        return False
    title = f"Delete category {old.name}"
    return session.edit(_reassigning(session, title, [old], None)(session.require_database()))


def merge_categories(
    session: Session, tasks: Tasks, category_ids: Sequence[int], into_id: int, title: str = ""
) -> None:
    """Give all annotations of categories in the whole project another one; the emptied ones go.

    It is one edit, written on lane FILES: a hundred thousand annotations take a second or two.
    Nobody has looked at those annotations, so the states of the images stay, and what a model
    found stays a pre-annotation. Locked ones follow their category too.

    Args:
        session: the open project.
        tasks: the lanes.
        category_ids: the ones that go.
        into_id: the category their annotations get.
        title: for the Undo menu; says by default what goes into what.
    """
    gone = [session.category(i) for i in category_ids if i != into_id]
    names = ", ".join(category.name for category in gone)
    title = title or f"Merge {names} into {session.category(into_id).name}"
    if gone:
        make = _reassigning(session, title, gone, into_id)
        told = Callbacks(failed=session.problem.emit)
        session.edit_long(tasks, lambda database, _: database.commit(make(database)), told)


def _reassigning(
    session: Session, title: str, gone: Sequence[Category], into_id: int | None
) -> "Callable[[ProjectDatabase], Edit]":
    """Return what makes the edit that takes categories away, on any thread."""
    ids = {category.id for category in gone}
    images = _rejections_moved(session, ids, into_id)
    # Without another one the rules stay: should the category come back, they count again.
    rules = () if into_id is None else session.category_maps.following(ids, into_id)
    changes = tuple(CategoryChange(category, None) for category in gone)

    def make(database: "ProjectDatabase") -> Edit:
        taken = [] if into_id is None else [(c.id, database.annotation_ids(c.id)) for c in gone]
        reassigned = tuple(Reassignment(i, into_id or 0, ids) for i, ids in taken if ids)
        return Edit(title, images=images, categories=changes, reassigned=reassigned, rules=rules)

    return make


def _is_free(session: Session, name: str) -> bool:
    """Tell whether a category may have this name; says it when another has it."""
    if name and any(category.name == name for category in session.categories):
        session.problem.emit(f"There is a category {name!r} already.")
        return False
    return bool(name)


def _change(session: Session, title: str, changed: Iterable[Category]) -> bool:
    changes = tuple(CategoryChange(session.category(c.id), c) for c in changed)
    return session.edit(Edit(title, categories=changes))


def _rejections_moved(
    session: Session, gone: Collection[int], into_id: int | None
) -> tuple[ImageChange, ...]:
    """Return what persons rejected as of another category; without one it is forgotten."""
    changes = []
    for image_id in session.image_ids:
        status = session.record(image_id).status
        if not status.rejections:
            continue
        moved = tuple(
            replace(r, category_id=into_id or 0) if r.category_id in gone else r
            for r in status.rejections
            if into_id is not None or r.category_id not in gone
        )
        if moved != status.rejections:
            changes.append(ImageChange(image_id, status, replace(status, rejections=moved)))
    return tuple(changes)
