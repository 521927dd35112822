"""What is known of every image without its outlines: for filtering and sorting the list.

The database answers from an index. All of it is read once, ahead of need, on lane FILES; an edit
makes the facts of its images stale, and those are read again when somebody asks.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from maskstudio.annotation.image_facts import FactsTable, ImageFacts

Read = Callable[[Sequence[int]], Iterable[tuple[int, ImageFacts]]]
"""Reads the facts of those of some images that hold annotations, by their ids."""


class FactsStore:
    """The facts of the open project's images."""

    def __init__(self) -> None:
        self.reset()

    def reset(self, read: Read | None = None, last_id: int = 0) -> None:
        """Belong to another project, or to none.

        Args:
            read: reads facts of it.
            last_id: the highest id of an image that may hold annotations.
        """
        self._read = read
        self._last_id = last_id
        self._table: FactsTable | None = None
        # Of the images edited since the table was read; and those of them to be read again.
        self._edited: dict[int, ImageFacts] = {}
        self._stale: set[int] = set()

    def renew(self, last_id: int) -> None:
        """Note that any image may be another; what was known counts until all is read anew.

        Args:
            last_id: as above, by now.
        """
        self._last_id = last_id

    def reading_all(self) -> Callable[[Callable[[], None]], FactsTable]:
        """Return what reads the facts of all images of this project, on any thread.

        It takes what is called again and again meanwhile, and may raise to end it.
        """
        read, last = self._read, self._last_id

        def work(check: Callable[[], None]) -> FactsTable:
            def checked() -> Iterator[tuple[int, ImageFacts]]:
                for pair in read(range(1, last + 1)) if read else ():
                    check()
                    yield pair

            return FactsTable(last, checked())

        return work

    def take(self, table: FactsTable) -> None:
        """Take what was read of all images; what was edited since is asked for again."""
        self._table = table
        self._stale = set(self._edited)

    def forget(self, image_ids: Iterable[int]) -> None:
        """Note that images were edited."""
        for image_id in image_ids:
            self._edited[image_id] = ImageFacts()
            self._stale.add(image_id)

    def __call__(self, image_id: int) -> ImageFacts:
        """Return the facts of an image; the disk is asked where they are not known."""
        if self._read is None:
            return ImageFacts()
        table = self._table
        if table is None:
            table = self.reading_all()(lambda: None)
            self.take(table)
        if image_id in self._stale:
            fresh = dict(self._read(sorted(self._stale)))
            self._edited |= {i: fresh.get(i, ImageFacts()) for i in self._stale}
            self._stale = set()
        edited = self._edited.get(image_id)
        return table(image_id) if edited is None else edited
