"""Edits that a lane makes and commits by itself, on images that nobody looks at.

To store 500 annotations takes 25 ms, which the window would stand still for at every image of a
run. So lane MODEL reads an image, makes the edit and commits it, all while it holds a lock; the
session takes up what was committed before it changes anything itself, or shows another image, and
holds the same lock meanwhile. The current image is never changed from a lane: what a hand holds of
it would no longer be so.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from maskstudio.annotation.annotation import ImageRecord
from maskstudio.annotation.edits import Edit, ImageContent
from maskstudio.errors import CancelledError
from maskstudio.progress import TaskContext

if TYPE_CHECKING:
    from maskstudio.storage.project import ProjectDatabase

_LOOK_AGAIN_S = 0.02


class OpenProject(Protocol):
    """What is asked of the session."""

    @property
    def database(self) -> "ProjectDatabase | None":
        """The open project's database."""

    @property
    def current(self) -> ImageRecord | None:
        """The image on the canvas."""

    @property
    def writing(self) -> bool:
        """True while a long edit is being written."""

    def record(self, image_id: int) -> ImageRecord:
        """Return an image."""


class Beside:
    """What lanes have committed and the session has not taken up yet."""

    def __init__(self, take_up: Callable[[Edit], object]) -> None:
        """Know of nothing yet; `take_up` is called with each edit, on the GUI thread."""
        self._take_up = take_up
        self._lock = threading.RLock()
        self._committed: deque[Edit] = deque()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Take up what was committed, and keep lanes from committing more; GUI thread only.

        Whoever reads an image that is not the current one, to change it, does both while it is
        held.
        """
        with self._lock:
            while self._committed:
                self._take_up(self._committed.popleft())
            yield

    def take_up(self) -> None:
        """Take up what was committed."""
        with self.held():
            pass

    def commit(
        self,
        session: OpenProject,
        database: "ProjectDatabase",
        image_id: int,
        make: Callable[[ImageContent], Edit | None],
        context: TaskContext,
    ) -> bool:
        """Make an edit of an image and commit it, on a lane; a long edit is waited for.

        Args:
            session: it must call `held` sometime after.
            database: the project that the image is of.
            image_id: the image.
            make: makes the edit; None when that takes the GUI thread.
            context: asked while waiting.

        Returns:
            False when it is the current image, or `make` could not: the GUI thread has to do it.

        Raises:
            CancelledError: another project is open by now, or the person asked to stop.
            UserError: it cannot be written.
        """
        while True:
            context.raise_if_cancelled()
            with self._lock:
                if session.database is not database:
                    raise CancelledError
                current = session.current
                if current is not None and current.id == image_id:
                    return False
                if not (session.writing or self._waits(image_id)):
                    record = session.record(image_id)
                    there = {a.id: a for a in database.annotations(image_id)}
                    edit = make(ImageContent(record, there))
                    if edit is None:
                        return False
                    if edit:
                        database.commit(edit)
                        self._committed.append(edit)
                    return True
            threading.Event().wait(_LOOK_AGAIN_S)

    def _waits(self, image_id: int) -> bool:
        """Tell whether the session does not know yet how an image is."""
        return any(image_id in edit.image_ids for edit in self._committed)
