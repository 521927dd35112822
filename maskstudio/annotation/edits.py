"""One undoable change, and the functions that make one from what a person or a model did.

An edit says what was before and what is after, nothing else; undoing it is the same edit swapped.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from maskstudio.annotation.annotation import (
    Annotation,
    Category,
    ImageRecord,
    ImageState,
    ImageStatus,
    Rejection,
)
from maskstudio.annotation.category_map import RuleChange
from maskstudio.annotation.detection_filter import DetectionFilter

PERSON = "person"
"""The author of an edit made by hand; a model's edits carry `model:<id>`."""

_DONE = (ImageState.VERIFIED, ImageState.EMPTY)


@dataclass(frozen=True)
class AnnotationChange:
    """One annotation before and after; None where it did not or does not exist."""

    image_id: int
    before: Annotation | None
    after: Annotation | None


@dataclass(frozen=True)
class ImageChange:
    """The status of one image before and after."""

    image_id: int
    before: ImageStatus
    after: ImageStatus


@dataclass(frozen=True)
class CategoryChange:
    """One category before and after; None where it did not or does not exist."""

    before: Category | None
    after: Category | None


@dataclass(frozen=True)
class Reassignment:
    """Annotations all over the project that go from one category to another, nothing else of them.

    A change of each of a hundred thousand would have to carry as many outlines. Those that have
    another category by then are left as they are.
    """

    before: int
    after: int
    annotation_ids: tuple[int, ...]

    def of(self, annotations: Iterable[Annotation]) -> list[Annotation]:
        """Return those of the annotations that it changes, as they are afterwards."""
        ids = frozenset(self.annotation_ids)
        here = (a for a in annotations if a.category_id == self.before and a.id in ids)
        return [replace(a, category_id=self.after) for a in here]


@dataclass(frozen=True)
class Edit:
    """One undoable change.

    Attributes:
        title: what was done, for the Undo menu.
        author: who did it: `person` or `model:<id>`.
        annotations: annotations made, changed or deleted.
        images: images whose status changes.
        categories: categories made, changed or deleted.
        reassigned: annotations that get the category of another one.
        rules: what becomes of a model's categories from now on.
        undoable: False for what a batch did: it never stands between a person and an undo.
    """

    title: str
    author: str = PERSON
    annotations: tuple[AnnotationChange, ...] = ()
    images: tuple[ImageChange, ...] = ()
    categories: tuple[CategoryChange, ...] = ()
    reassigned: tuple[Reassignment, ...] = ()
    rules: tuple[RuleChange, ...] = ()
    undoable: bool = True

    def __bool__(self) -> bool:
        """False when it changes nothing."""
        lasting = self.categories or self.reassigned or self.rules
        return bool(self.annotations or self.images or lasting)

    @property
    def image_ids(self) -> tuple[int, ...]:
        """The images it touches, each once, in order."""
        ids = [change.image_id for change in self.annotations]
        ids += [change.image_id for change in self.images]
        return tuple(dict.fromkeys(ids))

    def inverse(self) -> "Edit":
        """Return the edit that takes this one back."""
        return replace(
            self,
            annotations=tuple(
                AnnotationChange(c.image_id, c.after, c.before) for c in reversed(self.annotations)
            ),
            images=tuple(ImageChange(c.image_id, c.after, c.before) for c in reversed(self.images)),
            categories=tuple(CategoryChange(c.after, c.before) for c in reversed(self.categories)),
            reassigned=tuple(
                Reassignment(r.after, r.before, r.annotation_ids) for r in reversed(self.reassigned)
            ),
            rules=tuple(
                RuleChange(r.model_id, r.name, r.after, r.before) for r in reversed(self.rules)
            ),
        )


@dataclass(frozen=True)
class ImageContent:
    """An image and all that stands on it, as one value.

    Attributes:
        record: the image.
        annotations: id to annotation, back to front.
    """

    record: ImageRecord
    annotations: Mapping[int, Annotation]

    @property
    def front_z(self) -> int:
        """The `z` with which a new annotation lies in front of all others."""
        front = tuple(self.annotations.values())[-1:]
        return front[0].z if front else 0


def add(content: ImageContent, new: Sequence[Annotation], title: str = "Draw") -> Edit:
    """Put a person's new annotations on the image."""
    changes = [AnnotationChange(content.record.id, None, annotation) for annotation in new]
    return _by_person(title, content, changes)


def change(content: ImageContent, after: Iterable[Annotation], title: str) -> Edit:
    """Replace annotations by a person's version of them, matched by id; same ones are left out.

    What a model found is not offered again where it lay, once it lies elsewhere.
    """
    changes = [
        AnnotationChange(content.record.id, content.annotations[a.id], replace(a, touched=True))
        for a in after
        if a != content.annotations[a.id]
    ]
    moved = tuple(
        _rejection(c.before)
        for c in changes
        if c.before and c.after and c.before.is_pre_annotation and c.after.box != c.before.box
    )
    return _by_person(title, content, changes, moved)


def mend(content: ImageContent, after: Mapping[int, Annotation | None], title: str) -> Edit:
    """Put right or delete annotations by their ids, and say nothing of the image by that.

    Nobody has looked at them: what a model found stays its own, and the image in its state. What a
    model found and is deleted is not offered again.
    """
    standing = content.annotations
    changes = tuple(
        AnnotationChange(content.record.id, standing[i], a)
        for i, a in after.items()
        if a != standing[i]
    )
    gone = (c.before for c in changes if c.before is not None and c.after is None)
    rejected = tuple(_rejection(a) for a in gone if a.model_id is not None)
    return Edit(title, PERSON, changes, _status(content, content.record.state, rejected))


def arrange(content: ImageContent, after: Iterable[Annotation], title: str) -> Edit:
    """Hide, show, lock, unlock or stack annotations, matched by id; same ones are left out.

    Nothing is said about the image by that: its state stays, and a model's annotations stay its
    own.
    """
    changes = (AnnotationChange(content.record.id, content.annotations[a.id], a) for a in after)
    return Edit(title, PERSON, tuple(c for c in changes if c.after != c.before))


def locked_in(edit: Edit) -> list[Annotation]:
    """Return the locked annotations that an edit of a person changes or deletes.

    How they are shown, locked and stacked may be changed, and what becomes of a category happens
    to all of it.
    """
    if edit.author != PERSON:
        return []
    return [
        c.before
        for c in edit.annotations
        if c.before is not None and c.before.locked and not _only_arranged(c.before, c.after)
    ]


def _only_arranged(before: Annotation, after: Annotation | None) -> bool:
    if after is None:
        return False
    same = replace(before, hidden=after.hidden, locked=after.locked, z=after.z)
    # Verifying an image accepts what stands on it, and changes nothing about it.
    return replace(same, touched=after.touched) == after


def delete(content: ImageContent, ids: Iterable[int]) -> Edit:
    """Delete annotations; what a model found is remembered so that it is not offered again."""
    gone = [content.annotations[i] for i in ids]
    changes = [AnnotationChange(content.record.id, annotation, None) for annotation in gone]
    rejections = tuple(_rejection(a) for a in gone if a.model_id is not None)
    title = "Delete annotation" if len(gone) == 1 else f"Delete {len(gone)} annotations"
    return _by_person(title, content, changes, rejections)


def verify(content: ImageContent) -> Edit:
    """Accept all that stands on the image; with nothing on it the image is verified empty."""
    accepted = [
        AnnotationChange(content.record.id, a, replace(a, touched=True))
        for a in content.annotations.values()
        if not a.touched
    ]
    state = ImageState.VERIFIED if content.annotations else ImageState.EMPTY
    return Edit("Verify image", PERSON, tuple(accepted), _status(content, state))


def set_state(content: ImageContent, state: ImageState, title: str) -> Edit:
    """Put the image into a state and change nothing else."""
    return Edit(title, PERSON, (), _status(content, state))


def pre_annotate(
    content: ImageContent,
    model_id: str,
    new: Sequence[Annotation],
    detection_filter: DetectionFilter,
    title: str = "Pre-annotate",
) -> Edit:
    """Replace the untouched pre-annotations of an image by others; a person's and locked ones stay.

    A detection that is shown already keeps the annotation it has; one that is only outlined anew
    comes with its id.

    Args:
        content: the image.
        model_id: the model that found them.
        new: pre-annotations to show, already cleared of what a person did or locked.
        detection_filter: what let them pass.
        title: for the Undo menu.
    """
    image_id = content.record.id
    standing = {a.id: a for a in content.annotations.values() if a.is_replaceable}
    same = {a.id: a for a in new if a.id in standing}
    gone = {identity(a): a for i, a in standing.items() if i not in same}
    come = {identity(a): a for a in new if a.id not in standing}
    changes = [AnnotationChange(image_id, a, None) for k, a in gone.items() if k not in come]
    changes += [AnnotationChange(image_id, None, a) for k, a in come.items() if k not in gone]
    changes += [
        AnnotationChange(image_id, standing[i], a)
        for i, a in same.items()
        if a is not standing[i] and a != standing[i]
    ]
    before = content.record.status
    state = before.state
    if state in (ImageState.NEW, ImageState.SKIPPED):
        state = ImageState.PREDICTED
    elif state in _DONE and any(change.after for change in changes):
        # Something nobody has looked at now stands on it.
        state = ImageState.EDITED
    after = replace(before, state=state, detection_filter=detection_filter)
    images = () if after == before else (ImageChange(image_id, before, after),)
    return Edit(title, f"model:{model_id}", tuple(changes), images)


def revealing(edit: Edit, categories: Iterable[Category]) -> Edit:
    """Return an edit that also shows the hidden categories it puts annotations into.

    What a person draws or gives a category must not be gone from the screen at once.

    Args:
        edit: what is to be done.
        categories: the categories there are now.
    """
    used = {c.after.category_id for c in edit.annotations if c.after is not None}
    hidden = (category for category in categories if category.hidden and category.id in used)
    shown = tuple(CategoryChange(category, replace(category, hidden=False)) for category in hidden)
    return replace(edit, categories=edit.categories + shown)


def by_batch(edit: Edit) -> Edit:
    """Return an edit that no undo of a person ever meets."""
    return replace(edit, undoable=False)


def identity(annotation: Annotation) -> tuple[object, ...]:
    """Return what tells one detection of a model from another, whatever its id."""
    return annotation.model_id, annotation.category_id, annotation.score, annotation.box


def _rejection(annotation: Annotation) -> Rejection:
    return Rejection(annotation.category_id, annotation.box, annotation.score)


def _by_person(
    title: str,
    content: ImageContent,
    changes: Sequence[AnnotationChange],
    rejections: tuple[Rejection, ...] = (),
) -> Edit:
    if not changes:
        return Edit(title)
    left = len(content.annotations)
    left += sum((c.after is not None) - (c.before is not None) for c in changes)
    state = ImageState.EDITED
    if content.record.state in _DONE:
        # The person who verified it is the one who changes it now.
        state = ImageState.VERIFIED if left else ImageState.EMPTY
    return Edit(title, PERSON, tuple(changes), _status(content, state, rejections))


def _status(
    content: ImageContent, state: ImageState, rejections: tuple[Rejection, ...] = ()
) -> tuple[ImageChange, ...]:
    before = content.record.status
    after = replace(before, state=state, rejections=before.rejections + rejections)
    return () if after == before else (ImageChange(content.record.id, before, after),)
