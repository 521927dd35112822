"""What is open: the project, its images, the current one, the selection. The one truth.

The only way to change data is `Session.edit`: it writes the edit to the database, applies it in
memory, and announces it with one signal. Views read from here, redraw on its signals, and keep
nothing of their own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from maskstudio.annotation.annotation import Annotation, Category, ImageRecord
from maskstudio.annotation.box_index import BoxIndex
from maskstudio.annotation.edits import AnnotationChange, CategoryChange, Edit, ImageContent
from maskstudio.errors import UserError
from maskstudio.session.image_order import ImageOrder
from maskstudio.storage.images import natural_key
from maskstudio.storage.project import HistoryState, ProjectDatabase


class Session(QObject):
    """The open project.

    Attributes:
        order: which images the list shows, and in which order.

    Signals:
        opened: another project is open, or none.
        images_changed: images came or went.
        current_changed: another image is current, or none.
        selection_changed: other annotations are selected.
        edited: an `Edit` was applied (done, undone or redone).
        problem: one sentence for the person.
    """

    opened = Signal()
    images_changed = Signal()
    current_changed = Signal()
    selection_changed = Signal()
    edited = Signal(object)
    problem = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._database: ProjectDatabase | None = None
        self._records: dict[int, ImageRecord] = {}
        self._order: tuple[int, ...] = ()
        self._sort_keys: dict[int, tuple[str | int, ...]] = {}
        self._missing: frozenset[int] = frozenset()
        self._counts: dict[int, int] = {}
        self._categories: dict[int, Category] = {}
        self._current: int | None = None
        self._annotations: dict[int, Annotation] = {}
        self._boxes = BoxIndex()
        self._selection: frozenset[int] = frozenset()
        self._history: HistoryState | None = None
        self.order = ImageOrder(self.record, self.count, self)

    @property
    def database(self) -> ProjectDatabase | None:
        """The open project's database, for reading on any thread."""
        return self._database

    @property
    def folder(self) -> Path | None:
        """The folder of the open project."""
        return self._database.folder if self._database else None

    @property
    def read_only(self) -> bool:
        """True while nothing can be changed."""
        return self._database is None or self._database.read_only

    @property
    def image_ids(self) -> tuple[int, ...]:
        """All images, in the order of their names."""
        return self._order

    @property
    def missing(self) -> frozenset[int]:
        """Images of the project whose file is gone."""
        return self._missing

    @property
    def categories(self) -> tuple[Category, ...]:
        """The project's categories, by id."""
        return tuple(self._categories.values())

    @property
    def current(self) -> ImageRecord | None:
        """The image on the canvas."""
        return None if self._current is None else self._records[self._current]

    @property
    def annotations(self) -> Mapping[int, Annotation]:
        """Annotations of the current image by id, back to front."""
        return self._annotations

    @property
    def boxes(self) -> BoxIndex:
        """Where the annotations of the current image are."""
        return self._boxes

    @property
    def selection(self) -> frozenset[int]:
        """Ids of the selected annotations."""
        return self._selection

    def record(self, image_id: int) -> ImageRecord:
        """Return an image."""
        return self._records[image_id]

    def path(self, image_id: int) -> Path:
        """Return where an image's file lies."""
        return self.require_database().folder / self._records[image_id].path

    def count(self, image_id: int) -> int:
        """Return how many annotations stand on an image."""
        return self._counts.get(image_id, 0)

    def category(self, category_id: int) -> Category:
        """Return a category."""
        return self._categories[category_id]

    def content(self, image_id: int) -> ImageContent:
        """Return an image and its annotations, as they are now."""
        if image_id == self._current:
            return ImageContent(self._records[image_id], dict(self._annotations))
        annotations = self.require_database().annotations(image_id)
        return ImageContent(self._records[image_id], {a.id: a for a in annotations})

    def selected(self) -> tuple[Annotation, ...]:
        """Return the selected annotations, back to front."""
        return tuple(self._annotations[i] for i in sorted(self._selection))

    def require_database(self) -> ProjectDatabase:
        """Return the open project's database.

        Raises:
            UserError: no project is open.
        """
        if self._database is None:
            raise UserError("No folder is open; open one first (Ctrl+U).")
        return self._database

    def open(self, database: ProjectDatabase) -> None:
        """Make this project the open one; the one before is closed."""
        self.close()
        self._database = database
        self._history = None
        self._records = {record.id: record for record in database.images()}
        self._counts = database.annotation_counts()
        self._categories = {category.id: category for category in database.categories()}
        self._sort()
        self.order.reset()
        self.opened.emit()

    def close(self) -> None:
        """Let go of the open project, if any."""
        if self._database is None:
            return
        self.show(None)
        self._database.close()
        self._database = None
        self._records, self._counts, self._categories = {}, {}, {}
        self._order, self._sort_keys, self._missing = (), {}, frozenset()
        self.order.set_images(())
        self._history = None
        self.opened.emit()

    def add_images(self, paths: Sequence[str]) -> None:
        """Take images of the folder into the project; known ones are left as they are."""
        try:
            new = self.require_database().add_images(paths)
        except UserError as error:
            self.problem.emit(str(error))
            return
        if new:
            self._records |= {record.id: record for record in new}
            self._sort()
            self.images_changed.emit()

    def set_missing(self, present: Iterable[str]) -> None:
        """Note which files the folder holds; the rest of the images are missing, not forgotten."""
        found = frozenset(present)
        self._missing = frozenset(i for i, r in self._records.items() if r.path not in found)
        self.images_changed.emit()

    def show(self, image_id: int | None) -> None:
        """Make an image the current one."""
        if image_id == self._current:
            return
        self.select(())
        annotations = self.require_database().annotations(image_id) if image_id else ()
        left, self._current = self._current, image_id
        self._annotations = {annotation.id: annotation for annotation in annotations}
        self._boxes = BoxIndex(annotations)
        if image_id:
            self._counts[image_id] = len(self._annotations)
        self.current_changed.emit()
        if left:
            # Only now, so that a list never has to take its current row out.
            self.order.update([left])

    def note_size(self, image_id: int, height: int, width: int) -> None:
        """Note the size of an image, now that its file was read."""
        record = self._records.get(image_id)
        if record is None or (record.height, record.width) == (height, width):
            return
        self._records[image_id] = replace(record, height=height, width=width)
        if self._database and not self.read_only:
            self._database.set_size(image_id, height, width)

    def select(self, annotation_ids: Iterable[int]) -> None:
        """Select annotations of the current image; others are ignored."""
        selection = frozenset(annotation_ids) & self._annotations.keys()
        if selection != self._selection:
            self._selection = selection
            self.selection_changed.emit()

    def edit(self, edit: Edit) -> bool:
        """Write an edit, apply it, announce it.

        Returns:
            False when it could not be written; nothing has changed then and `problem` said why.
        """
        if not edit:
            return True
        try:
            self.require_database().commit(edit)
        except UserError as error:
            self.problem.emit(str(error))
            return False
        self._apply(edit)
        return True

    def undo(self) -> Edit | None:
        """Take back the last edit; the image it was on becomes the current one."""
        return self._step(redo=False)

    def redo(self) -> Edit | None:
        """Bring back the edit undone last; the image it was on becomes the current one."""
        return self._step(redo=True)

    def history(self) -> HistoryState:
        """Return what undo and redo would do."""
        if self._history is None:
            # Asked for at every change of the selection, so the disk is asked once for an edit.
            none = HistoryState(None, None)
            self._history = self._database.history() if self._database else none
        return self._history

    def _step(self, *, redo: bool) -> Edit | None:
        try:
            database = self.require_database()
            current = self._current
            known = {} if current is None else {current: self.content(current)}
            edit = database.redo(known) if redo else database.undo(known)
        except UserError as error:
            self.problem.emit(str(error))
            return None
        if edit is None:
            return None
        self._apply(edit)
        images = edit.image_ids
        if images and self._current not in images:
            self.show(images[0])
        self.select(c.after.id for c in edit.annotations if c.after and len(edit.annotations) == 1)
        return edit

    def _apply(self, edit: Edit) -> None:
        self._history = None
        for category in edit.categories:
            self._apply_category(category)
        for image in edit.images:
            record = self._records[image.image_id]
            self._records[image.image_id] = replace(record, status=image.after)
        for change in edit.annotations:
            self._apply_annotation(change)
        ids = list(self._annotations)
        if ids != sorted(ids):
            # What was deleted came back, and stands at the end.
            self._annotations = {i: self._annotations[i] for i in sorted(ids)}
        self.order.update(i for i in edit.image_ids if i != self._current)
        # The lists learn what is gone before they are told that it is no longer selected.
        gone = self._selection - self._annotations.keys()
        self._selection -= gone
        self.edited.emit(edit)
        if gone:
            self.selection_changed.emit()

    def _apply_annotation(self, change: AnnotationChange) -> None:
        before, after = change.before, change.after
        difference = (after is not None) - (before is not None)
        self._counts[change.image_id] = self.count(change.image_id) + difference
        if change.image_id != self._current:
            return
        if before is not None and (after is None or after.id != before.id):
            del self._annotations[before.id]
            self._boxes.remove(before.id)
        if after is not None:
            self._annotations[after.id] = after
            self._boxes.put(after)

    def _apply_category(self, change: CategoryChange) -> None:
        if change.before is not None:
            self._categories.pop(change.before.id, None)
        if change.after is not None:
            self._categories[change.after.id] = change.after
        self._categories = dict(sorted(self._categories.items()))

    def _sort(self) -> None:
        # A large folder arrives in many pieces: each key is worked out once only.
        for image_id in self._records.keys() - self._sort_keys.keys():
            self._sort_keys[image_id] = natural_key(self._records[image_id].path)
        self._order = tuple(sorted(self._records, key=self._sort_keys.__getitem__))
        self.order.set_images(self._order)
