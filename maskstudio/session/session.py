"""What is open: the project, its images, the current one, the selection. The one truth.

The only way to change data is `Session.edit`: it writes the edit to the database, applies it in
memory, and announces it with one signal. Views read from here, redraw on its signals, and keep
nothing of their own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from maskstudio.annotation.annotation import Annotation, Category, ImageRecord, ImageState
from maskstudio.annotation.box_index import BoxIndex
from maskstudio.annotation.category_table import CategoryTable
from maskstudio.annotation.edits import Edit, ImageContent, locked_in
from maskstudio.annotation.history import HistoryState
from maskstudio.annotation.stack import AnnotationStack, back_to_front
from maskstudio.errors import UserError
from maskstudio.session.beside import Beside
from maskstudio.session.category_maps import CategoryMaps
from maskstudio.session.image_facts import FactsStore
from maskstudio.session.image_order import ImageOrder
from maskstudio.session.image_table import ImageTable
from maskstudio.session.long_editing import LongEditing, Make
from maskstudio.session.tasks import Callbacks, Job, Tasks

if TYPE_CHECKING:
    # It brings the database library, which an empty window does without.
    from maskstudio.storage.project import ProjectDatabase

_UNHEARD = Callbacks()


class Session(QObject):
    """The open project.

    Attributes:
        order: which images the list shows, and in which order.
        facts: what is known of each image without its outlines.
        category_maps: what becomes of the categories of models.
        beside: edits that a lane commits by itself; whoever reads an image to change it holds
            it meanwhile, unless it is the current one.

    Signals:
        opened: another project is open, or none.
        images_changed: images came or went.
        current_changed: another image is current, or none.
        size_noted: the size of the current image is known now.
        selection_changed: other annotations are selected.
        edited: an `Edit` was applied (done, undone or redone).
        renewed: a long edit was done, undone or redone: after `edited` told what is seen of it on
            the current image and of the categories, any other image may be another.
        writing_changed: a long edit is being written, or no more.
        problem: one sentence for the person.
    """

    opened = Signal()
    images_changed = Signal()
    current_changed = Signal()
    size_noted = Signal()
    selection_changed = Signal()
    edited = Signal(object)
    renewed = Signal()
    writing_changed = Signal()
    problem = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._database: ProjectDatabase | None = None
        self._images = ImageTable()
        self._categories = CategoryTable()
        self._current: int | None = None
        self._stack = AnnotationStack()
        self._selection: frozenset[int] = frozenset()
        self._writing = False
        self.facts = FactsStore()
        self.category_maps = CategoryMaps()
        self.beside = Beside(self._apply)
        self._long = LongEditing(self, self._images, self._apply, self._mark_writing)
        self.order = ImageOrder(self.record, self.count, self.facts, self)

    @property
    def database(self) -> "ProjectDatabase | None":
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
    def writing(self) -> bool:
        """True while a long edit is being written, and nothing else can be changed."""
        return self._writing

    @property
    def long_job(self) -> Job | None:
        """What is at work on a long edit, if anything: to show how far it is, or to cancel it."""
        return self._long.job

    @property
    def image_ids(self) -> tuple[int, ...]:
        """All images, in the order of their names."""
        return self._images.order

    @property
    def missing(self) -> frozenset[int]:
        """Images of the project whose file is gone."""
        return self._images.missing

    @property
    def state_counts(self) -> Mapping[ImageState, int]:
        """How many images are in each state."""
        return self._images.states

    @property
    def categories(self) -> tuple[Category, ...]:
        """The project's categories, in the order a person gave them."""
        return self._categories.ordered

    @property
    def current(self) -> ImageRecord | None:
        """The image on the canvas."""
        return None if self._current is None else self._images[self._current]

    @property
    def annotations(self) -> Mapping[int, Annotation]:
        """Annotations of the current image by id, back to front."""
        return self._stack.annotations

    @property
    def shown(self) -> Mapping[int, Annotation]:
        """Those of them that are not hidden, by id, back to front."""
        return self._stack.shown

    @property
    def boxes(self) -> BoxIndex:
        """Where the annotations of the current image are that are not hidden."""
        return self._stack.boxes

    @property
    def selection(self) -> frozenset[int]:
        """Ids of the selected annotations."""
        return self._selection

    def record(self, image_id: int) -> ImageRecord:
        """Return an image."""
        return self._images[image_id]

    def path(self, image_id: int) -> Path:
        """Return where an image's file lies."""
        return self.require_database().folder / self._images[image_id].path

    def count(self, image_id: int) -> int:
        """Return how many annotations stand on an image."""
        return self._images.counts.get(image_id, 0)

    def category(self, category_id: int) -> Category:
        """Return a category."""
        return self._categories[category_id]

    def content(self, image_id: int) -> ImageContent:
        """Return an image and its annotations, as they are now."""
        if image_id == self._current:
            return ImageContent(self._images[image_id], dict(self.annotations))
        annotations = self.require_database().annotations(image_id)
        return ImageContent(self._images[image_id], {a.id: a for a in annotations})

    def selected(self) -> tuple[Annotation, ...]:
        """Return the selected annotations, back to front."""
        known = self.annotations
        return tuple(back_to_front(known[i] for i in self._selection))

    def require_database(self) -> "ProjectDatabase":
        """Return the open project's database.

        Raises:
            UserError: no project is open.
        """
        if self._database is None:
            raise UserError("No folder is open; open one first.")
        return self._database

    def open(self, database: "ProjectDatabase") -> None:
        """Make this project the open one; the one before is closed."""
        self.close()
        self._database = database
        self._images.reset(database.images(), database.annotation_counts())
        self._categories = CategoryTable(database.categories())
        self.facts.reset(database.image_facts, self._images.last_id)
        self.category_maps.reset(database.setting)
        self.order.set_images(self._images.order)
        self.order.reset()
        self.opened.emit()

    def close(self) -> None:
        """Let go of the open project, if any."""
        if self._database is None:
            return
        self.show(None)
        self._long.let_go()
        with self.beside.held():
            self._database.close()
            self._database = None
        self._images.reset()
        self._categories = CategoryTable()
        self.order.set_images(())
        self.order.reset()
        self.facts.reset()
        self.category_maps.reset()
        self._mark_writing(False)
        self.opened.emit()

    def add_images(self, new: Sequence[ImageRecord]) -> None:
        """Take up images that were added to the project's database."""
        if new:
            self._images.add(new)
            self.order.set_images(self._images.order)
            self.images_changed.emit()

    def set_missing(self, present: Iterable[str]) -> None:
        """Note which files the folder holds; the rest of the images are missing, not forgotten."""
        self._images.find_missing(present)
        self.images_changed.emit()

    def show(self, image_id: int | None) -> None:
        """Make an image the current one."""
        if image_id == self._current:
            return
        self.select(())
        with self.beside.held():
            annotations = self.require_database().annotations(image_id) if image_id else ()
            if self._writing and image_id:
                # What a long edit brought may be stored, and is announced a moment later.
                self._categories.take_in(self.require_database().categories())
            left, self._current = self._current, image_id
        self._stack = AnnotationStack(annotations, self._categories.hidden)
        if image_id:
            self._images.counts[image_id] = len(annotations)
            self.order.arrive(image_id)
        self.current_changed.emit()
        if left:
            # Only now, so that a list never has to take its current row out.
            self.order.update([left])

    def note_size(self, image_id: int, height: int, width: int) -> None:
        """Note the size of an image, now that its file was read."""
        record = self._images.get(image_id)
        if record is None or (record.height, record.width) == (height, width):
            return
        self._images[image_id] = replace(record, height=height, width=width)
        if self._database and not self.read_only:
            self._database.set_size(image_id, height, width)
        if self.current is not None and self.current.id == image_id:
            self.size_noted.emit()

    def select(self, annotation_ids: Iterable[int]) -> None:
        """Select annotations of the current image; others, and hidden categories, are ignored."""
        selection = self._selectable(annotation_ids)
        if selection != self._selection:
            self._selection = selection
            self.selection_changed.emit()

    def allows_changing(self, annotations: Iterable[Annotation]) -> bool:
        """Tell whether none of these is locked; `problem` says so when one is."""
        locked = [annotation for annotation in annotations if annotation.locked]
        if len(locked) > 1:
            self.problem.emit(f"{len(locked)} of these are locked; unlock them first.")
        elif locked:
            name = self.category(locked[0].category_id).name
            self.problem.emit(f"This annotation ({name}) is locked; unlock it first.")
        return not locked

    def edit(self, edit: Edit) -> bool:
        """Write an edit, apply it, announce it.

        Returns:
            False when it could not be written, or would change what is locked; nothing has changed
            then and `problem` said why.
        """
        if not edit:
            return True
        if not (self._is_free() and self.allows_changing(locked_in(edit))):
            return False
        with self.beside.held():
            try:
                self.require_database().commit(edit)
            except UserError as error:
                self.problem.emit(str(error))
                return False
            self._apply(edit)
        return True

    def edit_long(self, tasks: Tasks, make: Make, callbacks: Callbacks = _UNHEARD) -> Job | None:
        """Have edits that take long made and written on lane FILES.

        Nothing else is changed until they are announced; everything can be looked at meanwhile.

        Args:
            tasks: the lanes.
            make: writes them, with `ProjectDatabase.commit_long` where they do not fit into memory.
            callbacks: told once the session knows the project as it is by then.

        Returns:
            The work; None when `problem` said that something else is being written.
        """
        return self._long.edit_long(tasks, make, callbacks) if self._is_free() else None

    def undo(self, tasks: Tasks | None = None) -> Edit | None:
        """Take back the last edit; the image it was on becomes the current one.

        A long one is taken back on the lanes, if there are any, and None is returned.
        """
        return self._step(tasks, redo=False)

    def redo(self, tasks: Tasks | None = None) -> Edit | None:
        """Bring back the edit undone last; see `undo`."""
        return self._step(tasks, redo=True)

    def history(self) -> HistoryState:
        """Return what undo and redo would do."""
        return self._database.history() if self._database else HistoryState(None, None)

    def _is_free(self) -> bool:
        if self._writing:
            self.problem.emit("Still saving the change before; do it again in a moment.")
        return not self._writing

    def _mark_writing(self, writing: bool) -> None:
        if writing != self._writing:
            self._writing = writing
            self.writing_changed.emit()

    def _step(self, tasks: Tasks | None, *, redo: bool) -> Edit | None:
        if not self._is_free():
            return None
        history = self.history()
        if history.long_redo if redo else history.long_undo:
            self._long.step(tasks, redo=redo)
            return None
        with self.beside.held():
            try:
                database = self.require_database()
                # Not copied, as `content` would: that takes a while with thousands.
                here = self.current
                known = {} if here is None else {here.id: ImageContent(here, self.annotations)}
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
        after = [change.after for change in edit.annotations if change.after is not None]
        if len(edit.annotations) == 1:
            self.select(a.id for a in after if not a.hidden)
        else:
            self.select(())
        return edit

    def _apply(self, edit: Edit) -> None:
        for image in edit.images:
            record = self._images[image.image_id]
            self._images[image.image_id] = replace(record, status=image.after)
        if edit.categories:
            self._categories.apply(edit.categories)
            self._stack.hide_categories(self._categories.hidden)
        for change in edit.annotations:
            more = (change.after is not None) - (change.before is not None)
            self._images.counts[change.image_id] = self.count(change.image_id) + more
        self._stack.apply(c for c in edit.annotations if c.image_id == self._current)
        for reassignment in edit.reassigned:
            self._stack.put(reassignment.of(self.annotations.values()))
        self.facts.forget(edit.image_ids)
        self.category_maps.apply(edit.rules)
        self.order.update(i for i in edit.image_ids if i != self._current)
        # The lists learn what is gone before they are told that it is no longer selected.
        gone = self._selection - self._selectable(self._selection)
        self._selection -= gone
        self.edited.emit(edit)
        if gone:
            self.selection_changed.emit()

    def _selectable(self, annotation_ids: Iterable[int]) -> frozenset[int]:
        there, hidden = self.annotations, self._categories.hidden
        known = {i for i in annotation_ids if i in there}
        return frozenset(i for i in known if there[i].category_id not in hidden)
