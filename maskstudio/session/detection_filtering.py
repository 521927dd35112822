"""The filter sliders: show more or fewer of the detections that were kept, without the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.detections import Detections, Outlined, outline
from maskstudio.annotation.edits import Edit, ImageContent
from maskstudio.annotation.refiltering import Refiltering, chosen
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.later import np
from maskstudio.progress import TaskContext
from maskstudio.session.filter_edits import FilterEdits, following, shown_after
from maskstudio.session.kept_detections import KeptDetections
from maskstudio.session.outline_tracing import OutlineTracing
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, LaneName, Tasks
from maskstudio.session.usual_filter import UsualFilter

if TYPE_CHECKING:
    # It brings the database library, which an empty window does without.
    from maskstudio.storage.project import ProjectDatabase

# So many of what may show next are traced ahead: hardly anybody will ask for thousands.
_AHEAD = 1000


@dataclass(frozen=True)
class _Wish:
    """A filter that was let go of, and waits for its outlines."""

    database: ProjectDatabase
    image_id: int
    shown: DetectionFilter
    title: str


class DetectionFiltering(QObject):
    """The detections of the current image and the filter that decides which of them are shown.

    Moving a slider previews; letting go commits one edit. The filter is kept with the image, and
    is what later predictions start from.

    Signals:
        changed: another image, other detections, or another filter.
        preview_changed: `preview` is another one.
    """

    changed = Signal()
    preview_changed = Signal()

    def __init__(self, session: Session, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._tasks = tasks
        self._edits = FilterEdits(session)
        self._tracing = OutlineTracing(tasks, self)
        self._kept = KeptDetections(session, tasks, self)
        self._detections: Detections | None = None
        self._refiltering: Refiltering | None = None
        self._preview: Mapping[int, Annotation] | None = None
        self._previewed: DetectionFilter | None = None
        self._outlines: dict[int, Segmentation | None] = {}
        self._wish: _Wish | None = None
        self._usual = UsualFilter(session)
        session.current_changed.connect(self._on_current)
        session.edited.connect(self._on_edited)
        self._tracing.grown.connect(self._on_grown)
        self._kept.arrived.connect(self._on_kept)

    @property
    def available(self) -> bool:
        """True when the current image has detections to filter."""
        return self._detections is not None

    @property
    def recalling(self) -> bool:
        """True while it is not known yet whether there are any."""
        return self._detections is None and self._kept.busy

    @property
    def detections(self) -> Detections | None:
        """What is kept for the current image."""
        return self._detections

    @property
    def tracing(self) -> bool:
        """True while outlines of what is to be shown are on their way."""
        return self._tracing.busy

    @property
    def preview(self) -> Mapping[int, Annotation] | None:
        """What the canvas shows while a slider moves; None when it is the truth."""
        return self._preview

    @property
    def shown(self) -> DetectionFilter:
        """What of the detections of the current image is shown, or will be in a moment."""
        if self._wish is not None:
            return self._wish.shown
        image = self._session.current
        kept = None if image is None else image.status.detection_filter
        return self.usual if kept is None else kept

    @property
    def usual(self) -> DetectionFilter:
        """What new predictions start from; each model has its categories' scores besides."""
        return self._usual.value

    def start(self, image_id: int, model_id: str) -> DetectionFilter:
        """Return what of a model's new detections on an image is shown.

        Args:
            image_id: the image; the filter it has stays, but for categories' own scores.
            model_id: the model; those scores are what the project's map of it says by now.
        """
        kept = self._session.record(image_id).status.detection_filter or self.usual
        own = self._session.category_maps.of(model_id).category_scores
        return replace(kept, category_scores=own)

    def store(self, image_id: int, found: Outlined, *, undoable: bool) -> bool:
        """Put a model's detections on an image, as pre-annotations.

        Args:
            image_id: the image.
            found: what the model found.
            undoable: a person asked for this image.

        Returns:
            False when they could not be written.
        """
        session = self._session
        detections = found.detections
        session.note_size(image_id, *detections.size)
        shown = self.start(image_id, detections.model_id)
        shown = replace(shown, mask_threshold=found.mask_threshold)
        if not self._edits.make_categories(detections, shown):
            return False
        current = session.current
        with session.beside.held():
            refiltering = self._edits.refiltering(session.content(image_id), detections)
            missing = refiltering.missing(shown, found.outlines)
            if missing:
                self._store_later(image_id, found, missing, undoable=undoable)
                return True
            edit = refiltering.edit(shown, found.outlines)
            if current is not None and current.id == image_id:
                self._take(found)
                if not edit:
                    # Nothing new to see, but from now on there is something to filter.
                    self.changed.emit()
            return session.edit(edits.by_batch(edit) if not undoable else edit)

    def edit_beside(self, content: ImageContent, found: Outlined) -> Edit | None:
        """Return the edit that puts a model's detections on an image that is not current.

        It is made on lane MODEL while the session changes nothing; see `session.beside`.

        Returns:
            None where categories have to be made first, which `store` does.
        """
        detections = found.detections
        shown = self.start(content.record.id, detections.model_id)
        shown = replace(shown, mask_threshold=found.mask_threshold)
        if self._edits.lacks_categories(detections, shown):
            return None
        refiltering = self._edits.refiltering(content, detections)
        missing = refiltering.missing(shown, found.outlines)
        more = outline(detections, TaskContext(), shown.mask_threshold, missing).outlines
        return edits.by_batch(refiltering.edit(shown, {**found.outlines, **more}))

    def get_ready(self) -> None:
        """Trace outlines ahead: a slider is about to move."""
        if self._previewed is None and self._wish is None:
            self._trace(self.shown)

    def move_to(self, shown: DetectionFilter) -> None:
        """Preview the current image through a filter.

        What is of a category the project does not have yet is shown once the filter is committed,
        and an outline at another mask threshold as soon as it is traced.
        """
        if self._current_refiltering() is None:
            return
        self._previewed = shown
        self._trace(shown)
        self._renew_preview()

    def commit(self, shown: DetectionFilter, title: str = "Filter detections") -> None:
        """Show the current image through a filter, as one edit; later predictions start from it.

        Where outlines have to be traced for that, it is done as soon as they are; see `drop_wish`.
        """
        old, current = self.shown, self._session.current
        self._usual.keep(shown)
        if current is None or self._detections is None or (shown == old and self._wish is None):
            self._end_preview()
            return
        database = self._session.require_database()
        self._wish = _Wish(database, current.id, shown, title)
        self._previewed = shown
        if self._trace(shown):
            self._fulfil()
        else:
            self._renew_preview()

    def drop_wish(self) -> bool:
        """Take back a filter that was let go of and waits for its outlines.

        Returns:
            False when there is none.
        """
        if self._wish is None:
            return False
        self._wish = None
        self._end_preview()
        self.changed.emit()
        return True

    def apply_rules(self, edit: Edit) -> bool:
        """Commit an edit of rules, with what refiltering the current image through them gives.

        Args:
            edit: changes rules of models' categories, and makes categories for them.

        Returns:
            False when it could not be written.
        """
        session, detections, current = self._session, self._detections, self._session.current
        if current is None or detections is None:
            return session.edit(edit)
        if all(rule.model_id != detections.model_id for rule in edit.rules):
            return session.edit(edit)
        shown = following(self.shown, edit.rules)
        edit = self._edits.with_categories(detections, shown, edit)
        content = session.content(current.id)
        refiltering = self._edits.refiltering(content, detections, edit)
        outlines = dict(self._tracing.at(shown.mask_threshold))
        missing = refiltering.missing(shown, outlines)
        # A handful that nobody had seen so far; a person asked for it in a dialog.
        outlines |= outline(detections, TaskContext(), shown.mask_threshold, missing).outlines
        filtered = refiltering.edit(shown, outlines, edit.title)
        return session.edit(replace(edit, annotations=filtered.annotations, images=filtered.images))

    def _store_later(
        self, image_id: int, found: Outlined, missing: Sequence[int], *, undoable: bool
    ) -> None:
        """Store what was found once all is traced: the filter was moved while the model ran."""
        session, database = self._session, self._session.database

        def work(context: TaskContext) -> Outlined:
            more = outline(found.detections, context, found.mask_threshold, missing)
            return replace(more, outlines={**found.outlines, **more.outlines})

        def done(more: Outlined) -> None:
            if session.database is database:
                self.store(image_id, more, undoable=undoable)

        self._tasks.submit(LaneName.FILES, work, Callbacks(done))

    def _take(self, found: Outlined) -> None:
        self._detections = found.detections
        self._refiltering = None
        self._outlines = dict(found.outlines)
        self._tracing.reset(found.detections, found.mask_threshold, found.outlines)

    def _trace(self, shown: DetectionFilter) -> bool:
        """Have what is shown traced; tell whether all of it is there."""
        refiltering = self._current_refiltering()
        if refiltering is None or refiltering.detections.roi_masks is None:
            return True
        ahead = range(min(_AHEAD, len(refiltering.detections)))
        return self._tracing.want(shown.mask_threshold, refiltering.passing(shown), ahead)

    def _on_grown(self) -> None:
        if self._wish is not None and self._trace(self._wish.shown):
            self._fulfil()
        elif self._previewed is not None:
            self._renew_preview()

    def _fulfil(self) -> None:
        """Commit what was let go of, now that its outlines are there."""
        wish, self._wish = self._wish, None
        detections = self._detections
        if wish is None or detections is None:
            return
        done = False
        made = self._edits.make_categories(detections, wish.shown)
        # It is another one where categories were made.
        refiltering = self._current_refiltering() if made else None
        if refiltering is not None:
            outlines = self._tracing.at(wish.shown.mask_threshold)
            edit = self._edits.edit(refiltering, wish.shown, outlines, wish.title)
            done = self._session.edit(edit)
        if self._previewed is wish.shown:
            self._end_preview()
        if not done:
            # The sliders stand where they were let go of.
            self.changed.emit()

    def _finish_elsewhere(self) -> None:
        """Fulfil a wish although its image is no longer the current one."""
        wish, detections = self._wish, self._detections
        self._wish = None
        session = self._session
        if wish is None or detections is None or session.database is not wish.database:
            return
        there = self._tracing.at(wish.shown.mask_threshold)
        passes = chosen(detections, wish.shown, self._edits.destinations(detections))
        missing = [index for index in np.flatnonzero(passes).tolist() if index not in there]

        def work(context: TaskContext) -> Outlined:
            more = outline(detections, context, wish.shown.mask_threshold, missing)
            return replace(more, outlines={**there, **more.outlines})

        def done(found: Outlined) -> None:
            if session.database is wish.database:
                self._edits.commit(wish.image_id, found, wish.shown, wish.title)

        if session.current is None:
            # The project is being closed: nobody waits for lanes any more.
            done(work(TaskContext()))
        else:
            self._tasks.submit(LaneName.FILES, work, Callbacks(done))

    def _renew_preview(self) -> None:
        refiltering, shown = self._current_refiltering(), self._previewed
        if refiltering is None or shown is None:
            return
        # Until an outline is traced, the one that was seen last stands in for it.
        self._outlines.update(self._tracing.at(shown.mask_threshold))
        edit = refiltering.edit(shown, self._outlines)
        self._set_preview(shown_after(self._session, edit.annotations))

    def _end_preview(self) -> None:
        self._previewed = None
        self._set_preview(None)

    def _set_preview(self, preview: Mapping[int, Annotation] | None) -> None:
        if preview is not self._preview:
            self._preview = preview
            self.preview_changed.emit()

    def _current_refiltering(self) -> Refiltering | None:
        """Return what the current image is filtered with; kept until something is edited."""
        current = self._session.current
        if current is None or self._detections is None:
            return None
        if self._refiltering is None:
            content = self._session.content(current.id)
            self._refiltering = self._edits.refiltering(content, self._detections)
            drawn_at = current.status.detection_filter or self.usual
            standing = self._refiltering.standing
            outlines = {i: a.segmentation for i, a in standing.items()}
            self._tracing.know(drawn_at.mask_threshold, outlines)
            self._outlines = {**outlines, **self._tracing.at(drawn_at.mask_threshold)}
        return self._refiltering

    def _on_current(self) -> None:
        self._finish_elsewhere()
        self._detections = self._refiltering = None
        self._tracing.reset(None)
        self._end_preview()
        self._kept.recall()
        self.changed.emit()

    def _on_kept(self, found: Outlined | None) -> None:
        if self._detections is None:
            if found is not None:
                self._take(found)
            self.changed.emit()

    def _on_edited(self, edit: Edit) -> None:
        current = self._session.current
        here = current is not None and current.id in edit.image_ids
        if here or edit.categories or edit.rules or edit.reassigned:
            self._refiltering = None
        if here:
            self.changed.emit()
