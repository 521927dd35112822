"""The edits that filtering a model's detections makes, with the categories and rules they need."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.category_map import TO_MAKE, RuleChange, destinations
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.detections import Detections, Outlined
from maskstudio.annotation.edits import AnnotationChange, Edit, ImageContent
from maskstudio.annotation.refiltering import Refiltering, chosen
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.annotation.stack import back_to_front
from maskstudio.later import np
from maskstudio.session.model_categories import make_categories, with_categories
from maskstudio.session.session import Session

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NOTHING = Edit("")


class FilterEdits:
    """Makes the edits of filtered detections for the open project."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def destinations(self, detections: Detections, coming: Edit = _NOTHING) -> NDArray[np.int64]:
        """Return where each of the model's categories goes once an edit is made; (k,)."""
        map_ = self._session.category_maps.of(detections.model_id).changed(coming.rules)
        made = [c.after for c in coming.categories if c.before is None and c.after is not None]
        return destinations(map_, detections.categories, [*self._session.categories, *made])

    def refiltering(
        self, content: ImageContent, detections: Detections, coming: Edit = _NOTHING
    ) -> Refiltering:
        """Return what makes annotations of an image's detections, as the project is now.

        Args:
            content: the image.
            detections: what was found on it.
            coming: rules and categories that are about to change with the same edit.
        """
        ids = self._session.require_database().take_annotation_ids()
        own = tuple(itertools.islice(ids, len(detections)))
        # The best ones get the highest ids, and so lie in front.
        return Refiltering(content, detections, self.destinations(detections, coming), own[::-1])

    def lacks_categories(self, detections: Detections, shown: DetectionFilter) -> bool:
        """Tell whether the project has no category yet for something that is to be shown."""
        goes_to = self.destinations(detections)
        used = detections.labels[chosen(detections, shown, goes_to)]
        return bool((goes_to[used] == TO_MAKE).any())

    def make_categories(self, detections: Detections, shown: DetectionFilter) -> bool:
        """Make the project's categories that what is shown needs; never undone, so never missed.

        Returns:
            False when they could not be written.
        """
        wanted = self._used(detections, shown, self.destinations(detections))
        of_model = detections.categories
        return make_categories(self._session, detections.model_id, of_model, wanted)

    def with_categories(self, detections: Detections, shown: DetectionFilter, edit: Edit) -> Edit:
        """Return an edit of rules that also makes the categories that what is shown then needs."""
        wanted = self._used(detections, shown, self.destinations(detections, edit))
        of_model = detections.categories
        return with_categories(self._session, detections.model_id, of_model, wanted, edit)

    @staticmethod
    def _used(
        detections: Detections, shown: DetectionFilter, goes_to: NDArray[np.int64]
    ) -> list[int]:
        used: list[int] = np.unique(detections.labels[chosen(detections, shown, goes_to)]).tolist()
        return used

    def edit(
        self,
        refiltering: Refiltering,
        shown: DetectionFilter,
        outlines: Mapping[int, Segmentation | None],
        title: str,
    ) -> Edit:
        """Return the edit that shows what passes; categories' own scores become rules with it."""
        before = refiltering.content.record.status.detection_filter
        old = dict(before.category_scores) if before is not None else {}
        new = dict(shown.category_scores)
        map_ = self._session.category_maps.of(refiltering.detections.model_id)
        rules = tuple(
            map_.change(name, replace(map_.rule(name), min_score=new.get(name)))
            for name in sorted(old.keys() | new.keys())
            if old.get(name) != new.get(name)
        )
        return replace(refiltering.edit(shown, outlines, title), rules=rules)

    def commit(self, image_id: int, found: Outlined, shown: DetectionFilter, title: str) -> bool:
        """Show an image, not the current one, through a filter.

        Args:
            image_id: the image.
            found: its detections, and the outlines of all that passes.
            shown: what is wanted.
            title: for the Undo menu.

        Returns:
            False when it could not be written.
        """
        session, detections = self._session, found.detections
        if not self.make_categories(detections, shown):
            return False
        with session.beside.held():
            refiltering = self.refiltering(session.content(image_id), detections)
            return session.edit(self.edit(refiltering, shown, found.outlines, title))


def shown_after(session: Session, changes: Iterable[AnnotationChange]) -> Mapping[int, Annotation]:
    """Return what of the current image would be shown after changes, back to front."""
    visible = {category.id for category in session.categories if not category.hidden}
    shown = dict(session.shown)
    for change in changes:
        if change.before is not None:
            shown.pop(change.before.id, None)
        after = change.after
        if after is not None and after.category_id in visible and not after.hidden:
            shown[after.id] = after
    return {a.id: a for a in back_to_front(shown.values())}


def following(shown: DetectionFilter, changes: Iterable[RuleChange]) -> DetectionFilter:
    """Return a filter whose categories have the scores that a map gives them from now on."""
    own = dict(shown.category_scores)
    for change in changes:
        before = None if change.before is None else change.before.min_score
        after = None if change.after is None else change.after.min_score
        if before != after:
            own.pop(change.name, None)
            if after is not None:
                own[change.name] = after
    return replace(shown, category_scores=tuple(sorted(own.items())))
