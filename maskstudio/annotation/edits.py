"""One undoable change, and the functions that make one from what a person or a model did.

An edit says what was before and what is after, nothing else; undoing it is the same edit swapped.
"""

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from maskstudio.annotation.annotation import (
    Annotation,
    Category,
    ImageRecord,
    ImageState,
    ImageStatus,
    Rejection,
)

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
class Edit:
    """One undoable change.

    Attributes:
        title: what was done, for the Undo menu.
        author: who did it: `person` or `model:<id>`.
        annotations: annotations made, changed or deleted.
        images: images whose status changes.
        categories: categories made, changed or deleted.
        undoable: False for what a batch did: it never stands between a person and an undo.
    """

    title: str
    author: str = PERSON
    annotations: tuple[AnnotationChange, ...] = ()
    images: tuple[ImageChange, ...] = ()
    categories: tuple[CategoryChange, ...] = ()
    undoable: bool = True

    def __bool__(self) -> bool:
        """False when it changes nothing."""
        return bool(self.annotations or self.images or self.categories)

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
        Rejection(c.before.category_id, c.before.box)
        for c in changes
        if c.before and c.after and c.before.is_pre_annotation and c.after.box != c.before.box
    )
    return _by_person(title, content, changes, moved)


def delete(content: ImageContent, ids: Iterable[int]) -> Edit:
    """Delete annotations; what a model found is remembered so that it is not offered again."""
    gone = [content.annotations[i] for i in ids]
    changes = [AnnotationChange(content.record.id, annotation, None) for annotation in gone]
    rejections = tuple(Rejection(a.category_id, a.box) for a in gone if a.model_id is not None)
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
    min_score: float,
    title: str = "Pre-annotate",
) -> Edit:
    """Replace the untouched pre-annotations of an image by others; a person's stay.

    A detection that is shown already keeps the annotation it has.

    Args:
        content: the image.
        model_id: the model that found them.
        new: pre-annotations to show, already cleared of what a person did.
        min_score: score they were filtered at.
        title: for the Undo menu.
    """
    shown = {_identity(a): a for a in content.annotations.values() if a.is_pre_annotation}
    wanted = {_identity(a): a for a in new}
    image_id = content.record.id
    changes = [AnnotationChange(image_id, a, None) for k, a in shown.items() if k not in wanted]
    changes += [AnnotationChange(image_id, None, a) for k, a in wanted.items() if k not in shown]
    before = content.record.status
    state = before.state
    if state in (ImageState.NEW, ImageState.SKIPPED):
        state = ImageState.PREDICTED
    elif state in _DONE and any(change.after for change in changes):
        # Something nobody has looked at now stands on it.
        state = ImageState.EDITED
    after = replace(before, state=state, min_score=min_score)
    images = () if after == before else (ImageChange(image_id, before, after),)
    return Edit(title, f"model:{model_id}", tuple(changes), images)


def by_batch(edit: Edit) -> Edit:
    """Return an edit that no undo of a person ever meets."""
    return replace(edit, undoable=False)


def rebased(edit: Edit, contents: Mapping[int, ImageContent]) -> Edit:
    """Return an edit of the journal, or its inverse, fitted to what stands on its images now.

    Batches write between a person's edits. So what the edit says was there may be gone, or be
    another annotation of the same detection; and what it brings back may be there already.

    Args:
        edit: what is to be done.
        contents: image id to what stands there, for every image of the edit.
    """
    changes: list[AnnotationChange] = []
    images: list[ImageChange] = []
    statuses = {change.image_id: change for change in edit.images}
    for image_id in edit.image_ids:
        content = contents[image_id]
        own = [change for change in edit.annotations if change.image_id == image_id]
        fitted = _rebased_annotations(content, own)
        changes += fitted
        if image_id in statuses:
            images.append(_rebased_status(content, statuses[image_id], fitted))
    return replace(edit, annotations=tuple(changes), images=tuple(images))


def with_free_names(edit: Edit, standing: Iterable[Category]) -> Edit:
    """Return an edit whose categories come back under names that no other one has taken since.

    Args:
        edit: what is to be done.
        standing: the categories there are now.
    """
    own = {one.id for c in edit.categories for one in (c.before, c.after) if one is not None}
    taken = {category.name for category in standing if category.id not in own}
    return replace(
        edit,
        categories=tuple(
            CategoryChange(c.before, c.after and _named_apart(c.after, taken))
            for c in edit.categories
        ),
    )


def keeping_used(edit: Edit, uses: Mapping[int, Collection[int]]) -> Edit:
    """Return an edit that leaves a category in place where annotations of a batch need it.

    Args:
        edit: what is to be done.
        uses: category id to the annotations of it there are now, for what the edit takes away.
    """
    gone = {c.before.id for c in edit.annotations if c.before is not None}

    def stays(change: CategoryChange) -> bool:
        if change.before is None or change.after is not None:
            return False
        return any(i not in gone for i in uses.get(change.before.id, ()))

    return replace(edit, categories=tuple(c for c in edit.categories if not stays(c)))


def _named_apart(category: Category, taken: Collection[str]) -> Category:
    numbered = (f"{category.name} ({number})" for number in itertools.count(2))
    names = itertools.chain([category.name], numbered)
    return replace(category, name=next(name for name in names if name not in taken))


def _rebased_annotations(
    content: ImageContent, changes: Sequence[AnnotationChange]
) -> list[AnnotationChange]:
    there = content.annotations
    both = [a for c in changes for a in (c.before, c.after) if a is not None]
    # Thousands may stand there: only those with a score in question can be the same detection.
    scores = {a.score for a in both if a.is_pre_annotation}
    same = {_identity(a): a for a in there.values() if a.score in scores and a.is_pre_annotation}

    def standing(before: Annotation | None) -> Annotation | None:
        if before is None or before.id in there:
            return before and there[before.id]
        return same.get(_identity(before)) if before.is_pre_annotation else None

    found = [(standing(change.before), change) for change in changes]
    gone = {before.id for before, _ in found if before is not None}
    shown = {identity for identity, a in same.items() if a.id not in gone}
    models: set[str | None] = set()
    if scores:
        models = {a.model_id for a in there.values() if a.is_pre_annotation and a.id not in gone}
    fitted = []
    for before, change in found:
        after = change.after
        if after is not None and after.is_pre_annotation:
            # What a model found comes back only once, and not among what another one found since.
            others = bool(models - {after.model_id}) and change.before is None
            after = None if others or _identity(after) in shown else after
        if before is not None or after is not None:
            fitted.append(AnnotationChange(content.record.id, before, after))
    return fitted


def _rebased_status(
    content: ImageContent, change: ImageChange, fitted: Sequence[AnnotationChange]
) -> ImageChange:
    """Change what the edit changed about the status, and leave what a batch did to it."""
    now, old, new = content.record.status, change.before, change.after
    status = ImageStatus(
        now.state if old.state is new.state else new.state,
        now.rejections if old.rejections == new.rejections else new.rejections,
        now.min_score if old.min_score == new.min_score else new.min_score,
    )
    if status.state is ImageState.NEW or status.min_score is None:
        predicted = _has_pre_annotations(content, fitted)
        if status.state is ImageState.NEW and (predicted or status != new):
            status = replace(status, state=ImageState.PREDICTED)
        if status.min_score is None and predicted:
            status = replace(status, min_score=now.min_score)
    return ImageChange(content.record.id, now, status)


def _has_pre_annotations(content: ImageContent, changes: Sequence[AnnotationChange]) -> bool:
    """Tell whether any is left once the changes are made."""
    gone = {change.before.id for change in changes if change.before is not None}
    new = (change.after for change in changes if change.after is not None)
    left = (a for a in content.annotations.values() if a.id not in gone)
    return any(a.is_pre_annotation for a in itertools.chain(new, left))


def _identity(annotation: Annotation) -> tuple[object, ...]:
    return annotation.model_id, annotation.category_id, annotation.score, annotation.box


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
