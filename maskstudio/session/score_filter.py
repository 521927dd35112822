"""The score slider: show more or fewer of the detections that were kept, without the model."""

from collections.abc import Iterable, Mapping

from PySide6.QtCore import QObject, Signal

from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation, Category
from maskstudio.annotation.detections import DEFAULT_SCORE, Outlined, outline, pre_annotations
from maskstudio.annotation.edits import AnnotationChange, CategoryChange, Edit, ImageContent
from maskstudio.annotation.stack import back_to_front
from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, Job, LaneName, Tasks
from maskstudio.storage.detections import read_detections

_SCORE_SETTING = "score_threshold"
_NO_CATEGORY = 0


class ScoreFilter(QObject):
    """The detections of the current image and the score from which they are shown.

    Moving the slider previews; letting go commits one edit. The score is kept with the image, and
    is what later predictions start from.

    Signals:
        changed: another image, other detections, or another score.
        preview_changed: `preview` is another one.
    """

    changed = Signal()
    preview_changed = Signal()

    def __init__(self, session: Session, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._tasks = tasks
        self._found: Outlined | None = None
        self._job: Job | None = None
        self._preview: Mapping[int, Annotation] | None = None
        self._usual: float | None = None
        session.opened.connect(self._on_opened)
        session.current_changed.connect(self._recall)
        session.edited.connect(self._on_edited)

    @property
    def available(self) -> bool:
        """True when the current image has detections to filter."""
        return self._found is not None

    @property
    def found(self) -> int:
        """How many detections are kept for the current image."""
        return len(self._found.detections) if self._found else 0

    @property
    def preview(self) -> Mapping[int, Annotation] | None:
        """What the canvas shows while the slider moves; None when it is the truth."""
        return self._preview

    @property
    def min_score(self) -> float:
        """Score from which the detections of the current image are shown."""
        image = self._session.current
        if image is not None and image.status.min_score is not None:
            return image.status.min_score
        return self.usual_score

    @property
    def usual_score(self) -> float:
        """Score that new predictions start from."""
        if self._usual is None:
            # The panel asks at every edit; the disk is asked once.
            database = self._session.database
            stored = database.setting(_SCORE_SETTING, DEFAULT_SCORE) if database else DEFAULT_SCORE
            self._usual = float(stored)
        return self._usual

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
        session.note_size(image_id, *found.detections.size)
        content = session.content(image_id)
        score = content.record.status.min_score
        score = self.usual_score if score is None else score
        if not self._make_categories(found, score):
            return False
        edit = self._edit(content, found, score, "Pre-annotate")
        if session.current is not None and session.current.id == image_id:
            self._found = found
            if not edit:
                # Nothing new to see, but from now on there is something to filter.
                self.changed.emit()
        return session.edit(edits.by_batch(edit) if not undoable else edit)

    def move_to(self, score: float) -> None:
        """Preview the current image at a score.

        What is of a category the project does not have yet is shown once the score is committed.
        """
        content = self._content()
        if content is None or self._found is None:
            return
        edit = self._edit(content, self._found, score, "")
        self._set_preview(self._with_changes(edit.annotations))

    def commit(self, score: float) -> None:
        """Show the current image at a score, as one edit, and start later predictions from it."""
        content, found, old_score = self._content(), self._found, self.min_score
        self._keep_score(score)
        if content is not None and found is not None and score != old_score:
            title = "Move score threshold"
            if self._make_categories(found, score):
                self._session.edit(self._edit(content, found, score, title))
        self._set_preview(None)

    def _keep_score(self, score: float) -> None:
        database = self._session.database
        if database is None or database.read_only or score == self.usual_score:
            return
        try:
            database.set_setting(_SCORE_SETTING, score)
            self._usual = score
        except UserError as error:
            self._session.problem.emit(str(error))

    def _on_opened(self) -> None:
        self._usual = None

    def _content(self) -> ImageContent | None:
        current = self._session.current
        return self._session.content(current.id) if current else None

    def _edit(self, content: ImageContent, found: Outlined, score: float, title: str) -> Edit:
        ids = {c.name: c.id for c in self._session.categories}
        model_id = found.detections.model_id
        new = pre_annotations(
            found,
            score,
            [a for a in content.annotations.values() if not a.is_replaceable],
            content.record.status.rejections,
            lambda category: ids.get(category.name, _NO_CATEGORY),
            self._session.require_database().take_annotation_ids(),
        )
        return edits.pre_annotate(content, model_id, new, score, title)

    def _make_categories(self, found: Outlined, score: float) -> bool:
        """Make the project's categories that detections need; never undone, so never missed."""
        detections = found.detections
        used = {detections.categories[n] for n in detections.labels[detections.scores >= score]}
        names = {c.name for c in self._session.categories}
        next_id = self._session.require_database().next_category_id()
        new = [c for c in sorted(used, key=lambda c: c.id) if c.name not in names]
        made = tuple(
            CategoryChange(None, Category(next_id + n, c.name, c.supercategory))
            for n, c in enumerate(new)
        )
        return self._session.edit(
            Edit(
                "Add the model's categories",
                f"model:{detections.model_id}",
                categories=made,
                undoable=False,
            )
        )

    def _recall(self) -> None:
        """Load what was kept for the image that is current now."""
        if self._job is not None:
            self._job.cancel()
        self._found = None
        self._set_preview(None)
        self.changed.emit()
        image, folder = self._session.current, self._session.folder
        if image is None or folder is None or image.status.min_score is None:
            return
        image_id = image.id

        def work(context: TaskContext) -> Outlined | None:
            kept = read_detections(folder, image_id)
            return None if kept is None else outline(kept, context)

        def done(found: Outlined | None) -> None:
            current = self._session.current
            if self._found is None and current is not None and current.id == image_id:
                self._found = found
                self.changed.emit()

        self._job = self._tasks.submit(LaneName.FILES, work, Callbacks(done))

    def _on_edited(self, edit: Edit) -> None:
        current = self._session.current
        if current is not None and current.id in edit.image_ids:
            self.changed.emit()

    def _with_changes(self, changes: Iterable[AnnotationChange]) -> Mapping[int, Annotation]:
        """Return what would be shown after changes, back to front."""
        visible = {category.id for category in self._session.categories if not category.hidden}
        shown = dict(self._session.shown)
        for change in changes:
            if change.before is not None:
                shown.pop(change.before.id, None)
            if change.after is not None and change.after.category_id in visible:
                shown[change.after.id] = change.after
        return {a.id: a for a in back_to_front(shown.values())}

    def _set_preview(self, preview: Mapping[int, Annotation] | None) -> None:
        if preview is not self._preview:
            self._preview = preview
            self.preview_changed.emit()
