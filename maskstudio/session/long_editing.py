"""Edits that take long: written on a lane while nothing else is changed and all can be looked at.

After one too long for memory the session learns anew how the project is. 118,000 images cannot be
taken up at once without the window standing still: they are read on the lane too, and brought to
the GUI thread some at a time.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import SignalInstance

from maskstudio.annotation.annotation import Annotation, Category, ImageRecord
from maskstudio.annotation.edits import AnnotationChange, CategoryChange, Edit, ImageChange
from maskstudio.annotation.history import HistoryState
from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.session.beside import Beside
from maskstudio.session.category_maps import CategoryMaps
from maskstudio.session.image_facts import FactsStore
from maskstudio.session.image_order import ImageOrder
from maskstudio.session.image_table import ImagesRead, ImageTable
from maskstudio.session.tasks import Callbacks, Job, LaneName, Tasks

if TYPE_CHECKING:
    # It brings the database library, which an empty window does without.
    from maskstudio.storage.project import ProjectDatabase

Make = Callable[["ProjectDatabase", TaskContext], Any]
"""Writes long edits with `ProjectDatabase.commit_long`."""


class OpenProject(Protocol):
    """What is asked of the session."""

    @property
    def database(self) -> "ProjectDatabase | None":
        """The open project's database."""

    @property
    def current(self) -> ImageRecord | None:
        """The image on the canvas."""

    @property
    def annotations(self) -> Mapping[int, Annotation]:
        """What stands on it."""

    @property
    def categories(self) -> tuple[Category, ...]:
        """The project's categories."""

    @property
    def beside(self) -> Beside:
        """Edits that a lane commits by itself."""

    @property
    def facts(self) -> FactsStore:
        """What is known of each image."""

    @property
    def category_maps(self) -> CategoryMaps:
        """What becomes of the categories of models."""

    @property
    def order(self) -> ImageOrder:
        """Which images the list shows."""

    @property
    def problem(self) -> SignalInstance:
        """One sentence for the person."""

    @property
    def renewed(self) -> SignalInstance:
        """Any image may be another."""

    def require_database(self) -> "ProjectDatabase":
        """Return the open project's database."""

    def history(self) -> HistoryState:
        """Return what undo and redo would do."""

    def add_images(self, new: Sequence[ImageRecord]) -> None:
        """Take up images that were added."""


@dataclass(frozen=True)
class _CategoriesRead:
    """The last of what is read anew: all categories, in the order a person gave them."""

    categories: tuple[Category, ...]


class _Here(TaskContext):
    """Work done on the calling thread, where it is waited for."""

    def __init__(self, take: Callable[[object], None]) -> None:
        self._take = take

    def produce(self, item: object) -> None:
        self._take(item)


class LongEditing:
    """Writes long edits of the open project.

    Attributes:
        job: what is at work on one that can be cancelled; None while there is none.
    """

    def __init__(
        self,
        session: OpenProject,
        images: ImageTable,
        apply: Callable[[Edit], object],
        mark: Callable[[bool], object],
    ) -> None:
        """Write nothing yet.

        Args:
            session: the open project.
            images: its images.
            apply: applies in memory what was written.
            mark: called with True when one is begun, with False when it has ended.
        """
        self._session = session
        self._images = images
        self._apply = apply
        self._mark = mark
        self.job: Job | None = None
        self._number = 0

    def let_go(self) -> None:
        """Cancel it, so that nothing is left of it: to wait for its end might take minutes."""
        if self.job is not None:
            self.job.cancel()
            self.job = None

    def edit_long(self, tasks: Tasks, make: Make, callbacks: Callbacks) -> Job:
        """See `Session.edit_long`."""
        session = self._session
        database = session.require_database()
        with session.beside.held():
            self._mark(True)
        self._number += 1
        end = partial(self._end, database, self._number)
        wrapped = Callbacks(
            _then(end, callbacks.done),
            _then(end, callbacks.failed),
            _then(end, callbacks.cancelled),
            self._taking_up(database, end, callbacks.item),
        )
        self.job = tasks.submit(LaneName.FILES, _then_reading(database, make), wrapped)
        return self.job

    def step(self, tasks: Tasks | None, *, redo: bool) -> None:
        """Undo or redo a long edit.

        Args:
            tasks: the lanes; without them it is done on the calling thread.
            redo: bring it back.
        """
        session = self._session

        def make(database: "ProjectDatabase", context: TaskContext) -> None:
            again = database.redo if redo else database.undo
            again(context=context)

        if tasks is not None:
            self.edit_long(tasks, make, Callbacks(failed=session.problem.emit))
            return
        database = session.require_database()
        here = _Here(self._taking_up(database, lambda: None, lambda _: None))
        try:
            _then_reading(database, make)(here)
        except UserError as error:
            session.problem.emit(str(error))

    def _end(self, database: "ProjectDatabase", number: int) -> None:
        """Mark the end of a long edit, unless another project is open or another edit begun."""
        if self._session.database is database and self._number == number:
            self.job = None
            self._mark(False)

    def _taking_up(
        self,
        database: "ProjectDatabase",
        end: Callable[[], object],
        others: Callable[[Any], object],
    ) -> Callable[[Any], None]:
        """Return what takes up all that is read after a long edit, and ends it then."""
        before = self._session.categories
        new: list[ImageRecord] = []

        def take(item: Any) -> None:
            if self._session.database is not database:
                return
            if isinstance(item, ImagesRead):
                new.extend(self._images.take_up(item))
            elif isinstance(item, _CategoriesRead):
                end()
                self._announce(_changed(before, item.categories), new)
            else:
                others(item)

        return take

    def _announce(self, categories: Iterable[tuple[Any, Any]], new: Sequence[ImageRecord]) -> None:
        """Tell what is seen of a long edit, and that all the rest is to be looked at anew."""
        session = self._session
        database, current = session.require_database(), session.current
        title = session.history().undo or ""
        seen = Edit(title, categories=tuple(CategoryChange(*pair) for pair in categories))
        with session.beside.held():
            if current is not None:
                there = session.annotations.values()
                now = database.annotations(current.id)
                changes = (AnnotationChange(current.id, *pair) for pair in _changed(there, now))
                status = ImageChange(current.id, current.status, current.status)
                self._images.counts[current.id] = len(there)
                seen = replace(seen, annotations=tuple(changes), images=(status,))
            session.category_maps.reset(database.setting)
            self._apply(seen)
        session.add_images(new)
        session.facts.renew(self._images.last_id)
        session.order.update(self._images.order)
        session.renewed.emit()


def _then(first: Callable[[], object], second: Callable[..., object]) -> Callable[..., None]:
    def both(*said: Any) -> None:
        first()
        second(*said)

    return both


def _then_reading(database: "ProjectDatabase", make: Make) -> Callable[[TaskContext], Any]:
    """Return the work that makes edits and, however that ended, produces what there is by then."""

    def work(context: TaskContext) -> Any:
        try:
            return make(database, context)
        finally:
            with suppress(UserError):
                for records, counts in database.image_slices():
                    context.produce(ImagesRead(records, counts))
                context.produce(_CategoriesRead(database.categories()))

    return work


def _changed(
    before: Iterable[Annotation | Category], after: Iterable[Annotation | Category]
) -> list[tuple[Any, Any]]:
    """Return what has become of each that is another by now: before and after, None for neither."""
    old, new = ({one.id: one for one in some} for some in (before, after))
    both = ((old.get(i), new.get(i)) for i in old | new)
    return [pair for pair in both if pair[0] != pair[1]]
