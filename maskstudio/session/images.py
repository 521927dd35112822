"""The pixels of images: decoded on lane FILES, ahead of need, kept within a budget of bytes."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from maskstudio.progress import TaskContext
from maskstudio.session.tasks import Callbacks, Job, LaneName, Priority, Tasks
from maskstudio.storage.images import read_image

BUDGET_BYTES = 512 * 1024 * 1024
"""Memory for decoded images, unless told otherwise; the current one is kept in any case."""

# Levels are halved until the longer side is at most this: no window shows an image smaller.
_SMALLEST_LEVEL = 512


@dataclass(frozen=True, eq=False)
class DecodedImage:
    """An image ready to be painted.

    Attributes:
        levels: (height, width, 4) uint8 in the order blue, green, red, unused; each level half the
            size of the one before, the first at full size.
    """

    levels: tuple[NDArray[np.uint8], ...]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) at full size."""
        height, width = self.levels[0].shape[:2]
        return height, width

    @property
    def bytes(self) -> int:
        """Memory it takes."""
        return sum(level.nbytes for level in self.levels)


class ImageLoader(QObject):
    """Decodes images and keeps the ones used last.

    Signals:
        loaded: (key, image id) an image is there.
        failed: (image id, sentence) an image cannot be read.
    """

    loaded = Signal(int)
    failed = Signal(int, str)

    def __init__(
        self, tasks: Tasks, parent: QObject | None = None, budget_bytes: int = BUDGET_BYTES
    ) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._budget_bytes = budget_bytes
        # The ones to let go of first come first.
        self._images: OrderedDict[int, DecodedImage] = OrderedDict()
        self._wanted: tuple[int, ...] = ()
        self._jobs: dict[int, Job] = {}

    def get(self, image_id: int) -> DecodedImage | None:
        """Return an image if it is decoded already."""
        image = self._images.get(image_id)
        if image is not None:
            self._images.move_to_end(image_id)
        return image

    def request(self, image_id: int, path: Path, ahead: Iterable[tuple[int, Path]] = ()) -> None:
        """Decode an image now and others after it; what was asked for before is dropped.

        Args:
            image_id: the image wanted.
            path: its file.
            ahead: images that will be wanted next.
        """
        wanted = {image_id: path, **dict(ahead)}
        self._wanted = tuple(wanted)
        for other in self._jobs.keys() - wanted.keys():
            self._jobs.pop(other).cancel()
        for number, (one, file) in enumerate(wanted.items()):
            if one not in self._images and one not in self._jobs:
                self._start(one, file, Priority.SOON if number else Priority.NOW)

    def clear(self) -> None:
        """Forget everything."""
        for job in self._jobs.values():
            job.cancel()
        self._jobs.clear()
        self._images.clear()
        self._wanted = ()

    def _start(self, image_id: int, path: Path, priority: Priority) -> None:
        def work(context: TaskContext) -> DecodedImage:
            return decode(path, context)

        def done(image: DecodedImage) -> None:
            if self._jobs.get(image_id) is job:
                del self._jobs[image_id]
                self._keep(image_id, image)
                self.loaded.emit(image_id)

        def failed(sentence: str) -> None:
            if self._jobs.get(image_id) is job:
                del self._jobs[image_id]
                self.failed.emit(image_id, sentence)

        job = self._tasks.submit(LaneName.FILES, work, Callbacks(done, failed), priority)
        self._jobs[image_id] = job

    def _keep(self, image_id: int, image: DecodedImage) -> None:
        self._images[image_id] = image
        # What is wanted most goes last, so that an image decoded ahead never drives it out.
        for one in reversed(self._wanted):
            if one in self._images:
                self._images.move_to_end(one)
        held = sum(i.bytes for i in self._images.values())
        while len(self._images) > 1 and held > self._budget_bytes:
            held -= self._images.popitem(last=False)[1].bytes


def decode(path: Path, context: TaskContext) -> DecodedImage:
    """Read an image and make the levels it is painted from.

    Raises:
        UserError: it cannot be read.
        CancelledError: it is no longer wanted.
    """
    rgb = read_image(path)
    context.raise_if_cancelled()
    level = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGRA), np.uint8)
    levels = [level]
    while max(level.shape[:2]) > _SMALLEST_LEVEL:
        context.raise_if_cancelled()
        height, width = level.shape[:2]
        half = (max(1, (width + 1) // 2), max(1, (height + 1) // 2))
        level = np.asarray(cv2.resize(level, half, interpolation=cv2.INTER_AREA), np.uint8)
        levels.append(level)
    for one in levels:
        one.setflags(write=False)
    return DecodedImage(tuple(levels))
