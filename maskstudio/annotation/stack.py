"""The annotations of one image, back to front, and where those that are shown lie."""

from collections.abc import Collection, Iterable, Mapping
from operator import attrgetter

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.box_index import BoxIndex
from maskstudio.annotation.edits import AnnotationChange

_stacking = attrgetter("z", "id")  # Annotation.stacking, in a third of the time


def back_to_front(annotations: Iterable[Annotation]) -> list[Annotation]:
    """Return annotations in the order they are painted in."""
    return sorted(annotations, key=_stacking)


class AnnotationStack:
    """Annotations in the order they are painted in; a change costs what it touches.

    What is hidden by itself, or with its category, is in `annotations` only.

    Attributes:
        boxes: where those that are shown lie.
    """

    def __init__(
        self, annotations: Iterable[Annotation] = (), hidden_categories: Collection[int] = ()
    ) -> None:
        """Stack annotations.

        Args:
            annotations: back to front.
            hidden_categories: categories of which nothing is shown.
        """
        self._all = {a.id: a for a in annotations}
        self._hidden_categories = frozenset(hidden_categories)
        self._shown: Mapping[int, Annotation] | None = None
        self._index()

    @property
    def annotations(self) -> Mapping[int, Annotation]:
        """All of them by id, back to front."""
        return self._all

    @property
    def shown(self) -> Mapping[int, Annotation]:
        """Those that are shown, by id, back to front."""
        if self._shown is None:
            hidden = self._hidden
            left = {i: a for i, a in self._all.items() if i not in hidden} if hidden else None
            self._shown = self._all if left is None else left
        return self._shown

    def hide_categories(self, category_ids: Collection[int]) -> None:
        """Show nothing of these categories, and all others."""
        wanted = frozenset(category_ids)
        if wanted != self._hidden_categories:
            self._hidden_categories = wanted
            self._index()

    def apply(self, changes: Iterable[AnnotationChange]) -> None:
        """Go from before changes of this image to after them."""
        known = list(changes)
        after = [change.after for change in known if change.after is not None]
        left = {annotation.id for annotation in after}
        self.remove(c.before.id for c in known if c.before and c.before.id not in left)
        self.put(after)

    def put(self, annotations: Iterable[Annotation]) -> None:
        """Take annotations in, each at its place; one of the same id is replaced."""
        moved = False
        for annotation in annotations:
            old = self._all.get(annotation.id)
            last = next(reversed(self._all.values()), annotation)
            in_front = annotation.stacking >= last.stacking
            moved |= not in_front if old is None else old.z != annotation.z
            self._put_box(annotation, known=old is not None)
            self._all[annotation.id] = annotation
        self._shown = None
        if moved:
            self._all = {a.id: a for a in back_to_front(self._all.values())}

    def remove(self, annotation_ids: Iterable[int]) -> None:
        """Forget annotations."""
        for annotation_id in annotation_ids:
            del self._all[annotation_id]
            if annotation_id in self._hidden:
                self._hidden.remove(annotation_id)
            else:
                self.boxes.remove(annotation_id)
        self._shown = None

    def _index(self) -> None:
        self._hidden = {i for i, a in self._all.items() if self._hides(a)}
        self._shown = None
        self.boxes = BoxIndex(self.shown.values())

    def _put_box(self, annotation: Annotation, *, known: bool) -> None:
        if self._hides(annotation):
            if known and annotation.id not in self._hidden:
                self.boxes.remove(annotation.id)
            self._hidden.add(annotation.id)
        else:
            self._hidden.discard(annotation.id)
            self.boxes.put(annotation)

    def _hides(self, annotation: Annotation) -> bool:
        return annotation.hidden or annotation.category_id in self._hidden_categories
