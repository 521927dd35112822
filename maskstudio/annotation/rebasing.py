"""Fit an edit of the journal, or its inverse, to what a batch has done to the project since."""

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from maskstudio.annotation.annotation import (
    Annotation,
    Category,
    ImageState,
    ImageStatus,
)
from maskstudio.annotation.edits import (
    AnnotationChange,
    CategoryChange,
    Edit,
    ImageChange,
    ImageContent,
    identity,
)


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
    changed: dict[int, list[AnnotationChange]] = {image_id: [] for image_id in edit.image_ids}
    for change in edit.annotations:
        changed[change.image_id].append(change)
    for image_id, own in changed.items():
        content = contents[image_id]
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
    gone.update(i for r in edit.reassigned for i in r.annotation_ids)

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
    same: dict[tuple[object, ...], Annotation] = {}
    if scores:
        open_ = (a for a in there.values() if a.score in scores and a.is_pre_annotation)
        same = {identity(a): a for a in open_}

    def standing(before: Annotation | None) -> Annotation | None:
        if before is None or before.id in there:
            return before and there[before.id]
        return same.get(identity(before)) if before.is_pre_annotation else None

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
            # How one was shown or stacked does not bring it back once a model took it away.
            old = change.before
            arranged = before is None and old is not None and old.is_pre_annotation
            after = None if others or arranged or identity(after) in shown else after
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
        now.detection_filter
        if old.detection_filter == new.detection_filter
        else new.detection_filter,
    )
    if status.state is ImageState.NEW or status.detection_filter is None:
        predicted = _has_pre_annotations(content, fitted)
        if status.state is ImageState.NEW and (predicted or status != new):
            status = replace(status, state=ImageState.PREDICTED)
        if status.detection_filter is None and predicted:
            status = replace(status, detection_filter=now.detection_filter)
    return ImageChange(content.record.id, now, status)


def _has_pre_annotations(content: ImageContent, changes: Sequence[AnnotationChange]) -> bool:
    """Tell whether any is left once the changes are made."""
    gone = {change.before.id for change in changes if change.before is not None}
    new = (change.after for change in changes if change.after is not None)
    left = (a for a in content.annotations.values() if a.id not in gone)
    return any(a.is_pre_annotation for a in itertools.chain(new, left))
