"""The project's categories for what a model finds."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.category_map import TO_MAKE, Goal, destinations, settled
from maskstudio.annotation.edits import CategoryChange, Edit
from maskstudio.session.session import Session


def settle(session: Session, model_id: str, of_model: Sequence[Category]) -> bool:
    """Note that a model may run: what nobody decided about its categories is guessed from now on.

    Returns:
        False when it could not be written.
    """
    rules = settled(session.category_maps.of(model_id), of_model)
    author = f"model:{model_id}"
    return session.edit(Edit("Settle the category map", author, rules=rules, undoable=False))


def make_categories(
    session: Session, model_id: str, of_model: Sequence[Category], wanted: Iterable[int]
) -> bool:
    """Make the project's categories that a model's need, and note where each of them goes.

    It is never undone, so what a run found always has its category. See `with_categories`.

    Returns:
        False when they could not be written.
    """
    title, author = "Add the model's categories", f"model:{model_id}"
    nothing = Edit(title, author, undoable=False)
    return session.edit(with_categories(session, model_id, of_model, wanted, nothing))


def with_categories(
    session: Session,
    model_id: str,
    of_model: Sequence[Category],
    wanted: Iterable[int],
    edit: Edit,
) -> Edit:
    """Return an edit that also makes the categories that a model's need, and notes where they go.

    What is noted holds when a category is renamed later.

    Args:
        session: the open project.
        model_id: the model.
        of_model: its categories.
        wanted: 0-based positions in them, of those to be shown; ignored ones are passed over.
        edit: may make categories and change rules itself; nothing else is noted of these.
    """
    chosen = session.category_maps.of(model_id).changed(edit.rules)
    told = {change.name for change in edit.rules if change.model_id == model_id}
    coming = [c.after for c in edit.categories if c.before is None and c.after is not None]
    goes_to = destinations(chosen, of_model, [*session.categories, *coming])
    next_id = session.require_database().next_category_id() + len(coming)
    made: dict[str, Category] = {}
    rules = []
    for position in sorted(set(wanted)):
        name, category_id = of_model[position].name, int(goes_to[position])
        if category_id == TO_MAKE:
            new = Category(next_id + len(made), name, of_model[position].supercategory)
            category_id = made.setdefault(name, new).id
        rule = chosen.rule(name)
        if category_id > TO_MAKE and rule.category_id != category_id and name not in told:
            rules.append(chosen.change(name, rule.to(Goal.CATEGORY, category_id)))
    changes = tuple(CategoryChange(None, category) for category in made.values())
    return replace(edit, categories=edit.categories + changes, rules=(*edit.rules, *rules))
