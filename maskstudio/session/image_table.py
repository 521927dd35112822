"""The images of the open project: records, order, how many annotations stand on each."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from maskstudio.annotation.annotation import ImageRecord
from maskstudio.storage.folder import natural_key


@dataclass(frozen=True)
class ImagesRead:
    """Images as they are in the database.

    Attributes:
        records: some of the images.
        counts: how many annotations stand on those of them that hold any.
    """

    records: Sequence[ImageRecord]
    counts: Mapping[int, int]


class ImageTable:
    """Images by id.

    Attributes:
        order: all ids, in the order of the images' names.
        missing: those whose file is gone.
        counts: how many annotations stand on each; none where nothing is said.
        states: how many images are in each state.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(
        self, records: Iterable[ImageRecord] = (), counts: Mapping[int, int] | None = None
    ) -> None:
        """Hold the images of another project, or of none.

        Args:
            records: in the order of their names.
            counts: image id to number of annotations.
        """
        self._records = {record.id: record for record in records}
        self._sort_keys: dict[int, tuple[str | int, ...]] = {}
        self.counts = dict(counts or {})
        self.states = Counter(record.state for record in self._records.values())
        self.order: tuple[int, ...] = tuple(self._records)
        self.missing: frozenset[int] = frozenset()

    def __getitem__(self, image_id: int) -> ImageRecord:
        return self._records[image_id]

    def __setitem__(self, image_id: int, record: ImageRecord) -> None:
        self.states[self._records[image_id].state] -= 1
        self.states[record.state] += 1
        self._records[image_id] = record

    def get(self, image_id: int) -> ImageRecord | None:
        """Return an image, or None when there is none of that id."""
        return self._records.get(image_id)

    @property
    def last_id(self) -> int:
        """The highest id of an image; 0 without any."""
        return max(self._records, default=0)

    def add(self, new: Iterable[ImageRecord]) -> None:
        """Take in those images that are not known yet."""
        fresh = {record.id: record for record in new if record.id not in self._records}
        self.states.update(record.state for record in fresh.values())
        self._records |= fresh
        # A large folder arrives in many pieces: each key is worked out once only.
        for image_id in self._records.keys() - self._sort_keys.keys():
            self._sort_keys[image_id] = natural_key(self._records[image_id].path)
        self.order = tuple(sorted(self._records, key=self._sort_keys.__getitem__))

    def take_up(self, read: ImagesRead) -> list[ImageRecord]:
        """Take up how images have become; return those that are new, which are to be added.

        A size may be known here that is not written yet.
        """
        new = []
        for record in read.records:
            known = self._records.get(record.id)
            if known is None:
                new.append(record)
            elif known.status != record.status:
                self[record.id] = replace(known, status=record.status)
            self.counts[record.id] = read.counts.get(record.id, 0)
        return new

    def find_missing(self, present: Iterable[str]) -> None:
        """Note which files are there; the rest of the images are missing, not forgotten."""
        found = frozenset(present)
        self.missing = frozenset(i for i, r in self._records.items() if r.path not in found)
