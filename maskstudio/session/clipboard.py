"""Copies of whole annotations: on the same image, on another one, in another project."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation, Category, ImageRecord
from maskstudio.annotation.edits import CategoryChange
from maskstudio.annotation.segmentation import repaired
from maskstudio.errors import UserError
from maskstudio.session import operations
from maskstudio.session.session import Session

_ASIDE = 8.0
"""Image pixels by which a copy is moved aside where it would hide behind what it is a copy of."""

_MOST_ASIDE = 50
"""How often it is moved further before it is left where it is."""


class Clipboard:
    """Annotations to paste, as they were when they were copied."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._copied: tuple[Annotation, ...] = ()
        self._categories: dict[int, Category] = {}
        self._folder: Path | None = None

    def __len__(self) -> int:
        return len(self._copied)

    def copy(self) -> None:
        """Take the selected annotations; with none selected it keeps what it has."""
        chosen = self._session.selected()
        if chosen:
            self._copied = chosen
            self._categories = {c.id: c for c in self._session.categories}
            self._folder = self._session.folder

    def paste(self) -> bool:
        """Put what was copied on the current image and select it, as one edit.

        Annotations of another project find their category by its name; it is made where it is
        missing.
        """
        if not self._copied:
            return False
        ids, made = self._here()
        here = [replace(a, category_id=ids[a.category_id]) for a in self._copied]
        return _put(self._session, here, "Paste", made)

    def _here(self) -> tuple[dict[int, int], tuple[CategoryChange, ...]]:
        """Return the open project's category for each that was copied, and those to be made."""
        session = self._session
        known = {c.id for c in session.categories} if session.folder == self._folder else set()
        names = {c.name: c.id for c in session.categories}
        fresh = session.require_database().next_category_id()
        ids: dict[int, int] = {}
        made: list[CategoryChange] = []
        for old in dict.fromkeys(a.category_id for a in self._copied):
            category = self._categories[old]
            if old in known:
                ids[old] = old
            elif category.name in names:
                ids[old] = names[category.name]
            else:
                ids[old] = fresh + len(made)
                new = replace(category, id=ids[old], position=0, hidden=False)
                made.append(CategoryChange(None, new))
        return ids, tuple(made)


def duplicate(session: Session) -> bool:
    """Put a copy of the selected annotations beside them and select the copy."""
    return _put(session, session.selected(), "Duplicate")


def copy_to_next(session: Session) -> bool:
    """Show the next image of the list and put a copy of the selected annotations on it."""
    chosen = session.selected()
    if not chosen:
        return False
    if not operations.step(session, 1):
        session.problem.emit("This is the last image of the list; nothing was copied.")
        return False
    return _put(session, chosen, "Copy")


def _put(
    session: Session,
    originals: Sequence[Annotation],
    verb: str,
    made: tuple[CategoryChange, ...] = (),
) -> bool:
    """Put copies on the current image, inside it, and select them."""
    image = _measured(session)
    if image is None or not originals:
        return False
    content = session.content(image.id)
    moved = _moved_aside(image, _moved_inside(image, originals), content.annotations.values())
    fitting = [cut for one in moved if (cut := _cut(one, image)) is not None]
    if not fitting:
        session.problem.emit(f"Nothing of that fits on {image.path}; nothing was changed.")
        return False
    ids = islice(session.require_database().take_annotation_ids(), len(fitting))
    z = content.front_z
    new = [_of_person(one, number, z) for one, number in zip(fitting, ids, strict=True)]
    edit = edits.revealing(edits.add(content, new, _title(verb, len(new))), session.categories)
    if not session.edit(replace(edit, categories=made + edit.categories)):
        return False
    session.select(a.id for a in new)
    if left := len(originals) - len(new):
        session.problem.emit(
            f"{left} of {len(originals)} annotations do not fit on {image.path} and were left out."
        )
    return True


def _title(verb: str, count: int) -> str:
    return f"{verb} annotation" if count == 1 else f"{verb} {count} annotations"


def _measured(session: Session) -> ImageRecord | None:
    """Return the current image with its size, None when its file cannot be read."""
    from maskstudio.storage.images import read_size

    image = session.current
    if image is None or image.height:
        return image
    # It was shown a moment ago, and the lane that decodes it is not there yet.
    try:
        session.note_size(image.id, *read_size(session.path(image.id)))
    except UserError as error:
        session.problem.emit(str(error))
        return None
    return session.record(image.id)


def _moved_inside(image: ImageRecord, originals: Sequence[Annotation]) -> list[Annotation]:
    """Return annotations within the image: all by one shift, or each by its own if need be."""
    if _fit(image, originals):
        return _shifted(originals, *operations.clamped_shift(image, originals, 0, 0))
    return [
        moved
        for one in originals
        for moved in _shifted([one], *operations.clamped_shift(image, [one], 0, 0))
    ]


def _fit(image: ImageRecord, annotations: Sequence[Annotation]) -> bool:
    boxes = [a.box for a in annotations]
    width = max(b[2] for b in boxes) - min(b[0] for b in boxes)
    height = max(b[3] for b in boxes) - min(b[1] for b in boxes)
    return width <= image.width and height <= image.height


def _moved_aside(
    image: ImageRecord, annotations: Sequence[Annotation], standing: Iterable[Annotation]
) -> Sequence[Annotation]:
    """Return annotations moved until none lies exactly over one that stands on the image."""
    taken = {a.box for a in standing}
    boxes = [a.box for a in annotations]
    if not _fit(image, annotations):
        return annotations
    for number in range(_MOST_ASIDE):
        for aside in (number * _ASIDE, -number * _ASIDE):
            dx, dy = operations.clamped_shift(image, annotations, aside, aside)
            if taken.isdisjoint((x0 + dx, y0 + dy, x1 + dx, y1 + dy) for x0, y0, x1, y1 in boxes):
                return _shifted(annotations, dx, dy)
    return annotations


def _shifted(annotations: Sequence[Annotation], dx: float, dy: float) -> list[Annotation]:
    if dx == dy == 0:
        return list(annotations)
    return [operations.shifted(a, dx, dy) for a in annotations]


def _cut(annotation: Annotation, image: ImageRecord) -> Annotation | None:
    """Return an annotation valid and within the image, None when nothing of it is left."""
    if annotation.segmentation is not None:
        cut = repaired(annotation.segmentation, image.height, image.width)
        return None if cut is None else replace(annotation, segmentation=cut)
    x0, y0, x1, y1 = annotation.box
    box = max(x0, 0.0), max(y0, 0.0), min(x1, float(image.width)), min(y1, float(image.height))
    empty = box[0] >= box[2] or box[1] >= box[3]
    return None if empty else replace(annotation, box_only=box)


def _of_person(annotation: Annotation, number: int, z: int) -> Annotation:
    drawn = replace(annotation, id=number, model_id=None, score=None, touched=True)
    return replace(drawn, hidden=False, locked=False, z=z)
