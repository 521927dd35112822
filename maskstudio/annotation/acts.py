"""What a person's edit did to each object, in a few numbers: what the account is drawn from."""

from enum import IntEnum
from typing import NamedTuple

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.edits import PERSON, Edit


class Act(IntEnum):
    """What was done to an object. They are stored by their numbers."""

    ACCEPTED = 0
    """A pre-annotation is right as the model left it."""
    ADJUSTED = 1
    """A pre-annotation got another outline or another category."""
    DELETED = 2
    """A pre-annotation was deleted."""
    DRAWN = 3
    """A new one was drawn by hand."""
    BOXED = 4
    """A new one was outlined by the model where a person said that there is one."""
    CHANGED = 5
    """One that a person had accepted or made got another outline or another category."""
    REMOVED = 6
    """One that a person had accepted or made was deleted."""
    REASSIGNED = 7
    """It got the category that all of its category got."""


class ActGroup(NamedTuple):
    """The same done to some objects by one edit.

    Attributes:
        act: an `Act`.
        category_id: their category after it; of those deleted the one they had.
        model_id: the model that found or outlined them; None for a person's own.
        annotation_ids: the objects.
    """

    act: int
    category_id: int
    model_id: str | None
    annotation_ids: tuple[int, ...]


def acts_of(edit: Edit) -> tuple[ActGroup, ...]:
    """Return what an edit did to each object; nothing where no person did it.

    What is hidden, locked, stacked or noted leaves an object as it was, and so does what is put
    right without anybody having looked at it.
    """
    if edit.author != PERSON:
        return ()
    groups: dict[tuple[int, int, str | None], list[int]] = {}
    for change in edit.annotations:
        act, known = _act(change.before, change.after), change.after or change.before
        if act is not None and known is not None:
            groups.setdefault((act, known.category_id, known.model_id), []).append(known.id)
    for moved in edit.reassigned:
        groups.setdefault((Act.REASSIGNED, moved.after, None), []).extend(moved.annotation_ids)
    return tuple(ActGroup(*key, tuple(ids)) for key, ids in groups.items())


def _act(before: Annotation | None, after: Annotation | None) -> Act | None:
    if before is None:
        return None if after is None else _making(after)
    if after is None:
        return Act.DELETED if before.is_pre_annotation else Act.REMOVED
    if not after.touched:
        return None
    corrected = _is_corrected(before, after)
    if before.is_pre_annotation:
        return Act.ADJUSTED if corrected else Act.ACCEPTED
    return Act.CHANGED if corrected else None


def _making(after: Annotation) -> Act | None:
    if not after.touched:
        return None
    return Act.DRAWN if after.model_id is None else Act.BOXED


def _is_corrected(before: Annotation, after: Annotation) -> bool:
    if before.category_id != after.category_id or before.box_only != after.box_only:
        return True
    # One that was not changed is the same value, and need not be compared vertex by vertex.
    same = before.segmentation is after.segmentation or before.segmentation == after.segmentation
    return not same
