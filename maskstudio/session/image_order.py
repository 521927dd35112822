"""Which images the list shows, and in which order: the way a person walks through the folder.

A hundred thousand images are filtered and sorted as plain lists of ids; Qt's own filter and sort
would ask Python about every row and every comparison, which takes seconds.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from PySide6.QtCore import QObject, Signal

from maskstudio.annotation.annotation import ImageRecord, ImageState
from maskstudio.annotation.image_facts import ImageFacts
from maskstudio.annotation.queue import Place
from maskstudio.session.batch_work import OPEN_STATES

# More images than this at once are not put in their places one by one.
_MOST_MOVES = 20
# Scores are compared in steps of this many to one; none comes after the highest.
_SCORE_STEPS = 1_000_000
_STATE_RANK = {state: rank for rank, state in enumerate(ImageState)}
_NO_QUEUE: Mapping[int, Place] = {}


class SortKey(StrEnum):
    """What the list is sorted by; images alike in it stand in the order of their names."""

    NAME = "name"
    STATE = "state"
    COUNT = "annotations"
    CATEGORIES = "categories"
    SCORE = "score"
    TEACHING = "teaching"
    """By the queue of what to label next; what is labelled comes last."""


@dataclass(frozen=True)
class ScoreBound:
    """A bound on the scores of an image's untouched pre-annotations; without any it is left out.

    Attributes:
        lowest: the bound is on the lowest of them, else on the highest.
        below: it must be lower than the value, else as high or higher.
        value: 0 to 1.
    """

    lowest: bool
    below: bool
    value: float

    def holds(self, facts: ImageFacts) -> bool:
        """Tell whether an image is within the bound."""
        score = facts.lowest if self.lowest else facts.highest
        return score is not None and (score < self.value) is self.below


@dataclass(frozen=True)
class ImageQuery:
    """Which images are wanted, and how sorted.

    Attributes:
        text: part of the path, upper and lower case alike; empty for all.
        states: the states wanted; empty for all.
        having: a category that must be on it; None for any.
        lacking: a category that must not be on it; None for none.
        score: a bound on the model's scores; None for any.
        fewest: so many annotations at least.
        most: so many annotations at most; None for any number.
        sort: what to sort by.
        descending: largest or last first.
    """

    text: str = ""
    states: frozenset[ImageState] = frozenset()
    having: int | None = None
    lacking: int | None = None
    score: ScoreBound | None = None
    fewest: int = 0
    most: int | None = None
    sort: SortKey = SortKey.NAME
    descending: bool = False

    @property
    def filters(self) -> bool:
        """True when it may leave images out."""
        return bool(self.text or self.states) or self.by_content

    @property
    def by_content(self) -> bool:
        """True when it may leave images out for what stands on them."""
        return self._by_facts or self.fewest > 0 or self.most is not None

    @property
    def needs_facts(self) -> bool:
        """True when it asks for more than states, names and counts."""
        return self._by_facts or self.sort in (SortKey.CATEGORIES, SortKey.SCORE)

    @property
    def changes_with_edits(self) -> bool:
        """True when an edit of an image may bring it in, out, or to another place."""
        return bool(self.states) or self.by_content or self.sort is not SortKey.NAME

    def accepts(self, record: ImageRecord) -> bool:
        """Tell whether an image is wanted, by its state and name."""
        if self.states and record.state not in self.states:
            return False
        return self.text.casefold() in record.path.casefold()

    def accepts_count(self, count: int) -> bool:
        """Tell whether an image with so many annotations is wanted."""
        return self.fewest <= count and (self.most is None or count <= self.most)

    def accepts_facts(self, facts: ImageFacts) -> bool:
        """Tell whether an image is wanted, by its categories and scores."""
        if self.having is not None and self.having not in facts.categories:
            return False
        if self.lacking is not None and self.lacking in facts.categories:
            return False
        return self.score is None or self.score.holds(facts)

    @property
    def _by_facts(self) -> bool:
        return (self.having, self.lacking, self.score) != (None, None, None)


class ImageOrder(QObject):
    """The images as shown.

    An image that is edited keeps its place until the person leaves it, whatever the filter says:
    who verifies an image in a list of unverified ones is still where he was.

    Signals:
        renewed: any image may stand anywhere now.
        moved: (image id, place it left or None, place it took or None); places are counted after
            each step, first out, then in.
        chosen_changed: other images are selected.
    """

    renewed = Signal()
    moved = Signal(int, object, object)
    chosen_changed = Signal()

    def __init__(
        self,
        record: Callable[[int], ImageRecord],
        count: Callable[[int], int],
        facts: Callable[[int], ImageFacts],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._record = record
        self._count = count
        self._facts = facts
        self._query = ImageQuery()
        self._queue = _NO_QUEUE
        self._ranks: dict[int, int] = {}
        self._shown: list[int] = []
        # By which each image shown was put in its place: one being edited may have another by now.
        self._keys: dict[int, int] = {}
        self._places: dict[int, int] | None = None
        self._chosen: frozenset[int] = frozenset()
        self._step = 1
        self._arrived = 0

    @property
    def query(self) -> ImageQuery:
        """Which images are shown, and how sorted."""
        return self._query

    @property
    def shown(self) -> Sequence[int]:
        """Ids of the images shown, in order."""
        return self._shown

    @property
    def queue(self) -> Mapping[int, Place]:
        """Image id to its place in the queue of what to label next, as far as it is known."""
        return self._queue

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

    @property
    def chosen(self) -> frozenset[int]:
        """Ids of the images selected in the list; they need not be the current one."""
        return self._chosen

    def choose(self, image_ids: Iterable[int]) -> None:
        """Select images in the list."""
        chosen = frozenset(image_ids)
        if chosen != self._chosen:
            self._chosen = chosen
            self.chosen_changed.emit()

    def arrive(self, image_id: int) -> None:
        """Note which way a person goes: on to this image, or back."""
        place = self.place(image_id)
        self._step = 1 if place >= self._arrived else -1
        self._arrived = place

    def ahead(self, image_id: int, count: int) -> list[int]:
        """Return the images that follow one in the direction of travel, the next first."""
        near = (self.neighbour(image_id, self._step * by) for by in range(1, count + 1))
        return [one for one in near if one is not None]

    def behind(self, image_id: int) -> int | None:
        """Return the image that a person who turns round would come to."""
        return self.neighbour(image_id, -self._step)

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
        self._queue = _NO_QUEUE
        self._renew()

    def set_queue(self, queue: Mapping[int, Place]) -> None:
        """Take the queue of what to label next."""
        self._queue = queue
        if self._query.sort is SortKey.TEACHING:
            self._renew()
            self.renewed.emit()

    def update(self, image_ids: Iterable[int]) -> None:
        """Put images that have changed in the places they belong now."""
        if not self._query.changes_with_edits:
            return
        changed = [i for i in image_ids if i in self._ranks]
        if len(changed) > _MOST_MOVES:
            self._renew()
            self.renewed.emit()
            return
        for image_id in changed:
            self._replace(image_id)

    def refresh_facts(self) -> None:
        """Look again at every image, now that more is known of them."""
        if self._query.needs_facts:
            self._renew()
            self.renewed.emit()

    def _accepts(self, image_id: int) -> bool:
        query = self._query
        if not (
            query.accepts(self._record(image_id)) and query.accepts_count(self._count(image_id))
        ):
            return False
        return not query.needs_facts or query.accepts_facts(self._facts(image_id))

    def _replace(self, image_id: int) -> None:
        old = self._where().get(image_id)
        if old is not None:
            del self._shown[old]
        new = self._insertion(image_id) if self._accepts(image_id) else None
        if new is not None:
            self._shown.insert(new, image_id)
            self._keys[image_id] = self._key(image_id)
        if old != new:
            self._places = None
            self.moved.emit(image_id, old, new)

    def _renew(self) -> None:
        query = self._query
        self._shown = list(self._ranks)
        if query.filters:
            self._shown = [i for i in self._shown if self._accepts(i)]
        if query.sort is SortKey.NAME and not query.descending:
            self._keys = dict(self._ranks)
        else:
            self._keys = {image_id: self._key(image_id) for image_id in self._shown}
            self._shown.sort(key=self._keys.__getitem__)
        self._places = None

    def _key(self, image_id: int) -> int:
        """Return a number by which to sort; no two images have the same."""
        rank = self._ranks[image_id]
        sign = -1 if self._query.descending else 1
        if self._query.sort is SortKey.NAME:
            return sign * rank
        return self._first(image_id, sign) * len(self._ranks) + rank

    def _first(self, image_id: int, sign: int) -> int:
        """Return what is compared before the names, with its sign."""
        match self._query.sort:
            case SortKey.STATE:
                return sign * _STATE_RANK[self._record(image_id).state]
            case SortKey.CATEGORIES:
                return sign * len(self._facts(image_id).categories)
            case SortKey.SCORE:
                lowest = self._facts(image_id).lowest
                # Where nothing is left to look at, it comes last either way.
                return _SCORE_STEPS + 1 if lowest is None else sign * round(lowest * _SCORE_STEPS)
            case SortKey.TEACHING:
                return self._turn(image_id, sign)
        return sign * self._count(image_id)

    def _turn(self, image_id: int, sign: int) -> int:
        """Return when an image comes by the queue; last, either way, what is labelled."""
        if self._record(image_id).state not in OPEN_STATES:
            return len(self._ranks) + 1
        place = self._queue.get(image_id)
        return len(self._ranks) if place is None else sign * place.number

    def _insertion(self, image_id: int) -> int:
        return bisect_left(self._shown, self._key(image_id), key=self._keys.__getitem__)

    def _where(self) -> dict[int, int]:
        if self._places is None:
            self._places = {image_id: place for place, image_id in enumerate(self._shown)}
        return self._places
