"""What a person says about annotations besides outline and category: crowd, attributes, a note.

Every function changes all annotations it is given, as one edit, and returns True when the change
was made (or nothing needed changing).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation
from maskstudio.session.session import Session

_MOST = 10_000
"""Characters of a note or a value; more is not what somebody typed."""


def toggle_crowd(session: Session) -> bool:
    """Mark the selected annotations as crowds; unmark them when all are."""
    chosen = session.selected()
    crowd = not all(annotation.iscrowd for annotation in chosen)
    title = "Mark as crowd" if crowd else "Unmark as crowd"
    return _change(session, session.selection, lambda a: replace(a, iscrowd=crowd), title)


def set_note(session: Session, annotation_ids: Iterable[int], note: str) -> bool:
    """Give annotations of the current image a note; an empty one takes it away."""
    text = note.strip()[:_MOST]
    return _change(session, annotation_ids, lambda a: replace(a, note=text), "Change note")


def set_attribute(session: Session, annotation_ids: Iterable[int], name: str, value: str) -> bool:
    """Give annotations of the current image an attribute; one of that name is replaced."""
    name, value = name.strip()[:_MOST], value.strip()[:_MOST]
    if not name:
        return False
    title = f"Change attribute {name}"
    return _change(session, annotation_ids, _with(lambda old: {**old, name: value}), title)


def rename_attribute(
    session: Session, annotation_ids: Iterable[int], old: str, new: str, value: str | None = None
) -> bool:
    """Give an attribute of annotations of the current image another name.

    Args:
        session: the open project.
        annotation_ids: those of them that have it not stay as they are.
        old: its name.
        new: the name it gets.
        value: the value it gets; None leaves each its own.
    """
    new = new.strip()[:_MOST]
    if not new:
        return False

    def renamed(attributes: dict[str, str]) -> dict[str, str]:
        if old not in attributes:
            return attributes
        kept = attributes.pop(old) if value is None else value.strip()[:_MOST]
        left = {name: other for name, other in attributes.items() if name != old}
        return {**left, new: kept}

    return _change(session, annotation_ids, _with(renamed), f"Rename attribute {old} to {new}")


def remove_attribute(session: Session, annotation_ids: Iterable[int], name: str) -> bool:
    """Take an attribute off annotations of the current image."""

    def without(attributes: dict[str, str]) -> dict[str, str]:
        return {other: value for other, value in attributes.items() if other != name}

    return _change(session, annotation_ids, _with(without), f"Remove attribute {name}")


def common_attributes(annotations: Iterable[Annotation]) -> Mapping[str, str | None]:
    """Return the attributes that any of the annotations has, by name, sorted.

    Returns:
        name to value; None where they differ or one of them has it not.
    """
    each = [dict(annotation.attributes) for annotation in annotations]
    names = sorted({name for attributes in each for name in attributes})
    values = {name: {attributes.get(name) for attributes in each} for name in names}
    return {name: found.pop() if len(found) == 1 else None for name, found in values.items()}


def _with(change: Callable[[dict[str, str]], dict[str, str]]) -> Callable[[Annotation], Annotation]:
    def changed(annotation: Annotation) -> Annotation:
        attributes = change(dict(annotation.attributes))
        return replace(annotation, attributes=tuple(sorted(attributes.items())))

    return changed


def _change(
    session: Session,
    annotation_ids: Iterable[int],
    changed: Callable[[Annotation], Annotation],
    title: str,
) -> bool:
    image = session.current
    if image is None:
        return False
    content = session.content(image.id)
    chosen = [content.annotations[i] for i in annotation_ids if i in content.annotations]
    return session.edit(edits.change(content, map(changed, chosen), title))
