"""Which images the list shows, and in which order: the way a person walks through the folder.

A hundred thousand images are filtered and sorted as plain lists of ids; Qt's own filter and sort
would ask Python about every row and every comparison, which takes seconds.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from PySide6.QtCore import QObject, Signal

from maskstudio.annotation.annotation import ImageRecord, ImageState

# More images than this at once are not put in their places one by one.
_MOST_MOVES = 20
_STATE_RANK = {state: rank for rank, state in enumerate(ImageState)}


class SortKey(StrEnum):
    """What the list is sorted by; images alike in it stand in the order of their names."""

    NAME = "name"
    STATE = "state"
    COUNT = "annotations"


@dataclass(frozen=True)
class ImageQuery:
    """Which images are wanted, and how sorted.

    Attributes:
        text: part of the path, upper and lower case alike; empty for all.
        states: the states wanted; empty for all.
        sort: what to sort by.
        descending: largest or last first.
    """

    text: str = ""
    states: frozenset[ImageState] = frozenset()
    sort: SortKey = SortKey.NAME
    descending: bool = False

    @property
    def filters(self) -> bool:
        """True when it may leave images out."""
        return bool(self.text or self.states)

    def accepts(self, record: ImageRecord) -> bool:
        """Tell whether an image is wanted."""
        if self.states and record.state not in self.states:
            return False
        return self.text.casefold() in record.path.casefold()


class ImageOrder(QObject):
    """The images as shown.

    An image that is edited keeps its place until the person leaves it, whatever the filter says:
    who verifies an image in a list of unverified ones is still where he was.

    Signals:
        renewed: any image may stand anywhere now.
        moved: (image id, place it left or None, place it took or None); places are counted after
            each step, first out, then in.
    """

    renewed = Signal()
    moved = Signal(int, object, object)

    def __init__(
        self, record: Callable[[int], ImageRecord], count: Callable[[int], int], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._record = record
        self._count = count
        self._query = ImageQuery()
        self._ranks: dict[int, int] = {}
        self._shown: list[int] = []
        # By which each image shown was put in its place: one being edited may have another by now.
        self._keys: dict[int, int] = {}
        self._places: dict[int, int] | None = None

    @property
    def query(self) -> ImageQuery:
        """Which images are shown, and how sorted."""
        return self._query

    @property
    def shown(self) -> Sequence[int]:
        """Ids of the images shown, in order."""
        return self._shown

    def __contains__(self, image_id: int) -> bool:
        return image_id in self._where()

    def place(self, image_id: int) -> int:
        """Return the place of an image; for one that is not shown, the place it would take."""
        place = self._where().get(image_id)
        return self._insertion(image_id) if place is None else place

    def neighbour(self, image_id: int, by: int) -> int | None:
        """Return the image `by` places further on, from one that is shown or not; None at the end.

        Args:
            image_id: where to start.
            by: not 0; negative goes back.
        """
        place = self.place(image_id) + by
        if by > 0 and image_id not in self:
            place -= 1
        return self._shown[place] if 0 <= place < len(self._shown) else None

    def find(self, wanted: str) -> int | None:
        """Return an image of those shown by what a person types.

        Args:
            wanted: its place in the list, from 1; or its name, or the first part of a name that
                fits, upper and lower case alike.
        """
        wanted = wanted.strip().casefold()
        if wanted.isdecimal() and 0 < int(wanted) <= len(self._shown):
            return self._shown[int(wanted) - 1]
        if not wanted:
            return None
        partly: int | None = None
        for image_id in self._shown:
            path = self._record(image_id).path.casefold()
            if wanted not in path:
                continue
            name = PurePosixPath(path)
            if wanted in (path, name.name, name.stem):
                return image_id
            partly = image_id if partly is None else partly
        return partly

    def ask(self, query: ImageQuery) -> None:
        """Show other images, or in another order."""
        if query != self._query:
            self._query = query
            self._renew()
            self.renewed.emit()

    def set_images(self, image_ids: Sequence[int]) -> None:
        """Take other images, in the order of their names; the session announces it."""
        self._ranks = {image_id: rank for rank, image_id in enumerate(image_ids)}
        self._renew()

    def reset(self) -> None:
        """Show all by name; the session announces it."""
        self._query = ImageQuery()
        self._renew()

    def update(self, image_ids: Iterable[int]) -> None:
        """Put images that have changed in the places they belong now."""
        if not self._query.states and self._query.sort is SortKey.NAME:
            return
        changed = [i for i in image_ids if i in self._ranks]
        if len(changed) > _MOST_MOVES:
            self._renew()
            self.renewed.emit()
            return
        for image_id in changed:
            self._replace(image_id)

    def _replace(self, image_id: int) -> None:
        old = self._where().get(image_id)
        if old is not None:
            del self._shown[old]
        wanted = self._query.accepts(self._record(image_id))
        new = self._insertion(image_id) if wanted else None
        if new is not None:
            self._shown.insert(new, image_id)
            self._keys[image_id] = self._key(image_id)
        if old != new:
            self._places = None
            self.moved.emit(image_id, old, new)

    def _renew(self) -> None:
        query, record = self._query, self._record
        self._shown = list(self._ranks)
        if query.filters:
            self._shown = [i for i in self._shown if query.accepts(record(i))]
        if query.sort is SortKey.NAME and not query.descending:
            self._keys = dict(self._ranks)
        else:
            self._keys = {image_id: self._key(image_id) for image_id in self._shown}
            self._shown.sort(key=self._keys.__getitem__)
        self._places = None

    def _key(self, image_id: int) -> int:
        """Return a number by which to sort; no two images have the same."""
        rank = self._ranks[image_id]
        sort, sign = self._query.sort, -1 if self._query.descending else 1
        if sort is SortKey.NAME:
            return sign * rank
        state = sort is SortKey.STATE
        first = _STATE_RANK[self._record(image_id).state] if state else self._count(image_id)
        return sign * first * len(self._ranks) + rank

    def _insertion(self, image_id: int) -> int:
        return bisect_left(self._shown, self._key(image_id), key=self._keys.__getitem__)

    def _where(self) -> dict[int, int]:
        if self._places is None:
            self._places = {image_id: place for place, image_id in enumerate(self._shown)}
        return self._places
