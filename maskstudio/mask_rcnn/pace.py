"""How long a model takes for an image."""

import time
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

# The latest images that count: few enough to follow a change of device.
_KEPT = 9


class Pace:
    """Times the parts of the work on an image, which may lie far apart.

    A part that is looked at for a person's sake gives way to others now and then; the middle of
    several times is not moved by one that was so interrupted.
    """

    def __init__(self) -> None:
        self._seconds: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_KEPT))
        self.ms_per_image: float | None = None

    @contextmanager
    def of(self, part: str, images: int = 1) -> Iterator[None]:
        """Time a part; one that fails or is cancelled does not count.

        Args:
            part: `see` and `find`, which make up an image together, or `batch`, the whole of
                several.
            images: how many are worked on.
        """
        started = time.perf_counter()
        yield
        self._seconds[part].append((time.perf_counter() - started) / images)
        parts = ("batch",) if part == "batch" else ("see", "find")
        if all(self._seconds[one] for one in parts):
            self.ms_per_image = 1000 * sum(median(self._seconds[one]) for one in parts)
