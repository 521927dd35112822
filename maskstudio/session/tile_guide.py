"""Whether images are looked at in tiles: what a person chose, and what his annotations tell."""

import itertools
import math

from PySide6.QtCore import QObject, Signal

from maskstudio.annotation.annotation import ImageState
from maskstudio.annotation.edits import Edit
from maskstudio.annotation.tiling import (
    Sight,
    TileChoice,
    TileEstimate,
    Tiling,
    estimate,
    small_side,
)
from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, LaneName, Priority, Tasks

_SETTING = "tiles"
# Images a person has worked on; a few of them tell how large the objects are.
_PERSONS = (ImageState.EDITED, ImageState.VERIFIED)
_MOST_IMAGES, _SEARCHED = 5, 2000
_MOST_OBJECTS = 200


class TileGuide(QObject):
    """What a project wants: kept with it, and read from what a person drew in it.

    Signals:
        changed: `tiling` or `size` is another one.
        problem: one sentence for the person.
    """

    changed = Signal()
    problem = Signal(str)

    def __init__(self, session: Session, tasks: Tasks) -> None:
        super().__init__(session)
        self._session = session
        self._tasks = tasks
        self._tiling = Tiling()
        # Images a person worked on, the last one last, and whether their objects were read.
        self._worked_on: dict[int, None] = {}
        self._read = False
        session.opened.connect(self._on_opened)
        session.renewed.connect(self._on_opened)
        session.edited.connect(self._on_edited)
        session.current_changed.connect(self._on_current)
        session.size_noted.connect(self.changed)

    @property
    def tiling(self) -> Tiling:
        """How images are looked at from now on."""
        return self._tiling

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) of the current image; None until it is known."""
        current = self._session.current
        return (current.height, current.width) if current is not None and current.height else None

    def choose(self, choice: TileChoice) -> None:
        """Look at images so from now on; kept with the project."""
        database = self._session.database
        if database is None:
            return
        try:
            database.set_setting(_SETTING, choice)
        except UserError as error:
            self.problem.emit(str(error))
        else:
            self._tiling = Tiling(choice, self._tiling.small)
        self.changed.emit()

    def estimate(
        self, sight: Sight | None, seconds_each: float | None, choice: TileChoice | None = None
    ) -> TileEstimate | None:
        """Return what the current image will take; None where it is not looked at in tiles.

        Args:
            sight: the model's.
            seconds_each: that it takes for an image, if that is known.
            choice: as if a person had chosen this.
        """
        size = self.size
        if size is None or sight is None:
            return None
        tiling = Tiling(choice or self._tiling.choice, self._tiling.small)
        return estimate(tiling, sight, size, seconds_each)

    def _on_opened(self) -> None:
        database = self._session.database
        stored = "" if database is None else database.setting(_SETTING, "")
        known = stored in list(TileChoice)
        self._tiling = Tiling(TileChoice(stored) if known else TileChoice.AUTO)
        searched = itertools.islice(self._session.image_ids, _SEARCHED)
        begun = (i for i in searched if self._session.record(i).state in _PERSONS)
        self._worked_on = dict.fromkeys(itertools.islice(begun, _MOST_IMAGES))
        self._read = False
        self._on_current()

    def _on_edited(self, edit: Edit) -> None:
        if not edit.author.startswith("model:"):
            for image_id in edit.image_ids:
                self._worked_on.pop(image_id, None)
                self._worked_on[image_id] = None
            self._read = False

    def _on_current(self) -> None:
        """Read anew how large objects are, once a person has gone on to another image."""
        self.changed.emit()
        database = self._session.database
        ids = list(self._worked_on)[-_MOST_IMAGES:]
        if self._read or database is None or not ids:
            return
        self._read = True
        self._worked_on = dict.fromkeys(ids)

        def read(context: TaskContext) -> float | None:
            sides = []
            for image_id in ids:
                context.raise_if_cancelled()
                for one in database.annotations(image_id, _MOST_OBJECTS):
                    x0, y0, x1, y1 = one.box
                    if not one.is_pre_annotation:
                        sides.append(math.sqrt((x1 - x0) * (y1 - y0)))
            return small_side(sides)

        def done(small: float | None) -> None:
            if self._session.database is database and small != self._tiling.small:
                self._tiling = Tiling(self._tiling.choice, small)
                self.changed.emit()

        self._tasks.submit(LaneName.FILES, read, Callbacks(done), Priority.BATCH)
